"""Places of samples cut into pieces of even size, which `datasets` deals to ranks and workers: nobody reads what others do.

`split_dataset_by_node` gives each rank whole pieces where their number is divisible by that of the ranks; else every rank
reads everything and throws most of it away. So there are 960 pieces, which divide evenly among most numbers of ranks in use
(1 to 6, 8, 10, 12, 15, 16, 20, 24, 32, 48, 60, 64 and more), or of a small selection a divisor of that.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

Piece = tuple[int, int]
"""First row and number of rows."""
NUMBERS = (960, 480, 240, 120, 60, 24, 12, 6, 4, 2, 1)
LEAST_BYTES = 256 << 10
"""Of a piece, unless there is only one: each costs at least one read."""
_AT_ONCE = 4096


def pieces(places: pa.Table) -> list[Piece]:
    """Pieces of the places, in order; their numbers of rows differ by one at most."""
    rows, held = len(places), sum(pc.sum(places[name]).as_py() or 0 for name in ("image_size", "json_size"))
    number = next((one for one in NUMBERS if one <= rows and one * LEAST_BYTES <= held), 1)
    edges = [rows * place // number for place in range(number + 1)]
    return [(first, end - first) for first, end in pairwise(edges)]


def of_place(places: pa.Table, piece: Piece) -> Iterator[dict[str, Any]]:
    """The places of a piece as dicts, made as they are asked for."""
    first, rows = piece
    for start in range(first, first + rows, _AT_ONCE):
        yield from places.slice(start, min(_AT_ONCE, first + rows - start)).to_pylist()
