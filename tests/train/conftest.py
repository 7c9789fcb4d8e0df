"""For tests that load the PyTorch stack: one thread, no telemetry, and that stack's own warnings let pass."""

from __future__ import annotations

import os

import pytest

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

THEIRS = (
    "ignore::DeprecationWarning:(torch|transformers|trl|peft|accelerate|tensorboard|sacrebleu|torchmetrics)(\\..*)?",
    "ignore::FutureWarning:(torch|transformers|trl|peft|accelerate|tensorboard|torchmetrics)(\\..*)?",
    "ignore::UserWarning:(torch|transformers|trl|peft|accelerate)(\\..*)?",
)
"""Raised in a module of theirs; what ours raise stays an error."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Called for the tests of this folder alone."""
    for theirs in THEIRS:
        item.add_marker(pytest.mark.filterwarnings(theirs))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Two cores are shared by two test workers; and sums are the same on every machine."""
    import sys

    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)
