"""A cut: the chosen samples of a release and no other, byte for byte, however often it is killed on the way."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import load_dataset

import medloom
from medloom.builders import chosen as chosen_rows
from medloom.builders.cut import cut
from medloom.builders.workspace import locked
from medloom.schema.check_release import check
from medloom.schema.errors import UsageError
from medloom.schema.release import Release
from medloom.schema.sample import SPLITS
from medloom.schema.shard import pairs

WHY = {"modality": ["CT"], "where": "height_px > 20"}
SMALL = 40_000
"""Bytes of a shard that make several of every split."""


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def members(root: Path) -> dict[str, tuple[bytes, bytes]]:
    """Key → image and record of every sample, read from the tars alone."""
    found = {}
    for path in sorted(root.rglob("*.tar")):
        keys = [key for key, *_ in pairs(path)]
        assert keys == sorted(keys)
        found |= {key: (image, record) for key, image, record, _ in pairs(path)}
    return found


def rows_of(root: Path) -> pa.Table:
    """Index rows of all sources that have a picture."""
    columns = ["key", "split", "source", "collection", "group"]
    tables = [pq.read_table(Release(root).index_path(source), columns=columns) for source in Release(root).sources]
    table = pa.concat_tables(tables)
    return table.filter(pa.compute.not_equal(table["split"], "excluded"))


def some_of(root: Path, *, step: int = 3) -> pa.Table:
    """Every third key of a release."""
    keys = rows_of(root)["key"].to_pylist()
    return pa.table({"key": keys[::step]})


def by_group(root: Path) -> pa.Table:
    """All samples of a release with splits dealt anew to whole groups, of which a few keep theirs."""
    table = rows_of(root)
    groups = sorted(set(zip(table["collection"].to_pylist(), table["group"].to_pylist(), strict=True)))
    new = {group: SPLITS[number % 3] for number, group in enumerate(groups)}
    pairs_of = zip(table["collection"].to_pylist(), table["group"].to_pylist(), strict=True)
    return pa.table({"key": table["key"], "split": [new[pair] for pair in pairs_of]})


@pytest.fixture(scope="module")
def original(built: Callable[[str], tuple[Path, dict]]) -> Path:
    """The release of the drawn source: several subsets, volumes and splits."""
    return built("phantom")[0]


@pytest.fixture(scope="module")
def mixed(built: Callable[[str], tuple[Path, dict]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sources in one release."""
    root = tmp_path_factory.mktemp("mixed") / "release"
    for name in ("phantom", "bccd"):
        shutil.copytree(built(name)[0], root, dirs_exist_ok=True)
    Release(root).write_readme(root / "README.tmp")
    return root


# what is in it


@pytest.mark.parametrize("name", ["phantom", "bccd"])
def test_members_are_byte_identical(name: str, built, tmp_path: Path):
    root, _ = built(name)
    chosen = some_of(root)
    report = cut(root, chosen, tmp_path / "out", why=WHY)
    whole = members(root)
    assert members(tmp_path / "out") == {key: whole[key] for key in chosen["key"].to_pylist()}
    assert check(tmp_path / "out")["faults"] == []
    assert (report["samples"], report["of_samples"], report["moved"]) == (len(chosen), len(whole), 0)
    assert report["sources"][name]["members"] == "byte-identical"
    assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize("name", ["phantom", "bccd"])
def test_a_cut_of_everything_has_the_shards_of_the_original(name: str, built, tmp_path: Path):
    root, _ = built(name)
    cut(root, some_of(root, step=1), tmp_path / "out", why={})
    assert members(tmp_path / "out") == members(root)
    was, now = Release(root).recipe(name), Release(tmp_path / "out").recipe(name)
    assert was
    assert now
    assert now["shards"] == was["shards"]
    assert (now["splits"], now["subsets"]) == (was["splits"], was["subsets"])


def test_a_moved_sample_differs_in_its_split_alone(original: Path, tmp_path: Path):
    chosen = by_group(original)
    report = cut(original, chosen, tmp_path / "out", why=WHY, shard_bytes=SMALL)
    was, now = members(original), members(tmp_path / "out")
    assert was.keys() == now.keys()
    moved = 0
    for key, split in zip(chosen["key"].to_pylist(), chosen["split"].to_pylist(), strict=True):
        assert now[key][0] == was[key][0]
        before, after = orjson.loads(was[key][1]), orjson.loads(now[key][1])
        assert after == before | {"split": split}
        moved += before["split"] != split
        assert now[key][1] == was[key][1].replace(before["split"].encode(), split.encode(), 1)
    assert 0 < moved < len(chosen)
    assert report["moved"] == moved
    assert report["sources"]["phantom"]["members"] == "split rewritten"
    assert check(tmp_path / "out")["faults"] == []


