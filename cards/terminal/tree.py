"""How `medloom tree` and `medloom select` print what they found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from ...schema.lexicon import Branch
from ...schema.sample import SPLITS

NOT_STATED = "not stated"
MOST_NOTES = 8


def tree(root: Branch, levels: Sequence[str], out: Console) -> None:
    """The lexical tree, the largest branches first."""
    shown = Tree(f"[bold]{root.count:,} samples[/]  [dim]{escape(' › '.join(map(spoken, levels)))}[/]")
    _grow(shown, root.children)
    out.print(shown)


def selected(result: Mapping[str, Any], out: Console) -> None:
    """Counts of a selection by source and split; of a protocol, its own table."""
    if "protocol" in result:
        _protocol(result["protocol"], out)
    else:
        _by_source(result["counts"], out)
    out.print(f"[bold]{result['samples']:,} samples[/]")
    if result["keys"]:
        out.print(f"keys: {escape(result['keys'])}", soft_wrap=True)
    if "cut" in result:
        made = result["cut"]
        moved = f", {made['moved']:,} of them in another split" if made["moved"] else ""
        out.print(f"{escape(made['release'])}: {made['samples']:,} samples in {made['shards']:,} shards{moved}", soft_wrap=True)


def spoken(level: str) -> str:
    """A level or field as people say it."""
    return level.replace("_", " ")


def _grow(shown: Tree, children: Iterable[Branch]) -> None:
    for child in children:
        name = NOT_STATED if child.value is None else child.value
        _grow(shown.add(f"{escape(name)}  [dim]{child.count:,}[/]"), child.children)


def _by_source(rows: Sequence[Mapping[str, Any]], out: Console) -> None:
    counts = {(row["source"], row["split"]): row["samples"] for row in rows}
    splits = [*SPLITS, *(["excluded"] if any(split == "excluded" for _, split in counts) else [])]
    table = _table("source", *splits, "all", numbers=len(splits) + 1)
    for source in dict.fromkeys(source for source, _ in counts):
        numbers = [counts.get((source, split), 0) for split in splits]
        table.add_row(escape(source), *(f"{number:,}" for number in (*numbers, sum(numbers))))
    if counts:
        out.print(table)


def _protocol(outcome: Mapping[str, Any], out: Console) -> None:
    if outcome["table"]:
        table = _table(*map(spoken, outcome["table"][0]))
        for row in outcome["table"]:
            table.add_row(*(escape(f"{value:,}" if isinstance(value, int) else str(value)) for value in row.values()))
        out.print(table)
    for note in outcome["notes"][:MOST_NOTES]:
        out.print(escape(note), style="dim")
    splits = ", ".join(f"{count:,} {split}" for split, count in outcome["splits"].items())
    options = ", ".join(f"{name} {value}" for name, value in outcome["options"].items() if name != "name")
    out.print(f"{outcome['options']['name']} ({escape(options)}): {splits}; digest {outcome['digest'][:16]}")


def _table(*columns: str, numbers: int = 0) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(columns):
        table.add_column(escape(name), justify="right" if place >= len(columns) - numbers else "left", overflow="fold")
    return table
