"""Functions of a task of lmms-eval, as `medloom export lmms-eval` writes them beside its YAML; they stand on their own.

A reply counts as the letters that it begins or ends with, such as "B", "(B)", "B. liver", "Answer: A, C"; anything else is
no answer, and wrong. `medloom evaluate` reads more forms. precision and recall are per question, after GMAI-MMBench's
ACC_mcq and Recall_mcq; an empty prediction scores 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_LETTERS = r"\(?([A-Z])\)?(?:\s*(?:,|and|&)\s*\(?([A-Z])\)?)*"
_WHOLE = re.compile(rf"{_LETTERS}[.\s]*")
_FIRST = re.compile(r"\(?([A-Z])[).:]\s+\S")
_LAST = re.compile(rf"(?:answers?|options?)\s*(?:is|are|:)?\s*:?\s*({_LETTERS})[.\s]*$", re.IGNORECASE)


def doc_to_visual(doc: Mapping[str, Any]) -> list[Any]:
    """The picture, RGB."""
    return [doc["image"].convert("RGB")]


def doc_to_text(doc: Mapping[str, Any], lmms_eval_specific_kwargs: Mapping[str, Any] | None = None) -> str:
    """The question with its options and how to answer."""
    words = lmms_eval_specific_kwargs or {}
    return f"{words.get('pre_prompt', '')}{doc['question']}{words.get('post_prompt', '')}"


def process_results(doc: Mapping[str, Any], results: Sequence[str]) -> dict[str, float]:
    """Measures of one reply."""
    said, truth = letters(results[0], len(doc["options"])), set(doc["letters"])
    hits = len(said & truth)
    right = float(said == truth)
    precision, recall = hits / len(said) if said else 0.0, hits / len(truth)
    return {"accuracy": right, "exact_match": right, "precision": precision, "recall": recall}


def letters(reply: str, options: int) -> set[str]:
    """The letters that a reply gives, none where it gives none that are offered."""
    text = reply.strip().strip("*` ")
    whole = _WHOLE.fullmatch(text)
    last = _LAST.search(text)
    first = _FIRST.match(text)
    found = re.findall(r"\b[A-Z]\b", whole.group(0) if whole else last.group(1) if last else first.group(1) if first else "")
    offered = {chr(ord("A") + place) for place in range(options)}
    return set(found) if set(found) <= offered else set()


def mean(scores: Sequence[float]) -> float:
    """The average of all questions."""
    return sum(scores) / len(scores)
