"""Which rows an epoch takes and in what order: pure functions of a seed and the epoch, the same on every machine.

Random numbers are Philox's raw 64-bit words, which numpy promises never to change, and permutations are their stable sort;
numpy's own `permutation` may change between versions. Seed, epoch and purpose are the generator's key and counter, so that
any epoch is drawn without those before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

import numpy as np
from numpy.random import Philox
from numpy.typing import NDArray

Places = NDArray[np.int64]
"""Numbers of rows over all portions, in the order in which these are given."""
_WHOLE = 0
"""Stream of the epoch's own permutation; every portion has one of its own behind it."""


@dataclass(frozen=True, slots=True)
class Portion:
    """How many rows a set has, and how many of them an epoch takes."""

    rows: int
    draws: int
    """More than `rows` where they are repeated."""


def draws(rows: Sequence[tuple[int, float]], general: Sequence[tuple[int, float]]) -> list[Portion]:
    """Portions of sets given by size and weight, then of general sets given by size and share of the whole epoch.

    Without sets of the first kind the general ones are taken as they are. Shares sum to less than one.
    """
    weighted = [Portion(size, round(size * weight)) for size, weight in rows]
    taken = sum(one.draws for one in weighted)
    whole = taken / (1 - sum(share for _, share in general))
    mixed = [Portion(size, round(whole * share) if taken and size else size) for size, share in general]
    return weighted + mixed


def permutation(count: int, *, seed: int, epoch: int, stream: int) -> Places:
    """The numbers below `count` in an order drawn from seed, epoch and stream."""
    words = Philox(key=[seed % (1 << 64), 0], counter=[0, 0, epoch, stream]).random_raw(count)
    return np.argsort(words, kind="stable").astype(np.int64, copy=False)


def drawn(portion: Portion, *, seed: int, epoch: int, stream: int) -> Places:
    """Rows of one portion that an epoch takes, in rising order.

    Each is taken as often as any other or once more. Of a share, a row comes again only when all of a round have come: a
    round is as many whole shares as fit into the rows, and every round leaves out others.
    """
    copies, share = divmod(portion.draws, portion.rows) if portion.rows else (0, 0)
    found = [np.arange(portion.rows, dtype=np.int64)] * copies
    if share:
        turn, begin = divmod(epoch, portion.rows // share)
        found.append(permutation(portion.rows, seed=seed, epoch=turn, stream=stream)[begin * share : (begin + 1) * share])
    return np.sort(np.concatenate(found, dtype=np.int64), kind="stable") if found else np.empty(0, np.int64)


@lru_cache(maxsize=1)
def epoch_order(portions: tuple[Portion, ...], *, seed: int, epoch: int, block: int = 1) -> Places:
    """All places of an epoch in their order, read-only.

    With `block` above 1, so many neighbouring rows of a portion follow each other, in mixed order; only the blocks change
    places.
    """
    begins = accumulate((one.rows for one in portions), initial=0)
    chosen = [
        begin + drawn(one, seed=seed, epoch=epoch, stream=number)
        for number, (begin, one) in enumerate(zip(begins, portions, strict=False), start=_WHOLE + 1)
    ]
    places = np.concatenate(chosen) if chosen else np.empty(0, np.int64)
    mixed = permutation(len(places), seed=seed, epoch=epoch, stream=_WHOLE)
    order = places[mixed] if block == 1 else places[_in_blocks(mixed, [len(one) for one in chosen], block)]
    order.flags.writeable = False
    return order


def _in_blocks(mixed: Places, sizes: Sequence[int], block: int) -> Places:
    """The numbers of `mixed` by block: blocks by when their first number comes, numbers within as they come.

    No block reaches over the end of a portion, whose sizes are given.
    """
    blocks, first = np.empty(len(mixed), np.int64), 0
    begin = 0
    for size in sizes:
        blocks[begin : begin + size] = first + np.arange(size) // block
        begin, first = begin + size, first + -(-size // block)
    of_each = blocks[mixed]
    earliest = np.full(first, len(mixed), np.int64)
    np.minimum.at(earliest, of_each, np.arange(len(mixed)))
    return mixed[np.argsort(earliest[of_each], kind="stable")]
