"""Which batches each rank and worker reads of an endless run of epochs: pure arithmetic.

A run is a row of steps, a step one batch for each rank. The worker w of n of a rank has its batches of steps w, w + n, …,
since a `DataLoader` takes one batch from each worker in turn.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True, slots=True)
class Lane:
    """The batches of one worker of one rank, from a step on."""

    rank: int
    worker: int
    world: int
    workers: int
    batch: int
    start: int

    def batches(self) -> Iterator[tuple[int, int]]:
        """Step and rank of its batches, without end."""
        return ((step, self.rank) for step in count(self.start + self.worker, self.workers))


def lanes(*, batch: int, world: int, workers: int, start: int = 0) -> list[Lane]:
    """A lane for each worker of each rank, those of a rank together; one lane for a rank without workers."""
    each = max(workers, 1)
    return [Lane(rank, worker, world, each, batch, start) for rank in range(world) for worker in range(each)]


def parts_of(some: Sequence[Lane], *, rows: int) -> Iterator[tuple[int, int, int]]:
    """Begin, end and epoch of the batches of some lanes, in the order in which a run has them, without end.

    Each epoch has as many whole steps as fit into its rows.
    """
    batch, world = some[0].batch, some[0].world
    per_epoch = rows // (batch * world)
    for step, rank in heapq.merge(*(lane.batches() for lane in some)):
        epoch, within = divmod(step, per_epoch)
        begin = (within * world + rank) * batch
        yield begin, begin + batch, epoch
