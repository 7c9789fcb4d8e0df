"""A report as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

TITLES = {
    "combinations": "Related combinations",
    "data": "All, related and unrelated data",
    "without": "Related data without an element",
    "sizes": "Sizes",
    "tasks": "One task and many",
}


def markdown(found: Mapping[str, Any]) -> str:
    """The whole report."""
    return "\n".join(_lines(found)) + "\n"


def _lines(found: Mapping[str, Any]) -> Iterator[str]:
    yield f"# Compositional generalization: {found['release']}\n"
    yield f"{found['finished']} of {found['runs']} runs finished, {found['seeds']} seeds. Accuracy in percent, mean ± standard"
    yield "deviation over seeds. p is two-sided and adjusted within each group of comparisons (Holm). An expectation **holds**"
    yield f"where p is below 0.05 and the sign is right, **doesn't hold** where more than {100 * found['margin']:g} points can"
    yield "be ruled out or the sign is wrong, and else **can't be told**.\n"
    for group, title in TITLES.items():
        rows = [(one, row) for one in found["targets"] for row in one["comparisons"] if row["group"] == group]
        if rows:
            yield f"## {title}\n"
            yield from _combinations(rows) if group == "combinations" else _others(rows)
            yield ""
    yield from _missing(found)


def _combinations(rows: list[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Iterator[str]:
    yield "| direction | related | target | samples | Baseline | Baseline+ | trained | gain | p | verdict | published |"
    yield "|---|---|---|---:|---:|---:|---:|---:|---:|---|---|"
    for target, row in rows:
        cells = row["direction"], " + ".join(row["parts"]), target["target"], str(row["samples"]), _percent(target["untrained"])
        cells += spread(row["against"]), spread(row["arm"]), _gain(row), f"{row['p_holm']:.3g}", row["verdict"], _printed(row)
        yield "| " + " | ".join(cells) + " |"


def _others(rows: list[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Iterator[str]:
    yield "| target | trained on | samples | accuracy | against | accuracy | difference | expected | p | verdict |"
    yield "|---|---|---:|---:|---|---:|---:|---|---:|---|"
    for target, row in rows:
        cells = target["target"], row["condition"], str(row["samples"]), spread(row["arm"]), row["condition_against"]
        cells += spread(row["against"]), _gain(row), row["expects"], f"{row['p_holm']:.3g}", row["verdict"]
        yield "| " + " | ".join(cells) + " |"


def _missing(found: Mapping[str, Any]) -> Iterator[str]:
    waiting = [(one["target"], row) for one in found["targets"] for row in one["waiting"]]
    left = [(one["target"], row) for one in found["targets"] for row in one["left_out"]]
    if waiting or left or found["notes"]:
        yield "## What isn't in the tables\n"
    for target, row in waiting:
        yield f"- {target}, {row['name']}: {len(row['runs'])} runs aren't finished"
    for target, row in left:
        yield f"- {target}, {row['name']}: {row['why']}"
    for note in found["notes"]:
        yield f"- {note}"


def spread(side: Mapping[str, Any]) -> str:
    """Mean ± standard deviation, in percent."""
    return _percent(side["mean"]) + ("" if side["sd"] is None else f" ± {100 * side['sd']:.1f}")


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _gain(row: Mapping[str, Any]) -> str:
    return f"{100 * row['difference']:+.1f} ({100 * row['low']:+.1f} to {100 * row['high']:+.1f})"


def _printed(row: Mapping[str, Any]) -> str:
    one = row["published"]
    return "" if one is None else f"row {one['row']}: {one['untrained']:g}, {one['unrelated']:g}, {one['related']:g}"
