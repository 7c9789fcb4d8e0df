"""A question without what tells its answer.

What is asked, how, and what is pointed at stay; the answer goes, and so does everything that follows from the label it is
about: a pooled choice may offer labels of several departments, and the department of the right one would tell it. Rows of
withheld splits are sorted by id within a sample, since rules ask in the order of the record's labels.

The records of the same samples in `data/` still hold labels and annotations. A mask or contour that is pointed at is drawn
from the record; boxes and points carry their own numbers, and lose the name of their annotation.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ...schema.question import Option, Prompt, Question

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


def _pointed(prompt: Prompt) -> Prompt:
    return prompt if prompt.kind in _DRAWN_FROM_RECORD else replace(prompt, annotation="")
