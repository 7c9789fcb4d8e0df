"""Polygons to masks and masks to contours, exactly, by the rule that `region.py` states.

Libraries fill one and the same square with 1443 to 2500 pixels, hence a rule of our own: scan each row at the height
of its pixel centres; every edge crossed at or left of a centre turns inside to outside. An edge holds its upper end,
not its lower one, and is computed from its upper end whichever way its ring runs: two rings see one edge alike.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from .errors import RegionError
from .mask import rle_from_mask
from .rle import lengths_from_rle, rle_from_spans, rle_from_uncompressed, spans_from_lengths

MAX_COORDINATE_PX = 1e9
CROSSINGS_AT_ONCE = 1_000_000
"""Bounds the memory that polygons of absurdly many edges take."""


def fill_polygons(rings: Sequence[np.ndarray], size_hw_px: tuple[int, int]) -> np.ndarray:
    """The mask, uint8 H×W of 0 and 1, of all pixels whose centre lies in an odd number of rings.

    Args:
        rings: N×2 arrays of (x, y) in px, closed or not, in any direction; a ring inside another is a hole.
        size_hw_px: (height, width); what lies outside is cut off.

    Raises:
        RegionError: `bad-polygon` for fewer than three points, another shape, or numbers that aren't finite.
    """
    filled = np.zeros(size_hw_px, np.uint8)
    if not len(rings):
        return filled
    edges = np.concatenate([_edges(_ring(ring)) for ring in rings], axis=1)
    left, right = _span(edges[[0, 2]], size_hw_px[1])
    top, bottom = _span(edges[[1, 3]], size_hw_px[0])
    if left < right and top < bottom:
        toggles = _toggles(edges, columns=(left, right), rows=(top, bottom))
        filled[top:bottom, left:right] = np.bitwise_xor.accumulate(toggles, axis=1)[:, :-1]
    return filled


def contours_from_mask(mask: np.ndarray) -> list[np.ndarray]:
    """The rings, N×2 float64 corners (x, y) in px, that run along the pixel edges of an H×W mask.

    `fill_polygons` makes exactly the same mask of them. Outer rings run clockwise as seen on the screen (the mask lies
    at their right) and holes anticlockwise, so that the shoelace sum of x·y' - x'·y is positive for outer rings alone.
    Pixels of the mask that touch at a corner only are parted there. Points stand only where a ring turns; no ring
    repeats its first one. Rings are ordered by their first point: by row, then by column.
    """
    inside = np.asarray(mask) != 0
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not rows.size:
        return []
    offset = np.array([columns[0], rows[0]], np.float64)
    window = inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    inside = np.zeros((window.shape[0] + 2, window.shape[1] + 2), bool)
    inside[1:-1, 1:-1] = window
    corners, follower = _linked_sides(inside)
    row, column = np.divmod(corners, inside.shape[1] - 1)
    points = np.stack([column, row], axis=1) + offset
    return [points[ring] for ring in _cycles(follower.tolist())]


def rle_from_coco_segmentation(segmentation: Any, size_hw_px: tuple[int, int]) -> str:
    """The counts of a COCO `segmentation`: polygons, uncompressed or compressed RLE.

    Polygons, flat lists of x, y, x, y, …, are filled one by one and united, as COCO means them; what covers no pixel
    centre gives an empty mask.

    Raises:
        RegionError: `bad-polygon`, `bad-rle`, `mask-size` where the RLE is of another size than the image, or
            `bad-segmentation` for any other form.
    """
    if isinstance(segmentation, Mapping) and {"counts", "size"} <= segmentation.keys():
        return _rle_from_mapping(segmentation, size_hw_px)
    if isinstance(segmentation, list) and segmentation:
        parts = (fill_polygons([_pairs(flat)], size_hw_px) for flat in segmentation)
        union = np.zeros(size_hw_px, np.uint8)
        for part in parts:
            np.bitwise_or(union, part, out=union)
        return rle_from_mask(union)
    raise RegionError(f"segmentation {str(segmentation)[:40]}", expected="polygons or an RLE", code="bad-segmentation")


def _rle_from_mapping(rle: Mapping[str, Any], size_hw_px: tuple[int, int]) -> str:
    size, counts = rle["size"], rle["counts"]
    if not isinstance(size, Sequence) or list(size) != list(size_hw_px):
        raise RegionError(f"RLE of size {str(size)[:40]}", expected=f"{list(size_hw_px)}, the image's", code="mask-size")
    if isinstance(counts, list):
        return rle_from_uncompressed(counts, size_hw_px)
    counts = counts.decode("latin-1") if isinstance(counts, bytes) else counts
    return rle_from_spans(*spans_from_lengths(lengths_from_rle(counts, size_hw_px)), size=size_hw_px)


def _pairs(flat: Sequence[float]) -> np.ndarray:
    try:
        numbers = np.asarray(flat, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.zeros(0)
    if numbers.ndim != 1 or numbers.size % 2:
        raise _bad_polygon(f"polygon {str(flat)[:40]}", "a flat list of x, y, x, y, …")
    return numbers.reshape(-1, 2)


def _ring(ring: np.ndarray) -> np.ndarray:
    try:
        points = np.asarray(ring, dtype=np.float64)
    except (TypeError, ValueError):
        points = np.zeros(0)
    if points.ndim != 2 or points.shape[-1] != 2 or len(points) < 3:
        raise _bad_polygon(f"ring of shape {points.shape}", "three or more points (x, y)")
    if not (np.abs(points) < MAX_COORDINATE_PX).all():
        raise _bad_polygon("ring with a coordinate that isn't finite or is absurd", f"numbers under {MAX_COORDINATE_PX:g} px")
    return points


def _edges(ring: np.ndarray) -> np.ndarray:
    """The edges as 4×N (x, y, x, y), the upper end first."""
    ends = np.roll(ring, -1, axis=0)
    upright = ring[:, 1] <= ends[:, 1]
    first, last = np.where(upright[:, None], ring, ends), np.where(upright[:, None], ends, ring)
    return np.concatenate([first.T, last.T])


def _span(coordinates: np.ndarray, size_px: int) -> tuple[int, int]:
    """First and last + 1 of the pixels that these coordinates touch."""
    low, high = np.clip([np.floor(coordinates.min()), np.ceil(coordinates.max())], 0, size_px)
    return int(low), int(high)


def _toggles(edges: np.ndarray, *, columns: tuple[int, int], rows: tuple[int, int]) -> np.ndarray:
    """uint8 h×(w+1): 1 where inside and outside change before this pixel of the row."""
    height, width = rows[1] - rows[0], columns[1] - columns[0] + 1
    toggles = np.zeros(height * width, np.uint8)
    at_once = max(1, CROSSINGS_AT_ONCE // height)
    for some in range(0, edges.shape[1], at_once):
        row, x = _crossings(edges[:, some : some + at_once], rows)
        column = np.clip(np.ceil(x - 0.5), *columns).astype(np.int64) - columns[0]
        hits = np.bincount((row - rows[0]) * width + column, minlength=toggles.size)
        toggles ^= (hits & 1).astype(np.uint8)
    return toggles.reshape(height, width)


def _crossings(edges: np.ndarray, rows: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Row and x of every place where an edge crosses the height of a row's pixel centres."""
    first, last = (np.clip(np.ceil(y - 0.5), *rows).astype(np.int64) for y in (edges[1], edges[3]))
    count = last - first
    x0, y0, x1, y1 = np.repeat(edges, count, axis=1)
    row = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count - first, count)
    return row, x0 + (row + 0.5 - y0) * (x1 - x0) / (y1 - y0)


