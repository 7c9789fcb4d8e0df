"""What `suite.json` says when some sources go: counts and files of those that stay."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Set
from typing import Any


def asked_of(info: Mapping[str, Any], sources: Set[str]) -> dict[str, Any]:
    """The entries of a suite that is about these sources alone; as they were where it is about no others.

    What validators left out isn't known source by source, so it is told of the whole suite or not at all.
    """
    if set(info["sources"]) <= sources:
        return dict(info)
    table = [row for row in info["table"] if row["source"] in sources]
    return {
        **info,
        "sources": {name: digest for name, digest in info["sources"].items() if name in sources},
        "questions": sum(row["questions"] for row in table),
        "counts": {name: _by(table, name) for name in info["counts"]},
        "table": table,
        "left_out": {},
        "files": [one for one in info["files"] if one["shard"].split("/")[1] in sources],
    }


def _by(table: list[dict[str, Any]], column: str) -> dict[str, int]:
    counts = Counter[str]()
    for row in table:
        counts[row[column]] += row["questions"]
    return dict(sorted(counts.items()))
