"""What of a sketch's pictures a set of one's own holds.

Same pixels are certain. Near ones are met by hashes alone, since a sketch has no pixels, and no thumbnail can confirm what
is found. Own pictures ask with the hashes of their windows, which meets sketched pictures that were cut from them, and with
their border repeated, which meets some that they were cut from; most of these are met where the sketch has windows too.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .align import MIN_DETAIL, detail_share
from .descriptor import GROWN_WINDOWS, HASH_BITS, HASH_ONLY_BITS, WINDOWS
from .hashes import Hashes, of_pictures, taken, views_of
from .search import Progress, Side, candidates
from .sketch import Sketch, binaries
from .thumbnails import Pictures

EXACT, NEAR = "exact", "near"
_BLOCK = 1024
PAIRS = pa.schema(
    [
        ("name", pa.string()),
        ("row", pa.int64()),
        ("kind", pa.string()),
        ("distance", pa.int64()),
        ("split", pa.string()),
        ("source", pa.string()),
    ]
)
"""Own picture, row of the sketch, exact or near, bits that differ, and split and source of the row."""


@dataclass(frozen=True, slots=True)
class Own:
    """One's own pictures."""

    names: list[str]
    """Paths inside a folder, or keys of a release."""
    hashes: Hashes
    sparse: np.ndarray | None = None
    """Which have too little detail for anything but equal pixels; None where pixels are absent."""


def own_of(pictures: Pictures) -> Own:
    """A folder's or release's pictures, asked for as they are, as what may have been cropped, and as what may be a crop."""
    stretches = (np.arange(at, min(at + _BLOCK, len(pictures))) for at in range(0, len(pictures), _BLOCK))
    sparse = [detail_share(pictures.thumbnails(rows)) < MIN_DETAIL for rows in stretches]
    hashes = of_pictures(pictures, windows=WINDOWS + GROWN_WINDOWS)
    return Own(pictures.rows["key"].to_pylist(), hashes, np.concatenate([np.zeros(0, bool), *sparse]))


def certainty(sketch: Sketch) -> dict[str, str]:
    """What a match of each kind is worth with such a sketch, as measured by `benchmarks/duplicates.py`."""
    false, crops = 4, "99.9 % cut about the centre and 96 % cut anywhere, since this sketch has windows"
    if sketch.hashes.windows is None:
        false, crops = 2, "94 % and 66 % of 5 % in total, 35 % of 5 % per side (a sketch made with --crops meets 96 % at least)"
    near = (
        f"probable: hashes alone, at most {HASH_ONLY_BITS} of {HASH_BITS} bits apart, and no picture to compare. On 951 real "
        f"pictures {false} of 18 million pairs were false (precision 0.998 at least, change by change). Met were 99.9 % of "
        "copies that were resized, saved as JPEG 60, or 15 % brighter or darker; where the sketch's picture is a crop of yours "
        f"99.9 % about the centre and 93 % cut anywhere; where yours is the crop {crops}. "
        "Look at what it names before you act on it"
    )
    return {EXACT: "certain: the same size and the same decoded pixels", NEAR: near}


def held(sketch: Sketch, own: Own, *, threads: int = 1, progress: Progress | None = None) -> pa.Table:
    """`PAIRS` sorted by kind and row: every row that is held and every own picture that holds one stands in some pair."""
    exact = _exact(own.hashes, sketch.hashes)
    bare = own.hashes.blank if own.sparse is None else own.hashes.blank | own.sparse
    mine, theirs = np.flatnonzero(~bare), np.flatnonzero(~sketch.hashes.blank)
    sides = [_side(own.hashes, mine), _side(sketch.hashes, theirs)]
    found = candidates(*sides, max_bits=HASH_ONLY_BITS, threads=threads, progress=progress)
    i, j = mine[found.i], theirs[found.j]
    other = (own.hashes.pixels[i] != sketch.hashes.pixels[j]).any(axis=1)
    near = np.stack([i, j, found.distance])[:, other]
    rows = np.concatenate([np.concatenate([exact, np.zeros((1, exact.shape[1]), np.int64)]), near], axis=1)
    return _table(sketch, own, rows, kinds=np.repeat([EXACT, NEAR], [exact.shape[1], near.shape[1]]))


def counts(pairs: pa.Table, *, own: Own, sketch: Sketch) -> dict[str, Any]:
    """How many rows of the sketch are held, how many own pictures hold one; near counts those that aren't exact too."""
    return {
        "sketch": {"pictures": len(sketch.rows), "low_information": int(sketch.hashes.blank.sum()), **_kinds(pairs, "row")},
        "own": {"pictures": len(own.names), "low_information": int(own.hashes.blank.sum()), **_kinds(pairs, "name")},
    }


def _kinds(pairs: pa.Table, column: str) -> dict[str, int]:
    exact, every = (pc.unique(rows[column]) for rows in (pairs.filter(pc.equal(pairs["kind"], EXACT)), pairs))
    return {EXACT: len(exact), NEAR: len(every) - len(exact)}


def _exact(own: Hashes, theirs: Hashes) -> np.ndarray:
    """2×M: every row that is held with the first own picture of its pixels, every own picture with the first such row."""
    seen = [np.flatnonzero(~hashes.blank) for hashes in (own, theirs)]
    mine, other = (binaries(taken(hashes, at).pixels) for hashes, at in zip((own, theirs), seen, strict=True))
    pairs = [np.stack([seen[0][at], seen[1][first]]) for at, first in [_firsts(mine, other)]]
    pairs += [np.stack([seen[0][first], seen[1][at]]) for at, first in [_firsts(other, mine)]]
    return np.unique(np.concatenate(pairs, axis=1), axis=1)


def _firsts(wanted: pa.Array, among: pa.Array) -> tuple[np.ndarray, np.ndarray]:
    """Places of those that are among the others, and where each stands there first."""
    found = pc.index_in(wanted, value_set=among)
    at = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False))
    return at, found.drop_null().to_numpy().astype(np.int64)


def _side(hashes: Hashes, at: np.ndarray) -> Side:
    return Side(hashes.hashes[at], views=views_of(hashes.windows, at))


def _table(sketch: Sketch, own: Own, rows: np.ndarray, *, kinds: np.ndarray) -> pa.Table:
    i, j, distance = rows
    place = pa.array(j)
    columns = {
        "name": pa.array(own.names, pa.string()).take(pa.array(i)),
        "row": sketch.rows[j],
        "kind": kinds,
        "distance": distance,
        "split": sketch.hashes.splits.take(place).cast(pa.string()),
        "source": sketch.hashes.sources.take(place).cast(pa.string()),
    }
    table = pa.table([columns[name] for name in PAIRS.names], schema=PAIRS)
    return table.sort_by([(name, "ascending") for name in ("kind", "row", "distance", "name")])
