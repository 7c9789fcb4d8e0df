"""How `medloom cite` prints what a release, or a part of it, owes to whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

PARTS = {"pixels": "pixels", "annotations": "annotations", "derived_text": "texts"}


def cited(result: Mapping[str, Any], out: Console) -> None:
    """Sources with their licences, what the licences ask, the text of attribution, and BibTeX."""
    if not result["sources"]:
        out.print("no sample is meant: there is nothing to cite")
        return
    out.print(_table(result))
    for one in result["obligations"]:
        out.print(f"[bold]{one['obligation']}[/]: {escape(one['words'])} ({escape(', '.join(one['sources']))})", soft_wrap=True)
    out.print("\n[bold]Attribution[/]")
    for line in result["attribution"]:
        out.print(escape(line), soft_wrap=True)
    out.print("\n[bold]BibTeX[/]")
    out.print(result["bibtex"], soft_wrap=True, markup=False)


def _table(result: Mapping[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("source", "licence", "of", "asks", "cite"):
        table.add_column(name, overflow="fold")
    table.add_column("samples", justify="right")
    for source in result["sources"]:
        for row in source["licences"]:
            of = "everything" if len(row["of"]) == len(PARTS) else ", ".join(PARTS[one] for one in row["of"])
            cells = source["source"], row["licence"], of, ", ".join(row["obligations"]), ", ".join(source["keys"])
            table.add_row(*map(escape, cells), f"{row['samples']:,}")
    return table
