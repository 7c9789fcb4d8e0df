"""A question without what tells its answer.

What is asked, how, and what is pointed at stay; the answer goes, and so does everything that follows from the label it is
about: a pooled choice may offer labels of several departments, and the department of the right one would tell it. Rows of
withheld splits are sorted by id within a sample, since rules ask in the order of the record's labels.

The records of the same samples in `data/` still hold labels and annotations. A mask or contour that is pointed at is drawn
from the record; boxes and points carry their own numbers, and lose the name of their annotation.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ...schema.errors import UsageError
from ...schema.question import Option, Prompt, Question
from ...schema.sample import SPLITS

TELLING: dict[str, Any] = {
    "area": None,
    "task": None,
    "subset": None,
    "clinical_task": None,
    "department": None,
    "answer": None,
    "letters": (),
    "labels": (),
    "targets": (),
    "spans": (),
    "wording": "",
    "flags": (),
    "provenance": None,
}
"""Field → what stands there instead."""
_DRAWN_FROM_RECORD = ("mask", "contour")


def withheld(question: Question) -> Question:
    """The question without its answer."""
    options = tuple(Option(one.letter, one.text) for one in question.options)
    return replace(question, **TELLING, options=options, prompts=tuple(map(_pointed, question.prompts)))


def splits(wanted: Iterable[str]) -> list[str]:
    """The splits whose answers are withheld, in the order of `SPLITS`.

    Raises:
        UsageError: there is no such split.
    """
    named = set(wanted)
    if strange := sorted(named - set(SPLITS)):
        raise UsageError(f"splits {', '.join(strange)} to withhold; expected some of {', '.join(SPLITS)}")
    return [split for split in SPLITS if split in named]


def _pointed(prompt: Prompt) -> Prompt:
    return prompt if prompt.kind in _DRAWN_FROM_RECORD else replace(prompt, annotation="")
