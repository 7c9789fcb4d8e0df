"""What a run would do, without loading weights or taking a step."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from .. import grpo
from ..data.for_trl import OrderSampler
from ..data.mixture import Mixture
from .course import checked
from .data_rights import sources_of
from .hub_settings import check_allowed
from .loading import check_quantized
from .skeleton import check_parts
from .told_settings import told
from .whole_run import Inputs, Opened, inputs_of


def planned(settings: Any, *, method: str) -> dict[str, Any]:
    """Settings as resolved, rows of each part, steps of an epoch, and the first conversation as the model reads it.

    Args:
        settings: Of `sft.py` or `grpo.py`.
        method: sft or grpo.

    Raises:
        ReleaseError: a release isn't there, or the Hub can't be reached or refuses.
        UsageError: settings that don't fit together, or the model.
    """
    settings, inputs = _checked(settings, method)
    training, mixture = settings.training, inputs.mixture
    answers = training.num_generations if method == "grpo" else 1
    step = training.per_device_train_batch_size * training.gradient_accumulation_steps * training.world_size // answers
    return {
        "method": method,
        "settings": told(getattr(settings, one.name) for one in fields(settings)),
        "style": asdict(inputs.style),
        "sets": mixture.fingerprint()["sets"],
        "held_out": inputs.held_out.fingerprint()["sets"] if inputs.held_out else [],
        "rows_per_epoch": len(mixture),
        "rows_per_step": step,
        "steps_per_epoch": len(mixture) // step if step else 0,
        "steps": _steps(training, len(mixture) // max(step, 1)),
        "first": _first(mixture, inputs.processor),
    }


def _checked(settings: Any, method: str) -> tuple[Any, Inputs]:
    """Settings as the run takes them, with its inputs, after all that a run checks and that needs no weights and no Hub."""
    checked(settings.medical, settings.training, held_out=settings.data.held_out)
    check_quantized(settings.model)
    settings = grpo.settled(settings) if method == "grpo" else settings
    inputs = inputs_of(settings, _opened(method))
    check_parts(settings, inputs.config)
    _check_steps(inputs.mixture, settings.training, method)
    if settings.training.push_to_hub:
        check_allowed(settings, sources_of(inputs.parts))
    return settings, inputs


def _check_steps(mixture: Mixture, training: Any, method: str) -> None:
    if method == "grpo":
        from .rewarded import rounds

        rounds(mixture, training)
    else:
        OrderSampler(mixture, step=training.per_device_train_batch_size * training.world_size)


def _opened(method: str) -> Opened:
    if method == "sft":
        return Mixture.open
    from .rewarded import opened

    return opened


def _steps(training: Any, of_epoch: int) -> int:
    return training.max_steps if training.max_steps > 0 else round(of_epoch * training.num_train_epochs)


def _first(mixture: Mixture, processor: Any) -> dict[str, Any]:
    """The first row of the first epoch: its text by the model's own template, and its pictures' height and width in px."""
    row = mixture.row(int(mixture.order(0)[0]))
    turns = [*row["prompt"], *row.get("completion", ())]
    text = processor.apply_chat_template(turns, tokenize=False, add_generation_prompt="completion" not in row)
    return {"text": text, "pictures_hw_px": [[one.height, one.width] for one in row["images"]]}
