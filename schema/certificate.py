"""The certificate of duplicates: what anyone needs to see, without a pixel, that nothing crosses a split.

    certificate/groups.parquet      digest of every group, its split, how many samples it has there
    certificate/edges.parquet       pairs of groups that hold the same or nearly the same picture
    certificate/certificate.json    what is claimed, how it was searched, what wasn't looked at, digests of the tables

A group is named by SHA-256 over its collection, a zero byte, and its pseudonym, both UTF-8: those who hold the release
find their groups, others learn counts. Exact edges lead from the group of smallest digest among all that hold a picture to
each other one, so a picture in n groups makes n - 1 edges. Nothing in it tells a time of day or a path.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .release import Release
from .sample import SPLITS

FOLDER, JSON = "certificate", "certificate.json"
TABLES = ("groups", "edges")
FORMAT = "medloom-certificate-1"
EXACT, NEAR = "exact", "near"
GROUPS = pa.schema([("group", pa.string()), ("split", pa.string()), ("samples", pa.int64())])
EDGES = pa.schema(
    [
        ("group_a", pa.string()),
        ("group_b", pa.string()),
        ("split_a", pa.string()),
        ("split_b", pa.string()),
        ("kind", pa.string()),
        ("pairs", pa.int64()),
        ("distance", pa.float64()),
    ]
)
"""`group_a` is the smaller digest; `pairs` of samples between both groups; `distance` is the smallest of them."""
SCHEMAS = {"groups": GROUPS, "edges": EDGES}
COLUMNS = ("collection", "group", "split", "provenance_pixel_sha256", "provenance_low_information")
"""What is needed of the index."""


def paths() -> set[str]:
    """The certificate's files, relative to the release."""
    return {f"{FOLDER}/{JSON}", *(f"{FOLDER}/{name}.parquet" for name in TABLES)}


def group_digest(collection: str, group: str) -> str:
    """64 hex digits that name a group."""
    return hashlib.sha256(f"{collection}\0{group}".encode()).hexdigest()


def samples_of(release: Release) -> pa.Table:
    """The index's rows of all sources, excluded ones too: group (digest), split, pixels (16 bytes) and blank."""
    tables = [_read(release.index_path(source)) for source in release.indexed]
    return pa.concat_tables([_SAMPLES.empty_table(), *tables]).unify_dictionaries().combine_chunks()


def groups_of(samples: pa.Table) -> pa.Table:
    """`GROUPS` of the samples that stand in a split, in the order of digests; a group on two sides has two rows."""
    rows = _standing(samples).group_by(["group", "split"]).aggregate([([], "count_all")])
    rows = rows.select(["group", "split", "count_all"]).rename_columns(GROUPS.names).cast(GROUPS)
    return rows.sort_by([("group", "ascending"), ("split", "ascending")]).combine_chunks()


def exact_edges(samples: pa.Table) -> pa.Table:
    """`EDGES` between groups that share pixels; blank pictures never count."""
    rows = _shared(_standing(samples).filter(pc.invert(_standing(samples)["blank"])))
    rows = rows.set_column(0, "group", rows["group"].cast(pa.string()))
    rows = rows.group_by(["pixels", "group", "split"]).aggregate([([], "count_all")])
    rows = rows.sort_by([(name, "ascending") for name in ("pixels", "group", "split")]).combine_chunks()
    first, times = _firsts(rows["pixels"]), rows["count_all"].to_numpy()
    centre = rows.take(pa.array(first))
    ends = {f"{name}_{end}": some[name] for name in ("group", "split") for end, some in (("a", centre), ("b", rows))}
    return edges_of(pa.table({**ends, "kind": [EXACT] * len(rows), "pairs": times * times[first], "distance": 0.0 * first}))


