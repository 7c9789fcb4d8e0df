"""The form of a structured answer: its fields, the JSON schema that a server is given, and the reading of what came back."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_FENCED = re.compile(r"```(?:json)?\s*(.*?)```", re.DOTALL)
MOST_CHARACTERS = 20_000


class BadAnswer(ValueError):
    """An answer that can't be used; `code` is what reports count by."""

    def __init__(self, code: str, found: str):
        super().__init__(f"{code}: {found}")
        self.code, self.found = code, found


@dataclass(frozen=True, slots=True)
class Form:
    """An object whose fields are all texts, or whole numbers within bounds."""

    name: str
    fields: Mapping[str, str]
    """Name → what it holds, for the model to read."""
    numbers: tuple[int, int] | None = None
    """Bounds, both inclusive, where the fields are numbers."""

    @property
    def schema(self) -> dict[str, Any]:
        """As JSON schema, in the strict form that servers take."""
        return {
            "type": "object",
            "properties": {name: {**self._type, "description": text} for name, text in self.fields.items()},
            "required": list(self.fields),
            "additionalProperties": False,
        }

    @property
    def in_words(self) -> str:
        """What any model is told, whether or not its server takes a schema."""
        lines = "\n".join(f"- {name}: {text}" for name, text in self.fields.items())
        return f"Reply with one JSON object and nothing else. Its keys:\n{lines}"

    def read(self, text: str) -> dict[str, Any]:
        """The fields of an answer, which may stand in a fenced block or between other words.

        Raises:
            BadAnswer: `not-json` or `wrong-form`.
        """
        if len(text) > MOST_CHARACTERS:
            raise BadAnswer("wrong-form", f"{len(text)} characters")
        data = _object(text)
        if set(data) != set(self.fields):
            raise BadAnswer("wrong-form", f"keys {sorted(data)} instead of {sorted(self.fields)}")
        return {name: self._value(name, data[name]) for name in self.fields}

    @property
    def _type(self) -> dict[str, Any]:
        if self.numbers is None:
            return {"type": "string"}
        return {"type": "integer", "enum": list(range(self.numbers[0], self.numbers[1] + 1))}

    def _value(self, name: str, value: Any) -> Any:
        if self.numbers is None:
            if isinstance(value, str) and value.strip():
                return " ".join(value.split())
            raise BadAnswer("wrong-form", f"{name}: {value!r:.60} instead of a text")
        low, high = self.numbers
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        raise BadAnswer("wrong-form", f"{name}: {value!r:.60} instead of a number from {low} to {high}")


def _object(text: str) -> dict[str, Any]:
    """The first JSON object of a text."""
    fenced = _FENCED.search(text)
    body = fenced[1] if fenced else text
    start = body.find("{")
    try:
        data, _ = json.JSONDecoder().raw_decode(body, start) if start >= 0 else (None, 0)
    except (ValueError, RecursionError):
        raise BadAnswer("not-json", f"{text!r:.120}") from None
    if not isinstance(data, dict):
        raise BadAnswer("not-json", f"{text!r:.120}")
    return data
