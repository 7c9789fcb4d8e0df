"""How `medloom rebuild` prints what was proven, what differs and what was installed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

MOST = 20


def rebuilt(result: Mapping[str, Any], out: Console) -> None:
    """The verdict, then warnings, then samples that differ, then what was done."""
    for warning in result["warnings"]:
        out.print(escape(warning), style="yellow", soft_wrap=True)
    if result["already"]:
        out.print(escape(f"{result['release']} holds {result['source']} as it is published; nothing to do"), soft_wrap=True)
        return
    out.print(escape(_verdict(result)), soft_wrap=True)
    if result["differences"]:
        out.print(_differences(result["differences"][:MOST]))
        rest = sum(result[kind] for kind in ("differing", "missing", "extra")) - MOST
        more = f"and {rest:,} more; all are in" if rest > 0 else "they stand in"
        out.print(escape(f"{more} {result['differences_file']}"), soft_wrap=True)
    if result.get("suites_left_out"):
        left = ", ".join(result["suites_left_out"])
        out.print(escape(f"left out, since they are about other contents: questions of {left}"), style="yellow", soft_wrap=True)
    for suite in result.get("suites_stale", ()):
        found = f"suite {suite} wasn't asked about all that {result['release']} holds now; `medloom ask` asks again"
        out.print(escape(found), style="yellow", soft_wrap=True)
    done = f"installed in {result['release']}" if result["installed"] else "nothing was installed"
    out.print(escape(f"{done}; {result['seconds']:.1f} s"), soft_wrap=True)


def _verdict(result: Mapping[str, Any]) -> str:
    pixels = (
        f"{result['source']}: pixels of {result['pixels_equal']:,} of {result['samples']:,} samples equal the published ones"
    )
    if "shards" not in result:
        return pixels
    shards = f"{result['shards_equal']:,} of {result['shards']:,} shards equal, byte for byte"
    own = "; your own build gives the published release, labels and all" if result["reproduced"] else ""
    return f"{pixels}; {shards}{own}"


def _differences(rows: list[Mapping[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(("sample", "split", "what", "bits of 256 apart", "why")):
        table.add_column(name, justify="right" if place == 3 else "left", overflow="fold")
    for row in rows:
        distance = "" if row["distance"] is None else str(row["distance"])
        table.add_row(*map(escape, (row["key"], row["split"], row["kind"], distance, row["reason"])))
    return table
