"""Duplicates as pairs of rows, the worst first, from the best account of them that there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ...schema import certificate
from ...schema.disk import read_json
from .rows import Rows

EDGES = f"{certificate.FOLDER}/edges.parquet"
MOST = 2000
"""Pairs that go to the page."""
REPORT, CERTIFICATE, INDEX = "report", "certificate", "index"
ORIGINS = {
    REPORT: "From the report that “medloom duplicates” wrote beside the release.",
    CERTIFICATE: "From the release's certificate, which names groups; of each two groups the nearest pair is shown.",
    INDEX: "From equal pixel hashes in the index, so exact copies alone; “medloom duplicates” finds near ones too.",
}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two samples whose pictures are copies of each other."""

    a: int
    """Row."""
    b: int
    kind: str
    """exact or near."""
    distance: int
    """Bits by which perceptual hashes differ."""
    score: float | None
    crosses: bool
    """Whether they stand in different splits."""


@dataclass(frozen=True, slots=True)
class Pairs:
    """What is known of duplicates."""

    origin: str
    """A key of `ORIGINS`."""
    total: int
    """Pairs that there are, of which `list` has the worst."""
    unknown: int
    """Pairs of an older report whose samples the release doesn't hold."""
    list: tuple[Pair, ...]

    def as_json(self) -> dict[str, Any]:
        """The pairs as columns."""
        names = ("a", "b", "kind", "distance", "score", "crosses")
        columns = {name: [getattr(one, name) for one in self.list] for name in names}
        own = {"origin": self.origin, "words": ORIGINS[self.origin], "total": self.total, "unknown": self.unknown}
        return {**own, **columns}


def pairs(rows: Rows) -> Pairs:
    """Pairs from the duplicates report, else from the certificate, else from equal pixel hashes."""
    report, edges = _report(rows), rows.release.root / EDGES
    rows.release.fetch([EDGES])
    if report is not None:
        known = [one for one in report if one["a_key"] in rows.at and one["b_key"] in rows.at]
        return _worst(REPORT, [_reported(rows, one) for one in known], unknown=len(report) - len(known))
    if edges.is_file():
        return _worst(CERTIFICATE, list(_certified(rows, edges)))
    return _worst(INDEX, list(_equal(rows)))


def _worst(origin: str, found: list[Pair], *, unknown: int = 0) -> Pairs:
    order = sorted(found, key=lambda one: (not one.crosses, one.kind, one.distance, one.a, one.b))
    return Pairs(origin, len(found), unknown, tuple(order[:MOST]))


def _report(rows: Rows) -> list[dict[str, Any]] | None:
    """The rows of a report of the release against itself; a repository has none."""
    if rows.release.source is not None:
        return None
    folder = rows.release.work / "duplicates"
    said = read_json(folder / "duplicates.json")
    path = folder / "duplicates.parquet"
    if not isinstance(said, dict) or said.get("against") is not None or not path.is_file():
        return None
    return pq.read_table(path, columns=["a_key", "b_key", "kind", "distance", "score"]).to_pylist()


def _reported(rows: Rows, one: dict[str, Any]) -> Pair:
    a, b = rows.at[one["a_key"]], rows.at[one["b_key"]]
    return Pair(a, b, one["kind"], int(one["distance"]), one["score"], _cross(rows, a, b))


def _certified(rows: Rows, path: Path) -> Iterator[Pair]:
    """Of each two groups that the certificate links, the two samples whose hashes are nearest."""
    groups: dict[str, list[int]] = defaultdict(list)
    names = zip(rows.table["collection"].to_pylist(), rows.table["group"].to_pylist(), strict=True)
    digests = {name: certificate.group_digest(*name) for name in set(names)}
    for row, name in enumerate(zip(rows.table["collection"].to_pylist(), rows.table["group"].to_pylist(), strict=True)):
        groups[digests[name]].append(row)
    hashes = [int(text, 16) for text in rows.table["provenance_perceptual_hash"].to_pylist()]
    for edge in pq.read_table(path).to_pylist():
        ends = groups.get(edge["group_a"], []), groups.get(edge["group_b"], [])
        near = min(((hashes[a] ^ hashes[b]).bit_count(), a, b) for a in ends[0] for b in ends[1]) if all(ends) else None
        if near is not None:
            yield Pair(near[1], near[2], edge["kind"], near[0], None, _cross(rows, near[1], near[2]))


def _equal(rows: Rows) -> Iterator[Pair]:
    """Samples of different groups with the same pixels, each with the next that has them; blank pictures never count."""
    same: dict[str, list[int]] = defaultdict(list)
    columns = (rows.table[name].to_pylist() for name in ("provenance_pixel_sha256", "provenance_low_information"))
    for row, (pixels, blank) in enumerate(zip(*columns, strict=True)):
        if not blank:
            same[pixels].append(row)
    group = list(zip(rows.table["collection"].to_pylist(), rows.table["group"].to_pylist(), strict=True))
    for a, b in _neighbours(same.values()):
        if group[a] != group[b]:
            yield Pair(a, b, certificate.EXACT, 0, None, _cross(rows, a, b))


def _neighbours(some: Iterable[list[int]]) -> Iterator[tuple[int, int]]:
    for one in some:
        yield from pairwise(one)


def _cross(rows: Rows, a: int, b: int) -> bool:
    split = rows.table["split"]
    return split[a].as_py() != split[b].as_py()
