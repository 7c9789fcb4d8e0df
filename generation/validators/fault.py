"""What a validator says of a question that can't stand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ...schema.question import Question
from ..case import Case
from ..pools import Pools


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason to leave a question out."""

    code: str
    """One of `CODES`; reports count by it."""
    found: str
    expected: str

    def __str__(self) -> str:
        return f"{self.code}: {self.found}; expected {self.expected}"


Check = Callable[[Question, Case, Pools], Iterable[Fault]]

CODES: dict[str, str] = {
    "key-mismatch": "the question stands at another sample than the one it was made for, or at another source",
    "split-mismatch": "the question's split isn't its sample's",
    "modality-mismatch": "the question's modality isn't its sample's",
    "area-mismatch": "the question's area is neither its sample's nor that of one of its labels",
    "answer-in-question": "stem or instruction name the answer, or something that only the answer can be",
    "place-in-question": "a question for a place says where it is",
    "entity-named": "a question of perspective III or IV names what it asks for",
    "name-missing": "a question that asks for a named thing doesn't name it",
    "too-few-options": "a choice of fewer than two options",
    "bad-letters": "the options' letters aren't A, B, C, …",
    "answer-not-among-options": "the right letters, or the answer, are no options, too many or too few",
    "options-synonymous": "two options are one thing, or one of them is a kind of the other",
    "answer-not-true": "the answer's label isn't present, or isn't that of the region pointed at",
    "answer-not-unique": "another option holds too, or the region pointed at could as well be another label",
    "distractor-not-absent": "of a wrong option nobody knows that it is absent from the image",
    "prompt-empty": "there is nothing to point with: no region, no mask, no points",
    "prompt-outside": "box or points leave the image",
    "prompt-off-region": "the box lies elsewhere than the region that it stands for",
    "point-outside-mask": "a point lies outside the region that it stands for",
    "box-without-area": "a box without width or height",
    "derived-box-unflagged": "a box that was derived from a mask or by rule, without the flag `derived-box`",
    "unknown-target": "an annotation that the record doesn't have",
    "target-mismatch": "an annotation of another label than the question is about",
    "bad-span": "a stretch of the answer that isn't the words of what it points to",
    "wrong-side": "left where the annotation says right, or the other way round",
    "wrong-place": "words of place that the region contradicts",
    "wrong-share": "a share of the image more than five percentage points off",
    "wrong-count": "another number of regions than there are",
    "wrong-modality": "the text speaks of another modality",
    "wrong-area": "the text speaks of another part of the body",
    "absence-unknown": "the text says that a label is absent, and nobody knows that",
}
"""Code → what it means."""
