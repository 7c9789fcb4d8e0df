"""Shards: plain tars with two members per sample, in key order, the same bytes on every run."""

from __future__ import annotations

import hashlib
import math
import os
import tarfile
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..schema.errors import ReleaseError
from ..schema.shard import QUESTIONS, Place

TARGET_BYTES = 256 << 20
SMALLEST_BYTES = 64 << 20
"""Shard counts are rounded up to a multiple of 8 (for ranks and workers) where every shard stays at this size or more."""
_BLOCK, _RECORD = 512, 10240
_MOST_OPEN = 256


def shard_count(total_bytes: int, samples: int, target_bytes: int = TARGET_BYTES) -> int:
    """How many shards a split of a subset gets."""
    count = max(1, math.ceil(total_bytes / target_bytes))
    eights = math.ceil(count / 8) * 8
    if total_bytes / eights >= SMALLEST_BYTES:
        count = eights
    return min(count, samples)


def cuts(samples: int, shards: int) -> list[tuple[int, int]]:
    """Half-open ranges of near-equal length."""
    edges = np.linspace(0, samples, shards + 1).round().astype(int)
    return [(int(first), int(last)) for first, last in pairwise(edges)]


class ShardWriter:
    """Writes one tar under a temporary name; `finish` renames it and gives its digest."""

    def __init__(self, path: Path, temporary: Path):
        self._path, self._temporary = path, temporary
        self._stream: BinaryIO = temporary.open("wb")
        self._digest = hashlib.sha256()
        self._offset = 0

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.close()

    def add(self, key: str, image: bytes, record: bytes, *, questions: bytes | None = None) -> Place:
        """Append both members of a sample, and a third where its questions travel with it."""
        image_offset = self._member(f"{key}.image", image)
        json_offset = self._member(f"{key}.json", record)
        if questions is not None:
            self._member(f"{key}.{QUESTIONS}", questions)
        return Place(image_offset, len(image), json_offset, len(record))

    def add_record(self, key: str, record: bytes) -> None:
        """Append the record of a sample alone, for those who may have no more of it."""
        self._member(f"{key}.json", record)

    def finish(self) -> dict[str, Any]:
        """Close the archive and give it its name: size in bytes and SHA-256."""
        end = 2 * _BLOCK
        self._put(b"\0" * (end + -(self._offset + end) % _RECORD))
        self._stream.close()
        self._temporary.replace(self._path)
        return {"bytes": self._offset, "sha256": self._digest.hexdigest()}

    def _member(self, name: str, body: bytes) -> int:
        member = tarfile.TarInfo(name)
        member.size = len(body)
        self._put(member.tobuf(tarfile.USTAR_FORMAT))
        start = self._offset
        self._put(body)
        self._put(b"\0" * (-len(body) % _BLOCK))
        return start

    def _put(self, block: bytes) -> None:
        self._stream.write(block)
        self._digest.update(block)
        self._offset += len(block)


class ShardReader:
    """Samples of finished shards by the byte ranges that an index gives; keeps the files open while it lives."""

    def __init__(self, release: Path):
        self._release, self._open = release, dict[str, int]()

    def __enter__(self) -> ShardReader:
        return self

    def __exit__(self, *error: object) -> None:
        for descriptor in self._open.values():
            os.close(descriptor)

    def read(self, shard: str, key: str, place: Place) -> tuple[bytes, bytes]:
        """Image and record of a sample, in one read of both members with their headers.

        Raises:
            ReleaseError: what lies there aren't the members of the key.
        """
        start, end = place.image_offset - _BLOCK, place.json_offset + place.json_size
        descriptor = self._descriptor(shard)
        try:
            if not 0 <= start < end <= os.fstat(descriptor).st_size:
                raise tarfile.ReadError(f"bytes {start} to {end} aren't in it")
            block = os.pread(descriptor, end - start, start)
            image = _member(block, f"{key}.image", 0, size=place.image_size)
            return image, _member(block, f"{key}.json", place.json_offset - place.image_offset, size=place.json_size)
        except tarfile.TarError as error:
            raise ReleaseError(
                f"{shard}: {error}; expected the two members of {key} where the index says; rebuild the source"
            ) from error

    def _descriptor(self, shard: str) -> int:
        if shard not in self._open:
            if len(self._open) >= _MOST_OPEN:
                os.close(self._open.pop(next(iter(self._open))))
            self._open[shard] = os.open(self._release / shard, os.O_RDONLY)
        return self._open[shard]


def _member(block: bytes, name: str, start: int, *, size: int) -> bytes:
    """Contents of the member whose header begins at `start` of the block."""
    body = start + _BLOCK
    if not 0 <= start < body <= body + size <= len(block):
        raise tarfile.ReadError(f"{name} would lie outside its sample")
    header = tarfile.TarInfo.frombuf(block[start:body], "utf-8", "surrogateescape")
    if (header.name, header.size) != (name, size):
        raise tarfile.ReadError(f"{header.name} of {header.size} bytes, not {name} of {size}")
    return block[body : body + size]
