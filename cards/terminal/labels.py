"""How the verbs of `medloom labels` print: the table and its tree, what a vote changes, what lint doubts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...schema.labels.table import Entry, LabelTable
from ...schema.labels.votes import Verdict, agreement

FIELDS = {"departments": "departments", "clinical_task": "clinical task"}


def entry_row(entry: Entry, table: LabelTable) -> dict[str, Any]:
    """One label as plain data, with its place in the tree."""
    term = table.descriptors[entry.mesh].term if entry.mesh else None
    return {
        "name": entry.name,
        "id": table.id_of(entry.name),
        "mesh": entry.mesh,
        "mesh_term": term,
        "parent": entry.parent,
        "ancestors": list(table.ancestors(entry.name)),
        "children": list(table.children(entry.name)),
        "aliases": list(entry.aliases),
        "departments": list(entry.departments),
        "clinical_task": entry.clinical_task,
        "note": entry.note,
    }


def entries(rows: Sequence[Mapping[str, Any]], out: Console) -> None:
    """The whole table."""
    shown = _table("label", "MeSH", "under", "departments", "clinical task", "also called")
    for row in rows:
        aliases, departments = ("; ".join(row[name]) for name in ("aliases", "departments"))
        cells = (row["name"], row["mesh"] or "", row["parent"] or "", departments, row["clinical_task"], aliases)
        shown.add_row(*map(escape, cells))
    out.print(shown)
    out.print(f"{len(rows):,} labels")


def entry(row: Mapping[str, Any], table: LabelTable, out: Console) -> None:
    """One label, and the branch of the tree on which it stands."""
    out.print(f"[bold]{escape(row['name'])}[/] [dim]{row['id']}[/]")
    told = {
        "MeSH": f"{row['mesh']} {row['mesh_term']}" if row["mesh"] else "none",
        "also called": "; ".join(row["aliases"]) or "nothing else",
        "departments": "; ".join(row["departments"]),
        "clinical task": row["clinical_task"],
        "note": row["note"],
    }
    for name, text in told.items():
        if text:
            out.print(f"  {name}: {escape(text)}")
    path = [*reversed(row["ancestors"]), row["name"]]
    for depth, name in enumerate(path):
        style = "bold" if name == row["name"] else "dim"
        out.print(f"  {'  ' * depth}[{style}]{escape(name)}[/]")
    _branch(row["name"], len(path), table=table, out=out)


def verdict_rows(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """What the votes come to, as plain data."""
    changes = [
        {"label": one.label, "field": field, "old": _plain(old), "new": _plain(new), "votes": one.tally(field)}
        for one in verdicts
        for field, (old, new) in one.changes.items()
    ]
    unresolved = [
        {
            "label": one.label,
            "field": field,
            "stands": _plain(one.entry and getattr(one.entry, field)),
            "votes": one.tally(field),
        }
        for one in verdicts
        for field in one.unresolved
    ]
    votes = [vote for verdict in verdicts for vote in verdict.votes]
    return {
        "labels": len(verdicts),
        "votes": len(votes),
        "annotators": sorted({vote.annotator for vote in votes}),
        "changes": changes,
        "unresolved": unresolved,
        "confirmed": sum(not one.changes and not one.unresolved for one in verdicts),
        "agreement": agreement(list(verdicts)),
    }


def verdicts(result: Mapping[str, Any], out: Console) -> None:
    """What changes, what has no majority, and how much the annotators agree; faults alone where there are some."""
    for fault in result["faults"]:
        text = f"{fault['where']}: {fault['found']}; expected {fault['expected']}; {fault['next']}"
        out.print(f"[red]{fault['code']}[/] {escape(text)}")
    if result["faults"]:
        return
    if result["changes"]:
        shown = _table("label", "field", "the table has", "the majority says", "votes")
        for one in result["changes"]:
            cells = (one["label"], FIELDS[one["field"]], _said(one["old"]), _said(one["new"]), _votes(one["votes"]))
            shown.add_row(*map(escape, cells))
        out.print(shown)
    for one in result["unresolved"]:
        text = f"{one['label']}, {FIELDS[one['field']]}: {_votes(one['votes'])}; as it was: {_said(one['stands'])}"
        out.print(f"[yellow]no majority[/] {escape(text)}")
    counts = f"{result['votes']:,} votes of {len(result['annotators'])} annotators on {result['labels']:,} labels"
    out.print(f"{counts}: {len(result['changes'])} changes, {len(result['unresolved'])} without majority")
    shares = result["agreement"]
    told = (f"{title} {shares[field]:.0%}" for field, title in (*FIELDS.items(), ("both", "both")))
    out.print(f"all agree on: {', '.join(told)}")


def remarks(rows: Sequence[Mapping[str, Any]], out: Console) -> None:
    """Each doubt, and what to write instead."""
    shown = _table("kind", "source", "label", "found", "write")
    for row in rows:
        shown.add_row(*(escape(row[name]) for name in ("code", "source", "label", "found", "write")))
    if rows:
        out.print(shown)


def _branch(name: str, depth: int, *, table: LabelTable, out: Console) -> None:
    for child in table.children(name):
        out.print(f"  {'  ' * depth}{escape(child)}")
        _branch(child, depth + 1, table=table, out=out)


def _plain(value: object) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _said(value: Any) -> str:
    return "nothing" if value is None else "; ".join(value) if isinstance(value, list) else value


def _votes(votes: Mapping[str, int]) -> str:
    return ", ".join(f"{number} × {answer}" for answer, number in votes.items())


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
