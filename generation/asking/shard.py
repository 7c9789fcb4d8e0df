"""The questions of one shard: its records are read by their byte ranges, never a pixel, and asked rule by rule."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

from ...schema import question as columns
from ...schema.disk import write_json
from ...schema.errors import ReleaseError
from ...schema.question import Question
from ...schema.question_set import file_of
from ...schema.release import Release
from ..case import Case, Record
from ..pools import Pools
from ..review.reviewed import Rejected
from ..rules import ready
from ..suite import Suite
from ..validators import Fault, validate
from .withhold import withheld

ROWS_AT_ONCE = 4096
"""Rows of one row group."""
TABLE = ("kind", "rule", "source", "subset", "department", "clinical_task", "granularity", "split")
"""What questions are counted by."""
MOST_EXAMPLES = 20
REJECTED = Fault("rejected", "a question that people rejected", "one that they accept, or that is made anew")


@dataclass(frozen=True, slots=True)
class Task:
    """One shard to ask about, and where its questions go until all are there."""

    release: Path
    shard: str
    source: str
    suite: Suite
    pools: Pools
    seed: int
    limit: int | None
    """Only so many samples of the shard, the first by key."""
    withheld: bool
    staging: Path
    rejected: Rejected = field(default_factory=Rejected)
    """What people have rejected, which isn't asked again."""

    @property
    def file(self) -> str:
        """The question file, relative to its suite's folder."""
        return file_of(self.shard)

    @property
    def facts(self) -> Path:
        """What was made, once it is whole."""
        return (self.staging / "facts" / self.file).with_suffix(".json")


@dataclass(slots=True)
class Found:
    """What came of one shard."""

    samples: int = 0
    table: Counter[tuple[str, ...]] = field(default_factory=Counter)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Rule and code of a validator's fault → questions."""
    examples: list[dict[str, str]] = field(default_factory=list)
    """The first questions that were left out for each code."""

    def stands(self, question: Question, faults: list[Fault]) -> bool:
        """Count a question, or what it was left out for."""
        if not faults:
            self.table[_place(question)] += 1
            return True
        for fault in faults:
            self.left_out[question.rule, fault.code] += 1
            if sum(one["code"] == fault.code for one in self.examples) < MOST_EXAMPLES:
                self.examples.append(_example(question, fault))
        return False

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "samples": self.samples,
            "table": [[*place, count] for place, count in sorted(self.table.items())],
            "left_out": [[*place, count] for place, count in sorted(self.left_out.items())],
            "examples": self.examples,
        }


def ask_shard(task: Task) -> dict[str, Any]:
    """Write the questions of one shard; what came of it. Done already: just that."""
    parts = {"staged": task.staging / "staged" / task.file}
    if task.withheld:
        parts["answers"] = task.staging / "answers" / task.file
    if task.facts.exists():
        told = orjson.loads(task.facts.read_bytes())
        if not told["questions"] or all(path.exists() for path in parts.values()):
            return told
    found = Found()
    with _uncollected():
        files = _written(parts, _questions(task, found))
    told = {"path": task.file, "shard": task.shard, **files["staged"], **found.as_json()}
    told["answers"] = files.get("answers")
    write_json(task.facts, told)
    return told


def count_shard(task: Task) -> dict[str, Any]:
    """What would come of one shard; nothing is written."""
    found = Found()
    with _uncollected():
        for _ in _questions(task, found):
            pass
    return {"path": task.file, "shard": task.shard, **found.as_json()}


def records(release: Release, *, source: str, shard: str, limit: int | None = None) -> Iterator[Record]:
    """Records of a shard in key order, read by the byte ranges of the index.

    Raises:
        ReleaseError: the index and the shard disagree.
    """
    rows = pq.read_table(
        release.index_path(source), columns=["key", "json_offset", "json_size"], filters=[("shard", "=", shard)]
    )
    descriptor = os.open(release.root / shard, os.O_RDONLY)
    try:
        for batch in rows.slice(0, limit).to_batches(ROWS_AT_ONCE):
            for key, offset, size in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                yield _record(os.pread(descriptor, size, offset), f"{shard} {key}", key=key)
    finally:
        os.close(descriptor)


