"""Questions, in question sets and in shards: their ids have a form, everything else is read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from ....schema.question import schema
from .allowed import string_told
from .findings import Finding
from .texts import field_of, strings, told

_ID = re.compile(r"q-[0-9a-f]{16}")
_FORMS = {"labels[]": "label_id", "options[].label_id": "label_id", "key": "key", "split": "split"}
"""Field of a question → field of records or of the index with the same form."""


def questions_told(body: bytes, where: str) -> Iterator[Finding]:
    """Findings in a member with the questions of a sample."""
    try:
        questions: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        questions = None
    if not isinstance(questions, list) or not all(isinstance(one, dict) for one in questions):
        yield Finding("opaque-file", "questions that are no JSON list of objects", where)
        return
    known = set(schema().names)
    for place, question in enumerate(questions):
        if set(question) - known:
            yield Finding("unknown-field", "a question with an unknown field", f"{where} questions[{place}]")
        yield from question_told(question, f"{where} questions[{place}]")


def question_told(question: dict[str, Any], where: str) -> Iterator[Finding]:
    """Findings in the strings of one question, names of its fields among them."""
    for path, text in strings(question):
        if path.endswith("{}"):
            yield from told(text, f"{where} {path}")
        else:
            yield from question_string_told(field_of(path), text, f"{where} {path}")


def question_string_told(field: str, text: str, where: str) -> Iterator[Finding]:
    """Findings in one string of a question's field."""
    if field != "id" or not _ID.fullmatch(text):
        yield from string_told(_FORMS.get(field, "question"), text, where)
