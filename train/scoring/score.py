"""A reply to a question's measures, by what kind of question it is.

kind              read by                 measures (all in `measures.py`)
single_choice     answers/choice.py       accuracy
multiple_choice   answers/choice.py       acc_mcq, recall_mcq, f1_mcq, exact_mcq
detection         answers/entities.py     box_*, pointing, count_*, stated_count_right; of points: point_f1, count_*, …
grounding         answers/entities.py     mask_*, entity_f1; where boxes were asked for: filled_*, box_*, entity_box_f1, count_*
referring         answers/entities.py     as grounding, and name_right
reasoning         answers/entities.py     as grounding; of boxes as detection, and entity_box_f1; name_right
prompted          entities, text.py       as reasoning; name_right; exact, token_*, bleu_*, rouge_l of the words
localization      answers/text.py         exact, token_*, bleu_*, rouge_l, alignment and its attributes
description       answers/text.py         the same
yes or no         answers/text.py         closed_accuracy, whatever the kind in words

A judge, where there is one, reads choices that no rule reads, and gives `judged_same` to prompted and localization.

Questions for regions also have `form_kept`; those for what isn't there `abstention` and `invention`, the others `denial`.
A reply that failed, was empty, refused or couldn't be read scores 0 wherever more is better, also where nothing is true.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...schema.errors import UsageError
from ...schema.question import Kind, Question
from ..answers.choice import read_choice
from ..answers.count import read_count
from ..answers.declining import declined
from ..answers.entities import read_entities
from ..answers.final import final
from ..answers.status import Status
from ..answers.text import YES_NO, normal, read_closed
from ..coordinates.place import Dialect, Frame
from ..prediction import Prediction
from .chance import chance_of
from .choice import accuracy, multiple_choice
from .measures import LESS_IS_BETTER
from .names import told
from .observers import human_bound
from .regions import Given, Marks, region_marks
from .scored import Scored, placed
from .text import closed_accuracy, description_measures, open_measures
from .truth import LOCATED, Truth, is_absent, true_names, truth

CHOICES = frozenset({Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE})
NAMED = frozenset({Kind.REFERRING, Kind.REASONING, Kind.PROMPTED})
"""Kinds that ask what something is."""
LOST = frozenset({Status.FAILED, Status.EMPTY, Status.REFUSED, Status.UNPARSED})
MASKS = ("polygon", "box")
_NO_REGION = re.compile(r"^\W*(?:json)?\W*\[\s*\]\W*$")
"""An empty list, as models write it that answer in lists."""
_SHOWN = 200
"""Characters of an answer in words that are kept."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read in a reply, and what it is worth."""

    status: Status
    rule: str
    said: str
    marks: Marks = field(default_factory=Marks)
    human: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question, its record, and how the reply is read."""

    question: Question
    record: Mapping[str, Any]
    dialect: Dialect
    frame: Frame
    judge: Any
    masks: str


def score(
    question: Question,
    record: Mapping[str, Any],
    prediction: Prediction,
    *,
    dialect: Dialect,
    frame: Frame,
    judge: Any = None,
    masks: str = "polygon",
) -> Scored:
    """The measures of one reply.

    Args:
        question: As it was put, options in the order that the model saw.
        record: Of the question's sample.
        prediction: The reply.
        dialect: In which places are read.
        frame: The picture as it is stored and as the model saw it.
        judge: Asked where no rule decides about a text; see `answers/judge.py`.
        masks: Whether masks were asked for as a `polygon` or as a `box` (`Style.masks`).

    Raises:
        UsageError: the answer is withheld, the record isn't that of the question, or another word for masks.
    """
    if question.answer is None:
        raise UsageError(f"{question.id}: its answer is withheld; expected one, as the holder of the answers has it")
    if masks not in MASKS:
        raise UsageError(f"masks {masks!r}; expected one of {', '.join(MASKS)}")
    asked = _Asked(question, record, dialect, frame, judge, masks)
    read = _reader(question.kind)(asked, prediction)
    marks = _lost(read.marks) if read.status in LOST else read.marks
    return Scored(
        **placed(question, record),
        variant=prediction.variant,
        status=str(read.status),
        said=read.said,
        parsed_by=read.rule,
        measures=marks.measures,
        tallies=marks.tallies,
        chance=chance_of(question),
        human=read.human,
    )


def _reader(kind: Kind) -> Callable[[_Asked, Prediction], _Read]:
    if kind in CHOICES:
        return _choice
    return _located if kind in LOCATED else _words


def _lost(marks: Marks) -> Marks:
    """The same with 0 wherever more is better, so that silence is right nowhere."""
    known = {name: value if value is None or name in LESS_IS_BETTER else 0.0 for name, value in marks.measures.items()}
    return Marks(known, marks.tallies)


def _choice(asked: _Asked, prediction: Prediction) -> _Read:
    question, text = asked.question, prediction.text
    choice = read_choice(text, question) if asked.judge is None else asked.judge.choice(text, question).choice
    if question.kind is Kind.SINGLE_CHOICE:
        measures = {"accuracy": accuracy(choice.letters, question.letters)}
    else:
        measures = multiple_choice(choice.letters, question.letters)
    return _Read(choice.status, choice.rule, ",".join(choice.letters), Marks(measures))


def _located(asked: _Asked, prediction: Prediction) -> _Read:
    """Names and places, and of questions of knowledge the words."""
    question, text = asked.question, final(prediction.text or "")
    true, given = truth(question, asked.record), _given(prediction, asked)
    status, rule = _status(text, prediction, has_places=bool(given.every), words_do=question.kind is Kind.PROMPTED)
    marks = region_marks(given, true, masks=asked.masks, names=question.kind is not Kind.DETECTION) | _there(
        asked, given, status
    )
    if question.kind in NAMED:
        marks |= _named(text, given, asked)
    if question.kind is Kind.PROMPTED:
        marks |= _text_marks(text, asked)
    if question.kind is Kind.DETECTION:
        marks |= _counted(prediction, true, asked)
    human = human_bound(true, asked.record, masks=asked.masks, single=question.kind in (Kind.REFERRING, Kind.PROMPTED))
    return _Read(status, rule, _said(given), marks, human)


def _words(asked: _Asked, prediction: Prediction) -> _Read:
    text = final(prediction.text or "")
    if _is_closed(asked.question):
        said = read_closed(prediction.text)
        return _Read(said.status, said.rule, said.text, _text_marks(text, asked))
    status, rule = _status(text, prediction, has_places=False, words_do=True)
    return _Read(status, rule, text[:_SHOWN], _text_marks(text, asked))


def _given(prediction: Prediction, asked: _Asked) -> Given:
    entities = read_entities(prediction.text, asked.question, asked.dialect, asked.frame)
    return Given(tuple(one.name for one in entities), tuple(one.places for one in entities))


def _status(text: str, prediction: Prediction, *, has_places: bool, words_do: bool) -> tuple[Status, str]:
    """What became of a reply that should hold places, or words."""
    if prediction.text is None:
        return Status.FAILED, "no-reply"
    if not text:
        return Status.EMPTY, "no-text"
    if has_places:
        return Status.ANSWERED, "places"
    refused = declined(text, Status.REFUSED)
    if refused is not None and not refused.rest:
        return Status.REFUSED, "refusal"
    if words_do:
        return Status.ANSWERED, "words"
    if _NO_REGION.match(text):
        return Status.ABSTAINED, "empty-list"
    return (Status.UNPARSED, "no-place") if declined(text, Status.ABSTAINED) is None else (Status.ABSTAINED, "not-there")


def _there(asked: _Asked, given: Given, status: Status) -> Marks:
    """Whether the reply knows if there is anything."""
    abstains = float(status is Status.ABSTAINED)
    if is_absent(asked.question):
        return Marks({"abstention": abstains, "invention": float(bool(given.every))})
    return Marks({"denial": abstains})


def _counted(prediction: Prediction, true: Truth, asked: _Asked) -> Marks:
    """Whether the number that a reply states, if it states one, is how many there are."""
    number = read_count(prediction.text, dialect=asked.dialect, frame=asked.frame).number
    return Marks({"stated_count_right": None if number is None else float(number == len(true.regions))})


def _named(text: str, given: Given, asked: _Asked) -> Marks:
    """Whether what is there is named: in the words, or as the name of a region."""
    names = true_names(asked.question, asked.record)
    if not names:
        return Marks({"name_right": None})
    words = asked.dialect.bare(text, asked.frame)
    return Marks({"name_right": told(". ".join([words, *dict.fromkeys(filter(None, given.names))]), names)})


def _text_marks(text: str, asked: _Asked) -> Marks:
    """Measures of the words, without their places."""
    question, words = asked.question, asked.dialect.bare(text, asked.frame) if asked.question.kind in LOCATED else text
    reference = question.answer or ""
    if _is_closed(question):
        return Marks({"closed_accuracy": closed_accuracy(words, reference)})
    told = open_measures if question.kind is Kind.PROMPTED else description_measures
    return Marks({**told(words, reference), **_judged(words, reference, asked)})


def _judged(words: str, reference: str, asked: _Asked) -> dict[str, float | None]:
    """What a judge says of an answer of knowledge or place; a description has too much in it to be the same."""
    if asked.judge is None or asked.question.kind is Kind.DESCRIPTION or not words:
        return {}
    same = asked.judge.same(words, reference, asked=asked.question.question).same
    return {"judged_same": None if same is None else float(same)}


def _is_closed(question: Question) -> bool:
    """Whether the right answer is yes or no, as foreign benchmarks have it."""
    return question.kind not in CHOICES and normal(question.answer or "") in YES_NO and not question.targets


def _said(given: Given) -> str:
    names = ", ".join(dict.fromkeys(filter(None, given.names)))
    return f"{len(given.every)} places{': ' + names if names else ''}"
