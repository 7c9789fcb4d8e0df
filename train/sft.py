"""Supervised fine-tuning on a release's questions, with TRL.

medloom train sft --config train/recipes/NAME.yaml --data RELEASE:SUITE --output_dir RUN
torchrun --nproc_per_node 8 -m medloom.train.sft --config …

A run that was interrupted goes on when it is started again with the same settings, and takes the steps that it would have
taken; what differs is named. Importing this module loads nothing; parsing loads TRL.
"""

from __future__ import annotations

import copy
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..schema.errors import MedLoomError

if TYPE_CHECKING:
    from trl.trainer.model_config import ModelConfig
    from trl.trainer.sft_config import SFTConfig

    from .data.arguments import DataArguments
    from .fitting.medical_arguments import MedicalArguments

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
        ReleaseError: a release isn't there, or the Hub can't be reached or refuses.
        ResumeError: the folder holds a run of other settings or data.
        UsageError: settings that don't fit together, the model, or this machine.
    """
    from .fitting.course import begun, checked, ended, logs_in
    from .fitting.fingerprint import fingerprint
    from .fitting.freezing import freeze

    training = copy.copy(settings.training)
    checked(settings.medical, training, held_out=settings.data.held_out)
    inputs = _inputs(settings)
    commit = getattr(inputs.config, "_commit_hash", None)
    known = {"data": settings.data, "medical": settings.medical, "training": training, "model": settings.model}
    content = inputs.mixture.fingerprint()
    own = fingerprint(**known, content=content, world=training.world_size, commit=commit)
    folder = Path(str(training.output_dir))
    course = begun(folder, own, fresh=settings.medical.fresh, resumable=not training.save_only_model)
    if course.ended:
        return folder
    run = _run_folder(settings, inputs, content)
    with logs_in(folder):
        trainer = _trainer(settings, inputs, training=training, course=course)
    freeze(trainer.model, settings.medical.freeze)
    trainer.train(resume_from_checkpoint=course.resumes)
    return ended(course, run, trainer)


@dataclass(frozen=True, slots=True)
class _Inputs:
    config: Any
    processor: Any
    style: Any
    mixture: Any
    held_out: Any
    """A mixture, or None."""


def _inputs(settings: Settings) -> _Inputs:
    from .coordinates import of_family, seen_size
    from .data.mixture import Mixture
    from .fitting.loading import config_of, processor_of

    data, training = settings.data, settings.training
    processor = processor_of(settings.model, trust_remote_code=training.trust_remote_code)
    config = config_of(settings.model, trust_remote_code=training.trust_remote_code)
    style = data.style(of_family(config.model_type))
    seed = training.seed if training.data_seed is None else training.data_seed
    how = {"style": style, "seed": seed, "seen": seen_size(processor)}
    mixture = Mixture.open(data, **how)
    held_out = Mixture.open(replace(data, data=data.held_out, general=[]), **how) if data.held_out else None
    return _Inputs(config, processor, style, mixture, held_out)


def _run_folder(settings: Settings, inputs: _Inputs, content: dict[str, Any]) -> Any:
    """The folder, with what is known before the first step written by the first process."""
    from .data.parts import PartRows
    from .fitting.run_folder import RunFolder, is_first_process

    data, folder = settings.data, Path(str(settings.training.output_dir))
    if not is_first_process():
        return RunFolder(folder)
    return RunFolder.begin(
        folder,
        method="sft",
        settings=[data, settings.medical, settings.training, settings.model],
        data=content,
        held_out=inputs.held_out.fingerprint() if inputs.held_out else None,
        parts=[one for one in inputs.mixture.sets if isinstance(one, PartRows)],
        base=str(settings.model.model_name_or_path),
    )


def _trainer(settings: Settings, inputs: _Inputs, *, training: Any, course: Any) -> Any:
    from transformers import EarlyStoppingCallback

    from .data.for_trl import OrderEpoch, OrderSampler, mapped
    from .fitting.loading import adapter_of, load_settings, quantization_of
    from .fitting.trainer import Plan, SftTrainer

    data, medical, model = settings.data, settings.medical, settings.model
    plan = Plan(course.fingerprint, answered=_answered(settings, inputs))
    callbacks: list[Any] = [EarlyStoppingCallback(medical.patience)] if medical.patience else []
    if data.streaming:
        rows = _streamed(inputs.mixture, training, course)
        plan.streams_from = course.checkpoint.folder if course.checkpoint else None
    else:
        rows = mapped(inputs.mixture)
        plan.order = OrderSampler(inputs.mixture, step=training.per_device_train_batch_size * training.world_size)
        callbacks.append(OrderEpoch(plan.order))
    training.model_init_kwargs = load_settings(model, training)
    training.restore_callback_states_from_checkpoint = True
    training.push_to_hub = False  # the run folder is pushed when it is whole, with its card
    return SftTrainer(
        model=model.model_name_or_path,
        args=training,
        train_dataset=rows,
        eval_dataset=mapped(inputs.held_out) if inputs.held_out else None,
        processing_class=inputs.processor,
        quantization_config=quantization_of(model),
        peft_config=adapter_of(model, medical.freeze),
        callbacks=callbacks,
        plan=plan,
    )


def _streamed(mixture: Any, training: Any, course: Any) -> Any:
    """The stream from where the checkpoint stopped; steps are counted for it where epochs were asked for."""
    from .data.for_trl import streamed

    batch, world, pieces = training.per_device_train_batch_size, training.world_size, training.gradient_accumulation_steps
    if training.max_steps <= 0:
        training.max_steps = max(1, math.floor(training.num_train_epochs * (len(mixture) // (batch * world)) / pieces))
    training.ignore_data_skip = True
    begin = course.checkpoint.step * pieces if course.checkpoint else 0
    workers = training.dataloader_num_workers
    return streamed(mixture, batch=batch, world=world, workers=workers, start_batches=begin)


def _answered(settings: Settings, inputs: _Inputs) -> Any:
    from .data.parts import opened
    from .fitting.answering import Answering

    if not (settings.data.held_out and settings.medical.answers):
        return None
    seed = inputs.held_out.seed
    return Answering([opened(part, seed=seed) for part in settings.data.held_out], inputs.style, settings.medical.answer_tokens)


def main(argv: Sequence[str] | None = None) -> None:
    """Train as the command line says, and leave with the exit code of `schema/errors.py`."""
    try:
        folder = fit(parse(sys.argv[1:] if argv is None else argv))
    except MedLoomError as error:
        sys.stderr.write(f"{error.kind}: {error}\n")
        raise SystemExit(error.exit_code) from error
    sys.stderr.write(f"{folder}\n")


if __name__ == "__main__":
    main()
