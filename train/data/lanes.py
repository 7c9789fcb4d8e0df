"""Which batches each rank and worker reads of an endless run of epochs: pure arithmetic.

A run is a row of steps, a step one batch for each rank. The worker w of n of a rank has its batches of steps w, w + n, …,
since a `DataLoader` takes one batch from each worker in turn.
"""

from __future__ import annotations

from collections.abc import Iterator
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

    def batches(self, rows: int) -> Iterator[tuple[int, int, int]]:
        """Begin, end and epoch of its batches without end, where an epoch has so many rows, of which whole steps are used."""
        per_epoch = rows // (self.batch * self.world)
        for step in count(self.start + self.worker, self.workers):
            epoch, within = divmod(step, per_epoch)
            begin = (within * self.world + self.rank) * self.batch
            yield begin, begin + self.batch, epoch


def lanes(*, batch: int, world: int, workers: int, start: int = 0) -> list[Lane]:
    """A lane for each worker of each rank, those of a rank together; one lane for a rank without workers."""
    each = max(workers, 1)
    return [Lane(rank, worker, world, each, batch, start) for rank in range(world) for worker in range(each)]
