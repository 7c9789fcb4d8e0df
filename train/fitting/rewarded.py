"""Questions as `GRPOTrainer` takes them: a prompt with pictures, and the truth that replies are held against. Loads TRL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from datasets import Dataset
from torch.utils.data import Sampler
from trl.trainer.grpo_trainer import GRPOTrainer

from ...schema.errors import UsageError
from ..asked import ReleaseAsked
from ..conversation import Style, turns
from ..data.arguments import DataArguments
from ..data.mixture import Mixture
from ..data.order import draws
from ..data.parts import PartRows
from ..predicting.backend import SeenSize
from .rewards import VERIFIABLE, Truth
from .trainer import Fitting

COLUMNS = ("prompt", "images", "truth")


@dataclass(frozen=True)
class Rewarded:
    """The questions of a part, each with its truth."""

    own: PartRows

    def __len__(self) -> int:
        return len(self.own)

    def conversations(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """`prompt`, `images` and `truth` of some rows, in the order given."""
        asked = ReleaseAsked(self.own.part.release, self.own.rows)
        return [self._row(asked, int(number)) for number in numbers]

    def fingerprint(self) -> dict[str, Any]:
        """See `Mixture`."""
        return self.own.fingerprint()

    def _row(self, asked: ReleaseAsked, number: int) -> dict[str, Any]:
        one = asked[number]
        given = turns(one, self.own.style, seen=self.own.seen)
        truth = Truth.of(one, self.own.style, seen=self.own.seen).text()
        return {"prompt": list(given.messages), "images": list(given.pictures), "truth": truth}


def opened(data: DataArguments, *, style: Style, seed: int, seen: SeenSize | None) -> Mixture:
    """The mixture of questions that `data` names.

    Raises:
        ReleaseError: a release isn't there, or the Hub can't be reached or refuses.
        UsageError: nothing to train on, or what nothing can be verified of: general sets, or questions answered in words.
    """
    if not data.data:
        raise UsageError("nothing to train on; expected `data` with one part or more; give --data RELEASE:SUITE")
    if data.general or data.streaming:
        found = "general sets" if data.general else "streaming"
        raise UsageError(f"{found} with rewards; expected questions of releases, read as they are needed; leave it out")
    parts = [PartRows.open(part, style, seen=seen, seed=seed) for part in data.data]
    for one in parts:
        _verifiable(one)
    weights = [(len(one), one.part.weight) for one in parts]
    return Mixture(tuple(map(Rewarded, parts)), tuple(draws(weights, [])), seed, data.block)


def mapped(mixture: Mixture) -> Dataset:
    """All rows of the mixture, read when they are asked for."""
    return Dataset.from_dict({"place": range(mixture.rows)}).with_transform(partial(_read, mixture))


class Rounds(Sampler[int]):
    """An epoch's rows in rounds: each row as often as it is answered, each round as often as its answers are used."""

    def __init__(self, mixture: Mixture, *, questions: int, answers: int, uses: int):
        """A sampler of whole rounds; rows that don't fill one are left out of that epoch.

        Raises:
            UsageError: an epoch has fewer rows than a round.
        """
        self.mixture, self.questions, self.answers, self.uses, self.epoch = mixture, questions, answers, uses, 0
        if len(mixture) < questions:
            found = f"{len(mixture)} questions in an epoch, {questions} in a round of generation"
            raise UsageError(f"{found}; expected one round or more; take smaller batches or more data")

    def __len__(self) -> int:
        return len(self.mixture) // self.questions * self.questions * self.answers * self.uses

    def __iter__(self) -> Iterator[int]:
        order = self.mixture.order(self.epoch).tolist()
        for begin in range(0, len(order) - self.questions + 1, self.questions):
            for _ in range(self.uses):
                for place in order[begin : begin + self.questions]:
                    yield from [place] * self.answers

    def set_epoch(self, epoch: int) -> None:
        """Draw the order of that epoch when next iterated over."""
        self.epoch = epoch


def rounds(mixture: Mixture, training: Any) -> Rounds:
    """The rounds that TRL's settings ask for."""
    questions = training.generation_batch_size // training.num_generations
    uses = training.num_iterations * training.steps_per_generation
    return Rounds(mixture, questions=questions, answers=training.num_generations, uses=uses)


class GrpoTrainer(Fitting, GRPOTrainer):
    """TRL's `GRPOTrainer`, with rows in the mixture's order."""

    def _get_train_sampler(self, dataset: Any = None) -> Any:
        return self.plan.order


def _verifiable(one: PartRows) -> None:
    kinds = set(one.rows.with_format("arrow").select_columns(["kind"])[:]["kind"].to_pylist())  # pyright: ignore
    if wrong := sorted(kinds - VERIFIABLE):
        known = ", ".join(sorted(kinds & VERIFIABLE) or sorted(VERIFIABLE))
        raise UsageError(
            f"{one.part.release}: {', '.join(wrong)} have no reward that can be verified; expected kinds: [{known}]"
        )


def _read(mixture: Mixture, batch: dict[str, list[int]]) -> dict[str, list[Any]]:
    rows = mixture.conversations(batch["place"])
    return {name: [row[name] for row in rows] for name in COLUMNS}
