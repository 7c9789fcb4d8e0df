"""Whether stem and instruction tell what they ask for, and whether a question that needs a name has it.

A choice may name what it likes but what singles the answer out: the answer itself, its words, or a label that is kin to
the answer and to no wrong option. Detection, localization and grounding need the name of what they ask for. Referring and
the perspectives III and IV must not hold it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from ...schema.question import Kind, Option, Question
from ...schema.triplet import AREAS, MODALITIES, TASKS
from ..case import Case
from ..pools import Pools, kin
from .fault import Fault
from .naming import bag, holds, named, names_of

CHOICES = frozenset({Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE})
NAMING = frozenset({Kind.DETECTION, Kind.LOCALIZATION, Kind.GROUNDING})
"""Kinds whose question holds the name of what it asks for."""
HIDING = frozenset({Kind.REASONING, Kind.PROMPTED})
"""Kinds whose question names nothing that is there."""
_FILLERS = frozenset(["a", "an", "and", "in", "of", "or", "the", "to", "with"])
_ANSWERS = frozenset({"yes", "no"})
_HEIGHTS, _SIDES = frozenset({"upper", "lower", "middle"}), frozenset({"left", "right"})


def faults(question: Question, case: Case, pools: Pools) -> Iterable[Fault]:
    """Answers given away, entities named, names missing."""
    kind = question.kind
    if kind in CHOICES:
        return _choice(question)
    if kind in NAMING:
        return _naming(question, case)
    if kind in HIDING:
        return _hiding(question, case)
    if kind is Kind.REFERRING:
        return _referring(question, case)
    return ()


def _choice(question: Question) -> Iterator[Fault]:
    truths = [one for one in question.options if one.letter in question.letters]
    others = [one for one in question.options if one.letter not in question.letters]
    text, cues = _text(question), _cues(question)
    for truth in truths:
        if told := _told(truth, others, text=text, cues=cues):
            yield Fault("answer-in-question", f"{told!r} in {text!r:.120}", f"nothing that singles {truth.text!r} out")


def _told(truth: Option, others: Iterable[Option], *, text: str, cues: frozenset[str]) -> str | None:
    """The words that tell this answer."""
    if truth.label_id is not None:
        for label_id in named(text):
            if _singles_out(label_id, truth.label_id, others, cues=cues):
                return next(iter(names_of(label_id)), label_id)
    ours = _content(truth, cues)
    if ours and ours <= bag(text) and any(not _content(one, cues) <= bag(text) for one in others):
        return " ".join(sorted(ours))
    return None


def _singles_out(label_id: str, truth: str, others: Iterable[Option], *, cues: frozenset[str]) -> bool:
    if label_id == truth:
        return True
    if not kin(label_id, truth) or any(one.label_id is not None and kin(label_id, one.label_id) for one in others):
        return False
    names = names_of(label_id)
    return not names or not bag(names[0]) <= cues


def _content(option: Option, cues: frozenset[str]) -> frozenset[str]:
    """The words of an option that say something; the question's own cues (area, task, …) say nothing about a label."""
    return bag(option.text) - _ANSWERS if option.label_id is None else bag(option.text) - _FILLERS - cues


def _naming(question: Question, case: Case) -> Iterator[Fault]:
    text = question.question
    for label_id in question.labels:
        if label_id not in named(text) and not any(holds(text, name) for name in _printed(label_id, case)):
            yield Fault("name-missing", f"{text!r:.120}", f"the name of {label_id}")
    if question.kind is Kind.LOCALIZATION and bag(text) & _HEIGHTS and bag(text) & _SIDES:
        pairs = [f"{height} {side}" for height in sorted(_HEIGHTS) for side in sorted(_SIDES)]
        yield from (Fault("place-in-question", pair, "a question without a place") for pair in pairs if holds(text, pair))


def _hiding(question: Question, case: Case) -> Iterator[Fault]:
    text = _text(question)
    for label_id in sorted(_meant(question, case)):
        if told := _entity(label_id, text, case):
            yield Fault("entity-named", f"{told!r} in {text!r:.120}", f"a question that doesn't name {label_id}")


def _referring(question: Question, case: Case) -> Iterator[Fault]:
    text = _text(question)
    for label_id in sorted(_meant(question, case)):
        if told := _entity(label_id, text, case):
            yield Fault("answer-in-question", f"{told!r} in {text!r:.120}", f"a question that doesn't name {label_id}")


def _entity(label_id: str, text: str, case: Case) -> str | None:
    """What names the label: itself, something narrower, something wider in its own words ("tumor" of "brain tumor")."""
    own = bag(" ".join(names_of(label_id)[:1] or _printed(label_id, case)))
    for other in named(text):
        name = next(iter(names_of(other)), other)
        if other == label_id or (kin(other, label_id) and (bag(name) <= own or own <= bag(name))):
            return name
    return next((name for name in _printed(label_id, case) if holds(text, name)), None)


def _meant(question: Question, case: Case) -> set[str]:
    """The labels asked for: stated, or those of targets and prompts."""
    places = {*question.targets, *(one.annotation for one in question.prompts)}
    return {*question.labels, *(one["label_id"] for one in case.record["annotations"] if one["id"] in places)}


def _printed(label_id: str, case: Case) -> set[str]:
    return {one["label"] for one in case.states if one["label_id"] == label_id}


def _text(question: Question) -> str:
    return f"{question.question}\n{question.instruction}" if question.instruction else question.question


def _cues(question: Question) -> frozenset[str]:
    return _cue_words(question.modality, question.area, question.task, question.clinical_task, question.department)


@lru_cache(1 << 12)
def _cue_words(modality: str, area: str, task: str, clinical_task: str, department: str) -> frozenset[str]:
    """Words that every question of the kind holds, whatever its answer."""
    terms = ((MODALITIES, modality), (AREAS, area), (TASKS, task))
    names = [vocabulary[code].name if code in vocabulary else code for vocabulary, code in terms]
    return bag(" ".join((*names, clinical_task, department)))
