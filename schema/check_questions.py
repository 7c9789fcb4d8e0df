"""Question sets against themselves and the release: suite.json, digests, columns, keys in order, answers among options."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from hashlib import file_digest
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from . import question
from .errors import Issue, ReleaseError
from .index_rows import BATCH, IndexRows
from .question_set import FIELDS, FOLDER, INFO, REVIEW, QuestionSet
from .release import Release

CHOICES = ("single_choice", "multiple_choice")
Row = dict[str, Any]
Fault = Callable[[str, str, str, str], Issue]


def faults_of(release: Release) -> Iterator[Issue]:
    """Every fault in the release's question sets."""
    known = {release.root / FOLDER / name for name in release.suites}
    for path in sorted((release.root / FOLDER).rglob("*")):
        if path.is_file() and not known.intersection(path.parents):
            where = path.relative_to(release.root).as_posix()
            yield Issue("stray-file", where, f"a file of no suite with {INFO}", "only question sets", "remove it")
    for name in release.suites:
        yield from _suite_faults(release, QuestionSet(release.root, name))


def about(release: Release) -> dict[str, int]:
    """Suite → questions, as it states them; suites that can't be read are left out."""
    found = {}
    for name in release.suites:
        try:
            found[name] = QuestionSet(release.root, name).info["questions"]
        except (ReleaseError, KeyError):
            continue
    return found


def _suite_faults(release: Release, found: QuestionSet) -> Iterator[Issue]:
    try:
        info = found.info
    except ReleaseError as error:
        yield _fault("bad-suite", f"{FOLDER}/{found.name}/{INFO}", str(error)[:200], "JSON as `medloom ask` writes it")
        return
    try:
        wrong = list(_info_faults(release, found, info))
    except (AttributeError, KeyError, TypeError) as error:
        wrong = [_fault("bad-suite", f"{FOLDER}/{found.name}/{INFO}", f"{error!r}", "entries as `medloom ask` writes them")]
    yield from wrong
    if any(one.code == "bad-suite" for one in wrong):
        return
    listed = {one["path"] for one in info["files"] if one["questions"]}
    for path in sorted(found.root.rglob("*")):
        relative = path.relative_to(found.root).as_posix()
        if path.is_file() and relative not in {*listed, INFO, REVIEW}:
            where = f"{FOLDER}/{found.name}/{relative}"
            yield Issue("stray-file", where, f"a file that {INFO} doesn't list", "only the suite's own files", "remove it")
    yield from _file_faults(release, found, info)


def _info_faults(release: Release, found: QuestionSet, info: dict[str, Any]) -> Iterator[Issue]:
    where = f"{FOLDER}/{found.name}/{INFO}"
    if set(info) != set(FIELDS):
        yield _fault("bad-suite", where, f"entries {sorted(set(info) ^ set(FIELDS))} missing or unknown", f"exactly {FIELDS}")
        return
    suite, total = info["suite"], sum(one["questions"] for one in info["files"])
    digest = hashlib.sha256(json.dumps(suite, sort_keys=True).encode()).hexdigest()
    if suite["name"] != found.name or digest != info["digest"]:
        yield _fault("digest-differs", where, f"suite {suite['name']} with SHA-256 {digest[:16]}…", "its folder's, as stated")
    sums = {name: sum(counts.values()) for name, counts in info["counts"].items()}
    sums["table"] = sum(row["questions"] for row in info["table"])
    differing = {name: count for name, count in sums.items() if count != info["questions"]}
    if differing or total != info["questions"]:
        yield _fault(
            "count-differs", where, f"{info['questions']} questions", f"the {total} of its files and the sums of counts"
        )
    held = {recipe["facts"]["name"]: recipe["content_sha256"] for recipe in release.recipes()}
    stale = sorted(name for name in held.keys() | info["sources"].keys() if held.get(name) != info["sources"].get(name))
    if stale:
        yield _fault("stale-questions", where, f"asked of another {', '.join(stale)}", "the contents that the recipes state")


def _file_faults(release: Release, found: QuestionSet, info: dict[str, Any]) -> Iterator[Issue]:
    files = {one["shard"]: one for one in info["files"]}
    for recipe in release.recipes():
        name = recipe["facts"]["name"]
        try:
            rows = IndexRows(release, name)
        except (OSError, pa.ArrowException):  # the check of the source tells it, or its index is withheld, and its questions
            files = {shard: one for shard, one in files.items() if shard.split("/")[1] != name}
            continue
        for shard in recipe["shards"]:
            one = files.pop(shard["path"], None)
            if one is None:
                where = f"{FOLDER}/{found.name}"
                yield _fault("missing-questions", where, f"no file for {shard['path']}", "a file for every shard")
            checked = _File(found, one, withheld=shard["split"] in info["withheld"]) if one is not None else None
            yield from _shard_faults(checked, rows, shard)
    for shard, one in files.items():
        where = f"{FOLDER}/{found.name}/{one['path']}"
        yield _fault("stale-questions", where, f"questions of {shard}", "shards that a recipe lists")


def _shard_faults(checked: _File | None, rows: IndexRows, shard: dict[str, Any]) -> Iterator[Issue]:
    """The questions of one shard beside its index rows; without questions the rows are passed over."""
    asked = checked.grouped() if checked is not None else iter(())
    key, questions = next(asked, (None, []))
    last = ""
    for row in rows.of(shard["path"]):
        places = {place for _, _, place, *_ in rows.annotations(row["key"]) if place is not None}
        while key is not None and key <= row["key"]:
            if key < row["key"] or checked is None:
                yield _unknown(checked, key, last)
            else:
                yield from checked.faults(questions, row, places)
            last = key
            key, questions = next(asked, (None, []))
    while key is not None:
        yield _unknown(checked, key, last)
        last, (key, questions) = key, next(asked, (None, []))
    if checked is not None:
        yield from checked.read_faults


