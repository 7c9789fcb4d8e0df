"""What a run would do, without loading weights or taking a step."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from ..coordinates import of_family, seen_size
from ..data.mixture import Mixture
from .loading import config_of, processor_of
from .told_settings import told


def planned(settings: Any, *, method: str) -> dict[str, Any]:
    """Settings as resolved, rows of each part, steps of an epoch, and the first conversation as the model reads it.

    Args:
        settings: Of `sft.py` or `grpo.py`.
        method: sft or grpo.

    Raises:
        ReleaseError: a release isn't there, or the Hub can't be reached or refuses.
        UsageError: settings that don't fit together, or the model.
    """
    data, training, model = settings.data, settings.training, settings.model
    processor = processor_of(model, trust_remote_code=training.trust_remote_code)
    config = config_of(model, trust_remote_code=training.trust_remote_code)
    style = data.style(of_family(config.model_type))
    mixture = _mixture(settings, method, style=style, seen=seen_size(processor))
    answers = training.num_generations if method == "grpo" else 1
    step = training.per_device_train_batch_size * training.gradient_accumulation_steps * training.world_size // answers
    return {
        "method": method,
        "settings": told(getattr(settings, one.name) for one in fields(settings)),
        "style": asdict(style),
        "sets": mixture.fingerprint()["sets"],
        "rows_per_epoch": len(mixture),
        "rows_per_step": step,
        "steps_per_epoch": len(mixture) // step if step else 0,
        "steps": _steps(training, len(mixture) // max(step, 1)),
        "first": _first(mixture, processor),
    }


def _mixture(settings: Any, method: str, *, style: Any, seen: Any) -> Mixture:
    training = settings.training
    seed = training.seed if training.data_seed is None else training.data_seed
    if method == "sft":
        return Mixture.open(settings.data, style=style, seed=seed, seen=seen)
    from .rewarded import opened

    return opened(settings.data, style=style, seed=seed, seen=seen)


def _steps(training: Any, of_epoch: int) -> int:
    return training.max_steps if training.max_steps > 0 else round(of_epoch * training.num_train_epochs)


def _first(mixture: Mixture, processor: Any) -> dict[str, Any]:
    """The first row of the first epoch: its text by the model's own template, and its pictures' height and width in px."""
    row = mixture.row(int(mixture.order(0)[0]))
    turns = [*row["prompt"], *row.get("completion", ())]
    text = processor.apply_chat_template(turns, tokenize=False, add_generation_prompt="completion" not in row)
    return {"text": text, "pictures_hw_px": [[one.height, one.width] for one in row["images"]]}
