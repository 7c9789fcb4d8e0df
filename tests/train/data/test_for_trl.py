"""What a real trainer is given: every row once in an epoch over ranks and workers, and nothing read that was read before."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from dealt_rows import ACCUMULATED, BATCH, ROWS, WAYS, mixture, trained
from torch.utils.data import DataLoader

from medloom.schema.errors import UsageError
from medloom.train.data.for_trl import OrderSampler, mapped, streamed


def expected(rank: int, world: int) -> list[list[int]]:
    """Batches of a rank in two epochs."""
    mixed, steps = mixture(), ROWS // (BATCH * world)
    orders = [mixed.order(epoch).tolist() for epoch in range(2)]
    begins = [(step * world + rank) * BATCH for step in range(steps)]
    return [order[begin : begin + BATCH] for order in orders for begin in begins]


@pytest.mark.parametrize(("streaming", "workers"), WAYS)
def test_one_process(tmp_path: Path, streaming: bool, workers: int):
    found = trained(tmp_path, mixture(), streaming=streaming, workers=workers)
    assert len(found) == len(expected(0, 1)) - (streaming and len(expected(0, 1)) % (2 * ACCUMULATED))
    assert found == expected(0, 1)[: len(found)]


@pytest.mark.parametrize("streaming", [False, True])
def test_resuming_reads_nothing_of_what_was_read(tmp_path: Path, streaming: bool):
    whole = trained(tmp_path, mixture(), streaming=streaming, workers=0)
    mixed = mixture()
    for done in (10, 2):
        mixed.sets[0].read.clear()
        rest = trained(tmp_path, mixed, streaming=streaming, workers=0, resume=str(tmp_path / f"checkpoint-{done}"))
        begun = done * ACCUMULATED if done * ACCUMULATED < 13 or streaming else 13 + (done - 7) * ACCUMULATED
        assert rest == whole[begun:]
        read, given = mixed.sets[0].read, [one for batch in rest for one in batch]
        assert read[: len(given)] == given
        assert len(read) - len(given) <= BATCH * streaming  # accelerate looks one batch ahead; an epoch of rows ends there


@pytest.mark.slow
def test_two_processes(tmp_path: Path):
    script = Path(__file__).parents[2] / "drawn" / "dealt_rows.py"
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc_per_node",
        "2",
        str(script),
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    ranks = [json.loads((tmp_path / f"rank-{rank}.json").read_text()) for rank in range(2)]
    for number, way in enumerate(WAYS):
        for rank in range(2):
            whole, rest = ranks[rank][number]
            assert whole == expected(rank, 2), way
            assert 0 < len(rest) < len(whole) // 2, way
            assert rest == whole[-len(rest) :], way
        for epoch in range(2):
            half = slice(epoch * len(expected(0, 2)) // 2, (epoch + 1) * len(expected(0, 2)) // 2)
            taken = Counter(one for rank in range(2) for batch in ranks[rank][number][0][half] for one in batch)
            assert set(taken.values()) == {1}, way
            assert sum(taken.values()) == ROWS // (2 * BATCH) * 2 * BATCH, way


def numbers(rows: list[dict[str, Any]]) -> list[int]:
    return [int(one["prompt"]) for one in rows]


def test_epochs_leave_out_different_rows():
    mixed = mixture()
    sampler = OrderSampler(mixed, step=6)
    left = []
    for epoch in range(6):
        sampler.set_epoch(epoch)
        found = list(sampler)
        assert len(found) == len(sampler) == 36 == len(set(found))
        left.append(set(range(ROWS)) - set(found))
    assert len(set(map(frozenset, left))) == 6


def test_any_rows_together_are_the_rows_alone():
    rows: Any = mapped(mixture())
    assert len(rows) == ROWS
    assert rows[[7, 3, 7]]["prompt"] == ["7", "3", "7"]
    assert rows[5]["prompt"] == "5"
    assert next(iter(rows))["images"] == []
    assert pickle.loads(pickle.dumps(rows))[9]["prompt"] == "9"


@pytest.mark.parametrize("block", [1, 5, 16])
@pytest.mark.parametrize("workers", [0, 1, 3])
def test_workers_and_blocks_leave_the_batches_as_they_are(workers: int, block: int):
    mixed = mixture(block=block)
    for rank in range(2):
        rows: Any = streamed(mixed, batch=BATCH, world=2, workers=workers, start_batches=4).shard(2, rank)
        loader = DataLoader(rows, batch_size=BATCH, num_workers=workers, collate_fn=numbers)
        orders = [mixed.order(epoch).tolist() for epoch in range(2)]
        places = [divmod(step, ROWS // (2 * BATCH)) for step in range(4, 10)]
        begins = [(epoch, (within * 2 + rank) * BATCH) for epoch, within in places]
        assert list(islice(loader, 6)) == [orders[epoch][begin : begin + BATCH] for epoch, begin in begins]


def test_other_workers_than_the_stream_was_made_for():
    rows: Any = streamed(mixture(), batch=BATCH, world=1, workers=4)
    with pytest.raises(UsageError, match="2 workers read a stream made for 4"):
        next(iter(DataLoader(rows, batch_size=BATCH, num_workers=2, collate_fn=numbers)))
    assert next(iter(rows))["images"] == []  # as TRL looks whether there are pictures
    with pytest.raises(UsageError, match="0 workers read a stream made for 4"):
        list(DataLoader(rows, batch_size=BATCH, collate_fn=numbers))


def test_fewer_rows_than_a_step():
    with pytest.raises(UsageError, match="41 rows in an epoch, 42 in a step"):
        OrderSampler(mixture(), step=42)
    with pytest.raises(UsageError, match="41 rows in an epoch, 42 in a step"):
        streamed(mixture(), batch=21, world=2, workers=0)
