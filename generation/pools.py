"""What rules know beyond one sample: the labels that stand side by side in a release, read from its index.

A pool is the same for every worker and any order of files. Labels are known by their canonical ids; two labels are **kin**
where one is the other or stands above it in the canonical table: then both may hold for one picture, and neither can be
a wrong answer beside the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pyarrow.parquet as pq

from ..schema.labels.table import table
from ..schema.release import Release
from .contrast import Contrast, contrast
from .pointed import Pairs, Tally


@dataclass(frozen=True, slots=True, order=True)
class Named:
    """A label by name and id."""

    name: str
    id: str


Pool = tuple[Named, ...]
"""Labels sorted by name, each once."""


@dataclass(frozen=True)
class Pools:
    """Labels that are present somewhere in the release, by what brings them together."""

    subsets: Mapping[str, Pool] = field(default_factory=dict)
    """Subset → labels stated of whole images."""
    sources: Mapping[tuple[str, str], Pool] = field(default_factory=dict)
    """Source and clinical task → labels stated of whole images."""
    regions: Mapping[tuple[str, str, str], Pool] = field(default_factory=dict)
    """Modality (detail where there is one), clinical task and granularity → labels of boxes, masks, contours, points."""
    located: frozenset[tuple[str, str]] = frozenset()
    """Source and label id of labels that have a region on every image on which they are present."""
    contrasts: Mapping[str, Contrast] = field(default_factory=dict)
    """Source → which of its labels stand against each other on whole images, and how often."""
    pointed: Pairs = field(default_factory=dict)
    """How often labels could meet in questions on regions."""


_COLUMNS = ["key", "split", "label", "label_id", "laterality", "state", "granularity", "subset", "clinical_task"]


def pools_of(release: Release) -> Pools:
    """The pools of a whole release."""
    subsets: dict[Any, set[Named]] = {}
    sources: dict[Any, set[Named]] = {}
    regions: dict[Any, set[Named]] = {}
    images: dict[tuple[str, str], set[str]] = {}
    tally = Tally()
    for source in release.sources:
        modality = _modalities(release, source)
        for batch in _present(release, source):
            for row in batch:
                label = Named(row["label"], row["label_id"])
                tally.add(row, modality[row["key"]])
                if row["granularity"] == "image":
                    subsets.setdefault(row["subset"], set()).add(label)
                    sources.setdefault((source, row["clinical_task"]), set()).add(label)
                    images.setdefault((source, label.id), set()).add(row["key"])
                else:
                    place = modality[row["key"]], row["clinical_task"], row["granularity"]
                    regions.setdefault(place, set()).add(label)
                    images.get((source, label.id), set()).discard(row["key"])
    located = frozenset(place for place, left in images.items() if not left)
    contrasts = {source: contrast(release, source) for source in release.sources}
    return Pools(_sorted(subsets), _sorted(sources), _sorted(regions), located, contrasts, tally.pairs())


def kin(one: str, other: str) -> bool:
    """Whether two label ids are one thing, or one stands above the other."""
    return other in _line(one) or one in _line(other)


def apart(truths: Iterable[str], pool: Iterable[Named]) -> list[Named]:
    """Labels of a pool that are kin to none of the truths."""
    every = tuple(truths)
    return [label for label in pool if not any(kin(label.id, truth) for truth in every)]


@cache
def _line(label_id: str) -> frozenset[str]:
    """The label and everything above it."""
    entry = table().find(label_id)
    if entry is None:
        return frozenset({label_id})
    return frozenset(table().id_of(name) for name in (entry.name, *table().ancestors(entry.name)))


def _modalities(release: Release, source: str) -> dict[str, str]:
    columns = pq.read_table(release.index_path(source), columns=["key", "modality", "modality_detail"]).to_pydict()
    words = zip(columns["modality_detail"], columns["modality"], strict=True)
    return dict(zip(columns["key"], (detail or modality for detail, modality in words), strict=True))


def _present(release: Release, source: str) -> Iterable[list[dict[str, Any]]]:
    with pq.ParquetFile(release.index_path(source, "annotations")) as file:
        for batch in file.iter_batches(1 << 14, columns=_COLUMNS):
            yield [row for row in batch.to_pylist() if row["state"] == "present"]


def _sorted(found: Mapping[Any, set[Named]]) -> dict[Any, Pool]:
    return {place: tuple(sorted(labels)) for place, labels in sorted(found.items())}
