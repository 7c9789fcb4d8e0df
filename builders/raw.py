"""The raw root: what a user downloaded, listed once, with archives opened safely.

Paths are relative, with forward slashes, in sorted order, so that every machine sees the same list. Links that lead out
of the root are refused. The members of `a/b.zip` are listed as `a/b/…`, unless a folder of that name stands there.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO

from ..schema.errors import Issue, RawRootError, Severity
from .archive import BROKEN, Member, Open, contents, ignored, safe_members, suffix_of
from .pattern import matcher
from .picture import Report

MAX_EXPANSION = 1100
"""DEFLATE expands at most 1032 times (RFC 1951); an archive that claims more is lying."""


class Raw:
    """A raw root. Sources ask it for names, readers for paths; nothing else touches the folder.

    `unpack_to` is where members of archives go when their path is asked for; without it they can be listed, not read.
    """

    def __init__(self, root: Path, *, unpack_to: Path | None = None, report: Report | None = None):
        if not root.is_dir():
            raise RawRootError(f"{root}: no such folder; expected the raw root of a source; see `medloom sources`")
        self.root = root.resolve()
        self.unpack_to = unpack_to.resolve() if unpack_to is not None else None
        self._report = report
        self._tried: set[str] = set()
        self._last: tuple[str | None, Path | None] = None, None

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
            if suffix_of(relative):
                archives.append(relative)
            else:
                found[relative] = size
        for archive in archives:
            found.update(self._members_of(archive))
        return dict(sorted(found.items()))

    def glob(self, *patterns: str) -> list[str]:
        """Paths that match any pattern, sorted; `*` stays inside a folder, `**/` stands for any depth."""
        matches = [matcher(pattern) for pattern in patterns]
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
        found = self._on_disk(relative)
        if found is None and self.unpack_to is not None:
            archive = self._archive_of(relative)
            if archive is not None:
                self._extract(archive)
                found = self._on_disk(relative)
        if found is not None:
            return found
        raise RawRootError(f"{relative}: not in the raw root {self.root}; run `medloom verify` to see what is missing")

    def has_on_disk(self, relative: str) -> bool:
        """Whether a worker finds the file without listing the root again."""
        return self._on_disk(relative) is not None

    @contextmanager
    def open(self, relative: str) -> Iterator[IO[bytes]]:
        """The file's bytes as a stream, straight from its archive where it isn't unpacked.

        Raises:
            RawRootError: it is absent, or its archive is broken.
        """
        found = self._on_disk(relative)
        archive = None if found else self._archive_of(relative)
        if archive is None:
            with self.path(relative).open("rb") as stream:
                yield stream
            return
        member = {relative: self._archives[archive][relative]}
        with closing(contents(self.root / archive, member)) as streams:
            try:
                stream = next(streams)[1]()
            except (*BROKEN, StopIteration) as error:
                found = f"{relative}: {archive} is broken: {error}"
                raise RawRootError(f"{found}; expected a whole archive; get it again") from error
            with stream:
                yield stream

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

    def _on_disk(self, relative: str) -> Path | None:
        """The file in the root or among the unpacked; None where it is absent, or a link leads out."""
        if self._last[0] == relative:
            return self._last[1]
        for place in (self.root, self.unpack_to):
            if place is not None:
                path = _inside(place, relative)
                if _exists(path) and _stays(path, place):
                    self._last = relative, path  # a reader asks for a file several times in a row
                    return path
        return None

    def _refuse(self, where: str, found: str) -> None:
        expected = "regular files inside the raw root"
        self.report(Issue("unsafe-path", where, found, expected, "it was left out", Severity.WARNING))

    def _members_of(self, archive: str) -> dict[str, int]:
        folder = archive[: -len(suffix_of(archive))]
        if (self.root / folder).exists():
            return {}
        try:
            members = safe_members(self.root / archive, lambda name, found: self._refuse(f"{archive}:{name}", found))
        except BROKEN as error:
            self._broken(archive, error, "a whole archive")
            return {}
        claimed, real = sum(m.size for m in members.values()), (self.root / archive).stat().st_size
        if claimed > MAX_EXPANSION * max(real, 1):
            found = f"{real} bytes that claim {claimed}"
            self.report(Issue("absurd-size", archive, found, "a real archive", "it was left out", Severity.ERROR))
            return {}
        taken = {path for known in self._archives.values() for path in known}
        listed = {f"{folder}/{name}": member for name, member in members.items()}
        for path in sorted(taken & listed.keys()):
            self._refuse(f"{archive}:{listed.pop(path).name}", "a file that another archive of this name holds too")
        self._archives[archive] = listed
        return {path: member.size for path, member in listed.items()}

    def _broken(self, where: str, error: Exception, expected: str) -> None:
        found = f"{type(error).__name__}: {error}"[:200]
        self.report(Issue("unreadable", where, found, expected, "it was left out", Severity.ERROR))

    def _archive_of(self, relative: str) -> str | None:
        if relative not in self.sizes:
            return None
        return next((archive for archive, members in self._archives.items() if relative in members), None)

    def _extract(self, archive: str) -> None:
        """Unpack one archive; each file gets its name when it is whole, and a broken one is left out aloud."""
        assert self.unpack_to is not None
        done = self.unpack_to / f"{archive}.unpacked"
        if archive in self._tried or done.exists():
            return
        self._tried.add(archive)
        done.parent.mkdir(parents=True, exist_ok=True)
        partial = done.with_suffix(".partial")
        whole = True
        try:
            for relative, opened in contents(self.root / archive, self._archives[archive]):
                whole &= self._write(relative, opened, partial)
        except BROKEN as error:
            whole = False
            self._broken(archive, error, "a whole archive")
        partial.unlink(missing_ok=True)
        if whole:
            done.touch()  # not where something is lost: who resumes has to hear of it too

    def _write(self, relative: str, opened: Open, partial: Path) -> bool:
        assert self.unpack_to is not None
        target = _inside(self.unpack_to, relative)
        try:
            with opened() as stream, partial.open("wb") as out:
                shutil.copyfileobj(stream, out)
            target.parent.mkdir(parents=True, exist_ok=True)
            partial.replace(target)
        except BROKEN as error:
            self._broken(relative, error, "a file that unpacks")
            return False
        return True


def _inside(root: Path, relative: str) -> Path:
    parts = PurePosixPath(relative)
    if parts.is_absolute() or ".." in parts.parts or not relative or "\0" in relative:
        raise RawRootError(f"{relative!r}: leads out of the raw root; expected a relative path inside it; fix the table")
    return root / relative


def _stays(link: Path, root: Path) -> bool:
    try:
        return link.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # a ring of links
        return False


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name too long for the file system
        return False


def _walk(root: Path, refuse) -> Iterator[tuple[str, int]]:
    stack = [root]
    while stack:
        folder = stack.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if ignored(entry.name):
                    continue
                relative = Path(entry.path).relative_to(root).as_posix()
                if entry.is_symlink() and not _stays(Path(entry.path), root):
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
