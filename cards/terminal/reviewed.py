"""What `medloom review` prints: what went out to annotators, and what came back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape

from ...schema.picture_rights import words


def exported(result: Mapping[str, Any], out: Console) -> None:
    """Files and counts of an export."""
    kinds = ", ".join(f"{kind.replace('_', ' ')} {count:,}" for kind, count in result["kinds"].items())
    out.print(f"{result['questions']:,} questions of [bold]{escape(result['suite'])}[/]: {kinds or 'none'}")
    for path in result["tasks"]:
        out.print(f"tasks     {escape(path)}")
    out.print(f"interface {escape(result['labeling'])}")
    if result["withheld"]:
        out.print(escape(f"questions are counted with their pictures: {words(result['withheld'])}"), soft_wrap=True)


def imported(result: Mapping[str, Any], out: Console) -> None:
    """Verdicts, reasons, agreement and what wasn't counted."""
    people = len(result["annotators"])
    out.print(f"{result['votes']:,} votes of {people} annotators on {result['reviewed']:,} questions")
    out.print("  ".join(f"{name} [bold]{count:,}[/]" for name, count in result["verdicts"].items()))
    for reason, count in result["reasons"].items():
        out.print(f"  rejected, {escape(reason)}: {count:,}")
    out.print(_agreement(result["agreement"]))
    out.print(f"{result['left_out']:,} questions are left out when the suite is asked again with this review")
    for code, count in sorted(Counter(one["code"] for one in result["issues"]).items()):
        first = next(one for one in result["issues"] if one["code"] == code)
        out.print(f"[yellow]{code}[/] {count:,}: {escape(first['where'])}: {escape(first['found'])}; {escape(first['next'])}")


def _agreement(found: Mapping[str, Any]) -> str:
    if found["kappa"] is None:
        return f"no kappa: {found['note']}"
    what = f"{found['questions']:,} questions with {found['votes_each']} votes"
    return f"{_NAMES[found['measure']]} kappa {found['kappa']:.3f} on {what}; {found['pairs_agree']:.1%} of pairs agree"


_NAMES = {"cohen": "Cohen's", "fleiss": "Fleiss'"}
