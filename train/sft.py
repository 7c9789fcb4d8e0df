"""Supervised fine-tuning on a release's questions, with TRL.

medloom train sft --config train/recipes/NAME.yaml --data RELEASE:SUITE --output_dir RUN
torchrun --nproc_per_node 8 -m medloom.train.sft --config …

A run that was interrupted goes on when it is started again with the same settings, and takes the steps that it would have
taken; what differs is named. Importing this module loads nothing; parsing loads TRL.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trl.trainer.model_config import ModelConfig
    from trl.trainer.sft_config import SFTConfig

    from .data.arguments import DataArguments
    from .data.mixture import Mixture
    from .fitting.course import Course
    from .fitting.medical_arguments import MedicalArguments
    from .fitting.whole_run import Inputs

PROG = "medloom train sft"


@dataclass(frozen=True, slots=True)
class Settings:
    """All that a run is told."""

    data: DataArguments
    medical: MedicalArguments
    training: SFTConfig
    model: ModelConfig


def parse(argv: Sequence[str]) -> Settings:
    """The settings of a command line: `--config FILE`, and any field of the four as `--field value`.

    Raises:
        UsageError: a file, field or value that can't be; near names are given.
    """
    from trl.trainer.model_config import ModelConfig
    from trl.trainer.sft_config import SFTConfig

    from .data.arguments import DataArguments
    from .fitting.medical_arguments import MedicalArguments
    from .fitting.parsing import parsed

    data, medical, training, model = parsed(argv, (DataArguments, MedicalArguments, SFTConfig, ModelConfig), prog=PROG)
    return Settings(data, medical, training, model)


def fit(settings: Settings) -> Path:
    """The folder of the finished run (`fitting/run_folder.py`), on every process.

    Raises:
        PublishError: the run was to be pushed, and the Hub can't be reached or refuses.
        ReleaseError: a release isn't there, or the Hub can't be reached or refuses.
        ResumeError: the folder holds a run of other settings or data.
        UsageError: settings that don't fit together, the model, this machine, or rights to data of a run to be pushed.
    """
    from .data.mixture import Mixture
    from .fitting.whole_run import fitted

    return fitted(settings, method="sft", opened=Mixture.open, trainer=_trainer)


def _trainer(settings: Settings, inputs: Inputs, course: Course) -> Any:
    from .data.for_trl import OrderEpoch, OrderSampler, mapped
    from .fitting.trainer import Plan, SftTrainer
    from .fitting.whole_run import answering, trainer_settings

    training = settings.training
    told = trainer_settings(settings, inputs)
    plan = Plan(course.fingerprint, answered=answering(settings, inputs))
    if settings.data.streaming:
        rows = _streamed(inputs.mixture, training, course)
        plan.streams_from = course.checkpoint.folder if course.checkpoint else None
    else:
        rows = mapped(inputs.mixture)
        plan.order = OrderSampler(inputs.mixture, step=training.per_device_train_batch_size * training.world_size)
        told["callbacks"].append(OrderEpoch(plan.order))
    held_out = mapped(inputs.held_out) if inputs.held_out else None
    return SftTrainer(**told, train_dataset=rows, eval_dataset=held_out, plan=plan)


def _streamed(mixture: Mixture, training: Any, course: Course) -> Any:
    """The stream from where the checkpoint stopped; steps are counted for it where epochs were asked for."""
    from .data.for_trl import streamed

    batch, world, pieces = training.per_device_train_batch_size, training.world_size, training.gradient_accumulation_steps
    if training.max_steps <= 0:
        training.max_steps = max(1, math.floor(training.num_train_epochs * (len(mixture) // (batch * world)) / pieces))
    training.ignore_data_skip = True
    begin = course.checkpoint.step * pieces if course.checkpoint else 0
    workers = training.dataloader_num_workers
    return streamed(mixture, batch=batch, world=world, workers=workers, start_batches=begin)


def main(argv: Sequence[str] | None = None) -> None:
    """Train as the command line says, and leave with the exit code of `schema/errors.py`."""
    from .fitting.parsing import run_main

    run_main(fit, parse, argv)


if __name__ == "__main__":
    main()
