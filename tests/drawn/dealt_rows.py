"""Rows that say their number, and a real `Trainer` that notes which of them it was given; also run by torchrun.

    torchrun --nproc_per_node 2 tests/drawn/dealt_rows.py FOLDER

writes `rank-0.json`, `rank-1.json`: a list for each way of `WAYS`, in which a batch is a list of epoch and number.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROWS, BATCH, ACCUMULATED, SEED = 41, 3, 2, 11
WAYS = [(streaming, workers) for streaming in (False, True) for workers in (0, 2)]


@dataclass
class Numbered:
    """A set of rows that say their number, and notes which are read where it is."""

    rows: int
    read: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return self.rows

    def conversations(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        self.read.extend(numbers)
        return [{"prompt": str(one), "completion": "", "images": []} for one in numbers]

    def fingerprint(self) -> dict[str, Any]:
        return {"rows": self.rows}


def mixture(rows: int = ROWS, *, block: int = 1) -> Any:
    from medloom.train.data.mixture import Mixture
    from medloom.train.data.order import Portion

    return Mixture((Numbered(rows),), (Portion(rows, rows),), SEED, block)


def collated(rows: list[dict[str, Any]]) -> dict[str, Any]:
    import torch

    return {"numbers": torch.tensor([int(one["prompt"]) for one in rows])}


def trained(folder: Path, mixed: Any, *, streaming: bool, workers: int, resume: str | None = None) -> list[list[int]]:
    """Batches that this process's trainer was given in two epochs, or from a checkpoint on."""
    import torch
    from transformers import Trainer, TrainingArguments

    from medloom.train.data.for_trl import OrderEpoch, OrderSampler, mapped, streamed

    world = int(os.environ.get("WORLD_SIZE", "1"))
    steps = len(mixed) // (BATCH * world) // ACCUMULATED * ACCUMULATED
    args = TrainingArguments(
        output_dir=str(folder),
        per_device_train_batch_size=BATCH,
        gradient_accumulation_steps=ACCUMULATED,
        num_train_epochs=2,
        max_steps=2 * steps // ACCUMULATED if streaming else -1,
        save_strategy="steps",
        save_steps=1,
        dataloader_num_workers=workers,
        dataloader_pin_memory=False,
        accelerator_config={"dispatch_batches": False} if streaming else None,
        ignore_data_skip=streaming,
        remove_unused_columns=False,
        use_cpu=True,
        report_to="none",
        disable_tqdm=True,
        logging_strategy="no",
    )
    begun = int(resume.rsplit("-", 1)[1]) if resume else 0
    if streaming:
        start = begun * ACCUMULATED
        rows: Any = streamed(mixed, batch=BATCH, world=world, workers=workers, start_batches=start)
        order = None
    else:
        rows, order = mapped(mixed), OrderSampler(mixed, step=BATCH * world)
    given: list[list[int]] = []

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.zeros(1))

        def forward(self, numbers: Any) -> dict[str, Any]:
            given.append(numbers.tolist())
            return {"loss": (self.weight * numbers.float()).mean()}

    class Own(Trainer):
        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            return order

    callbacks: Any = [OrderEpoch(order)] if order else []
    trainer = Own(model=Model(), args=args, train_dataset=rows, data_collator=collated, callbacks=callbacks)
    trainer.train(resume_from_checkpoint=resume)
    return given


def main(folder: Path) -> None:
    """All ways, each from its beginning and from a checkpoint within the second epoch."""
    found = []
    for number, (streaming, workers) in enumerate(WAYS):
        how: dict[str, Any] = {"streaming": streaming, "workers": workers}
        whole = trained(folder / str(number), mixture(), **how)
        last = sorted((folder / str(number)).glob("checkpoint-*"), key=lambda one: int(one.name.split("-")[1]))[-2]
        found.append([whole, trained(folder / str(number), mixture(), **how, resume=str(last))])
    (folder / f"rank-{os.environ['RANK']}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
