"""Choices that can't be meant, and originals that aren't what they say, are refused before a byte is written."""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from medloom.builders.cut import cut
from medloom.schema.errors import ReleaseError, UsageError
from medloom.schema.release import Release
from medloom.schema.shard import pairs

WHY = {"modality": "CT"}


def rows_of(root: Path) -> pa.Table:
    """Index rows of the samples that have a picture."""
    table = pq.read_table(Release(root).index_path("phantom"), columns=["key", "split", "collection", "group"])
    return table.filter(pc.not_equal(table["split"], "excluded"))


@pytest.fixture(scope="module")
def original(built: Callable[[str], tuple[Path, dict]]) -> Path:
    return built("phantom")[0]


# choices


def keys_of(root: Path) -> list[str]:
    return rows_of(root)["key"].to_pylist()


BAD_CHOICES: dict[str, tuple[Callable[[list[str]], Any], str]] = {
    "nothing": (lambda keys: pa.table({"key": pa.array([], pa.string())}), "no sample is chosen"),
    "no batch": (lambda keys: [], "no sample is chosen"),
    "unknown": (lambda keys: pa.table({"key": [*keys, *"abcd"]}), "4 not in the release: a, b, c, …"),
    "twice": (lambda keys: pa.table({"key": [*keys, keys[3], keys[3]]}), "1 chosen twice: phantom-"),
    "no key": (lambda keys: pa.table({"name": keys}), "expected `key`"),
    "null": (lambda keys: pa.table({"key": [None, *keys]}), "a row without key"),
    "split": (lambda keys: pa.table({"key": keys, "split": ["holdout"] * len(keys)}), "given as a split: holdout"),
    "excluded": (lambda keys: pa.table({"key": keys, "split": ["excluded"] * len(keys)}), "given as a split: excluded"),
    "null split": (lambda keys: pa.table({"key": keys, "split": [None, *["test"] * (len(keys) - 1)]}), "split: None"),
    "half": (lambda keys: [pa.table({"key": keys[:1]}), pa.table({"key": keys[1:2], "split": ["test"]})], "in none"),
}


@pytest.mark.parametrize(("choice", "message"), BAD_CHOICES.values(), ids=list(BAD_CHOICES))
def test_a_choice_that_can_not_be_meant(choice: Callable, message: str, original: Path, tmp_path: Path):
    with pytest.raises(UsageError, match=message) as error:
        cut(original, choice(keys_of(original)), tmp_path / "out", why=WHY)
    assert error.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_group_on_two_sides_is_refused(original: Path, tmp_path: Path):
    table = rows_of(original)
    group = next(one for one in table["group"].to_pylist() if table["group"].to_pylist().count(one) > 1)
    keys = table.filter(pc.equal(table["group"], group))["key"].to_pylist()
    chosen = pa.table({"key": keys, "split": ["train", *["test"] * (len(keys) - 1)]})
    with pytest.raises(UsageError, match=f"1 in two splits of the choice: group .* {group}; expected every group"):
        cut(original, chosen, tmp_path / "out", why=WHY)


def test_a_picture_on_two_sides_is_refused(original: Path, tmp_path: Path):
    """Two groups that hold the same pixels, told so by the index."""
    root = tmp_path / "release"
    shutil.copytree(original, root)
    path = Release(root).index_path("phantom")
    table = pq.read_table(path)
    digests, keys = table["provenance_pixel_sha256"].to_pylist(), table["key"].to_pylist()
    groups, blank = table["group"].to_pylist(), table["provenance_low_information"].to_pylist()
    other = next(place for place in range(len(keys)) if groups[place] != groups[0] and not (blank[place] or blank[0]))
    digests[other] = digests[0]
    place = table.column_names.index("provenance_pixel_sha256")
    pq.write_table(table.set_column(place, "provenance_pixel_sha256", pa.array(digests)), path)
    chosen = pa.table({"key": [keys[0], keys[other]], "split": ["train", "test"]})
    with pytest.raises(UsageError, match="1 in two splits of the choice: picture "):
        cut(root, chosen, tmp_path / "out", why=WHY)


