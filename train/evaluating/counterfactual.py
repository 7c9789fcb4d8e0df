"""Questions whose right answer is another one: the prompt moved, or something asked for that isn't there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...generation.case import name_of
from ...generation.chance import Chance
from ...generation.pools import kin
from ...generation.regions.marked import ABSENT
from ...generation.regions.pointing import alone, meet, points_inside
from ...generation.regions.told import told
from ...generation.wording import pick, wordings
from ...schema.question import Kind, Option, Prompt, Question, Span
from ..asked import Asked

Record = Mapping[str, Any]
_GRANTED = ("enclosing", "several")
"""Wordings of `wordings/grounding.yaml` that take it for granted that there is something."""


def moved(asked: Asked, seed: int) -> tuple[Question, Question] | None:
    """The question with its one prompt on an annotation of another label, and the same with the answer of before.

    Of a choice, an option that is wrong before and after makes place for the new label where it isn't one already. A label
    that is kin to the old one is no other label. None where there is no such annotation, or the prompt would show two.
    """
    question = asked.question
    if len(question.prompts) != 1 or len(question.labels) != 1 or question.answer is None:
        return None
    chance = Chance("moved", seed, question.id)
    old, annotations = question.labels[0], asked.record["annotations"]
    for other in chance.shuffled([one for one in annotations if not kin(one["label_id"], old)]):
        prompt = _pointed(question.prompts[0].kind, other, asked.record, chance)
        if prompt is None:
            continue
        if question.kind is Kind.REFERRING:
            made = _referred(question, other)
        else:
            made = _chosen(question, other, chance) if _fits(question, other, asked.record) else None
        if made is not None:
            return replace(made[0], prompts=(prompt,)), replace(made[1], prompts=(prompt,))
    return None


def _referred(question: Question, other: Record) -> tuple[Question, Question] | None:
    """Only masks can be asked for as a mask."""
    if other["rle"] is None:
        return None
    name, own = name_of(other), (other["id"],)
    span = Span(0, len(name), own)
    return replace(question, answer=name, labels=(other["label_id"],), targets=own, spans=(span,)), question


def _chosen(question: Question, other: Record, chance: Chance) -> tuple[Question, Question] | None:
    """A choice that offers both labels; None where its options aren't labels, or its words don't fit the other one."""
    if len(question.letters) != 1 or any(one.label_id is None for one in question.options):
        return None
    offered = {one.label_id: one for one in question.options}
    right = offered.get(other["label_id"])
    options = question.options
    if right is None:
        free = [one for one in options if one.letter not in question.letters]
        if not free or any(kin(str(one.label_id), other["label_id"]) for one in options if one not in free):
            return None
        near = [one for one in free if kin(str(one.label_id), other["label_id"])]
        if len(near) > 1:  # two options that mean the new label would both be right
            return None
        gone = near[0] if near else chance.one(free)
        right = Option(gone.letter, other["label"], other["label_id"])
        options = tuple(right if one is gone else one for one in options)
    elif any(one is not right and kin(str(one.label_id), other["label_id"]) for one in options):
        return None
    stays = replace(question, options=options)
    letter = right.letter
    return replace(stays, letters=(letter,), answer=letter, labels=(other["label_id"],), targets=(other["id"],)), stays


def _fits(question: Question, other: Record, record: Record) -> bool:
    """Whether what a question says of what it asks for ("structure of the abdomen") holds for another annotation too."""
    own = question.clinical_task, question.area
    states = (one for one in record["labels"] if one["label_id"] == other["label_id"] and one["state"] == "present")
    return any((one["clinical_task"], one["area"]) == own for one in states)


def _pointed(kind: str, other: Record, record: Record, chance: Chance) -> Prompt | None:
    """The same kind of prompt on another annotation; None where it can't be shown so, or something else could be meant."""
    rivals = [one for one in record["annotations"] if one["label_id"] != other["label_id"]]
    if kind in ("mask", "contour"):
        return None if other["rle"] is None else Prompt(kind, other["id"])
    if kind == "box" and other["box_xyxy_px"] is not None:
        boxes = [one["box_xyxy_px"] for one in rivals if one["box_xyxy_px"] is not None]
        return Prompt(kind, other["id"], tuple(other["box_xyxy_px"])) if alone(other["box_xyxy_px"], boxes) else None
    if kind == "point" and other["rle"] is not None and other["box_xyxy_px"] is not None:
        size = record["size_hw_px"][0], record["size_hw_px"][1]
        box = other["box_xyxy_px"]
        masks = [one for one in rivals if one["rle"] and meet(one["box_xyxy_px"], box)]
        points = points_inside(dict(other), [dict(one) for one in masks], size, count=1, chance=chance)
        return Prompt(kind, other["id"], points_xy_px=points) if points else None
    return None


def absent(asked: Asked, seed: int) -> Question | None:
    """The question for a label whose state is absent, in place of the one that it names; None where that can't be worded.

    The name has to stand in the question once, the question mustn't take it for granted that something is there, and nothing
    that is kin to the new label may be present.
    """
    question, states = asked.question, asked.record["labels"]
    if ABSENT in question.flags or len(question.labels) != 1 or question.wording.startswith(_GRANTED):
        return None
    here = [one for one in states if one["state"] != "absent"]
    missing = [one for one in states if one["state"] == "absent" and not _kin_of(one, here)]
    named = _named(question.question, _names(asked.record, question.labels[0]))
    if named is None or not missing:
        return None
    chance = Chance("absent", seed, question.id)
    other = chance.one(missing)
    start, end = named
    says = pick(wordings("grounding", "absent-answers"), chance)
    return replace(
        question,
        question=question.question[:start] + name_of(other) + question.question[end:],
        answer=told(says, name=name_of(other))[0],
        labels=(other["label_id"],),
        targets=(),
        spans=(),
        flags=(*question.flags, ABSENT),
    )


def _kin_of(one: Record, others: Iterable[Record]) -> bool:
    return any(kin(one["label_id"], other["label_id"]) for other in others)


def _names(record: Record, label_id: str) -> Iterator[str]:
    """What a question may call a label, the longest first."""
    found = [one for one in (*record["labels"], *record["annotations"]) if one["label_id"] == label_id]
    yield from sorted({name for one in found for name in (name_of(one), one["label"])}, key=lambda name: (-len(name), name))


def _named(text: str, names: Iterable[str]) -> tuple[int, int] | None:
    """Where the first of some names stands that the text has, None where it stands there twice or never."""
    for name in names:
        found = _places(text, name)
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _places(text: str, name: str) -> Sequence[tuple[int, int]]:
    return [one.span() for one in re.finditer(rf"(?<!\w){re.escape(name)}(?!\w)", text, re.IGNORECASE)]
