"""What the verbs about duplicates print: tables and sentences for people, from the same data that `--json` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...schema import picture_rights

_PARTS = {
    "all": "pairs",
    "within_source": "within a source",
    "across_sources": "across sources",
    "across_splits": "across splits",
}
MOST_ROWS = 40


def duplicates(result: Mapping[str, Any], out: Console) -> None:
    """Counts of pairs, where they lie, and what it means."""
    pairs = result["pairs"]
    table = _table("", "exact", "near", "all")
    for name, title in _PARTS.items():
        if not (result["against"] and name != "all"):
            table.add_row(title, *(f"{pairs[name][kind]:,}" for kind in ("exact", "near", "pairs")))
    out.print(table)
    between = _table("source", "split", "source", "split", "kind", "pairs")
    for row in pairs["between"][:MOST_ROWS]:
        ends = (row[name] or "–" for name in ("a_source", "a_split", "b_source", "b_split"))
        between.add_row(*map(escape, ends), row["kind"], f"{row['pairs']:,}")
    if pairs["between"]:
        out.print(between)
    _looked_at(result["search"]["counts"], out)
    issues(result["issues"], out)
    _moves(result.get("sides"), out)
    for name in ("report", "page"):
        if result[name]:
            out.print(f"{name}: {escape(result[name])}", soft_wrap=True)
    if result["page"]:
        out.print(escape(result["notice"]), style="yellow")
        if result.get("withheld"):
            out.print(escape(picture_rights.words(result["withheld"])), soft_wrap=True)
    out.print(_verdict(result))


def certified(stated: Mapping[str, Any], out: Console) -> None:
    """What a new certificate says."""
    _counts(stated["counts"], out)
    for name, left in stated["not_looked_at"].items():
        out.print(f"  not looked at: {left['samples']:,} {name.replace('_', '-')} ({left['why']})")
    _crossing(stated["verdict"], out)


def verified(result: Mapping[str, Any], out: Console) -> None:
    """What was proven of a certificate, and every fault."""
    if result["counts"] is not None:
        _counts(result["counts"], out)
    for fault in result["faults"]:
        text = f"{fault['where']}: {fault['found']}; expected {fault['expected']}; {fault['next']}"
        out.print(f"[red]{fault['code']}[/] {escape(text)}")
    against = "its tables and the index" if result["scope"] == "release" else "its tables alone; there is no index here"
    verdict = "[red]it doesn't stand[/]" if result["faults"] else "[green]it stands[/]"
    out.print(f"{escape(result['certificate'])}: proven against {against}: {verdict}")


def sketched(result: Mapping[str, Any], out: Console) -> None:
    """What was written."""
    header = result["header"]
    out.print(
        f"{escape(result['sketch'])}: {header['count']:,} pictures ({header['low_information']:,} low-information), "
        f"{'whole and in windows' if 'windows' in header else 'whole'}, content {header['content_sha256'][:16]}…"
    )
    issues(result["issues"], out)
    out.print("It holds no picture and no name; whoever holds a picture can tell from it whether that picture is in the set.")


def contaminated(result: Mapping[str, Any], out: Console) -> None:
    """What of a sketch is held."""
    table = _table("", "pictures", "exact", "near", "low-information")
    for name, title in (("sketch", "of the sketch, held"), ("own", "of your own, holding")):
        row = result[name]
        table.add_row(title, *(f"{row[column]:,}" for column in ("pictures", "exact", "near", "low_information")))
    out.print(table)
    pairs = _table("yours", "row", "kind", "bits", "split", "source")
    for row in result["pairs"][:MOST_ROWS]:
        pairs.add_row(*(escape("–" if row[name] is None else str(row[name])) for name in row))
    if result["pairs"]:
        out.print(pairs)
    if len(result["pairs"]) > MOST_ROWS:
        out.print(f"and {len(result['pairs']) - MOST_ROWS:,} more pairs; --out FILE.csv or --json has them all")
    for kind, words in result["certainty"].items():
        out.print(f"{kind}: {escape(words)}", style="dim")
    issues(result["issues"], out)
    held = result["sketch"]["exact"] + result["sketch"]["near"]
    out.print(f"[red]{held:,} pictures of the sketch are held[/]" if held else "[green]nothing of the sketch was found[/]")


def issues(rows: list[Mapping[str, Any]], out: Console, most: int = 5) -> None:
    """Files that couldn't be read."""
    for row in rows[:most]:
        out.print(f"  [yellow]{row['code']}[/] {escape(row['where'])}: {escape(row['found'])}; {escape(row['next'])}")
    if len(rows) > most:
        out.print(f"  [yellow]and {len(rows) - most:,} more that couldn't be used[/]; --json names them")


def _looked_at(counts: Mapping[str, int], out: Console) -> None:
    out.print(
        f"{counts['compared']:,} pictures compared; left out: {counts['low_information']:,} low-information, "
        f"{counts['excluded']:,} excluded, {counts['unreadable']:,} unreadable",
        style="dim",
    )


def _moves(sides: Mapping[str, Any] | None, out: Console) -> None:
    if sides:
        out.print(f"apart: {sides['moved']:,} samples moved, {sides['left_out']:,} left out → {escape(sides['release'])}")


def _verdict(result: Mapping[str, Any]) -> str:
    if result["against"]:
        count, words = result["pairs"]["all"]["pairs"], "pairs: copies of this release are held there"
    else:
        count, words = result["pairs"]["across_splits"]["pairs"], "pairs cross splits"
    none = "nothing is held there" if result["against"] else "no pair crosses splits"
    return f"[red]{count:,} {words}[/]" if count else f"[green]{none}[/]"


def _counts(counts: Mapping[str, Any], out: Console) -> None:
    samples = ", ".join(f"{count:,} {split}" for split, count in counts["samples"].items())
    edges = ", ".join(f"{count:,} {kind}" for kind, count in counts["edges"].items())
    out.print(f"{counts['groups']:,} groups ({samples} samples); edges between groups: {edges}")


def _crossing(verdict: Mapping[str, Any], out: Console) -> None:
    sums = ", ".join(f"{verdict[name]:,} {name.replace('_', ' ')}" for name in verdict if name != "crosses")
    out.print(f"[red]duplicates cross splits[/]: {sums}" if verdict["crosses"] else "[green]nothing crosses a split[/]")


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    numbers = {"exact", "near", "all", "pairs", "pictures", "low-information", "row", "bits"}
    for name in columns:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    return table
