"""A shard read plainly: a tar with two members per sample, `<key>.image` then `<key>.json`.

Where questions are embedded (see `generation/asking/embed.py`) a third one follows, `<key>.questions.json`.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

QUESTIONS = "questions.json"
"""Suffix of the member that holds a sample's questions, and so the name of their column."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the contents of one sample's members lie inside their tar, in bytes."""

    image_offset: int
    image_size: int
    json_offset: int
    json_size: int


def members(path: Path) -> Iterator[tuple[tarfile.TarInfo, bytes]]:
    """Every member of a shard with its contents, in order."""
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            stream = tar.extractfile(member)
            yield member, stream.read() if stream is not None else b""


def pairs(path: Path) -> Iterator[tuple[str, bytes, bytes, Place]]:
    """Key, image, record and place of each sample.

    Raises:
        tarfile.ReadError: the members aren't `.image` and `.json` of one key, in turn.
    """
    items = (one for one in members(path) if not one[0].name.endswith(f".{QUESTIONS}"))
    for member, image in items:
        key = member.name.removesuffix(".image")
        other, record = next(items, (tarfile.TarInfo("nothing"), b""))
        if member.name != f"{key}.image" or other.name != f"{key}.json":
            raise tarfile.ReadError(f"{path.name}: members {member.name}, {other.name}; expected {key}.image, {key}.json")
        yield key, image, record, Place(member.offset_data, member.size, other.offset_data, other.size)


def questions(path: Path) -> Iterator[tuple[str, bytes]]:
    """Key and questions of each sample that has a member for them; pictures and records are passed over.

    Raises:
        tarfile.ReadError: it isn't a whole tar.
    """
    with tarfile.open(path, "r:") as tar:
        for member in tar:
            stream = tar.extractfile(member) if member.name.endswith(f".{QUESTIONS}") else None
            if stream is not None:
                yield member.name.removesuffix(f".{QUESTIONS}"), stream.read()


def questions_begin(json_end: int) -> int:
    """Where the member with a sample's questions begins, if it has one: behind the record that ends there."""
    return json_end + -json_end % tarfile.BLOCKSIZE


def questions_size(header: bytes, key: str) -> int | None:
    """Bytes of a sample's questions, by the header of the member that follows its record; None where that is another one."""
    try:
        member = tarfile.TarInfo.frombuf(header[: tarfile.BLOCKSIZE], "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return None
    return member.size if member.name == f"{key}.{QUESTIONS}" else None
