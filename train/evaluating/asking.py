"""A part's questions put to a model: while it answers one part, the pictures of the next are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from ...schema.errors import DataError
from ..asked import Asked, AskedSet
from ..conversation import Style, turns
from ..predicting.backend import Backend, Turns
from ..prediction import PLAIN, Prediction, Reply
from .plan import Part
from .shots import Shots
from .variants import VARIANTS, Changed


@dataclass(slots=True)
class Ready:
    """A part that can be asked."""

    part: Part
    ids: list[str] = field(default_factory=list)
    turns: list[Turns] = field(default_factory=list)
    refused: list[Prediction] = field(default_factory=list)
    """Questions that can't be put, with the reason."""
    sizes: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asker:
    """What all parts of an evaluation share."""

    asked: AskedSet
    backend: Backend
    style: Style
    shots: Shots | None
    seed: int

    def predictions(self, ready: Ready) -> list[Prediction]:
        """The model's replies, then what couldn't be put to it."""
        replies = self.backend.replies(ready.turns) if ready.turns else []
        found = [_prediction(one, ready.part, reply) for one, reply in zip(ready.ids, replies, strict=True)]
        return found + ready.refused

    def ready(self, part: Part) -> Ready:
        """The part's questions as turns."""
        found = Ready(part)
        for place in range(part.start, part.stop):
            plain = self.asked[place]
            changed = changed_by(part.variant, plain, seed=self.seed, style=self.style)
            if changed is not None:
                self._add(found, plain, changed.asked)
        return found

    def _add(self, found: Ready, plain: Asked, shown: Asked) -> None:
        seen = self.backend.seen_size
        try:
            made = turns(shown, self.style, seen=seen, shots=self.shots.of(plain) if self.shots else ())
        except DataError as error:  # a region that the dialect can't write
            reply = Reply(None, error=f"{error.code}: {error}")
            found.refused.append(_prediction(plain.question.id, found.part, reply))
            return
        found.ids.append(plain.question.id)
        found.turns.append(made)
        if seen is not None:
            size = shown.picture.height, shown.picture.width
            found.sizes[size] = seen(size)


def changed_by(variant: str, plain: Asked, *, seed: int, style: Style) -> Changed | None:
    """The question as a variant asks it; as it stands for `PLAIN`."""
    return Changed(plain) if variant == PLAIN else VARIANTS[variant](plain, seed=seed, style=style)


def ahead(parts: Sequence[Part], make: Callable[[Part], Ready]) -> Iterator[Ready]:
    """Parts made ready one before it is needed."""
    with ThreadPoolExecutor(1) as thread:
        coming = [thread.submit(make, part) for part in parts[:1]]
        for place in range(len(parts)):
            ready = coming.pop().result()
            coming += [thread.submit(make, part) for part in parts[place + 1 : place + 2]]
            yield ready


def _prediction(id: str, part: Part, reply: Reply) -> Prediction:
    return Prediction(id, part.variant, reply.text, reply.finish, reply.error, reply.prompt_tokens, reply.reply_tokens)


def plain_asked(asked: Asked, changed: Changed) -> Asked:
    """What a reply is scored against."""
    return changed.asked if changed.scored_as is None else replace(changed.asked, question=changed.scored_as)
