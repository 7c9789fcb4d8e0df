"""Rows over ranks and workers: every sample exactly once in an epoch, however they are dealt."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, IterableDataset
from datasets.distributed import split_dataset_by_node

import medloom
from medloom.builders.build import Options, build
from medloom.generation.asking.ask import ask
from medloom.schema.load import load

PAGE = Path(medloom.__file__).parent / "docs" / "loading.md"


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, raw_root: Callable[[str], Path]) -> Path:
    release = tmp_path_factory.mktemp("ranks") / "demo"
    build("phantom", raw_root("phantom"), release, options=Options(shard_bytes=300_000))
    ask(release, "medmat")
    return release


def names(rows: Any) -> list[str]:
    """What tells rows apart: questions by their ids, samples by their keys."""
    return [row.get("id", row["__key__"]) for row in rows]


def own(rows: Dataset | IterableDataset, rank: int, ranks: int) -> list[str]:
    """What one rank reads, as in a process of its own."""
    return names(split_dataset_by_node(rows, rank=rank, world_size=ranks))


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield pool


@pytest.mark.parametrize("suite", [None, "medmat"])
@pytest.mark.parametrize("streaming", [False, True])
def test_ranks_in_processes_share_every_row_once(
    asked: Path, processes: ProcessPoolExecutor, streaming: bool, suite: str | None
):
    rows: Any = load(asked, split="train", suite=suite, streaming=streaming)
    expected = Counter(names(rows))
    assert set(expected.values()) == {1}
    for ranks in (3, 5):
        dealt = list(processes.map(own, [rows] * ranks, range(ranks), [ranks] * ranks))
        assert Counter(name for some in dealt for name in some) == expected, ranks
        assert all(dealt), ranks


def test_streams_of_ranks_are_as_long_as_each_other(asked: Path):
    rows: Any = load(asked, split="train", streaming=True)
    for ranks in (2, 3, 6):
        assert rows.num_shards % ranks == 0
        lengths = [len(own(rows, rank, ranks)) for rank in range(ranks)]
        assert max(lengths) - min(lengths) <= rows.num_shards // ranks


def test_shuffled_epochs_differ_and_hold_the_same(asked: Path):
    rows: Any = load(asked, split="train", streaming=True)
    shuffled = rows.shuffle(seed=3, buffer_size=32)
    dealt = [split_dataset_by_node(shuffled, rank=rank, world_size=3) for rank in range(3)]
    epochs = []
    for epoch in range(2):
        for own_rows in dealt:
            own_rows.set_epoch(epoch)
        epochs.append([name for own_rows in dealt for name in names(own_rows)])
    assert epochs[0] != epochs[1]
    assert Counter(epochs[0]) == Counter(epochs[1]) == Counter(names(rows))


def test_a_stream_goes_on_where_it_stopped(asked: Path):
    rows: Any = load(asked, split="train", streaming=True)
    whole, begun = names(rows), []
    for row in rows:
        begun.append(row["__key__"])
        if len(begun) == 50:
            break
    state = json.loads(json.dumps(rows.state_dict()))
    again: Any = load(asked, split="train", streaming=True)
    again.load_state_dict(state)
    assert begun + names(again) == whole


def examples() -> list[str]:
    """The page's blocks for PyTorch: a stream, then rows by number."""
    return re.findall(r"^```python torch\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def test_the_page_has_an_example_for_either_form():
    assert len(examples()) == 2


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is absent: install the extra `train`")
@pytest.mark.parametrize("ranks", [1, 2, 3])
@pytest.mark.parametrize("number", [0, 1], ids=["stream", "map-style"])
def test_the_examples_with_workers_and_ranks_give_every_sample_once(asked: Path, number: int, ranks: int):
    code = examples()[number] + "\nimport json\nprint(json.dumps(seen))"
    seen = []
    for rank in range(ranks):
        environment = os.environ | {"RANK": str(rank), "WORLD_SIZE": str(ranks)}
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=asked.parent, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        seen += json.loads(done.stdout.splitlines()[-1])
    assert Counter(seen) == Counter(names(load(asked, split="train")))
