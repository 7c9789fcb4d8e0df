"""Which labels of a source can stand against each other on whole images.

Where a source says "no finding: absent" of its sick and never "disease: absent" of its healthy, the pair would always have
the same answer, and words alone would tell it. Two labels are **opposed** where one is present while the other is known to
be absent on one image, and the other way round on another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ..schema.release import Release

Opposed = Mapping[str, frozenset[str]]
"""Label id → ids of the labels that it is opposed to."""
_ROWS = 1 << 18


def opposed(release: Release, source: str) -> Opposed:
    """The opposed labels of a source, read from its index."""
    ids = sorted(set(_ids(release, source)))
    against = np.zeros((len(ids), len(ids)), bool)
    for table in _stated(release, source):
        present, absent = _states(table, ids)
        against |= (present.T @ absent) > 0
    both = against & against.T
    return {ids[place]: frozenset(ids[other] for other in np.flatnonzero(row)) for place, row in enumerate(both)}


def _ids(release: Release, source: str) -> Iterator[str]:
    with pq.ParquetFile(release.index_path(source, "annotations")) as file:
        for batch in file.iter_batches(_ROWS, columns=["label_id"]):
            yield from batch["label_id"].unique().to_pylist()


def _stated(release: Release, source: str) -> Iterator[pa.Table]:
    """Key, label id and state of label states; an image's rows are never cut apart."""
    kept = None
    with pq.ParquetFile(release.index_path(source, "annotations")) as file:
        for batch in file.iter_batches(_ROWS, columns=["key", "label_id", "state", "granularity"]):
            table = pa.Table.from_batches([batch]).filter(pc.field("granularity") == "image").drop_columns(["granularity"])
            table = table if kept is None else pa.concat_tables([kept, table])
            last = table["key"][-1].as_py() if table.num_rows else ""
            kept = table.filter(pc.field("key") == last)
            yield table.filter(pc.field("key") != last)
    if kept is not None:
        yield kept


def _states(table: pa.Table, ids: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Present and absent as two float32 arrays, image × label; absent only where it is so on every side."""
    rows = table["key"].combine_chunks().dictionary_encode().indices.to_numpy()
    columns = np.searchsorted(ids, table["label_id"].to_numpy().astype(str))
    state = table["state"].to_numpy()
    found = np.zeros((3, rows.max() + 1 if len(rows) else 0, len(ids)), np.float32)
    for place, chosen in enumerate((state == "present", state == "absent", state != "absent")):
        found[place, rows[chosen], columns[chosen]] = 1
    return found[0], found[1] * (1 - found[2])
