"""Parts of a model that don't learn, by the names of their modules."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fnmatch import translate
from typing import TYPE_CHECKING

from ...schema.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

SHOWN = 40


def pattern(names: Sequence[str]) -> str:
    """A regular expression that fully matches the dotted names of modules that are meant, and of all within them.

    A name stands for modules that end with it (`vision_tower`, `language_model.layers`), with `*`, `?` and `[…]` as in a shell.
    """
    ends = "|".join(translate(name) for name in names)
    return rf"(?:.*\.)?(?:{ends})(?:\..*)?".replace(r"\Z", "").replace(r"\z", "")


def freeze(model: nn.Module, names: Sequence[str]) -> int:
    """How many parameters were frozen, in numbers of weights.

    Raises:
        UsageError: a name that no module has, or nothing is left to learn.
    """
    if not names:
        return 0
    modules = [name for name, _ in model.named_modules() if name]
    for name in names:
        if not any(re.fullmatch(pattern([name]), one) for one in modules):
            raise UsageError(f"freeze: no module {name!r}; expected some of {', '.join(upper(modules))}")
    count, within = 0, re.compile(pattern(names))
    for name, weights in model.named_parameters():
        if within.fullmatch(name):
            weights.requires_grad_(False)
            count += weights.numel()
    if not any(weights.requires_grad for weights in model.parameters()):
        raise UsageError(f"freeze: {', '.join(names)} leave nothing that learns; expected a part of the model")
    return count


def upper(modules: Iterable[str]) -> list[str]:
    """Names of the upper modules, three levels deep, without those of numbered layers."""
    return [one for one in modules if one.count(".") < 3 and not re.search(r"\.\d", one)][:SHOWN]
