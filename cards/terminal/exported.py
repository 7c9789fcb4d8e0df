"""How `medloom export` prints what it wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape


def exported(result: Mapping[str, Any], out: Console) -> None:
    """Counts, and what was left out and why."""
    counts = ", ".join(f"{result[name]:,} {name}" for name in _COUNTS if name in result)
    out.print(f"[bold]{escape(result['out'])}[/]: {counts}; begin with {escape(result['file'])}")
    for reason, count in result["left_out"].items():
        out.print(f"  left out: {count:,} × {escape(reason)}")


_COUNTS = ("questions", "samples", "annotations", "categories", "masks", "classes")
