"""The path of training data from a release to a conversation, against decoding its pictures alone.

Both sides take the same pictures in the same batches by turns, so that whatever else runs on the machine slows both. Beside
the whole path stands what it comes to without drawing prompts, tracing masks and writing texts, which decoding has no part
like: those are timed alone, on questions and pictures that are held in memory.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
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
from medloom.train.asked import Asked
from medloom.train.conversation import conversation
from medloom.train.data.arguments import DataArguments
from medloom.train.data.mixture import Mixture

BATCH, REPEATS = 8, 9
PICTURES = 160
SHOWN = 6
"""Labels on a picture, of eight: choices need some that are absent."""
SUITES = {
    "medtrinity": "descriptions",
    "medmat": "choices about pictures",
    "gmai": "choices about what is drawn",
    "mimoseg": "places in answers, some drawn",
}
KINDS = {"volumes": "CT-like PNG, grey", "photographs": "JPEG, colour"}


def ratio_to_decoding(folder: Path) -> list[dict[str, Any]]:
    """Samples per second of one core, as conversations, over those of decoding alone; 1 is as fast, 0.8 is wanted."""
    from medloom.train.data.for_trl import mapped

    datasets.disable_progress_bars()
    rows = []
    for kind, picture in KINDS.items():
        release = asked_release(folder, kind)
        coded = _coded(release)
        for suite, what in SUITES.items():
            mixture = mixture_of(release, suite)
            ours, told, bare = _by_turns(mapped(mixture), mixture, coded)
            note = f"{bare / (ours - told):.2f} but for {1e6 * told:.0f} µs of drawing, tracing and writing; "
            note += f"{1e6 * ours:.0f} µs to {1e6 * bare:.0f} µs a sample; 512×512 {picture}"
            rows.append({"what": f"conversations / decoding alone: {what}", "ratio": bare / ours, "note": note})
    return rows


def asked_release(folder: Path, kind: str) -> Path:
    """A release of one source of a kind, with the questions of all suites."""
    release = folder / f"training-{kind}"
    if release.exists():
        return release
    raw = folder / f"training-raw-{kind}"
    if kind == "volumes":
        draw_volumes(raw, count=2, slices=PICTURES // 2, shown=SHOWN)
    else:
        draw_photographs(raw, count=PICTURES, size_hw_px=(512, 512), shown=SHOWN)
    build(str(write_source(folder, kind)), raw, release, options=Options(workers=2))
    for suite in SUITES:
        ask(release, suite)
    return release


def mixture_of(release: Path, suite: str, **style: Any) -> Mixture:
    """All questions of a suite for training."""
    arguments = DataArguments(data=[f"{release}:{suite}"], **style)  # type: ignore[list-item]
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


def _by_turns(rows: Any, mixture: Mixture, coded: dict[str, bytes]) -> tuple[float, float, float]:
    """Seconds of processor time per sample: ours, our drawing and writing alone, and decoding alone; medians of passes."""
    batches, passes = _batches(mixture), []
    part: Any = mixture.sets[0]
    for _ in range(REPEATS):
        spent = [0.0, 0.0, 0.0]
        for places, keys in batches:
            asked = [Asked(one, sample["image"], sample["json"]) for one, sample in part.columns.read(places)]
            spent[0] += _seconds(lambda places=places: rows[places])
            spent[1] += _seconds(lambda asked=asked: [conversation(one, part.style) for one in asked])
            spent[2] += _seconds(lambda keys=keys: [_rgb(coded[key]) for key in keys])
        passes.append(spent)
    count = sum(len(places) for places, _ in batches)
    ours, told, bare = (median(one) / count for one in zip(*passes, strict=True))
    return ours, told, bare


def _seconds(work: Callable[[], Any]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def _rgb(body: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(body))
    picture.load()
    return picture if picture.mode == "RGB" else picture.convert("RGB")
