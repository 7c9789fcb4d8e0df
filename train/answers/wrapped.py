"""Answers that a reply wraps: in `<answer>` tags, in a box of TeX or of GLM's, or as JSON."""

from __future__ import annotations

import json
import re
from typing import Any

_TAG = "<(?:answer|final_answer|final)>"
_TAGS = (
    ("answer-tag", re.compile(rf"{_TAG}(?!.*{_TAG})(.*?)(?:</|$)", re.DOTALL | re.IGNORECASE)),
    ("boxed", re.compile(r"<\|begin_of_box\|>(?!.*<\|begin_of_box\|>)(.*?)(?:<\|end_of_box\|>|$)", re.DOTALL)),
)
_BOXED = re.compile(r"\\+(?:boxed|fbox)\s*\{")
_FENCED = re.compile(r"```(?:json|JSON)?\s*(.*?)(?:```|$)", re.DOTALL)
_KEYS = (
    "final_answer", "finalanswer", "correct_answer", "correct_option", "answers", "answer", "options", "option", "choices",
    "choice", "letters", "letter", "selected_option", "selected", "selection", "correct", "prediction", "response", "result",
    "label", "diagnosis",
)  # fmt: skip
"""Of the keys that an object has, the first of these holds the answer."""


def wrapped(text: str) -> tuple[str, list[str]] | None:
    """How a reply wraps its answer and what is in it, one text per part; None where it doesn't.

    Of several tags or boxes the last counts; a tag that a cut reply doesn't close counts too.
    """
    for rule, pattern in _TAGS:
        if found := pattern.search(text):
            inner = found[1].strip()
            return rule, _json(inner) or [_boxed(inner) or inner]
    if inner := _boxed(text):
        return "boxed", [inner]
    parts = _json(text)
    return ("json", parts) if parts else None


def _boxed(text: str) -> str | None:
    r"""The inside of the last `\boxed{…}`, braces balanced; what is there of it where it is cut."""
    starts = [found.end() for found in _BOXED.finditer(text)]
    if not starts:
        return None
    depth = 1
    for place in range(starts[-1], len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if not depth:
            return text[starts[-1] : place].strip()
    return text[starts[-1] :].strip()


def _json(text: str) -> list[str]:
    """The answer in the last JSON object, or in a list that is the whole text; nothing where there is none."""
    fenced = _FENCED.search(text)
    body = (fenced[1] if fenced else text).strip()
    if body.startswith("["):
        return _strings(_decoded(body, 0))
    for start in reversed([found.start() for found in re.finditer(r"\{", body)]):
        data = _decoded(body, start)
        if isinstance(data, dict) and (found := _of_object(data)):
            return found
    return []


def _decoded(text: str, start: int) -> Any:
    for body in (text[start:], text[start:].replace("'", '"')):
        try:
            return json.JSONDecoder().raw_decode(body)[0]
        except (ValueError, RecursionError):
            continue
    return None


def _of_object(data: dict[Any, Any]) -> list[str]:
    folded = {str(key).casefold().replace(" ", "_"): value for key, value in data.items()}
    for key in _KEYS:
        if key in folded:
            return _strings(folded[key])
    return []


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return list(value)
    return _of_object(value) if isinstance(value, dict) else []
