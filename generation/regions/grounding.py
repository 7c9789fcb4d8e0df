"""Names to regions: masks (MIMOSeg's perspective I), or boxes and points with their count.

An answer speaks in words; spans tie each name to its annotations, and `targets` lists them all in the order of the answer.
Where numbers belong, a text has neutral placeholders instead, `<box:a0>` or `<point:a0>` with the annotation's id, which
whoever trains a model replaces by that model's way of writing the coordinates (of the annotation, in px).

`granularity` says what is asked for: boxes taken from masks are asked for as boxes and flagged `derived-box`. One mask may
show many things of a kind, so a single one is asked for as the box that encloses it, and nothing is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from ...schema.errors import UsageError
from ...schema.question import Kind, Question
from ..case import Asking, Case, listed, name_of
from ..chance import Chance
from ..choices.modality_words import picture
from ..pools import Pools
from ..rules import Rule
from ..wording import pick, wordings
from .marked import (
    ABSENT,
    DERIVED_BOX,
    Homes,
    Marked,
    Missing,
    askable_absent,
    drawn_from,
    in_reading_order,
    marked,
    marked_somewhere,
)
from .told import Words, told

MASKS = "Answer in words, and give masks for everything that you name."
BOXES = "Give the number and a box for each."
ENCLOSING = "Give one box."
POINTS = "Give the number and a point for each."
_DETECTED = ("box", "mask", "point")
_ABSENT = {"mask": ("single", MASKS), "box": ("detection", BOXES), "point": ("points", POINTS)}
"""Granularity → wordings and instruction."""


def grounding(asking: Asking, pools: Pools, *, most: int = 3, several: int = 1, largest: int = 4, absent: float = 0.2) -> Rule:
    """Questions for masks by name.

    Args:
        asking: Who asks.
        pools: Labels that have masks somewhere; only of these is an absent one asked for.
        most: Labels of a case that are asked for alone; more are drawn from.
        several: Questions per case for more than one label at once, where it has more than one.
        largest: Labels in such a question, at most.
        absent: Share of the cases with labels known to be absent on which one of them is asked for, flagged `absent`.

    Raises:
        UsageError: a number that can't be used.
    """
    _check(most, several, absent=absent)
    if largest < 2:
        raise UsageError(f"largest {largest}; expected 2 labels or more")
    homes = marked_somewhere(pools)

    def rule(case: Case, chance: Chance) -> Iterator[Question]:
        place, found = count(), marked(case, ("mask",))
        for one in drawn_from(found, most, chance):
            yield _masks(asking, case, one, chance=chance, place=next(place))
        for _ in range(several if len(found) > 1 else 0):
            group = drawn_from(found, 2 + chance.below(min(largest, len(found)) - 1), chance)
            yield _several_masks(asking, case, chance.shuffled(group), chance=chance, place=next(place))
        if (missing := _missing(case, homes, ("mask",), chance=chance, share=absent)) is not None:
            yield _absent(asking, case, missing, chance=chance, place=next(place), kind=Kind.GROUNDING)

    return rule


def detection(
    asking: Asking, pools: Pools, *, most: int = 3, crowd: int = 60, derived: bool = True, absent: float = 0.2
) -> Rule:
    """Questions for boxes or points and their count, by name.

    Args:
        asking: Who asks.
        pools: Labels that have regions somewhere; only of these is an absent one asked for.
        most: Labels of a case that are asked for; more are drawn from.
        crowd: Regions of a label beyond which it isn't asked for.
        derived: Whether masks give boxes where a label has none of its own.
        absent: Share of the cases with labels known to be absent on which one of them is asked for, flagged `absent`.

    Raises:
        UsageError: a number that can't be used.
    """
    _check(most, crowd, absent=absent)
    kinds, homes = _DETECTED if derived else ("box", "point"), marked_somewhere(pools)

    def rule(case: Case, chance: Chance) -> Iterator[Question]:
        place = count()
        found = [one for one in marked(case, kinds) if len(one.regions) <= crowd]
        for one in drawn_from(found, most, chance):
            yield _boxes(asking, case, one, chance=chance, place=next(place))
        if (missing := _missing(case, homes, ("box", "point"), chance=chance, share=absent)) is not None:
            yield _absent(asking, case, missing, chance=chance, place=next(place), kind=Kind.DETECTION)

    return rule


def _check(*counts: int, absent: float) -> None:
    if min(counts) < 0 or not 0 <= absent <= 1:
        raise UsageError(f"counts {counts}, absent {absent}; expected counts of 0 or more and a share from 0 to 1")


def _masks(asking: Asking, case: Case, one: Marked, *, chance: Chance, place: int) -> Question:
    wording, says = pick(wordings("grounding", "single"), chance), pick(wordings("grounding", "single-answers"), chance)
    name, ids = one.name, one.ids
    answer, spans = told(says, "one" if len(ids) == 1 else "answer", name=Words(name, ids))
    return asking.question(
        case,
        place=place,
        kind=Kind.GROUNDING,
        about=one.state,
        granularity="mask",
        perspective=1,
        question=wording.fill(name=name, picture=picture(case.modality)),
        instruction=MASKS,
        answer=answer,
        spans=spans,
        labels=(one.state["label_id"],),
        targets=ids,
        wording=f"{wording.id}+{says.id}",
        flags=one.flags,
    )


def _several_masks(asking: Asking, case: Case, group: list[Marked], *, chance: Chance, place: int) -> Question:
    wording, says = pick(wordings("grounding", "several"), chance), pick(wordings("grounding", "several-answers"), chance)
    words = [Words(one.name, one.ids, before="the ") for one in group]
    answer, spans = told(says, names=words)
    return asking.question(
        case,
        place=place,
        kind=Kind.GROUNDING,
        about=group[0].state,
        granularity="mask",
        perspective=1,
        question=wording.fill(names=listed([f"the {one.text}" for one in words]), picture=picture(case.modality)),
        instruction=MASKS,
        answer=answer,
        spans=spans,
        labels=tuple(dict.fromkeys([one.state["label_id"] for one in group])),
        targets=tuple([name for one in words for name in one.annotations]),
        wording=f"{wording.id}+{says.id}",
        flags=tuple(sorted({flag for one in group for flag in one.flags})),
    )


def _boxes(asking: Asking, case: Case, one: Marked, *, chance: Chance, place: int) -> Question:
    regions = in_reading_order(one.regions)
    enclosing = one.granularity == "mask" and len(regions) == 1
    part = "enclosing" if enclosing else "points" if one.granularity == "point" else "detection"
    asked = "point" if part == "points" else "box"
    wording, says = pick(wordings("grounding", part), chance), pick(wordings("grounding", f"{part}-answers"), chance)
    name, ids = one.name, tuple([region["id"] for region in regions])
    answer, spans = told(
        says,
        "one" if len(ids) == 1 and not enclosing else "answer",
        name=Words(name, ids),
        count=len(ids),
        regions=listed([f"<{asked}:{region}>" for region in ids]),
    )
    derived = one.granularity == "mask" or any(region["origin"] == "derived" for region in regions)
    return asking.question(
        case,
        place=place,
        kind=Kind.DETECTION,
        about=one.state,
        granularity=asked,
        question=wording.fill(name=name, picture=picture(case.modality)),
        instruction={"enclosing": ENCLOSING, "points": POINTS}.get(part, BOXES),
        answer=answer,
        spans=spans,
        labels=(one.state["label_id"],),
        targets=ids,
        wording=f"{wording.id}+{says.id}",
        flags=(*([DERIVED_BOX] if derived else []), *one.flags),
    )


def _missing(case: Case, homes: Homes, kinds: tuple[str, ...], *, chance: Chance, share: float) -> Missing | None:
    """A label known to be absent, on a share of the cases that have one."""
    every = askable_absent(case, homes, kinds) if share else []
    return chance.one(every) if every and chance.unit() < share else None


def _absent(asking: Asking, case: Case, missing: Missing, *, chance: Chance, place: int, kind: Kind) -> Question:
    """Worded like the questions for labels that are there."""
    part, instruction = _ABSENT[missing.granularity]
    wording, says = pick(wordings("grounding", part), chance), pick(wordings("grounding", "absent-answers"), chance)
    name = name_of(missing.state)
    return asking.question(
        case,
        place=place,
        kind=kind,
        about=missing.state,
        granularity=missing.granularity,
        perspective=1 if kind is Kind.GROUNDING else None,
        question=wording.fill(name=name, picture=picture(case.modality)),
        instruction=instruction,
        answer=told(says, name=name)[0],
        labels=(missing.state["label_id"],),
        wording=f"{wording.id}+{says.id}",
        flags=(ABSENT,),
    )
