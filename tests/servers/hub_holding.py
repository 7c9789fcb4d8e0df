"""A folder put into a repository of the Hub server at once, without a client; for the server of `hub.py`."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from hub import Hub
from hub_repository import Commit, Repository, upload_mode


def hold(hub: Hub, repo: str, folder: Path, *, title: str = "a release") -> Commit:
    """The commit after which a dataset repository, made where it isn't there, holds exactly what the folder does."""
    with hub.lock:
        repository = hub.repositories.setdefault(f"datasets/{repo}", Repository("datasets", repo))
        before = set(repository.at("main").files) - {".gitattributes"}
        files = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
        lines: list[dict[str, Any]] = [{"key": "header", "value": {"summary": title}}]
        lines += [{"key": "deletedFile", "value": {"path": name}} for name in sorted(before - set(files))]
        lines += [_line(hub, name, path.read_bytes()) for name, path in files.items()]
        return repository.commit("main", lines, stored=hub.stored)


def _line(hub: Hub, name: str, content: bytes) -> dict[str, Any]:
    if upload_mode(name, len(content)) == "regular":
        return {"key": "file", "value": {"path": name, "content": base64.b64encode(content).decode()}}
    sha256 = hashlib.sha256(content).hexdigest()
    hub.objects[sha256] = content
    return {"key": "lfsFile", "value": {"path": name, "oid": sha256, "size": len(content)}}
