"""A tiny model for a drawn world, and how it is trained within seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import medloom


def learner(release: Path, folder: Path) -> str:
    """A tiny model whose tokens fit the questions of a release."""
    from tiny_models import tiny

    rows: Any = medloom.load(str(release), split="train", suite="medmat")
    plain = rows.with_format(None)
    return str(tiny("llava", folder, [word for row in plain for word in _words(row)]))


def _words(row: dict[str, Any]) -> list[str]:
    return [row["question"], *(option["text"] for option in row["options"])]


def settings(model: str, *, steps: int) -> dict[str, Any]:
    """Of training on a CPU."""
    return {
        "model_name_or_path": model,
        "max_steps": steps,
        "per_device_train_batch_size": 8,
        "learning_rate": 3e-3,
        "lr_scheduler_type": "linear",
        "warmup_steps": 10,
        "gradient_checkpointing": False,
        "use_cpu": True,
        "bf16": False,
        "instruction": False,
        "logging_steps": 1000,
    }
