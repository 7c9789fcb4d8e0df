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
    written, read and written again is the same text. What is thinner than the grid is widened to one step.
    """

    @property
    def name(self) -> str:
        """What it is called in a `Style`."""
        ...

    @property
    def inline(self) -> bool:
        """Whether places stand in the sentence, after the words they belong to; else in a list after it."""
        ...

    @property
    def marks_words(self) -> bool:
        """Whether `write` gives the labels too: an inline dialect's text then takes the place of the words."""
        ...

    @property
    def square(self) -> bool:
        """Whether numbers are of the picture padded to a square, which the model must then be given."""
        ...

    @property
    def needs_seen(self) -> bool:
        """Whether numbers depend on `Frame.seen_hw_px`."""
        ...

    def write(self, places: Sequence[Place], frame: Frame) -> str:
        """Places of one stretch of words (inline), or of a whole answer, as text.

        Raises:
            RegionError: a place lies outside the picture, or has no extent there.
        """
        ...

    def mention(self, place: Place, frame: Frame) -> str:
        """One place without its words, as it stands in a question.

        Raises:
            RegionError: as for `write`.
        """
        ...

    def hint(self, kind: str) -> str:
        """How a place of this kind (box, point, polygon) is written, in words and signs."""
        ...

    def read(self, text: str, frame: Frame) -> list[Read]:
        """Places in a text, in order; what isn't one (out of range, three numbers, reversed corners) is left out."""
        ...

    def bare(self, text: str, frame: Frame) -> str:
        """The text without its places and marks, words kept."""
        ...
