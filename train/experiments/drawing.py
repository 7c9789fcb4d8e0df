"""Which samples of some cells train under a budget: seeded, even over cells and labels, and clear of whatever tests.

A smaller budget takes some of the samples that a larger one takes from the same cells, so that sizes can be compared. Of a
group no second sample is taken before every group of the same label has given one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ...schema.protocols.deal import places, shuffled, water_fill
from .holdings import Holding


@dataclass(frozen=True, slots=True)
class Drawn:
    """Samples of one cell."""

    cell: str
    suite: str
    kinds: tuple[str, ...]
    keys: tuple[str, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the sorted keys."""
        return hashlib.sha256("\n".join(sorted(self.keys)).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class Guard:
    """What may not train: groups whose pictures test, and samples of the target's own population elsewhere."""

    clusters: frozenset[int]
    apart: frozenset[int] = frozenset()
    """Groups with samples of the target's population."""
    population: str | None = None
    """The target's."""

    def admits(self, one: Holding) -> np.ndarray:
        """Which samples of a cell may train, booleans."""
        other = self.population is not None and one.cell.added.get("population") != self.population
        barred = self.clusters | self.apart if other else self.clusters
        return ~np.isin(one.cluster, np.fromiter(barred, np.int64, len(barred)))


def available(some: Sequence[Holding], guard: Guard) -> int:
    """How many samples of some cells may train."""
    return sum(int(guard.admits(one).sum()) for one in some)


def drawn(some: Sequence[Holding], budget: int, *, guard: Guard, seed: int) -> list[Drawn]:
    """As many samples as the budget says, or all there are, as evenly over the cells as these allow; cells without any drop."""
    admitted = [guard.admits(one) for one in some]
    quotas = water_fill([int(one.sum()) for one in admitted], budget)
    return [
        Drawn(one.cell.name, one.suite, one.kinds, _taken(one, admits, quota, seed=seed))
        for one, admits, quota in zip(some, admitted, quotas, strict=True)
        if quota
    ]


def overlap(some: Iterable[Drawn], every: dict[str, Holding], clusters: frozenset[int]) -> int:
    """How many of the samples drawn share a group, or a picture, with what tests."""
    count = 0
    for one in some:
        cluster = dict(zip(every[one.cell].keys.tolist(), every[one.cell].cluster.tolist(), strict=True))
        count += sum(cluster[key] in clusters for key in one.keys)
    return count


def _taken(one: Holding, admits: np.ndarray, quota: int, *, seed: int) -> tuple[str, ...]:
    keys, cluster, stratum = one.keys[admits], one.cluster[admits], one.stratum[admits]
    order = shuffled(seed, f"experiment {one.cell.name}", keys.tolist())
    names, label = np.unique(stratum.astype(str), return_inverse=True)
    turn = places(order, label, cluster)
    rank = places(turn * (len(keys) + 1) + order, label)
    quotas = np.array(water_fill(np.bincount(label, minlength=len(names)).tolist(), quota), np.int64)
    return tuple(sorted(keys[rank < quotas[label]].tolist()))
