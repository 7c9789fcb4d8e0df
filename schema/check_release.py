"""Read a release back, every byte of it, and prove the contract."""

from __future__ import annotations

import tarfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from hashlib import file_digest
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa

from . import (
    check_certificate,
    check_published,
    check_questions,
    check_readme,
    check_recipe,
    embedded,
    index,
    withdrawn,
)
from .check import check_image, check_sample
from .errors import Issue, ReleaseError
from .index_rows import IndexRows
from .published import Mode, mode_of, records, shards_of
from .record import from_json
from .release import Release
from .release_files import is_own, known_files
from .sample import Sample
from .shard import Place, pairs

Progress = Callable[[int, int], None]
"""Called with samples done and samples in all."""
PLACES = tuple(field.name for field in fields(Place))
MOST = 100
"""Faults shown; all are counted."""


def check(path: Path | str, *, progress: Progress | None = None) -> dict[str, Any]:
    """What the release holds and every fault in it; `faults` is empty when the contract stands.

    Raises:
        ReleaseError: there is no release at the path.
    """
    release = Release.open(path)
    recipes = release.recipes()
    total, done = sum(shard["samples"] for recipe in recipes for shard in shards_of(recipe)), 0
    faults: list[Issue] = []
    places: dict[str, dict[str, str]] = defaultdict(dict)
    sources = {}
    for recipe in recipes:
        faults.extend(check_published.faults_of(release, recipe))
        if mode_of(recipe) is Mode.RECIPE:
            sources[recipe["facts"]["name"]] = {"samples": 0, "splits": recipe["splits"], **check_recipe.about(recipe)}
            continue
        found = _Source(release, recipe, faults)
        for sample in found.samples():
            done += 1
            _one_split(places, sample, faults)
            if progress is not None:
                progress(done, total)
        found.files()
        sources[recipe["facts"]["name"]] = {"samples": found.seen, "splits": recipe["splits"], **check_recipe.about(recipe)}
        faults.extend(check_recipe.faults_of(recipe))
    faults.extend(check_readme.faults_of(release))
    faults.extend(_stray_files(release))
    faults.extend(check_certificate.faults_of(release))
    faults.extend(withdrawn.faults_of(release))
    faults.extend(check_questions.faults_of(release))
    faults.extend(embedded.faults_of(release))
    shown = [{name: str(value) for name, value in asdict(fault).items()} for fault in faults[:MOST]]
    questions = check_questions.about(release)
    told = {"release": str(release.root), "samples": done, "sources": sources, "questions": questions}
    return told | {"fault_count": len(faults), "faults": shown}


