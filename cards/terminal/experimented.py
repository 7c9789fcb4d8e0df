"""How `medloom experiment` prints plans, runs, reports, and the paper's rows beside our enumeration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table


def planned(told: Mapping[str, Any], out: Console) -> None:
    """Comparisons of each target, what can't be had, and how many runs all of it takes."""
    for one in told["targets"]:
        table = _table("group", "direction", "trained on", "against", "expected", right=("samples", "seeds"))
        for row in one["comparisons"]:
            cells = row["group"], row["direction"], row["name"], row["condition_against"], row["expects"]
            table.add_row(*map(escape, cells), f"{row['samples']:,}", str(len(row["runs"])))
        out.print(f"[bold]{escape(one['target'])}[/]: {one['questions']:,} questions, {len(one['combinations'])} combinations")
        if one["comparisons"]:
            out.print(table)
        for left in one["left_out"]:
            out.print(f"left out: {escape(left['name'])}: {escape(left['why'])}", soft_wrap=True)
    for note in told["notes"]:
        out.print(escape(note), soft_wrap=True)
    out.print(f"{len(told['runs']):,} runs")


def carried_out(state: Mapping[str, Any], out: Console) -> None:
    """How many runs are finished."""
    out.print(f"{state['finished']:,} of {state['runs']:,} runs finished")
    for path in state.get("written", ()):
        out.print(f"wrote {escape(str(path))}", soft_wrap=True)


def reported(found: Mapping[str, Any], out: Console) -> None:
    """Accuracies, differences and verdicts."""
    out.print(f"{found['finished']:,} of {found['runs']:,} runs finished; accuracy in percent over {found['seeds']} seeds")
    for one in found["targets"]:
        table = _table("group", "trained on", "expected", "verdict", right=("accuracy", "against", "difference", "p"))
        for row in one["comparisons"]:
            cells = row["group"], row["name"], row["expects"], row["verdict"], _spread(row["arm"]), _spread(row["against"])
            table.add_row(*map(escape, cells), f"{100 * row['difference']:+.1f}", f"{row['p_holm']:.3g}")
        untrained = "–" if one["untrained"] is None else f"{100 * one['untrained']:.1f}"
        out.print(f"[bold]{escape(one['target'])}[/], untrained {untrained}")
        if one["comparisons"]:
            out.print(table)


def published(found: Mapping[str, Any], out: Console) -> None:
    """The printed rows as subset numbers, and how many combinations we have besides."""
    table = _table("row", "printed", "subsets", "our direction", "how sure", right=())
    for row in found["rows"]:
        sure = "; ".join(f"{one['name']}: {' or '.join(one['candidates'])}" for one in row["open"]) or "settled"
        ours = row["direction"] or f"missed: {row['missed']}"
        table.add_row(*map(escape, (str(row["row"]), row["printed"], row["subsets"], ours, sure)))
    out.print(table)
    out.print(f"{found['found']} of {len(found['rows'])} rows found; {len(found['extras'])} combinations that aren't printed")


def _table(*names: str, right: tuple[str, ...]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    for name in right:
        table.add_column(name, justify="right")
    return table


def _spread(side: Mapping[str, Any]) -> str:
    return f"{100 * side['mean']:.1f}" + ("" if side["sd"] is None else f" ± {100 * side['sd']:.1f}")
