"""Which measures speak for a branch of results, and how a table tells them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...scoring.measures import MEASURES, POOLED, PRIMARY
from ...scoring.summary import SMALL_GROUPS, SMALL_N
from . import numbers
from .document import Column

Branch = Mapping[str, Any]
"""As `scoring.summary` tells it: n, groups, small, statuses, measures."""
FEW = "few"
"""Stands where a branch has too few questions or groups to lean on."""
COLUMNS = (
    Column("questions", number=True),
    Column("groups", number=True),
    Column("measure", code=True),
    Column("n", number=True),
    Column("value", number=True),
    Column("interval", number=True),
    Column("chance", number=True),
    Column("other observers", number=True),
    Column("note"),
)
"""Of `rows`, after what is measured."""


def speaking(by_kind: Mapping[str, Branch]) -> tuple[str, ...]:
    """The measures that speak for the kinds of question that were asked, in the order of kinds.

    Of a kind's primary measures the first that its replies have; a further one only where replies are left without.
    """
    found: list[str] = []
    for kind in (one for one in PRIMARY if one in by_kind):
        branch, told = by_kind[kind], 0
        for name in PRIMARY[kind]:
            count = branch["measures"].get(name, {}).get("n", 0)
            if count and told < branch["n"]:
                found.append(name)
                told += count
    return tuple(dict.fromkeys(found))


def told(branch: Branch, names: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Those of some measures that a branch has."""
    for name in names:
        if name in branch["measures"]:
            yield name, branch["measures"][name]


def rows(name: str, branch: Branch, measures: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """The rows of a branch, one for each measure; one without numbers where it has none of them."""
    size = numbers.count(branch["n"]), numbers.count(branch["groups"])
    empty = True
    for measure, one in told(branch, measures):
        empty = False
        yield (name, *size, measure, numbers.count(one["n"]), *values(one), FEW if few(branch, one) else "")
    if empty:
        yield (name, *size, "", "", *[numbers.NONE] * 4, FEW if branch["small"] else "")


def few(branch: Branch, one: Mapping[str, Any]) -> bool:
    """Whether there are too few questions or groups to lean on a measure of a branch."""
    return branch["small"] or one["n"] < SMALL_N


def few_pairs(branch: Branch, one: Mapping[str, Any]) -> bool:
    """The same of a branch of a comparison."""
    return one["n"] < SMALL_N or branch["groups"] < SMALL_GROUPS


def bounds(one: Mapping[str, Any]) -> dict[str, float | None]:
    """The ends of a measure's interval; Wilson's where all draws agree, since one without width would claim too much."""
    low, high, wilson = one["low"], one["high"], one.get("wilson")
    if wilson and low is not None and low == high:
        return {"low": wilson["low"], "high": wilson["high"]}
    return {"low": low, "high": high}


def values(one: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Value, interval, chance level and human bound."""
    human = one.get("human") or {}
    return (
        numbers.value(one["value"]),
        numbers.ends(bounds(one)),
        numbers.value(one.get("chance")),
        numbers.value(human.get("value")),
    )


def about(measure: str) -> str:
    """What a measure says."""
    if measure in POOLED:
        above, below = (numbers.words(one) for one in POOLED[measure])
        return f"sum of {above} over sum of {below}"
    return MEASURES.get(measure, "")
