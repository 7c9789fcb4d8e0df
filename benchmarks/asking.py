"""Questions per second of every built-in suite beyond reading the records, and memory against the number of samples.

Every measurement is a process of its own. The bare loop reads and parses the same records by the same byte ranges.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import orjson
import pyarrow.parquet as pq

from medloom.builders.build import Options, build
from medloom.builders.catalog import load
from medloom.builders.shards import ShardWriter
from medloom.generation.suite import built_in
from medloom.schema import index
from medloom.schema.release import Release, content_sha256

WANTED_PER_S = 20_000
REPEATS = 3
SPEED_TIMES, TIMES = (1, 4), (1, 16)
"""How often the shards stand side by side."""
WITHIN = 8
"""How often every sample of the phantoms stands in a shard: as many samples as shards of real sources have."""
CHILD = """
import gc, json, re, sys, time
from pathlib import Path
from medloom.generation.asking import shard as ask_shard
from medloom.generation.asking.ask import ask
from medloom.generation.case import Case
from medloom.generation.pools import pools_of
from medloom.generation.rules import ready
from medloom.generation.suite import read
from medloom.schema.release import Release

release, suite, how = Release.open(sys.argv[1]), read(sys.argv[2]), sys.argv[3]
rules = ready(suite, pools_of(release)) if how == "rules" else {}
if how != "whole":
    gc.disable()  # as asking does
found = {"questions": 0}
began = time.process_time()
if how == "whole":
    found = ask(release.root, suite.name, fresh=True)
else:
    for recipe in release.recipes():
        for shard in recipe["shards"]:
            for record in ask_shard.records(release, source=recipe["facts"]["name"], shard=shard["path"]):
                case = Case(record)
                for name, rule in rules.items():
                    found["questions"] += sum(1 for _ in rule(case, suite.chance(name, case.key, seed=0)))
seconds = time.process_time() - began
peak = int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) << 10
print(json.dumps({"seconds": seconds, "peak": peak, "questions": found["questions"]}))
"""


def speed(folder: Path) -> list[dict[str, Any]]:
    """What each further question costs beyond reading its record, over what it may cost; below 1 is faster than wanted.

    Once for the rules alone, and once for all that `medloom ask` does: rules, every validator, Parquet. Taken between a small
    and a large release, so that what is loaded once doesn't count.
    """
    releases = [many(folder, times=times) for times in SPEED_TIMES]
    rows = []
    for suite in built_in():
        for how, what in (("rules", "made"), ("whole", "made, validated, written")):
            seconds = median(_cost(releases, suite, how) for _ in range(REPEATS))
            note = f"{1 / seconds:,.0f}/s per core; expected under 1"
            rows.append(
                {"what": f"{suite}: a question {what} / 1:{WANTED_PER_S} s", "ratio": seconds * WANTED_PER_S, "note": note}
            )
    for release in releases:
        shutil.rmtree(release)
    return rows


def _cost(releases: list[Path], suite: str, how: str) -> float:
    """Seconds of one core per further question."""
    bare = [_measured(release, suite, "bare")["seconds"] for release in releases]
    ours = [_measured(release, suite, how) for release in releases]
    spent = [one["seconds"] - read for one, read in zip(ours, bare, strict=True)]
    return (spent[1] - spent[0]) / (ours[1]["questions"] - ours[0]["questions"])


def flatness(folder: Path) -> list[dict[str, Any]]:
    """Peak memory of asking 16 times the samples over that of asking once."""
    releases = {times: many(folder, times=times) for times in TIMES}
    rows = []
    for suite in built_in():
        peaks = {times: _measured(release, suite, "whole")["peak"] for times, release in releases.items()}
        note = f"{peaks[1] >> 20} MiB at 1×; expected under 1.2"
        what = f"{suite}: peak memory at {TIMES[-1]}× the samples"
        rows.append({"what": what, "ratio": peaks[TIMES[-1]] / peaks[1], "note": note})
    for release in releases.values():
        shutil.rmtree(release)
    return rows


def many(folder: Path, *, times: int) -> Path:
    """A release in which every sample of the phantoms stands `WITHIN` times in each of `times` shards, without its picture."""
    raw, release = folder / "phantoms", folder / f"asked-{times}"
    if not raw.exists():
        raw.mkdir()
        load("phantom").draw(raw)  # type: ignore[misc]
    build("phantom", raw, release, options=Options(workers=2))
    _multiply(Release(release), "phantom", times=times)
    Release(release).write_readme(folder / "README.tmp")
    return release


def _multiply(release: Release, source: str, *, times: int) -> None:
    """Every shard `times` times, so that what a worker holds at once stays the same."""
    recipe: dict[str, Any] = release.recipe(source) or {}
    rows: list[dict[str, Any]] = []
    annotations: list[tuple[Any, ...]] = []
    shards = []
    for shard in recipe["shards"]:
        records = list(_records(release, source, shard["path"]))
        for number in range(times):
            path = shard["path"].replace("00000-of-00001", f"{number:05d}-of-{times:05d}")
            copies = range(number * WITHIN, (number + 1) * WITHIN)
            renamed = [one | {"key": f"{source}-{copy:04x}{one['key'][-12:]}"} for copy in copies for one in records]
            shards.append(
                shard | {"path": path, "samples": len(renamed)} | _write(release.root / path, renamed, rows, shard=path)
            )
            annotations += [row for record in renamed for row in index.annotation_rows(record, record["split"])]
        if times > 1:
            (release.root / shard["path"]).unlink()
    tables = {"samples": index.sample_table(rows), "annotations": index.annotation_table(annotations)}
    for name, table in tables.items():
        pq.write_table(table, release.index_path(source, name), row_group_size=1 << 14)
    recipe |= {"shards": shards, "content_sha256": content_sha256(shards, recipe["index"])}
    release.recipe_path(source).write_text(json.dumps(recipe))


def _records(release: Release, source: str, shard: str) -> Iterator[dict[str, Any]]:
    rows = pq.read_table(release.index_path(source), filters=[("shard", "=", shard)]).to_pylist()
    data = (release.root / shard).read_bytes()
    return (orjson.loads(data[row["json_offset"] : row["json_offset"] + row["json_size"]]) for row in rows)


def _write(path: Path, records: list[dict[str, Any]], rows: list[dict[str, Any]], *, shard: str) -> dict[str, Any]:
    with ShardWriter(path, path.with_suffix(".tmp")) as writer:
        for record in records:
            place = asdict(writer.add(record["key"], b"x", orjson.dumps(record)))
            rows.append(index.sample_row(record, {**place, "shard": shard, "exclusion": None}))
        return writer.finish()


def _measured(release: Path, suite: str, how: str) -> dict[str, Any]:
    command = [sys.executable, "-c", CHILD, str(release), suite, how]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
