"""What a stretch of text says of place, side and number, whatever it speaks of.

The sentences of answers are made of few words, so what they say is remembered. Two things would make each of them new,
and are taken out before: the number of a share, which is read apart, and the ids of boxes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from .naming import labels

_HEIGHT = r"(?P<height>upper|top|lower|bottom|middle|cent(?:re|er|ral))"
_SIDE = r"(?P<side>left|right)"
_IMAGE = r"(?:image|picture|frame|slice)"
_PARTS = ("half", "part", "third", "edge", "side", "margin", "border")
_PART = rf"(?:{'|'.join(_PARTS)})"
_PLACES = tuple(
    (hints, re.compile(pattern, re.IGNORECASE))
    for hints, pattern in (
        (("left", "right", "middle", "cent"), rf"\b{_HEIGHT}[ -](?P<side>left|right|middle|cent(?:re|er))\b"),
        (("image left", "image right", "image-"), rf"\bimage[ -]{_SIDE}\b(?! of\b)"),
        (_PARTS, rf"\b{_SIDE} {_PART} of the {_IMAGE}\b"),
        (_PARTS, rf"\b{_HEIGHT} {_PART}\b"),
        (
            ("middle of", "center of", "centre of"),
            rf"(?<!upper )(?<!lower )\b(?P<height>(?P<side>cent(?:re|er)|middle)) of the {_IMAGE}\b",
        ),
    )
)
"""Patterns, each with words of which one must stand in a text for it to match: looking for words is cheap."""
RELATIONS = {"image left of": (0, 1), "image right of": (0, -1), "above": (1, 1), "below": (1, -1)}
"""Axis, and whether the first region's coordinate is the smaller one."""
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBERS = {word: value for value, word in enumerate(_WORDS, 1)}
NUMBER = "|".join((r"\d+", *_NUMBERS))
_COUNT = re.compile(rf"(?<![\w.:-])({NUMBER}) +(?=[a-z])", re.IGNORECASE)
_PATIENT_SIDE = re.compile(r"\b[LlRr](?:eft|ight)\b(?=[ -]\w)")
_OF_THE_IMAGE = frozenset({"image", "upper", "lower", "middle", "central", "top", "bottom"})
_SHARE = re.compile(r"\d[\d.]*(?= ?%)")
_BOX = re.compile(r"<box:\w+>")


@dataclass(frozen=True, slots=True)
class Place:
    """Words of place, with the height and the side in them."""

    words: str
    height: str | None
    side: str | None


@dataclass(frozen=True, slots=True)
class Count:
    """A number of things of a label."""

    words: str
    number: int
    label_id: str


@dataclass(frozen=True, slots=True)
class Sided:
    """A label on one side of the patient."""

    words: str
    side: str
    label_id: str


@dataclass(frozen=True, slots=True)
class Saying:
    """What a text says."""

    places: tuple[Place, ...]
    relations: tuple[str, ...]
    """Some of `RELATIONS`."""
    counts: tuple[Count, ...]
    """Of more than one thing."""
    sides: tuple[Sided, ...]
    shares: bool
    """Whether it may say what share of the image something is."""


def said(text: str) -> Saying:
    """What a text says."""
    bare = _SHARE.sub("0", text) if "%" in text else text
    return _said(_BOX.sub("<box>", bare) if "<box:" in bare else bare)


def number_of(word: str) -> int:
    """The number that digits or a word of `NUMBER` spell."""
    return int(word) if word.isdigit() else _NUMBERS[word.casefold()]


@lru_cache(1 << 14)
def _said(text: str) -> Saying:
    relations = tuple([words for words in RELATIONS if words in text])
    return Saying(tuple(_places(text)), relations, tuple(_counts(text)), tuple(_sides(text)), "%" in text or "cent" in text)


def _places(text: str) -> Iterator[Place]:
    folded = text.casefold()
    for hints, pattern in _PLACES:
        if any(hint in folded for hint in hints):
            for match in pattern.finditer(text):
                found = match.groupdict()
                yield Place(match[0], found.get("height"), found.get("side"))


def _counts(text: str) -> Iterator[Count]:
    for match in _COUNT.finditer(text):
        number = number_of(match[1])
        if number != 1 and (name := labels().at(text, match.end())) is not None:
            yield Count(text[match.start() : name.end], number, name.meant)


def _sides(text: str) -> Iterator[Sided]:
    """Sides that stand before a label's name, unless they are the image's: "image left", "upper right"."""
    for match in _PATIENT_SIDE.finditer(text):
        before = text[: match.start()].rpartition(" ")[0].rpartition(" ")[2] if match.start() else ""
        name = None if before.casefold() in _OF_THE_IMAGE else labels().at(text, match.end() + 1)
        if name is not None:
            yield Sided(text[match.start() : name.end], match[0].casefold(), name.meant)
