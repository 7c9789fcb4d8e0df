"""How runs were compared, and what a comparison does not say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import numbers
from .document import Bullets, Section

ALPHA = 0.05
"""Adjusted p values below it are told as a difference."""


def how(found: Mapping[str, Any]) -> Section:
    """What intervals and p values are made of."""
    drawn = found["intervals"]
    level, draws = round(100 * drawn["level"]), f"{drawn['resamples']:,}"
    least = numbers.probability(max(1 / (drawn["resamples"] + 1), 2.0 ** (1 - found["groups"])))
    items = (
        "Replies are paired by question and variant. A measure of a pair that only one of the two runs has is left out.",
        f"Intervals of {level} %: bootstrap of {draws} draws of whole groups, the same groups being drawn for both runs, seed "
        f"{drawn['seed']}.",
        "`p`: how often a difference so large comes up when the runs' replies to a group change places by chance, whole groups "
        f"at a time. With {draws} arrangements of {numbers.count(found['groups'])} groups it can't be less than about {least}, "
        "so that an adjusted value over many branches can't be small; more groups or, where there are many, more `--resamples` "
        "help.",
        "`p (Holm)` is adjusted over the branches of one facet and over all pairs of runs, for each measure by itself. "
        f"Verdicts go by it, at {ALPHA}.",
        "McNemar's test stands beside it for measures of 0 and 1: exact, or chi-squared with continuity correction for more "
        "than 1,000 discordant questions. It takes the questions of a patient for independent, so that it claims too much "
        "where they aren't.",
    )
    return Section("how", "How it was compared", (Bullets(items),))


def limits(found: Mapping[str, Any]) -> Section:
    """What nobody should read into the differences."""
    items = [
        "No difference found isn't the same as no difference: the interval says how large one may still be.",
        "Several measures and several facets are tested; adjusting is done within each, not over all of them. What wasn't "
        "expected before looking is a hint, not a finding.",
        "Runs of one seed each say nothing of how much another training, or another draw of a sampling model, would differ.",
        "What the reports of the single runs say of their limits holds here too.",
    ]
    if any(one["left_out"]["n"] for one in found["runs"]) or len({one["digest"] for one in found["runs"]}) > 1:
        items.append(
            "The runs weren't asked the same set. What is compared is what has the same id, sample, kind and labels in all; "
            "whether its wording and options were the same isn't kept, and can't be checked."
        )
    return Section("limits", "What the numbers do not say", (Bullets(tuple(items)),))
