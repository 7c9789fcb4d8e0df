"""A mixture from a repository: the rows of the folder, in few requests, in every process that reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hub import Hub, Request
from hub_holding import hold
from hub_process import Client

BATCHES = """
import hashlib
from itertools import islice
import numpy as np
from medloom.train.data.arguments import DataArguments
from medloom.train.data.for_trl import OrderSampler, mapped, streamed
from medloom.train.data.mixture import Mixture
from torch.utils.data import DataLoader

def told(rows):
    pixels = [hashlib.sha256(np.asarray(one["images"][0]).tobytes()).hexdigest() for one in rows]
    return [[row["prompt"][-1]["content"][-1]["text"], one] for row, one in zip(rows, pixels)]

arguments = DataArguments(data=[f"{release}:mimoseg"], block=block)
mixture = Mixture.open(arguments, style=arguments.style("thousandths"), seed=3)
if streaming:
    rows, sampler = streamed(mixture, batch=8, world=1, workers=workers), None
else:
    rows, sampler = mapped(mixture), OrderSampler(mixture, step=8)
loader = DataLoader(rows, batch_size=8, num_workers=workers, sampler=sampler, collate_fn=told)
answer = list(islice(loader, 8))
"""


@dataclass(frozen=True)
class Place:
    """A Hub with the release in it, and a client with a cache of its own."""

    hub: Hub
    client: Client
    release: Path

    def batches(self, release: str, **how: Any) -> tuple[list[Any], list[Request]]:
        """The first eight batches, and the ranges of shards that were asked for."""
        before = len(self.hub.requests)
        found = self.client.run(BATCHES, release=release, **{"block": 1, "workers": 0, "streaming": False, **how})
        return found, [one for one in self.hub.requests[before:] if one.range is not None]


@pytest.fixture(scope="module")
def place(asked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("hub")
    with Hub(folder / "hub") as hub:
        hold(hub, "org/release", asked)
        environment = hub.environment(folder / "home") | {"PYTHONWARNINGS": "default", "HF_HUB_DISABLE_TELEMETRY": "1"}
        with Client(environment) as client:
            yield Place(hub, client, asked)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("block", [1, 32])
def test_rows_are_those_of_the_folder(place: Place, streaming: bool, block: int):
    found, _ = place.batches("org/release", block=block, streaming=streaming)
    here, asked_for = place.batches(str(place.release), block=block, streaming=streaming)
    assert len(found) == 8
    assert found == here
    assert asked_for == []


@pytest.mark.parametrize("streaming", [False, True])
def test_blocks_cost_few_requests(place: Place, streaming: bool):
    """A batch of a block is a run of one shard, or two where it reaches over an end; a stream reads whole blocks."""
    _, spread = place.batches("org/release", block=1, streaming=streaming)
    _, together = place.batches("org/release", block=32, streaming=streaming)
    assert len(spread) >= 40
    assert len(together) <= (6 if streaming else 20)


def test_workers_read_the_same(place: Place):
    alone, _ = place.batches("org/release", block=16)
    assert place.batches("org/release", block=16, workers=2)[0] == alone
    assert place.batches("org/release", block=16, workers=2, streaming=True)[0] == alone
