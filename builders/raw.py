"""The raw root: what a user downloaded, listed once, with archives opened safely.

Paths are relative, with forward slashes, in sorted order, so that every machine sees the same list. Links that lead out
of the root are refused. The members of `a/b.zip` are listed as `a/b/…`, unless a folder of that name stands there.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO

from ..schema.errors import Issue, RawRootError, Severity
from .picture import Report

ARCHIVES = (".tar.gz", ".tgz", ".tar", ".zip")
IGNORED = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX", ".git", ".cache"})
MAX_EXPANSION = 1100
"""DEFLATE expands at most 1032 times (RFC 1951); an archive that claims more is lying."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside an archive: its own name there, and its size in bytes."""

    name: str
    size: int


class Raw:
    """A raw root. Sources ask it for names, readers for paths; nothing else touches the folder.

    `unpack_to` is where members of archives go when their path is asked for; without it they can be listed, not read.
    """

    def __init__(self, root: Path, *, unpack_to: Path | None = None, report: Report | None = None):
        if not root.is_dir():
            raise RawRootError(f"{root}: no such folder; expected the raw root of a source; see `medloom sources`")
        self.root = root.resolve()
        self.unpack_to = unpack_to
        self._report = report

    def report(self, issue: Issue) -> None:
        """Hand an issue to whoever opened this root."""
        if self._report is not None:
            self._report(issue)

    @cached_property
    def sizes(self) -> dict[str, int]:
        """Every file and archive member with its size in bytes, sorted by path."""
        found: dict[str, int] = {}
        archives: list[str] = []
        for relative, size in _walk(self.root, self._refuse):
            if relative.endswith(ARCHIVES):
                archives.append(relative)
            else:
                found[relative] = size
        for archive in archives:
            found.update(self._members_of(archive))
        return dict(sorted(found.items()))

    def glob(self, *patterns: str) -> list[str]:
        """Paths that match any pattern, sorted; `*` stays inside a folder, `**/` stands for any depth."""
        matches = [_glob_regex(pattern) for pattern in patterns]
        return [path for path in self.sizes if any(match(path) for match in matches)]

    def has(self, relative: str) -> bool:
        """Whether the root holds this file."""
        return relative in self.sizes

    def size(self, relative: str) -> int:
        """Bytes of a file that `has` knows."""
        return self.sizes[relative]

    def path(self, relative: str) -> Path:
        """Where the file lies on disk; an archive is unpacked when the first of its members is asked for.

        Raises:
            RawRootError: the path leads out of the root, or nothing is there.
        """
        plain = self._inside(self.root, relative)
        if plain.exists():
            return plain
        if self.unpack_to is not None:
            unpacked = self._inside(self.unpack_to, relative)
            if not unpacked.exists():
                self._unpack_for(relative)
            if unpacked.exists():
                return unpacked
        raise RawRootError(f"{relative}: not in the raw root {self.root}; run `medloom verify` to see what is missing")

    def has_on_disk(self, relative: str) -> bool:
        """Whether a worker finds the file without listing the root again."""
        places = (self.root, self.unpack_to) if self.unpack_to is not None else (self.root,)
        return any(self._inside(place, relative).exists() for place in places)

    def text(self, relative: str, *, encoding: str = "utf-8-sig") -> str:
        """The file's text.

        Raises:
            RawRootError: it is absent, or its bytes aren't in that encoding.
        """
        try:
            return self.path(relative).read_text(encoding)
        except UnicodeDecodeError as error:
            raise RawRootError(
                f"{relative}: byte {error.start} is not {encoding}; expected {encoding} text; save the file as UTF-8"
            ) from error

    def unpack(self) -> None:
        """Unpack every archive whose members are listed, so that workers find them on disk."""
        if not self.sizes:
            return
        for archive in sorted(self._archives):
            self._extract(archive)

    @cached_property
    def _archives(self) -> dict[str, dict[str, Member]]:
        """Archive → its members by listed path; filled by `sizes`."""
        return {}

    def _inside(self, root: Path, relative: str) -> Path:
        parts = PurePosixPath(relative)
        if parts.is_absolute() or ".." in parts.parts or not relative:
            raise RawRootError(f"{relative!r}: leads out of the raw root; expected a relative path inside it; fix the table")
        return root / relative

    def _refuse(self, where: str, found: str) -> None:
        expected = "regular files inside the raw root"
        self.report(Issue("unsafe-path", where, found, expected, "it was left out", Severity.WARNING))

    def _members_of(self, archive: str) -> dict[str, int]:
        folder = archive.removesuffix(next(s for s in ARCHIVES if archive.endswith(s)))
        if (self.root / folder).exists():
            return {}
        try:
            members = dict(_safe_members(self.root / archive, lambda name, found: self._refuse(f"{archive}:{name}", found)))
        except (OSError, zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
            self.report(Issue("unreadable", archive, f"{error}", "a whole archive", "it was left out", Severity.ERROR))
            return {}
        claimed, real = sum(m.size for m in members.values()), (self.root / archive).stat().st_size
        if claimed > MAX_EXPANSION * max(real, 1):
            found = f"{real} bytes that claim {claimed}"
            self.report(Issue("absurd-size", archive, found, "a real archive", "it was left out", Severity.ERROR))
            return {}
        self._archives[archive] = {f"{folder}/{name}": member for name, member in members.items()}
        return {path: member.size for path, member in self._archives[archive].items()}

    def _unpack_for(self, relative: str) -> None:
        if relative in self.sizes:
            for archive, members in self._archives.items():
                if relative in members:
                    self._extract(archive)

    def _extract(self, archive: str) -> None:
        assert self.unpack_to is not None
        done = self.unpack_to / f"{archive}.unpacked"
        if done.exists():
            return
        for relative, member in _contents(self.root / archive, self._archives[archive]):
            target = self._inside(self.unpack_to, relative)
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as out:
                shutil.copyfileobj(member, out)
        done.parent.mkdir(parents=True, exist_ok=True)
        done.touch()


def _walk(root: Path, refuse) -> Iterator[tuple[str, int]]:
    stack = [root]
    while stack:
        folder = stack.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name in IGNORED or entry.name.startswith("._"):
                    continue
                relative = Path(entry.path).relative_to(root).as_posix()
                if entry.is_symlink() and not Path(entry.path).resolve().is_relative_to(root):
                    refuse(relative, "a link that leads out of the raw root")
                elif entry.is_dir():
                    if entry.is_symlink():
                        refuse(relative, "a link to a folder")
                    else:
                        stack.append(Path(entry.path))
                elif entry.is_file():
                    yield relative, entry.stat().st_size
                else:
                    refuse(relative, "neither file nor folder")


def _safe_members(archive: Path, refuse) -> Iterator[tuple[str, Member]]:
    """Names (normalized) and members that are plain files inside the archive; everything else is refused aloud."""
    for name, size, plain in _listed(archive):
        path = PurePosixPath(name.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            refuse(name, "a name that leads out of the archive")
        elif not plain:
            refuse(name, "a link or device inside the archive")
        elif not IGNORED.intersection(path.parts) and not path.name.startswith("._"):
            yield path.as_posix(), Member(name, size)


def _listed(archive: Path) -> Iterator[tuple[str, int, bool]]:
    if archive.name.endswith(".zip"):
        with zipfile.ZipFile(archive) as z:
            for info in z.infolist():
                if not info.is_dir():
                    mode = info.external_attr >> 16
                    yield info.filename, info.file_size, not mode or stat.S_ISREG(mode) or not stat.S_IFMT(mode)
        return
    with tarfile.open(archive) as t:
        for info in t:
            if not info.isdir():
                yield info.name, info.size, info.isreg()


def _contents(archive: Path, members: dict[str, Member]) -> Iterator[tuple[str, IO[bytes]]]:
    """Listed path and open stream of each member, in the archive's own order."""
    wanted = {member.name: relative for relative, member in members.items()}
    if archive.name.endswith(".zip"):
        with zipfile.ZipFile(archive) as z:
            for name, relative in wanted.items():
                with z.open(name) as stream:
                    yield relative, stream
        return
    with tarfile.open(archive) as t:
        for info in t:
            stream = t.extractfile(info) if info.name in wanted and info.isreg() else None
            if stream is not None:
                yield wanted[info.name], stream


def _glob_regex(pattern: str):
    parts = []
    for part in pattern.split("/"):
        if part == "**":
            parts.append("(?:[^/]+/)*")
        else:
            inner = translate(part).removeprefix("(?s:").removesuffix(r")\Z").removesuffix(r")\z").replace(".*", "[^/]*")
            parts.append(inner + "/")
    return re.compile("".join(parts).removesuffix("/") + r"\Z").match
