"""What a run would do, without loading weights or taking a step."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from ..data.mixture import Mixture
from .told_settings import told
from .whole_run import Opened, inputs_of


def planned(settings: Any, *, method: str) -> dict[str, Any]:
    """Settings as resolved, rows of each part, steps of an epoch, and the first conversation as the model reads it.

    Args:
        settings: Of `sft.py` or `grpo.py`.
        method: sft or grpo.

    Raises:
        ReleaseError: a release isn't there, or the Hub can't be reached or refuses.
        UsageError: settings that don't fit together, or the model.
    """
    training = settings.training
    inputs = inputs_of(settings, _opened(method))
    mixture = inputs.mixture
    answers = training.num_generations if method == "grpo" else 1
    step = training.per_device_train_batch_size * training.gradient_accumulation_steps * training.world_size // answers
    return {
        "method": method,
        "settings": told(getattr(settings, one.name) for one in fields(settings)),
        "style": asdict(inputs.style),
        "sets": mixture.fingerprint()["sets"],
        "rows_per_epoch": len(mixture),
        "rows_per_step": step,
        "steps_per_epoch": len(mixture) // step if step else 0,
        "steps": _steps(training, len(mixture) // max(step, 1)),
        "first": _first(mixture, inputs.processor),
    }


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
