"""Molmo's points: elements with attributes in per cent, in the sentence, around the words they are given for."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from .grid import Grid, relative
from .inline import bare
from .numerals import shown
from .place import Frame, Place, Read

_ELEMENT = re.compile(
    r"<(?P<tag>points?|box|polygon)\b(?P<attributes>[^<>]*)>"
    r"(?:(?P<label>[^<]*)</(?P=tag)>)?"
)
_PAIR = re.compile(r"""x(\d*)\s*=\s*["']\s*(\d+(?:\.\d*)?)\s*["']\s*y\1\s*=\s*["']\s*(\d+(?:\.\d*)?)\s*["']""")
_ALT = re.compile(r'''alt\s*=\s*"([^"]*)"''')


@dataclass(frozen=True)
class PercentPoints:
    """`<point x="12.3" y="45.6" alt="words">words</point>`, `<points x1=… y1=… x2=… y2=… alt=…>words</points>`.

    Numbers are per cent of width and height with one digit after the point. Boxes and polygons have no published form
    here; they are elements of our own, `box` with two corners and `polygon` with all of them, in the same numbers.
    """

    name: str = "molmo"

    inline = True
    marks_words = True
    square = False
    needs_seen = False

    def grid(self, frame: Frame) -> Grid:
        """Shares of the picture in steps of 1/1000."""
        return relative(1000, frame)

    def write(self, places: Sequence[Place], frame: Frame) -> str:
        """See `Dialect`: points of the same words are one element; of several elements the first holds the words."""
        grid = self.grid(frame)

        def words(place: Place) -> str | None:
            return " ".join((place.label or "").split()) or None

        return ", ".join(_stretch(label, list(some), grid) for label, some in groupby(places, words))

    def mention(self, place: Place, frame: Frame) -> str:
        """One place without its words, as it stands in a question."""
        return _element(None, [place], self.grid(frame))

    def hint(self, kind: str) -> str:
        """How a place of this kind is written, in words and signs."""
        form = {
            "point": '<point x="…" y="…" alt="…">…</point>',
            "box": '<box x1="…" y1="…" x2="…" y2="…" alt="…">…</box>',
            "polygon": '<polygon x1="…" y1="…" x2="…" y2="…" … alt="…">…</polygon>',
        }[kind]
        return f"{form}, numbers in per cent of width and height with one digit after the point"

    def read(self, text: str, frame: Frame) -> list[Read]:
        """See `Dialect`: of several points of one element, the first spans it and the others nothing."""
        return list(self._read(text, self.grid(frame)))

    def bare(self, text: str, frame: Frame) -> str:
        """The text without its elements, words kept."""
        kept = _ELEMENT.sub(lambda match: html.unescape(match["label"] or ""), text)
        return bare(kept, (), ())

    def _read(self, text: str, grid: Grid) -> Iterator[Read]:
        for match in _ELEMENT.finditer(text):
            alt = _ALT.search(match["attributes"])
            label = html.unescape(match["label"] or (alt.group(1) if alt else "")).strip() or None
            pairs = [(float(x) * 10, float(y) * 10) for _, x, y in _PAIR.findall(match["attributes"])]
            start = match.start()
            for steps in _by_kind(match["tag"], pairs):
                place = grid.place(steps, label)
                if place is not None:
                    yield Read(place, start, match.end())
                    start = match.end()


def _by_kind(tag: str, pairs: list[tuple[float, float]]) -> list[tuple[float, ...]]:
    """The steps of each place of an element; none where it hasn't as many as its tag says."""
    if tag in ("point", "points"):
        return list(pairs)
    fits = len(pairs) == 2 if tag == "box" else len(pairs) > 2
    return [tuple(number for pair in pairs for number in pair)] if fits else []


def _stretch(label: str | None, places: Sequence[Place], grid: Grid) -> str:
    """The elements for the same words: neighbouring points in one, every other place in its own."""
    together = [list(some) for _, some in groupby(places, lambda place: None if place.kind == "point" else id(place))]
    return " ".join(_element(label, some, grid, first=number == 0) for number, some in enumerate(together))


def _element(label: str | None, places: Sequence[Place], grid: Grid, *, first: bool = True) -> str:
    steps = [number for place in places for number in grid.steps(place)]
    kind, many = places[0].kind, len(steps) > 2
    tag = "points" if kind == "point" and many else kind
    numbers = [shown(step, 1) for step in steps]
    attributes = "".join(
        f' x{at // 2 + 1 if many else ""}="{numbers[at]}" y{at // 2 + 1 if many else ""}="{numbers[at + 1]}"'
        for at in range(0, len(numbers), 2)
    )
    words = html.escape(label or "", quote=True)
    alt = f' alt="{words}"' if label else ""
    return f"<{tag}{attributes}{alt}>{words if first else ''}</{tag}>"
