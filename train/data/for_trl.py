"""A mixture as TRL and transformers take it: map-style with a sampler, or streamed in lanes.

TRL wants `datasets` objects. Batches are dealt in the same way by both: of step s, rank r of w has the rows
`order[(s·w + r)·b : (s·w + r + 1)·b]` of its epoch, b being the batch size of a device. What doesn't fill a step of all
ranks is left out of that epoch; the next epoch's permutation leaves out others. No row comes twice in an epoch, whatever
the number of ranks and workers, unless a weight above 1 asks for it.

What a trainer has to set:

Map-style (`mapped`)
- `_get_train_sampler` returns `OrderSampler(mixture, step=per_device_train_batch_size * world_size)`.
- `OrderEpoch(sampler)` among its callbacks: of a run resumed within an epoch on several ranks neither transformers nor
  accelerate tells the sampler its epoch (their `SkipBatchSampler` around a `BatchSamplerShard` hides it).
- `dataloader_drop_last=False`, since that would shorten evaluation too; the sampler's length is already whole.
- `accelerator_config` as it is: `split_batches=False`, `dispatch_batches` None or False. `even_batches` finds nothing to even.
- Resuming is left to transformers (`ignore_data_skip=False`): it skips numbers, so nothing is read.

Streamed (`streamed`)
- `batch=per_device_train_batch_size`, `world=world_size`, `workers=dataloader_num_workers`.
- `accelerator_config.dispatch_batches=False` (TRL sees to it) and `split_batches=False`: then accelerate gives each rank
  its lanes by `shard`, and `datasets` gives each worker its own.
- `max_steps`, since the stream never ends.
- To resume: `ignore_data_skip=True` and `start_batches=global_step * gradient_accumulation_steps`.

Both: `remove_unused_columns=False`, `max_length=None`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from datasets import Dataset, IterableDataset
from torch.utils.data import Sampler, get_worker_info
from transformers import TrainerCallback

from ...schema.errors import UsageError
from .lanes import Lane, lanes
from .mixture import Mixture

COLUMNS = ("prompt", "completion", "images")
AT_ONCE = 64
"""Rows of a block that a stream reads together, and so holds, at most."""


def mapped(mixture: Mixture) -> Dataset:
    """All rows of the mixture; one, or several together, are read when they are asked for."""
    return Dataset.from_dict({"place": range(mixture.rows)}).with_transform(partial(_read, mixture))


class OrderSampler(Sampler[int]):
    """Numbers of an epoch's rows in their order, as many as fill whole steps."""

    def __init__(self, mixture: Mixture, *, step: int = 1):
        """A sampler that leaves out what doesn't fill a step of so many rows: batch size of a device × ranks.

        Raises:
            UsageError: an epoch has fewer rows than a step.
        """
        self.mixture, self.step, self.epoch = mixture, step, 0
        _enough(mixture, step)

    def __len__(self) -> int:
        return len(self.mixture) // self.step * self.step

    def __iter__(self) -> Iterator[int]:
        return iter(self.mixture.order(self.epoch)[: len(self)].tolist())

    def set_epoch(self, epoch: int) -> None:
        """Draw the order of that epoch when next iterated over."""
        self.epoch = epoch


class OrderEpoch(TrainerCallback):
    """Tells a sampler the epoch that begins, also where a run is resumed."""

    def __init__(self, sampler: OrderSampler):
        """The callback of one sampler."""
        self.sampler = sampler

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """See `TrainerCallback`."""
        self.sampler.set_epoch(int(state.epoch or 0))


def streamed(mixture: Mixture, *, batch: int, world: int, workers: int, start_batches: int = 0) -> IterableDataset:
    """The mixture's rows without end, epoch after epoch, from a batch on that is counted for each rank.

    It has a lane for each rank and worker (one where there are no workers), so that each reads its own rows and no others.

    Raises:
        UsageError: an epoch has fewer rows than one batch for every rank.
    """
    _enough(mixture, batch * world)
    found = lanes(batch=batch, world=world, workers=workers, start=start_batches)
    return IterableDataset.from_generator(_stream, gen_kwargs={"mixture": mixture, "dealt": found})


def _read(mixture: Mixture, batch: dict[str, list[int]]) -> dict[str, list[Any]]:
    rows = mixture.conversations(batch["place"])
    return {name: [row[name] for row in rows] for name in COLUMNS}


def _stream(mixture: Mixture, dealt: list[Lane]) -> Iterator[dict[str, Any]]:
    """Rows of a lane; `datasets` gives one at a time. Its first rows are shown to whoever looks what the rows are like."""
    [lane] = dealt
    info = get_worker_info()
    if info is not None and info.num_workers != lane.workers:
        raise _other_workers(info.num_workers, lane)
    batches = lane.batches(len(mixture))
    at_once = max(1, min(mixture.block, AT_ONCE) // lane.batch)
    while True:
        some = [mixture.order(epoch)[begin:end] for begin, end, epoch in islice(batches, at_once)]
        yield from mixture.conversations(np.concatenate(some).tolist())
        if info is None and lane.workers > 1:
            raise _other_workers(0, lane)


def _other_workers(workers: int, lane: Lane) -> UsageError:
    found = f"{workers} workers read a stream made for {lane.workers}"
    return UsageError(f"{found}; expected as many; give `streamed` what dataloader_num_workers is")


def _enough(mixture: Mixture, step: int) -> None:
    if len(mixture) < step:
        found = f"{len(mixture)} rows in an epoch, {step} in a step of all ranks"
        raise UsageError(f"{found}; expected one step or more; take a smaller batch, fewer ranks or more data")
