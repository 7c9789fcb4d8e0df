"""What was asked of a whole release, in numbers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from .shard import MOST_EXAMPLES, TABLE


def counted(told: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Counts over all files: in all, by each column, by all columns together, and what validators left out."""
    every = list(told)
    table, left_out = Counter[tuple[str, ...]](), defaultdict[str, Counter[str]](Counter)
    for one in every:
        table.update({tuple(place): count for *place, count in one["table"]})
        for rule, code, count in one["left_out"]:
            left_out[rule][code] += count
    by = {name: Counter[str]() for name in TABLE}
    for place, count in table.items():
        for name, value in zip(TABLE, place, strict=True):
            by[name][value] += count
    return {
        "questions": table.total(),
        "counts": {name: dict(sorted(counts.items())) for name, counts in by.items()},
        "table": [dict(zip(TABLE, place, strict=True), questions=count) for place, count in sorted(table.items())],
        "left_out": {rule: dict(sorted(codes.items())) for rule, codes in sorted(left_out.items())},
    }


def examples(told: Iterable[dict[str, Any]]) -> list[dict[str, str]]:
    """The first questions that were left out for each code."""
    shown, kept = Counter[str](), []
    for example in (example for one in told for example in one["examples"]):
        shown[example["code"]] += 1
        if shown[example["code"]] <= MOST_EXAMPLES:
            kept.append(example)
    return kept
