"""`medloom.load` against frozen loops over the same byte ranges, and what it fetches from a Hub on loopback."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any

import datasets
import numpy as np
import orjson
from PIL import Image

import medloom
from benchmarks.synthetic import draw_photographs, write_source
from medloom.builders.build import Options, build
from medloom.schema.load import select_rows
from medloom.schema.release import DEFAULT, Release

REPEATS = 5
CLIENT = """
import json, sys, time
import medloom

began = time.perf_counter()
if sys.argv[1] == "datasets":
    from datasets import load_dataset
    rows = load_dataset("org/name", split="train", streaming=True)
else:
    rows = medloom.load("org/name", split="train", streaming=True, **json.loads(sys.argv[2]))
print(json.dumps({"rows": sum(1 for row in rows), "seconds": time.perf_counter() - began}))
"""


def speed(folder: Path) -> list[dict[str, Any]]:
    """Processor time per row of a folder, over that of a loop that opens, seeks, reads and decodes; lower is better."""
    datasets.disable_progress_bars()
    release = _release(folder, count=1000)
    places = _train(release, {})
    readers: dict[str, tuple[Callable[[], Iterable[Any]], Callable[[], Iterable[Any]]]] = {
        "map-style": (lambda: medloom.load(release, split="train"), lambda: _bare(release, places)),
        "streaming": (lambda: medloom.load(release, split="train", streaming=True), lambda: _bare(release, places)),
    }
    rows = []
    for name, (ours, bare) in readers.items():
        pairs = [(_seconds(ours), _seconds(bare)) for _ in range(REPEATS)]
        ratio = median(one for one, _ in pairs) / median(other for _, other in pairs)
        rows.append({"what": f"medloom.load, {name} / bare loop", "ratio": ratio, "note": f"{len(places)} photographs"})
    shutil.rmtree(release)
    return rows


def from_the_hub(folder: Path) -> list[dict[str, Any]]:
    """Bytes that come over the wire, over those of the chosen samples; and the time of a whole stream, over `datasets`' own."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "servers"))
    from hub import Hub
    from hub_holding import hold

    release = _release(folder, count=3000)
    rows = []
    with Hub(folder / "hub") as hub:
        hold(hub, "org/name", release)
        for share, where in (("all", "true"), ("a tenth", "hash(key) % 10 = 0"), ("a hundredth", "hash(key) % 100 = 0")):
            before = len(hub.requests)
            _client(hub.environment(folder / f"home-{len(rows)}"), "ours", {"where": where})
            asked = hub.requests[before:]
            chosen = _train(release, {"where": where})
            needed = sum(row["image_size"] + row["json_size"] for row in chosen)
            ranged = sum(one.bytes for one in asked if one.range is not None)
            others = sum(one.bytes for one in asked) - ranged
            note = f"{len(chosen)} rows, {ranged >> 10} KiB of shards, {others >> 10} KiB of index and the like"
            rows.append(
                {"what": f"bytes of shards fetched for {share} / of its samples", "ratio": ranged / needed, "note": note}
            )
        environment = hub.environment(folder / "home-speed")
        pairs = [(_client(environment, "ours", {}), _client(environment, "datasets", {})) for _ in range(3)]
        ratio = median(one["seconds"] for one, _ in pairs) / median(other["seconds"] for _, other in pairs)
        rows.append({"what": "whole stream: medloom.load / load_dataset", "ratio": ratio, "note": "seconds, on loopback"})
    shutil.rmtree(release)
    return rows


def _release(folder: Path, *, count: int) -> Path:
    raw, release = folder / f"load-{count}", folder / f"load-release-{count}"
    draw_photographs(raw, count=count)
    build(str(write_source(folder, "photographs")), raw, release, options=Options(workers=2, shard_bytes=16 << 20))
    return release


def _train(release: Path, select: dict[str, str]) -> list[dict[str, Any]]:
    return [row for row in select_rows(Release.open(release), DEFAULT, select).to_pylist() if row["split"] == "train"]


def _bare(release: Path, places: list[dict[str, Any]]) -> Iterable[dict[str, Any]]:
    for place in places:
        with (release / place["shard"]).open("rb") as shard:
            shard.seek(place["image_offset"])
            image = shard.read(place["image_size"])
            shard.seek(place["json_offset"])
            yield {"image": Image.open(io.BytesIO(image)), "json": orjson.loads(shard.read(place["json_size"]))}


def _seconds(read: Callable[[], Iterable[Any]]) -> float:
    rows = read()
    start, count = time.process_time(), 0
    for row in rows:
        np.asarray(row["image"])
        count += 1
    return (time.process_time() - start) / count


def _client(environment: dict[str, str], kind: str, select: dict[str, str]) -> dict[str, Any]:
    command = [sys.executable, "-c", CLIENT, kind, json.dumps(select)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])
