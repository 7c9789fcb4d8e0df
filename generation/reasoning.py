"""Perspectives III and IV: questions that name nothing, with answers from the knowledge file.

III, `reasoning`: a function, a place or a reason to care; the answer names what has it and shows its regions. IV, `prompted`:
a box or points and a question of knowledge about what is there. Both are asked only where the fact holds for one of the
labels that may be on the image; III also only where none of the label's regions can be missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from ..schema.box import box_iou
from ..schema.errors import UsageError
from ..schema.question import Kind, Prompt, Question
from .case import Asking, Case, Record
from .chance import Chance
from .grammar import Tied, article, capital, plural
from .knowledge import Fact, Known
from .marked import DERIVED_BOX, Marked
from .modality_words import picture
from .pointing import points_inside
from .pools import Pools
from .referring import RIVAL
from .rules import Rule
from .seen import FINEST, Seen, called, complete, facts, seen
from .wording import Wording, pick, wordings

ACTS = {"mask": ("segment", ""), "box": ("mark", " with boxes"), "point": ("mark", " with points")}
"""What a question bids, before and after what it speaks of."""
INSTRUCTIONS = {
    "mask": "Answer with the name and a mask of every region.",
    "box": "Answer with the name and a box for every region.",
    "point": "Answer with the name and a point for every region.",
}
POINTERS = {"box": "in the box", "mask": "under the mask", "contour": "within the contour", "point": "at the marked point"}
_UNFIT = ("phantom",)
"""Areas that hold no anatomy."""
_LEAST = 2
_MOST_POINTS = 3


def reasoning(
    asking: Asking, pools: Pools, *, granularities: Sequence[str] = ("mask", "box"), most: int = 2, several: int = 1
) -> Rule:
    """The rule of perspective III.

    Args:
        asking: Who asks.
        pools: Unused: the knowledge file knows no release.
        granularities: What may be the answer.
        most: Questions for one label each, per sample.
        several: Questions for two or three labels at once, per sample.

    Raises:
        UsageError: a granularity that there isn't, or a negative number.
    """
    _check(granularities, most, several)

    def rule(case: Case, chance: Chance) -> Iterator[Question]:
        sites = [one for one in _sites(case, granularities) if complete(one, case)]
        own = facts(case) if sites else {}
        found = [(site, some) for site in sites if (some := _pointing(own.get(site.label_id, ())))]
        place = 0
        for site, some in chance.some(found, min(most, len(found))):
            yield _single(
                asking, case, site, chance.one(some), place=place, wording=pick(wordings("reasoning", "find"), chance)
            )
            place += 1
        for _ in range(several if len(found) >= _LEAST else 0):
            chosen = [(site, chance.one(some)) for site, some in _together(found, chance)]
            if len(chosen) >= _LEAST:
                yield _multiple(asking, case, chosen, place=place, wording=pick(wordings("reasoning", "find-all"), chance))
                place += 1

    return rule


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
    _check(granularities, most)
    if strange := sorted(set(prompts) - set(POINTERS)):
        raise UsageError(f"prompts {', '.join(strange)}; expected some of {', '.join(POINTERS)}")

    def rule(case: Case, chance: Chance) -> Iterator[Question]:
        sites = _sites(case, granularities)
        own = facts(case) if sites else {}
        found = [(site, some) for site in sites if (some := own.get(site.label_id, ()))]
        for place, (site, some) in enumerate(chance.some(found, min(most, len(found)))):
            part, fact = chance.one(site.parts), chance.one(some)
            region = chance.one(part.regions)
            prompt = _prompt(region, case, chance, prompts)
            if prompt is not None:
                yield _pointed(asking, case, site, chance, part=part, region=region, prompt=prompt, fact=fact, place=place)

    return rule


def _check(words: Sequence[str], *numbers: int) -> None:
    if strange := sorted(set(words) - set(FINEST)):
        raise UsageError(f"granularity {', '.join(strange)}; expected some of {', '.join(FINEST)}")
    if any(number < 0 for number in numbers):
        raise UsageError(f"numbers of questions {numbers}; expected 0 or more")


def _sites(case: Case, granularities: Sequence[str]) -> list[Seen]:
    """Labels with regions that a question may be about."""
    if case.record["area"] in _UNFIT or not case.record["annotations"]:
        return []
    return [one for one in seen(case) if one.granularity in granularities and one.known is not None and one.known.noun]


def _pointing(some: Sequence[Fact]) -> list[Fact]:
    return [fact for fact in some if not fact.general]


def _together(found: Sequence[tuple[Seen, list[Fact]]], chance: Chance) -> list[tuple[Seen, list[Fact]]]:
    """Two or three labels of one granularity, in drawn order."""
    first = chance.one(found)[0]
    alike = [one for one in found if one[0].granularity == first.granularity]
    return chance.some(alike, min(len(alike), _LEAST + chance.below(2)))


def _single(asking: Asking, case: Case, site: Seen, fact: Fact, *, place: int, wording: Wording) -> Question:
    act, how = ACTS[site.granularity]
    question = wording.fill(act=act, how=how, thing=_thing(_known(site), fact), picture=picture(case.modality))
    return _found(asking, case, [(site, fact)], place=place, wording=wording, question=capital(question))


def _multiple(asking: Asking, case: Case, chosen: list[tuple[Seen, Fact]], *, place: int, wording: Wording) -> Question:
    things = "; ".join(_thing(_known(site), fact) for site, fact in chosen)
    act, how = ACTS[chosen[0][0].granularity]
    question = wording.fill(act=act, how=how, things=things, picture=picture(case.modality))
    return _found(asking, case, chosen, place=place, wording=wording, question=capital(question))


def _found(
    asking: Asking, case: Case, chosen: list[tuple[Seen, Fact]], *, place: int, wording: Wording, question: str
) -> Question:
    """A question of perspective III."""
    answer = Tied()
    before, after = wording.texts["answer"].split("{said}")
    answer.say(before)
    for number, (site, fact) in enumerate(chosen):
        _state(answer.say("; " if number else ""), site, fact, modality=case.modality, first=not number)
    site = chosen[0][0]
    return asking.question(
        case,
        place=place,
        kind=Kind.REASONING,
        about=site.parts[0].state,
        granularity=site.granularity,
        perspective=3,
        question=question,
        instruction=INSTRUCTIONS[site.granularity],
        answer=str(answer.say(after)),
        labels=tuple([one.label_id for one, _ in chosen]),
        targets=tuple([name for one, _ in chosen for name in one.ids]),
        spans=tuple(answer.spans),
        wording=wording.id,
        flags=tuple(sorted({flag for one, _ in chosen for part in one.parts for flag in part.flags})),
    )


def _state(answer: Tied, site: Seen, fact: Fact, *, modality: str, first: bool) -> None:
    """Says what has the fact: "The liver makes bile", "the left kidney and the right kidney: each filters the blood"."""
    the = "The " if first else "the "
    for number, part in enumerate(site.parts):
        answer.say(" and the " if number else the).tie(called(part.state, modality), part.ids)
    answer.say(": each of them " if len(site.parts) > 1 else " ", fact.text)


def _thing(known: Known, fact: Fact) -> str:
    return f"the {_noun(known)} that {fact.text}"


@lru_cache(1 << 12)
def _noun(known: Known) -> str:
    noun = known.noun or "structure"
    return plural(noun) if known.plural else noun


def _known(site: Seen) -> Known:
    assert site.known is not None
    return site.known


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


def _alone(box: Sequence[float], region: Record, case: Case) -> bool:
    """Whether a box can mean no region of another label."""
    others = (one for one in case.record["annotations"] if one["label_id"] != region["label_id"] and one["box_xyxy_px"])
    return all(box_iou((box[0], box[1], box[2], box[3]), one["box_xyxy_px"]) < RIVAL for one in others)


def _fits(kind: str, region: Record, case: Case) -> bool:
    if kind == "box":
        return region["box_xyxy_px"] is not None and _alone(region["box_xyxy_px"], region, case)
    return region["rle"] is not None


def _points(region: Record, case: Case, chance: Chance) -> Prompt | None:
    """Points on a mask that lie on no other label's mask; None where all of it is shared."""
    others = [one for one in case.record["annotations"] if one["rle"] and one["label_id"] != region["label_id"]]
    near = [one for one in others if _meet(one["box_xyxy_px"], region["box_xyxy_px"])]
    points = points_inside(region, near, case.size_hw_px, count=1 + chance.below(_MOST_POINTS), chance=chance)
    return Prompt("point", region["id"], points_xy_px=points) if points else None


def _meet(a: Sequence[float], b: Sequence[float]) -> bool:
    return min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])


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
    known, wording = _known(site), pick(wordings("reasoning", fact.kind), chance)
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
    template = wording.texts["answer"].replace("{this_is}", "These are" if known.plural else "This is")
    large = "{What}" in template
    before, after = template.split("{What}" if large else "{what}")
    first = article(known, name)
    answer = Tied().say(before)
    if first or not large:
        answer.say(capital(first) if large else first).tie(name, (region["id"],))
    else:
        answer.tie(capital(name), (region["id"],))
    return answer.say(after.replace("{it}", f"{'they' if known.plural else 'it'} {fact.text}"))
