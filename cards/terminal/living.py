"""How `medloom withdraw` and `medloom diff` print what went and what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

MOST = 5


def withdrawn(result: Mapping[str, Any], out: Console) -> None:
    """What left the release, what was written for it, and where else it may be."""
    if result["completed"]:
        out.print("an earlier withdrawal that was killed is complete now")
    if result["sources"]:
        out.print(_went(result))
    for suite, lost in result["questions"].items():
        withheld = f", {lost['withheld']:,} of them with answers in {lost['answers']}" if lost.get("withheld") else ""
        out.print(escape(f"suite {suite}: {lost['questions']:,} questions{withheld}"), soft_wrap=True)
    if result["certificate"]:
        out.print(f"certificate: {result['certificate']}; `medloom certificate` searches for near copies anew")
    for twin in result["same_pixels"][:MOST]:
        out.print(escape(f"{twin['key']} ({twin['source']}, {twin['split']}) has the same pixels and stays"), style="yellow")
    if len(result["same_pixels"]) > MOST:
        out.print(f"and {len(result['same_pixels']) - MOST:,} more with the same pixels; --json names them", style="yellow")
    for path in result["beside"]:
        out.print(escape(f"{path} may still show it; remove it where it does"), style="yellow", soft_wrap=True)
    verb = "would be withdrawn" if result["dry_run"] else "withdrawn"
    already = f", {result['already']:,} already were" if result["already"] else ""
    out.print(f"{result['withdrawn']:,} samples {verb}{already}; what was published before keeps them until it is removed there")


def _went(result: Mapping[str, Any]) -> Table:
    table = _table("source", "from", "samples", "shards written anew", "shards removed", "shards")
    for source, one in result["sources"].items():
        splits = ", ".join(f"{split} {count:,}" for split, count in one["splits"].items())
        counts = one["samples"], len(one["shards_rewritten"]), len(one["shards_removed"]), one["shards"]
        table.add_row(escape(source), escape(splits), *(f"{count:,}" for count in counts))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(columns):
        table.add_column(name, justify="left" if place < 2 else "right", overflow="fold")
    return table
