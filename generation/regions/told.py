"""Answers whose words are tied to annotations: a wording's text with its gaps filled, and the spans of the tied ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from string import Formatter

from ...schema.errors import UsageError
from ...schema.question import Span
from ..wording import Filled, Wording


@dataclass(frozen=True, slots=True)
class Words:
    """Words of an answer and the annotations they speak of."""

    text: str
    annotations: tuple[str, ...]
    before: str = ""
    """What a list says before them, such as "the "; it isn't tied."""


Gap = Filled | Words | Sequence[Words]
"""Plain, tied, or a list that a sentence gives as "a, b and c", each tied on its own."""


def told(wording: Wording, text: str = "answer", **gaps: Gap) -> tuple[str, tuple[Span, ...]]:
    """One of a wording's texts with the gaps filled, and a span for each tied stretch, in order.

    Raises:
        UsageError: it has no such text, or a gap that nobody fills.
    """
    if text not in wording.texts:
        raise UsageError(f"wording {wording.id}: no text {text!r}; expected one of {sorted(wording.texts)}")
    said = ""
    spans: list[Span] = []
    for literal, gap in _parsed(wording.texts[text]):
        said += literal
        if gap is None:
            continue
        if gap not in gaps:
            raise UsageError(f"wording {wording.id}: gap {gap!r} in {text}; expected one of {sorted(gaps)}")
        for words in _pieces(gaps[gap]):
            if isinstance(words, str):
                said += words
                continue
            start = len(said)
            said += words.text
            if words.annotations:
                spans.append(Span(start, len(said), words.annotations))
    return said, tuple(spans)


def _pieces(gap: Gap) -> Sequence[str | Words]:
    if isinstance(gap, (Words, str)):
        return (gap,)
    if not isinstance(gap, Sequence):
        return (str(gap),)
    joined: list[str | Words] = []
    for place, words in enumerate(gap):
        joint = "" if place == 0 else " and " if place == len(gap) - 1 else ", "
        joined += [joint + words.before, words]
    return joined


@cache
def _parsed(template: str) -> tuple[tuple[str, str | None], ...]:
    return tuple((literal, gap) for literal, gap, _, _ in Formatter().parse(template))
