"""The parts of an answer that speak of regions: each with the annotations it speaks of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ...schema.question import Kind, Question, Span
from ..case import Case, Record

GENERAL = ("In general", "Generally", "As a rule", "It is known", "Typically", "Usually")
"""Openings of sentences that say what is known in general."""
_END = re.compile(r"[.!?](?=\s|$)")


class Passage(NamedTuple):
    """A stretch of an answer and what it speaks of."""

    text: str
    annotations: Sequence[Record]
    level: str | None = None


def passages(question: Question, case: Case) -> list[Passage]:
    """The answer's passages: a span with a level is one; spans of words share the sentence that they stand in.

    A localization without spans is one passage about its targets.
    """
    answer, annotations = question.answer or "", case.by_id
    if not question.spans and question.kind is Kind.LOCALIZATION:
        return [Passage(answer, [annotations[one] for one in question.targets if one in annotations])]
    spoken: dict[tuple[int, int, str | None], dict[str, Record]] = {}
    for span in question.spans:
        bounds = (span.start, span.end) if span.level is not None else _bounds(span, answer)
        found = spoken.setdefault((*bounds, span.level), {})
        for one in span.annotations:
            if one in annotations:
                found[one] = annotations[one]
    return [Passage(answer[start:end], list(found.values()), level) for (start, end, level), found in spoken.items()]


def sentences(text: str) -> list[str]:
    """The sentences of a text."""
    ends = [match.end() for match in _END.finditer(text)]
    return [one for a, b in zip([0, *ends], [*ends, len(text)], strict=True) if (one := text[a:b].strip())]


def in_general(text: str, at: int) -> bool:
    """Whether the sentence at a place speaks of what is known in general, not of the image."""
    start = text.rfind(". ", 0, at)
    return text.startswith(GENERAL, 0 if start < 0 else start + 2)


def _bounds(span: Span, answer: str) -> tuple[int, int]:
    """The sentence around a span."""
    start = 0
    for match in _END.finditer(answer):
        if match.end() >= span.end:
            return start, match.end()
        if match.end() <= span.start:
            start = match.end()
    return start, len(answer)
