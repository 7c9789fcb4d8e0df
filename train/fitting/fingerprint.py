"""What a run's weights depend on: data, base model, and every setting that can change a step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from enum import Enum
from typing import Any

# fmt: off
WITHOUT_EFFECT = frozenset((
    "output_dir", "run_name", "project", "disable_tqdm", "report_to", "debug", "skip_memory_metrics", "do_train",
    "do_eval", "do_predict", "resume_from_checkpoint", "ignore_data_skip", "restore_callback_states_from_checkpoint",
    "local_rank", "remove_unused_columns", "log_level", "log_level_replica", "log_on_each_node", "logging_strategy",
    "logging_steps", "logging_first_step", "logging_nan_inf_filter", "include_num_input_tokens_seen", "eval_steps",
    "eval_strategy", "eval_delay", "eval_on_start", "eval_accumulation_steps", "eval_do_concat_batches",
    "eval_use_gather_object", "per_device_eval_batch_size", "prediction_loss_only", "batch_eval_metrics",
    "include_for_metrics", "bf16_full_eval", "fp16_full_eval", "save_strategy", "save_steps", "save_total_limit",
    "save_only_model", "save_on_each_node", "enable_jit_checkpoint", "push_to_hub", "torch_empty_cache_steps",
    "ddp_timeout", "dataset_num_proc", "train_sampling_strategy", "length_column_name", "logging_dir",
    "generation_batch_size",
))
# fmt: on
"""Settings of TRL and transformers that leave every step as it is."""
_PREFIXES = ("hub_", "dataloader_", "trackio_")
_OF_DATA = ("data", "general", "held_out")
"""The data's own fingerprint says more than how they were asked for."""


def fingerprint(
    *, data: Any, medical: Any, training: Any, model: Any, content: Mapping[str, Any], world: int, commit: str | None = None
) -> dict[str, Any]:
    """Plain data, equal for runs that take the same steps.

    Args:
        data: `DataArguments`, of which the style counts.
        medical: `MedicalArguments`, of which frozen parts and patience count.
        training: TRL's settings, without those of `WITHOUT_EFFECT`.
        model: TRL's `ModelConfig`.
        content: The mixture's fingerprint.
        world: How many processes train.
        commit: Of the base model's repository.
    """
    steps = {name: value for name, value in training.to_dict().items() if _counts(name)}
    own = {name: value for name, value in asdict(data).items() if name not in _OF_DATA}
    kept = {"freeze": list(medical.freeze), "patience": medical.patience}
    whole = {
        "data": dict(content),
        "style": own,
        "parts": kept,
        "training": steps,
        "model": {**asdict(model), "commit": commit},
    }
    return json.loads(json.dumps({**whole, "world": world}, default=_plain, sort_keys=True))


def _counts(name: str) -> bool:
    return name not in WITHOUT_EFFECT and not name.startswith(_PREFIXES)


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else str(value)
