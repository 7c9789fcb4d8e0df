"""Probes: the same question with a part of its answer told in words, to see what a wrong answer was wrong for.

A question of knowledge about what is pointed at (perspective IV) takes sight, then knowledge: with the name told, sight isn't
needed any more. A question that names a thing by what it does (perspective III) takes knowledge, then sight: with the name
told, the knowledge isn't needed any more. Other questions ask for the very thing that could be told, so they have no probe.
"""

from __future__ import annotations

from dataclasses import replace

from ...generation.case import listed
from ...schema.question import Kind, Question
from ..scoring.scored import Scored
from .right import right as is_right

PERCEPTION, KNOWLEDGE, UNKNOWN = "perception", "knowledge", "can't tell"


def probed(question: Question) -> Question | None:
    """The question with the names told that its answer ties to regions; None where there are none, or they stand there."""
    if question.kind not in (Kind.PROMPTED, Kind.REASONING) or question.answer is None:
        return None
    names = list(dict.fromkeys(question.answer[one.start : one.end] for one in question.spans if one.annotations))
    if not names or any(name.casefold() in question.question.casefold() for name in names):
        return None
    told = listed([f"the {name[:1].lower()}{name[1:]}" for name in names])
    if question.kind is Kind.PROMPTED:
        return replace(question, question=f"What is marked on the image is {told}. {question.question}")
    return replace(question, question=f"{question.question} What is meant is {told}.")


def reason(plain: Scored, probe: Scored | None) -> str:
    """Why a wrong answer is wrong: perception, knowledge, or can't tell."""
    if probe is None:
        return UNKNOWN
    better = is_right(probe)
    if plain.kind == Kind.PROMPTED:
        return PERCEPTION if better else KNOWLEDGE
    return KNOWLEDGE if better else PERCEPTION
