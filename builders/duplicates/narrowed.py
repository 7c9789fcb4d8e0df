"""The certificate of duplicates where samples or sources left a release: groups and exact edges as the index now has them.

Near edges need pixels to be found again. Those of groups that are gone go; those of groups that lost some of their samples
stay, counted, since the pictures that made them may be among those that stay.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...schema import certificate as form
from ...schema.disk import read_json, write_json
from ...schema.release import Release
from .certificate import not_looked_at, written


def narrowed(release: Release, staged: Release) -> str | None:
    """What became of the certificate: `as the index is`, `stale before` (it stays so), None where there is none.

    `staged` has recipes and index of every source as they will be.
    """
    folder = release.root / form.FOLDER
    stated = read_json(folder / form.JSON)
    if not isinstance(stated, dict):
        return None
    held = {recipe["facts"]["name"]: recipe["content_sha256"] for recipe in release.recipes()}
    if stated.get("content") != held:
        return "stale before"
    samples = form.samples_of(staged)
    groups = form.groups_of(samples)
    near, partly = _near(pq.read_table(folder / "edges.parquet"), groups, pq.read_table(folder / "groups.parquet"))
    edges = form.edges_of(pa.concat_tables([form.exact_edges(samples), near]))
    target = staged.root / form.FOLDER
    target.mkdir(parents=True, exist_ok=True)
    digests = {name: written(table, target / f"{name}.parquet") for name, table in (("groups", groups), ("edges", edges))}
    counted = {"verdict": form.verdict(groups, edges), "counts": form.counts(groups, edges)}
    told: dict[str, Any] = {"not_looked_at": not_looked_at(samples), "tables": digests}
    told |= {"narrowed": {"near_edges_kept": partly}}
    content = {recipe["facts"]["name"]: recipe["content_sha256"] for recipe in staged.recipes()}
    write_json(target / form.JSON, stated | counted | told | {"content": content})
    return "as the index is"


def _near(edges: pa.Table, groups: pa.Table, before: pa.Table) -> tuple[pa.Table, int]:
    """Near edges both of whose groups stand, and how many of them have a group that lost samples."""
    near = edges.filter(pc.equal(edges["kind"], form.NEAR))
    stands = pc.and_(*(pc.is_in(near[f"group_{end}"], groups["group"].combine_chunks()) for end in "ab"))
    near = near.filter(stands)
    now, was = (dict(zip(t["group"].to_pylist(), t["samples"].to_pylist(), strict=True)) for t in (groups, before))
    lost = {group for group, samples in now.items() if was.get(group) != samples}
    ends = zip(near["group_a"].to_pylist(), near["group_b"].to_pylist(), strict=True)
    return near, sum(not lost.isdisjoint(pair) for pair in ends)
