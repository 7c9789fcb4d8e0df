"""Which labels of a source can stand against each other on whole images.

Where a source says "no finding: absent" of its sick and never "disease: absent" of its healthy, the pair would always have
the same answer, and words alone would tell it. Two labels are **opposed** where one is present while the other is known to
be absent on one image, and the other way round on another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...schema.release import Release

Opposed = Mapping[str, frozenset[str]]
"""Label id → ids of the labels that it is opposed to."""
_ROWS = 1 << 14
_STATED = pc.field("granularity") == "image"


@dataclass(frozen=True)
class Contrast:
    """How the labels of a source stand to each other on whole images."""

    opposed: Opposed = field(default_factory=dict)
    seen: Mapping[str, Mapping[str, Seen]] = field(default_factory=dict)
    """Split → label id → on how many images."""


@dataclass(frozen=True, slots=True)
class Seen:
    """On how many images a label is present, known to be absent, and present while an opposed label is absent."""

    present: int
    absent: int
    faced: int


def contrast(release: Release, source: str) -> Contrast:
    """The contrasts of a source, read from its index in two passes."""
    ids = sorted(set(_ids(release, source)))
    against = np.zeros((len(ids), len(ids)), bool)
    for table in _stated(release, source):
        present, absent, _ = _states(table, ids)
        against |= (present.T @ absent) > 0
    both = against & against.T
    counts: dict[str, np.ndarray] = {}
    for table in _stated(release, source):
        present, absent, splits = _states(table, ids)
        faced = present * ((absent @ both) > 0)
        for split in np.unique(splits):
            found = [states[splits == split].sum(0) for states in (present, absent, faced)]
            counts[split] = counts.get(split, 0) + np.array(found, np.int64)
    opposed = {ids[place]: frozenset(ids[other] for other in np.flatnonzero(row)) for place, row in enumerate(both)}
    seen = {split: {one: Seen(*map(int, found[:, at])) for at, one in enumerate(ids)} for split, found in counts.items()}
    return Contrast(opposed, seen)


def _ids(release: Release, source: str) -> Iterator[str]:
    with pq.ParquetFile(release.index_path(source, "annotations")) as file:
        for batch in file.iter_batches(_ROWS, columns=["label_id"]):
            yield from batch["label_id"].unique().to_pylist()


def _stated(release: Release, source: str) -> Iterator[pa.Table]:
    """Key, split, label id and state of label states; an image's rows are never cut apart."""
    kept = None
    with pq.ParquetFile(release.index_path(source, "annotations")) as file:
        for batch in file.iter_batches(_ROWS, columns=["key", "split", "label_id", "state", "granularity"]):
            table = pa.Table.from_batches([batch]).filter(_STATED).drop_columns(["granularity"])
            table = table if kept is None else pa.concat_tables([kept, table])
            last = table["key"][-1].as_py() if table.num_rows else ""
            kept = table.filter(pc.field("key") == last)
            yield table.filter(pc.field("key") != last)
    if kept is not None:
        yield kept


def _states(table: pa.Table, ids: list[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Present and absent as two float32 arrays, image × label, and each image's split; absent means on every side."""
    rows = table["key"].combine_chunks().dictionary_encode().indices.to_numpy()
    columns = np.searchsorted(ids, table["label_id"].to_numpy().astype(str))
    state = table["state"].to_numpy()
    firsts = np.unique(rows, return_index=True)[1]
    found = np.zeros((3, len(firsts), len(ids)), np.float32)
    for place, chosen in enumerate((state == "present", state == "absent", state != "absent")):
        found[place, rows[chosen], columns[chosen]] = 1
    return found[0], found[1] * (1 - found[2]), table["split"].to_numpy()[firsts]
