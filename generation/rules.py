"""The rules that a suite may name, and how one is made ready.

A rule is a pure function: a case and chance give questions, in an order of its own. Whoever makes one gives it the suite's
name, its options and the release's pools, and hears at once of an option that isn't there.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module

from ..schema.errors import UsageError
from ..schema.question import Question
from .case import Asking, Case
from .chance import Chance
from .pools import Pools
from .suite import RuleSpec, Suite

Rule = Callable[[Case, Chance], Iterator[Question]]
RULES: dict[str, str] = {
    "subset-choice": "choices.choice:subset_choice",
    "image-choice": "choices.pooled_choice:image_choice",
    "image-multiple": "choices.pooled_choice:image_multiple",
    "region-choice": "choices.pooled_choice:region_choice",
    "grounding": "regions.grounding:grounding",
    "detection": "regions.grounding:detection",
    "localization": "regions.localization:localization",
    "referring": "regions.referring:referring",
    "reasoning": "telling.reasoning:reasoning",
    "prompted": "telling.prompted:prompted",
    "description": "telling.description:description",
}
"""Name in a suite → `module:function`, a function of (asking, pools, *, own options) that returns a `Rule`."""


def ready(suite: Suite, pools: Pools) -> dict[str, Rule]:
    """The suite's rules by name, ready to ask.

    Raises:
        UsageError: a rule or an option that there isn't, or a value that can't be used.
    """
    return {spec.rule: _made(suite, spec, pools) for spec in suite.rules}


def _made(suite: Suite, spec: RuleSpec, pools: Pools) -> Rule:
    if spec.rule not in RULES:
        raise UsageError(f"suite {suite.name}: rule {spec.rule!r}; expected one of {', '.join(sorted(RULES))}")
    module, function = RULES[spec.rule].split(":")
    make = getattr(import_module(f".{module}", __package__), function)
    known = [one.name for one in inspect.signature(make).parameters.values() if one.kind is one.KEYWORD_ONLY]
    if strange := sorted(set(spec.options) - set(known)):
        expected = ", ".join(known) or "none: it has no options"
        raise UsageError(f"suite {suite.name}, rule {spec.rule}: option {', '.join(strange)}; expected {expected}")
    return make(Asking(suite.name, spec.rule), pools, **spec.options)
