"""The path of training data from a release to a conversation, against decoding alone; and what it costs of a training step.

Both sides take the same pictures in the same batches by turns, so that whatever else runs on the machine slows both.
"""

from __future__ import annotations

import io
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import datasets
from PIL import Image

from benchmarks.synthetic import draw_photographs, draw_volumes, write_source
from medloom.builders.build import Options, build
from medloom.generation.asking.ask import ask
from medloom.schema.load import select_rows
from medloom.schema.release import DEFAULT, Release
from medloom.schema.row import coded_rows
from medloom.train.data.arguments import DataArguments
from medloom.train.data.mixture import Mixture

BATCH, REPEATS, STEP_REPEATS = 8, 7, 3
PICTURES = 160
STEPS = 12
"""Of a training run; the first two aren't counted."""
SUITES = {"medtrinity": "descriptions", "mimoseg": "places, with prompts drawn and outlines traced"}
KINDS = {"volumes": "CT-like PNG, grey", "photographs": "JPEG, colour"}


def ratio_to_decoding(folder: Path) -> list[dict[str, Any]]:
    """Samples per second of one core, as conversations, over those of decoding alone; 1 is as fast, 0.8 is wanted."""
    from medloom.train.data.for_trl import mapped

    datasets.disable_progress_bars()
    rows = []
    for kind, picture in KINDS.items():
        release = _release(folder, kind)
        coded = _coded(release)
        for suite, what in SUITES.items():
            mixture = _mixture(release, suite)
            ours, bare = _by_turns(mapped(mixture), _batches(mixture), coded)
            note = f"{1 / ours:,.0f}/s to {1 / bare:,.0f}/s per core; 512×512 {picture}"
            rows.append({"what": f"conversations / decoding alone: {what}", "ratio": bare / ours, "note": note})
    return rows


def share_of_a_step(folder: Path) -> list[dict[str, Any]]:
    """How much longer a training step of a tiny LLaVA takes when rows are read, over the same rows held in memory."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "drawn"))
    from tiny_models import tiny

    from medloom.train.data.for_trl import mapped

    datasets.disable_progress_bars()
    mixture = _mixture(_release(folder, "photographs"), "medtrinity")
    read: Any = mapped(mixture)
    places = mixture.order(0)[: BATCH * STEPS].tolist()
    held = mixture.conversations(places)
    model = tiny("llava", folder / "tiny", [str(one["completion"]) for one in held])
    rows = []
    for workers in (0, 1):
        kept = _held(held)
        pairs = [
            (_step(model, read.select(places), folder, workers), _step(model, kept, folder, workers))
            for _ in range(STEP_REPEATS)
        ]
        ours, without = (median(one) for one in zip(*pairs, strict=True))
        note = f"{ours * 1000:.0f} ms a step of {BATCH}, {without * 1000:.0f} ms held in memory; {workers} workers"
        rows.append({"what": "share of loading in a step of a tiny LLaVA", "ratio": 1 - without / ours, "note": note})
    return rows


def _release(folder: Path, kind: str) -> Path:
    release = folder / f"training-{kind}"
    if release.exists():
        return release
    raw = folder / f"training-raw-{kind}"
    if kind == "volumes":
        draw_volumes(raw, count=2, slices=PICTURES // 2)
    else:
        draw_photographs(raw, count=PICTURES, size_hw_px=(512, 512))
    build(str(write_source(folder, kind)), raw, release, options=Options(workers=2))
    for suite in SUITES:
        ask(release, suite)
    return release


def _mixture(release: Path, suite: str) -> Mixture:
    arguments = DataArguments(data=[f"{release}:{suite}"])  # type: ignore[list-item]
    return Mixture.open(arguments, style=arguments.style("thousandths"), seed=0)


def _coded(release: Path) -> dict[str, bytes]:
    """Key → bytes of its picture, in memory."""
    opened = Release.open(release)
    places = select_rows(opened, DEFAULT, {}).to_pylist()
    return {row["__key__"]: row["image"]["bytes"] for row in coded_rows(opened.bytes, places)}


def _batches(mixture: Mixture) -> list[tuple[list[int], list[str]]]:
    """Places of batches and the keys of their samples."""
    plain: Any = mixture.sets[0]
    keys = plain.rows.with_format(None)["key"][:]
    order = mixture.order(0)[: BATCH * 25].tolist()
    cut = [order[begin : begin + BATCH] for begin in range(0, len(order), BATCH)]
    return [(places, [keys[place] for place in places]) for places in cut]


def _by_turns(rows: Any, batches: Sequence[tuple[list[int], list[str]]], coded: dict[str, bytes]) -> tuple[float, float]:
    """Seconds of processor time per sample, ours and decoding alone: medians of whole passes."""
    passes = []
    for _ in range(REPEATS):
        ours = bare = 0.0
        for places, keys in batches:
            ours += _seconds(lambda places=places: rows[places])
            bare += _seconds(lambda keys=keys: [_rgb(coded[key]) for key in keys])
        passes.append((ours, bare))
    count = sum(len(places) for places, _ in batches)
    return median(one for one, _ in passes) / count, median(other for _, other in passes) / count


def _seconds(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _rgb(body: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(body))
    picture.load()
    return picture if picture.mode == "RGB" else picture.convert("RGB")


def _held(conversations: list[dict[str, Any]]) -> Any:
    """The conversations as a dataset of numbers, each in memory."""

    def given(batch: dict[str, list[int]]) -> dict[str, list[Any]]:
        some = [conversations[number] for number in batch["number"]]
        return {name: [one[name] for one in some] for name in some[0]}

    return datasets.Dataset.from_dict({"number": range(len(conversations))}).with_transform(given)


def _step(model: Path, rows: Any, folder: Path, workers: int) -> float:
    """Seconds of a training step on one thread: the median but for the first two."""
    import torch
    from transformers import AutoModelForImageTextToText, AutoProcessor, PrinterCallback, TrainerCallback
    from trl import SFTConfig, SFTTrainer

    ends: list[float] = []

    class Ends(TrainerCallback):
        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            ends.append(time.perf_counter())

    torch.set_num_threads(1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        args = SFTConfig(
            output_dir=str(folder / "run"),
            max_steps=STEPS,
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
        trainer = SFTTrainer(args=args, train_dataset=rows, callbacks=[Ends()], **parts)
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return median(late - early for early, late in pairwise(ends[1:]))