@pytest.mark.parametrize("why", [{"rows": {1, 2}}, {"share": float("nan")}])
def test_a_reason_that_no_recipe_can_hold(why: dict, original: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="why: "):
        cut(original, rows_of(original).select(["key"]), tmp_path / "out", why=why)


# an original that is broken


@pytest.fixture
def broken(original: Path, tmp_path: Path) -> Path:
    root = tmp_path / "broken"
    shutil.copytree(original, root)
    return root


def refused(root: Path, match: str) -> None:
    with pytest.raises(ReleaseError, match=match):
        cut(root, rows_of(root).select(["key"]), root.with_name("out"), why=WHY)
    assert not root.with_name("out").exists()


def test_a_shard_of_another_length(broken: Path):
    shard = next(broken.rglob("train-*.tar"))
    with shard.open("ab") as stream:
        stream.write(b"\0" * 512)
    refused(broken, rf"{shard.name}: \d+; expected \d+ bytes")


def test_a_shard_that_is_gone(broken: Path):
    shard = next(broken.rglob("train-*.tar"))
    shard.unlink()
    refused(broken, rf"{shard.name}: no such file; expected \d+ bytes")


@pytest.mark.parametrize("kind", ["image", "json"])
def test_a_member_of_another_key(kind: str, broken: Path):
    shard = next(broken.rglob("train-*.tar"))
    key = next(pairs(shard))[0]
    block = shard.read_bytes()
    shard.write_bytes(block.replace(f"{key}.{kind}".encode(), f"{key[:-1]}!.{kind}".encode(), 1))
    refused(broken, rf"{shard.name}.*expected the two members of {key}")


def changed_index(root: Path, name: str, change: Callable[[list], list]) -> None:
    path = Release(root).index_path("phantom")
    table = pq.read_table(path)
    values = pa.array(change(table[name].to_pylist()), table.schema.field(name).type)
    pq.write_table(table.set_column(table.column_names.index(name), name, values), path)


@pytest.mark.parametrize("name", ["image_offset", "json_offset", "image_size", "json_size"])
@pytest.mark.parametrize("by", [-(1 << 40), -512, -1, 1, 512, 1 << 40])
def test_an_index_of_other_places(name: str, by: int, broken: Path):
    changed_index(broken, name, lambda values: [value if value is None else value + by for value in values])
    refused(broken, "expected the two members of phantom-")


def test_an_index_of_another_split(broken: Path):
    changed_index(broken, "split", lambda values: ["test" if value == "train" else value for value in values])
    refused(broken, "record begins")


def test_an_index_of_another_shard(broken: Path):
    changed_index(broken, "shard", lambda values: ["data/phantom/other.tar", *values[1:]])
    refused(broken, r"other\.tar: no such file; expected a shard of the recipe")


def test_an_index_with_a_key_in_two_rows(broken: Path):
    path = Release(broken).index_path("phantom")
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table, table.slice(0, 1)]), path)
    with pytest.raises(ReleaseError, match="a key stands in two index rows"):
        cut(broken, pa.table({"key": table["key"].slice(0, 3)}), broken.with_name("out"), why=WHY)


def test_an_index_that_can_not_be_read(broken: Path):
    path = Release(broken).index_path("phantom")
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["subsets"]), path)
    with pytest.raises(ReleaseError, match=r"no columns \['subsets'\]"):
        cut(broken, pa.table({"key": table["key"].slice(0, 3)}), broken.with_name("out"), why=WHY)
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(ReleaseError, match="expected the source's index"):
        cut(broken, pa.table({"key": table["key"].slice(0, 3)}), broken.with_name("out"), why=WHY)


def test_an_original_that_is_rebuilt_meanwhile(broken: Path):
    path = broken / "recipes/phantom.json"
    recipe = json.loads(path.read_text())
    with pytest.raises(ReleaseError, match="rebuilt while it was read"):
        cut(
            broken,
            rows_of(broken).select(["key"]),
            broken.with_name("out"),
            why=WHY,
            progress=lambda *_: path.write_text(json.dumps(recipe | {"content_sha256": "0" * 64})) and None,
        )
    assert not broken.with_name("out").exists()
