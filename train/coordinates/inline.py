"""Dialects that write places into the sentence, after the words they belong to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from .grid import Grid
from .numerals import numbers_in, shown
from .place import Frame, Place, Read

LOOK_BACK = 400
"""Characters before a place in which the words that it is given for may begin."""


@dataclass(frozen=True)
class Inline:
    """Stretches of words and places: marked words, then an opening, items with separators between them, and a closing."""

    name: str
    grid: Callable[[Frame], Grid]
    decimals: int
    """Digits after the point; a step is 10 to the minus that."""
    item: Callable[[list[str]], str]
    """The text of one place, of its numbers."""
    pattern: re.Pattern[str]
    """One place, with the brackets around it, in what a model says."""
    between: str = ", "
    opening: str = ""
    closing: str = ""
    words: tuple[str, str] | None = None
    """What stands around the words that places belong to; None where nothing tells them from the rest of the sentence."""
    square: bool = False
    """Whether the picture must be padded to a square before the model is given it."""
    needs_seen: bool = False
    tags: Callable[[str], tuple[str, str]] | None = None
    """Opening and closing by kind, where they differ."""
    numbers: str = ""
    """What the numbers are, for the hint."""

    inline = True

    @property
    def marks_words(self) -> bool:
        """Whether `write` repeats the words, so that its text takes their place in a sentence."""
        return self.words is not None

    def write(self, places: Sequence[Place], frame: Frame) -> str:
        """See `Dialect`: labels are written where the dialect marks words, and are lost where it doesn't.

        Between stretches stands a comma; `and` keeps a place without words from those of the stretch before it.
        """
        grid = self.grid(frame)

        def alike(place: Place) -> tuple[str | None, str]:
            return self._label(place.label), place.kind

        said, before = "", None
        for (label, _), some in groupby(places, alike):
            joint = " and " if before is not None and label is None else ", "
            said += (joint if said else "") + self._stretch(label, list(some), grid)
            before = label
        return said

    def mention(self, place: Place, frame: Frame) -> str:
        """One place without its words, as it stands in a question."""
        return self._body([place], self.grid(frame))

    def hint(self, kind: str) -> str:
        """How a place of this kind is written, in words and signs."""
        opening, closing = self.tags(kind) if self.tags else (self.opening, self.closing)
        return f"{opening}{self.item(LETTERS[kind])}{closing}, {self.numbers}"

    def read(self, text: str, frame: Frame) -> list[Read]:
        """See `Dialect`."""
        return list(self._read(text, self.grid(frame)))

    def bare(self, text: str, frame: Frame) -> str:
        """The text without its places and marks, words kept."""
        return bare(text, self.read(text, frame), self.words or ())

    def _read(self, text: str, grid: Grid) -> Iterator[Read]:
        label, end = None, -1
        for match in self.pattern.finditer(text):
            joined = end >= 0 and not re.sub(r"[\s,;]|<delim>", "", text[end : match.start()])
            label = self._words_before(text, match.start()) or (label if joined else None)
            end = match.end()
            steps = [number * 10**self.decimals for number in numbers_in(match.group())]
            place = grid.place(steps, label)
            if place is not None:
                yield Read(place, match.start(), end)

    def _words_before(self, text: str, start: int) -> str | None:
        if self.words is None:
            return None
        before = text[max(0, start - LOOK_BACK) : start].rstrip()
        opening, closing = self.words
        if not before.endswith(closing) or opening not in before:
            return None
        return before[before.rindex(opening) + len(opening) : -len(closing)].strip() or None

    def _label(self, label: str | None) -> str | None:
        if self.words is None or label is None:
            return None
        for mark in self.words:
            label = label.replace(mark, "")
        return " ".join(label.split()) or None

    def _stretch(self, label: str | None, places: Sequence[Place], grid: Grid) -> str:
        body = self._body(places, grid)
        return body if label is None or self.words is None else f"{self.words[0]}{label}{self.words[1]}{self._glue}{body}"

    def _body(self, places: Sequence[Place], grid: Grid) -> str:
        items = [self.item([shown(step, self.decimals) for step in grid.steps(place)]) for place in places]
        opening, closing = self.tags(places[0].kind) if self.tags else (self.opening, self.closing)
        return f"{opening}{self.between.join(items)}{closing}"

    @property
    def _glue(self) -> str:
        return " " if self.words == ("<p>", "</p>") else ""


_JOINTS = re.compile(r"[\s,;]|<delim>|\band\b")
LETTERS = {
    "box": ["x0", "y0", "x1", "y1"],
    "point": ["x", "y"],
    "polygon": ["x0", "y0", "x1", "y1", "x2", "y2", "…"],
}


def bare(text: str, reads: Sequence[Read], marks: Sequence[str]) -> str:
    """The text without the places that were read in it, what joins them, and some marks; blanks are single."""
    parts, end = [], 0
    for number, read in enumerate(reads):
        before = text[end : read.start]
        parts.append("" if number and not _JOINTS.sub("", before) else before)
        end = read.end
    said = " ".join([*parts, text[end:]])
    for mark in marks:
        said = said.replace(mark, "")
    return re.sub(r"\s+([.,;:])", r"\1", " ".join(said.split())).strip()