class _Source:
    """One source of the release under examination."""

    def __init__(self, release: Release, recipe: dict[str, Any], faults: list[Issue]):
        self.release, self.recipe, self.faults = release, recipe, faults
        self.name, self.whole = recipe["facts"]["name"], mode_of(recipe) is Mode.FULL
        self.seen = 0
        self.rows = self._opened()

    def samples(self) -> Iterator[Sample]:
        """Every sample in the shards, examined against its record and its index rows."""
        for shard, held in zip(self.recipe["shards"], shards_of(self.recipe), strict=False):
            path = self.release.root / held["path"]
            if not path.is_file():
                self._fault("missing-shard", held["path"], "no such file", "a shard that the recipe lists")
                for row in self.rows.of(shard["path"]) if self.rows else ():
                    self._pass_over(row["key"])
                continue
            self._digest(path, held["path"], held["sha256"])
            yield from self._shard(path, shard)

    def files(self) -> None:
        """The digests of the index tables, and rows of shards that no recipe lists."""
        for table, digest in self.recipe["index"].items():
            path = self.release.index_path(self.name, table)
            if path.is_file():
                self._digest(path, path.relative_to(self.release.root).as_posix(), digest)
            else:
                self._fault("missing-index", f"index/{self.name}/{table}.parquet", "no such file", "a table of the index")
        strange = self.rows.shards() - {shard["path"] for shard in self.recipe["shards"]} if self.rows else set()
        for shard in sorted(strange):
            self._fault("index-differs", self.name, f"rows of {shard}", "shards that the recipe lists")

    def _opened(self) -> IndexRows | None:
        """The index, None where it can't be read."""
        try:
            return IndexRows(self.release, self.name)
        except FileNotFoundError:
            return None
        except (OSError, pa.ArrowException) as error:
            self._fault("bad-index", f"index/{self.name}", f"{error}"[:200], "the two tables of the index")
            return None

    def _shard(self, path: Path, shard: dict[str, Any]) -> Iterator[Sample]:
        count, last = 0, ""
        rows = self.rows.of(shard["path"]) if self.rows else iter(())
        row = next(rows, None)
        try:
            for key, image, record, place in self._members(path):
                where = f"{shard['path']} {key}"
                if key <= last:
                    self._fault("key-order", where, f"{key} after {last}", "keys in rising order")
                last, count, self.seen = key, count + 1, self.seen + 1
                while row is not None and row["key"] < key:
                    self._without_sample(row)
                    row = next(rows, None)
                own = row if row is not None and row["key"] == key else None
                yield from self._sample(where, image, record, row=own, place=place, shard=shard)
                row = next(rows, None) if own is not None else row
        except tarfile.ReadError as error:
            self._fault("bad-shard", shard["path"], str(error), "a whole tar of image and record members")
        for left in (row, *rows) if row is not None else ():
            self._without_sample(left)
        if count != shard["samples"]:
            self._fault("count-differs", shard["path"], f"{count} samples", f"{shard['samples']} as the recipe says")

    def _members(self, path: Path) -> Iterator[tuple[str, bytes | None, bytes, Place | None]]:
        """Key, image, record and place of each sample; of one without pixels there is no image, and the index's place is
        that of the shard which its owner's download gives.
        """
        if self.whole:
            yield from pairs(path)
        else:
            yield from ((key, None, record, None) for key, record in records(path))

    def _pass_over(self, key: str) -> None:
        if self.rows is not None:
            self.rows.annotations(key)

    def _without_sample(self, row: dict[str, Any]) -> None:
        self._pass_over(row["key"])
        self._fault("index-differs", f"{row['shard']} {row['key']}", "an index row without a sample", "one row per sample")

    def _sample(
        self, where: str, image: bytes | None, record: bytes, *, row, place: Place | None, shard: dict[str, Any]
    ) -> Iterator[Sample]:
        try:
            sample = from_json(record)
        except ReleaseError as error:
            self._fault("bad-record", where, str(error), "the fields of schema/sample.py")
            self._pass_over(where.rsplit(" ", 1)[-1])
            return
        expected = sample.source == self.name and where.endswith(f" {sample.key}") and sample.split == shard["split"]
        if not expected:
            found = f"{sample.key} of {sample.source}, {sample.split}"
            self._fault("bad-record", where, found, f"its own key, {self.name}, {shard['split']}")
        if set(sample.subsets) != set(shard["subsets"]):
            self._fault("bad-subset", where, f"{sample.subsets}", f"{shard['subsets']} as its shard")
        self.faults.extend(check_sample(sample, where))
        if image is not None:
            self.faults.extend(check_image(sample, image, where))
        self._row(where, record, row, place=place, shard=shard)
        yield sample

    def _row(self, where: str, record: bytes, row: dict[str, Any] | None, *, place: Place | None, shard) -> None:
        if self.rows is None:
            return
        if row is None:
            self._fault("index-differs", where, "no row in the index", "one row per sample")
            return
        parsed = orjson.loads(record)
        lies = asdict(place) if place is not None else {name: row[name] for name in PLACES} | {"json_size": len(record)}
        wanted = index.sample_row(parsed, {**lies, "shard": shard["path"], "exclusion": None})
        differing = [name for name in index.SAMPLES.names if row[name] != wanted.get(name)]
        if differing:
            name = differing[0]
            self._fault("index-differs", where, f"{name} {row[name]!r:.60}", f"{wanted.get(name)!r:.60} as the record")
        self._annotation_rows(where, parsed)

    def _annotation_rows(self, where: str, parsed: dict[str, Any]) -> None:
        assert self.rows is not None
        found = self.rows.annotations(parsed["key"])
        try:
            wanted = list(index.annotation_rows(parsed, parsed["split"]))
        except KeyError:
            return  # an annotation without its label's state is a fault of the record, and told there
        if found != wanted:
            self._fault(
                "index-differs", where, f"{len(found)} annotation rows", f"the {len(wanted)} of the record, as they are"
            )

    def _digest(self, path: Path, where: str, expected: str) -> None:
        with path.open("rb") as stream:
            found = file_digest(stream, "sha256").hexdigest()
        if found != expected:
            self._fault("digest-differs", where, f"SHA-256 {found[:16]}…", f"{expected[:16]}… as the recipe says")

    def _fault(self, code: str, where: str, found: str, expected: str) -> None:
        self.faults.append(Issue(code, where, found, expected, check_recipe.remedy(self.recipe)))


def _one_split(places: dict[str, dict[str, str]], sample: Sample, faults: list[Issue]) -> None:
    """No group, and no picture with something to see, may stand in two splits of a source's collection."""
    seen = places[sample.collection]
    keys = [f"group {sample.group}"]
    if not sample.provenance.low_information:
        keys.append(f"pixels {sample.provenance.pixel_sha256}")
    for key in keys:
        if seen.setdefault(key, sample.split) != sample.split:
            found = f"{key[:24]} in {seen[key]} and {sample.split}"
            faults.append(Issue("crosses-splits", sample.key, found, "one split", "rebuild the source"))


def _stray_files(release: Release) -> Iterator[Issue]:
    """Files that no recipe knows: halves, leftovers, or somebody's own."""
    known = known_files(release)
    for path in sorted(release.root.rglob("*")):
        relative = path.relative_to(release.root).as_posix()
        if path.is_file() and relative not in known and not relative.startswith("questions/") and not _of_card(relative):
            yield Issue("stray-file", relative, "a file that no recipe lists", "only the release's own files", "remove it")


def _of_card(relative: str) -> bool:
    return relative.startswith("card/") and is_own(relative)
