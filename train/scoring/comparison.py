"""Two runs over the same questions, paired: what is better, by how much, and how surely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any
from zlib import crc32

import numpy as np

from ...generation.baseline.significance import holm
from ...schema.errors import UsageError
from .columns import FACETS, Columns, columns, members
from .measures import BINARY
from .paired import difference, mcnemar, swapped_p
from .scored import Scored
from .statistics import LEVEL, sums

_SHOWN = 20
"""Questions of one run alone that are named; all are counted."""


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    scored: Sequence[Scored]
    """The first run's, for what was asked."""
    a: Columns
    b: Columns
    seed: int
    resamples: int
    method: str
    level: float


def compare(
    a: Sequence[Scored],
    b: Sequence[Scored],
    *,
    seed: int = 0,
    resamples: int = 1000,
    method: str = "bca",
    level: float = LEVEL,
    facets: Sequence[str] = FACETS,
) -> dict[str, Any]:
    """Differences (a minus b) of all measures that both have, of all and by facets.

    Replies are paired by question and variant; those of one run alone are counted and left out, and so is a measure of a
    pair that only one of the two has. `p` is the permutation test over groups; `mcnemar` stands beside it for measures
    of 0 and 1 (it takes the questions of a patient for independent). `p_holm` is `p` adjusted over the words of a facet.

    Args:
        a: The first run.
        b: The second.
        seed: Of all draws.
        resamples: How many draws an interval and a test are made from.
        method: `bca` or `percentile`.
        level: Of the intervals.
        facets: By what they are told apart.

    Raises:
        UsageError: no question is in both, or a question is twice in one.
    """
    first, second = _by_place(a), _by_place(b)
    places = sorted(first.keys() & second.keys())
    if not places:
        raise UsageError("the two runs share no question and variant; expected runs over the same questions")
    one, other = [first[place] for place in places], [second[place] for place in places]
    pairs = _Pairs(one, *_aligned(one, other), seed=seed, resamples=resamples, method=method, level=level)
    return {
        **_branch(pairs, np.arange(len(places)), name="all"),
        "only_in_a": _alone(first, second),
        "only_in_b": _alone(second, first),
        "by": {facet: _facet(pairs, facet) for facet in facets},
        "intervals": {"seed": seed, "resamples": resamples, "method": method, "level": level, "drawn": "groups"},
    }


def _by_place(scored: Sequence[Scored]) -> dict[tuple[str, str], Scored]:
    by_place = {(one.id, one.variant): one for one in scored}
    if len(by_place) < len(scored):
        raise UsageError(f"{len(scored)} scored replies to {len(by_place)} questions and variants; expected one each")
    return by_place


def _alone(some: dict[tuple[str, str], Scored], others: dict[tuple[str, str], Scored]) -> dict[str, Any]:
    places = sorted(some.keys() - others.keys())
    return {"n": len(places), "first": [{"id": name, "variant": variant} for name, variant in places[:_SHOWN]]}


def _aligned(one: Sequence[Scored], other: Sequence[Scored]) -> tuple[Columns, Columns]:
    """Both runs' measures in the same columns, of the pairs alone in which both have them."""
    a, b = columns(one), columns(other)
    names = tuple(name for name in a.names if name in b.names)
    parts = [(run, [run.names.index(name) for name in names]) for run in (a, b)]
    both = np.logical_and(*[run.has[:, places] for run, places in parts])
    a, b = (Columns(names, run.top[:, places] * both, run.bottom[:, places] * both, both, a.groups) for run, places in parts)
    return a, b


def _facet(pairs: _Pairs, facet: str) -> dict[str, Any]:
    found = members(pairs.scored, facet)
    branches = {word: _branch(pairs, rows, name=f"{facet} {word}") for word, rows in found.items()}
    for measure in pairs.a.names:
        tested = [branch["measures"][measure] for branch in branches.values() if measure in branch["measures"]]
        tested = [one for one in tested if one["p"] is not None]
        for one, adjusted in zip(tested, holm([one["p"] for one in tested]), strict=True):
            one["p_holm"] = adjusted
    return branches


def _branch(pairs: _Pairs, rows: np.ndarray, *, name: str) -> dict[str, Any]:
    a, b = pairs.a.of(rows), pairs.b.of(rows)
    one, other = (sums(run.top, run.bottom, run.groups) for run in (a, b))
    seed = (pairs.seed, crc32(name.encode()))
    ends = difference(one, other, seed=seed, resamples=pairs.resamples, method=pairs.method, level=pairs.level)
    p = swapped_p(one, other, seed=seed, resamples=pairs.resamples)
    measures = {
        measure: {
            "n": int(a.has[:, place].sum()),
            "a": _number(one.ratio[place]),
            "b": _number(other.ratio[place]),
            "difference": _number(one.ratio[place] - other.ratio[place]),
            "low": _number(ends[0, place]),
            "high": _number(ends[1, place]),
            "p": _number(p[place]),
            **_tested(a, b, place, measure=measure),
        }
        for place, measure in enumerate(a.names)
    }
    return {"n": len(rows), "groups": len(one.top), "measures": measures}


def _tested(a: Columns, b: Columns, place: int, *, measure: str) -> dict[str, Any]:
    if measure not in BINARY:
        return {}
    rows = a.has[:, place]
    return {"mcnemar": asdict(mcnemar(a.top[rows, place], b.top[rows, place]))}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
