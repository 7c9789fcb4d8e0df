"""How `medloom ask` prints what it asked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...schema.sample import SPLITS

MOST_ROWS = 40
ROW = ("kind", "granularity", "department", "subset")
"""What a row of the table counts by; columns are splits."""


def asked(result: Mapping[str, Any], out: Console) -> None:
    """Questions by kind, granularity, department, subset and split, and what was left out and why."""
    rows: defaultdict[tuple[str, ...], dict[str, int]] = defaultdict(dict)
    for one in result["table"]:
        place = rows[tuple(one[name] for name in ROW)]
        place[one["split"]] = place.get(one["split"], 0) + one["questions"]
    if rows:
        out.print(_table(rows))
    if len(rows) > MOST_ROWS:
        out.print(f"and {len(rows) - MOST_ROWS:,} rows more, which --json prints", style="dim")
    _left_out(result, out)
    out.print(f"[bold]{escape(_verdict(result))}[/]", soft_wrap=True)
    if result.get("answers"):
        out.print(f"answers of {', '.join(result['withheld'])}: {escape(result['answers'])}", soft_wrap=True)
    if made := result.get("embedded"):
        out.print(
            f"{escape(made['release'])}: {made['samples']:,} samples hold {made['questions']:,} questions", soft_wrap=True
        )
    if result.get("baseline"):
        _guessers(result["baseline"], out)
    if result.get("preview"):
        out.print(f"preview: {escape(result['preview'])}", soft_wrap=True)


def _table(rows: Mapping[tuple[str, ...], Mapping[str, int]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ROW:
        table.add_column(name, overflow="fold")
    for name in (*SPLITS, "all"):
        table.add_column(name, justify="right")
    most = sorted(rows, key=lambda place: (-sum(rows[place].values()), place))[:MOST_ROWS]
    for place in sorted(most):
        counts = [rows[place].get(split, 0) for split in SPLITS]
        table.add_row(*map(escape, place), *(f"{count:,}" for count in (*counts, sum(counts))))
    return table


def _guessers(baseline: Mapping[str, Any], out: Console) -> None:
    """What guessers without pictures reach: accuracy beside chance, with the adjusted p-value."""
    table = Table("suite", "guesser", "tried", "chance", "accuracy", "p (Holm)", box=box.SIMPLE_HEAD, pad_edge=False)
    for name, suite in baseline["suites"].items():
        for guesser, one in suite["guessers"].items():
            reached = f"{suite['tried']:,}", f"{suite['chance']:.3f}", f"{one['accuracy']:.3f}", f"{one['adjusted']:.2g}"
            table.add_row(escape(name), guesser, *reached, style="red" if one["above_chance"] else None)
    out.print(table)
    verdict = "no guesser is above chance" if baseline["passed"] else "[red]guessers in red are above chance[/]"
    out.print(f"without pictures {verdict}")


def _left_out(result: Mapping[str, Any], out: Console) -> None:
    for rule, codes in result["left_out"].items():
        said = ", ".join(f"{code} {count:,}" for code, count in codes.items())
        out.print(f"[red]left out[/] of {escape(rule)}: {escape(said)}")


def _verdict(result: Mapping[str, Any]) -> str:
    name = result["suite"]["name"]
    if "estimated_questions" in result:
        counted = f"{result['questions']:,} questions about {result['samples']:,} samples"
        return f"{name}: {counted}; about {result['estimated_questions']:,} in all; nothing was written"
    again = "" if result["made"] else ", which were there already"
    return f"{name}: {result['questions']:,} questions{again} in {result['release']}"
