"""What was published against what the raw files gave: sample by sample, by the hash of its pixels."""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...schema.disk import write_text

PLACE = ("image_offset", "image_size", "json_offset", "json_size")
_OWN = {
    "key": "key", "was": "split", "exclusion": "exclusion", "own_shard": "shard", **{name: name for name in PLACE},
    "subsets": "subsets", "pixels": "provenance_pixel_sha256", "perceptual": "provenance_perceptual_hash",
}  # fmt: skip


class Kind(StrEnum):
    """How a sample differs."""

    DIFFERING = "differing"
    """Its pixels are others."""
    MISSING = "missing"
    """It was published, and the raw files give none."""
    EXTRA = "extra"
    """The raw files give it, and it wasn't published."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One sample that isn't as it was published."""

    key: str
    split: str
    kind: Kind
    published_pixel_sha256: str | None
    own_pixel_sha256: str | None
    distance: int | None
    """Bits of 256 in which the perceptual hashes differ; None where there is only one picture."""
    reason: str
    """Why it is missing, where that is known: what excluded it, or other subsets."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Published samples and own ones side by side."""

    rows: pa.Table
    """A row per published sample that is at hand: its published columns, the columns of its own one (own_shard, the places,
    was, subsets joined by +), and `own`: whether its pixels are others, so that only its own record tells of them.
    """
    samples: int
    """Published ones."""
    differences: tuple[Difference, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many differ, in each way."""
        found = Counter(str(one.kind) for one in self.differences)
        return {str(kind): found[kind] for kind in Kind}


def compare(published: pa.Table, built: Path, *, shards: Iterable[Mapping[str, Any]], extras: bool) -> Compared:
    """Compare published samples (see `Wanted.samples`) with the index table of an own build.

    `shards` are the recipe's; `extras` says whether samples that weren't published are differences: they aren't of a cut.
    """
    own = _own(built)
    at = pc.index_in(published["key"], value_set=own["key"].combine_chunks())
    subsets = {shard["path"]: "+".join(sorted(shard["subsets"])) for shard in shards}
    rows = published.rename_columns([f"record_{name}" if name in PLACE else name for name in published.column_names])
    for name in own.column_names[1:]:
        rows = rows.append_column(name, own[name].take(at))
    there = pc.is_valid(rows["own_shard"])
    same = pc.equal(rows["pixel_sha256"], rows["pixels"])
    found = [_missing(row) for row in rows.filter(pc.invert(there)).to_pylist()]
    rows = rows.append_column("own", pc.invert(same)).filter(there)
    astray = {row["key"] for row in rows.filter(rows["own"]).to_pylist() if _astray(row, subsets)}
    found += [_differing(row, missing=row["key"] in astray) for row in rows.filter(rows["own"]).to_pylist()]
    rows = rows.filter(pc.invert(pc.is_in(rows["key"], pa.array(sorted(astray), pa.string()))))
    found += _extra(own, published) if extras else []
    ordered = tuple(sorted(found, key=lambda one: (one.kind, one.key)))
    return Compared(rows.drop_columns(["pixels", "perceptual"]).combine_chunks(), len(published), ordered)


def told(differences: Iterable[Difference]) -> Iterator[dict[str, Any]]:
    """The differences as plain data."""
    for one in differences:
        yield asdict(one) | {"kind": str(one.kind)}


def write_differences(path: Path, differences: Iterable[Difference]) -> None:
    """Write all of them as CSV."""
    out = StringIO()
    lines = csv.DictWriter(out, [field.name for field in fields(Difference)], lineterminator="\n")
    lines.writeheader()
    lines.writerows(told(differences))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, [out.getvalue()])


def _own(built: Path) -> pa.Table:
    table = pq.read_table(built, columns=list(dict.fromkeys(_OWN.values()))).select(list(_OWN.values()))
    table = table.rename_columns(list(_OWN))
    subsets = pc.binary_join(table["subsets"], "+")
    return table.set_column(table.column_names.index("subsets"), "subsets", subsets)


def _astray(row: Mapping[str, Any], subsets: Mapping[str, str]) -> bool:
    """Whether its own record would no longer belong into the shard that held it."""
    return "shard" in row and "+".join(sorted(row["subsets"].split("+"))) != subsets[row["shard"]]


def _missing(row: Mapping[str, Any]) -> Difference:
    reason = row["exclusion"] or "not among the raw files, or unreadable"
    return Difference(row["key"], row["split"], Kind.MISSING, row["pixel_sha256"], None, None, reason)


def _differing(row: Mapping[str, Any], *, missing: bool) -> Difference:
    kind, reason = (Kind.MISSING, "its own labels put it into other subsets") if missing else (Kind.DIFFERING, "")
    distance = (int(row["perceptual_hash"], 16) ^ int(row["perceptual"], 16)).bit_count()
    return Difference(row["key"], row["split"], kind, row["pixel_sha256"], row["pixels"], distance, reason)


def _extra(own: pa.Table, published: pa.Table) -> list[Difference]:
    known = pc.is_in(own["key"], value_set=published["key"].combine_chunks())
    rows = own.filter(pc.and_(pc.is_valid(own["own_shard"]), pc.invert(known))).to_pylist()
    return [Difference(row["key"], row["was"], Kind.EXTRA, None, row["pixels"], None, "") for row in rows]
