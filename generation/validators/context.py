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
from .naming import names_of

_CODES = ("CT", "CTA", "CBCT", "MRI", "MRA", "PET", "OCT", "OCTA", "SPECT", "FLAIR", "DWI", "ADC", "SWI", "DTI")
_VAGUE = frozenset({"fat", "water", "cine", "echo", "fundus", "pathology", "photograph", "cytology", "confocal", "doppler"})
_VAGUE_AREAS = frozenset({"cell", "cells", "tissue", "body", "head", "neck", "face", "phantom", "skin", "vessel", "bone"})
"""Words that say no place, or that parts of other places bear too, such as the head of the femur."""
_NOWHERE = frozenset({"other", "unspecified"})
"""Codes that say nothing."""
_LEAST = 5
"""Letters that a word must have to speak for a modality; shorter ones are codes."""


def faults(question: Question, case: Case, pools: Pools) -> Iterator[Fault]:
    """Other modalities in the question, other modalities or areas in a description."""
    for code in _strange_modalities(question.question, case.modality):
        yield Fault("wrong-modality", f"{MODALITIES[code].name} in {question.question!r:.80}", case.modality_name)
    if question.kind is Kind.DESCRIPTION and question.answer:
        yield from _description(question, case)


def _description(question: Question, case: Case) -> Iterator[Fault]:
    answer = question.answer or ""
    text = " ".join(answer[one.start : one.end] for one in question.spans if one.level == "global") or answer
    for code in _modalities(text):
        if not _related(MODALITIES, code, case.modality):
            yield Fault("wrong-modality", MODALITIES[code].name, case.modality_name)
    own = {case.record["area"], *(one["area"] for one in case.states)}
    labels = {name.casefold() for one in case.states for name in (one["label"], *names_of(one["label_id"]))}
    for word, code in _areas(text):
        if word not in labels and not any(_related(AREAS, code, area) for area in own):
            yield Fault("wrong-area", AREAS[code].name, " or ".join(sorted(own)))


@lru_cache(1 << 14)
def _strange_modalities(text: str, modality: str) -> tuple[str, ...]:
    """Codes of the modalities that a text names and that have nothing to do with one."""
    return tuple(code for code in _modalities(text) if not _related(MODALITIES, code, modality))


def _modalities(text: str) -> list[str]:
    pattern, codes = _modality_words()
    found = [codes[match[0].casefold()] for match in pattern.finditer(text)]
    return [*found, *re.findall(rf"\b(?:{'|'.join(_CODES)})\b", text)]


def _areas(text: str) -> list[tuple[str, str]]:
    pattern, codes = _area_words()
    return [(match[1].casefold(), codes[match[1].casefold()]) for match in pattern.finditer(text)]


def _related(vocabulary: Vocabulary, one: str, other: str) -> bool:
    if one not in vocabulary or other not in vocabulary:
        return True
    return vocabulary.is_a(one, other) or vocabulary.is_a(other, one)


@cache
def _modality_words() -> tuple[re.Pattern[str], dict[str, str]]:
    codes = {
        word.casefold(): term.code
        for term in MODALITIES
        if term.code not in _NOWHERE
        for word in (term.name, *term.aliases)
        if len(word) >= _LEAST and word.casefold() not in _VAGUE and "_" not in word
    }
    return re.compile(rf"\b({_alternatives(codes)})\b", re.IGNORECASE), codes


@cache
def _area_words() -> tuple[re.Pattern[str], dict[str, str]]:
    """Areas behind "of the", since elsewhere the same words name regions."""
    codes = {
        word.casefold(): term.code
        for term in AREAS
        if term.code not in _NOWHERE
        for word in (term.name, *term.aliases)
        if word.casefold() not in _VAGUE_AREAS
    }
    return re.compile(rf"\b(?:of|through|from) (?:the |an? )?({_alternatives(codes)})\b", re.IGNORECASE), codes


def _alternatives(codes: dict[str, str]) -> str:
    return "|".join(re.escape(word) for word in sorted(codes, key=len, reverse=True))
