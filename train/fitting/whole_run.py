"""One run from its settings to its folder, whichever way it trains. Loads TRL's stack.

settings → `inputs_of` → rights and Hub, where it is pushed → `begun` → the folder → a trainer → `ended` → the Hub
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ..conversation import Style
from ..coordinates import of_family, seen_size
from ..data.mixture import Mixture
from ..data.parts import PartRows
from ..data.parts import opened as asked_of
from .answering import Answering
from .course import Course, begun, checked, ended, logs_in, of_the_first
from .fingerprint import fingerprint
from .freezing import freeze
from .hub_settings import check_push, pushed
from .loading import config_of, processor_of
from .run_folder import RunFolder, is_first_process
from .skeleton import layers_told

Opened = Callable[..., Mixture]
"""`DataArguments`, style, seed and seen size → the mixture; as `Mixture.open`."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a run reads before its weights."""

    config: Any
    """Of the base model."""
    processor: Any
    style: Style
    mixture: Mixture
    held_out: Mixture | None

    @property
    def parts(self) -> list[PartRows]:
        """What comes of releases; rewarded questions hold their own."""
        rows = [getattr(one, "own", one) for one in self.mixture.sets]
        return [one for one in rows if isinstance(one, PartRows)]


def inputs_of(settings: Any, opened: Opened) -> Inputs:
    """The inputs that settings name.

    Raises:
        ReleaseError: a release isn't there, or the Hub can't be reached or refuses.
        UsageError: the model, or data that can't be trained on.
    """
    data, training = settings.data, settings.training
    processor = processor_of(settings.model, trust_remote_code=training.trust_remote_code)
    config = config_of(settings.model, trust_remote_code=training.trust_remote_code)
    style = data.style(of_family(config.model_type))
    seed = training.seed if training.data_seed is None else training.data_seed
    how = {"style": style, "seed": seed, "seen": seen_size(processor)}
    held_out = opened(replace(data, data=data.held_out, general=[]), **how) if data.held_out else None
    return Inputs(config, processor, style, opened(data, **how), held_out)


def fitted(
    settings: Any,
    *,
    method: str,
    opened: Opened,
    trainer: Callable[[Any, Inputs, Course], Any],
    also: Mapping[str, Any] | None = None,
) -> Path:
    """The folder of the finished run, on every process.

    Args:
        settings: Of `sft.py` or `grpo.py`.
        method: sft or grpo.
        opened: How its data are opened.
        trainer: Makes TRL's trainer of settings that it may change, the inputs and the course.
        also: What else its steps depend on.

    Raises:
        PublishError: the run was to be pushed, and the Hub can't be reached or refuses.
        ReleaseError: a release isn't there, or the Hub can't be reached or refuses.
        ResumeError: the folder holds a run of other settings or data.
        UsageError: settings that don't fit together, the model, this machine, or rights of data that were to be pushed.
    """
    training, medical = settings.training, settings.medical
    checked(medical, training, held_out=settings.data.held_out)
    without_a_deprecation()
    inputs = inputs_of(settings, opened)
    settings = replace(settings, data=replace(settings.data, dialect=inputs.style.dialect))
    if training.push_to_hub:
        of_the_first(lambda: check_push(settings, inputs.parts))
    content = inputs.mixture.fingerprint()
    own = _fingerprint(settings, inputs, {**content, **(also or {})})
    course = begun(Path(str(training.output_dir)), own, fresh=medical.fresh, resumable=not training.save_only_model)
    if not course.ended:
        run = _run_folder(settings, inputs, content, method=method)
        with logs_in(course.folder):
            made = _made(trainer, settings, inputs, course)
        freeze(made.model, medical.freeze)
        made.train(resume_from_checkpoint=course.resumes)
        ended(course, run, made)
    if training.push_to_hub and is_first_process():
        pushed(settings, RunFolder.open(course.folder))
    return course.folder


def without_a_deprecation() -> None:
    """Let one warning pass that no user can heed: peft and TRL ask transformers by a name that it will drop."""
    said = "`is_gradient_checkpointing` is deprecated"
    warnings.filterwarnings("ignore", message=said, category=FutureWarning)


def _made(trainer: Callable[[Any, Inputs, Course], Any], settings: Any, inputs: Inputs, course: Course) -> Any:
    with layers_told(settings.model.lora_target_modules):
        return trainer(replace(settings, training=copy.copy(settings.training)), inputs, course)


def _fingerprint(settings: Any, inputs: Inputs, content: Mapping[str, Any]) -> dict[str, Any]:
    known = {name: getattr(settings, name) for name in ("data", "medical", "training", "model")}
    commit = getattr(inputs.config, "_commit_hash", None)
    return fingerprint(**known, content=content, world=settings.training.world_size, commit=commit)


def _run_folder(settings: Any, inputs: Inputs, content: Mapping[str, Any], *, method: str) -> RunFolder:
    """The folder, with what is known before the first step written by the first process."""
    folder = Path(str(settings.training.output_dir))
    if not is_first_process():
        return RunFolder(folder)
    return RunFolder.begin(
        folder,
        method=method,
        settings=[getattr(settings, one.name) for one in fields(settings)],
        data=content,
        held_out=inputs.held_out.fingerprint() if inputs.held_out else None,
        parts=inputs.parts,
        base=str(settings.model.model_name_or_path),
    )


def trainer_settings(settings: Any, inputs: Inputs) -> dict[str, Any]:
    """What both of TRL's trainers are told; `settings.training` becomes what such a trainer needs."""
    from transformers import EarlyStoppingCallback

    from .loading import adapter_of, load_settings, quantization_of

    training, medical, model = settings.training, settings.medical, settings.model
    training.model_init_kwargs = load_settings(model, training)
    training.restore_callback_states_from_checkpoint = True
    training.push_to_hub = False  # the run folder is pushed when it is whole, with its card
    return {
        "model": str(model.model_name_or_path),
        "args": training,
        "processing_class": inputs.processor,
        "quantization_config": quantization_of(model),
        "peft_config": adapter_of(model, medical.freeze),
        "callbacks": [EarlyStoppingCallback(medical.patience)] if medical.patience else [],
    }


def answering(settings: Any, inputs: Inputs) -> Answering | None:
    """How held-out questions are answered while training, where they are."""
    if not (inputs.held_out and settings.medical.answers):
        return None
    sets = [asked_of(part, seed=inputs.held_out.seed) for part in settings.data.held_out]
    return Answering(sets, inputs.style, settings.medical.answer_tokens)
