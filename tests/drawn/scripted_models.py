"""Models that answer by a script: rightly, always with one text, or not at all."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from medloom.train.asked import Asked, AskedSet
from medloom.train.conversation import Style, answer, turns
from medloom.train.evaluating.variants import chosen
from medloom.train.predicting.backend import SeenSize, Turns
from medloom.train.prediction import Reply


@dataclass
class Scripted:
    """A backend whose replies a function gives; it counts what it is asked."""

    reply: Callable[[Turns], str | None]
    name: str = "scripted"
    at_once: int = 16
    seen_size: SeenSize | None = None
    asked: list[str] = field(default_factory=list)
    """Digests of all turns so far."""

    @property
    def settings(self) -> dict[str, Any]:
        return {"backend": "scripted", "model": self.name}

    def replies(self, turns: Sequence[Turns]) -> list[Reply]:
        found = []
        for one in turns:
            self.asked.append(digest(one))
            text = self.reply(one)
            found.append(Reply(text, "stop") if text is not None else Reply(None, error="timeout: scripted"))
        return found


def always(text: str | None) -> Scripted:
    return Scripted(lambda _: text, name=f"always {text}")


def perfect(asked: AskedSet, style: Style, *, variants: Iterable[str] = (), seed: int = 0) -> Scripted:
    """It knows the right answer to every question as it stands and under every variant."""
    known: dict[str, str] = {}
    for place in range(len(asked)):
        for one in _ways(asked[place], style, variants, seed):
            known[digest(turns(one[0], style))] = answer(one[1], style)
    return Scripted(lambda turns: known[digest(turns)], name="perfect")


def blind(asked: AskedSet, style: Style, *, variants: Iterable[str] = (), seed: int = 0) -> Scripted:
    """It gives every variant of a question the answer of the question as it stands, word for word."""
    known: dict[str, str] = {}
    for place in range(len(asked)):
        plain = asked[place]
        for shown, _ in _ways(plain, style, variants, seed):
            known[digest(turns(shown, style))] = answer(plain, style)
    return Scripted(lambda turns: known[digest(turns)], name="blind")


def _ways(plain: Asked, style: Style, variants: Iterable[str], seed: int) -> list[tuple[Asked, Asked]]:
    found = [(plain, plain)]
    for variant in chosen(variants):
        changed = variant(plain, seed=seed, style=style)
        if changed is not None:
            question = changed.scored_as or changed.asked.question
            found.append((changed.asked, Asked(question, plain.picture, plain.record)))
    return found


def digest(turns: Turns) -> str:
    """Of texts and pixels."""
    found = hashlib.sha256(repr(turns.messages).encode())
    for picture in turns.pictures:
        found.update(picture.tobytes())
    return found.hexdigest()