def _record(body: bytes, where: str, *, key: str) -> Record:
    try:
        record = orjson.loads(body)
        if record["key"] == key:
            return record
        found = f"record of {record['key']}"
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        found = f"no record ({error})"
    raise ReleaseError(f"{where}: {found}; expected its record where the index says; `medloom check` names what is broken")


def _questions(task: Task, found: Found) -> Iterator[list[Question]]:
    """The questions of each sample, in the order of the suite's rules."""
    rules = ready(task.suite, task.pools)
    every = records(Release(task.release), source=task.source, shard=task.shard, limit=task.limit)
    for record in every:
        found.samples += 1
        case = Case(record)
        asked: list[Question] = []
        for name, rule in rules.items():
            for one in rule(case, task.suite.chance(name, case.key, seed=task.seed)):
                if found.stands(one, [REJECTED] if task.rejected.holds(one) else validate(one, case, task.pools)):
                    asked.append(one)
        if asked:
            yield asked


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the collector of cycles: nothing here makes any, and looking for them costs a twelfth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _example(question: Question, fault: Fault) -> dict[str, str]:
    who = {name: getattr(question, name) for name in ("id", "key", "rule", "question")}
    return {"code": fault.code, **who, "found": fault.found, "expected": fault.expected}


def _place(question: Question) -> tuple[str, ...]:
    return (
        str(question.kind),
        question.rule,
        question.source,
        question.subset,
        question.department,
        question.clinical_task,
        question.granularity,
        question.split,
    )


def _written(parts: dict[str, Path], asked: Iterator[list[Question]]) -> dict[str, dict[str, Any]]:
    """Write every question once, or with and without its answer; rows, bytes and SHA-256 of each file."""
    writers = {name: _Writer(path) for name, path in parts.items()}
    try:
        for questions in asked:
            if "answers" not in writers:
                writers["staged"].add(questions)
                continue
            mixed = sorted(questions, key=lambda one: one.id)  # the order of a record's labels would tell
            writers["staged"].add([withheld(one) for one in mixed])
            writers["answers"].add(mixed)
        return {name: writer.finish() for name, writer in writers.items()}
    finally:
        for writer in writers.values():
            writer.close()


class _Writer:
    """One Parquet file, written under a temporary name a row group at a time."""

    def __init__(self, path: Path):
        self.path, self.temporary = path, path.with_name(f".{path.name}.tmp")
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = pq.ParquetWriter(self.temporary, columns.schema(), compression="zstd")
        self.waiting: list[Question] = []
        self.count = 0

    def add(self, questions: list[Question]) -> None:
        """Append some rows."""
        self.waiting.extend(questions)
        if len(self.waiting) >= ROWS_AT_ONCE:
            self._flush()

    def finish(self) -> dict[str, Any]:
        """Give the file its name; rows, bytes and SHA-256. Without rows there is no file: `datasets` fails on such a split."""
        self._flush()
        self.file.close()
        if not self.count:
            self.temporary.unlink()
            return {"questions": 0, "bytes": 0, "sha256": None}
        with self.temporary.open("rb") as stream:
            digest = file_digest(stream, "sha256").hexdigest()
        self.temporary.replace(self.path)
        return {"questions": self.count, "bytes": self.path.stat().st_size, "sha256": digest}

    def close(self) -> None:
        """Let go of the file, whole or not."""
        self.file.close()

    def _flush(self) -> None:
        if self.waiting:
            self.file.write_table(columns.table_of(self.waiting), row_group_size=ROWS_AT_ONCE)
            self.count += len(self.waiting)
            self.waiting.clear()