def _linked_sides(inside: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The straight sides of all rings: the corner each one starts from, and the side that follows it.

    Corners are numbered row · (W+1) + column on the lattice of a padded (H+2)×(W+2) mask.
    """
    above, below, before, after = inside[:-1], inside[1:], inside[:, :-1], inside[:, 1:]
    east, south = _ends_along_rows(below & ~above), _ends_along_columns(before & ~after)
    (west_end, west_start), (north_end, north_start) = (
        _ends_along_rows(above & ~below),
        _ends_along_columns(after & ~before),
    )
    sides = (east, south, (west_start, west_end), (north_start, north_end))
    starts = np.concatenate([start for start, _ in sides])
    lattice = (inside.shape[0] - 1) * (inside.shape[1] - 1)
    return starts, np.concatenate([_followers(sides, turn, lattice) for turn in range(4)])


def _followers(sides: Sequence[tuple[np.ndarray, np.ndarray]], heading: int, lattice: int) -> np.ndarray:
    """The side after each side of one heading: to the right where one starts at its end, else to the left."""
    firsts = np.cumsum([0] + [len(start) for start, _ in sides])
    index = np.full(lattice, -1, np.int64)
    for turn in ((heading - 1) % 4, (heading + 1) % 4):
        index[sides[turn][0]] = np.arange(firsts[turn], firsts[turn + 1])
    return index[sides[heading][1]]


def _ends_along_rows(boundary: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lattice numbers of the left and right ends of the runs in an (H+1)×(W+2) array, run by run."""
    here, left = boundary[:, 1:], boundary[:, :-1]
    return np.flatnonzero(here & ~left), np.flatnonzero(left & ~here)


def _ends_along_columns(boundary: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Lattice numbers of the upper and lower ends of the runs in an (H+2)×(W+1) array, run by run."""
    width, height = boundary.shape[1], boundary.shape[0] - 1
    column_major = _ends_along_rows(np.ascontiguousarray(boundary.T))
    upper, lower = (number % height * width + number // height for number in column_major)
    return upper, lower


def _cycles(follower: list[int]) -> Iterator[list[int]]:
    """The cycles of a permutation, each from its least member."""
    seen = bytearray(len(follower))
    for first in range(len(follower)):
        ring, side = [], first
        while not seen[side]:
            seen[side] = 1
            ring.append(side)
            side = follower[side]
        if ring:
            yield ring


def _bad_polygon(found: str, expected: str) -> RegionError:
    return RegionError(found, expected=expected, code="bad-polygon")
