"""How `medloom write` prints what a model wrote, or would cost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from .asked import asked


def written(result: Mapping[str, Any], out: Console) -> None:
    """Questions as of any suite, then what became of the other drafts and replies."""
    asked(result, out)
    for rule, codes in result["refused_replies"].items():
        said = ", ".join(f"{code} {count:,}" for code, count in codes.items())
        out.print(f"replies refused of {escape(rule)}: {escape(said)}", soft_wrap=True)
    out.print(
        f"{result['drafts']:,} drafts: {result['questions']:,} questions, {result['given_up']:,} given up, "
        f"{result['unanswered']:,} without answer",
        soft_wrap=True,
    )
    if result["unanswered"]:
        out.print("the same command asks again for what got no answer", style="bold")


def estimated(result: Mapping[str, Any], out: Console) -> None:
    """What a run would ask for."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=f"{result['suite']} from {result['endpoint']}")
    table.add_column("what")
    table.add_column("number", justify="right")
    for rule, count in result["rules"].items():
        table.add_row(f"drafts of {escape(rule)}", f"{count:,}")
    for name in ("requests", "answered_already", "images", "tokens_in", "tokens_out_at_most"):
        table.add_row(name.replace("_", " "), f"{result[name]:,}")
    table.add_row("price at most", f"{result['price_at_most']:,}")
    out.print(table)
    out.print(f"tokens are {result['tokens_are']}; refused replies are asked for again, {result['tries']} tries in all")
