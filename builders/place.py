"""Raw marks and label layers to regions of the stored picture; what has no meaning there becomes an issue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..schema.errors import Issue, RegionError, Severity
from ..schema.region import (
    Box,
    check_box,
    check_point,
    check_rle,
    fill_polygons,
    label_masks,
    mask_from_rle,
    scale_box,
)
from ..schema.sample import Origin
from .picture import Layer, Report
from .unit import Mark

if TYPE_CHECKING:
    from .standardize import Shape


@dataclass(slots=True)
class Placed:
    """One region in pixels of the stored picture, still under the source's own word."""

    label: str
    granularity: str
    box_xyxy_px: Box | None = None
    rle: str | None = None
    points: tuple[tuple[float, float], ...] = ()
    area_px: float | None = None
    observer: str | None = None
    origin: Origin = Origin.HUMAN
    tool: str | None = None


def place_marks(
    marks: Sequence[Mark],
    shape: Shape,
    *,
    report: Report,
    lost: set[str],
    offset_xy_px: tuple[int, int] | None = None,
) -> Iterator[Placed]:
    """Each mark on the stored picture; `offset_xy_px` is where a tile begins in its slide, None for whole pictures.

    Labels of marks that have no meaning here go to `lost`: something was marked, so they aren't absent. On a tile, marks
    that lie outside it belong to other tiles and are passed over without an issue.
    """
    for mark in marks:
        try:
            placed = _place(mark, shape, offset_xy_px)
        except RegionError as error:
            where = f"{mark.where} {mark.label!r}".strip()
            if offset_xy_px is None or error.code not in ("box-outside", "point-outside"):
                report(error.issue(where, severity=Severity.WARNING))
                lost.add(mark.label)
            continue
        if placed is None and offset_xy_px is None:
            expected = "at least one pixel inside"
            report(Issue("mask-empty", mark.where, f"{mark.label!r} covers no pixel", expected, "it was left out"))
            lost.add(mark.label)
        elif placed is not None:
            yield placed


def place_layer(layer: Layer, labels: np.ndarray) -> Iterator[Placed]:
    """One mask per value of a layer's slice (rows × columns, already at the stored size)."""
    for found in label_masks(labels):
        yield Placed(
            label=layer.names[found.value],
            granularity=layer.granularity,
            box_xyxy_px=found.box,
            rle=found.rle,
            area_px=float(found.area_px),
            observer=layer.observer,
            origin=layer.origin.get(found.value, Origin.HUMAN),
            tool=layer.tool.get(found.value),
        )


def _place(mark: Mark, shape: Shape, offset: tuple[int, int] | None) -> Placed | None:
    placed = Placed(mark.label, "box", observer=mark.observer, origin=mark.origin, tool=mark.tool)
    dx, dy = offset or (0, 0)
    if mark.box_xyxy_px is not None:
        x0, y0, x1, y1 = mark.box_xyxy_px
        box = scale_box((x0 - dx, y0 - dy, x1 - dx, y1 - dy), shape.sy, shape.sx)
        placed.box_xyxy_px = check_box(box, shape.size_hw_px, tolerance_px=1.0 if offset is None else _reach(box, shape))
        placed.area_px = _box_area(placed.box_xyxy_px)
        return placed
    if mark.points_px is not None:
        placed.granularity = "point"
        scaled = (((x - dx) * shape.sx, (y - dy) * shape.sy) for x, y in mark.points_px)
        placed.points = tuple(check_point(x, y, shape.size_hw_px) for x, y in scaled)
        return placed
    placed.granularity = "contour" if mark.polygons_px is not None else "mask"
    return _with_mask(placed, _mask(mark, shape, offset=(dx, dy)))


def _mask(mark: Mark, shape: Shape, *, offset: tuple[int, int]) -> np.ndarray:
    from .standardize import nearest

    if mark.polygons_px is not None:
        factors = np.array([shape.sx, shape.sy])
        rings = [(np.asarray(ring, dtype=np.float64) - offset) * factors for ring in mark.polygons_px]
        return fill_polygons(rings, shape.size_hw_px)
    raw_size = round(shape.size_hw_px[0] / shape.sy), round(shape.size_hw_px[1] / shape.sx)
    if mark.rle is not None:
        return nearest(mask_from_rle(check_rle(mark.rle, raw_size), raw_size), shape)
    assert mark.mask is not None, "a mark has one geometry"
    if mark.mask.shape != raw_size:
        raise RegionError(f"a mask of {mark.mask.shape} px", expected=f"{raw_size} px as its image", code="mask-size")
    return nearest(mark.mask, shape)


def _with_mask(placed: Placed, mask: np.ndarray) -> Placed | None:
    found = label_masks((mask != 0).view(np.uint8))
    if not found:
        return None
    placed.rle, placed.box_xyxy_px, placed.area_px = found[0].rle, found[0].box, float(found[0].area_px)
    return placed


def _reach(box: Box, shape: Shape) -> float:
    """How far a box may stand out of a tile: any way if its centre is inside, so that it belongs to one tile alone."""
    height, width = shape.size_hw_px
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return max(box[2] - box[0], box[3] - box[1]) if 0 <= x < width and 0 <= y < height else 0.0


def _box_area(box: Box) -> float:
    return float((box[2] - box[0]) * (box[3] - box[1]))
