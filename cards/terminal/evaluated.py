"""How `medloom evaluate` prints results: measures with their intervals, what variants tell, and what went wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

SHOWN = ("flips", "plain_right", "right", "abstention", "invention", "follows", "stays")
"""Shares of a variant that have a column, where it has them."""


def planned(result: Mapping[str, Any], out: Console) -> None:
    """What would be asked."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=escape(result["asked"]))
    table.add_column("by")
    table.add_column("value")
    table.add_column("questions", justify="right")
    for name, counts in result["by"].items():
        for value, count in counts.items():
            table.add_row(name, escape(value), f"{count:,}")
    out.print(table)
    most = f"at most {result['requests_at_most']:,} requests"
    out.print(f"{result['questions']:,} questions, {most}; nothing was asked", soft_wrap=True)
    if result["withheld"]:
        out.print(f"{result['withheld']:,} answers are withheld: give --answers, or --predict-only", style="bold")


def results(result: Mapping[str, Any], out: Console) -> None:
    """Scores, variants, statuses and kinds of error."""
    said = result["replies"]
    out.print(f"{escape(result['name'])}: {result['questions']:,} questions, {said['n']:,} replies", soft_wrap=True)
    if said["failed"]:
        out.print(f"{said['failed']:,} got no reply; the same command asks again", style="bold")
    if not result["scored"]:
        out.print("nothing was scored")
        return
    out.print(_measures(result["scores"]))
    if result["variants"]:
        out.print(_variants(result["variants"]))
    out.print(f"statuses: {_counts(result['scores']['statuses'])}", soft_wrap=True)
    out.print(f"error kinds: {_counts(result['error_kinds']['all'])}", soft_wrap=True)
    if judge := result.get("judge"):
        missing = f"; no valid answer: {_counts(judge['unanswered'])}" if judge["unanswered"] else ""
        out.print(f"judge: {escape(judge['model'])}, asked {judge['asked']:,} times{missing}", soft_wrap=True)


def _measures(scores: Mapping[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("measure", "n", "value", "95 %", "macro over labels", "over subsets", "chance"):
        table.add_column(name, justify="left" if name == "measure" else "right")
    for name, one in scores["measures"].items():
        macros = (_number(one.get(f"macro_{what}")) for what in ("labels", "subsets"))
        table.add_row(name, f"{one['n']:,}", _number(one["value"]), _ends(one), *macros, _number(one.get("chance")))
    return table


def _variants(variants: Mapping[str, Any]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("variant", "share", "n", "not applicable", "value", "95 %"):
        table.add_column(name, justify="left" if name in ("variant", "share") else "right")
    for variant, told in variants.items():
        for share in (name for name in SHOWN if name in told):
            one = told[share]
            cells = f"{one['n']:,}", f"{told['not_applicable']:,}", _number(one["value"]), _ends(one)
            table.add_row(escape(variant), share.replace("_", " "), *cells)
    return table


def _ends(one: Mapping[str, Any]) -> str:
    return "–" if one.get("low") is None else f"{one['low']:.3f} to {one['high']:.3f}"


def _number(value: Any) -> str:
    """A number; of a chance level or bound that is told with more, its value."""
    value = value.get("value") if isinstance(value, Mapping) else value
    return "–" if value is None else f"{value:.3f}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{escape(name)} {count:,}" for name, count in counts.items()) or "none"
