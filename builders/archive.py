"""Archives as lists of plain files: what else they hold is refused, and nothing is written here."""

from __future__ import annotations

import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

IGNORED = frozenset({".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX", ".git", ".cache"})
SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip")
BROKEN = (
    OSError, EOFError, zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, struct.error,
    NotImplementedError, RuntimeError, ValueError, OverflowError,
)  # fmt: skip
"""What the standard library raises on archives that are cut, garbled, encrypted or packed by a method it doesn't know."""

Open = Callable[[], IO[bytes]]
Refuse = Callable[[str, str], None]
"""Called with the name of what is left out, and what it is."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file inside an archive: its own name there, and its size in bytes."""

    name: str
    size: int


def suffix_of(name: str) -> str:
    """The ending that makes a file an archive, in its own case; empty where it is none."""
    ending = next((suffix for suffix in SUFFIXES if name.lower().endswith(suffix)), "")
    return name[len(name) - len(ending) :]


def ignored(name: str) -> bool:
    """Whether a file or folder is a trace of somebody's system, not of the source."""
    return name in IGNORED or name.startswith("._")


def safe_members(archive: Path, refuse: Refuse) -> dict[str, Member]:
    """Normalized path → member, for plain files inside the archive; of two of one name the later, as unpackers do.

    Raises:
        One of `BROKEN`: it is no whole archive.
    """
    found: dict[str, Member] = {}
    for name, size, plain in _listed(archive):
        path = PurePosixPath(name.replace("\\", "/"))
        if not path.parts or path.is_absolute() or ".." in path.parts or ":" in path.parts[0] or "\0" in name:
            refuse(name, "a name that leads out of the archive")
        elif not plain:
            refuse(name, "a link or device inside the archive")
        elif any(map(ignored, path.parts)):
            continue
        elif path.as_posix() in found:
            refuse(name, "an earlier file of the same name")
            found[path.as_posix()] = Member(name, size)
        else:
            found[path.as_posix()] = Member(name, size)
    folders = {parent.as_posix() for name in found for parent in PurePosixPath(name).parents}
    for name in sorted(folders & found.keys()):
        refuse(found.pop(name).name, "a file of the name of a folder")
    return found


def contents(archive: Path, members: Mapping[str, Member]) -> Generator[tuple[str, Open], None, None]:
    """Path and opener of each member, in the archive's own order; the keys are whatever paths the caller uses.

    Raises:
        One of `BROKEN`, here or when a member is opened or read.
    """
    wanted = {member.name: relative for relative, member in members.items()}
    if _is_zip(archive):
        with zipfile.ZipFile(archive) as zipped:
            for name, relative in wanted.items():
                yield relative, partial(zipped.open, name)
        return
    with tarfile.open(archive) as opened:
        for info in opened:
            if info.name in wanted and info.isreg():
                yield wanted[info.name], partial(_extracted, opened, info)


def _extracted(tar: tarfile.TarFile, info: tarfile.TarInfo) -> IO[bytes]:
    stream = tar.extractfile(info)
    assert stream is not None, "a plain file has contents"
    return stream


def _is_zip(archive: Path) -> bool:
    return archive.name.lower().endswith(".zip")


def _listed(archive: Path) -> Iterator[tuple[str, int, bool]]:
    """Name, size in bytes, and whether it is a plain file; folders are passed over."""
    if _is_zip(archive):
        with zipfile.ZipFile(archive) as opened:
            for info in opened.infolist():
                if not info.is_dir():
                    kind = stat.S_IFMT(info.external_attr >> 16)
                    yield info.filename, info.file_size, kind in (0, stat.S_IFREG)
        return
    with tarfile.open(archive) as opened:
        for info in opened:
            if not info.isdir():
                yield info.name, info.size, info.isreg()
        _check_end(opened)


def _check_end(tar: tarfile.TarFile) -> None:
    """`tarfile` takes a broken header, but for the first, as the end: what follows would be lost without a word."""
    assert tar.fileobj is not None
    tar.fileobj.seek(tar.offset)
    if any(tar.fileobj.read(tarfile.BLOCKSIZE)):
        raise tarfile.ReadError(f"no header at byte {tar.offset}")
