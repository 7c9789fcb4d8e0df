"""PaliGemma's location tokens: after the sentence, each place before the words it is given for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .grid import Grid, relative
from .inline import bare
from .place import Frame, Place, Read

_STEPS = 1023
_ENTRY = re.compile(r"(?P<tokens>(?:<loc\d{4}>[^\S\n]*){2,})(?P<label>[^;<\n]*)(?:;|(?=[<\n])|$)")
_TOKEN = re.compile(r"<loc(\d{4})>")


@dataclass(frozen=True)
class LocTokens:
    """`<loc0012><loc0034><loc0056><loc0078> label ; …`: y before x, steps of 1/1023 of height and width.

    Two tokens are a point and six or more a polygon: PaliGemma has a form for boxes only (its masks are tokens of a
    codebook, which no text can be turned into without its weights), so these are ours, of the same tokens.
    """

    name: str = "paligemma"

    inline = False
    marks_words = True
    square = False
    needs_seen = False

    def grid(self, frame: Frame) -> Grid:
        """Shares of the picture in steps of 1/1023."""
        return relative(_STEPS, frame)

    def write(self, places: Sequence[Place], frame: Frame) -> str:
        """See `Dialect`; signs that would end a label are left out of it."""
        grid = self.grid(frame)
        return " ; ".join(f"{_tokens(place, grid)} {_label(place.label)}".strip() for place in places)

    def mention(self, place: Place, frame: Frame) -> str:
        """One place without its words, as it stands in a question."""
        return _tokens(place, self.grid(frame))

    def hint(self, kind: str) -> str:
        """How a place of this kind is written, in words and signs."""
        form = {"box": "<locY0><locX0><locY1><locX1>", "point": "<locY><locX>", "polygon": "<locY0><locX0><locY1><locX1>…"}
        return f"{form[kind]} label ; …, each number of four digits from 0000 to 1023"

    def read(self, text: str, frame: Frame) -> list[Read]:
        """See `Dialect`."""
        grid, found = self.grid(frame), []
        for match in _ENTRY.finditer(text):
            steps = [float(number) for number in _TOKEN.findall(match["tokens"])]
            turned = [steps[at ^ 1] for at in range(len(steps))] if len(steps) % 2 == 0 else steps
            place = grid.place(turned, " ".join(match["label"].split()) or None)
            if place is not None:
                found.append(Read(place, match.start(), match.end()))
        return found

    def bare(self, text: str, frame: Frame) -> str:
        """The text without its places and their labels."""
        return bare(text, self.read(text, frame), ())


def _tokens(place: Place, grid: Grid) -> str:
    steps = grid.steps(place)
    return "".join(f"<loc{int(steps[at ^ 1]):04d}>" for at in range(len(steps)))


def _label(label: str | None) -> str:
    return " ".join(re.sub(r"[;<]", " ", label or "").split())
