"""Whether what an answer says of place, side, size and number is what the annotations show.

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
from . import sides
from .fault import Fault
from .passages import Passage, passages
from .place import box_of
from .saying import NUMBER, RELATIONS, Count, Place, number_of, said

KINDS = frozenset({Kind.LOCALIZATION, Kind.DESCRIPTION, Kind.DETECTION})
"""Kinds whose answers say more of regions than their sides."""
SHARE_POINTS = 5.0
_SLACK = 0.1
_FIRST, _LAST = frozenset({"left", "upper", "top"}), frozenset({"right", "lower", "bottom"})
_NEAR = 0.02
"""Share of the image by which two middles may be on the wrong side of each other."""
_SHARE = re.compile(r"(\d(?<![\w.]\d)\d*(?:\.\d+)?) ?(?:%|per ?cent)")
"""It begins with a digit, not with what mustn't stand before: so the engine skips to the digits."""
_COUNT_OF = re.compile(rf"\bthere (?:is|are) (?:exactly )?({NUMBER})\b", re.IGNORECASE)


def faults(question: Question, case: Case, pools: Pools) -> Iterable[Fault]:
    """Words of side, place, shares and numbers that the annotations contradict."""
    answer = question.answer
    if not answer:
        return ()
    if question.kind in KINDS:
        return _faults(question, case)
    return _sided(question, case) if question.spans and ("eft" in answer or "ight" in answer) else ()


def _sided(question: Question, case: Case) -> Iterator[Fault]:
    for passage in passages(question, case):
        yield from sides.wrong(said(passage.text).sides, passage.annotations)


def _faults(question: Question, case: Case) -> Iterator[Fault]:
    several = len(question.labels) > 1
    for passage in passages(question, case):
        saying, related = said(passage.text), passage.level == "relation"
        if saying.sides:
            yield from sides.wrong(saying.sides, passage.annotations)
        if saying.relations and (related or several):
            yield from _relation(saying.relations, passage, question, size_hw_px=case.size_hw_px)
        if passage.annotations and not related:
            yield from _place(saying.places, passage, case.size_hw_px)
            if saying.shares:
                yield from _share(passage, case.size_hw_px)
        for count in saying.counts:
            yield from _count(count, passage, case)
    if question.kind is Kind.DETECTION:
        yield from _total(question)


def _place(places: Sequence[Place], passage: Passage, size_hw_px: tuple[int, int]) -> Iterator[Fault]:
    for place in places:
        if not any(_fits(place, x, y) for x, y in _centres(passage.annotations, size_hw_px)):
            seen = ", ".join(f"({x:.2f}, {y:.2f})" for x, y in islice(_centres(passage.annotations, size_hw_px), 3))
            yield Fault("wrong-place", place.words, f"words for {seen} of width and height")


def _fits(place: Place, x: float, y: float) -> bool:
    return _along(place.side, x, halved=place.height is None) and _along(place.height, y, halved=False)


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


def _relation(
    relations: Sequence[str], passage: Passage, question: Question, *, size_hw_px: tuple[int, int]
) -> Iterator[Fault]:
    """Of two regions, how the first is said to lie to the second: by their middles, or their centroids."""
    if len(passage.annotations) != 2:
        return
    order = {name: place for place, name in enumerate(question.targets)} if passage.level is None else {}
    pair = sorted(passage.annotations, key=lambda one: order.get(one["id"], 0))
    for words in relations:
        axis, sign = RELATIONS[words]
        middles = zip(*(_centres([each], size_hw_px) for each in pair), strict=False)
        if not any(sign * (other[axis] - one[axis]) > -_NEAR for one, other in middles):
            yield Fault("wrong-place", f"{words} in {passage.text!r:.80}", f"words for {pair[0]['id']} beside {pair[1]['id']}")


def _share(passage: Passage, size_hw_px: tuple[int, int]) -> Iterator[Fault]:
    height, width = size_hw_px
    shares = [100 * (one["area_px"] or 0) / (height * width) for one in passage.annotations]
    for match in _SHARE.finditer(passage.text):
        said = float(match[1])
        near = any(abs(said - share) <= SHARE_POINTS for share in (*shares, sum(shares)))
        if not near and not max(shares) <= said <= sum(shares):
            yield Fault("wrong-share", match[0], f"{sum(shares):.1f} % to within {SHARE_POINTS:g} points")


def _count(count: Count, passage: Passage, case: Case) -> Iterator[Fault]:
    counts = _possible(count.label_id, passage.annotations, case)
    if counts and count.number not in counts:
        yield Fault("wrong-count", count.words, " or ".join(map(str, sorted(counts))))


def _possible(label_id: str, spoken: Sequence[Record], case: Case) -> set[int]:
    """How many regions of a label there are: in the passage, on the image, on one side, by one observer."""
    every = [one for one in case.record["annotations"] if one["label_id"] == label_id]
    tallies: list[int] = [len(every), sum(one["label_id"] == label_id for one in spoken)]
    for name in ("laterality", "observer", "granularity"):
        values = [one[name] for one in every]
        tallies += [values.count(value) for value in set(values)]
    return {tally for tally in tallies if tally}


def _total(question: Question) -> Iterator[Fault]:
    answer = question.answer or ""
    for match in _COUNT_OF.finditer(answer) if "there" in answer.casefold() else ():
        if number_of(match[1]) != len(question.targets):
            yield Fault("wrong-count", match[0], f"{len(question.targets)}, the boxes asked for")
