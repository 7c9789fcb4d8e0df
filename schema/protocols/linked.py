"""Groups that a release's certificate links: what a protocol must keep on one side beyond equal pixels."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from ..certificate import FOLDER, group_digest
from ..errors import UsageError
from ..release import Release
from .clusters import Group

_NAMES = ("collection", "group")


def of_certificate(release: Release) -> list[tuple[Group, Group]]:
    """Pairs of groups that hold the same or nearly the same picture, in the order of the certificate.

    Raises:
        UsageError: the release has no certificate, or that of other groups.
    """
    path = release.root / FOLDER / "edges.parquet"
    if not path.is_file():
        raise UsageError(f"{release.root}: no {FOLDER}/; expected a certificate; `medloom certificate` writes it")
    edges = pq.read_table(path, columns=["group_a", "group_b"])
    ends = zip(edges["group_a"].to_pylist(), edges["group_b"].to_pylist(), strict=True)
    wanted = {end for edge in edges.columns for end in edge.to_pylist()}
    names = _names(release, wanted)
    if missing := wanted - names.keys():
        found = f"{len(missing):,} of {len(wanted):,} groups"
        raise UsageError(f"{release.root}: its certificate names {found} that it has not; run `medloom certificate` again")
    return [(names[a], names[b]) for a, b in ends]


def _names(release: Release, wanted: set[str]) -> dict[str, Group]:
    """Digest → collection and group, of the wanted ones."""
    found: dict[str, Group] = {}
    for source in release.indexed:
        table: pa.Table = pq.read_table(release.index_path(source), columns=list(_NAMES))
        groups = table.group_by(list(_NAMES)).aggregate([])
        for collection, group in zip(*(groups[name].to_pylist() for name in _NAMES), strict=True):
            digest = group_digest(collection, group)
            if digest in wanted:
                found[digest] = (collection, group)
    return found
