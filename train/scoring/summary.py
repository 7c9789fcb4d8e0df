"""Scored replies to the numbers of `results.json`.

summary = summarize(scored, seed=0)
summary["measures"]["accuracy"]  → {"n", "value", "low", "high", "wilson", "macro_labels", "macro_subsets", "chance", "human"}
summary["by"]["modality"]["CT"], summary["tree"], summary["variants"]["order:1"]

`value` weighs every question alike (micro); `macro_labels` and `macro_subsets` are means of the values of each label and
of each subset. Intervals come of drawing whole groups; a branch of few questions or few groups is flagged `small`, since
there they are too narrow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

from ...schema.errors import UsageError
from ..prediction import PLAIN
from .columns import FACETS, Columns, columns, members, paths
from .comparison import compare
from .measures import BINARY
from .scored import Scored
from .statistics import LEVEL, Sums, effective, interval, sums, wilson

__all__ = ["SMALL_GROUPS", "SMALL_N", "compare", "summarize"]

SMALL_N, SMALL_GROUPS = 30, 10
"""Below either a branch is flagged `small`."""


@dataclass(frozen=True, slots=True, eq=False)
class _Whole:
    """What the numbers of every branch are made from."""

    scored: Sequence[Scored]
    columns: Columns
    seed: int
    resamples: int
    method: str
    level: float


def summarize(
    scored: Sequence[Scored],
    *,
    seed: int = 0,
    resamples: int = 1000,
    method: str = "bca",
    level: float = LEVEL,
) -> dict[str, Any]:
    """Counts, measures and intervals: of all, by every facet, along the lexical tree, and of each variant.

    Everything but `variants` is about the questions as they stand; where there are none, about all that is given.

    Args:
        scored: In any order; the result doesn't depend on it.
        seed: Of the draws; a branch's draws depend on it and on the branch's name alone.
        resamples: How many draws an interval is made from; 0 for none.
        method: `bca` or `percentile`.
        level: Of the intervals.

    Raises:
        UsageError: nothing was scored, a reply is there twice, or a method that isn't known.
    """
    _check(scored, method)
    ordered = sorted(scored, key=lambda one: (one.variant, one.id))
    plain = [one for one in ordered if one.variant == PLAIN] or ordered
    settings = {"seed": seed, "resamples": resamples, "method": method, "level": level}
    whole = _Whole(plain, columns(plain), **settings)
    return {
        **_branch(whole, np.arange(len(plain)), name="all"),
        "by": {facet: _facet(whole, facet) for facet in FACETS},
        "tree": [{"path": list(path), **_branch(whole, rows, name=repr(path))} for path, rows in paths(plain).items()],
        "variants": _variants(ordered, settings),
        "intervals": {**settings, "small": {"n": SMALL_N, "groups": SMALL_GROUPS}, "drawn": "groups"},
    }


def _check(scored: Sequence[Scored], method: str) -> None:
    if not scored:
        raise UsageError("no scored reply; expected one or more")
    (one, count), *_ = Counter((one.id, one.variant) for one in scored).most_common(1)
    if count > 1:
        raise UsageError(f"question {one[0]}, variant {one[1]!r}: {count} scored replies; expected one")
    if method not in ("bca", "percentile"):
        raise UsageError(f"method {method!r}; expected bca or percentile")


def _variants(ordered: Sequence[Scored], settings: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, list[Scored]] = {}
    for one in ordered:
        if one.variant != PLAIN:
            found.setdefault(one.variant, []).append(one)
    wholes = {name: _Whole(some, columns(some), **settings) for name, some in found.items()}
    return {name: _branch(one, np.arange(len(one.scored)), name=name) for name, one in wholes.items()}


def _facet(whole: _Whole, facet: str) -> dict[str, Any]:
    return {word: _branch(whole, rows, name=f"{facet} {word}") for word, rows in members(whole.scored, facet).items()}


def _branch(whole: _Whole, rows: np.ndarray, *, name: str) -> dict[str, Any]:
    """The numbers of some rows."""
    part, some = whole.columns.of(rows), [whole.scored[row] for row in rows]
    by_group = sums(part.top, part.bottom, part.groups)
    seed = (whole.seed, crc32(name.encode()))
    ends = interval(by_group, seed=seed, resamples=whole.resamples, method=whole.method, level=whole.level)
    macros = {f"macro_{facet}s": _macro(part, members(some, facet)) for facet in ("label", "subset")}
    groups = len(by_group.top)
    return {
        "n": len(rows),
        "groups": groups,
        "small": len(rows) < SMALL_N or groups < SMALL_GROUPS,
        "statuses": dict(sorted(Counter(one.status for one in some).items())),
        "measures": {
            measure: {
                "n": int(part.has[:, place].sum()),
                "value": _number(by_group.ratio[place]),
                "low": _number(ends[0, place]),
                "high": _number(ends[1, place]),
                **(_wilson(by_group, place, whole.level) if measure in BINARY else {}),
                **{macro: _number(values[place]) for macro, values in macros.items()},
                **_beside(some, measure),
            }
            for place, measure in enumerate(part.names)
        },
    }


def _macro(part: Columns, classes: Mapping[str, np.ndarray]) -> np.ndarray:
    """M means over the classes that have a measure; nan where none has."""
    every = np.full((max(len(classes), 1), len(part.names)), np.nan)
    for place, rows in enumerate(classes.values()):
        every[place] = Sums(part.top[rows], part.bottom[rows]).ratio
    count = (~np.isnan(every)).sum(axis=0)
    return np.divide(np.nansum(every, axis=0), count, out=np.full(count.shape, np.nan), where=count > 0)


def _wilson(by_group: Sums, place: int, level: float) -> dict[str, Any]:
    """Wilson's interval with as many trials as the groups' replies are worth."""
    top, bottom = by_group.top[:, place], by_group.bottom[:, place]
    trials = effective(top, bottom)
    low, high = wilson(top.sum() / bottom.sum() * trials, trials, level=level)
    return {"wilson": {"low": low, "high": high, "trials": trials}}


def _beside(some: Sequence[Scored], measure: str) -> dict[str, Any]:
    """The chance level and the human bound of a measure, over the replies that have them; there also the model's own."""
    chances = [one.chance[measure] for one in some if measure in one.chance]
    pairs = [(one.human[measure], one.measures[measure]) for one in some if measure in one.human]
    both = [(human, model) for human, model in pairs if model is not None]
    beside: dict[str, Any] = {"chance": float(np.mean(chances))} if chances else {}
    if both:
        human, model = np.mean(both, axis=0).tolist()
        beside["human"] = {"n": len(both), "value": human, "model": model}
    return beside


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
