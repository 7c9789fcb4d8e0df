"""Whether what an answer says of place, size and number is what the annotations show.

Words of place mean thirds of the image, and are forgiven a tenth of it; halves half a tenth; shares five percentage points.
A region lies where its box has its middle, or its mask its centroid.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from ...schema.question import Kind, Question
from ..case import Case, Record
from ..pools import Pools
from ..regions.place_words import rle_centroid
from .fault import Fault
from .naming import labels
from .passages import Passage, passages
from .place import box_of

KINDS = frozenset({Kind.LOCALIZATION, Kind.DESCRIPTION, Kind.DETECTION})
SHARE_POINTS = 5.0
_SLACK = 0.1
_FIRST, _LAST = frozenset({"left", "upper", "top"}), frozenset({"right", "lower", "bottom"})
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
_RELATIONS = {"image left of": (0, 1), "image right of": (0, -1), "above": (1, 1), "below": (1, -1)}
"""Axis, and whether the first region's coordinate is the smaller one."""
_NEAR = 0.02
"""Share of the image by which two middles may be on the wrong side of each other."""
_SHARE = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?) ?(?:%|per ?cent)")
_WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_NUMBERS = {word: value for value, word in enumerate(_WORDS, 1)}
_NUMBER = "|".join((r"\d+", *_NUMBERS))
_COUNT = re.compile(rf"(?<![\w.:-])({_NUMBER}) +(?=[a-z])", re.IGNORECASE)
_COUNT_OF = re.compile(rf"\bthere (?:is|are) (?:exactly )?({_NUMBER})\b", re.IGNORECASE)


def faults(question: Question, case: Case, pools: Pools) -> Iterable[Fault]:
    """Words of place, shares and numbers that the annotations contradict."""
    return _faults(question, case) if question.kind in KINDS and question.answer else ()


def _faults(question: Question, case: Case) -> Iterator[Fault]:
    for passage in passages(question, case):
        if passage.level == "relation" or len(question.labels) > 1:
            yield from _relation(passage, question, case)
        if passage.annotations and passage.level != "relation":
            yield from _place(passage, case.size_hw_px)
            yield from _share(passage, case.size_hw_px)
        yield from _counts(passage, case)
    if question.kind is Kind.DETECTION:
        yield from _total(question)


def _place(passage: Passage, size_hw_px: tuple[int, int]) -> Iterator[Fault]:
    said = list(_said(passage.text))
    if said:
        for words, parts in said:
            if not any(_fits(parts, x, y) for x, y in _centres(passage.annotations, size_hw_px)):
                seen = ", ".join(f"({x:.2f}, {y:.2f})" for x, y in islice(_centres(passage.annotations, size_hw_px), 3))
                yield Fault("wrong-place", words, f"words for {seen} of width and height")


def _said(text: str) -> Iterator[tuple[str, dict[str, str | None]]]:
    """Words of place, with the height and side in them."""
    folded = text.casefold()
    for hints, pattern in _PLACES:
        if any(hint in folded for hint in hints):
            yield from ((match[0], match.groupdict()) for match in pattern.finditer(text))


def _fits(said: dict[str, str | None], x: float, y: float) -> bool:
    halved = said.get("height") is None
    return _along(said.get("side"), x, halved=halved) and _along(said.get("height"), y, halved=False)


def _along(word: str | None, at: float, *, halved: bool) -> bool:
    """Whether a place along one axis, 0 to 1, is what a word says of it."""
    if word is None:
        return True
    least, most = (0.0, 0.55) if halved else (0.0, 1 / 3 + _SLACK)
    if word.casefold() in _FIRST:
        return least <= at <= most
    if word.casefold() in _LAST:
        return least <= 1 - at <= most
    return abs(at - 0.5) <= 1 / 6 + _SLACK


def _centres(annotations: Sequence[Record], size_hw_px: tuple[int, int]) -> Iterator[tuple[float, float]]:
    """Middles of boxes as shares of width and height, of each annotation and of all together, then centroids of masks."""
    boxes = [box for one in annotations if (box := box_of(one)) is not None]
    height, width = size_hw_px
    if len(boxes) > 1:
        sides = list(zip(*boxes, strict=True))
        boxes.append((min(sides[0]), min(sides[1]), max(sides[2]), max(sides[3])))
    yield from (((x0 + x1) / 2 / width, (y0 + y1) / 2 / height) for x0, y0, x1, y1 in boxes)
    for one in annotations:
        if one["rle"]:
            x, y = rle_centroid(one["rle"], size_hw_px)
            yield x / width, y / height


def _relation(passage: Passage, question: Question, case: Case) -> Iterator[Fault]:
    """Of two regions, how the first is said to lie to the second: by their middles, or their centroids."""
    order = {name: place for place, name in enumerate(question.targets)} if passage.level is None else {}
    pair = sorted(passage.annotations, key=lambda one: order.get(one["id"], 0))
    said = [words for words in _RELATIONS if words in passage.text]
    if len(pair) != 2 or not said:
        return
    for words in said:
        axis, sign = _RELATIONS[words]
        middles = zip(*(_centres([each], case.size_hw_px) for each in pair), strict=False)
        if not any(sign * (other[axis] - one[axis]) > -_NEAR for one, other in middles):
            yield Fault("wrong-place", f"{words} in {passage.text!r:.80}", f"words for {pair[0]['id']} beside {pair[1]['id']}")


def _share(passage: Passage, size_hw_px: tuple[int, int]) -> Iterator[Fault]:
    if "%" not in passage.text and "cent" not in passage.text:
        return
    height, width = size_hw_px
    shares = [100 * (one["area_px"] or 0) / (height * width) for one in passage.annotations]
    for match in _SHARE.finditer(passage.text):
        said = float(match[1])
        near = any(abs(said - share) <= SHARE_POINTS for share in (*shares, sum(shares)))
        if not near and not max(shares) <= said <= sum(shares):
            yield Fault("wrong-share", match[0], f"{sum(shares):.1f} % to within {SHARE_POINTS:g} points")


def _counts(passage: Passage, case: Case) -> Iterator[Fault]:
    for match in _COUNT.finditer(passage.text):
        name = labels().at(passage.text, match.end())
        if name is None or (said := _value(match[1])) == 1:
            continue
        counts = _possible(name.meant, passage.annotations, case)
        if counts and said not in counts:
            yield Fault("wrong-count", passage.text[match.start() : name.end], " or ".join(map(str, sorted(counts))))


def _possible(label_id: str, spoken: Sequence[Record], case: Case) -> set[int]:
    """How many regions of a label there are: in the passage, on the image, on one side, by one observer."""
    every = [one for one in case.record["annotations"] if one["label_id"] == label_id]
    tallies: list[int] = [len(every), sum(one["label_id"] == label_id for one in spoken)]
    for name in ("laterality", "observer", "granularity"):
        values = [one[name] for one in every]
        tallies += [values.count(value) for value in set(values)]
    return {tally for tally in tallies if tally}


def _total(question: Question) -> Iterator[Fault]:
    for match in _COUNT_OF.finditer(question.answer or ""):
        if _value(match[1]) != len(question.targets):
            yield Fault("wrong-count", match[0], f"{len(question.targets)}, the boxes asked for")


def _value(word: str) -> int:
    return int(word) if word.isdigit() else _NUMBERS[word.casefold()]
