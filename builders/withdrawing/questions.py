"""A suite's questions without those about withdrawn samples: their files, `suite.json`, review, and withheld answers.

The other questions stay as they were asked: what they offer beside the right answer may have been drawn from labels of
withdrawn samples, and names no sample.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...schema.disk import read_json, write_json
from ...schema.errors import ReleaseError
from ...schema.question import schema
from ...schema.question_set import FOLDER, INFO, REVIEW, QuestionSet
from ..deidentify import file_sha256
from .journal import RELEASE, WORK, Journal
from .shares import Left

ROWS_AT_ONCE = 4096
_HIDDEN = ("subset", "department", "clinical_task")
"""What a question whose answer is withheld doesn't tell of what it is counted by."""
_SHOWN = ["id", "kind", "rule", "source", *_HIDDEN, "granularity", "split"]


@dataclass(slots=True)
class Fewer:
    """What a suite lost."""

    questions: int = 0
    files: list[str] = field(default_factory=list)
    """Those written anew, and those that went, by their paths in the suite."""
    removed: list[str] = field(default_factory=list)
    withheld: int = 0
    """How many of the questions have their answers elsewhere."""
    answers: str | None = None
    """The folder of withheld answers that was mended; None where nothing is withheld, or it isn't where `ask` puts it."""
    ids: set[str] = field(default_factory=set)


def without(journal: Journal, suite: str, keys: frozenset[str], left: Mapping[str, Left], *, olds: Mapping[str, str]) -> Fewer:
    """Stage a suite without questions about the keys; `olds` are the digests that its sources had."""
    asked = QuestionSet(journal.release.root, suite)
    info, found = asked.info, Fewer()
    answers = journal.release.work / "answers" / suite
    rows, files = _files(asked.root, journal.staged.root / FOLDER / suite, info["files"], keys, left)
    found.questions, found.ids = len(rows), {row["id"] for row in rows}
    _told(found, info["files"], files)
    hidden = [row for row in rows if row["split"] in info["withheld"]]
    found.withheld = len(hidden)
    known = _answers(journal, answers, info, keys, left, olds=olds, found=found) if info["withheld"] else {}
    table = _lessened(info["table"], [known.get(row["id"], row) for row in rows])
    counts = {name: _by(table, name) for name in info["counts"]}
    total = sum(row["questions"] for row in table)
    new = {"sources": _sources(info, left, olds), "questions": total, "counts": counts, "table": table, "files": files}
    write_json(journal.staged.root / FOLDER / suite / INFO, info | new)
    _review(journal, suite, found.ids)
    return found


def removals(suite: str, found: Fewer) -> Iterator[str]:
    """Files that go, as the journal names them."""
    yield from (f"{RELEASE}/{FOLDER}/{suite}/{path}" for path in found.removed)
    if found.answers is not None:
        yield from (f"{WORK}/answers/{suite}/{path}" for path in found.removed)


def count(asked: QuestionSet, shards: Mapping[str, frozenset[str]]) -> int:
    """How many questions the suite holds about those keys."""
    paths = {one["shard"]: asked.root / one["path"] for one in asked.info["files"] if one["questions"]}
    tables = [
        pq.read_table(paths[shard], columns=["key"], filters=[("key", "in", sorted(keys))])
        for shard, keys in shards.items()
        if shard in paths
    ]
    return sum(map(len, tables))


