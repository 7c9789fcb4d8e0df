"""The grid on which a dialect's numbers stand, over the picture or over the square that it is padded to.

Steps are whole numbers from 0 to `steps`, on lines and not in cells: 0 is the left or upper edge, the last one the other
edge. So both edges can be said, and nothing said is more than half a step off. A box, point or ring is a tuple of steps
x, y, x, y, …; what is thinner than the grid is widened to one step, since a thing that is there must be sayable.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ...schema.box import check_box, check_point
from ...schema.errors import RegionError
from .place import Frame, Place, Point

Steps = tuple[float, ...]
TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of the picture: its size, the px of a step, the px before the picture's edge, and the last step."""

    size_px: int
    step_px: float
    before_px: int
    steps: int

    def step(self, px: float) -> int:
        """The nearest step."""
        return min(max(round((px + self.before_px) / self.step_px), 0), self.steps)

    def span(self, low_px: float, high_px: float) -> tuple[int, int]:
        """The nearest steps of two ends, one apart at least."""
        low, high = self.step(low_px), self.step(high_px)
        if low < high:
            return low, high
        middle = math.floor(((low_px + high_px) / 2 + self.before_px) / self.step_px)
        least = min(max(middle, 0), self.steps - 1)
        return least, least + 1

    def px(self, step: float) -> float:
        """Where a step lies, within the picture: what lies in the padding is brought to the edge."""
        return min(max(step * self.step_px - self.before_px, 0.0), float(self.size_px))

    def holds(self, step: float) -> bool:
        """Whether the number is one of this axis."""
        return -TOLERANCE <= step <= self.steps + TOLERANCE


@dataclass(frozen=True, slots=True)
class Grid:
    """Both directions."""

    x: Axis
    y: Axis

    def steps(self, place: Place) -> Steps:
        """A place as steps.

        Raises:
            RegionError: it lies outside the picture, or has no extent there.
        """
        if place.kind == "box":
            x0, y0, x1, y1 = check_box(place.box_xyxy_px or (), (self.y.size_px, self.x.size_px))
            (left, right), (upper, lower) = self.x.span(x0, x1), self.y.span(y0, y1)
            return left, upper, right, lower
        if place.kind == "point" and len(place.points_xy_px) == 1:
            x, y = check_point(*place.points_xy_px[0], (self.y.size_px, self.x.size_px))
            return self.x.step(x), self.y.step(y)
        if place.kind == "polygon":
            return self._ring(place.points_xy_px)
        found = f"{place.kind} of {len(place.points_xy_px)} points"
        raise RegionError(found, expected="a box, one point, or a polygon", code="bad-place")

    def place(self, steps: Sequence[float], label: str | None = None) -> Place | None:
        """The place that so many steps mean: two a point, four a box, six or more a polygon; None where they mean none."""
        if len(steps) % 2 or not steps or not all(map(self.x.holds, steps[::2])) or not all(map(self.y.holds, steps[1::2])):
            return None
        points = tuple((self.x.px(x), self.y.px(y)) for x, y in zip(steps[::2], steps[1::2], strict=True))
        if len(points) == 1:
            (x, y) = points[0]
            return Place("point", label, points_xy_px=((_inside(x, self.x), _inside(y, self.y)),))
        if len(points) == 2:
            (x0, y0), (x1, y1) = points
            return Place("box", label, (x0, y0, x1, y1)) if x0 < x1 and y0 < y1 else None
        return None if _flat(points) else Place("polygon", label, points_xy_px=points)

    def _ring(self, points: Sequence[Point]) -> Steps:
        if len(points) < 3:
            raise RegionError(f"polygon of {len(points)} points", expected="three or more", code="bad-polygon")
        for x, y in points:
            if not (0 <= x <= self.x.size_px and 0 <= y <= self.y.size_px):
                expected = f"corners within (0, 0, {self.x.size_px}, {self.y.size_px})"
                raise RegionError(f"polygon with a corner at ({x:g}, {y:g})", expected=expected, code="bad-polygon")
        ring = _without_repeats([(self.x.step(x), self.y.step(y)) for x, y in points])
        if _flat(ring):
            ring = self._corners(points)
        return tuple(number for point in ring for number in point)

    def _corners(self, points: Sequence[Point]) -> list[tuple[int, int]]:
        """The four corners of the box around a ring that is thinner than the grid."""
        xs, ys = [x for x, _ in points], [y for _, y in points]
        (left, right), (upper, lower) = self.x.span(min(xs), max(xs)), self.y.span(min(ys), max(ys))
        return [(left, upper), (right, upper), (right, lower), (left, lower)]


def relative(steps: int, frame: Frame) -> Grid:
    """Shares of the picture's own width and height, in so many steps."""
    height, width = frame.size_hw_px
    return Grid(Axis(width, width / steps, 0, steps), Axis(height, height / steps, 0, steps))


def padded(steps: int, frame: Frame) -> Grid:
    """Shares of the square that the picture is padded to at both sides of its shorter direction, in so many steps."""
    height, width = frame.size_hw_px
    side = max(height, width)
    left, upper = (side - width) // 2, (side - height) // 2
    return Grid(Axis(width, side / steps, left, steps), Axis(height, side / steps, upper, steps))


def absolute(frame: Frame) -> Grid:
    """Pixels of the picture as the model's processor resizes it."""
    (height, width), (seen_height, seen_width) = frame.size_hw_px, frame.seen_hw_px
    return Grid(
        Axis(width, width / seen_width, 0, seen_width),
        Axis(height, height / seen_height, 0, seen_height),
    )


def _inside(px: float, axis: Axis) -> float:
    """A point at the far edge, a hair before it: points lie on pixels."""
    return min(px, math.nextafter(axis.size_px, 0.0))


def _without_repeats(points: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    kept = [point for place, point in enumerate(points) if place == 0 or point != points[place - 1]]
    return kept[:-1] if len(kept) > 1 and kept[0] == kept[-1] else kept


def _flat(points: Sequence[tuple[float, float]]) -> bool:
    """Whether all points lie on one line."""
    (x0, y0), *rest = points
    away = next(((x - x0, y - y0) for x, y in rest if (x, y) != (x0, y0)), (0.0, 0.0))
    return all(abs(away[0] * (y - y0) - away[1] * (x - x0)) <= TOLERANCE for x, y in rest)
