"""A shard's bytes, every one: members, and what headers, paddings and the end of the tar hold beside them.

`tarfile` passes over what it doesn't need. Here a header must be the very 512 bytes that the builder writes for a member's
name and size (ustar, POSIX.1-1988: owner and group 0 without names, time 0), padding and the end must be zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tarfile import BLOCKSIZE, HeaderError, TarInfo
from typing import BinaryIO

_FIELDS = ("uid", "gid", "uname", "gname", "mtime", "mode", "linkname", "devmajor", "devminor")
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Member:
    """A member as it lies in the tar."""

    name: str
    body: bytes
    beside: tuple[str, ...]
    """In a few words each, what its header and padding hold beside name and size."""


def walk(path: Path) -> Iterator[Member]:
    """Every member in order; what stands at the end, or can't be read, as a last one without a name."""
    with path.open("rb") as stream:
        while (header := stream.read(BLOCKSIZE)) and header.strip(b"\0"):
            try:
                member = TarInfo.frombuf(header, "utf-8", "surrogateescape")
            except HeaderError:
                yield Member("", b"", ("bytes that are no tar",))
                return
            body = stream.read(member.size)
            padding = stream.read(-member.size % BLOCKSIZE)
            yield Member(member.name, body, tuple(_beside(header, member, padding)))
        if _more(stream):
            yield Member("", b"", ("bytes behind the end of the tar",))


def _beside(header: bytes, member: TarInfo, padding: bytes) -> Iterator[str]:
    plain = TarInfo(member.name)
    plain.size = member.size
    if not member.isreg():
        yield f"tar member of type {member.type.decode('ascii', 'replace')}"
    elif header != _written(plain):
        other = [name for name in _FIELDS if getattr(member, name) != getattr(plain, name)]
        yield f"tar header with {', '.join(other) or 'other bytes'}"
    if padding.strip(b"\0"):
        yield "bytes in the padding of a tar"


def _written(member: TarInfo) -> bytes:
    try:
        return member.tobuf(errors="surrogateescape", format=0)
    except ValueError:
        return b""


def _more(stream: BinaryIO) -> bool:
    return any(chunk.strip(b"\0") for chunk in iter(lambda: stream.read(_CHUNK), b""))
