"""What reading rows costs of a training step, against the same rows held in memory.

One process holds a trainer for each side. They take turns of a few steps over the same batches, the first one changing from
turn to turn, so that whatever else runs on the machine slows both. A turn's first steps aren't counted: workers made their
batches while the other side had its turn. Each turn gives a ratio; what counts is their median, and the quarters beside it
say how far it can be trusted.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Any

import datasets

from benchmarks.training_data import BATCH, asked_release, mixture_of
from medloom.train.data.for_trl import COLUMNS, mapped

TURNS, SETTLING, COUNTED = 5, 2, 4
"""Turns, one before them that isn't counted, and steps of a turn."""
ROWS = 160
"""Different rows of a run, held in memory by one side."""
CASES = (("photographs", "medtrinity"), ("volumes", "mimoseg"))


def share_of_a_step(folder: Path) -> list[dict[str, Any]]:
    """How much longer a training step of a tiny LLaVA takes when rows are read, over the same rows held in memory."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "drawn"))
    from tiny_models import tiny

    datasets.disable_progress_bars()
    rows = []
    for kind, suite in CASES:
        mixture = mixture_of(asked_release(folder, kind), suite)
        places = mixture.order(0)[:ROWS].tolist()
        held = mixture.conversations(places)
        model = tiny("llava", folder / f"tiny-{kind}", [str(one["completion"]) for one in held])
        sides: tuple[Any, Any] = mapped(mixture).select(places), _held(held)
        for workers in (0, 1):
            shares, milliseconds = _shares(sides, model, folder, workers)
            low, middle, high = quantiles(shares)
            note = (
                f"half of the turns from {low:.3f} to {high:.3f}; {milliseconds:.0f} ms a step of {BATCH}; workers: {workers}"
            )
            rows.append({"what": f"share of loading in a tiny LLaVA's step: {suite}", "ratio": middle, "note": note})
    return rows


def _shares(sides: tuple[Any, Any], model: Path, folder: Path, workers: int) -> tuple[list[float], float]:
    """Of each turn, the share that a step with rows that are read takes more; and the median ms of a step that reads."""
    ours, held = (_steps(_trainer(model, rows, folder, workers)) for rows in sides)
    shares, spent = [], []
    for turn in range(TURNS + 1):
        one = {number: _turn((ours, held)[number]) for number in ((0, 1) if turn % 2 else (1, 0))}
        shares.append(1 - one[1] / one[0])
        spent.append(one[0] / COUNTED)
    return shares[1:], 1000 * median(spent[1:])


def _turn(steps: Iterator[float]) -> float:
    """Seconds of the steps of a turn that are counted."""
    for _ in range(SETTLING):
        next(steps)
    return sum(next(steps) for _ in range(COUNTED))


def _steps(trainer: Any) -> Iterator[float]:
    """Seconds of each training step as it is asked for: waiting for its batch, forwards, backwards, and the optimizer's."""
    optimizer, batches = trainer.create_optimizer(), _endless(trainer.get_train_dataloader())
    while True:
        began = time.perf_counter()
        trainer.training_step(trainer.model, next(batches))
        optimizer.step()
        optimizer.zero_grad()
        yield time.perf_counter() - began


def _endless(batches: Any) -> Iterator[Any]:
    while True:
        yield from batches


def _held(conversations: list[dict[str, Any]]) -> Any:
    """The conversations as a dataset of numbers, each in memory."""

    def given(batch: dict[str, list[int]]) -> dict[str, list[Any]]:
        some = [conversations[number] for number in batch["number"]]
        return {name: [one[name] for one in some] for name in COLUMNS}

    return datasets.Dataset.from_dict({"number": range(len(conversations))}).with_transform(given)


def _trainer(model: Path, rows: Any, folder: Path, workers: int) -> Any:
    """TRL's trainer of a tiny model, on one thread, that takes rows in their order."""
    import torch
    from torch.utils.data import SequentialSampler
    from transformers import AutoModelForImageTextToText, AutoProcessor
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        args = SFTConfig(
            output_dir=str(folder / "run"),
            max_steps=(TURNS + 1) * (SETTLING + COUNTED),
            per_device_train_batch_size=BATCH,
            max_length=None,
            remove_unused_columns=False,
            dataloader_num_workers=workers,
            dataloader_pin_memory=False,
            use_cpu=True,
            bf16=False,
            report_to="none",
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
        )
        parts = {
            "model": AutoModelForImageTextToText.from_pretrained(model),
            "processing_class": AutoProcessor.from_pretrained(model),
        }
        trainer: Any = SFTTrainer(args=args, train_dataset=rows, **parts)
    trainer._get_train_sampler = lambda dataset=None: SequentialSampler(rows)
    trainer.current_gradient_accumulation_steps = 1
    return trainer
