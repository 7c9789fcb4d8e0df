"""A place on a picture, as an answer names it, and the frame in which a model sees that picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Frame:
    """Height and width in px of the stored picture, and of what the model's processor makes of it."""

    size_hw_px: tuple[int, int]
    seen_hw_px: tuple[int, int]
    """The same as `size_hw_px` for dialects whose numbers don't depend on it."""

    @classmethod
    def of(cls, size_hw_px: tuple[int, int]) -> Frame:
        """The frame of a picture that a model sees at its own size."""
        return cls(size_hw_px, size_hw_px)


@dataclass(frozen=True, slots=True)
class Place:
    """A box, a point, or a polygon, in px of the stored picture (frame: see `schema/region.py`)."""

    kind: str
    """box, point or polygon."""
    label: str | None = None
    """The words it was given for, where there are any."""
    box_xyxy_px: tuple[float, float, float, float] | None = None
    """Of a box; ends exclusive."""
    points_xy_px: tuple[Point, ...] = ()
    """One for a point, the corners in order for a polygon (closed, one ring)."""


@dataclass(frozen=True, slots=True)
class Read:
    """A place that was found in a text, and where: characters, half-open."""

    place: Place
    start: int
    end: int


class Dialect(Protocol):
    """How a model family writes places. Writing rounds to the dialect's grid; reading gives the grid's px, so that what is
    written, read and written again is the same text.
    """

    name: str
    inline: bool
    """Whether places stand in the sentence, after the words they belong to; else in a list after it."""

    def write(self, places: Sequence[Place], frame: Frame) -> str:
        """Places of one stretch of words (inline), or of a whole answer, as text.

        Raises:
            RegionError: a place lies outside the picture, or has no extent on the dialect's grid.
        """
        ...

    def read(self, text: str, frame: Frame) -> list[Read]:
        """Places in a text, in order; what isn't one (out of range, three numbers, reversed corners) is left out."""
        ...
