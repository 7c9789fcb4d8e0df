"""Slices of one head, put together again from a release's shards: the series of CT and MR whose area is the head."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ....schema.errors import UsageError
from ....schema.release import Release
from ....schema.shard_bytes import LocalShards
from ....schema.triplet import AREAS
from .heads import GRID_MM

MODALITIES = ("CT", "MRI")
FEWEST = 8
"""Slices from which on a volume is put together."""
MOST_GRID = 512
"""Voxels along an axis of the grid: a stack that claims more is no head."""
_COLUMNS = {
    "key": "key", "shard": "shard", "offset": "image_offset", "size": "image_size", "group": '"group"', "modality": "modality",
    "raw": "provenance_raw_sha256", "volume": "provenance_volume_index", "orientation": "provenance_orientation",
    "position": "provenance_slice_position_mm", "spacing": "provenance_spacing_mm", "format": "provenance_raw_format",
}  # fmt: skip
_AXES = {"L": (2, 1), "R": (2, -1), "P": (1, 1), "A": (1, -1), "S": (0, -1), "I": (0, 1)}
"""Direction → axis of (superior → inferior, anterior → posterior, right → left), and its sign."""
_LPS = {"L": (0, 1), "R": (0, -1), "P": (1, 1), "A": (1, -1), "S": (2, 1), "I": (2, -1)}


@dataclass(frozen=True, slots=True)
class Slice:
    """A stored slice of a head."""

    shard: str
    offset: int
    size: int
    position_mm: float
    spacing_mm: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Stack:
    """Slices of one volume, turned alike, in order of position."""

    root: Path
    source: str
    group: str
    raw: str
    """Digest of the raw file, or files."""
    modality: str
    orientation: str
    from_dicom: bool
    """Positions of DICOM rise along the right-handed normal; those of other formats along the file's own axis."""
    slices: tuple[Slice, ...]

    @property
    def name(self) -> str:
        """Stable, and a file's name: source, group and the raw digest's beginning."""
        return f"{self.source}-{self.group}-{self.raw[:8]}-{self.orientation}"


def stacks(release: Release, source: str) -> tuple[list[Stack], int]:
    """The volumes of heads in a source, and how many pictures of heads belong to none.

    Of a raw file with several volumes (time, diffusion) the first is taken: they show one head.
    """
    groups: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    single = 0
    for row in _rows(release, source):
        if row["orientation"] in _planes() and row["position"] is not None and row["spacing"]:
            groups.setdefault((row["group"], row["raw"], row["orientation"]), []).append(row)
        else:
            single += 1
    found = []
    for rows in groups.values():
        slices = _slices(rows)
        if len(slices) >= FEWEST:
            found.append(_stack(release.root, source, rows[0], slices))
        else:
            single += len(rows)
    return found, single


def _planes() -> frozenset[str]:
    """Orientations of which both axes are known and differ."""
    return frozenset(a + b for a in _AXES for b in _AXES if _AXES[a][0] != _AXES[b][0])


def _rows(release: Release, source: str) -> list[dict[str, Any]]:
    import duckdb

    path = release.index_path(source)
    if not path.is_file():
        return []
    areas = ["head", *(term.code for term in AREAS.descendants("head"))]
    wanted = ", ".join(f"{column} AS {name}" for name, column in _COLUMNS.items())
    query = f"""SELECT {wanted} FROM read_parquet($path)
        WHERE exclusion IS NULL AND modality IN $modalities AND (area IN $areas OR list_has_any(areas, $areas)) ORDER BY key"""
    with duckdb.connect() as connection:
        rows = connection.execute(query, {"path": str(path), "modalities": list(MODALITIES), "areas": areas}).fetchall()
    return [dict(zip(_COLUMNS, row, strict=True)) for row in rows]


def _slices(rows: Sequence[dict[str, Any]]) -> tuple[Slice, ...]:
    """One slice per position, of the first volume."""
    first = min(row["volume"] or 0 for row in rows)
    by_position = {}
    for row in rows:
        if (row["volume"] or 0) == first:
            spacing = float(row["spacing"][0]), float(row["spacing"][1])
            one = Slice(row["shard"], row["offset"], row["size"], float(row["position"]), spacing)
            by_position.setdefault(round(one.position_mm, 3), one)
    return tuple(by_position[place] for place in sorted(by_position))


def _stack(root: Path, source: str, row: dict[str, Any], slices: tuple[Slice, ...]) -> Stack:
    dicom = row["format"] == "dicom"
    return Stack(root, source, row["group"], row["raw"], row["modality"], row["orientation"], dicom, slices)


def volume(stack: Stack) -> np.ndarray:
    """The head as uint8 (superior → inferior, anterior → posterior, right → left), nearest slices on a grid of 2 mm.

    Raises:
        UsageError: spacing and positions make no volume of a head's size.
    """
    heights = np.array([one.position_mm for one in stack.slices])
    steps = np.arange(heights[0], heights[-1] + GRID_MM / 2, GRID_MM)[: MOST_GRID + 1]
    if len(steps) > MOST_GRID:
        raise UsageError(f"{stack.name}: {heights[-1] - heights[0]:.0f} mm of slices; expected a head; it wasn't rendered")
    planes = list(_on_grid(stack))
    height, width = (max(plane.shape[axis] for plane in planes) for axis in range(2))
    padded = [np.pad(one, ((0, height - one.shape[0]), (0, width - one.shape[1]))) for one in planes]
    array = np.stack([padded[int(np.abs(heights - step).argmin())] for step in steps])
    return _turned(array, stack)


def _on_grid(stack: Stack) -> Iterator[np.ndarray]:
    """Each slice, grey, with pixels of 2 mm; never more than one at full size."""
    import cv2
    from PIL import Image

    shards = LocalShards(stack.root)
    for one in stack.slices:
        (body,) = shards.read(one.shard, [(one.offset, one.size)])
        with Image.open(io.BytesIO(body)) as picture:
            pixels = np.asarray(picture.convert("L"))
        size = [min(MOST_GRID, max(1, round(n * mm / GRID_MM))) for n, mm in zip(pixels.shape, one.spacing_mm, strict=True)]
        yield cv2.resize(pixels, (size[1], size[0]), interpolation=cv2.INTER_AREA)


def _turned(array: np.ndarray, stack: Stack) -> np.ndarray:
    """(slices, rows, columns) turned to the patient's axes."""
    across, down = stack.orientation
    row_axis, row_sign = _AXES[down]
    column_axis, column_sign = _AXES[across]
    axes = [3 - row_axis - column_axis, row_axis, column_axis]
    signs = [_normal_sign(across, down), row_sign, column_sign]
    turned = array[tuple(slice(None, None, sign) for sign in signs)].transpose([axes.index(axis) for axis in range(3)])
    if axes[0] == 0 and not stack.from_dicom and _upside_down(turned):
        turned = turned[::-1]
    return np.ascontiguousarray(turned)


def _normal_sign(across: str, down: str) -> int:
    """Which way along our axis the right-handed normal of a slice points."""
    (first, first_sign), (second, second_sign) = _LPS[across], _LPS[down]
    turn = 1 if (second - first) % 3 == 1 else -1
    return turn * first_sign * second_sign * (-1 if 3 - first - second == 2 else 1)


def _upside_down(array: np.ndarray) -> bool:
    """Whether the vertex, where a head ends small, lies at the far end."""
    areas = (array > array.max() * 0.2).sum((1, 2))
    filled = np.flatnonzero(areas)
    return filled.size > 0 and areas[filled[-1]] * 2 < areas[filled[0]]
