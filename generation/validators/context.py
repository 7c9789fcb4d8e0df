"""Whether texts speak of the sample's own modality and part of the body."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from ...schema.question import Kind, Question
from ...schema.triplet import AREAS, MODALITIES
from ...schema.vocabulary import Vocabulary
from ..case import Case
from ..pools import Pools
from .fault import Fault
from .finding import Names
from .naming import names_of
from .passages import GENERAL, sentences

_CODES = ("CT", "CTA", "CBCT", "MRI", "MRA", "PET", "OCT", "OCTA", "SPECT", "FLAIR", "DWI", "ADC", "SWI", "DTI")
_LEAST = 5
"""Letters that a word must have to speak for a modality; of shorter ones only those above."""
_VAGUE = frozenset({"fat", "water", "cine", "echo", "fundus", "pathology", "photograph", "cytology", "confocal", "doppler"})
_VAGUE_AREAS = frozenset({"cell", "cells", "tissue", "body", "head", "neck", "face", "phantom", "skin", "vessel", "bone"})
"""Words that say no place, or that parts of other places bear too, such as the head of the femur."""
_NOWHERE = frozenset({"other", "unspecified"})
"""Codes that say nothing."""
_BEFORE = ("of ", "through ", "from ")
_OF = re.compile(r"\b(?:of|through|from) (?:the |an? )?$")


def faults(question: Question, case: Case, pools: Pools) -> Iterator[Fault]:
    """Other modalities in the question, other modalities or areas in a description."""
    for code in _strange_modalities(question.question, case.modality):
        yield Fault("wrong-modality", f"{MODALITIES[code].name} in {question.question!r:.80}", case.modality_name)
    if question.kind is Kind.DESCRIPTION and question.answer:
        yield from _description(question, case)


def _description(question: Question, case: Case) -> Iterator[Fault]:
    """What the text says of the picture itself: where it opens, and where it names its modality."""
    answer = question.answer or ""
    text = " ".join([answer[one.start : one.end] for one in question.spans if one.level == "global"]) or answer
    for sentence in _of_the_picture(text):
        for code in _strange_modalities(sentence, case.modality):
            yield Fault("wrong-modality", MODALITIES[code].name, case.modality_name)
        areas = _areas(sentence)
        own = {case.record["area"], *(one["area"] for one in case.states)} if areas else ()
        for word, code in areas:
            if not any(_related(AREAS, code, area) for area in own) and word not in _labels(case):
                yield Fault("wrong-area", AREAS[code].name, " or ".join(sorted(own)))


def _of_the_picture(text: str) -> list[str]:
    first, *others = sentences(text) or [""]
    return [first, *(one for one in others if not one.startswith(GENERAL) and _modalities(one))]


def _labels(case: Case) -> set[str]:
    """What the case's labels are called: some are called as areas are."""
    return {name.casefold() for one in case.states for name in (one["label"], *names_of(one["label_id"]))}


@lru_cache(1 << 14)
def _strange_modalities(text: str, modality: str) -> tuple[str, ...]:
    """Codes of the modalities that a text names and that have nothing to do with one."""
    return tuple(code for code in _modalities(text) if not _related(MODALITIES, code, modality))


@lru_cache(1 << 14)
def _modalities(text: str) -> tuple[str, ...]:
    """Codes of the modalities that a text names."""
    return tuple([one.meant for one in _modality_names().within(text)])


@lru_cache(1 << 14)
def _areas(text: str) -> tuple[tuple[str, str], ...]:
    """Words and codes of the areas behind "of the": elsewhere the same words name regions."""
    names = _area_names().within(text) if any(word in text for word in _BEFORE) else ()
    found = [one for one in names if _OF.search(text, max(one.start - 12, 0), one.start)]
    return tuple((text[one.start : one.end].casefold(), one.meant) for one in found)


@cache
def _related(vocabulary: Vocabulary, one: str, other: str) -> bool:
    if one not in vocabulary or other not in vocabulary:
        return True
    return vocabulary.is_a(one, other) or vocabulary.is_a(other, one)


@cache
def _modality_names() -> Names:
    words = [(word, term.code) for term in MODALITIES for word in (term.name, *term.aliases) if term.code not in _NOWHERE]
    plain = [(word, code) for word, code in words if len(word) >= _LEAST and word.casefold() not in _VAGUE and "_" not in word]
    return Names([*((code, code) for code in _CODES), *plain])


@cache
def _area_names() -> Names:
    words = [(word, term.code) for term in AREAS for word in (term.name, *term.aliases) if term.code not in _NOWHERE]
    return Names((word, code) for word, code in words if word.casefold() not in _VAGUE_AREAS)
