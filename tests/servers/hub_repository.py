"""Repositories as the Hub keeps them: commits, branches, tags and blobs, in memory; for the server of `hub.py`."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

LARGE = {".tar", ".parquet", ".png", ".jpg", ".jpeg", ".gz", ".zip", ".npy", ".safetensors", ".bin", ".webp"}
LARGE_BYTES = 10 * 1024 * 1024
ATTRIBUTES = b"".join(f"*{suffix} filter=lfs diff=lfs merge=lfs -text\n".encode() for suffix in sorted(LARGE))
DAY = "2026-01-01T00:00:00.000Z"


class Refused(Exception):
    """An answer other than 200."""

    def __init__(self, status: int, message: str, code: str | None = None):
        super().__init__(message)
        self.status, self.message, self.code = status, message, code


@dataclass(frozen=True, slots=True)
class Blob:
    """A file of a commit; its bytes are here when it is a regular one."""

    path: str
    size: int
    git_oid: str
    sha256: str | None = None
    content: bytes | None = None

    def listed(self) -> dict[str, Any]:
        """As `tree` and `paths-info` list it."""
        entry = {"type": "file", "path": self.path, "size": self.size, "oid": self.git_oid}
        large = {"lfs": {"oid": self.sha256, "size": self.size, "pointerSize": 130}} if self.sha256 else {}
        return entry | large

    @property
    def etag(self) -> str:
        return self.sha256 or self.git_oid


def regular(path: str, content: bytes) -> Blob:
    """A file that lies in git itself."""
    return Blob(path, len(content), git_sha1(content), content=content)


def large(path: str, sha256: str, size: int) -> Blob:
    """A file of which git holds a pointer only."""
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{sha256}\nsize {size}\n"
    return Blob(path, size, git_sha1(pointer.encode()), sha256=sha256)


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


@dataclass(frozen=True, slots=True)
class Commit:
    """All files after it, by path."""

    oid: str
    title: str
    files: dict[str, Blob]
    parent: str | None


@dataclass
class Repository:
    """One repository with its history."""

    kind: str
    name: str
    private: bool = False
    commits: dict[str, Commit] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.branches["main"] = self._add("initial commit", {".gitattributes": regular(".gitattributes", ATTRIBUTES)}, None)

    def at(self, revision: str) -> Commit:
        """The commit that a branch, a tag or (the beginning of) an id names."""
        name = revision.removeprefix("refs/heads/").removeprefix("refs/tags/")
        oid = self.branches.get(name) or self.tags.get(name) or name
        found = [commit for known, commit in self.commits.items() if len(oid) >= 7 and known.startswith(oid)]
        if not found:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return found[0]

    def commit(self, branch: str, lines: Iterable[dict[str, Any]], *, stored: Any) -> Commit:
        """The commit that the lines of a request describe; `stored` tells whether a large file's bytes are there."""
        if branch not in self.branches:
            raise Refused(404, f"Invalid rev id: {branch}", "RevisionNotFound")
        head = self.at(branch)
        files, title = dict(head.files), ""
        for line in lines:
            value = line["value"]
            if line["key"] == "header":
                title = value["summary"]
                if value.get("parentCommit") not in (None, head.oid):
                    raise Refused(412, "A commit has happened since. Please refresh and try again.")
            else:
                _apply(files, line["key"], value, stored=stored)
        self.branches[branch] = self._add(title, files, head.oid)
        return self.at(branch)

    def history(self, revision: str) -> Iterator[Commit]:
        """Commits back to the first."""
        commit: Commit | None = self.at(revision)
        while commit is not None:
            yield commit
            commit = self.commits[commit.parent] if commit.parent else None

    def tree(self, revision: str, folder: str, *, recursive: bool) -> list[dict[str, Any]]:
        """Files and folders at a path, in order of path."""
        files = self.at(revision).files
        prefix = f"{folder}/" if folder else ""
        inside = {path: blob for path, blob in files.items() if path.startswith(prefix)}
        if folder and not inside:
            raise Refused(404, f"{folder} does not exist on {revision}", "EntryNotFound")
        folders = {str(up) for path in inside for up in PurePosixPath(path).parents if str(up).startswith(prefix)} - {
            ".",
            folder,
        }
        entries = [blob.listed() for blob in inside.values()] + [_folder(path) for path in folders]
        depth = prefix.count("/")
        shown = [entry for entry in entries if recursive or entry["path"].count("/") == depth]
        return sorted(shown, key=lambda entry: entry["path"])

    def info(self, revision: str, *, blobs: bool) -> dict[str, Any]:
        """What `dataset_info` reads."""
        commit = self.at(revision)
        siblings = [{"rfilename": path} | (_sibling(blob) if blobs else {}) for path, blob in sorted(commit.files.items())]
        facts = {"id": self.name, "author": self.name.split("/")[0], "sha": commit.oid, "private": self.private}
        return facts | {
            "gated": False,
            "disabled": False,
            "tags": [],
            "siblings": siblings,
            "lastModified": DAY,
            "createdAt": DAY,
        }

    def _add(self, title: str, files: dict[str, Blob], parent: str | None) -> str:
        text = f"{self.kind} {self.name} {parent} {title} {sorted((path, blob.etag) for path, blob in files.items())}"
        oid = hashlib.sha1(text.encode()).hexdigest()
        self.commits[oid] = Commit(oid, title, files, parent)
        return oid


def upload_mode(path: str, size: int) -> str:
    """`lfs` for what `.gitattributes` names or what is large."""
    return "lfs" if PurePosixPath(path).suffix in LARGE or size > LARGE_BYTES else "regular"


def _apply(files: dict[str, Blob], key: str, value: dict[str, Any], *, stored: Any) -> None:
    path = value["path"]
    if key == "file":
        files[path] = regular(path, base64.b64decode(value["content"]))
    elif key == "lfsFile":
        if not stored(value["oid"]):
            raise Refused(400, f"LFS pointer pointed to a file that does not exist: {path}")
        files[path] = large(path, value["oid"], value["size"])
    elif key == "deletedFile":
        if files.pop(path, None) is None:
            raise Refused(404, "A file with this name doesn't exist", "EntryNotFound")
    elif key == "deletedFolder":
        for inside in [one for one in files if one.startswith(path.rstrip("/") + "/")]:
            del files[inside]
    else:
        raise Refused(400, f"unknown operation {key}")


def _folder(path: str) -> dict[str, Any]:
    return {"type": "directory", "path": path, "size": 0, "oid": git_sha1(path.encode())}


def _sibling(blob: Blob) -> dict[str, Any]:
    large = {"lfs": {"sha256": blob.sha256, "size": blob.size, "pointerSize": 130}} if blob.sha256 else {}
    return {"size": blob.size, "blobId": blob.git_oid} | large
