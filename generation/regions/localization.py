"""Names to words of place: in which part of the image a region lies, what share of it it takes up, how it lies to another.

Left and right are the image's. Where the orientation is known, an answer also says towards which side of the patient.
A region whose box takes up most of the image lies nowhere in particular, and isn't asked about.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import count

from ...schema.errors import UsageError
from ...schema.question import Kind, Question, Span
from ..case import Asking, Case, Record, listed
from ..chance import Chance
from ..choices.modality_words import picture
from ..pools import Pools
from ..rules import Rule
from ..wording import Wording, pick, wordings
from .marked import Marked, drawn_from, in_reading_order, marked
from .place_words import centroid, patient_side, place, relation_between, share_words, size_words
from .told import Words, told

INSTRUCTION = "Answer in words; left and right are those of the image."
_KINDS = ("mask", "box", "point")


def localization(
    asking: Asking, pools: Pools, *, most: int = 2, crowd: int = 3, widest: float = 0.5, relations: int = 1
) -> Rule:
    """Questions for words of place, by name.

    Args:
        asking: Who asks.
        pools: Not needed: only regions that are there are asked for.
        most: Labels of a case that are asked for; more are drawn from.
        crowd: Regions of a label beyond which its places aren't asked for.
        widest: Share of the image that a region's box takes up beyond which its place isn't asked for.
        relations: Questions per case for how two labels of one region each lie to each other.

    Raises:
        UsageError: a number that can't be used.
    """
    if min(most, crowd, relations) < 0 or not 0 <= widest <= 1:
        found = f"most {most}, crowd {crowd}, relations {relations}, widest {widest}"
        raise UsageError(f"{found}; expected counts of 0 or more and a share from 0 to 1")

    def rule(case: Case, chance: Chance) -> Iterator[Question]:
        number, found = count(), marked(case, _KINDS)
        somewhere = [one for one in found if len(one.regions) <= crowd and _is_somewhere(one, case, widest)]
        for one in drawn_from(somewhere, most, chance):
            make = _place if len(one.regions) == 1 else _places
            yield make(asking, case, one, chance=chance, number=next(number))
        for pair, words in _pairs(case, [one for one in found if len(one.regions) == 1], most=relations, chance=chance):
            yield _relation(asking, case, pair, words, chance=chance, number=next(number))

    return rule


def share_of(region: Record, case: Case) -> float:
    """The share of the image, 0 to 1, that a mask, or a box as such, takes up."""
    height, width = case.size_hw_px
    return (region["area_px"] or 0.0) / (height * width)


def _is_somewhere(one: Marked, case: Case, widest: float) -> bool:
    height, width = case.size_hw_px
    boxes = [region["box_xyxy_px"] for region in one.regions if region["box_xyxy_px"] is not None]
    return all((x1 - x0) * (y1 - y0) <= widest * height * width for x0, y0, x1, y1 in boxes)


def _place(asking: Asking, case: Case, one: Marked, *, chance: Chance, number: int) -> Question:
    region = one.regions[0]
    wording = pick(wordings("localization", "point" if one.granularity == "point" else "region"), chance)
    where, share = centroid(region, case.size_hw_px), share_of(region, case)
    side = patient_side(where, case.size_hw_px, orientation=case.record["provenance"]["orientation"])
    answer = told(
        wording,
        name=Words(one.name, one.ids),
        place=place(where, case.size_hw_px),
        side=f", towards the patient's {side}" if side else "",
        cover="its box covers" if one.granularity == "box" else "it covers",
        share=share_words(share),
        size=size_words(share),
    )
    return _question(asking, case, [one], wording, answer=answer, number=number)


def _places(asking: Asking, case: Case, one: Marked, *, chance: Chance, number: int) -> Question:
    wording, ordered = pick(wordings("localization", "several"), chance), replace(one, regions=in_reading_order(one.regions))
    places = [place(centroid(region, case.size_hw_px), case.size_hw_px) for region in ordered.regions]
    answer = told(wording, name=Words(one.name, ordered.ids), count=len(places), places=listed(places))
    return _question(asking, case, [ordered], wording, answer=answer, number=number)


def _pairs(case: Case, single: Sequence[Marked], *, most: int, chance: Chance) -> Iterator[tuple[tuple[Marked, Marked], str]]:
    """Labels of one region each, and the words for how they lie to each other, where there are any."""
    if len(single) < 2:
        return
    for _ in range(most):
        one, other = chance.some(single, 2)
        words = relation_between(one.regions[0], other.regions[0], size_hw_px=case.size_hw_px)
        if words is not None:
            yield (one, other), words


def _relation(asking: Asking, case: Case, pair: tuple[Marked, Marked], words: str, *, chance: Chance, number: int) -> Question:
    wording, (one, other) = pick(wordings("localization", "relation"), chance), pair
    answer = told(wording, name=Words(one.name, one.ids), other=Words(other.name, other.ids), relation=words)
    return _question(asking, case, pair, wording, answer=answer, number=number)


def _question(
    asking: Asking,
    case: Case,
    asked: Sequence[Marked],
    wording: Wording,
    *,
    answer: tuple[str, tuple[Span, ...]],
    number: int,
) -> Question:
    names = {"name": asked[0].name, "other": asked[-1].name, "picture": picture(case.modality)}
    text, spans = answer
    return asking.question(
        case,
        place=number,
        kind=Kind.LOCALIZATION,
        about=asked[0].state,
        granularity=asked[0].granularity,
        question=wording.fill(**names),
        instruction=INSTRUCTION,
        answer=text,
        spans=spans,
        labels=tuple(dict.fromkeys([one.state["label_id"] for one in asked])),
        targets=tuple([name for one in asked for name in one.ids]),
        wording=wording.id,
        flags=tuple(sorted({flag for one in asked for flag in one.flags})),
    )
