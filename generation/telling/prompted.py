"""Perspective IV: a box or points, and a question of knowledge about what is there; the answer names it and states the fact.

As in perspective III, a fact is asked only where it holds for one alone of the labels that may be on the image. The prompt
fits one region: no box of another label is nearly the same, points lie on no other label's mask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from ...schema.errors import UsageError
from ...schema.question import Kind, Prompt, Question
from ..case import Asking, Case, Record
from ..chance import Chance
from ..choices.modality_words import picture
from ..pools import Pools
from ..regions.marked import DERIVED_BOX, Marked
from ..regions.pointing import alone, meet, points_inside
from ..rules import Rule
from ..wording import Wording, pick, wordings
from .grammar import Tied, article, capital
from .knowledge import Fact, Known
from .reasoning import check, known_of, sites_of
from .seen import FINEST, Seen, called, facts

POINTERS = {"box": "in the box", "mask": "under the mask", "contour": "within the contour", "point": "at the marked point"}
_MOST_POINTS = 3


def prompted(
    asking: Asking,
    pools: Pools,
    *,
    granularities: Sequence[str] = FINEST,
    prompts: Sequence[str] = ("box", "point"),
    most: int = 2,
) -> Rule:
    """The rule of perspective IV.

    Args:
        asking: Who asks.
        pools: Unused: the knowledge file knows no release.
        granularities: What may be pointed at.
        prompts: What may point: box, point, mask, contour; points alone are shown as points, whatever stands here.
        most: Questions per sample, each about another label.

    Raises:
        UsageError: a granularity or prompt that there isn't, or a negative number.
    """
    check(granularities, most)
    if strange := sorted(set(prompts) - set(POINTERS)):
        raise UsageError(f"prompts {', '.join(strange)}; expected some of {', '.join(POINTERS)}")

    def rule(case: Case, chance: Chance) -> Iterator[Question]:
        sites = sites_of(case, granularities)
        own = facts(case) if sites else {}
        found = [(site, some) for site in sites if (some := own.get(site.label_id, ()))]
        for place, (site, some) in enumerate(chance.some(found, min(most, len(found)))):
            part, fact = chance.one(site.parts), chance.one(some)
            region = chance.one(part.regions)
            prompt = _prompt(region, case, chance, prompts)
            if prompt is not None:
                yield _pointed(asking, case, site, chance, part=part, region=region, prompt=prompt, fact=fact, place=place)

    return rule


def _prompt(region: Record, case: Case, chance: Chance, kinds: Sequence[str]) -> Prompt | None:
    """What points at the region; None where none of the kinds can."""
    if region["granularity"] == "point":
        x, y = region["points"][0]
        return Prompt("point", region["id"], points_xy_px=((x, y),))
    fit = [kind for kind in kinds if _fits(kind, region, case)]
    kind = chance.one(fit) if fit else None
    if kind == "point":
        return _points(region, case, chance)
    if kind is None:
        return None
    return Prompt(kind, region["id"], box_xyxy_px=tuple(region["box_xyxy_px"]) if kind == "box" else None)


def _others(region: Record, case: Case) -> Iterator[Record]:
    """The regions of other labels."""
    return (one for one in case.record["annotations"] if one["label_id"] != region["label_id"])


def _fits(kind: str, region: Record, case: Case) -> bool:
    if kind == "box":
        box = region["box_xyxy_px"]
        return box is not None and alone(box, [one["box_xyxy_px"] for one in _others(region, case) if one["box_xyxy_px"]])
    return region["rle"] is not None


def _points(region: Record, case: Case, chance: Chance) -> Prompt | None:
    """Points on a mask that lie on no other label's mask; None where all of it is shared."""
    near = [one for one in _others(region, case) if one["rle"] and meet(one["box_xyxy_px"], region["box_xyxy_px"])]
    points = points_inside(region, near, case.size_hw_px, count=1 + chance.below(_MOST_POINTS), chance=chance)
    return Prompt("point", region["id"], points_xy_px=points) if points else None


def _pointed(
    asking: Asking,
    case: Case,
    site: Seen,
    chance: Chance,
    *,
    part: Marked,
    region: Record,
    prompt: Prompt,
    fact: Fact,
    place: int,
) -> Question:
    """A question of perspective IV."""
    known, wording = known_of(site), pick(wordings("reasoning", fact.kind), chance)
    pointer = f"{POINTERS[prompt.kind]}{'s' if len(prompt.points_xy_px) > 1 else ''}"
    question = wording.fill(noun=known.noun or "structure", pointer=pointer, picture=picture(case.modality))
    answer = _answer(wording, known, name=called(part.state, case.modality), region=region, fact=fact)
    derived = prompt.kind == "box" and (region["granularity"] != "box" or region["origin"] == "derived")
    return asking.question(
        case,
        place=place,
        kind=Kind.PROMPTED,
        about=part.state,
        granularity=prompt.kind,
        perspective=4,
        question=question,
        answer=str(answer),
        labels=(site.label_id,),
        targets=(region["id"],),
        prompts=(prompt,),
        spans=tuple(answer.spans),
        wording=wording.id,
        flags=(*((DERIVED_BOX,) if derived else ()), *part.flags),
    )


def _answer(wording: Wording, known: Known, *, name: str, region: Record, fact: Fact) -> Tied:
    before, large, middle, after = _cut(wording.texts["answer"], plural=known.plural)
    first = article(known, name)
    if large:
        first, name = capital(first), name if first else capital(name)
    return Tied(before + first).tie(name, (region["id"],)).say(f"{middle} {fact.text}{after}")


@cache
def _cut(template: str, *, plural: bool) -> tuple[str, bool, str, str]:
    """What an answer says before the name, whether the name begins a sentence, what follows up to the fact, and the rest."""
    worded = template.replace("{this_is}", "These are" if plural else "This is")
    large = "{What}" in worded
    before, behind = worded.split("{What}" if large else "{what}")
    middle, after = behind.split("{it}")
    return before, large, f"{middle}{'they' if plural else 'it'}", after
