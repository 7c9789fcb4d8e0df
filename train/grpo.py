"""Reinforcement (GRPO) with rewards that a release's questions verify, with TRL.

medloom train grpo --config train/recipes/NAME.yaml --data RELEASE:SUITE --output_dir RUN
torchrun --nproc_per_node 8 -m medloom.train.grpo --config …

A run that was interrupted goes on when it is started again with the same settings. Importing this module loads nothing;
parsing loads TRL.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..schema.errors import UsageError

if TYPE_CHECKING:
    from trl.trainer.grpo_config import GRPOConfig
    from trl.trainer.model_config import ModelConfig

    from .data.arguments import DataArguments
    from .fitting.course import Course
    from .fitting.medical_arguments import MedicalArguments
    from .fitting.reward_arguments import RewardArguments
    from .fitting.whole_run import Inputs

PROG = "medloom train grpo"


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a run is told."""

    data: DataArguments
    medical: MedicalArguments
    rewards: RewardArguments
    training: GRPOConfig
    model: ModelConfig


def parse(argv: Sequence[str]) -> Settings:
    """The settings of a command line: `--config FILE`, and any field of the five as `--field value`.

    Raises:
        UsageError: a file, field or value that can't be; near names are given.
    """
    from trl.trainer.grpo_config import GRPOConfig
    from trl.trainer.model_config import ModelConfig

    from .data.arguments import DataArguments
    from .fitting.medical_arguments import MedicalArguments
    from .fitting.parsing import parsed
    from .fitting.reward_arguments import RewardArguments

    kinds = (DataArguments, MedicalArguments, RewardArguments, GRPOConfig, ModelConfig)
    return Settings(*parsed(argv, kinds, prog=PROG))


def fit(settings: Settings) -> Path:
    """The folder of the finished run (`fitting/run_folder.py`), on every process.

    Raises:
        PublishError: the run was to be pushed, and the Hub can't be reached or refuses.
        ReleaseError: a release isn't there, or the Hub can't be reached or refuses.
        ResumeError: the folder holds a run of other settings or data.
        UsageError: settings that don't fit together, the model, this machine, or rights to data of a run to be pushed.
    """
    from .fitting.rewarded import opened
    from .fitting.whole_run import fitted

    also = {"rewards": settings.rewards.rewards}
    return fitted(settled(settings), method="grpo", opened=opened, trainer=_trainer, also=also)


def settled(settings: Settings) -> Settings:
    """The settings with a weight for each reward.

    Raises:
        UsageError: weights that don't fit the rewards, or checkpoints that don't fit the rounds of answers.
    """
    training = copy.copy(settings.training)
    _check_rounds(training)
    training.reward_weights = settings.rewards.weights(training.reward_weights)
    return replace(settings, training=training)


def _check_rounds(training: Any) -> None:
    """Answers that a checkpoint would cut off from their round are lost: a resumed run would take other steps."""
    uses = training.num_iterations * training.steps_per_generation
    if training.save_strategy == "steps" and (int(training.save_steps) * training.gradient_accumulation_steps) % uses:
        found = f"save_steps {training.save_steps:g} within a round of {uses} batches that share their answers"
        raise UsageError(f"{found}; expected whole rounds, so that a run can be resumed; take another save_steps")


def _trainer(settings: Settings, inputs: Inputs, course: Course) -> Any:
    from .data.for_trl import OrderEpoch
    from .fitting.rewarded import GrpoTrainer, mapped, rounds
    from .fitting.rewards import for_trl
    from .fitting.trainer import Plan
    from .fitting.whole_run import answering, trainer_settings

    order: Any = rounds(inputs.mixture, settings.training)
    told = trainer_settings(settings, inputs)
    told["callbacks"].append(OrderEpoch(order))
    return GrpoTrainer(
        **told,
        reward_funcs=[for_trl(name) for name in settings.rewards.rewards],
        train_dataset=mapped(inputs.mixture),
        eval_dataset=mapped(inputs.held_out) if inputs.held_out else None,
        plan=Plan(course.fingerprint, order=order, answered=answering(settings, inputs)),
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Train as the command line says, and leave with the exit code of `schema/errors.py`."""
    from .fitting.parsing import run_main

    run_main(fit, parse, argv)


if __name__ == "__main__":
    main()
