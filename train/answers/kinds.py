"""What is wrong with a wrong reply, as far as its words tell. Perception and knowledge need a probe and aren't told apart here.

- refusal: it declines.
- irrelevant: it is empty or junk, repeats the question, or names nothing that has to do with the question: none of its options
  or labels, and no label, modality, or part of the body at all.
- misread: it answers another question. A choice is answered with a letter, or with words of the vocabulary, that no option has;
  a place is asked for and none is given, or none is asked for and only places are; the picture is called another modality than
  it is.
- wrong: it answers the question that was asked, and not rightly.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache

from ...generation.validators.finding import Names
from ...generation.validators.naming import named
from ...schema.question import Kind, Question
from ...schema.triplet import AREAS, MODALITIES
from .choice import read_choice
from .declining import declined
from .final import final
from .option_texts import OptionTexts
from .status import Status


class WrongKind(StrEnum):
    """Kinds of wrong replies."""

    REFUSAL = "refusal"
    IRRELEVANT = "irrelevant"
    MISREAD = "misread"
    WRONG = "wrong"


CHOICES = frozenset({Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE})
PLACED = frozenset({Kind.DETECTION, Kind.GROUNDING, Kind.REFERRING, Kind.REASONING})
"""Kinds whose answers have places."""
_ANSWERS = frozenset({"several", "hedged", "contradictory"})
"""Readings of a choice that do speak of its options."""
_OF_ANOTHER = {"no-such-option": WrongKind.MISREAD, "echo": WrongKind.IRRELEVANT}
"""Readings that speak of no option of the question, or say no more than it does."""
_NUMBERS_ONLY = re.compile(r"^[\W\d_]*(?:bbox_2d|box_2d|box|label|loc|json|ref|[xy]\d?)*[\W\d_]*$", re.IGNORECASE)


def wrong_kind(reply: str | None, question: Question, *, places: int = 0) -> WrongKind:
    """The kind of a reply that is known to be wrong.

    Args:
        reply: None where none came.
        question: As it was put.
        places: How many places were read in the reply.
    """
    text = final(reply or "")
    if not text:
        return WrongKind.IRRELEVANT
    if question.kind in CHOICES:
        return _of_choice(text, question)
    if places:
        return WrongKind.WRONG if question.kind in PLACED or question.kind is Kind.PROMPTED else WrongKind.MISREAD
    if declined(text, Status.REFUSED) is not None:
        return WrongKind.REFUSAL
    if question.kind in PLACED:
        denies = declined(text, Status.ABSTAINED) is not None
        return WrongKind.WRONG if denies else WrongKind.MISREAD if _speaks(text) else WrongKind.IRRELEVANT
    if _NUMBERS_ONLY.match(text):
        return WrongKind.MISREAD if any(one.isdigit() for one in text) else WrongKind.IRRELEVANT
    return _in_words(text, question)


def _of_choice(text: str, question: Question) -> WrongKind:
    read = read_choice(text, question)
    if read.status is Status.REFUSED:
        return WrongKind.REFUSAL
    if read.rule in _OF_ANOTHER:
        return _OF_ANOTHER[read.rule]
    if read.status in (Status.ANSWERED, Status.ABSTAINED) or read.rule in _ANSWERS:
        return WrongKind.WRONG
    if OptionTexts(question.options).within(text):
        return WrongKind.WRONG
    return (
        WrongKind.MISREAD
        if _speaks(text) or (_NUMBERS_ONLY.match(text) and re.search(r"\d\D+\d", text))
        else WrongKind.IRRELEVANT
    )


def _in_words(text: str, question: Question) -> WrongKind:
    if not _speaks(text):
        return WrongKind.IRRELEVANT
    said = {MODALITIES.root(one.meant).code for one in _modalities().within(text)}
    return WrongKind.MISREAD if said and MODALITIES.root(question.modality).code not in said else WrongKind.WRONG


def _speaks(text: str) -> bool:
    """Whether a text names anything of ours."""
    return bool(named(text)) or bool(_modalities().within(text)) or bool(_areas().within(text))


@cache
def _modalities() -> Names:
    return Names((word, one.code) for one in MODALITIES for word in one.words)


@cache
def _areas() -> Names:
    return Names((word, one.code) for one in AREAS for word in one.words if len(word) > 2)