def _files(
    folder: Path, staged: Path, stated: list[dict[str, Any]], keys: frozenset[str], left: Mapping[str, Left]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Questions that go (columns `_SHOWN`), and what is to be said of the files that stay."""
    places = {shard: asked for one in left.values() for shard, asked in one.asked.items()}
    removed = {shard for one in left.values() for shard in one.removed}
    rows, files = [], []
    for one in stated:
        if one["shard"] not in places:
            files.append(one)
            continue
        facts = {"questions": 0, "bytes": 0, "sha256": None}
        if one["questions"]:
            gone, facts = _file(folder / one["path"], staged / one["path"], keys)
            rows += gone
        if one["shard"] not in removed:
            samples = one["samples"] - sum(place < one["samples"] for place in places[one["shard"]])
            files.append(one | facts | {"samples": samples})
    return rows, files


def _file(path: Path, staged: Path, keys: frozenset[str]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    gone, kept, wanted = [], 0, pa.array(sorted(keys), pa.string())
    staged.parent.mkdir(parents=True, exist_ok=True)
    try:
        with pq.ParquetFile(path) as file, pq.ParquetWriter(staged, schema(), compression="zstd") as writer:
            for group in range(file.num_row_groups):
                table = file.read_row_group(group)
                leaves = pc.is_in(table["key"], wanted)
                gone += table.filter(leaves).select(_SHOWN).to_pylist()
                if len(some := table.filter(pc.invert(leaves))):
                    writer.write_table(some, row_group_size=ROWS_AT_ONCE)
                    kept += len(some)
    except (OSError, pa.ArrowException) as error:
        raise ReleaseError(f"{path}: {error}; expected questions that {INFO} lists; ask again") from error
    if not kept:
        staged.unlink()
        return gone, {"questions": 0, "bytes": 0, "sha256": None}
    return gone, {"questions": kept, "bytes": staged.stat().st_size, "sha256": file_sha256(staged)}


def _answers(
    journal: Journal,
    folder: Path,
    info: Mapping[str, Any],
    keys: frozenset[str],
    left: Mapping[str, Left],
    *,
    olds: Mapping[str, str],
    found: Fewer,
) -> dict[str, dict[str, Any]]:
    """Stage withheld answers that lie beside the release without those of the keys; id → question, with all it tells."""
    private = read_json(folder / INFO)
    if not isinstance(private, dict) or private.get("sources") != info["sources"]:
        return {}
    staged = journal.folder / WORK / "answers" / folder.name
    rows, files = _files(folder, staged, private["files"], keys, left)
    told = {"sources": _sources(private, left, olds), "questions": private["questions"] - len(rows), "files": files}
    write_json(staged / INFO, private | told)
    found.answers = str(folder)
    return {row["id"]: row for row in rows}


def _told(found: Fewer, before: list[dict[str, Any]], after: list[dict[str, Any]]) -> None:
    stands = {one["path"]: one["sha256"] for one in after if one["questions"]}
    for one in before:
        if one["questions"] and stands.get(one["path"]) != one["sha256"]:
            (found.files if one["path"] in stands else found.removed).append(one["path"])


def _lessened(table: list[dict[str, Any]], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The table of counts less some questions; of those that hide where they belong, the largest fitting count is lessened."""
    names = [name for name in table[0] if name != "questions"] if table else []
    counts = Counter({tuple(row[name] for name in names): row["questions"] for row in table})
    for row in rows:
        place = tuple(row[name] for name in names)
        if place not in counts:
            place = max((one for one in counts if _fits(one, row, names)), key=lambda one: (counts[one], one))
        counts[place] -= 1
    return [dict(zip(names, place, strict=True), questions=left) for place, left in sorted(counts.items()) if left]


def _fits(place: tuple[str, ...], row: Mapping[str, Any], names: list[str]) -> bool:
    return all(row[name] == value or (name in _HIDDEN and row[name] is None) for name, value in zip(names, place, strict=True))


def _by(table: list[dict[str, Any]], column: str) -> dict[str, int]:
    counts = Counter[str]()
    for row in table:
        counts[row[column]] += row["questions"]
    return dict(sorted(counts.items()))


def _sources(info: Mapping[str, Any], left: Mapping[str, Left], olds: Mapping[str, str]) -> dict[str, str]:
    """The digests a suite states; one of other contents than the release had stays as it was, and so shows it."""
    new = {name: left[name].recipe["content_sha256"] for name in left}
    return {name: new[name] if name in new and olds[name] == digest else digest for name, digest in info["sources"].items()}


def _review(journal: Journal, suite: str, ids: set[str]) -> None:
    path = f"{FOLDER}/{suite}/{REVIEW}"
    review = read_json(journal.release.root / path)
    if review is not None and any(one["id"] in ids for one in review["questions"]):
        write_json(journal.staged.root / path, review | {"questions": [o for o in review["questions"] if o["id"] not in ids]})
