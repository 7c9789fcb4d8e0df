"""Read a release back, every byte of it, and prove the contract."""

from __future__ import annotations

import tarfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict
from hashlib import file_digest
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import yaml

from . import index
from .check import check_image, check_sample
from .errors import Issue, ReleaseError
from .record import features, from_json
from .release import DEFAULT, Release, content_version, shards_of
from .sample import SPLITS, Sample
from .shard import Place, pairs

Progress = Callable[[int, int], None]
"""Called with samples done and samples in all."""
MOST = 100
"""Faults shown; all are counted."""


def check(path: Path | str, *, progress: Progress | None = None) -> dict[str, Any]:
    """What the release holds and every fault in it; `faults` is empty when the contract stands.

    Raises:
        ReleaseError: there is no release at the path.
    """
    release = Release.open(path)
    recipes = release.recipes()
    total, done = sum(shard["samples"] for recipe in recipes for shard in recipe["shards"]), 0
    faults: list[Issue] = []
    places: dict[str, dict[str, str]] = defaultdict(dict)
    sources = {}
    for recipe in recipes:
        found = _Source(release, recipe, faults)
        for sample in found.samples():
            done += 1
            _one_split(places, sample, faults)
            if progress is not None:
                progress(done, total)
        found.files()
        sources[recipe["facts"]["name"]] = {"samples": found.seen, "splits": recipe["splits"]}
    faults.extend(_readme_faults(release))
    faults.extend(_stray_files(release))
    shown = [{name: str(value) for name, value in asdict(fault).items()} for fault in faults[:MOST]]
    return {"release": str(release.root), "samples": done, "sources": sources, "fault_count": len(faults), "faults": shown}


class _Source:
    """One source of the release under examination."""

    def __init__(self, release: Release, recipe: dict[str, Any], faults: list[Issue]):
        self.release, self.recipe, self.faults = release, recipe, faults
        self.name = recipe["facts"]["name"]
        self.seen = 0

    def samples(self) -> Iterator[Sample]:
        """Every sample in the shards, examined against its record and its index row."""
        rows = self._rows()
        for shard in self.recipe["shards"]:
            path = self.release.root / shard["path"]
            if not path.is_file():
                self._fault("missing-shard", shard["path"], "no such file", "a shard that the recipe lists")
                continue
            self._digest(path, shard["path"], shard["sha256"])
            yield from self._shard(path, shard, rows)
        left = [key for key, row in rows.items() if row["shard"] is not None]
        if left:
            self._fault("index-differs", self.name, f"{len(left)} index rows without a sample, such as {left[0]}", "none")

    def files(self) -> None:
        """The digests of the index tables."""
        for table, digest in self.recipe["index"].items():
            path = self.release.index_path(self.name, table)
            if path.is_file():
                self._digest(path, path.relative_to(self.release.root).as_posix(), digest)
            else:
                self._fault("missing-index", f"index/{self.name}/{table}.parquet", "no such file", "a table of the index")

    def _rows(self) -> dict[str, dict[str, Any]]:
        path = self.release.index_path(self.name)
        return {row["key"]: row for row in pq.read_table(path).to_pylist()} if path.is_file() else {}

    def _shard(self, path: Path, shard: dict[str, Any], rows: dict[str, dict[str, Any]]) -> Iterator[Sample]:
        count, last = 0, ""
        try:
            for key, image, record, place in pairs(path):
                where = f"{shard['path']} {key}"
                if key <= last:
                    self._fault("key-order", where, f"{key} after {last}", "keys in rising order")
                last, count, self.seen = key, count + 1, self.seen + 1
                yield from self._sample(where, image, record, row=rows.pop(key, None), place=place, shard=shard)
        except tarfile.ReadError as error:
            self._fault("bad-shard", shard["path"], str(error), "a whole tar of image and record members")
        if count != shard["samples"]:
            self._fault("count-differs", shard["path"], f"{count} samples", f"{shard['samples']} as the recipe says")

    def _sample(self, where: str, image: bytes, record: bytes, *, row, place: Place, shard: dict[str, Any]) -> Iterator[Sample]:
        try:
            sample = from_json(record)
        except ReleaseError as error:
            self._fault("bad-record", where, str(error), "the fields of schema/sample.py")
            return
        expected = sample.source == self.name and where.endswith(f" {sample.key}") and sample.split == shard["split"]
        if not expected:
            found = f"{sample.key} of {sample.source}, {sample.split}"
            self._fault("bad-record", where, found, f"its own key, {self.name}, {shard['split']}")
        if set(sample.subsets) != set(shard["subsets"]):
            self._fault("bad-subset", where, f"{sample.subsets}", f"{shard['subsets']} as its shard")
        self.faults.extend(check_sample(sample, where))
        self.faults.extend(check_image(sample, image, where))
        self._row(where, record, row, place=place, shard=shard)
        yield sample

    def _row(self, where: str, record: bytes, row: dict[str, Any] | None, *, place: Place, shard: dict[str, Any]) -> None:
        wanted = index.sample_row(orjson.loads(record), {**asdict(place), "shard": shard["path"], "exclusion": None})
        if row is None:
            self._fault("index-differs", where, "no row in the index", "one row per sample")
            return
        differing = [name for name in index.SAMPLES.names if row[name] != wanted.get(name)]
        if differing:
            name = differing[0]
            self._fault("index-differs", where, f"{name} {row[name]!r:.60}", f"{wanted.get(name)!r:.60} as the record")

    def _digest(self, path: Path, where: str, expected: str) -> None:
        with path.open("rb") as stream:
            found = file_digest(stream, "sha256").hexdigest()
        if found != expected:
            self._fault("digest-differs", where, f"SHA-256 {found[:16]}…", f"{expected[:16]}… as the recipe says")

    def _fault(self, code: str, where: str, found: str, expected: str) -> None:
        self.faults.append(Issue(code, where, found, expected, "rebuild the source"))


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


