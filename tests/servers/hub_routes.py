"""The endpoints of the Hub that its clients use, each a function from a call to an answer; for the server of `hub.py`."""

from __future__ import annotations

import hashlib
import json
import re
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import yaml
from hub_repository import DAY, Blob, Refused, Repository, upload_mode

KINDS = {"datasets": "dataset", "models": "model", "spaces": "space"}


@dataclass(frozen=True)
class Answer:
    """A status, headers and a body."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @classmethod
    def json(cls, value: Any, status: int = 200, *, headers: dict[str, str] | None = None) -> Answer:
        return cls(status, {"Content-Type": "application/json", **(headers or {})}, json.dumps(value).encode())

    @classmethod
    def refusal(cls, status: int, message: str, code: str | None = None) -> Answer:
        headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {})
        return cls.json({"error": message}, status, headers=headers)


def route(hub: Any, call: Any) -> Answer:
    """The answer of the endpoint that a call names."""
    parts = call.parts
    if parts[0] == "api":
        return _api(hub, call, parts[1:])
    if parts[0] == "objects":
        return _object(hub, call, parts[1])
    kind, rest = (parts[0], parts[1:]) if parts[0] in ("datasets", "spaces") else ("models", parts)
    if len(rest) >= 2 and rest[1].endswith(".git") and rest[2:] == ["info", "lfs", "objects", "batch"]:
        return _batch(hub, call, hub.repository(f"{rest[0]}/{rest[1].removesuffix('.git')}", kind))
    if len(rest) >= 5 and rest[2] in ("resolve", "raw"):
        repository = _readable(hub, call, f"{rest[0]}/{rest[1]}", kind)
        return _resolve(hub, call, repository, revision=rest[3], path="/".join(rest[4:]))
    raise Refused(404, "no such page")


def _api(hub: Any, call: Any, parts: list[str]) -> Answer:
    if parts[0] == "whoami-v2":
        return _whoami(call)
    if parts[0] == "validate-yaml":
        return _validate(call.json()["content"])
    if parts[0] == "repos":
        return _repos(hub, call, parts[1])
    if parts[0] not in KINDS or len(parts) < 3:
        raise Refused(404, "no such endpoint")
    repository = _readable(hub, call, f"{parts[1]}/{parts[2]}", parts[0])
    action, rest = (parts[3], parts[4:]) if len(parts) > 3 else ("revision", [])
    if call.method in ("POST", "DELETE") and action != "paths-info":
        _may_write(call)
    with hub.lock:
        return _of_repository(hub, call, repository, action=action, rest=rest)


def _of_repository(hub: Any, call: Any, repository: Repository, *, action: str, rest: list[str]) -> Answer:
    revision = rest[0] if rest else "main"
    if action == "revision":
        return Answer.json(repository.info(revision, blobs="blobs" in call.query))
    if action == "tree":
        return _tree(hub, call, repository, revision=revision, folder="/".join(rest[1:]))
    if action == "paths-info":
        return _paths_info(call, repository, revision)
    if action == "refs":
        return Answer.json(_refs(repository))
    if action == "commits":
        page = [_told(commit) for commit in repository.history(revision)]
        return Answer.json(page, headers={"X-Total-Count": str(len(page))})
    if action in ("tag", "branch"):
        return _name(call, repository, action=action, name=revision)
    if action == "preupload":
        return _preupload(call, repository, revision)
    if action == "commit":
        return _commit(hub, call, repository, revision)
    if action in ("xet-write-token", "xet-read-token"):
        return _xet_token(hub, call, write=action == "xet-write-token")
    raise Refused(404, f"no such endpoint: {action}")


def _may_write(call: Any) -> None:
    if call.rights is None:
        raise Refused(401, "Invalid username or password.")
    if call.rights != "write":
        raise Refused(403, "you don't have the rights for this action")


def _readable(hub: Any, call: Any, name: str, kind: str) -> Repository:
    repository = hub.repository(name, kind)
    if repository.private and call.rights is None:
        raise Refused(401, "Invalid username or password.", "RepoNotFound")
    return repository


def _whoami(call: Any) -> Answer:
    if call.rights is None:
        raise Refused(401, "Invalid username or password.")
    return Answer.json({"type": "user", "name": "somebody", "orgs": [], "auth": {"accessToken": {"role": call.rights}}})


def _validate(content: str) -> Answer:
    """As far as we need it: the YAML is a mapping, and a licence is written as the Hub writes them."""
    try:
        header = yaml.safe_load(content.split("---\n")[1]) if content.startswith("---\n") else {}
        licences = header.get("license", "other") if isinstance(header, dict) else None
        names = licences if isinstance(licences, list) else [licences]
        wrong = not all(re.fullmatch(r"[a-z0-9.+-]+", str(name)) for name in names)
    except (yaml.YAMLError, IndexError):
        wrong = True
    if wrong:
        return Answer.json({"errors": [{"message": "bad metadata"}], "warnings": []}, 400)
    return Answer.json({"errors": [], "warnings": []})


def _repos(hub: Any, call: Any, action: str) -> Answer:
    _may_write(call)
    asked = call.json()
    kind = f"{asked.get('type', 'model')}s"
    name = f"{asked.get('organization') or 'somebody'}/{asked['name']}"
    address = f"{hub.url}/{'' if kind == 'models' else kind + '/'}{name}"
    with hub.lock:
        if action == "delete":
            hub.repository(name, kind)
            del hub.repositories[f"{kind}/{name}"]
            return Answer.json({})
        if f"{kind}/{name}" in hub.repositories:
            return Answer.json({"error": "You already created this repo", "url": address}, 409)
        private = asked.get("visibility") == "private" or asked.get("private") is True
        hub.repositories[f"{kind}/{name}"] = Repository(kind, name, private)
    return Answer.json({"url": address, "name": name, "id": name})


def _tree(hub: Any, call: Any, repository: Repository, *, revision: str, folder: str) -> Answer:
    recursive = call.query.get("recursive", ["false"])[0].lower() in ("true", "1")
    entries = _with_xet(hub, repository.tree(revision, folder, recursive=recursive))
    start = int(call.query.get("cursor", ["0"])[0])
    page = entries[start : start + hub.page]
    if start + hub.page >= len(entries):
        return Answer.json(page)
    following = f"{hub.url}{call.path}?recursive={recursive}&cursor={start + hub.page}"
    return Answer.json(page, headers={"Link": f'<{following}>; rel="next"'})


def _with_xet(hub: Any, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = {entry["path"]: hub.chunks.known(entry["lfs"]["oid"]) for entry in entries if hub.chunks and "lfs" in entry}
    return [entry | ({"xetHash": known[entry["path"]][0]} if known.get(entry["path"]) else {}) for entry in entries]


def _paths_info(call: Any, repository: Repository, revision: str) -> Answer:
    is_json = "json" in call.headers.get("content-type", "")
    paths = call.json()["paths"] if is_json else parse_qs(call.body.decode()).get("paths", [])
    every = {entry["path"]: entry for entry in repository.tree(revision, "", recursive=True)}
    return Answer.json([every[path.rstrip("/")] for path in paths if path.rstrip("/") in every])


def _refs(repository: Repository) -> dict[str, Any]:
    branches = [_ref(name, f"refs/heads/{name}", oid) for name, oid in repository.branches.items()]
    tags = [_ref(name, f"refs/tags/{name}", oid) for name, oid in repository.tags.items()]
    return {"branches": branches, "tags": tags, "converts": [], "pullRequests": []}


def _ref(name: str, ref: str, oid: str) -> dict[str, str]:
    return {"name": name, "ref": ref, "targetCommit": oid}


def _told(commit: Any) -> dict[str, Any]:
    return {"id": commit.oid, "title": commit.title, "message": "", "authors": [{"user": "somebody"}], "date": DAY}


def _name(call: Any, repository: Repository, *, action: str, name: str) -> Answer:
    """A new branch, a new tag, or one that goes."""
    asked = call.json()
    where = repository.tags if action == "tag" else repository.branches
    if call.method == "DELETE":
        if where.pop(name, None) is None:
            raise Refused(404, f"no such {action}", "RevisionNotFound")
        return Answer.json({})
    new, start = (asked["tag"], name) if action == "tag" else (name, asked.get("startingPoint", "main"))
    if new in where:
        raise Refused(409, f"Reference already exists: {new}")
    where[new] = repository.at(start).oid
    return Answer.json({})


def _preupload(call: Any, repository: Repository, revision: str) -> Answer:
    files = repository.at(revision).files
    told = [
        {
            "path": one["path"],
            "uploadMode": upload_mode(one["path"], one["size"]),
            "shouldIgnore": False,
            "oid": files[one["path"]].etag if one["path"] in files else None,
        }
        for one in call.json()["files"]
    ]
    return Answer.json({"files": told})


def _commit(hub: Any, call: Any, repository: Repository, revision: str) -> Answer:
    lines = [json.loads(line) for line in call.body.splitlines() if line.strip()]
    commit = repository.commit(revision, lines, stored=hub.stored)
    address = f"{hub.url}/datasets/{repository.name}/commit/{commit.oid}"
    return Answer.json({"success": True, "commitOid": commit.oid, "commitUrl": address})


def _xet_token(hub: Any, call: Any, *, write: bool) -> Answer:
    if hub.chunks is None:
        raise Refused(404, "no xet here")
    if write:
        _may_write(call)
    expires = int(time.time()) + 3600
    told = {"casUrl": hub.chunks.address, "accessToken": "xet", "exp": expires}
    headers = {"X-Xet-Cas-Url": told["casUrl"], "X-Xet-Access-Token": "xet", "X-Xet-Token-Expiration": str(expires)}
    return Answer.json(told, headers=headers)


def _batch(hub: Any, call: Any, repository: Repository) -> Answer:
    _may_write(call)
    wanted = call.json()["objects"]
    return Answer.json({"transfer": "basic", "objects": [_action(hub, repository, one) for one in wanted]})


def _action(hub: Any, repository: Repository, one: dict[str, Any]) -> dict[str, Any]:
    if hub.stored(one["oid"]):
        return one
    return one | {"actions": {"upload": {"href": f"{hub.storage}/objects/{one['oid']}?write=1"}}}


def _object(hub: Any, call: Any, sha256: str) -> Answer:
    """The storage behind the Hub: addresses that it signed are taken without a token, and tokens are not for it."""
    if "authorization" in call.headers:
        raise Refused(400, "a token was sent to the storage")
    if call.method == "PUT":
        found = hashlib.sha256(call.body).hexdigest()
        if found != sha256:
            raise Refused(400, f"bytes of {found}, expected {sha256}")
        with hub.lock:
            hub.objects[sha256] = call.body
        return Answer()
    return _ranged(call, hub.content(Blob("", 0, "", sha256=sha256)), {"ETag": f'"{sha256}"'})


def _resolve(hub: Any, call: Any, repository: Repository, *, revision: str, path: str) -> Answer:
    commit = repository.at(revision)
    blob = commit.files.get(path)
    headers = {"X-Repo-Commit": commit.oid, "Accept-Ranges": "bytes"}
    if blob is None:
        refusal = Answer.refusal(404, "Entry not found", "EntryNotFound")
        return Answer(404, refusal.headers | headers, refusal.body)
    headers |= {"ETag": f'"{blob.etag}"'}
    if blob.sha256 is None:
        return _ranged(call, hub.content(blob), headers)
    headers |= {
        "X-Linked-Etag": f'"{blob.etag}"',
        "X-Linked-Size": str(blob.size),
        "Location": f"{hub.storage}/objects/{blob.sha256}",
    }
    known = hub.chunks.known(blob.sha256) if hub.chunks is not None else None
    if known is not None:
        refresh = f"{hub.url}/api/{repository.kind}/{repository.name}/xet-read-token/{commit.oid}"
        headers |= {"X-Xet-Hash": known[0], "X-Xet-Refresh-Route": refresh}
    return Answer(302, headers)


def _ranged(call: Any, content: bytes, headers: dict[str, str]) -> Answer:
    headers = headers | {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
    asked = re.fullmatch(r"bytes=(\d*)-(\d*)", call.headers.get("range", ""))
    if asked is None or asked.groups() == ("", ""):
        return Answer(200, headers, content)
    first, last = asked.groups()
    start = int(first) if first else max(0, len(content) - int(last))
    end = min(int(last), len(content) - 1) if first and last else len(content) - 1
    if start > end:
        return Answer(416, headers | {"Content-Range": f"bytes */{len(content)}"})
    told = headers | {"Content-Range": f"bytes {start}-{end}/{len(content)}"}
    return Answer(206, told, content[start : end + 1])
