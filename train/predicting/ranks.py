"""The processes of one run, as torchrun and accelerate start them, and how they wait for each other."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

LONGEST_WAIT = timedelta(days=7)
"""Ranks may end hours apart; one that dies is noticed at once by whoever started them."""


@dataclass(frozen=True, slots=True)
class Ranks:
    """Which process of how many this one is."""

    rank: int = 0
    world: int = 1
    group: Any = None
    """Over which they wait; None for one alone."""

    @classmethod
    def here(cls) -> Ranks:
        """As the environment tells: `RANK` and `WORLD_SIZE`, one process where there are none."""
        rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
        if world < 2:
            return cls()
        import torch.distributed as dist

        if not dist.is_initialized():
            dist.init_process_group("gloo", timeout=LONGEST_WAIT)
        return cls(rank, world, dist.new_group(backend="gloo", timeout=LONGEST_WAIT))

    @property
    def first(self) -> bool:
        """Whether this one writes what all have done."""
        return self.rank == 0

    def wait(self) -> None:
        """Come back when all are here."""
        if self.group is not None:
            import torch.distributed as dist

            dist.barrier(group=self.group)

    def mine(self, place: int) -> bool:
        """Whether work at a place of a list is this process's."""
        return place % self.world == self.rank

    def close(self) -> None:
        """Leave the others, at the end of the process."""
        if self.group is not None:
            import torch.distributed as dist

            dist.destroy_process_group()