def edges_of(pairs: pa.Table) -> pa.Table:
    """`EDGES` in their order, from rows of those columns in any order; several rows of one edge become one."""
    swapped = pc.less(pairs["group_b"], pairs["group_a"])
    turned = {
        f"{name}_{end}": pc.if_else(swapped, pairs[f"{name}_{other}"], pairs[f"{name}_{end}"])
        for name in ("group", "split")
        for end, other in (("a", "b"), ("b", "a"))
    }
    rows = pa.table({name: turned.get(name, pairs[name]) for name in EDGES.names})
    rows = rows.filter(pc.not_equal(rows["group_a"], rows["group_b"]))
    ends = EDGES.names[:5]
    summed = rows.group_by(ends).aggregate([("pairs", "sum"), ("distance", "min")])
    return (
        summed.select([*ends, "pairs_sum", "distance_min"])
        .rename_columns(EDGES.names)
        .sort_by([(name, "ascending") for name in ends])
        .cast(EDGES)
        .combine_chunks()
    )


def counts(groups: pa.Table, edges: pa.Table) -> dict[str, Any]:
    """How many groups, samples by split, and edges by kind the tables hold."""
    per_split = {split: pc.sum(groups.filter(pc.equal(groups["split"], split))["samples"]).as_py() or 0 for split in SPLITS}
    kinds = {kind: edges.filter(pc.equal(edges["kind"], kind)) for kind in (EXACT, NEAR)}
    return {
        "groups": len(pc.unique(groups["group"])),
        "samples": per_split,
        "edges": {kind: len(rows) for kind, rows in kinds.items()},
    }


def verdict(groups: pa.Table, edges: pa.Table) -> dict[str, Any]:
    """Whether anything crosses a split, and how many groups and edges do."""
    across = edges.filter(pc.not_equal(edges["split_a"], edges["split_b"]))
    found = {
        "groups_on_two_sides": len(groups) - len(pc.unique(groups["group"])),
        "exact_edges_across": pc.sum(pc.equal(across["kind"], EXACT)).as_py() or 0,
        "near_edges_across": pc.sum(pc.equal(across["kind"], NEAR)).as_py() or 0,
    }
    return {"crosses": any(found.values()), **found}


_NAMES = pa.dictionary(pa.int32(), pa.string())
_SAMPLES = pa.schema([("group", _NAMES), ("split", pa.string()), ("pixels", pa.binary(16)), ("blank", pa.bool_())])


def _read(path: Path) -> pa.Table:
    """Rows of one index table, batch by batch: its texts are never held whole."""
    with pq.ParquetFile(path) as file:
        return pa.Table.from_batches(map(_lean, file.iter_batches(columns=list(COLUMNS))), _SAMPLES)


def _lean(batch: pa.RecordBatch) -> pa.RecordBatch:
    collections, groups, splits, pixels, blank = (batch.column(name) for name in COLUMNS)
    digests: dict[tuple[str, str], str] = {}
    names = _named(zip(collections.to_pylist(), groups.to_pylist(), strict=True), digests)
    halves = [bytes.fromhex(text)[:16] for text in pixels.to_pylist()]
    columns = [pa.array(names, pa.string()).dictionary_encode(), splits, pa.array(halves, pa.binary(16)), blank]
    return pa.RecordBatch.from_arrays(columns, schema=_SAMPLES)


def _named(groups: Iterable[tuple[str, str]], known: dict[tuple[str, str], str]) -> list[str]:
    return [known.get(one) or known.setdefault(one, group_digest(*one)) for one in groups]


def _standing(samples: pa.Table) -> pa.Table:
    return samples.filter(pc.is_in(samples["split"], pa.array(SPLITS)))


def _shared(samples: pa.Table) -> pa.Table:
    """Rows whose pixels another row has too."""
    times = samples["pixels"].value_counts()
    return samples.filter(pc.is_in(samples["pixels"], times.filter(pc.greater(times.field("counts"), 1)).field("values")))


def _firsts(column: pa.ChunkedArray) -> np.ndarray:
    """For each row of a sorted column the first row of its value."""
    codes = column.combine_chunks().dictionary_encode().indices.to_numpy()
    return np.searchsorted(codes, codes)
