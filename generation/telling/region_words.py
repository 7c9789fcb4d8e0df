"""Sentences about regions: where they lie and how large they are, and how they lie to each other and to the image's edge.

Each sentence comes with the ids of the annotations it speaks of. Left and right of places are the image's; a side in a name
is the patient's. Shares are those of masks, or of boxes where there is nothing finer, and say so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from ..case import Case, Record, listed
from ..chance import Chance
from ..regions.marked import Marked
from ..regions.place_words import place, relation_between, share_words
from ..wording import Wording, pick, wordings
from .grammar import plural
from .knowledge import Known
from .seen import Seen, called

FEW = 3
"""Up to so many regions of one name are told one by one."""
WIDE = 0.6
"""Share of the image that a box takes from which its region has no place of its own."""
_FIELDS = 7
"""Of the nine places, how many make up the whole image in words."""
_EDGE_PX = 1.0
_VERBS = {
    "lies": "lie",
    "takes": "take",
    "covers": "cover",
    "reaches": "reach",
    "stretches": "stretch",
    "has": "have",
    "goes": "go",
    "is": "are",
    "ends": "end",
    "keeps": "keep",
    "surrounds": "surround",
    "overlaps": "overlap",
}
"""Gaps for verbs → the verb where the name is a plural; else the gap's own name."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and the annotations that it speaks of."""

    text: str
    annotations: tuple[str, ...]
    wording: str


@dataclass(frozen=True, slots=True)
class Group:
    """The regions of one name: a label on one side."""

    name: str
    regions: Sequence[Record]
    granularity: str
    known: Known | None

    @property
    def ids(self) -> tuple[str, ...]:
        """Of the annotations."""
        return tuple([one["id"] for one in self.regions])

    @property
    def names(self) -> str:
        """In the plural."""
        if self.known is not None and (self.known.mass or self.known.plural):
            return f"regions of {self.name}"
        return plural(self.name)

    @property
    def plural(self) -> bool:
        """Whether its name is a plural."""
        return self.known is not None and self.known.plural


def groups(every: Sequence[Seen], modality: str) -> list[Group]:
    """What there is to speak of, in the order of the record."""
    return [_group(one, part, modality) for one in every for part in one.parts]


def region_sentence(group: Group, case: Case, chance: Chance) -> Sentence:
    """Place and size of one region, or of all that have one name."""
    if len(group.regions) == 1:
        return _one(group, case, chance)
    if len(group.regions) <= FEW:
        return _few(group, case, chance)
    return _many(group, case, chance)


def relation_sentences(every: Sequence[Group], case: Case, chance: Chance, *, most: int) -> Iterator[Sentence]:
    """How single regions lie to each other; where there is only one, how it lies to its nearest neighbour of another name."""
    single = [one for one in every if len(one.regions) == 1 and one.regions[0]["box_xyxy_px"]]
    pairs = list(combinations(single, 2))
    told = 0
    for one, other in chance.shuffled(pairs) if pairs else ():
        if told == most:
            return
        if (sentence := _pair(one, other, case, chance)) is not None:
            told += 1
            yield sentence
    crowds = [one for one in every if len(one.regions) > 1 and one.regions[0]["box_xyxy_px"]]
    if (
        single
        and crowds
        and not told
        and most
        and (sentence := _nearest(chance.one(crowds), single[0], case, chance)) is not None
    ):
        yield sentence


def border_sentence(every: Sequence[Group], case: Case, chance: Chance) -> Sentence | None:
    """Whether one of the regions goes up to the image's edge; None where there are only points, or it nearly does."""
    flat = [one for one in every if one.regions[0]["box_xyxy_px"]]
    if not flat:
        return None
    group = chance.one(flat)
    if len(group.regions) > 1:
        return _crowd_at_border(group, case, chance)
    borders = _borders(group.regions[0]["box_xyxy_px"], case.size_hw_px)
    if borders:
        words = f"{listed(borders)} border{'s' if len(borders) > 1 else ''}"
        return _of_it("border", group, chance, borders=words)
    return None if _wide(group.regions[0], case) else _of_it("clear", group, chance)


def _group(one: Seen, part: Marked, modality: str) -> Group:
    return Group(called(part.state, modality), part.regions, one.granularity, one.known)


@cache
def _with_verbs(part: str, *, plural: bool) -> tuple[Wording, ...]:
    """Wordings of descriptions whose verbs are filled in, for a name in the singular or plural."""
    some = wordings("description", part)
    return tuple([Wording(one.id, {"question": _verbs_in(one.texts["question"], plural)}) for one in some])


def _verbs_in(text: str, plural: bool) -> str:
    for verb, verbs in _VERBS.items():
        text = text.replace(f"{{{verb}}}", verbs if plural else verb)
    return text


def _of_it(part: str, group: Group, chance: Chance, *, annotations: tuple[str, ...] | None = None, **gaps: str) -> Sentence:
    """A sentence that names a group; it speaks of the group's annotations alone, unless others are given."""
    wording = pick(_with_verbs(part, plural=group.plural), chance)
    text = wording.fill(the_name=f"the {group.name}", The_name=f"The {group.name}", **gaps)
    return Sentence(text, group.ids if annotations is None else annotations, wording.id)


def _said(wording: Wording, annotations: tuple[str, ...], **gaps: str) -> Sentence:
    return Sentence(wording.fill(**gaps), annotations, wording.id)


