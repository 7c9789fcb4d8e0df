"""The model, its processor and its adapter, as TRL's `ModelConfig` asks for them. Loads TRL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from accelerate import PartialState
from transformers import AutoConfig, AutoProcessor
from trl.trainer.model_config import ModelConfig
from trl.trainer.utils import get_peft_config, get_quantization_config

from ...schema.errors import UsageError
from ..predicting.model_files import not_loaded
from .freezing import pattern


def processor_of(model: ModelConfig, *, trust_remote_code: bool = False) -> Any:
    """The processor that belongs to the model.

    Raises:
        UsageError: no model is named, or it has no processor that loads here.
    """
    if not model.model_name_or_path:
        raise UsageError("no model; expected model_name_or_path: a repository of the Hub, or a folder")
    name = model.model_name_or_path
    try:
        found = AutoProcessor.from_pretrained(name, revision=model.model_revision, trust_remote_code=trust_remote_code)
    except (OSError, ValueError, ImportError) as error:
        raise not_loaded(name, error) from error
    if not hasattr(found, "tokenizer"):
        raise UsageError(f"{name}: its processor takes no pictures; expected a vision-language model")
    return found


def config_of(model: ModelConfig, *, trust_remote_code: bool = False) -> Any:
    """The model's configuration; `model_type` and the repository's commit are in it.

    Raises:
        UsageError: there is none that loads here.
    """
    name = str(model.model_name_or_path)
    try:
        return AutoConfig.from_pretrained(name, revision=model.model_revision, trust_remote_code=trust_remote_code)
    except (OSError, ValueError) as error:
        raise not_loaded(name, error) from error


def adapter_of(model: ModelConfig, frozen: Sequence[str]) -> Any:
    """The configuration of a LoRA adapter, None for full fine-tuning.

    It adapts all linear layers where none are named; never those of frozen parts.
    """
    config: Any = get_peft_config(model)
    if config is None:
        return None
    if config.target_modules is None and not config.target_parameters:
        config.target_modules = "all-linear"
    if frozen:
        config.exclude_modules = pattern(frozen)
    return config


def quantization_of(model: ModelConfig) -> Any:
    """How the base is held in 4 or 8 bits, None where it isn't.

    Raises:
        UsageError: no GPU is there, no adapter is asked for, or bitsandbytes is absent.
    """
    bits = check_quantized(model)
    if bits is None:
        return None
    if not torch.cuda.is_available():
        raise UsageError(f"{bits} without a GPU; expected one, as bitsandbytes needs; train LoRA without {bits} instead")
    try:
        import bitsandbytes as _  # noqa: F401  # pyright: ignore[reportMissingImports]
    except ImportError as error:
        raise UsageError(f"{bits} without bitsandbytes; expected it; pip install 'medloom[train,qlora]'") from error
    return get_quantization_config(model)


def check_quantized(model: ModelConfig) -> str | None:
    """The setting that has the base held in few bits, None where none has.

    Raises:
        UsageError: no adapter is asked for.
    """
    if not (model.load_in_4bit or model.load_in_8bit):
        return None
    bits = "load_in_4bit" if model.load_in_4bit else "load_in_8bit"
    if not model.use_peft:
        raise UsageError(f"{bits} without use_peft; expected both: weights of {bits[8:]} are adapted, not trained")
    return bits


def load_settings(model: ModelConfig, training: Any) -> dict[str, Any]:
    """What `from_pretrained` is told, `training.model_init_kwargs` last."""
    own = {
        "revision": model.model_revision,
        "dtype": model.dtype,
        "attn_implementation": model.attn_implementation,
        "device_map": {"": PartialState().local_process_index} if model.load_in_4bit or model.load_in_8bit else None,
    }
    return {**own, **(training.model_init_kwargs or {})}
