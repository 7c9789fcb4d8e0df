"""How `medloom words` prints what a word means: a row per term, a column per system."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...schema.systems.mapping import SYSTEMS, Counterpart
from ...schema.systems.words import Match, selecting

SIGNS = {"same": "", "wider": "within ", "narrower": "holds ", "related": "cf. ", "none": "–"}
LEGEND = (
    "* our reading, said by no paper (--why tells why); within: that word is wider; holds: those are narrower; "
    "cf.: a thing of another kind"
)
MOST_WORDS = 3
"""Words of a system shown in one cell; JSON has all."""


def row(match: Match) -> dict[str, Any]:
    """One find as plain data."""
    return {
        "field": match.field,
        "code": match.code,
        "name": match.name,
        "word": match.word,
        "how": match.how,
        "ours": match.ours,
        "select": selecting(match),
        "counterparts": {
            system: {"words": list(found.words), "relation": found.relation, "ours": found.ours, "reason": found.reason}
            for system, found in match.counterparts.items()
        },
    }


def table(matches: Sequence[Match], out: Console) -> None:
    """The finds as a table; an asterisk marks our own reading."""
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("found", "as", *SYSTEMS.values(), "select with"):
        shown.add_column(column, overflow="fold", no_wrap=column == "select with")
    for match in matches:
        how = "" if match.how == "exact" else f" [dim]({match.how}: {escape(match.word)})[/]"
        cells = (_cell(match.counterparts[system]) for system in SYSTEMS)
        star = "*" if match.ours else ""
        shown.add_row(match.field.replace("_", " "), f"{escape(match.name)}{star}{how}", *cells, escape(selecting(match)))
    out.print(shown)
    out.print(f"[dim]{LEGEND}[/]")


def reasons(matches: Sequence[Match], out: Console) -> None:
    """Why each reading of ours is as it is, and why a system has no word."""
    for match in matches:
        for line in _reasons(match.counterparts):
            out.print(f"{match.field.replace('_', ' ')} [bold]{escape(match.name)}[/], {line}")


def _reasons(counterparts: Mapping[str, Counterpart]) -> list[str]:
    return [
        f"{SYSTEMS[system]} {_cell(found)}: {escape(found.reason)}" for system, found in counterparts.items() if found.reason
    ]


def _cell(found: Counterpart) -> str:
    words = "; ".join(found.words[:MOST_WORDS])
    more = f" and {len(found.words) - MOST_WORDS} more" if len(found.words) > MOST_WORDS else ""
    return escape(f"{SIGNS[found.relation]}{words}{more}{'*' if found.ours else ''}")
