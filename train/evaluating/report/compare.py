"""Two and more evaluations over the same questions, held against each other pair by pair.

    OUT/comparison.json         all numbers
    OUT/comparison.md, .html    the same for people; plots lie in OUT/comparison-plots

Replies are paired by question and variant. Differences have intervals over whole groups; p values are those of swapping the
models' replies to whole groups, and are adjusted (Holm) over the branches of a facet and all pairs of runs, for each measure
by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from ....generation.baseline.significance import holm
from ....schema.disk import write_json
from ...prediction import PLAIN
from ...scoring.comparison import compare
from .comparison import comparison
from .report import write
from .runs import Run, opened, settings_that_differ

COMPARISON = "comparison.json"
VERSION, RESAMPLES, NAMED = 1, 5000, 20
"""`NAMED`: questions that aren't in all runs and are named; all are counted."""


def compare_runs(
    folders: Sequence[Path], out: Path, *, shared: bool = False, seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, Any]:
    """Compare runs and write what came of it to `out`; what `comparison.json` holds.

    Args:
        folders: Of finished evaluations, as `medloom evaluate` leaves them.
        out: A folder; an earlier comparison in it is replaced.
        shared: Compare what all were asked where they weren't asked the same.
        seed: Of all draws.
        resamples: How many; no p value can be smaller than one in so many.

    Raises:
        UsageError: fewer than two runs, one that wasn't scored, or runs about other questions.
    """
    runs = opened(folders, shared=shared)
    found = compared(runs, seed=seed, resamples=resamples)
    write_json(out / COMPARISON, found)
    write(comparison(found), out, name="comparison")
    return found


def compared(runs: Sequence[Run], *, seed: int, resamples: int) -> dict[str, Any]:
    """What `comparison.json` holds of some runs."""
    common = set.intersection(*(one.plain for one in runs))
    how = {"seed": seed, "resamples": resamples}
    pairs = [_pair(one, other, common, how) for one, other in combinations(runs, 2)]
    _adjust(pairs)
    return {
        "version": VERSION,
        "questions": len(common),
        "groups": len({runs[0].scored[id, PLAIN].group for id in common}),
        "labels": {id: name for one in runs for id, name in one.results.get("labels", {}).items()},
        "runs": [_told(one, common) for one in runs],
        "settings_that_differ": settings_that_differ(runs),
        "variants": _variants(runs, common),
        "pairs": pairs,
        "intervals": pairs[0].pop("intervals") | {"holm": "words of a facet and pairs of runs, by measure"},
    }


def _told(run: Run, common: set[str]) -> dict[str, Any]:
    left = sorted(run.plain - common)
    return {
        "name": run.name,
        "model": run.model,
        "asked": run.results["name"],
        "digest": run.results["settings"]["digest"],
        "questions": len(run.plain),
        "statuses": dict(sorted(Counter(one.status for one in run.of(common, PLAIN)).items())),
        "left_out": {"n": len(left), "first": left[:NAMED]},
        "shares": {} if left else {name: _shares(one) for name, one in run.results["variants"].items()},
    }


def _shares(variant: Mapping[str, Any]) -> dict[str, Any]:
    """What a variant tells of one run: flips, right answers, who follows, abstains or invents."""
    return {name: one for name, one in variant.items() if isinstance(one, Mapping) and "value" in one}


def _variants(runs: Sequence[Run], common: set[str]) -> dict[str, list[int]]:
    """Replies to the common questions under each variant, run by run."""
    counts = [Counter(variant for id, variant in one.scored if variant != PLAIN and id in common) for one in runs]
    return {name: [one[name] for one in counts] for name in sorted({name for one in counts for name in one})}


def _pair(one: Run, other: Run, common: set[str], how: Mapping[str, Any]) -> dict[str, Any]:
    whole = compare(one.of(common, PLAIN), other.of(common, PLAIN), **how)
    for name in ("only_in_a", "only_in_b"):  # told of all runs at once
        whole.pop(name)
    return {"a": one.name, "b": other.name, **whole, "variants": dict(_of_variants(one, other, common, how))}


def _of_variants(one: Run, other: Run, common: set[str], how: Mapping[str, Any]) -> Iterable[tuple[str, dict[str, Any]]]:
    """By variant what both were asked, and how many replies only one has."""
    for name in sorted({variant for _, variant in one.scored} & {variant for _, variant in other.scored} - {PLAIN}):
        a, b = one.of(common, name), other.of(common, name)
        if {one.id for one in a} & {one.id for one in b}:
            found = compare(a, b, facets=(), **how)
            only = {side: found[side]["n"] for side in ("only_in_a", "only_in_b")}
            yield name, {**{key: found[key] for key in ("n", "groups", "measures")}, **only}


def _adjust(pairs: Sequence[dict[str, Any]]) -> None:
    """Holm over all that is tested alike: the branches of a facet in every pair, a variant or the whole in every pair."""
    families: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for pair in pairs:
        branches = [("all", pair), *((f"variant {name}", one) for name, one in pair["variants"].items())]
        branches += [(f"by {facet}", one) for facet, words in pair["by"].items() for one in words.values()]
        for family, branch in branches:
            for measure, one in branch["measures"].items():
                if one["p"] is not None:
                    families.setdefault((family, measure), []).append(one)
    for tested in families.values():
        for one, adjusted in zip(tested, holm([one["p"] for one in tested]), strict=True):
            one["p_holm"] = adjusted
