"""Slices to volumes: which lie in one stack, in which order, on which grid, and whether the grid is even.

Tolerances: two slices share a position within 0.01 mm along the normal; orientations are one within 0.001 of their
cosines; a stack leans when its direction is more than 0.5 degrees from its normal; its gaps are uneven when one differs
from their median by more than 2 % and 0.02 mm.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...schema.errors import Issue, Severity
from ..picture import Report
from .dicom_frames import Plane
from .dicom_plane import normal_of

SAME_POSITION_DIGITS = 2
SAME_COSINES = 1e-3
MAX_TILT_DEG = 0.5
MAX_GAP_SHARE = 0.02
MAX_GAP_MM = 0.02


@dataclass(frozen=True, slots=True)
class Grid:
    """Where a stack lies: `affine_lps` maps (column, row, slice, 1) to LPS mm, by the mean step where it is uneven."""

    affine_lps: np.ndarray
    even: bool
    positions_mm: tuple[float, ...] | None


def grouped(planes: Iterable[Plane]) -> tuple[list[list[Plane]], list[Plane]]:
    """Planes of one orientation, size and spacing together, in the order met; and those that lie nowhere."""
    groups: list[list[Plane]] = []
    placeless: list[Plane] = []
    for plane in planes:
        if plane.position_mm is None or plane.orientation is None or plane.spacing_mm is None:
            placeless.append(plane)
            continue
        home = next((group for group in groups if _alike(group[0], plane)), None)
        if home is None:
            groups.append([plane])
        else:
            home.append(plane)
    return groups, placeless


def volumes(group: Sequence[Plane]) -> list[list[Plane]]:
    """The group's slices as one volume, or as several where slices share positions; each sorted along the normal.

    The frames of one object stay as they are where they already run along the normal, up or down.
    Sharing slices are told apart by the first mark (time, echo, b-value, …) that has no more values than a position
    has slices; where no mark does, the first of each position make the first volume.
    """
    parts = _apart(list(group))
    parts.sort(key=lambda part: min((*plane.order, plane.frame) for plane in part))
    return [_sorted(part) for part in parts]


def grid(stack: Sequence[Plane], *, where: str, report: Report) -> Grid:
    """The stack's affine and evenness; leaning and uneven stacks become issues."""
    first = stack[0]
    orientation, spacing = _placed(first)
    normal = normal_of(orientation)
    origins = np.array([plane.position_mm for plane in stack])
    along = (origins - origins[0]) @ normal
    step = normal * (first.step_mm or 1.0)
    if len(stack) > 1:
        step = (origins[-1] - origins[0]) / (len(stack) - 1)
    leans = len(stack) > 1 and _leans(step, normal, where, report)
    uneven = len(stack) > 2 and _uneven(np.diff(along), where, report)
    affine = np.eye(4)
    affine[:3, 0] = np.asarray(orientation[:3]) * spacing[1]
    affine[:3, 1] = np.asarray(orientation[3:]) * spacing[0]
    affine[:3, 2], affine[:3, 3] = step, origins[0]
    even = not (leans or uneven)
    return Grid(affine, even, None if even else tuple(round(float(one), 4) for one in along))


def _placed(plane: Plane) -> tuple[tuple[float, ...], tuple[float, float]]:
    """Orientation and spacing of a plane that `grouped` found a place for."""
    assert plane.orientation is not None
    assert plane.spacing_mm is not None
    return plane.orientation, plane.spacing_mm


def _alike(one: Plane, other: Plane) -> bool:
    turned, spaced = zip(_placed(one), _placed(other), strict=True)
    return (
        one.size_hw_px == other.size_hw_px
        and bool(np.allclose(*turned, rtol=0, atol=SAME_COSINES))
        and bool(np.allclose(*spaced, rtol=1e-3, atol=0))
    )


def _along(plane: Plane) -> float:
    """Millimetres along the normal, rounded to what counts as one position."""
    return round(float(np.asarray(plane.position_mm) @ normal_of(_placed(plane)[0])), SAME_POSITION_DIGITS)


def _sorted(part: list[Plane]) -> list[Plane]:
    if len({plane.source for plane in part}) == 1:
        by_frame = sorted(part, key=lambda plane: plane.frame)
        along = [_along(plane) for plane in by_frame]
        if along in (sorted(along), sorted(along, reverse=True)):
            return by_frame
    return sorted(part, key=lambda plane: (_along(plane), plane.order, plane.frame))


def _apart(group: list[Plane]) -> list[list[Plane]]:
    along = [_along(plane) for plane in group]
    copies = max(Counter(along).values())
    if copies == 1:
        return [group]
    for index in range(max(len(plane.marks) for plane in group)):
        parts: dict[str, list[Plane]] = defaultdict(list)
        for plane in group:
            parts[plane.marks[index] if index < len(plane.marks) else ""].append(plane)
        if 1 < len(parts) <= copies:
            return [smaller for part in parts.values() for smaller in _apart(part)]
    return _dealt(group, along)


def _dealt(group: list[Plane], along: list[float]) -> list[list[Plane]]:
    """The k-th slice of each position in the k-th part, in the order of instances."""
    parts: dict[int, list[Plane]] = defaultdict(list)
    met: Counter[float] = Counter()
    for plane, place in sorted(zip(group, along, strict=True), key=lambda pair: (pair[0].order, pair[0].frame)):
        parts[met[place]].append(plane)
        met[place] += 1
    return list(parts.values())


def _leans(step: np.ndarray, normal: np.ndarray, where: str, report: Report) -> bool:
    length = float(np.linalg.norm(step))
    degrees = float(np.degrees(np.arccos(min(abs(step @ normal) / length, 1.0)))) if length else 0.0
    if degrees <= MAX_TILT_DEG:
        return False
    found = f"slices that lean by {degrees:.1f} degrees"
    kept = "only slices of the acquisition plane are made"
    report(Issue("gantry-tilt", where, found, "a stack along its normal", kept, Severity.INFO))
    return True


def _uneven(gaps: np.ndarray, where: str, report: Report) -> bool:
    usual = float(np.median(gaps))
    off = np.abs(gaps - usual)
    if not ((off > MAX_GAP_MM) & (off > MAX_GAP_SHARE * abs(usual))).any():
        return False
    found = f"gaps between {gaps.min():.2f} and {gaps.max():.2f} mm"
    kept = "only slices of the acquisition plane are made"
    report(Issue("uneven-slices", where, found, "even gaps", kept, Severity.INFO))
    return True
