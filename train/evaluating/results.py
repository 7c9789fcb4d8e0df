"""`results.json`: scores, what variants tell, kinds of error, and all settings they follow from."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any

from ..prediction import PLAIN, Prediction
from ..scoring.summary import summarize
from .error_kinds import counted
from .marking import Marked
from .plan import Plan
from .robustness import Shares, told
from .variants import chosen

VERSION = 1
"""Of the form of `results.json`."""
_LIBRARIES = ("numpy", "pillow", "pyarrow")


def results_of(
    plan: Plan,
    predictions: Sequence[Prediction],
    marked: Sequence[Marked],
    *,
    seed: int,
    resamples: int,
    judge: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """All of it; without marked replies what predictions alone tell."""
    asked = plan.settings["questions"]
    found: dict[str, Any] = {
        "version": VERSION,
        "name": plan.settings["asked"],
        "questions": asked,
        "settings": {**plan.settings, "resamples": resamples, "judged_by": judge and judge["model"]},
        "versions": versions(),
        "replies": replies(predictions),
        **({"judge": dict(judge)} if judge else {}),
    }
    if not marked:
        return found | {"scored": False}
    plain = [(one.scored, one.kind) for one in marked if one.scored.variant == PLAIN]
    probes = {one.scored.id: one.scored for one in marked if one.scored.variant == "probe"}
    shares = Shares(seed, resamples)
    return found | {
        "scored": True,
        "scores": summarize([one for one, _ in plain], seed=seed, resamples=resamples),
        "error_kinds": counted(plain, probes),
        "labels": dict(sorted({id: name for one in marked for id, name in one.names.items()}.items())),
        "variants": {one.id: told(one, marked, asked=asked, shares=shares) for one in chosen(plan.settings["variants"])},
    }


def replies(predictions: Sequence[Prediction]) -> dict[str, Any]:
    """How replies ended, how many failed and why, and the tokens that were counted."""
    errors = Counter((one.error or "").partition(":")[0] for one in predictions if one.error)
    tokens = {name: [getattr(one, name) for one in predictions] for name in ("prompt_tokens", "reply_tokens")}
    return {
        "n": len(predictions),
        "failed": sum(errors.values()),
        "errors": dict(errors.most_common()),
        "finish": dict(Counter(one.finish for one in predictions if one.finish).most_common()),
        **{name: sum(one for one in some if one) if any(some) else None for name, some in tokens.items()},
    }


def versions() -> Mapping[str, str]:
    """What scored it; what answered is told by the backend."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}
