"""A new release whose shards hold a suite's questions: images and records are copied byte for byte, a third member is added.

Everything is staged in `OUT.work/embed/` and moved in whole; what was killed goes on where it stopped.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import file_digest
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from ...builders.engine import Crashed, Engine
from ...builders.shards import ShardWriter
from ...schema import index
from ...schema.disk import read_json, write_json
from ...schema.embedded import EMBEDDED
from ...schema.errors import ReleaseError, UsageError
from ...schema.question_set import MADE_FROM, QuestionSet
from ...schema.release import Release, content_sha256, work_folder
from ...schema.shard import pairs
from ...schema.withdrawn import withdrawn_of, write_withdrawn
from .ask import Progress

_PLACE = ("image_offset", "image_size", "json_offset", "json_size")


@dataclass(frozen=True, slots=True)
class Embedding:
    """One shard to copy with its questions."""

    asked: QuestionSet
    shard: dict[str, Any]
    work: Path

    @property
    def out(self) -> Path:
        """The new shard."""
        return self.work / "release" / self.shard["path"]

    @property
    def places(self) -> Path:
        """Where its members lie, for the index; there once the shard is whole."""
        return (self.work / "places" / self.shard["path"]).with_suffix(".parquet")


def embed(
    release: Path | str, suite: str, out: Path | str, *, workers: int = 1, progress: Progress | None = None
) -> dict[str, Any]:
    """Write a release at `out` whose shards hold the questions of a suite; what it holds now.

    Raises:
        UsageError: the release has no such questions, or `out` is taken or lies inside the release.
        ReleaseError: the questions were asked of other contents.
    """
    original, target = Release.open(release), Path(out).resolve()
    asked = QuestionSet.open(original.root, suite)
    made_from = {name: asked.info[name] for name in MADE_FROM}
    _refuse(original, target, made_from)
    work = work_folder(target) / "embed"
    if read_json(work / "plan.json") != made_from:
        shutil.rmtree(work, ignore_errors=True)
    write_json(work / "plan.json", made_from)
    tasks = [Embedding(asked, shard, work) for recipe in original.recipes() for shard in recipe["shards"]]
    shards = {one["path"]: one for one in _mapped(tasks, workers=workers, progress=progress or (lambda *_: None))}
    staged = Release(work / "release")
    for recipe in original.recipes():
        _finish(original, staged, recipe, made_from=made_from, shards=shards, work=work)
    write_withdrawn(staged.root, withdrawn_of(original.root))
    staged.write_readme(work / "README.tmp")
    staged.root.rename(target)
    shutil.rmtree(work)
    return _told(Release(target), original)


def embed_shard(task: Embedding) -> dict[str, Any]:
    """Write one shard; its path, size, digest and number of questions. Done already: just that."""
    known = read_json(task.places.with_suffix(".json"))
    if known is not None and task.out.exists():
        return known
    for path in (task.out, task.places):
        path.parent.mkdir(parents=True, exist_ok=True)
    places, count = [], 0
    asked = _questions(task)
    with ShardWriter(task.out, task.out.with_name(f".{task.out.name}.tmp")) as writer:
        coming, rows = next(asked, (None, []))
        for key, image, record, _ in pairs(task.asked.release / task.shard["path"]):
            own, (coming, rows) = (rows, next(asked, (None, []))) if coming == key else ([], (coming, rows))
            count += len(own)
            places.append({"key": key, **asdict(writer.add(key, image, record, questions=orjson.dumps(own)))})
        if coming is not None:
            raise ReleaseError(f"{task.asked.path(task.shard['path'])}: questions about {coming}; expected keys of its shard")
        facts = writer.finish()
    pq.write_table(pa.Table.from_pylist(places), task.places)
    told = {"path": task.shard["path"], **facts, "questions": count}
    write_json(task.places.with_suffix(".json"), told)
    return told


def _questions(task: Embedding) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    path = task.asked.path(task.shard["path"])
    if not path.exists():
        return
    with pq.ParquetFile(path) as file:
        rows = (row for batch in file.iter_batches(1024) for row in batch.to_pylist())
        for key, some in groupby(rows, key=itemgetter("key")):
            yield key, list(some)


def _mapped(tasks: list[Embedding], *, workers: int, progress: Progress) -> Iterator[dict[str, Any]]:
    samples = {task.shard["path"]: task.shard["samples"] for task in tasks}
    done = 0
    with Engine(min(workers, max(1, len(tasks)))) as engine:
        for number, told in enumerate(engine.run(embed_shard, tasks), start=1):
            if isinstance(told, Crashed):
                raise ReleaseError(f"{told.task.shard['path']}: two workers died over it; expected a whole shard")
            done += samples[told["path"]]
            progress("embed", number, len(tasks), done)
            yield told


def _finish(
    original: Release, staged: Release, recipe: dict[str, Any], *, made_from: dict[str, Any], shards: dict[str, Any], work: Path
) -> None:
    """Index and recipe of one source, with the new places and digests."""
    source = recipe["facts"]["name"]
    written = [shard | {name: shards[shard["path"]][name] for name in ("bytes", "sha256")} for shard in recipe["shards"]]
    count = sum(shards[shard["path"]]["questions"] for shard in recipe["shards"])
    staged.index_path(source).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(original.index_path(source, "annotations"), staged.index_path(source, "annotations"))
    with pq.ParquetWriter(staged.index_path(source), index.SAMPLES, compression="zstd") as writer:
        for table in _sample_rows(original.index_path(source), recipe, work):
            writer.write_table(table)
    tables = {name: _digest(staged.index_path(source, name)) for name in recipe["index"]}
    told = {"shards": written, "index": tables, "content_sha256": content_sha256(written, tables)}
    write_json(staged.recipe_path(source), recipe | told | {EMBEDDED: {**made_from, "questions": count}})


def _sample_rows(path: Path, recipe: dict[str, Any], work: Path) -> Iterator[pa.Table]:
    """Index rows with the places that members have now, shard by shard; those of excluded samples last."""
    for shard in recipe["shards"]:
        table = pq.read_table(path, filters=[("shard", "=", shard["path"])])
        places = pq.read_table((work / "places" / shard["path"]).with_suffix(".parquet"))
        if not table["key"].equals(places["key"]):
            raise ReleaseError(f"{shard['path']}: other keys than its index; expected the same; `medloom check` names them")
        for name in _PLACE:
            table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), places[name])
        yield table
    excluded = pq.read_table(path, filters=[("split", "=", "excluded")])
    if len(excluded):
        yield excluded


def _refuse(original: Release, target: Path, made_from: dict[str, Any]) -> None:
    if target == original.root or original.root in target.parents:
        raise UsageError(f"{target} is the release that is asked, or lies inside it; expected a folder of its own")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} is taken; expected an empty or new folder; name another")
    held = {recipe["facts"]["name"]: recipe["content_sha256"] for recipe in original.recipes()}
    if held != made_from["sources"]:
        raise ReleaseError(f"{original.root}: its questions were asked of other contents; expected those it has; ask again")


def _told(made: Release, original: Release) -> dict[str, Any]:
    recipes = made.recipes()
    shards = [shard for recipe in recipes for shard in recipe["shards"]]
    return {
        "release": str(made.root),
        "of": str(original.root),
        "samples": sum(shard["samples"] for shard in shards),
        "questions": sum(recipe[EMBEDDED]["questions"] for recipe in recipes),
        "shards": len(shards),
        "bytes": sum(shard["bytes"] for shard in shards),
    }


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()
