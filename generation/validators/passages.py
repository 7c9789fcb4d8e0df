"""The parts of an answer that speak of regions: each with the annotations it speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ...schema.question import Kind, Question, Span
from ..case import Case, Record

GENERAL = ("In general", "Generally", "As a rule", "It is known", "Typically", "Usually")
"""Openings of sentences that say what is known in general."""
_END = re.compile(r"[.!?](?=\s|$)")


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of an answer and what it speaks of."""

    text: str
    annotations: tuple[Record, ...]
    level: str | None = None


def passages(question: Question, case: Case) -> Iterator[Passage]:
    """The answer's passages: a span with a level is one; spans of words share the sentence that they stand in.

    A localization without spans is one passage about its targets.
    """
    answer = question.answer or ""
    annotations = case.by_id
    spoken: dict[tuple[int, int, str | None], dict[str, Record]] = {}
    for span in question.spans:
        found = spoken.setdefault((*_bounds(span, answer), span.level), {})
        found |= {one: annotations[one] for one in span.annotations if one in annotations}
    for (start, end, level), found in spoken.items():
        yield Passage(answer[start:end], tuple(found.values()), level)
    if not spoken and question.kind is Kind.LOCALIZATION:
        yield Passage(answer, tuple(annotations[one] for one in question.targets if one in annotations))


def sentences(text: str) -> list[str]:
    """The sentences of a text."""
    ends = [match.end() for match in _END.finditer(text)]
    return [one for a, b in zip([0, *ends], [*ends, len(text)], strict=True) if (one := text[a:b].strip())]


def in_general(text: str, at: int) -> bool:
    """Whether the sentence at a place speaks of what is known in general, not of the image."""
    start = text.rfind(". ", 0, at)
    return text.startswith(GENERAL, 0 if start < 0 else start + 2)


def _bounds(span: Span, answer: str) -> tuple[int, int]:
    """The span itself where it has a level, else the sentence around it."""
    if span.level is not None:
        return span.start, span.end
    ends = [match.end() for match in _END.finditer(answer)]
    start = max((at for at in ends if at <= span.start), default=0)
    return start, min((at for at in ends if at >= span.end), default=len(answer))
