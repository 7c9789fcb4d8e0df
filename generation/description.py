"""Multigranular descriptions after MedTrinity: the image as a whole, each region, and how regions relate.

All comes from the record (metadata, label states, geometry) and, behind "in general", from the knowledge file. Only labels
that are present are said to be there, only absent ones to be absent, and uncertain ones are called uncertain; nothing is
said of the rest. Each sentence is a span with its level and the annotations that it speaks of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from ..schema.errors import UsageError
from ..schema.question import Kind, Question
from ..schema.triplet import AREAS
from .case import Asking, Case, Record, listed
from .chance import Chance
from .grammar import Tied, an, article, capital, counted
from .knowledge import knowledge
from .modality_words import picture
from .pools import Pools
from .region_words import Group, Sentence, border_sentence, groups, region_sentence, relation_sentences
from .rules import Rule
from .seen import SIDES, called, facts, one_eye, seen
from .wording import pick, wordings

GLOBAL, REGION, RELATION = "global", "region", "relation"
VIEWS = {
    "PA": "posteroanterior (PA) view",
    "AP": "anteroposterior (AP) view",
    "LATERAL": "lateral view",
    "CC": "craniocaudal (CC) view",
    "MLO": "mediolateral oblique (MLO) view",
}
AREA_WORDS = {
    "blood": "blood",
    "bone-marrow": "bone marrow",
    "cell": "cells",
    "tissue": "tissue",
    "sperm": "sperm",
    "bones": "bones",
    "vessels": "blood vessels",
    "nerves": "peripheral nerves",
    "lymph-nodes": "lymph nodes",
    "fetus": "a fetus",
    "phantom": "a test object",
    "lung": "the lungs",
    "musculoskeletal": "the musculoskeletal system",
}
"""Areas that aren't "the" and their name in small letters."""
_UNSAID = ("other", "unspecified")
_WHOLE = ("finding", "negative")
_GRADES = ("grade", "quality")
_PRESENT_ONLY = ("organ", "structure", "cell", "artifact", "object")
_SIDE_AT_IMAGE_LEFT = {"L": "right", "R": "left"}


def description(asking: Asking, pools: Pools, *, regions: int = 8, relations: int = 2, known: int = 1, absent: int = 4) -> Rule:
    """The rule of multigranular descriptions: one per sample.

    Args:
        asking: Who asks.
        pools: Unused: a description speaks of one sample alone.
        regions: Sentences about regions, at most; more names are drawn from.
        relations: Sentences on how regions lie to each other, at most; one more tells how one lies to the image's edge.
        known: Sentences of general knowledge, at most.
        absent: Labels known to be absent that are named, at most.

    Raises:
        UsageError: a negative number.
    """
    if min(regions, relations, known, absent) < 0:
        raise UsageError(f"regions {regions}, relations {relations}, known {known}, absent {absent}; expected 0 or more")

    def rule(case: Case, chance: Chance) -> Iterator[Question]:
        found = seen(case)
        every = groups(found, case.modality)
        told = Told()
        for sentence in _whole(case, every, chance, absent=absent):
            told.add(sentence, GLOBAL)
        for group in _drawn(every, regions, chance):
            told.add(region_sentence(group, case, chance), REGION)
        for sentence in _known(case, {one.label_id: one.ids for one in found}, chance, most=known):
            told.add(sentence, REGION if sentence.annotations else GLOBAL)
        for sentence in relation_sentences(every, case, chance, most=relations) if relations else ():
            told.add(sentence, RELATION)
        if relations and (sentence := border_sentence(every, case, chance)) is not None:
            told.add(sentence, RELATION)
        yield _question(asking, case, told, chance, local=bool(every))

    return rule


class Told:
    """Sentences one after the other, and what they speak of."""

    def __init__(self) -> None:
        self.text = Tied()
        self.wordings: list[str] = []

    def add(self, sentence: Sentence, level: str) -> None:
        """Puts a sentence at the end."""
        if len(self.text):
            self.text.say(" ")
        self.text.tie(sentence.text, sentence.annotations, level)
        self.wordings.append(sentence.wording)

    @property
    def annotations(self) -> tuple[str, ...]:
        """All that is spoken of, each once, in order."""
        return tuple(dict.fromkeys(name for span in self.text.spans for name in span.annotations))


def _question(asking: Asking, case: Case, told: Told, chance: Chance, *, local: bool) -> Question:
    wording = pick(wordings("description", "ask" if local else "ask-whole"), chance)
    return asking.question(
        case,
        place=0,
        kind=Kind.DESCRIPTION,
        about=None,
        granularity="image",
        question=wording.fill(picture=picture(case.modality)),
        answer=str(told.text),
        labels=tuple(dict.fromkeys([one["label_id"] for one in case.present])),
        targets=told.annotations,
        spans=tuple(told.text.spans),
        wording="+".join((wording.id, *told.wordings)),
    )


