"""What rules know beyond one sample: the labels that stand side by side in a release, read from its index.

A pool is the same for every worker and any order of files. Labels are known by their canonical ids; two labels are **kin**
where one is the other or stands above it in the canonical table: then both may hold for one picture, and neither can be
a wrong answer beside the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ..schema.errors import ReleaseError
from ..schema.labels.table import table
from ..schema.release import Release
from .choices.contrast import Contrast, contrast
from .choices.pointed import Pairs, Tally


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
_ROWS_AT_ONCE = 1 << 12


def pools_of(release: Release) -> Pools:
    """The pools of a whole release."""
    subsets: dict[Any, set[Named]] = {}
    sources: dict[Any, set[Named]] = {}
    regions: dict[Any, set[Named]] = {}
    everywhere: dict[tuple[str, str], bool] = {}
    tally = Tally()
    for source in release.sources:
        for modality, rows in _images(release, source):
            stated, marked = set[str](), set[str]()
            for row in rows:
                label = Named(row["label"], row["label_id"])
                tally.add(row, modality)
                if row["granularity"] == "image":
                    subsets.setdefault(row["subset"], set()).add(label)
                    sources.setdefault((source, row["clinical_task"]), set()).add(label)
                    stated.add(label.id)
                else:
                    regions.setdefault((modality, row["clinical_task"], row["granularity"]), set()).add(label)
                    marked.add(label.id)
            for one in stated:
                everywhere[source, one] = everywhere.get((source, one), True) and one in marked
    located = frozenset(place for place, always in everywhere.items() if always)
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


def _images(release: Release, source: str) -> Iterator[tuple[str, Iterator[dict[str, Any]]]]:
    """Modality (detail where there is one) and present rows of each image that has any; both tables are in one order.

    Raises:
        ReleaseError: they aren't.
    """
    samples = _rows(release.index_path(source), ["key", "modality", "modality_detail"])
    present = (row for row in _rows(release.index_path(source, "annotations"), _COLUMNS) if row["state"] == "present")
    for key, rows in groupby(present, key=itemgetter("key")):
        sample = next((one for one in samples if one["key"] == key), None)
        if sample is None:
            raise ReleaseError(f"index of {source}: {key} stands elsewhere in its two tables; expected one order; rebuild it")
        yield sample["modality_detail"] or sample["modality"], rows


def _rows(path: Path, columns: list[str]) -> Iterator[dict[str, Any]]:
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_ROWS_AT_ONCE, columns=columns):
            yield from batch.to_pylist()


def _sorted(found: Mapping[Any, set[Named]]) -> dict[Any, Pool]:
    return {place: tuple(sorted(labels)) for place, labels in sorted(found.items())}
