"""What must be sent so that a repository equals a staged release: compared by digest, nothing is sent twice.

Only files that some release of ours would hold are ever deleted; others that lie in the repository stay and are named.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from typing import Any

from ...schema.errors import UsageError
from ...schema.published import ENTRY, Mode, keys_path, mode_of, shards_of
from ...schema.question_set import FOLDER, QuestionSet
from ...schema.release import DEFAULT, Release, content_version
from ...schema.release import shards_of as in_order
from ...schema.release_files import is_own

LAST = re.compile(r"[^/]+|recipes/.+|questions/[^/]+/suite\.json")
"""Files that tell of the others: they go with the last commit, so that until then the repository tells of what it held."""
HUBS_OWN = {".gitattributes"}
PLAIN = re.compile(r"(README|LICEN[CS]E)(\.\w+)?", re.IGNORECASE)
"""Files that the Hub's page for new repositories makes."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file of the repository."""

    size: int
    sha256: str | None
    """Of a large file; None for one that git itself holds."""
    git_sha1: str


@dataclass(frozen=True, slots=True)
class Remote:
    """A branch of a repository as it is now; without a head there is no repository yet."""

    head: str | None = None
    files: Mapping[str, Stored] = field(default_factory=dict)
    private: bool | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    branch_missing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an upload does, in order of path."""

    add: Mapping[str, int]
    """Path → size in bytes."""
    delete: Sequence[str]
    keep: Mapping[str, int]
    """What is there already, byte for byte."""
    foreign: Sequence[str]
    """Files of others, which stay."""

    @property
    def empty(self) -> bool:
        """Whether the repository equals the release already."""
        return not self.add and not self.delete

    def as_json(self) -> dict[str, Any]:
        """The plan as plain data."""
        add = [{"path": path, "bytes": size} for path, size in self.add.items()]
        kept = {"files": len(self.keep), "bytes": sum(self.keep.values())}
        rest = {"delete": list(self.delete), "keep": kept, "foreign": list(self.foreign)}
        return {"add": add, "add_bytes": sum(self.add.values()), **rest}

    def batches(self, *, files: int, size: int) -> Iterator[tuple[list[str], list[str]]]:
        """Files to add and to delete, commit by commit: at most so many files and bytes, what tells of the others last.

        What fits into one commit is one, so that nobody sees half of it.
        """
        if len(self.add) + len(self.delete) <= files and sum(self.add.values()) <= size:
            yield list(self.add), list(self.delete)
            return
        batch: list[str] = []
        first = [path for path in self.add if not LAST.fullmatch(path)]
        for path in first:
            if batch and (len(batch) == files or sum(self.add[one] for one in (*batch, path)) > size):
                yield batch, []
                batch = []
            batch.append(path)
        if batch:
            yield batch, []
        yield [path for path in self.add if LAST.fullmatch(path)], list(self.delete)


def plan(staged: Release, remote: Remote) -> Plan:
    """What makes the repository equal to the staged release.

    Raises:
        UsageError: the repository holds somebody else's dataset.
    """
    here = {path.relative_to(staged.root).as_posix(): path for path in sorted(staged.root.rglob("*")) if path.is_file()}
    foreign = sorted(path for path in remote.files if path not in here and not is_own(path))
    _refuse_foreign(remote, foreign)
    digests = stated_digests(staged)
    same = {name for name, path in here.items() if _is_there(path, remote.files.get(name), digests.get(name))}
    sizes = {name: path.stat().st_size for name, path in here.items()}
    return Plan(
        add={name: size for name, size in sizes.items() if name not in same},
        delete=sorted(path for path in remote.files if path not in here and is_own(path) and path not in HUBS_OWN),
        keep={name: size for name, size in sizes.items() if name in same},
        foreign=foreign,
    )


def version_of(release: Release) -> str:
    """The version of everything in a release but its card: that of the config `default` where there is nothing else."""
    recipes = release.recipes()
    shards = in_order(release.configs().get(DEFAULT, {}))
    known = {shard["path"] for shard in shards}
    more = [shard for recipe in recipes for shard in shards_of(recipe) if shard["path"] not in known]
    more += [_keys(recipe) for recipe in recipes if mode_of(recipe) is Mode.RECIPE]
    more += [{"path": path, "sha256": digest} for path, digest in sorted(_asked(release).items())]
    return content_version([*shards, *more])


def stated_digests(release: Release) -> dict[str, str]:
    """Path → SHA-256 of the large files, as recipes and suites state them; `medloom check` proves that they are so."""
    found = _asked(release)
    for recipe in release.recipes():
        name = recipe["facts"]["name"]
        found |= {shard["path"]: shard["sha256"] for shard in shards_of(recipe)}
        if mode_of(recipe) is Mode.RECIPE:
            found[keys_path(name)] = recipe[ENTRY]["keys"]
        else:
            found |= {f"index/{name}/{table}.parquet": digest for table, digest in recipe["index"].items()}
    return found


def git_sha1(body: bytes) -> str:
    """The name that git gives a file's contents."""
    return hashlib.sha1(b"blob %d\0" % len(body) + body, usedforsecurity=False).hexdigest()


def repository_of(repo: str, family: str) -> str:
    """The repository of a family of licences: `org/name-cc-by-nc-sa-4.0`."""
    words = re.sub(r"[^a-z0-9.]+", "-", family.casefold().replace(" + ", "-and-").removeprefix("licenseref-"))
    return f"{repo}-{words.strip('-.')}"


def _asked(release: Release) -> dict[str, str]:
    """Path → SHA-256 of the question files that are there."""
    found = {}
    for name in release.suites:
        for one in QuestionSet(release.root, name).info["files"]:
            path = f"{FOLDER}/{name}/{one['path']}"
            if one["questions"] and (release.root / path).is_file():
                found[path] = one["sha256"]
    return found


def _keys(recipe: Mapping[str, Any]) -> dict[str, str]:
    return {"path": keys_path(recipe["facts"]["name"]), "sha256": recipe[ENTRY]["keys"]}


def _is_there(path: Path, stored: Stored | None, sha256: str | None) -> bool:
    if stored is None or stored.size != path.stat().st_size:
        return False
    if stored.sha256 is None:
        return stored.git_sha1 == git_sha1(path.read_bytes())
    if sha256 is None:
        with path.open("rb") as stream:
            sha256 = file_digest(stream, "sha256").hexdigest()
    return stored.sha256 == sha256


def _refuse_foreign(remote: Remote, foreign: Sequence[str]) -> None:
    """A repository with files of others and no recipe of ours is another dataset, whose README would be lost."""
    data = [path for path in foreign if path not in HUBS_OWN and not PLAIN.fullmatch(PurePosixPath(path).name)]
    if data and not any(path.startswith("recipes/") for path in remote.files):
        named = ", ".join(data[:3]) + (" …" if len(data) > 3 else "")
        expected = "an empty repository, or an earlier release of yours"
        raise UsageError(f"the repository holds somebody else's files ({named}); expected {expected}; name another --repo")
