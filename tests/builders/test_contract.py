"""The contract of every source in the catalogue: its facts, its units, and a release that every reader reads alike."""

from __future__ import annotations

import hashlib
import io
import itertools
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import orjson
import pytest
import webdataset
from PIL import Image

import medloom
from medloom.builders import catalog
from medloom.builders.build import Options, build
from medloom.builders.raw import Raw
from medloom.builders.verify import verify
from medloom.schema.check_release import check
from medloom.schema.clinical_tasks import CLINICAL_TASKS
from medloom.schema.departments import DEPARTMENTS
from medloom.schema.release import DEFAULT, Release

NAMES = catalog.names()
Row = tuple[str, str, bytes]


def row(key: str, image: Image.Image, record: dict[str, Any]) -> Row:
    pixels = np.asarray(image)
    digest = hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()
    return key, digest, orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def of_datasets(rows: Iterable[dict[str, Any]]) -> list[Row]:
    return [row(one["__key__"], one["image"], one["json"]) for one in rows]


def of_webdataset(release: Path, config: str, split: str) -> list[Row]:
    shards = [str(release / shard["path"]) for shard in Release.open(release).configs()[config][split]]
    read = webdataset.WebDataset(shards, shardshuffle=False).decode(webdataset.handle_extension("image", opened), "pil")
    return [row(one["__key__"], one["image"], one["json"]) for one in read]


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


@pytest.mark.parametrize("name", NAMES)
def test_facts_are_whole(name: str):
    source = catalog.load(name)
    facts = source.facts
    assert facts.name == name
    for field in ("title", "homepage", "licence", "licence_evidence", "citation", "cite"):
        assert getattr(facts, field).strip(), field
    assert CLINICAL_TASKS.find(facts.clinical_task).name == facts.clinical_task
    assert DEPARTMENTS.find(facts.department).name == facts.department
    raw_words = set(source.labels)
    assert {word for words in facts.closed_sets.values() for word in words} <= raw_words
    assert source.layouts


@pytest.mark.parametrize("name", NAMES)
def test_units_are_sorted_and_their_files_exist(name: str, raw_root, tmp_path: Path):
    raw = Raw(raw_root(name), unpack_to=tmp_path / "unpacked")
    assert verify(catalog.load(name), raw)["layout"] is not None
    units = list(catalog.load(name).read(raw))
    assert units
    firsts = [unit.files[0] for unit in units]
    assert firsts == sorted(firsts)
    assert {file for unit in units for file in unit.files if not raw.has(file)} == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_reader_reads_the_same(name: str, built):
    release, report = built(name)
    found = check(release)
    assert found["faults"] == []
    assert found["samples"] == sum(report["splits"].values()) > 0
    splits = Release.open(release).configs()[DEFAULT]
    for split in splits:
        mapped = of_datasets(datasets.load_dataset(str(release), split=split))
        assert mapped == of_datasets(datasets.load_dataset(str(release), split=split, streaming=True))
        assert mapped == of_datasets(medloom.load(release, split=split))
        assert mapped == of_datasets(medloom.load(release, split=split, streaming=True))
        assert mapped == of_webdataset(release, DEFAULT, split)
        assert len(mapped) == report["splits"][split]


@pytest.mark.parametrize("name", ["bccd", "phantom"])
def test_every_config_reads_its_own_rows(name: str, built):
    release, _ = built(name)
    for config, splits in Release.open(release).configs().items():
        for split in splits:
            mapped = of_datasets(datasets.load_dataset(str(release), config, split=split))
            assert mapped == of_webdataset(release, config, split)
            assert mapped == of_datasets(medloom.load(release, config, split=split))
            if config not in (name, DEFAULT):
                assert all(config in orjson.loads(record)["subsets"] for _, _, record in mapped)


def test_a_rebuild_in_place_is_what_the_readers_see(tiny):
    for limit in (30, 50):
        build(tiny.spec, tiny.raw, tiny.release, options=Options(limit=limit, fresh=True))
        mapped = {split: of_datasets(rows) for split, rows in datasets.load_dataset(str(tiny.release)).items()}
        streamed = datasets.load_dataset(str(tiny.release), streaming=True)
        assert mapped == {split: of_datasets(rows) for split, rows in streamed.items()}
        assert len(list(itertools.chain(*mapped.values()))) == limit
        assert mapped == {split: of_datasets(rows) for split, rows in medloom.load(tiny.release).items()}


def test_two_workers_give_the_bytes_of_one_for_real_sources(built, raw_root, tmp_path: Path):
    for name in ("phantom", "pyradiomics_nrrd"):
        release, _ = built(name)
        raw = raw_root(name)
        build(name, raw, tmp_path / "two", options=Options(workers=2))
        one, two = (
            {path.relative_to(root): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
            for root in (release, tmp_path / "two")
        )
        assert one == two
        shutil.rmtree(tmp_path / "two")
