"""Which samples a withdrawal means: found in the index, with everything that is to be known of them beforehand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from ...schema.errors import UsageError
from ...schema.published import Mode, mode_of
from ...schema.release import Release
from ...schema.withdrawn import REASON, Tombstone, Withdrawn, withdrawn_of

COLUMNS = ("key", "source", "group", "split", "shard", "exclusion", "provenance_pixel_sha256", "provenance_low_information")
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Meant:
    """The index rows (columns `COLUMNS`) of what is to be withdrawn."""

    rows: tuple[dict[str, Any], ...]
    """Those that aren't withdrawn yet."""
    already: tuple[dict[str, Any], ...]
    tombstones: tuple[Tombstone, ...]
    """Of all of them, and of whole groups."""

    @property
    def keys(self) -> frozenset[str]:
        """Of those that aren't withdrawn yet."""
        return frozenset(row["key"] for row in self.rows)

    def shards(self, source: str) -> dict[str, frozenset[str]]:
        """Shard → keys that leave it."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for row in self.rows:
            if row["source"] == source and row["shard"] is not None:
                found[row["shard"]].add(row["key"])
        return {shard: frozenset(keys) for shard, keys in sorted(found.items())}

    @property
    def sources(self) -> list[str]:
        """Sources that lose something, sorted."""
        return sorted({row["source"] for row in self.rows})


def meant(release: Release, *, keys: Iterable[str], groups: Iterable[str], reason: str) -> Meant:
    """The samples of those keys and groups.

    Raises:
        UsageError: nothing is named, a key or group isn't in the release, or its source holds less than everything.
    """
    known, wanted = withdrawn_of(release.root), (frozenset(keys), frozenset(groups))
    if not any(wanted):
        raise UsageError("no key and no --group; expected at least one sample or group to withdraw")
    rows = [row for source in release.sources for row in _rows(release, source, *wanted)]
    _refuse_unknown(release, rows, wanted, known)
    _refuse_partial(release, rows)
    stones = [Tombstone(row["source"], row["key"], row["group"], reason) for row in rows]
    whole = {(row["source"], row["group"]) for row in rows if row["group"] in wanted[1]}
    stones += [Tombstone(source, None, group, reason) for source, group in sorted(whole)]
    gone = [row for row in rows if row["exclusion"] == REASON]
    return Meant(tuple(row for row in rows if row["exclusion"] != REASON), tuple(gone), tuple(stones))


def twins(release: Release, found: Meant) -> list[dict[str, str]]:
    """Key, source and split of the samples that stay and have the very pixels of one that goes."""
    pixels = {row["provenance_pixel_sha256"] for row in found.rows if not row["provenance_low_information"]}
    same: list[dict[str, str]] = []
    for source in release.sources if pixels else ():
        if not release.index_path(source).is_file():
            continue
        filters = [("provenance_pixel_sha256", "in", sorted(pixels))]
        table = pq.read_table(release.index_path(source), columns=["key", "source", "split", "shard"], filters=filters)
        same += [row for row in table.to_pylist() if row["shard"] is not None and row["key"] not in found.keys]
    return [{name: row[name] for name in ("key", "source", "split")} for row in same]


def _rows(release: Release, source: str, keys: frozenset[str], groups: frozenset[str]) -> list[dict[str, Any]]:
    path = release.index_path(source)
    filters = [[(name, "in", sorted(some))] for name, some in (("key", keys), ("group", groups)) if some]
    return pq.read_table(path, columns=list(COLUMNS), filters=filters).to_pylist() if path.is_file() else []


def _refuse_unknown(release: Release, rows: list[dict[str, Any]], wanted: tuple[frozenset[str], ...], known: Withdrawn) -> None:
    keys = sorted(wanted[0] - {row["key"] for row in rows} - known.keys)
    groups = sorted(wanted[1] - {row["group"] for row in rows} - known.groups)
    for what, strange in (("key", keys), ("group", groups)):
        if strange:
            shown = ", ".join(strange[:SHOWN]) + (", …" if len(strange) > SHOWN else "")
            expected = f"{what}s of its index; `medloom show` and `medloom select --keys -` tell them"
            raise UsageError(f"{len(strange)} {what}s not in {release.root}: {shown}; expected {expected}")


def _refuse_partial(release: Release, rows: list[dict[str, Any]]) -> None:
    concerned = {row["source"] for row in rows}
    for recipe in release.recipes():
        name = recipe["facts"]["name"]
        if name in concerned and mode_of(recipe) is not Mode.FULL:
            found = f"{name}: the release holds its {mode_of(recipe)} alone"
            raise UsageError(f"{found}; expected the whole release it was published from; withdraw there and publish again")
