"""A model without its weights: whether the parts to freeze and the layers to adapt are there, in a second and no download."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from peft import get_peft_model

from ...schema.errors import UsageError
from .freezing import freeze
from .loading import adapter_of


def check_parts(settings: Any, config: Any) -> None:
    """Come back where a model of this configuration has what settings freeze and adapt.

    Raises:
        UsageError: a name that no module has, or nothing is left to learn.
    """
    frozen, adapter = settings.medical.freeze, adapter_of(settings.model, settings.medical.freeze)
    if not (frozen or adapter):
        return
    with torch.device("meta"), layers_told(settings.model.lora_target_modules):
        model = _bare(config, trust_remote_code=settings.training.trust_remote_code)
        model = get_peft_model(model, adapter) if adapter is not None else model
    freeze(model, frozen)


def _bare(config: Any, *, trust_remote_code: bool) -> Any:
    """Of the class that TRL loads: the configuration's own, where transformers has it."""
    import transformers

    own: Any = getattr(transformers, (config.architectures or [""])[0], None)
    if own is not None:
        return own(config)
    return transformers.AutoModelForImageTextToText.from_config(config, trust_remote_code=trust_remote_code)


@contextmanager
def layers_told(named: Any) -> Iterator[None]:
    """Have peft's complaint that no module has such a name told as ours.

    Raises:
        UsageError: it complains.
    """
    try:
        yield
    except ValueError as error:
        if "arget modules" not in str(error):
            raise
        found = f"lora_target_modules {named}: no such module" if named else "no linear layer that isn't frozen"
        expected = "names or a pattern of linear layers; docs/training.md has the families"
        raise UsageError(f"{found}; expected {expected}") from error