def _readme_faults(release: Release) -> Iterator[Issue]:
    text = (release.root / "README.md").read_text(encoding="utf-8")
    header = yaml.safe_load(text.split("---\n")[1]) if text.startswith("---\n") else None
    if not isinstance(header, dict):
        yield Issue("bad-readme", "README.md", "no YAML header", "configs and dataset_info", "rebuild any source")
        return
    stated = {config["config_name"]: config for config in header.get("configs", [])}
    info = {one["config_name"]: one["features"] for one in header.get("dataset_info", [])}
    for name, splits in release.configs().items():
        version = content_version(shards_of(splits))
        if name not in stated or str(stated[name].get("version")) != version:
            found = "absent" if name not in stated else f"version {stated[name].get('version')}"
            yield Issue("bad-readme", f"README.md config {name}", found, f"version {version}", "rebuild any source")
        elif [one["split"] for one in stated[name]["data_files"]] != [split for split in SPLITS if split in splits]:
            yield Issue("bad-readme", f"README.md config {name}", "other splits", f"{list(splits)}", "rebuild any source")
        if info.get(name) != features()._to_yaml_list():
            yield Issue("bad-readme", f"README.md config {name}", "other features", "those of schema/record.py", "rebuild")
    if DEFAULT not in stated:
        yield Issue("bad-readme", "README.md", "no default config", "a config that holds all", "rebuild any source")


def _stray_files(release: Release) -> Iterator[Issue]:
    """Files that no recipe knows: halves, leftovers, or somebody's own."""
    known = {"README.md", "DATASHEET.md", "croissant.json", ".gitattributes"}
    for recipe in release.recipes():
        name = recipe["facts"]["name"]
        known |= {shard["path"] for shard in recipe["shards"]} | {f"recipes/{name}.json"}
        known |= {f"index/{name}/{table}.parquet" for table in recipe["index"]}
    for path in sorted(release.root.rglob("*")):
        relative = path.relative_to(release.root).as_posix()
        if path.is_file() and relative not in known and not relative.startswith("questions/"):
            yield Issue("stray-file", relative, "a file that no recipe lists", "only the release's own files", "remove it")
