"""What evaluation gives, by name: which of it can be watched for the best model, and whether more of it is better."""

from __future__ import annotations

import difflib

from ...schema.errors import UsageError
from ..scoring.measures import LESS_IS_BETTER, MEASURES, POOLED

OF_TRL = ("loss", "answered", "cut_off", "mean_token_accuracy", "entropy", "num_tokens", "runtime")
_OF_REWARDS = ("reward", "completion", "clip", "kl", "frac")
_FALLING = LESS_IS_BETTER | {"cut_off", "entropy", "kl", "runtime"}


def bare(metric: str) -> str:
    """The measure that a metric's name speaks of: `eval_macro_invention` of `invention`."""
    return metric.removeprefix("eval_").removeprefix("macro_")


def tells_of_the_model(metric: str) -> bool:
    """Whether a metric says how good the model is: a measure of its answers, how many could be read, or the loss."""
    return bare(metric) in {*MEASURES, *POOLED, "answered", "loss"}


def more_is_better(metric: str) -> bool:
    """Whether the best model has the most of a metric; not of losses, and not of what `scoring/measures.py` says."""
    return bare(metric) not in _FALLING and not metric.endswith("loss")


def check_watched(metric: str | None, *, answers: bool) -> None:
    """Before hours of training end in a name that no evaluation gives; names of rewards are TRL's affair.

    Args:
        metric: `metric_for_best_model`; none is the loss.
        answers: Whether held-out questions are answered; else there are no measures of answers.

    Raises:
        UsageError: it's such a name.
    """
    if metric and not answers and bare(metric) in {*MEASURES, *POOLED, "answered"}:
        raise UsageError(f"metric_for_best_model {metric} without answers; expected eval_loss, or answers to measure")
    known = sorted({*MEASURES, *POOLED, *OF_TRL})
    name = (metric or "loss").removeprefix("eval_")
    if bare(name) in known or name.startswith(_OF_REWARDS):
        return
    near = difflib.get_close_matches(name, [*known, *(f"macro_{one}" for one in known)], n=3) or ["accuracy", "macro_accuracy"]
    told = ", ".join(f"eval_{one}" for one in near)
    raise UsageError(f"metric_for_best_model {metric}: no such measure; expected one of evaluation's, such as {told}")
