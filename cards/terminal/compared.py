"""How `medloom report` and `medloom compare` print what they wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

SPEAKING = (
    "accuracy",
    "exact_mcq",
    "box_f1_50",
    "point_f1",
    "mask_iou",
    "filled_iou",
    "alignment",
    "token_recall",
    "closed_accuracy",
)
"""Measures that have a row, where a pair has them."""


def reported(written: Sequence[Mapping[str, str]], out: Console) -> None:
    """Where the reports lie."""
    for one in written:
        plots = sum(name.endswith(".png") for name in one)
        out.print(f"{escape(one['html'])}, {escape(one['markdown'])}, {plots} plots", soft_wrap=True)


def compared(found: Mapping[str, Any], out: Console) -> None:
    """The headline measures of every pair."""
    out.print(f"{found['questions']:,} questions from {found['groups']:,} groups in all runs", soft_wrap=True)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("first", "second", "measure"):
        table.add_column(name)
    for name in ("n", "first", "second", "difference", "95 %", "p", "p (Holm)"):
        table.add_column(name, justify="right")
    for pair in found["pairs"]:
        for measure in (name for name in SPEAKING if name in pair["measures"]):
            table.add_row(escape(pair["a"]), escape(pair["b"]), measure, *_cells(pair["measures"][measure]))
    out.print(table)
    if found["settings_that_differ"]:
        out.print(f"settings that differ: {escape(', '.join(found['settings_that_differ']))}", soft_wrap=True)
    left = sum(one["left_out"]["n"] for one in found["runs"])
    if left:
        out.print(f"{left:,} questions aren't in all runs, and were left out", soft_wrap=True)


def _cells(one: Mapping[str, Any]) -> tuple[str, ...]:
    ends = "–" if one["low"] is None else f"{one['low']:+.3f} to {one['high']:+.3f}"
    numbers = (f"{one[name]:.3f}" if one[name] is not None else "–" for name in ("a", "b"))
    gap = "–" if one["difference"] is None else f"{one['difference']:+.3f}"
    ps = ("–" if p is None else f"{p:.3g}" for p in (one["p"], one.get("p_holm")))
    return (f"{one['n']:,}", *numbers, gap, ends, *ps)
