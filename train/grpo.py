"""Reinforcement (GRPO) with rewards that a release's questions verify, with TRL.

medloom train grpo --config train/recipes/NAME.yaml --data RELEASE:SUITE --output_dir RUN
torchrun --nproc_per_node 8 -m medloom.train.grpo --config …

A run that was interrupted goes on when it is started again with the same settings. Importing this module loads nothing;
parsing loads TRL.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..schema.errors import MedLoomError, UsageError

if TYPE_CHECKING:
    from trl.trainer.grpo_config import GRPOConfig
    from trl.trainer.model_config import ModelConfig

    from .data.arguments import DataArguments
    from .fitting.medical_arguments import MedicalArguments
    from .fitting.reward_arguments import RewardArguments

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
        ReleaseError: a release isn't there, or the Hub can't be reached or refuses.
        ResumeError: the folder holds a run of other settings or data.
        UsageError: settings that don't fit together, the model, or this machine.
    """
    from .fitting.course import begun, checked, ended, logs_in
    from .fitting.fingerprint import fingerprint
    from .fitting.freezing import freeze

    training = copy.copy(settings.training)
    checked(settings.medical, training, held_out=settings.data.held_out)
    _check_rounds(training)
    training.reward_weights = settings.rewards.weights(training.reward_weights)
    inputs = _inputs(settings)
    content = inputs.mixture.fingerprint()
    known = {"data": settings.data, "medical": settings.medical, "training": training, "model": settings.model}
    commit = getattr(inputs.config, "_commit_hash", None)
    told = {**content, "rewards": settings.rewards.rewards}
    own = fingerprint(**known, content=told, world=training.world_size, commit=commit)
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
    from .fitting.loading import config_of, processor_of
    from .fitting.rewarded import opened

    data, training = settings.data, settings.training
    processor = processor_of(settings.model, trust_remote_code=training.trust_remote_code)
    config = config_of(settings.model, trust_remote_code=training.trust_remote_code)
    style = data.style(of_family(config.model_type))
    seed = training.seed if training.data_seed is None else training.data_seed
    how = {"style": style, "seed": seed, "seen": seen_size(processor)}
    held_out = opened(replace(data, data=data.held_out), **how) if data.held_out else None
    return _Inputs(config, processor, style, opened(data, **how), held_out)


def _check_rounds(training: Any) -> None:
    """Answers that a checkpoint would cut off from their round are lost: a resumed run would take other steps."""
    uses = training.num_iterations * training.steps_per_generation
    if training.save_strategy == "steps" and (int(training.save_steps) * training.gradient_accumulation_steps) % uses:
        found = f"save_steps {training.save_steps:g} within a round of {uses} batches that share their answers"
        raise UsageError(f"{found}; expected whole rounds, so that a run can be resumed; take another save_steps")


def _run_folder(settings: Settings, inputs: _Inputs, content: dict[str, Any]) -> Any:
    """The folder, with what is known before the first step written by the first process."""
    from .fitting.run_folder import RunFolder, is_first_process

    data, folder = settings.data, Path(str(settings.training.output_dir))
    if not is_first_process():
        return RunFolder(folder)
    return RunFolder.begin(
        folder,
        method="grpo",
        settings=[data, settings.medical, settings.rewards, settings.training, settings.model],
        data=content,
        held_out=inputs.held_out.fingerprint() if inputs.held_out else None,
        parts=[one.own for one in inputs.mixture.sets],
        base=str(settings.model.model_name_or_path),
    )


def _trainer(settings: Settings, inputs: _Inputs, *, training: Any, course: Any) -> Any:
    from transformers import EarlyStoppingCallback

    from .data.for_trl import OrderEpoch
    from .fitting.loading import adapter_of, load_settings, quantization_of
    from .fitting.rewarded import GrpoTrainer, mapped, rounds
    from .fitting.rewards import for_trl
    from .fitting.trainer import Plan

    medical, model = settings.medical, settings.model
    order: Any = rounds(inputs.mixture, training)
    plan = Plan(course.fingerprint, order=order, answered=_answered(settings, inputs))
    callbacks: list[Any] = [EarlyStoppingCallback(medical.patience)] if medical.patience else []
    training.model_init_kwargs = load_settings(model, training)
    training.restore_callback_states_from_checkpoint = True
    training.push_to_hub = False  # the run folder is pushed when it is whole, with its card
    return GrpoTrainer(
        model=str(model.model_name_or_path),
        reward_funcs=[for_trl(name) for name in settings.rewards.rewards],
        args=training,
        train_dataset=mapped(inputs.mixture),
        eval_dataset=mapped(inputs.held_out) if inputs.held_out else None,
        processing_class=inputs.processor,
        quantization_config=quantization_of(model),
        peft_config=adapter_of(model, medical.freeze),
        callbacks=[*callbacks, OrderEpoch(order)],
        plan=plan,
    )


def _answered(settings: Settings, inputs: _Inputs) -> Any:
    from .data.parts import opened
    from .fitting.answering import Answering

    if not (settings.data.held_out and settings.medical.answers):
        return None
    sets = [opened(part, seed=inputs.held_out.seed) for part in settings.data.held_out]
    return Answering(sets, inputs.style, settings.medical.answer_tokens)


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
