"""Byte ranges: joined where they are near, each exactly what was asked for; and pieces, which hold every row once."""

from __future__ import annotations

import pickle
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medloom.schema.errors import ReleaseError
from medloom.schema.pieces import LEAST_BYTES, NUMBERS, of_place, pieces
from medloom.schema.shard_bytes import GAP, MOST, LocalShards, requests

SPANS = st.lists(st.tuples(st.integers(0, 200_000), st.integers(0, 9_000)), max_size=40)


@given(SPANS)
def test_requests_hold_every_span_and_little_else(spans: list[tuple[int, int]]):
    found = list(requests(spans))
    for offset, size in spans:
        assert not size or any(begin <= offset and offset + size <= begin + length for begin, length in found)
    ends = [begin + length for begin, length in found]
    assert all(later - end > GAP for end, (later, _) in zip(ends, found[1:], strict=False))
    wanted = {byte for offset, size in spans for byte in range(offset, offset + size)}
    assert sum(length for _, length in found) <= len(wanted) + GAP * max(0, len(spans) - len(found))


def test_a_request_does_not_grow_without_end():
    spans = [(place * MOST // 4, MOST // 4) for place in range(16)]
    assert [length for _, length in requests(spans)] == [MOST] * 4
    assert list(requests([(0, 3 * MOST)])) == [(0, 3 * MOST)]


@given(SPANS, st.integers(0, 210_000))
def test_a_folder_gives_the_bytes_of_each_span(tmp_path_factory: pytest.TempPathFactory, spans: list, length: int):
    folder = tmp_path_factory.getbasetemp() / "bytes"
    folder.mkdir(exist_ok=True)
    content = bytes(number * 31 % 251 for number in range(length))
    (folder / "a.tar").write_bytes(content)
    shards = pickle.loads(pickle.dumps(LocalShards(folder)))
    assert shards.read("a.tar", spans) == [content[offset : offset + size] for offset, size in spans]


def test_a_shard_that_is_not_there(tmp_path: Path):
    with pytest.raises(ReleaseError, match=r"a\.tar: no such file; expected a shard that the index names"):
        LocalShards(tmp_path).read("a.tar", [(0, 1)])


def places(rows: int, size: int) -> pa.Table:
    sizes = pa.array([size] * rows, pa.int64())
    return pa.table({"key": pa.array(map(str, range(rows)), pa.string()), "image_size": sizes, "json_size": sizes})


@given(st.integers(0, 5000), st.integers(0, 2 * LEAST_BYTES))
def test_pieces_hold_every_row_once_in_order(rows: int, size: int):
    table = places(rows, size)
    found = pieces(table)
    assert [place["key"] for piece in found for place in of_place(table, piece)] == table["key"].to_pylist()
    assert max(count for _, count in found) - min(count for _, count in found) <= 1
    assert len(found) in NUMBERS
    assert len(found) == 1 or 2 * rows * size >= len(found) * LEAST_BYTES


@pytest.mark.parametrize("ranks", [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 16, 20, 24, 32, 48, 60, 64, 80, 96])
def test_a_large_selection_divides_evenly_among_ranks(ranks: int):
    assert len(pieces(places(10_000, LEAST_BYTES))) % ranks == 0
