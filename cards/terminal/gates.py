"""How `medloom gate` prints its verdicts: what refuses, what people must know, and what passes, counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

STYLE = {"refuse": "red", "warn": "yellow", "pass": "green"}
MARK = {True: "✓", False: "✗"}
"""Read without colours too."""


def gated(result: Mapping[str, Any], out: Console) -> None:
    """A row per source and gate, then every verdict that doesn't pass by itself, with what to do."""
    out.print(_sources(result["verdicts"]))
    for level in ("warn", "refuse"):
        for one in result["verdicts"]:
            if one["level"] == level:
                _print(one, out)
    counts = result["counts"]
    said = f"{counts['pass']} pass, {counts['warn']} to know, {counts['refused']} refuse"
    said += f", {counts['overridden']} with a reason in overrides.json" if counts["overridden"] else ""
    verdict = "[green]✓ it may go out[/]" if result["passed"] else "[red]✗ it may not go out as it is[/]"
    out.print(f"{verdict}: {said}")


def _sources(verdicts: Sequence[Mapping[str, Any]]) -> Table:
    gates = list(dict.fromkeys(one["gate"] for one in verdicts))
    cells: defaultdict[str, defaultdict[str, list[Mapping[str, Any]]]] = defaultdict(lambda: defaultdict(list))
    for one in verdicts:
        cells[one["source"] or "the release"][one["gate"]].append(one)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("source", *gates):
        table.add_column(name, overflow="fold")
    for source in sorted(cells, key=lambda name: (name == "the release", name)):
        table.add_row(escape(source), *(_cell(cells[source][gate]) for gate in gates))
    return table


def _cell(verdicts: Sequence[Mapping[str, Any]]) -> str:
    """The codes that refuse, else how many warn, else that it passes."""
    if not verdicts:
        return ""
    refused = [one["code"] for one in verdicts if one["level"] == "refuse" and one["override"] is None]
    if refused:
        return f"[red]{MARK[False]} {escape(', '.join(refused))}[/]"
    levels = Counter(one["level"] for one in verdicts)
    reasons = sum(one["override"] is not None for one in verdicts)
    notes = [f"{levels['warn']} to know"] if levels["warn"] else []
    notes += [f"{reasons} with a reason"] if reasons else []
    return f"[green]{MARK[True]}[/] {', '.join(notes)}".rstrip()


def _print(one: Mapping[str, Any], out: Console) -> None:
    about = f"{one['source']}: " if one["source"] else ""
    style = STYLE[one["level"]]
    out.print(f"[{style}]{escape(one['code'])}[/] {escape(about + one['found'])}", soft_wrap=True)
    if one["where"]:
        more = f" and {one['count'] - len(one['where']):,} more" if one["count"] > len(one["where"]) else ""
        out.print(f"    at {escape(', '.join(one['where'][:3]))}{' …' if len(one['where']) > 3 else ''}{more}", style="dim")
    if one["override"] is not None:
        out.print(f"    passes: {escape(one['override'])}", soft_wrap=True)
    elif one["level"] == "refuse":
        out.print(f"    expected {escape(one['expected'])}; {escape(one['next'])}", soft_wrap=True)
