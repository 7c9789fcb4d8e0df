"""An answer's words with its places: in the sentence, or in a list after it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from ...schema.question import Question
from .place import Dialect, Frame, Place

PLACEHOLDER = re.compile(r"<(?:box|point):(a\d+)>")
"""Where a detection's answer names a place."""
PlacesOf = Callable[[str, str | None], list[Place]]
"""Places of an annotation by its id, for some words."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """A stretch of the answer and the annotations that are placed there."""

    start: int
    end: int
    annotations: tuple[str, ...]
    words: str | None
    """What the annotations are called there; None at a placeholder."""


def sentence(question: Question, dialect: Dialect, frame: Frame, *, places_of: PlacesOf) -> str:
    """The answer in the dialect; every annotation is placed once.

    Inline dialects put places after their words, or where a placeholder stands. The others give the sentence, in which
    placeholders become `region 1`, `region 2`, …, and then all places in that order, labelled with their words.

    Raises:
        RegionError: an annotation lies outside the picture.
    """
    answer, stretches = question.answer or "", spoken(question)
    if dialect.inline:
        return _replaced(answer, stretches, lambda one: _inline(one, dialect, frame, places_of))
    called = _called(question)
    ids = [one for stretch in stretches for one in stretch.annotations]
    said = dialect.write([place for one in ids for place in places_of(one, called.get(one) or None)], frame)
    numbers = {one: number for number, one in enumerate(ids, 1)}
    told = _replaced(answer, stretches, lambda one: one.words or f"region {numbers[one.annotations[0]]}")
    return f"{told}\n{said}" if said else told


def spoken(question: Question) -> list[Spoken]:
    """The stretches of an answer where places belong, in order and without overlap.

    An annotation with a placeholder is placed there, any other one where it is first spoken of. A target that the answer
    doesn't speak of is placed at its end.
    """
    answer = question.answer or ""
    found = [Spoken(one.start(), one.end(), (one.group(1),), None) for one in PLACEHOLDER.finditer(answer)]
    placed = {one for stretch in found for one in stretch.annotations}
    for span in sorted(question.spans, key=lambda span: (span.start, span.end)):
        new = tuple(one for one in dict.fromkeys(span.annotations) if one not in placed)
        apart = all(span.end <= other.start or other.end <= span.start for other in found)
        if new and apart:
            found.append(Spoken(span.start, span.end, new, answer[span.start : span.end]))
            placed.update(new)
    left = tuple(one for one in question.targets if one not in placed)
    end = [Spoken(len(answer), len(answer), left, "")] if left else []
    return sorted(found, key=lambda one: one.start) + end


def _called(question: Question) -> dict[str, str]:
    """The words in which each annotation is first spoken of."""
    answer = question.answer or ""
    return {one: answer[span.start : span.end] for span in reversed(question.spans) for one in span.annotations}


def _inline(stretch: Spoken, dialect: Dialect, frame: Frame, places_of: PlacesOf) -> str:
    places = [place for one in stretch.annotations for place in places_of(one, stretch.words or None)]
    said = dialect.write(places, frame) if places else stretch.words or ""
    if not places or not stretch.words or dialect.marks_words:
        return said if stretch.start < stretch.end else f" {said}"
    return f"{stretch.words} {said}"


def _replaced(answer: str, stretches: list[Spoken], text: Callable[[Spoken], str]) -> str:
    parts, end = [], 0
    for stretch in stretches:
        parts += [answer[end : stretch.start], text(stretch)]
        end = stretch.end
    return "".join([*parts, answer[end:]])
