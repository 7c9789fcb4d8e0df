"""One record of a general set as turns and pictures, whatever form it has.

LLaVA: {"image": "a.jpg", "conversations": [{"from": "human", "value": "<image>What is it?"}, {"from": "gpt", "value": …}]}
messages: {"messages": [{"role": "user", "content": "<image>What is it?"}, …], "images": […]}
prompt_completion: {"prompt": …, "completion": …, "images": […]}, each a text or a list of messages

Every `<image>` in a text becomes a block of its own. Pictures that no text names stand before the first user's words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...schema.errors import DataError

PLACEHOLDER = "<image>"
ROLES = {"human": "user", "user": "user", "gpt": "assistant", "assistant": "assistant", "system": "system"}
Message = dict[str, Any]
IMAGE = {"type": "image"}


@dataclass(frozen=True, slots=True)
class Spoken:
    """A conversation: messages whose content is a list of blocks, and where its pictures are."""

    messages: Sequence[Message]
    answers: Sequence[int]
    """Places of the messages that are to be learnt, each an assistant's; all before one is its prompt."""
    pictures: int
    """How many pictures the messages name."""

    def told(self, number: int) -> tuple[list[Message], list[Message], int]:
        """Prompt and completion of one answer, and how many pictures they name."""
        place = self.answers[number]
        prompt = list(self.messages[:place])
        return prompt, [self.messages[place]], named(prompt)


def spoken(record: Mapping[str, Any], form: str, *, pictures: int) -> Spoken:
    """The conversation of a record that comes with so many pictures.

    Raises:
        DataError: a field or role is missing, nothing is answered, or the pictures that it names aren't as many.
    """
    try:
        messages, first = _messages(record, form)
    except (KeyError, TypeError, AttributeError) as error:
        raise DataError(f"{error!r} in {sorted(record)}", expected=f"the fields of {form}", code="bad-record") from error
    if pictures and not named(messages):
        messages = _with_pictures(messages, pictures)
    answers = [place for place, one in enumerate(messages) if one["role"] == "assistant" and place >= first]
    if not answers or answers[0] == 0:
        raise DataError(
            f"roles {[one['role'] for one in messages]}", expected="a user's turn, then an answer", code="no-answer"
        )
    if any(named([messages[place]]) for place in answers):
        raise DataError(f"{PLACEHOLDER} in an answer", expected="pictures in what is asked", code="picture-in-answer")
    if named(messages) != pictures:
        found = f"{named(messages)} × {PLACEHOLDER} for {pictures} pictures"
        raise DataError(found, expected="one for each, or none", code="picture-count")
    return Spoken(messages, answers, pictures)


def pictures_of(record: Mapping[str, Any], form: str) -> list[Any]:
    """The pictures that a record comes with: names, bytes or PIL images."""
    found = record.get("image") if form == "llava" else record.get("images")
    return [] if found is None else list(found) if isinstance(found, list | tuple) else [found]


def named(messages: Sequence[Message]) -> int:
    """How many pictures messages name."""
    return sum(block["type"] == "image" for message in messages for block in message["content"])


def _messages(record: Mapping[str, Any], form: str) -> tuple[list[Message], int]:
    """Messages, and the place from which on answers are to be learnt."""
    if form == "llava":
        return [_message(one["from"], one["value"]) for one in record["conversations"]], 0
    if form == "messages":
        return [_message(one["role"], one["content"]) for one in record["messages"]], 0
    prompt = _turns(record["prompt"], "user")
    return [*prompt, *_turns(record["completion"], "assistant")], len(prompt)


def _turns(given: Any, role: str) -> list[Message]:
    return [_message(role, given)] if isinstance(given, str) else [_message(one["role"], one["content"]) for one in given]


def _message(role: str, content: Any) -> Message:
    if role not in ROLES:
        raise DataError(f"role {role!r}", expected=f"one of {', '.join(ROLES)}", code="bad-role")
    blocks = [block for part in ([content] if isinstance(content, str) else content) for block in _blocks(part)]
    return {"role": ROLES[role], "content": blocks}


def _blocks(part: Any) -> list[dict[str, str]]:
    """Blocks of a text, or of a block that may have empty fields."""
    if not isinstance(part, str):
        if part["type"] == "image":
            return [dict(IMAGE)]
        part = part["text"]
    pieces = re.split(rf"\n?({PLACEHOLDER})\n?", part)
    return [dict(IMAGE) if one == PLACEHOLDER else {"type": "text", "text": one} for one in pieces if one]


def _with_pictures(messages: list[Message], pictures: int) -> list[Message]:
    place = next((place for place, one in enumerate(messages) if one["role"] == "user"), None)
    if place is None:
        return messages
    asked = messages[place]
    shown = asked | {"content": [*(dict(IMAGE) for _ in range(pictures)), *asked["content"]]}
    return [*messages[:place], shown, *messages[place + 1 :]]
