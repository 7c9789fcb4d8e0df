"""The way of writing places that a model's family was trained on."""

from __future__ import annotations

from ..coordinates.dialects import of_family
from .model_files import ModelFiles, not_loaded


def dialect_of(files: ModelFiles) -> str:
    """The name of the dialect for a model's configuration, which alone is read.

    Raises:
        UsageError: no configuration is there, or transformers doesn't know it.
    """
    from transformers import AutoConfig

    try:
        config = AutoConfig.from_pretrained(files.model, **({"revision": files.revision} if files.revision else {}))
    except (OSError, ValueError) as error:
        raise not_loaded(files.given, error) from error
    return of_family(config.model_type)
