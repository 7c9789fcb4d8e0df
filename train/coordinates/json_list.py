"""Dialects that list places after the sentence, as JSON objects in a fence."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from .grid import Grid
from .inline import bare
from .numerals import COMMA, NUMBER, numbers_in
from .place import Frame, Place, Read

_FENCES = re.compile(r"```(?:json)?[\s\[\],]*(?:```|$)")
_LIST = re.compile(r"\[[\s,]*\]")
_BARE_BOX = re.compile(rf"\[\s*(?:{NUMBER})(?:{COMMA}(?:{NUMBER})){{3}}\s*\]")
_OBJECT = re.compile(r"\{[^{}]*\}?")
_LABEL = re.compile(r"""["']label["']\s*:\s*["']([^"'{}]*)["']""")


@dataclass(frozen=True)
class JsonList:
    """A list of objects, each with a place under the key of its kind and the words it is given for under `label`."""

    name: str
    grid: Callable[[Frame], Grid]
    keys: tuple[str, str, str]
    """Of a box, a point and a polygon."""
    y_first: bool = False
    needs_seen: bool = False
    """Whether the numbers depend on what the processor makes of the picture."""
    numbers: str = ""
    square: bool = field(default=False, init=False)

    inline = False
    marks_words = True

    def write(self, places: Sequence[Place], frame: Frame) -> str:
        """See `Dialect`: all places of an answer, in order, in a fence as these models write it."""
        grid = self.grid(frame)
        objects = ",\n".join("\t" + self._object(place, grid, labelled=True) for place in places)
        return f"```json\n[\n{objects}\n]\n```" if places else ""

    def mention(self, place: Place, frame: Frame) -> str:
        """One place without its words, as it stands in a question."""
        return self._object(place, self.grid(frame), labelled=False)

    def hint(self, kind: str) -> str:
        """How a place of this kind is written, in words and signs."""
        x, y = ("y", "x") if self.y_first else ("x", "y")
        point = f"[{x}, {y}]"
        form = {"box": f"[{x}0, {y}0, {x}1, {y}1]", "point": point, "polygon": f"[[{x}0, {y}0], [{x}1, {y}1], …]"}[kind]
        return f'[{{"{self._key(kind)}": {form}, "label": "…"}}, …], {self.numbers}'

    def read(self, text: str, frame: Frame) -> list[Read]:
        """See `Dialect`: also objects that break off or aren't quite JSON; without any, four bare numbers in brackets."""
        grid = self.grid(frame)
        found = [(value, label, start, end) for value, label, start, end in self._objects(text)]
        if "{" not in text:
            found = [(numbers_in(one.group()), None, one.start(), one.end()) for one in _BARE_BOX.finditer(text)]
        places = ((grid.place(self._turned(value), label), start, end) for value, label, start, end in found)
        return [Read(place, start, end) for place, start, end in places if place is not None]

    def bare(self, text: str, frame: Frame) -> str:
        """The text without its places and their fence."""
        said = bare(text, self.read(text, frame), ())
        return " ".join(_LIST.sub("", _FENCES.sub("", said)).split())

    def _objects(self, text: str) -> Iterator[tuple[list[float], str | None, int, int]]:
        decoder, end = json.JSONDecoder(), 0
        for brace in re.finditer(r"\{", text):
            if brace.start() < end:
                continue
            try:
                data, stop = decoder.raw_decode(text, brace.start())
            except (ValueError, RecursionError):
                data, stop = self._broken(text, brace.start())
            value = next((_flat(data[key]) for key in self.keys if key in data), None)
            if value is not None:
                label, end = data.get("label"), stop
                yield value, label if isinstance(label, str) and label else None, brace.start(), stop

    def _broken(self, text: str, start: int) -> tuple[dict[str, Any], int]:
        """What stands in an object that isn't JSON: single quotes, or it breaks off after its numbers."""
        match = _OBJECT.match(text, start)
        assert match is not None
        for key in self.keys:
            list_ = re.search(rf"""["']{key}["']\s*:\s*(\[[\d\s.,\[\]]*\])\s*[,}}]""", match.group())
            if list_:
                label = _LABEL.search(match.group())
                return {key: _loaded(list_.group(1)), "label": label and label.group(1)}, match.end()
        return {}, match.end()

    def _object(self, place: Place, grid: Grid, *, labelled: bool) -> str:
        steps = self._turned(grid.steps(place))
        value = [steps[at : at + 2] for at in range(0, len(steps), 2)] if place.kind == "polygon" else steps
        data: dict[str, Any] = {self._key(place.kind): value}
        if labelled and place.label:
            data["label"] = place.label
        return json.dumps(data, ensure_ascii=False)

    def _key(self, kind: str) -> str:
        return self.keys[("box", "point", "polygon").index(kind)]

    def _turned(self, steps: Sequence[float]) -> list[float]:
        """Pairs of numbers with x and y in the dialect's order, or back."""
        if not self.y_first or len(steps) % 2:
            return list(steps)
        return [steps[place ^ 1] for place in range(len(steps))]


def _flat(value: Any) -> list[float] | None:
    """The numbers of a list, or of a list of pairs; None for anything else."""
    if not isinstance(value, list) or not value:
        return None
    if all(isinstance(one, list) and len(one) == 2 for one in value):
        value = [number for one in value for number in one] if len(value) > 2 else []
    if not value or not all(isinstance(one, int | float) and not isinstance(one, bool) for one in value):
        return None
    return [float(one) for one in value]


def _loaded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
