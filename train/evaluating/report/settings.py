"""What a report's numbers follow from, how replies were scored, and what the numbers don't say."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .document import Bullets, Column, Section, Table

_COLUMNS = (Column("setting", code=True), Column("value", code=True))


def settings(results: Mapping[str, Any]) -> Section:
    """All settings and versions."""
    rows = tuple(flat(results["settings"]))
    versions = tuple(sorted(results["versions"].items()))
    text = "The same settings give the same predictions where the model itself does; the digest is of all that it was shown."
    parts = (text, Table("Settings", _COLUMNS, rows, folded=len(rows) > 40), Table("Versions that scored", _COLUMNS, versions))
    return Section("settings", "Settings and versions", parts)


def flat(told: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested settings as names with dots, and their values as JSON or text."""
    for name, value in told.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def scoring(results: Mapping[str, Any]) -> Section:
    """How replies became numbers."""
    if not results["scored"]:
        return Section(
            "scoring", "How it was scored", ("Nothing was scored: `medloom evaluate … --rescore` does, with the answers.",)
        )
    how = results["scores"]["intervals"]
    method = {"bca": "bias-corrected and accelerated", "percentile": "percentile"}[how["method"]]
    judge = results["settings"].get("judged_by")
    items = (
        "Answers are read in replies by stated rules in a fixed order, never guessed: a reply that no rule reads is `unparsed` "
        "and wrong, and so is a refusal. What was read stands in `scored.parquet`, with the rule that read it.",
        "`value` weighs every question alike (micro); `macro over labels` and `macro over subsets` weigh every label or subset "
        "alike, so that frequent ones don't drown the others.",
        f"Intervals: {method} bootstrap of {how['resamples']:,} draws of whole groups, seed {how['seed']}. Questions about one "
        "patient hang together, so groups are drawn, not questions. Wilson's interval, for measures of 0 and 1, takes as many "
        "trials as the groups' replies are worth.",
        "Chance at a question of choice is that of one option, or of any set of two and more options, drawn blindly from those "
        "that are shown.",
        "A judge read what no rule reads; its model stands in the settings."
        if judge
        else "No judge was asked: rules alone read replies.",
    )
    return Section("scoring", "How it was scored", (Bullets(items),))


def limits(results: Mapping[str, Any]) -> Section:
    """What nobody should read into the numbers."""
    return Section("limits", "What the numbers do not say", (Bullets(tuple(_limits(results))),))


def _limits(results: Mapping[str, Any]) -> Iterator[str]:
    yield (
        "They are about these questions, made from published datasets by rules or models, and about this model as it was "
        "asked: no evidence of use to patients, and no basis for clinical decisions."
    )
    yield (
        "Whether the model has seen these pictures before can't be told from its answers. Published test sets may be part of "
        "what it was trained on."
    )
    yield (
        "Pictures are standardized to 8 bits and, of volumes, to slices: what a reader does by scrolling, windowing, comparing "
        "with earlier studies and knowing the patient isn't asked."
    )
    yield (
        "An interval says how far the value may move with other patients from the same datasets. It doesn't cover other "
        "hospitals, other wordings of the questions, errors of the labels, or another draw of a sampling model."
    )
    if results["scored"]:
        yield from _of_scores(results["scores"])
        yield from _of_variants(results["variants"])


def _of_scores(scores: Mapping[str, Any]) -> Iterator[str]:
    yield "Rows of tables aren't adjusted for their number; to say that one branch is better than another takes a test of that."
    if any("chance" not in one for one in scores["measures"].values()):
        yield (
            "Measures of regions and words have no chance level here, and 0 isn't what guessing gets: a box in the middle of "
            "the picture often meets something."
        )
    if {"localization", "description", "prompted"} & set(scores["by"]["kind"]):
        yield (
            "Measures of words compare with one reference: a right answer worded otherwise gets less, a fluent wrong one may "
            "get much."
        )
    if not any(one.get("human") for one in scores["measures"].values()):
        yield "No question here has regions of several observers, so how well people would agree isn't known."


def _of_variants(variants: Mapping[str, Any]) -> Iterator[str]:
    if any(one["not_applicable"] for one in variants.values()):
        yield "Variants don't apply to every question; those left out are counted, and shares are of the others alone."
    if any(one["aim"] == "robustness" for one in variants.values()):
        yield (
            "Robustness is told for the changes that were tried, on stored pictures: what a window cut off can't be brought "
            "back."
        )
    else:
        yield "How much answers hang on window, prompt colour and option order wasn't tried."
