"""Tombstones: what was withdrawn from a release, and stays out of it: `withdrawn.json` at its root.

    [{"source": "bccd", "key": "bccd-00315f0a7c9fb264", "group": "5e0c…", "reason": "consent withdrawn"}]

`group` is the pseudonym that records and index have. An entry with the key null stands for a whole group: samples of it
that come later are withdrawn too. The index keeps a row of a withdrawn sample, excluded for the reason `withdrawn`, in which
nothing is left that tells of the person or the picture.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from .disk import write_json
from .errors import Issue, ReleaseError
from .release import Release

FILE = "withdrawn.json"
REASON = "withdrawn"
"""Why the index excludes them."""
_NO_DIGEST = "0" * 64
_EMPTY: dict[str, Any] = {
    **{name: [] for name in ("areas", "tasks", "subsets", "clinical_tasks", "departments", "granularities", "labels_present")},
    **dict.fromkeys(("labels", "annotations", "texts"), 0),
    **dict.fromkeys(("provenance_raw_sha256", "provenance_pixel_sha256", "provenance_perceptual_hash"), _NO_DIGEST),
    "provenance_low_information": True,
    "provenance_transformations": [],
}
_KEPT = (
    *("key", "source", "collection", "group", "group_kind", "licence", "modality", "area", "task", "original_split"),
    *("image_format", "height_px", "width_px", "channels", "provenance_raw_format", "provenance_decoder"),
    *("provenance_builder_version", "provenance_intensity", "provenance_burned_in"),
)


@dataclass(frozen=True, slots=True)
class Tombstone:
    """One sample, or with the key None one whole group, that was withdrawn."""

    source: str
    key: str | None
    group: str
    reason: str


@dataclass(frozen=True)
class Withdrawn:
    """All that was withdrawn from a release."""

    tombstones: tuple[Tombstone, ...] = ()

    def holds(self, *, key: str | None = None, group: str | None = None) -> bool:
        """Whether a sample of that key or group was withdrawn."""
        return (key is not None and key in self.keys) or (group is not None and group in self.groups)

    @cached_property
    def keys(self) -> frozenset[str]:
        """Keys of withdrawn samples."""
        return frozenset(one.key for one in self.tombstones if one.key is not None)

    @cached_property
    def groups(self) -> frozenset[str]:
        """Pseudonyms of groups that were withdrawn whole."""
        return frozenset(one.group for one in self.tombstones if one.key is None)

    def of(self, sources: Iterable[str]) -> Withdrawn:
        """What was withdrawn of some sources."""
        names = set(sources)
        return Withdrawn(tuple(one for one in self.tombstones if one.source in names))

    def added(self, others: Iterable[Tombstone]) -> Withdrawn:
        """These and others; of two for the same sample or group the reason given first stands."""
        known: dict[tuple[str, str | None, str], Tombstone] = {}
        for one in (*self.tombstones, *others):
            known.setdefault((one.source, one.key, one.group if one.key is None else ""), one)
        return Withdrawn(tuple(sorted(known.values(), key=_order)))

    def as_json(self) -> list[dict[str, Any]]:
        """The file's contents."""
        return [asdict(one) for one in self.tombstones]


def withdrawn_of(root: Path) -> Withdrawn:
    """What was withdrawn from the release at a folder; nothing where it has no such file.

    Raises:
        ReleaseError: the file is something else.
    """
    path = root / FILE
    try:
        found = tuple(Tombstone(**one) for one in json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Withdrawn()
    except (ValueError, TypeError) as error:
        expected = "a list of objects with source, key, group and reason"
        raise ReleaseError(f"{path}: {error}; expected {expected}; take it from the release as it was published") from error
    return Withdrawn(tuple(sorted(found, key=_order)))


def write_withdrawn(root: Path, withdrawn: Withdrawn) -> None:
    """Write the file, or none where nothing was withdrawn."""
    if withdrawn.tombstones:
        write_json(root / FILE, withdrawn.as_json())


def emptied(row: dict[str, Any]) -> dict[str, Any]:
    """What stays of an index row: where the sample belonged, and nothing of the person, the labels or the picture."""
    return {**{name: row[name] for name in _KEPT}, **_EMPTY, "split": "excluded", "exclusion": REASON}


def faults_of(release: Release) -> Iterator[Issue]:
    """Samples that were withdrawn and stand in the release nevertheless."""
    try:
        withdrawn = withdrawn_of(release.root)
    except ReleaseError as error:
        yield Issue("bad-withdrawn", FILE, str(error)[:200], "tombstones as `medloom withdraw` writes them", "take the old one")
        return
    conditions = [[(name, "in", sorted(some))] for name, some in (("key", withdrawn.keys), ("group", withdrawn.groups)) if some]
    for source in release.sources if conditions else ():
        path = release.index_path(source)
        if not path.is_file():
            continue
        for row in pq.read_table(path, columns=["key", "shard", "group"], filters=conditions).to_pylist():
            if row["shard"] is not None:
                yield Issue(
                    "withdrawn-sample",
                    f"{row['shard']} {row['key']}",
                    "a sample that was withdrawn",
                    "none",
                    "withdraw it again",
                )


def _order(one: Tombstone) -> tuple[str, str, str]:
    return one.key or "", one.source, one.group