def test_neither_order_nor_workers_nor_places_change_a_byte(original: Path, tmp_path: Path):
    chosen = by_group(original).slice(0, 90)
    cut(original, chosen, tmp_path / "one", why=WHY, shard_bytes=SMALL)
    elsewhere = tmp_path / "elsewhere" / "copy"
    shutil.copytree(original, elsewhere)
    mixed_up = chosen.take(pa.array(np.random.default_rng(3).permutation(len(chosen))))
    batches = iter(mixed_up.to_batches(7))
    report = cut(elsewhere, batches, tmp_path / "two", why=dict(reversed(WHY.items())), shard_bytes=SMALL, workers=2)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert report["shards"] > 6
    said = b"".join(body for name, body in contents(tmp_path / "two").items() if not name.endswith(".tar"))
    assert str(tmp_path).encode() not in said
    assert b"elsewhere" not in said


def test_sources_without_a_chosen_sample_are_absent(mixed: Path, tmp_path: Path):
    keys = [key for key in rows_of(mixed)["key"].to_pylist() if key.startswith("bccd-")]
    report = cut(mixed, pa.table({"key": keys[:5]}), tmp_path / "out", why=WHY)
    assert list(report["sources"]) == Release(tmp_path / "out").sources == ["bccd"]
    assert "phantom" not in (tmp_path / "out/README.md").read_text()


def test_it_loads_like_its_original(mixed: Path, tmp_path: Path):
    chosen = some_of(mixed, step=7)
    cut(mixed, chosen, tmp_path / "out", why=WHY)
    keys = set(chosen["key"].to_pylist())
    whole = {row["__key__"]: row for rows in medloom.load(mixed).values() for row in rows if row["__key__"] in keys}
    loaded = medloom.load(tmp_path / "out")
    mapped, streamed = load_dataset(str(tmp_path / "out")), load_dataset(str(tmp_path / "out"), streaming=True)
    assert set(loaded) == set(mapped) == set(streamed)
    for rows in (loaded, mapped, streamed):
        found = {row["__key__"]: row for split in rows.values() for row in split}
        assert found.keys() == keys
        for key, row in found.items():
            assert row["json"] == whole[key]["json"]
            assert np.array_equal(np.asarray(row["image"]), np.asarray(whole[key]["image"]))


def test_excluded_samples_are_left_behind(built, tmp_path: Path):
    root, _ = built("brain_tumor_mri")
    table = pq.read_table(Release(root).index_path("brain_tumor_mri"), columns=["key", "split"])
    out = table.filter(pa.compute.equal(table["split"], "excluded"))["key"]
    assert len(out)
    cut(root, some_of(root, step=40), tmp_path / "out", why=WHY)
    assert set(rows_of(tmp_path / "out")["split"].to_pylist()) <= set(SPLITS)
    assert len(pq.read_table(Release(tmp_path / "out").index_path("brain_tumor_mri"))) == len(some_of(root, step=40))
    with pytest.raises(UsageError, match=r"excluded in the release.*-in-.*expected samples of a split"):
        cut(root, pa.table({"key": out.slice(0, 2)}), tmp_path / "no", why=WHY)


# what is said of it


def test_a_recipe_of_a_cut_tells_both_releases_apart(original: Path, tmp_path: Path):
    cut(original, some_of(original), tmp_path / "out", why=WHY, shard_bytes=SMALL)
    was, now = Release(original).recipe("phantom"), Release(tmp_path / "out").recipe("phantom")
    assert was
    assert now
    assert {name: now[name] for name in ("facts", "versions")} == {name: was[name] for name in ("facts", "versions")}
    assert now["options"] == was["options"] | {"shard_bytes": SMALL}
    assert not {"raw", "builder_sha256"} & now.keys()
    of = now["cut"]["of"]
    told = ("raw", "builder_sha256", "counts", "splits", "options", "versions", "content_sha256")
    assert {name: of[name] for name in told} == {name: was[name] for name in told}
    assert now["cut"]["why"] == WHY
    assert (now["cut"]["samples"], now["cut"]["of_samples"]) == (sum(now["splits"].values()), sum(was["splits"].values()))


def test_the_readme_says_how_to_cut_again(original: Path, tmp_path: Path):
    cut(original, some_of(original), tmp_path / "out", why=WHY)
    readme = (tmp_path / "out/README.md").read_text()
    assert "## A selection" in readme
    assert "medloom select RELEASE --modality CT --where 'height_px > 20' --out DIR" in readme
    assert Release(original).recipes()[0]["content_sha256"] in readme
    assert "## A selection" not in (original / "README.md").read_text()


def test_check_tells_how_many_were_chosen_and_names_another_count(original: Path, tmp_path: Path):
    cut(original, some_of(original), tmp_path / "out", why=WHY)
    samples = len(some_of(original))
    told = check(tmp_path / "out")["sources"]["phantom"]["cut"]
    assert (told["samples"], told["of_samples"], told["moved"]) == (samples, len(rows_of(original)), 0)
    path = tmp_path / "out/recipes/phantom.json"
    recipe = json.loads(path.read_text())
    recipe["cut"]["samples"] += 1
    path.write_text(json.dumps(recipe))
    faults = check(tmp_path / "out")["faults"]
    assert [(fault["code"], fault["where"], fault["next"]) for fault in faults] == [
        ("count-differs", "recipes/phantom.json", "cut it again, as the README says")
    ]


