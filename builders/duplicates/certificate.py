"""Write the certificate of a release: group digests, duplicate edges, and what is claimed of them.

What it looks like, and what anyone can prove of it, stands in `schema/certificate.py` and `schema/check_certificate.py`.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ... import __version__
from ...schema import certificate as form
from ...schema.disk import write_json
from ...schema.release import Release
from ..deidentify import file_sha256
from ..split import EXCLUDED

CLAIMS = (
    "groups.parquet lists every group that has samples in a split, by the digest of its collection and pseudonym.",
    "edges.parquet lists the pairs of groups that hold a picture with the same pixels (kind exact), and those in which the "
    "search described under `search` found nearly the same picture (kind near).",
    "Exact edges follow from the pixel hashes of the index: anyone who holds it can make them again. Near edges need pixels: "
    "they are what our search found at its thresholds, and other near copies may be there.",
    "`verdict` says whether a group stands in two splits, or an edge joins two splits.",
)


def certify(release: Release, pairs: pa.Table, *, search: dict[str, Any]) -> dict[str, Any]:
    """Write `certificate/` into the release; what its JSON states.

    Args:
        release: Whose index and recipes it is about.
        pairs: As `find.within` gives them; only near ones are used, exact edges are made of the index.
        search: Parameters and thresholds by which the pairs were found, as plain data.
    """
    samples = form.samples_of(release)
    tables = {"groups": form.groups_of(samples), "edges": edges(samples, pairs)}
    folder = release.root / form.FOLDER
    folder.mkdir(exist_ok=True)
    digests = {name: written(table, folder / f"{name}.parquet") for name, table in tables.items()}
    stated = {
        "format": form.FORMAT,
        "medloom": __version__,
        "claims": list(CLAIMS),
        "verdict": form.verdict(**tables),
        "counts": form.counts(**tables),
        "not_looked_at": not_looked_at(samples),
        "search": search,
        "content": {recipe["facts"]["name"]: recipe["content_sha256"] for recipe in release.recipes()},
        "tables": digests,
    }
    write_json(folder / form.JSON, stated)
    return stated


def edges(samples: pa.Table, pairs: pa.Table) -> pa.Table:
    """All edges: exact ones from the index's pixel hashes, near ones from the pairs."""
    near = pairs.filter(pc.equal(pairs["kind"], form.NEAR))
    ends = {f"group_{end}": _digests(near[f"{end}_collection"], near[f"{end}_group"]) for end in "ab"}
    splits = {f"split_{end}": near[f"{end}_split"] for end in "ab"}
    distance = near["distance"].cast(pa.float64())
    rows = {**ends, **splits, "kind": near["kind"], "pairs": np.ones(len(near), np.int64), "distance": distance}
    found = form.edges_of(pa.table({name: rows[name] for name in form.EDGES.names}))
    exact = form.exact_edges(samples)
    return form.edges_of(pa.concat_tables([exact, found]))


def not_looked_at(samples: pa.Table) -> dict[str, dict[str, Any]]:
    """Counts of samples that no edge can come from, with the reason."""
    excluded = pc.equal(samples["split"], EXCLUDED)
    blank = pc.and_(samples["blank"], pc.invert(excluded))
    return {
        "low_information": {"samples": pc.sum(blank).as_py() or 0, "why": "blank pictures all resemble each other"},
        "excluded": {"samples": pc.sum(excluded).as_py() or 0, "why": "they are in no split, and their pixels in no shard"},
    }


def _digests(collections: pa.ChunkedArray, groups: pa.ChunkedArray) -> pa.Array:
    named = zip(collections.to_pylist(), groups.to_pylist(), strict=True)
    return pa.array([form.group_digest(*one) for one in named], pa.string())


def written(table: pa.Table, path: Path) -> str:
    """SHA-256 of the table's file, which appears whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    pq.write_table(table, temporary, compression="zstd")
    temporary.replace(path)
    return file_sha256(path)
