"""croissant.json: `mlcroissant` validates it, and iterates the same records that index, shards and questions hold."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import mlcroissant
import orjson
import pyarrow.parquet as pq
import pytest
from PIL import Image

from medloom.schema.shard import pairs

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
"""Warnings inside mlcroissant and what it builds on."""


@pytest.fixture(autouse=True)
def _own_croissant_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache for every test: mlcroissant finds unpacked tars again by their address, whatever release they are of."""
    from etils import epath
    from mlcroissant._src.core import constants
    from mlcroissant._src.operation_graph.operations import extract

    monkeypatch.setattr(constants, "DOWNLOAD_PATH", epath.Path(tmp_path / "download"))
    monkeypatch.setattr(extract, "EXTRACT_PATH", epath.Path(tmp_path / "extract"))


def records(root: Path, name: str, **options: Any) -> Iterator[dict[str, Any]]:
    """Records by the plain names of their fields, texts decoded."""
    dataset = mlcroissant.Dataset(str(root / "croissant.json"), **options)
    for record in dataset.records(name):
        yield {key.removeprefix(f"{name}/"): plain(value) for key, value in record.items()}


def plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    return [plain(one) for one in value] if isinstance(value, list) else value


def test_it_validates(carded, mixed) -> None:
    for release in (carded, mixed):
        dataset = mlcroissant.Dataset(str(release.root / "croissant.json"))
        assert dataset.metadata.ctx.issues.errors == set()
        [warning] = dataset.metadata.ctx.issues.warnings
        assert "datePublished" in str(warning), "a release doesn't know the day"


@pytest.mark.parametrize("table", ["samples", "annotations"])
def test_its_records_are_the_rows_of_the_index(carded, table: str) -> None:
    rows = pq.read_table(carded.release.index_path("phantom", table)).to_pylist()
    found = list(records(carded.root, table))
    assert found[0].keys() == rows[0].keys()
    assert found == rows


def test_its_questions_are_those_of_the_suite(carded) -> None:
    files = sorted((carded.root / "questions/medmat").rglob("*.parquet"))
    rows = [row for path in files for row in pq.read_table(path).to_pylist()]
    found = {record["id"]: record for record in records(carded.root, "questions-medmat")}
    assert len(found) == len(rows) > 50
    for row in rows:
        record = found[row["id"]]
        assert {name: row[name] for name in record} == record


def test_its_images_and_records_are_those_of_the_shards(carded) -> None:
    held = {
        key: (image, record) for path in sorted((carded.root / "data").rglob("*.tar")) for key, image, record, _ in pairs(path)
    }
    images = {one["key"]: one["image"] for one in records(carded.root, "images")}
    assert images.keys() == held.keys()
    for key, (image, _) in held.items():
        with Image.open(io.BytesIO(image)) as wanted:
            assert (images[key].mode, images[key].tobytes()) == (wanted.mode, wanted.tobytes())
    told = {one["key"]: orjson.loads(one["record"]) for one in records(carded.root, "records")}
    assert told == {key: orjson.loads(record) for key, (_, record) in held.items()}


def test_every_file_stands_with_its_digest(carded) -> None:
    stated = json.loads(carded.text("croissant.json"))
    files = {one["@id"]: one for one in stated["distribution"] if one["@type"] == "cr:FileObject"}
    there = {
        path.relative_to(carded.root).as_posix()
        for folder in ("data", "index", "questions")
        for path in (carded.root / folder).rglob("*.[tp]ar*")
    }
    assert files.keys() == there
    for name, one in files.items():
        body = (carded.root / name).read_bytes()
        assert (one["sha256"], one["contentSize"]) == (sha256(body).hexdigest(), f"{len(body)} B")


def test_with_a_repository_files_have_its_address_and_a_folder_may_stand_for_it(mixed) -> None:
    stated = json.loads(mixed.text("croissant.json"))
    assert stated["url"] == "https://huggingface.co/datasets/some-lab/three-small-sources"
    addresses = [one["contentUrl"] for one in stated["distribution"] if one["@type"] == "cr:FileObject"]
    assert all(address.startswith(stated["url"]) for address in addresses)
    found = list(records(mixed.root, "samples", mapping={"repo": str(mixed.root)}))
    rows = [row for name in mixed.release.sources for row in pq.read_table(mixed.release.index_path(name)).to_pylist()]
    assert found == rows


def test_what_is_known_of_risks_is_told(mixed) -> None:
    stated = json.loads(mixed.text("croissant.json"))
    assert any("bccd: Not every cell has a box" in one for one in stated["rai:dataLimitations"])
    assert any("limited build" in one for one in stated["rai:dataLimitations"])
    assert "https://opensource.org/license/mit" in stated["license"]
    metadata = mlcroissant.Dataset(stated).metadata
    assert metadata.data_limitations == stated["rai:dataLimitations"]
    assert "jha2020kvasir" in (metadata.cite_as or "")
