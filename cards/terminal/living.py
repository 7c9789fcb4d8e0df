"""How `medloom withdraw` and `medloom diff` print what went and what changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ...schema.picture_rights import words

MOST = 5


def withdrawn(result: Mapping[str, Any], out: Console) -> None:
    """What left the release, what was written for it, and where else it may be."""
    if result["completed"]:
        out.print("an earlier withdrawal that was killed is complete now")
    if result["sources"]:
        out.print(_went(result))
    for suite, lost in result["questions"].items():
        withheld = f", {lost['withheld']:,} of them with answers in {lost['answers']}" if lost.get("withheld") else ""
        out.print(escape(f"suite {suite}: {lost['questions']:,} questions{withheld}"), soft_wrap=True)
    if result["certificate"]:
        out.print(f"certificate: {result['certificate']}; `medloom certificate` searches for near copies anew")
    for twin in result["same_pixels"][:MOST]:
        out.print(escape(f"{twin['key']} ({twin['source']}, {twin['split']}) has the same pixels and stays"), style="yellow")
    if len(result["same_pixels"]) > MOST:
        out.print(f"and {len(result['same_pixels']) - MOST:,} more with the same pixels; --json names them", style="yellow")
    for path in result["beside"]:
        out.print(escape(f"{path} may still show it; remove it where it does"), style="yellow", soft_wrap=True)
    verb = "would be withdrawn" if result["dry_run"] else "withdrawn"
    already = f", {result['already']:,} already were" if result["already"] else ""
    out.print(
        f"{result['withdrawn']:,} samples {verb}{already}; what was published before keeps them until it is removed there"
    )


def differences(result: Mapping[str, Any], out: Console) -> None:
    """Sources with what changed in them, then labels, moves and fields, most frequent first."""
    table = _table("source", "in", "old", "new", "came", "went", "moved", "labels", "regions", "mean IoU", "pixels", "fields")
    for one in result["sources"]:
        if one["different"]:
            table.add_row(*map(escape, _row(one)))
    if result["different"]:
        out.print(table)
    for one in result["sources"]:
        for name in ("moves", "reasons", "labels", "fields"):
            _most(f"{one['source']} {name}", one[name], out)
        for name, (old, new) in one["facts"].items():
            out.print(escape(f"{one['source']} fact {name}: {old} → {new}"), soft_wrap=True)
    for place in (result["out"], result.get("overlays", {}).get("page")):
        if place:
            out.print(escape(place), soft_wrap=True)
    if withheld := result.get("overlays", {}).get("withheld"):
        out.print(escape(words(withheld)), soft_wrap=True)
    same = sum(not one["different"] for one in result["sources"])
    total = sum(result["changes"].values())
    out.print(f"{total:,} changes; {same:,} of {len(result['sources']):,} sources are the same")


def _row(one: Mapping[str, Any]) -> list[str]:
    changes, samples = one["changes"], one["samples"]
    went = sum(changes.get(kind, 0) for kind in ("removed", "excluded", "withdrawn"))
    came = sum(changes.get(kind, 0) for kind in ("added", "returned"))
    regions = sum(count for kind, count in changes.items() if kind.startswith("region-"))
    counts = *one["standing"].values(), came, went, changes.get("moved", 0), changes.get("label", 0), regions
    iou = "–" if one["mean_iou"] is None else f"{one['mean_iou']:.3f}"
    more = f"{samples.get('pixels', 0):,}", f"{changes.get('field', 0):,}"
    return [one["source"], one["in"], *(f"{count:,}" for count in counts), iou, *more]


def _most(title: str, counts: Mapping[str, int], out: Console) -> None:
    for name, count in list(counts.items())[:MOST]:
        out.print(escape(f"{title}: {name} ({count:,})"), soft_wrap=True)
    if len(counts) > MOST:
        out.print(escape(f"{title}: {len(counts) - MOST:,} more; --json names them"))


def _went(result: Mapping[str, Any]) -> Table:
    table = _table("source", "from", "samples", "shards written anew", "shards removed", "shards")
    for source, one in result["sources"].items():
        splits = ", ".join(f"{split} {count:,}" for split, count in one["splits"].items())
        counts = one["samples"], len(one["shards_rewritten"]), len(one["shards_removed"]), one["shards"]
        table.add_row(escape(source), escape(splits), *(f"{count:,}" for count in counts))
    return table


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(columns):
        table.add_column(name, justify="left" if place < 2 else "right", overflow="fold")
    return table