def test_a_cut_of_a_cut(original: Path, tmp_path: Path):
    cut(original, by_group(original), tmp_path / "one", why={"protocol": "medmat", "seed": 0})
    cut(tmp_path / "one", some_of(tmp_path / "one"), tmp_path / "two", why=WHY)
    one, two = members(tmp_path / "one"), members(tmp_path / "two")
    assert two == {key: one[key] for key in some_of(tmp_path / "one")["key"].to_pylist()}
    assert check(tmp_path / "two")["faults"] == []
    recipe = Release(tmp_path / "two").recipe("phantom")
    assert recipe
    assert recipe["cut"]["of"]["cut"]["why"] == {"protocol": "medmat", "seed": 0}
    assert recipe["cut"]["of"]["cut"]["of"]["content_sha256"] == Release(original).recipes()[0]["content_sha256"]
    readme = (tmp_path / "two/README.md").read_text()
    assert "medloom select RELEASE --protocol medmat --seed 0 --out CUT-1\nmedloom select CUT-1 --modality CT" in readme


# again, and in the way


def test_the_same_cut_again_changes_nothing(original: Path, tmp_path: Path):
    first = cut(original, some_of(original), tmp_path / "out", why=WHY)
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")}
    shutil.rmtree(tmp_path / "out.work")
    again = cut(original, some_of(original), tmp_path / "out", why=WHY)
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*")} == times
    assert {**again, "seconds": 0} == {**first, "seconds": 0}


def test_another_cut_into_the_same_folder_is_refused(original: Path, tmp_path: Path):
    cut(original, some_of(original), tmp_path / "out", why=WHY)
    before = contents(tmp_path / "out")
    for chosen, why in ((some_of(original, step=2), WHY), (some_of(original), {"modality": "MR"})):
        with pytest.raises(UsageError, match="something else than this cut"):
            cut(original, chosen, tmp_path / "out", why=why)
    next((tmp_path / "out").rglob("*.tar")).unlink()
    with pytest.raises(UsageError, match="not all of its shards"):
        cut(original, some_of(original), tmp_path / "out", why=WHY)
    assert len(contents(tmp_path / "out")) == len(before) - 1


def test_a_folder_that_is_taken_is_refused_and_left_alone(original: Path, tmp_path: Path):
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("all I have")
    (tmp_path / "file").write_text("a file")
    copied = tmp_path / "copy"
    shutil.copytree(original, copied)
    for taken in (mine, tmp_path / "file", copied):
        with pytest.raises(UsageError, match="something else than this cut"):
            cut(original, some_of(original), taken, why=WHY)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "file", "mine"]
    assert (contents(mine), contents(copied)) == ({"thesis.txt": b"all I have"}, contents(original))


def test_an_empty_folder_is_taken(original: Path, tmp_path: Path):
    (tmp_path / "out").mkdir()
    cut(original, some_of(original), tmp_path / "out", why=WHY)
    assert check(tmp_path / "out")["faults"] == []


def test_one_cut_at_a_time(original: Path, tmp_path: Path):
    with locked(tmp_path / "out"), pytest.raises(UsageError, match="another build is writing"):
        cut(original, some_of(original), tmp_path / "out", why=WHY)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("inside", [".", "cut", "data/cut"])
def test_the_release_itself_is_no_place(inside: str, original: Path):
    before = sorted(original.parent.rglob("*"))
    with pytest.raises(UsageError, match="lies inside it"):
        cut(original, some_of(original), original / inside, why=WHY)
    assert sorted(original.parent.rglob("*")) == before


def test_the_index_is_read_a_few_row_groups_at_a_time(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = tmp_path / "release"
    shutil.copytree(original, root)
    path = Release(root).index_path("phantom")
    pq.write_table(pq.read_table(path), path, row_group_size=5)
    monkeypatch.setattr(chosen_rows, "ROWS_AT_ONCE", 12)
    cut(root, some_of(original), tmp_path / "one", why=WHY, shard_bytes=SMALL)
    monkeypatch.undo()
    cut(original, some_of(original), tmp_path / "two", why=WHY, shard_bytes=SMALL)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_progress_counts_shards_and_samples(original: Path, tmp_path: Path):
    seen: list[tuple[str, int, int, int]] = []
    report = cut(
        original, some_of(original), tmp_path / "out", why=WHY, shard_bytes=SMALL, progress=lambda *one: seen.append(one)
    )
    assert [one[:3] for one in seen] == [
        (
            "copy",
            number + 1,
            report["shards"],
        )
        for number in range(report["shards"])
    ]
    assert seen[-1][3] == report["samples"]
