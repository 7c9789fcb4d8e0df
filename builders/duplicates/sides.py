"""Which side every sample stands on once no pair of duplicates crosses a split.

Pairs link groups to clusters. A cluster that stands on several sides goes to one: test beats validation beats train.

- Losing groups move whole to the winning side where both sides were dealt by a hash.
- They are left out, reason `near-duplicate-in-<split>`, where the winning side is its owner's: an owner's test set stays
  what it is. Also where the losing group's owner gave a split: moved, it would grow that owner's test set.

Clusters on one side, and groups that no pair touches, stay as they are. The order of rows and pairs plays no part.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...schema.errors import UsageError
from ...schema.protocols.clusters import components
from ...schema.release import Release
from ...schema.sample import SPLITS
from ..cut import Progress, cut
from ..split import EXCLUDED, highest

COLUMNS = ("key", "collection", "group", "split", "original_split")
"""What is needed of the index."""
SIDES = pa.schema([("key", pa.string()), ("was", pa.string()), ("split", pa.string()), ("reason", pa.string())])
WHY = {"verb": "duplicates", "apart": True}
"""How a release that was cut this way is made again."""
_NONE = -1


def apart(samples: pa.Table, pairs: pa.Table) -> pa.Table:
    """A row per sample, in the order given: key, the split it `was` in, its split now, and the reason if it is left out.

    Args:
        samples: `COLUMNS` of the index, excluded samples too; those stay excluded.
        pairs: `a_key` and `b_key`, in any order; pairs of excluded samples say nothing.

    Raises:
        UsageError: a pair names a key that isn't among the samples.
    """
    side = _side(samples["split"])
    group = _codes(_codes(_column(samples, "collection")), _codes(_column(samples, "group")))
    a, b = (_places(samples["key"], pairs[name]) for name in ("a_key", "b_key"))
    standing = (side[a] >= 0) & (side[b] >= 0)
    a, b = group[a[standing]], group[b[standing]]
    cluster = components(int(group.max()) + 1 if len(group) else 0, a, b)[group]
    touched = np.isin(group, np.concatenate([a, b])) & (side >= 0)
    best = highest(cluster, np.where(touched, side, _NONE))
    losing = touched & (side < best)
    given = _given(samples, side)
    # In a collection that its owner split, a sample without an owner's split belongs to train: it may not move either.
    fixed = _any(cluster, touched & (side == best) & given) | _any(_column(samples, "collection"), given)
    return _rows(samples, np.where(losing, best, side), losing & fixed)


def write(
    release: Release, pairs: pa.Table, out: Path, *, changes: Path, workers: int = 1, progress: Progress | None = None
) -> dict[str, Any]:
    """Cut a release in which no pair crosses: where it lies, how many samples moved and were left out, to where and why.

    `changes` is a Parquet file for the rows of `SIDES` that changed: a cut doesn't list what it leaves out.

    Raises:
        UsageError: `out` is taken.
    """
    tables = [pq.read_table(release.index_path(source), columns=list(COLUMNS)) for source in release.indexed]
    rows = apart(pa.concat_tables(tables), pairs)
    changed, kept = rows.filter(pc.not_equal(rows["was"], rows["split"])), rows.filter(pc.not_equal(rows["split"], EXCLUDED))
    made = cut(release.root, kept.select(["key", "split"]), out, why=WHY, workers=workers, progress=progress)
    pq.write_table(changed, changes, compression="zstd")
    moved, left_out = changed["split"].filter(pc.is_null(changed["reason"])), changed["reason"].drop_null()
    return {
        "release": made["release"],
        "samples": len(kept),
        "moved": len(moved),
        "moved_to": dict(sorted(Counter(moved.to_pylist()).items())),
        "left_out": len(left_out),
        "reasons": dict(sorted(Counter(left_out.to_pylist()).items())),
        "changes": str(changes),
    }


def _side(splits: pa.ChunkedArray) -> np.ndarray:
    """0 train, 1 validation, 2 test, -1 excluded."""
    found = pc.index_in(splits, pa.array([EXCLUDED, *SPLITS]))
    if found.null_count:
        unknown = sorted(map(str, set(pc.unique(splits).to_pylist()) - {EXCLUDED, *SPLITS}))
        raise UsageError(f"split {', '.join(unknown)}; expected one of {', '.join(SPLITS)} or {EXCLUDED}")
    return found.to_numpy().astype(np.int64) - 1


def _places(keys: pa.ChunkedArray, wanted: pa.ChunkedArray) -> np.ndarray:
    found = pc.index_in(wanted, _flat(keys))
    if found.null_count:
        missing = pc.unique(wanted.filter(pc.is_null(found)))[0].as_py()
        raise UsageError(f"pair with {missing!r}, a key that the samples don't hold; expected pairs within these samples")
    return found.to_numpy().astype(np.int64)


def _column(samples: pa.Table, name: str) -> np.ndarray:
    return _flat(samples[name]).dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)


def _flat(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _codes(*columns: np.ndarray) -> np.ndarray:
    """A number per distinct combination."""
    if not len(columns[0]):
        return np.zeros(0, np.int64)
    joined = columns[0]
    for column in columns[1:]:
        joined = joined * (int(column.max()) + 1) + column
    return np.unique(joined, return_inverse=True)[1]


def _any(member: np.ndarray, here: np.ndarray) -> np.ndarray:
    """For each sample whether it holds for any of its fellow members."""
    return highest(member, here.astype(np.int64)) > 0


def _given(samples: pa.Table, side: np.ndarray) -> np.ndarray:
    """Whether a sample stands where its owner put it."""
    owners = pc.index_in(samples["original_split"], pa.array(SPLITS)).fill_null(_NONE).to_numpy()
    return (owners == side) & (side >= 0)


def _rows(samples: pa.Table, side: np.ndarray, left_out: np.ndarray) -> pa.Table:
    names = np.array([EXCLUDED, *SPLITS], dtype=object)
    reasons = np.array([None, *(f"near-duplicate-in-{split}" for split in SPLITS)], dtype=object)
    now = names[np.where(left_out, _NONE, side) + 1]
    columns = [samples["key"], samples["split"], pa.array(now, pa.string())]
    return pa.table([*columns, pa.array(reasons[np.where(left_out, side, _NONE) + 1], pa.string())], schema=SIDES)
