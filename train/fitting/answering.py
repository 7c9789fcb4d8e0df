"""Evaluation while training: the model answers the held-out questions, and what it says is scored as `medloom evaluate` does.

Decoding is greedy. Batches are formed over the whole list and dealt to the processes, so that any number of them gives what
one gives. Loads transformers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from accelerate.utils import gather_object

from .. import conversation
from ..answers.status import Status
from ..asked import Asked, ReleaseAsked
from ..coordinates import dialect
from ..predicting.transformers_backend import Decoding, TransformersBackend
from ..prediction import PLAIN, Prediction
from ..scoring.score import score
from ..scoring.scored import Scored
from ..scoring.summary import summarize


@dataclass(frozen=True, slots=True)
class Answering:
    """What is asked, and how."""

    sets: Sequence[ReleaseAsked]
    style: conversation.Style
    tokens: int
    """The longest answer."""

    def __call__(self, trainer: Any) -> dict[str, float]:
        """Each measure over all questions that have it, `macro_…` over labels, and two shares of all: `answered`, what wasn't
        refused, empty or unreadable, and `cut_off`, what would have been longer than `tokens`.
        """
        size = trainer.args.per_device_eval_batch_size
        batches = [(one, range(begin, min(begin + size, len(one)))) for one in self.sets for begin in range(0, len(one), size)]
        backend = TransformersBackend.of(
            trainer.model, trainer.processing_class, batch_size=size, decoding=Decoding(max_new_tokens=self.tokens)
        )
        with trainer.accelerator.autocast():
            mine = list(self._scored(batches, backend, trainer.accelerator))
        found = {one.id: (one, cut) for one, cut in gather_object(mine)}
        scored, cut = zip(*found.values(), strict=True)
        return {**measures(scored), "cut_off": sum(cut) / len(cut)}

    def _scored(
        self, batches: Sequence[tuple[ReleaseAsked, range]], backend: Any, accelerator: Any
    ) -> Iterator[tuple[Scored, bool]]:
        """Of this process's batches, each with whether its reply was cut off.

        All processes answer as often: sharded models need each other for every step.
        """
        rank, world = accelerator.process_index, accelerator.num_processes
        for begin in range(0, len(batches), world):
            own = begin + rank
            asked_set, places = batches[min(own, len(batches) - 1)]
            asked = [asked_set[place] for place in places]
            replies = backend.replies([conversation.turns(one, self.style, seen=backend.seen_size) for one in asked])
            if own < len(batches):
                for one, reply in zip(asked, replies, strict=True):
                    yield self._one(one, reply, backend), reply.finish == "length"

    def _one(self, asked: Asked, reply: Any, backend: Any) -> Scored:
        said = Prediction(asked.question.id, PLAIN, reply.text, reply.finish)
        frame = conversation.frame(asked, backend.seen_size)
        way = dialect(self.style.dialect)
        return score(asked.question, asked.record, said, dialect=way, frame=frame, masks=self.style.masks)


def measures(scored: Sequence[Scored]) -> dict[str, float]:
    """See `Answering`."""
    whole = summarize(scored, resamples=0)
    found = {name: one["value"] for name, one in whole["measures"].items()}
    found |= {f"macro_{name}": one["macro_labels"] for name, one in whole["measures"].items()}
    answered = whole["statuses"].get(str(Status.ANSWERED), 0) + whole["statuses"].get(str(Status.ABSTAINED), 0)
    return {**{name: value for name, value in sorted(found.items()) if value is not None}, "answered": answered / whole["n"]}