def _unknown(checked: _File | None, key: str, last: str) -> Issue:
    assert checked is not None
    return _fault("key-order", f"{checked.where} {key}", f"after {last or 'nothing'}", "keys of its shard in rising order")


class _File:
    """One question file: what is wrong with it as a whole, and its rows sample by sample."""

    def __init__(self, found: QuestionSet, stated: dict[str, Any], *, withheld: bool):
        self.path, self.stated, self.withheld = found.root / stated["path"], stated, withheld
        self.where = f"{FOLDER}/{found.name}/{stated['path']}"
        self.suite = found.name
        self.read_faults: list[Issue] = []

    def grouped(self) -> Iterator[tuple[str, list[Row]]]:
        """Key and questions of each sample; faults of the file are collected on the way."""
        if not self.stated["questions"]:
            return
        if not self.path.is_file():
            self.read_faults.append(_fault("missing-questions", self.where, "no such file", f"a file that {INFO} lists"))
            return
        with self.path.open("rb") as stream:
            digest = file_digest(stream, "sha256").hexdigest()
        if digest != self.stated["sha256"]:
            expected = f"{self.stated['sha256'][:16]}… as {INFO} says"
            self.read_faults.append(_fault("digest-differs", self.where, f"SHA-256 {digest[:16]}…", expected))
        count = 0
        try:
            for key, rows in groupby(_rows(self.path), key=itemgetter("key")):
                questions = list(rows)
                count += len(questions)
                yield key, questions
        except (OSError, pa.ArrowException) as error:
            self.read_faults.append(
                _fault("bad-questions", self.where, f"{error}"[:200], "Parquet with the columns of question.py")
            )
            return
        if count != self.stated["questions"]:
            expected = f"{self.stated['questions']} as {INFO} says"
            self.read_faults.append(_fault("count-differs", self.where, f"{count} questions", expected))

    def faults(self, questions: list[Row], row: Row, places: set[str]) -> Iterator[Issue]:
        """What is wrong with the questions of one sample."""
        seen: set[str] = set()
        for one in questions:
            where = f"{self.where} {one['key']} {one['id']}"
            for found, expected in _wrong(one, places, withheld=self.withheld):
                yield _fault("bad-question", where, found, expected)
            own = {name: row[name] for name in ("split", "source")} | {"suite": self.suite}
            for name, value in own.items():
                if one[name] != value:
                    yield _fault("bad-question", where, f"{name} {one[name]!r}", f"{value!r} as its sample")
            if one["id"] in seen:
                yield _fault("bad-question", where, "an id that stands twice", "each once")
            seen.add(one["id"])


def _rows(path: Path) -> Iterator[Row]:
    with pq.ParquetFile(path) as file:
        if not file.schema_arrow.equals(question.schema()):
            raise pa.ArrowInvalid("other columns than schema/question.py states")
        for batch in file.iter_batches(BATCH):
            yield from batch.to_pylist()


def _wrong(one: Row, places: set[str], *, withheld: bool) -> Iterator[tuple[str, str]]:
    """What was found and what was expected, for each fault of one question."""
    if one["kind"] not in {str(kind) for kind in question.Kind}:
        yield f"kind {one['kind']!r}", "one of schema/question.py"
    letters = [option["letter"] for option in one["options"]]
    if letters != [chr(ord("A") + place) for place in range(len(letters))]:
        yield f"letters {letters}", "A, B, C, … in order"
    texts = [option["text"].casefold() for option in one["options"]]
    if len(set(texts)) < len(texts):
        yield f"options {texts}", "each text once"
    if bool(letters) != (one["kind"] in CHOICES):
        yield f"{len(letters)} options of a {one['kind']}", "options for choices, and for nothing else"
    named = [*one["targets"], *(place for span in one["spans"] for place in span["annotations"])]
    named += [prompt["annotation"] for prompt in one["prompts"] if prompt["annotation"] or not withheld]
    if strange := sorted(set(named) - places):
        yield f"annotations {', '.join(strange)}", "annotations of its record"
    yield from _withheld_wrong(one) if withheld else _answer_wrong(one, letters)


def _withheld_wrong(one: Row) -> Iterator[tuple[str, str]]:
    telling = [name for name in ("answer", "letters", "labels", "targets", "spans") if one[name]]
    telling += ["options"] if any(option["label_id"] is not None for option in one["options"]) else []
    if telling:
        yield f"{', '.join(telling)} of a withheld answer", "nothing that tells it"


def _answer_wrong(one: Row, letters: list[str]) -> Iterator[tuple[str, str]]:
    right = one["letters"]
    if one["kind"] in CHOICES and (not right or right != sorted(set(right)) or not set(right) <= set(letters)):
        yield f"right letters {right}", f"some of {letters}, in order"
    if one["kind"] == "single_choice" and len(right) > 1:
        yield f"right letters {right}", "one of them"
    if one["answer"] is None:
        yield "no answer", "one, or a split whose answers are withheld"
    for span in one["spans"]:
        if not 0 <= span["start"] < span["end"] <= len(one["answer"] or ""):
            yield f"span {span['start']} to {span['end']}", "a stretch of the answer"


def _fault(code: str, where: str, found: str, expected: str) -> Issue:
    return Issue(code, where, found, expected, "ask again")
