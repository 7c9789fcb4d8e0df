"""Which side of Med-MAT's split a cluster is on: as its owner has it, else dealt 9 : 1."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from ..sample import SPLITS
from .clusters import codes
from .deal import fill
from .pool import Pool

TEST_SHARE = 0.1
TRAIN, VALIDATION, TEST = range(len(SPLITS))
_OPEN = -1


def sides(pool: Pool, labelled: np.ndarray) -> np.ndarray:
    """`TRAIN`, `VALIDATION` (unused) or `TEST` of each cluster, int64; `labelled` are the rows that have a label to serve.

    Where the owner of any sample of a cluster has spoken, the highest of the owners' sides holds; else the cluster is dealt
    with its collection, so that a tenth of the labelled samples is test.
    """
    side = np.full(len(pool.collections), _OPEN)
    np.maximum.at(side, pool.cluster, _owners(pool))
    weight = np.bincount(pool.cluster[labelled], minlength=len(side))
    waiting = np.flatnonzero(side == _OPEN)
    side[waiting] = TRAIN
    for some in _by_collection(pool, waiting):
        side[some[fill(weight[some], TEST_SHARE * weight[some].sum(), some=True)]] = TEST
    return side


def _by_collection(pool: Pool, waiting: np.ndarray) -> list[np.ndarray]:
    """The waiting clusters of each collection, in seeded order."""
    number, _ = codes(pa.array(pool.collections[waiting], pa.string()))
    order = np.lexsort((pool.cluster_rank[waiting], number))
    return np.split(waiting[order], np.flatnonzero(np.diff(number[order])) + 1)


def _owners(pool: Pool) -> np.ndarray:
    """The owner's side of each sample, `_OPEN` in a source whose owner names neither a test nor a validation set."""
    source, names = codes(pool.samples["source"])
    original = pool.column("original_split")
    validates, tests = (_with(source, original == split, count=len(names)) for split in ("validation", "test"))
    side = np.where(original == "test", TEST, TRAIN)
    side[original == "validation"] = np.where(tests[source], VALIDATION, TEST)[original == "validation"]
    return np.where((validates | tests)[source], side, _OPEN)


def _with(source: np.ndarray, marked: np.ndarray, *, count: int) -> np.ndarray:
    """Which sources have a marked sample, booleans."""
    return np.bincount(source[marked], minlength=count) > 0