def _whole(case: Case, every: Sequence[Group], chance: Chance, *, absent: int) -> Iterator[Sentence]:
    """What the image is, what is on it, what is stated of it."""
    yield _opening(case, chance)
    if every:
        things = listed(_counted(one) for one in every)
        ids = tuple([name for one in every for name in one.ids])
        yield _said("presence", chance, ids, things=things)
    states = {part: list(_stated(case, part, most=absent, chance=chance)) for part in _STATED}
    yield from (_said(part, chance, (), things=listed(names)) for part, names in states.items() if names)
    if (side := _SIDE_AT_IMAGE_LEFT.get((case.record["provenance"]["orientation"] or " ")[0])) is not None and every:
        yield _said("sides", chance, (), side=side)


def _said(part: str, chance: Chance, annotations: tuple[str, ...], **gaps: Any) -> Sentence:
    wording = pick(wordings("description", part), chance)
    return Sentence(wording.fill(**gaps), annotations, wording.id)


def _opening(case: Case, chance: Chance) -> Sentence:
    plane = case.record["acquisition"]["plane"]
    noun = f"{plane} {picture(case.modality)}" if plane else picture(case.modality)
    a_picture = an(noun)
    gaps = {"a_picture": a_picture, "A_picture": capital(a_picture), "area": _area(case), "details": _details(case)}
    return _said("opening", chance, (), **gaps)


def _area(case: Case) -> str:
    """Words such as " of the brain"; nothing where the area is unknown."""
    if one_eye(case.modality) and AREAS.is_a(case.record["area"], "eye"):
        sides = {one["laterality"] for one in case.present} & {*SIDES}
        return f" of the {sides.pop()} eye" if len(sides) == 1 else " of the eye"
    return _area_words(case.record["area"])


@cache
def _area_words(code: str) -> str:
    if code in _UNSAID:
        return ""
    return f" of {AREA_WORDS.get(code) or f'the {AREAS[code].name.lower()}'}"


def _details(case: Case) -> str:
    """View, stain, contrast agent and scale, as far as they are known."""
    acquisition = case.record["acquisition"]
    view, stain, scale = acquisition["view"], acquisition["stain"], acquisition["um_per_px"]
    said = [
        f"in {VIEWS.get(view) or f'{view} view'}" if view else None,
        f"stained with {stain}" if stain else None,
        "taken with contrast agent" if acquisition["contrast"] == "yes" and case.modality != "T1ce" else None,
        f"at {scale:.3g} µm per pixel" if scale else None,
    ]
    return "".join(f", {one}" for one in said if one)


def _counted(group: Group) -> str:
    count = len(group.regions)
    if count == 1:
        return f"{article(group.known, group.name)}{group.name}"
    return counted(count, group.name, group.known)


def _stated(case: Case, part: str, *, most: int, chance: Chance) -> Iterable[str]:
    """Names of the labels that one kind of sentence about the whole image lists."""
    state, sorts = _STATED[part]
    found = [one for one in case.states if one["state"] == state and _sort(one) in sorts]
    if state == "present":
        found = [one for one in found if (one["label_id"], one["laterality"]) not in case.regions]
    if part == "absent":
        found = [one for one in found if one["label_id"] in case.absent]
        found = _unique(found)
        found = [found[place] for place in sorted(chance.some(range(len(found)), min(most, len(found))))]
    return [_stated_name(one, case, bare=part not in ("uncertain", "without-region")) for one in found]


def _unique(states: Iterable[Record]) -> list[Record]:
    return list({one["label_id"]: {**one, "laterality": None} for one in states}.values())


def _stated_name(one: Record, case: Case, *, bare: bool) -> str:
    name = called(one, case.modality)
    value = "" if one["value"] is None else f" ({one['value']:g}{' ' + one['unit'] if one['unit'] else ''})"
    return f"{'' if bare else article(knowledge().get(one['label_id']), name)}{name}{value}"


def _sort(one: Record) -> str:
    """The label's sort; labels that nobody knows are findings."""
    known = knowledge().get(one["label_id"])
    return "finding" if known is None else known.sort


_ALL = (*_WHOLE, *_PRESENT_ONLY)
_STATED: dict[str, tuple[str, tuple[str, ...]]] = {
    "labelled": ("present", _WHOLE),
    "without-region": ("present", _PRESENT_ONLY),
    "graded": ("present", _GRADES),
    "uncertain": ("uncertain", _ALL),
    "absent": ("absent", ("finding", *_PRESENT_ONLY)),
}
"""Part of the wordings → state of the labels that it lists, and their sorts."""


def _drawn(every: Sequence[Group], most: int, chance: Chance) -> list[Group]:
    if len(every) <= most:
        return list(every)
    return [every[place] for place in sorted(chance.some(range(len(every)), most))]


def _known(case: Case, ids: Mapping[str, tuple[str, ...]], chance: Chance, *, most: int) -> Iterator[Sentence]:
    """What is generally known of some labels that are present, first of all how they look."""
    if not most:
        return
    own = facts(case)
    labels = list(dict.fromkeys([one["label_id"] for one in case.present if one["label_id"] in own]))
    for label_id in chance.some(labels, min(most, len(labels))):
        some = own[label_id]
        fact = chance.one([one for one in some if one.kind == "appearance"] or some)
        known = knowledge()[label_id]
        the_name = f"{article(known, known.label)}{known.label}"
        yield _said("knowledge", chance, ids.get(label_id, ()), the_name=the_name, fact=fact.text)