def _one(group: Group, case: Case, chance: Chance) -> Sentence:
    region = group.regions[0]
    if group.granularity == "point":
        return _of_it("one-point", group, chance, place=_place(region, case))
    kind = "wide" if _wide(region, case) else "one"
    part = f"{kind}-box" if group.granularity == "box" else kind
    return _of_it(part, group, chance, place=_place(region, case), share=_share(region, case))


def _few(group: Group, case: Case, chance: Chance) -> Sentence:
    places = listed(f"one in the {_place(one, case)}{_sized(one, group, case)}" for one in group.regions)
    wording = pick(wordings("description", "few"), chance)
    count = len(group.regions)
    return _said(wording, group.ids, count=str(count), Count=str(count), names=group.names, places=places)


def _many(group: Group, case: Case, chance: Chance) -> Sentence:
    found = [_place(one, case) for one in group.regions]
    gaps = {"count": str(len(found)), "Count": str(len(found)), "names": group.names, "spread": _spread(found)}
    if group.granularity == "point":
        return _said(pick(wordings("description", "many-point"), chance), group.ids, **gaps)
    largest = max(group.regions, key=lambda one: one["area_px"])
    wording = pick(wordings("description", "many-box" if group.granularity == "box" else "many"), chance)
    return _said(wording, group.ids, **gaps, place=_place(largest, case), share=_share(largest, case))


def _spread(found: list[str]) -> str:
    """Where most of many regions lie."""
    counts = Counter(found).most_common()
    if len(counts) == 1:
        return f"all lie in the {counts[0][0]} of the image"
    if 2 * counts[0][1] > len(found):
        return f"lie mostly in the {counts[0][0]} of the image"
    if len(counts) >= _FIELDS:
        return "are spread over the whole image"
    return f"lie in {len(counts)} of the image's nine fields"


def _sized(region: Record, group: Group, case: Case) -> str:
    if group.granularity == "point":
        return ""
    return f" ({'its box ' if group.granularity == 'box' else ''}about {_share(region, case)} of the image)"


def _place(region: Record, case: Case) -> str:
    return place(region["box_xyxy_px"] or region["points"][0], case.size_hw_px)


def _share(region: Record, case: Case) -> str:
    height, width = case.size_hw_px
    return share_words(min(region["area_px"] / (height * width), 1.0))


def _wide(region: Record, case: Case) -> bool:
    (x0, y0, x1, y1), (height, width) = region["box_xyxy_px"], case.size_hw_px
    return (x1 - x0) * (y1 - y0) >= WIDE * height * width


def _pair(one: Group, other: Group, case: Case, chance: Chance) -> Sentence | None:
    a, b = one.regions[0], other.regions[0]
    words = relation_between(a, b, size_hw_px=case.size_hw_px)
    if words is None:
        return None
    if words == "around":
        one, other, a, b, words = other, one, b, a, "inside"
    ids = (a["id"], b["id"])
    if words == "inside" and a["area_px"] < b["area_px"]:
        gaps = {"the_other": f"the {other.name}", "The_other": f"The {other.name}"}
        gaps |= {"holds": "hold" if other.plural else "holds", "ratio": share_words(a["area_px"] / b["area_px"])}
        return _of_it("inside", one, chance, annotations=ids, **gaps)
    lies, overlaps = ("lie", "overlap") if one.plural else ("lies", "overlaps")
    stands = overlaps if words == "overlapping" else f"{lies} {words}"
    return _of_it("relation", one, chance, annotations=ids, stands=stands, the_other=f"the {other.name}")


def _nearest(crowd: Group, single: Group, case: Case, chance: Chance) -> Sentence | None:
    target = single.regions[0]
    region = min(crowd.regions, key=lambda one: _distance(one["box_xyxy_px"], target["box_xyxy_px"]))
    words = relation_between(region, target, size_hw_px=case.size_hw_px)
    if words is None:
        return None
    stands = {"overlapping": "overlaps", "around": "surrounds"}.get(words, f"lies {words}")
    gaps = {"the_other": f"the {single.name}", "The_other": f"The {single.name}", "stands": stands, "names": crowd.names}
    return _said(pick(wordings("description", "nearest"), chance), (region["id"], target["id"]), **gaps)


def _distance(a: Sequence[float], b: Sequence[float]) -> float:
    """Squared gap between two boxes in px, or how deep they reach into each other, negative; ties by their middles."""
    x, y = max(a[0], b[0]) - min(a[2], b[2]), max(a[1], b[1]) - min(a[3], b[3])
    return max(x, 0) ** 2 + max(y, 0) ** 2 if max(x, y) > 0 else max(x, y)


def _crowd_at_border(group: Group, case: Case, chance: Chance) -> Sentence:
    at = [one for one in group.regions if _borders(one["box_xyxy_px"], case.size_hw_px)]
    if not at:
        return _said(pick(wordings("description", "crowd-clear"), chance), group.ids, names=group.names)
    wording = pick(wordings("description", "crowd-border" if len(at) > 1 else "crowd-border-one"), chance)
    return _said(wording, group.ids, names=group.names, count=str(len(at)), all=str(len(group.regions)))


def _borders(box: Sequence[float], size_hw_px: tuple[int, int]) -> list[str]:
    """Edges of the image that a box reaches to within a pixel."""
    (x0, y0, x1, y1), (height, width) = box, size_hw_px
    if x0 > _EDGE_PX and y0 > _EDGE_PX and x1 < width - _EDGE_PX and y1 < height - _EDGE_PX:
        return []
    reached = (y0 <= _EDGE_PX, y1 >= height - _EDGE_PX, x0 <= _EDGE_PX, x1 >= width - _EDGE_PX)
    return [name for name, hit in zip(("upper", "lower", "left", "right"), reached, strict=True) if hit]
