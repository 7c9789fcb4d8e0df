"""What the verbs print: tables and sentences for people, from the same data that `--json` prints."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...builders.source import Source
from ...schema.sample import SPLITS
from ...schema.triplet import AREAS, MODALITIES, TASKS

MOST_ISSUES = 5
"""Places shown of each issue; the build report holds 20, counts are always whole."""


def console() -> Console:
    """Stdout; a pipe gets lines that aren't cut at 80 columns."""
    found = Console(soft_wrap=False, highlight=False)
    return found if found.is_terminal else Console(width=160, highlight=False)


def sources(found: Iterable[Source], out: Console) -> None:
    """The catalogue as a table."""
    table = _table("name", "title", "modality", "area", "task", "licence", "access", "groups are")
    for source in found:
        table.add_row(*map(escape, source_row(source).values()))
    out.print(table)


def source_row(source: Source) -> dict[str, str]:
    """One line of the catalogue."""
    facts = source.facts
    return {
        "name": facts.name,
        "title": facts.title,
        "modality": MODALITIES[facts.triplet.modality].name,
        "area": AREAS[facts.triplet.area].name,
        "task": TASKS[facts.triplet.task].name,
        "licence": facts.licence,
        "access": str(facts.access),
        "group_kind": facts.group_kind,
    }


def verified(result: Mapping[str, Any], out: Console) -> None:
    """What was found of each layout, and what is missing."""
    complete = result["layout"]
    for name, findings in result["layouts"].items():
        state = "[green]complete[/]" if all(one["met"] for one in findings) else "[red]incomplete[/]"
        out.print(f"layout [bold]{escape(name)}[/]: {state}")
        for one in findings:
            out.print(f"  {'[green]found  [/]' if one['met'] else '[red]missing[/]'} {escape(one['message'])}")
    files = f"{result['files']:,} files, {_size(result['bytes'])} in {result['raw_root']}"
    verdict = f"ready to build as {complete!r}" if complete else "not what the source expects"
    out.print(f"{result['source']}: {verdict} ({escape(files)})")


def built(report: Mapping[str, Any], out: Console) -> None:
    """Counts and issues of one build."""
    counts = report["counts"]
    splits = ", ".join(f"{count:,} {split}" for split, count in report["splits"].items()) or "no samples"
    excluded = sum(counts.get("excluded", {}).values())
    head = f"{report['source']}: {counts['samples']:,} samples from {counts['units']:,} units ({splits}"
    out.print(f"[bold]{escape(head)}{f', {excluded:,} excluded' if excluded else ''})[/]")
    if counts.get("failed"):
        out.print(f"  [red]{counts['failed']:,} units can't be used[/]")
    issues(report["issues"], out)


def planned(result: Mapping[str, Any], out: Console) -> None:
    """What a dry run found."""
    splits = ", ".join(f"{count:,} {split}" for split, count in result["splits"].items())
    out.print(
        f"[bold]{result['source']}[/]: layout {escape(repr(result['layout']))}; {result['units']:,} units in "
        f"{result['groups']:,} groups, {_size(result['raw_bytes'])} ({splits}); nothing was decoded or written"
    )
    issues(result["issues"], out)


def issues(rows: Sequence[Mapping[str, Any]], out: Console) -> None:
    """Each kind of issue with its count and first places."""
    for row in rows:
        colour = {"error": "red", "warning": "yellow"}.get(row["severity"], "dim")
        out.print(f"  [{colour}]{row['severity']} {row['code']}[/]: {row['count']:,}")
        for one in row["first"][:MOST_ISSUES]:
            text = f"{one['where']}: {one['found']}; expected {one['expected']}; {one['next']}"
            out.print(f"    {escape(text)}", style="dim")


def checked(result: Mapping[str, Any], out: Console) -> None:
    """The verdict over a release, and its faults."""
    for name, counts in result["sources"].items():
        splits = ", ".join(f"{count:,} {split}" for split, count in counts["splits"].items())
        out.print(f"{name}: {counts['samples']:,} samples ({splits})")
    for suite, count in result["questions"].items():
        out.print(f"{suite}: {count:,} questions")
    shown: Counter[str] = Counter()
    for fault in result["faults"]:
        shown[fault["code"]] += 1
        if shown[fault["code"]] > MOST_ISSUES:
            continue
        text = f"{fault['where']}: {fault['found']}; expected {fault['expected']}; {fault['next']}"
        out.print(f"[red]{fault['code']}[/] {escape(text)}")
    for code, number in shown.items():
        if number > MOST_ISSUES:
            out.print(f"[red]{code}[/] and {number - MOST_ISSUES} more of {number}; --json shows them")
    count = result["fault_count"]
    verdict = "[green]the contract stands[/]" if not count else f"[red]{count:,} fault{'s' if count > 1 else ''}[/]"
    out.print(f"{result['samples']:,} samples read back: {verdict}")


def overview(summary: Mapping[str, Any], out: Console) -> None:
    """Sources, subsets and labels of a release."""
    table = _table("source", "licence", "groups are", *SPLITS, "excluded", numbers=4)
    for row in summary["sources"]:
        counts = [f"{row['splits'].get(split, 0):,}" for split in (*SPLITS, "excluded")]
        table.add_row(row["source"], escape(row["licence"]), row["group_kind"], *counts)
    out.print(table)
    for name, title in (("subsets", "subset"), ("modalities", "modality"), ("labels", "label, present on")):
        counted = _table(title, "samples", numbers=1)
        for word, count in summary[name].items():
            counted.add_row(escape(word), f"{count:,}")
        if summary[name]:
            out.print(counted)


def record(row: Mapping[str, Any], out: Console) -> None:
    """One record whole; long run lengths are cut, and say so."""
    text = json.dumps(row, indent=2, ensure_ascii=False, default=str)
    shortened = json.loads(text, object_hook=_without_runs)
    out.print_json(json.dumps(shortened, ensure_ascii=False), indent=2)


def evidence(rows: Iterable[Mapping[str, str]], out: Console) -> None:
    """What was proposed for a folder, and why."""
    table = _table("what", "proposal", "seen")
    for row in rows:
        table.add_row(*(escape(row[name]) for name in ("what", "choice", "seen")))
    out.print(table)


def _without_runs(values: dict[str, Any]) -> dict[str, Any]:
    rle = values.get("rle")
    if isinstance(rle, str) and len(rle) > 80:
        values["rle"] = f"{rle[:60]}… ({len(rle)} characters)"
    return values


def _table(*columns: str, numbers: int = 0) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(columns):
        table.add_column(name, justify="right" if place >= len(columns) - numbers else "left", overflow="fold")
    return table


def _size(count: int) -> str:
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1024
    return f"{size:,.1f} TiB"
