"""Boxes and points in the frame that `region.py` states, and the dialects that datasets write them in."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from .errors import RegionError

Box = tuple[float, float, float, float]
"""(x0, y0, x1, y1) in px, ends exclusive."""


def box_from_xywh(x: float, y: float, w: float, h: float) -> Box:
    """The box of COCO's [x, y, width, height] in px."""
    return float(x), float(y), float(x) + float(w), float(y) + float(h)


def box_to_xywh(box: Box) -> tuple[float, float, float, float]:
    """COCO's (x, y, width, height) in px."""
    x0, y0, x1, y1 = box
    return x0, y0, x1 - x0, y1 - y0


def box_from_yolo(cx: float, cy: float, w: float, h: float, size_hw_px: tuple[int, int]) -> Box:
    """The box of YOLO's centre and size, each a share of the image's width or height."""
    height, width = size_hw_px
    return (cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height


def box_to_yolo(box: Box, size_hw_px: tuple[int, int]) -> tuple[float, float, float, float]:
    """YOLO's (centre x, centre y, width, height) as shares of the image's width or height."""
    x0, y0, x1, y1 = box
    height, width = size_hw_px
    return (x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height


def box_from_voc(xmin: float, ymin: float, xmax: float, ymax: float, *, one_based: bool = True, inclusive: bool = True) -> Box:
    """The box of a VOC `bndbox`, whose standard form counts pixels from 1 and includes the last one.

    Args:
        xmin: First column.
        ymin: First row.
        xmax: Last column.
        ymax: Last row.
        one_based: False where the source counts pixels from 0.
        inclusive: False where `xmax` and `ymax` are ends that the box doesn't cover, as drawing tools write corners:
            there, equal `xmin` and `xmax` mean a box without width, not a box one pixel wide.
    """
    first, end = (1.0 if one_based else 0.0), (1.0 if inclusive else 0.0)
    return float(xmin) - first, float(ymin) - first, float(xmax) - first + end, float(ymax) - first + end


def box_to_voc(box: Box, *, one_based: bool = True, inclusive: bool = True) -> tuple[float, float, float, float]:
    """VOC's (xmin, ymin, xmax, ymax) in the same dialect as `box_from_voc` reads."""
    x0, y0, x1, y1 = box
    first, end = (1.0 if one_based else 0.0), (1.0 if inclusive else 0.0)
    return x0 + first, y0 + first, x1 - end + first, y1 - end + first


def check_box(box: Sequence[float], size_hw_px: tuple[int, int], *, tolerance_px: float = 1.0) -> Box:
    """The box as floats, clipped to its image where it leaves it by no more than the tolerance.

    Raises:
        RegionError: `box-not-finite` for anything but four finite numbers, `box-without-area` unless x0 < x1 and
            y0 < y1, `box-outside` where an edge lies further out than `tolerance_px` or nothing is left inside.
    """
    x0, y0, x1, y1 = _four_numbers(box)
    if not (x0 < x1 and y0 < y1):
        side = "width" if x0 >= x1 else "height"
        raise RegionError(f"box {_show(box)} has no {side}", expected="x0 < x1 and y0 < y1 in px", code="box-without-area")
    height, width = size_hw_px
    clipped = (max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height)))
    if (x0, y0, x1, y1) == clipped:
        return clipped
    excess = max(abs(before - after) for before, after in zip((x0, y0, x1, y1), clipped, strict=True))
    if excess > tolerance_px or clipped[0] >= clipped[2] or clipped[1] >= clipped[3]:
        expected = f"within (0, 0, {width}, {height}) to {tolerance_px:g} px"
        raise RegionError(f"box {_show(box)} lies outside the image", expected=expected, code="box-outside")
    return clipped


def check_point(x: float, y: float, size_hw_px: tuple[int, int]) -> tuple[float, float]:
    """The point as floats; it lies on the image where 0 <= x < width and 0 <= y < height.

    Raises:
        RegionError: `point-outside`, also for numbers that aren't finite.
    """
    height, width = size_hw_px
    try:
        point = float(x), float(y)
    except (TypeError, ValueError, OverflowError):
        point = math.nan, math.nan
    if 0 <= point[0] < width and 0 <= point[1] < height:
        return point
    expected = f"0 <= x < {width} and 0 <= y < {height} in px"
    raise RegionError(f"point {_show((x, y))} lies outside the image", expected=expected, code="point-outside")


def box_iou(first: Box, second: Box) -> float:
    """Shared area over joint area, 0 to 1; 0 where neither box has area."""
    width = min(first[2], second[2]) - max(first[0], second[0])
    height = min(first[3], second[3]) - max(first[1], second[1])
    shared = max(width, 0.0) * max(height, 0.0)
    joint = _area(first) + _area(second) - shared
    return shared / joint if joint > 0 else 0.0


def scale_box(box: Box, sy: float, sx: float) -> Box:
    """The box on an image resized by `sy` along y and `sx` along x (new size over old).

    The frame is continuous, so a resize scales it about the upper-left corner with no half-pixel shift.
    """
    x0, y0, x1, y1 = box
    return x0 * sx, y0 * sy, x1 * sx, y1 * sy


def scale_points(points: np.ndarray, sy: float, sx: float) -> np.ndarray:
    """The N×2 points (x, y), float64, on an image resized by `sy` along y and `sx` along x."""
    return np.asarray(points, dtype=np.float64) * (sx, sy)


def _four_numbers(box: Sequence[float]) -> Box:
    try:
        x0, y0, x1, y1 = (float(value) for value in box)
    except (TypeError, ValueError, OverflowError):
        x0 = y0 = x1 = y1 = math.nan
    if all(map(math.isfinite, (x0, y0, x1, y1))):
        return x0, y0, x1, y1
    raise RegionError(f"box {_show(box)}", expected="four finite numbers x0, y0, x1, y1 in px", code="box-not-finite")


def _area(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def _show(numbers: Iterable[float]) -> str:
    """The numbers as a message shows them: short, whatever the file held."""
    try:
        return "(" + ", ".join(f"{float(value):.10g}" for value in numbers)[:80] + ")"
    except (TypeError, ValueError, OverflowError):
        return repr(numbers)[:80]
