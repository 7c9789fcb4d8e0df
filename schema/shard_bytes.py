"""Bytes of shards, read by ranges: from a folder, or from the Hub."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from . import hub
from .errors import ReleaseError

Span = tuple[int, int]
"""Offset and size, in bytes."""
GAP = 16 << 10
"""Ranges with no more than so many bytes between them are one request: about what another one would cost."""
MOST = 16 << 20
"""Bytes of one request, unless a single range is larger."""


class ShardBytes(Protocol):
    """Whatever gives byte ranges of shards; it can be pickled."""

    @property
    def ahead(self) -> int:
        """How many reads are worth doing at once: 1 where there is nothing to wait for."""
        ...

    def read(self, shard: str, spans: Sequence[Span]) -> list[bytes]:
        """The bytes of each span, in the order given; fewer only where the shard ends before.

        Raises:
            ReleaseError: the shard isn't there, or can't be had.
        """
        ...

    def address(self, shard: str) -> str:
        """Where the shard is, as `load_dataset` says it in `__url__`."""
        ...


@dataclass(frozen=True, slots=True)
class LocalShards:
    """Shards of a release folder."""

    root: Path

    @property
    def ahead(self) -> int:
        """See `ShardBytes`."""
        return 1

    def read(self, shard: str, spans: Sequence[Span]) -> list[bytes]:
        """See `ShardBytes`."""
        try:
            with (self.root / shard).open("rb") as stream:
                found = []
                for offset, size in spans:
                    stream.seek(offset)
                    found.append(stream.read(size))
        except FileNotFoundError as error:
            raise ReleaseError(
                f"{self.root / shard}: no such file; expected a shard that the index names; see `medloom check`"
            ) from error
        return found

    def address(self, shard: str) -> str:
        """See `ShardBytes`."""
        return str(self.root / shard)


@dataclass(frozen=True, slots=True)
class HubShards:
    """Shards of a repository; one that lies whole in the cache is read there."""

    source: hub.Fetched

    @property
    def ahead(self) -> int:
        """See `ShardBytes`."""
        return hub.AT_ONCE

    def read(self, shard: str, spans: Sequence[Span]) -> list[bytes]:
        """See `ShardBytes`: neighbouring spans in one request, requests at once."""
        if (self.source.root / shard).is_file():
            return LocalShards(self.source.root).read(shard, spans)
        wanted = list(requests(spans))
        if len(wanted) < 2:
            bodies = [hub.read_range(self.source, shard, span) for span in wanted]
        else:
            with ThreadPoolExecutor(self.ahead) as pool:
                bodies = list(pool.map(lambda span: hub.read_range(self.source, shard, span), wanted))
        begins = [begin for begin, _ in wanted]
        return [_cut(span, begins, bodies) for span in spans]

    def address(self, shard: str) -> str:
        """See `ShardBytes`."""
        return self.source.address(shard)


def requests(spans: Sequence[Span]) -> Iterator[Span]:
    """Spans that hold all given ones, sorted and apart, with no gap above `GAP` in them."""
    begin = end = -1
    for offset, size in sorted(span for span in spans if span[1]):
        if begin >= 0 and offset - end <= GAP and max(end, offset + size) - begin <= MOST:
            end = max(end, offset + size)
            continue
        if begin >= 0:
            yield begin, end - begin
        begin, end = offset, offset + size
    if begin >= 0:
        yield begin, end - begin


def _cut(span: Span, begins: Sequence[int], bodies: Sequence[bytes]) -> bytes:
    """A span out of the bodies that begin there."""
    offset, size = span
    if not size:
        return b""
    place = bisect_right(begins, offset) - 1
    return bodies[place][offset - begins[place] : offset - begins[place] + size]
