"""Multigranular descriptions after MedTrinity: the image as a whole, each region, and how regions relate.

All comes from the record (metadata, label states, geometry) and, behind "in general", from the knowledge file. Only labels
that are present are said to be there, only absent ones to be absent, and uncertain ones are called uncertain; nothing is
said of the rest. Each sentence is a span with its level and the annotations that it speaks of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from ...schema.errors import UsageError
from ...schema.question import Kind, Question, Span
from ..case import Asking, Case, Record, listed
from ..chance import Chance
from ..choices.modality_words import picture
from ..pools import Pools
from ..rules import Rule
from ..wording import pick, wordings
from .grammar import article, counted
from .knowledge import knowledge
from .opening import opening
from .region_words import Group, Sentence, border_sentence, groups, region_sentence, relation_sentences
from .seen import Seen, called, facts, seen

T = TypeVar("T")
GLOBAL, REGION, RELATION = "global", "region", "relation"
_PRESENT = {
    **dict.fromkeys(("finding", "negative"), "labelled"),
    **dict.fromkeys(("organ", "structure", "cell", "artifact", "object"), "without-region"),
    **dict.fromkeys(("grade", "quality"), "graded"),
}
"""Sort of a label that is present without region → part of the wordings that lists it."""
_ABSENT = frozenset(_PRESENT) - {"negative", "grade", "quality"}
_UNCERTAIN = frozenset(_PRESENT) - {"grade", "quality"}
_STATED = ("labelled", "without-region", "graded", "uncertain", "absent")
_WITH_ARTICLE = ("without-region", "uncertain")
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
        told = [(one, GLOBAL) for one in _whole(case, every, chance, absent=absent)]
        told += [(region_sentence(group, case, chance), REGION) for group in _drawn(every, regions, chance)]
        told += [(one, REGION if one.annotations else GLOBAL) for one in _known(case, found, chance, most=known)]
        if relations and every:
            told += [(one, RELATION) for one in relation_sentences(every, case, chance, most=relations)]
            border = border_sentence(every, case, chance)
            told += [(border, RELATION)] if border is not None else []
        yield _question(asking, case, told, chance, local=bool(every))

    return rule


def _question(asking: Asking, case: Case, told: Sequence[tuple[Sentence, str]], chance: Chance, *, local: bool) -> Question:
    wording = pick(wordings("description", "ask" if local else "ask-whole"), chance)
    spans = _spans(told)
    return asking.question(
        case,
        place=0,
        kind=Kind.DESCRIPTION,
        about=None,
        granularity="image",
        question=wording.fill(picture=picture(case.modality)),
        answer=" ".join([sentence.text for sentence, _ in told]),
        labels=tuple(dict.fromkeys([one["label_id"] for one in case.present])),
        targets=tuple(dict.fromkeys([name for span in spans for name in span.annotations])),
        spans=spans,
        wording="+".join([wording.id, *[sentence.wording for sentence, _ in told]]),
    )


def _spans(told: Sequence[tuple[Sentence, str]]) -> tuple[Span, ...]:
    """One per sentence, with a space between two."""
    spans: list[Span] = []
    start = 0
    for sentence, level in told:
        end = start + len(sentence.text)
        spans.append(Span(start, end, sentence.annotations, level))
        start = end + 1
    return tuple(spans)


def _whole(case: Case, every: Sequence[Group], chance: Chance, *, absent: int) -> Iterator[Sentence]:
    """What the image is, what is on it, what is stated of it."""
    yield _said("opening", chance, (), **opening(case))
    if every:
        things = listed(_counted(one) for one in every)
        ids = tuple([name for one in every for name in one.ids])
        yield _said("presence", chance, ids, things=things)
    for part, names in _stated(case, most=absent, chance=chance):
        yield _said(part, chance, (), things=listed(names))
    if (side := _SIDE_AT_IMAGE_LEFT.get((case.record["provenance"]["orientation"] or " ")[0])) is not None and every:
        yield _said("sides", chance, (), side=side)


def _said(part: str, chance: Chance, annotations: tuple[str, ...], **gaps: Any) -> Sentence:
    wording = pick(wordings("description", part), chance)
    return Sentence(wording.fill(**gaps), annotations, wording.id)


def _counted(group: Group) -> str:
    count = len(group.regions)
    if count == 1:
        return f"{article(group.known, group.name)}{group.name}"
    return counted(count, group.name, group.known)


def _stated(case: Case, *, most: int, chance: Chance) -> Iterator[tuple[str, list[str]]]:
    """Parts of the wordings and the names that they list: labels without region, grades, what is uncertain or absent."""
    found: dict[str, list[Record]] = {}
    for one in case.states:
        if (part := _part(one, case)) is not None:
            found.setdefault(part, []).append(one)
    for part in [part for part in _STATED if part in found] if found else ():
        states = found[part]
        if part == "absent":
            states = list({one["label_id"]: {**one, "laterality": None} for one in states}.values())
            states = _drawn(states, most, chance)
        if states:
            yield part, [_stated_name(one, case, bare=part not in _WITH_ARTICLE) for one in states]


def _part(one: Record, case: Case) -> str | None:
    """The part of the wordings that lists a label state; None where it is told elsewhere or not at all."""
    state, label_id = one["state"], one["label_id"]
    if state == "present":
        return None if (label_id, one["laterality"]) in case.regions else _PRESENT.get(_sort(label_id))
    if state == "absent":
        return "absent" if _sort(label_id) in _ABSENT and label_id in case.absent else None
    return "uncertain" if state == "uncertain" and _sort(label_id) in _UNCERTAIN else None


def _stated_name(one: Record, case: Case, *, bare: bool) -> str:
    name = called(one, case.modality)
    value = "" if one["value"] is None else f" ({one['value']:g}{' ' + one['unit'] if one['unit'] else ''})"
    return f"{'' if bare else article(knowledge().get(one['label_id']), name)}{name}{value}"


def _sort(label_id: str) -> str:
    """The label's sort; labels that nobody knows are findings."""
    known = knowledge().get(label_id)
    return "finding" if known is None else known.sort


def _drawn(every: Sequence[T], most: int, chance: Chance) -> list[T]:
    """At most so many, in their own order."""
    if len(every) <= most:
        return list(every)
    return [every[place] for place in sorted(chance.some(range(len(every)), most))]


def _known(case: Case, found: Sequence[Seen], chance: Chance, *, most: int) -> Iterator[Sentence]:
    """What is generally known of some labels that are present, first of all how they look."""
    if not most:
        return
    own = facts(case)
    labels = list(dict.fromkeys([one["label_id"] for one in case.present if one["label_id"] in own])) if own else []
    for label_id in chance.some(labels, min(most, len(labels))):
        some, known = own[label_id], knowledge()[label_id]
        fact = chance.one([one for one in some if one.kind == "appearance"] or some)
        the_name = f"{article(known, known.label)}{known.label}"
        ids = next((one.ids for one in found if one.label_id == label_id), ())
        yield _said("knowledge", chance, ids, the_name=the_name, fact=fact.text)
