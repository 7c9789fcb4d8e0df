"""Questions and records with regions, as small as scoring needs them."""

from __future__ import annotations

from typing import Any

import numpy as np

from medloom.schema.mask import rle_box, rle_from_mask
from medloom.schema.question import Kind, Option, Question, Span

SIZE = (40, 60)
"""Height and width in px."""


def square(x0: int, y0: int, x1: int, y1: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """A mask that is 1 inside a box."""
    mask = np.zeros(size, np.uint8)
    mask[y0:y1, x0:x1] = 1
    return mask


def annotation(id: str, *, mask: np.ndarray | None = None, **fields: Any) -> dict[str, Any]:
    """An annotation of a record: of a mask, a box or points."""
    rle = None if mask is None else rle_from_mask(mask)
    box = None if rle is None or mask is None else rle_box(rle, (mask.shape[0], mask.shape[1]))
    plain = {
        "id": id,
        "label": "liver",
        "label_id": "mesh:D008099",
        "granularity": "box" if mask is None else "mask",
        "box_xyxy_px": box,
        "rle": rle,
        "points": [],
        "laterality": None,
        "observer": None,
    }
    return plain | fields


def record(*annotations: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """A sample's record, as far as scoring reads it."""
    return {"key": "s-1", "group": "g-1", "size_hw_px": list(SIZE), "annotations": list(annotations), "labels": []} | fields


def question(kind: str, **fields: Any) -> Question:
    """A question about that sample."""
    same = dict.fromkeys(("split", "suite", "rule", "source", "modality", "area", "task", "subset"), "x")
    plain = {"id": "q-1", "key": "s-1", "clinical_task": "x", "department": "x", "granularity": "mask", "question": "What?"}
    return Question(**{**same, **plain, "kind": Kind(kind), "answer": "", **fields})


def named_question(kind: str, answer: str, spans: dict[str, tuple[str, ...]], **fields: Any) -> Question:
    """A question whose answer says words for annotations, in order."""
    found, start = [], 0
    for words, ids in spans.items():
        start = answer.index(words, start)
        found.append(Span(start, start + len(words), ids))
        start += len(words)
    targets = tuple(one for ids in spans.values() for one in ids)
    return question(kind, answer=answer, spans=tuple(found), targets=targets, **fields)


def choice(kind: str, letters: str, options: int = 4) -> Question:
    """A question with options A, B, … and some right letters."""
    shown = tuple(Option(letter, f"option {letter}") for letter in "ABCDEF"[:options])
    return question(kind, options=shown, letters=tuple(letters), answer=",".join(letters), granularity="image")
