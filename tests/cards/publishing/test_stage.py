"""The folder as it will be published: less of a source where that is asked for, and proof that the rest is whole."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from datasets import Image, load_dataset

from medloom.builders.duplicates.certificate import certify
from medloom.builders.duplicates.find import PAIRS
from medloom.cards.browse import summary
from medloom.cards.publishing import stage as staging
from medloom.cards.publishing.stage import stage
from medloom.schema.check_release import check
from medloom.schema.errors import ReleaseError, UsageError
from medloom.schema.lexicon import Lexicon
from medloom.schema.published import ENTRY, Mode, mode_of, records
from medloom.schema.release import Release
from medloom.schema.shard import pairs

MODES = {"shared_cells": Mode.ANNOTATIONS, "open_cells": Mode.RECIPE}


def bytes_of(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def codes(release: Release) -> set[str]:
    return {fault["code"] for fault in check(release.root)["faults"]}


def test_a_whole_release_is_staged_by_links_and_nothing_of_it_changes(cells: Release, tmp_path: Path):
    before = bytes_of(cells.root)
    staged = stage(cells, tmp_path / "staged")
    assert bytes_of(staged.root) == before == bytes_of(cells.root)
    assert all((staged.root / path).samefile(cells.root / path) for path in before if path.startswith(("data/", "index/")))


def test_where_disks_have_no_links_files_are_copied(cells: Release, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(staging.os, "link", refuse)
    assert bytes_of(stage(cells, tmp_path / "staged").root) == bytes_of(cells.root)


def test_a_certificate_goes_along_with_fewer_sources(cells: Release, tmp_path: Path):
    release = Release(Path(shutil.copytree(cells.root, tmp_path / "release")))
    certify(release, PAIRS.empty_table(), search={"parameters": {}, "counts": {}})
    staged = stage(release, tmp_path / "staged", sources=["open_cells"])
    assert codes(staged) == set()
    groups, every = (pq.read_table(one.root / "certificate/groups.parquet") for one in (staged, release))
    assert 0 < len(groups) < len(every)
    assert set(groups["group"].to_pylist()) < set(every["group"].to_pylist())
    keys = stage(release, tmp_path / "keys", sources=["open_cells"], modes={"open_cells": Mode.RECIPE})
    assert not (keys.root / "certificate").exists()


def test_annotations_are_records_without_pixels_and_load_as_such(cells: Release, tmp_path: Path):
    staged = stage(cells, tmp_path / "staged", modes={"shared_cells": Mode.ANNOTATIONS})
    result = check(staged.root)
    assert (result["faults"], result["samples"]) == ([], 100)
    for one in (False, True):
        whole = load_dataset(str(cells.root), "shared_cells", split="train", streaming=one)
        less = load_dataset(str(staged.root), "shared_cells", split="train", streaming=one)
        wanted = [(row["__key__"], None, row["json"]) for row in whole.cast_column("image", Image(decode=False))]
        assert [(row["__key__"], row["image"], row["json"]) for row in less] == wanted
    assert set(load_dataset(str(staged.root), split="train")["json"][0])
    assert not (staged.root / "data/shared_cells").exists()
    default = load_dataset(str(staged.root), split="train", streaming=True)
    assert {row["json"]["source"] for row in default} == {"open_cells"}


def test_no_pixel_of_a_withheld_source_is_staged(cells: Release, tmp_path: Path):
    staged = stage(cells, tmp_path / "staged", modes=MODES)
    bodies = b"".join(bytes_of(staged.root).values())
    images = [image for path in cells.root.glob("data/**/*.tar") for _, image, _, _ in pairs(path)]
    assert len(images) == 100
    assert not any(image[40:200] in bodies for image in images)
    assert check(staged.root)["faults"] == []
    assert sorted({path.split("/")[0] for path in bytes_of(staged.root)}) == [
        "README.md", "index", "questions", "recipes", "records",
    ]  # fmt: skip


def test_records_come_in_the_order_of_the_shard_with_its_bytes(cells: Release, tmp_path: Path):
    staged = stage(cells, tmp_path / "staged", modes=MODES)
    recipe = staged.recipe("shared_cells")
    assert recipe is not None
    for shard, held in zip(recipe["shards"], recipe[ENTRY]["shards"], strict=True):
        wanted = [(key, record) for key, _, record, _ in pairs(cells.root / shard["path"])]
        assert list(records(staged.root / held["path"])) == wanted
        assert sha256((staged.root / held["path"]).read_bytes()).hexdigest() == held["sha256"]


def test_keys_repeat_the_index_and_questions_of_a_recipe_stay_behind(cells: Release, tmp_path: Path):
    staged = stage(cells, tmp_path / "staged", modes=MODES)
    keys = pq.read_table(staged.root / "index/open_cells/keys.parquet").to_pylist()
    rows = pq.read_table(cells.index_path("open_cells")).sort_by("key").to_pylist()
    wanted = [(row["key"], row["split"], row["provenance_pixel_sha256"], row["provenance_perceptual_hash"]) for row in rows]
    assert [tuple(row.values()) for row in keys] == wanted
    assert not (staged.root / "questions/medmat/open_cells").exists()
    assert (staged.root / "questions/medmat/shared_cells").is_dir()
    only = stage(cells, tmp_path / "only", modes=dict.fromkeys(cells.sources, Mode.RECIPE))
    assert only.suites == []
    assert check(only.root)["faults"] == []


def test_the_same_release_and_modes_give_the_same_bytes_and_staging_again_less(cells: Release, tmp_path: Path):
    first = stage(cells, tmp_path / "first", modes=MODES)
    assert bytes_of(stage(cells, tmp_path / "second", modes=MODES).root) == bytes_of(first.root)
    halfway = stage(cells, tmp_path / "halfway", modes={"shared_cells": Mode.ANNOTATIONS})
    again = stage(halfway, tmp_path / "again", modes={"open_cells": Mode.RECIPE})
    assert bytes_of(again.root) == bytes_of(first.root)
    with pytest.raises(UsageError, match="at most annotations"):
        stage(halfway, tmp_path / "more", modes={"shared_cells": Mode.FULL})


def test_some_sources_alone_with_their_questions(cells: Release, tmp_path: Path):
    (cells.root / "overrides.json").write_text(json.dumps([entry("open_cells"), entry("shared_cells"), entry(None)]))
    try:
        staged = stage(cells, tmp_path / "staged", sources=["open_cells"])
    finally:
        (cells.root / "overrides.json").unlink()
    assert staged.sources == ["open_cells"]
    assert check(staged.root)["faults"] == []
    info = json.loads((staged.root / "questions/medmat/suite.json").read_text())
    assert info["counts"]["source"] == {"open_cells": info["questions"]}
    assert [one["source"] for one in json.loads((staged.root / "overrides.json").read_text())] == ["open_cells", None]


def test_lists_that_are_about_nothing_here_stay_away(own_cells: Callable[..., Release], tmp_path: Path):
    """A withdrawal from one source changes no repository that holds others alone."""
    release = own_cells()
    before = bytes_of(stage(release, tmp_path / "before", sources=["open_cells"]).root)
    for name in ("overrides.json", "withdrawn.json"):
        (release.root / name).write_text(json.dumps([entry("shared_cells")]))
    assert bytes_of(stage(release, tmp_path / "after", sources=["open_cells"]).root) == before


def entry(source: str | None) -> dict[str, str | None]:
    return {"gate": "licence", "code": "pixels-not-granted", "source": source, "reason": "a test"}


def test_what_is_staged_can_be_looked_at(cells: Release, tmp_path: Path):
    staged = stage(cells, tmp_path / "staged", modes=MODES)
    assert [(one["source"], sum(one["splits"].values())) for one in summary(staged)["sources"]] == [
        ("open_cells", 0),
        ("shared_cells", 50),
    ]
    assert staged.indexed == ["shared_cells"]
    assert Lexicon.open(staged).select().count() == 50


def test_calls_that_make_no_sense(cells: Release, own_cells: Callable[..., Release], tmp_path: Path):
    with pytest.raises(UsageError, match="'absent' isn't in"):
        stage(cells, tmp_path / "staged", modes={"absent": Mode.FULL})
    with pytest.raises(UsageError, match="no source to publish"):
        stage(cells, tmp_path / "staged", sources=[])
    release = own_cells()
    next(release.root.glob("data/open_cells/**/*.tar")).unlink()
    with pytest.raises(ReleaseError, match="no such file"):
        stage(release, tmp_path / "staged")
    with pytest.raises(ReleaseError, match="as it was built"):
        stage(release, tmp_path / "staged", modes={"open_cells": Mode.ANNOTATIONS})


def changed_recipe(staged: Release, source: str, **published: object) -> None:
    recipe = staged.recipe(source)
    assert recipe is not None
    path = staged.recipe_path(source)
    path.write_text(json.dumps({**recipe, ENTRY: {**recipe[ENTRY], **published}}))


def test_the_check_proves_what_is_published(cells: Release, tmp_path: Path):
    staged = stage(cells, tmp_path / "staged", modes=MODES)
    keys, tar = staged.root / "index/open_cells/keys.parquet", next(staged.root.glob("records/**/*.tar"))
    table, records_tar = pq.read_table(keys), tar.read_bytes()
    pq.write_table(table.slice(1), keys)
    assert codes(staged) == {"digest-differs", "count-differs"}
    pq.write_table(table.sort_by([("key", "descending")]), keys)
    assert codes(staged) == {"digest-differs", "key-order"}
    keys.write_bytes(b"no table")
    assert codes(staged) == {"bad-index"}
    stage(cells, staged.root, modes=MODES)
    tar.write_bytes(records_tar.replace(b'"modality"', b'"modulity"', 1))
    assert {"digest-differs", "bad-record"} <= codes(staged)
    os.truncate(tar, 1024)
    assert {"digest-differs", "index-differs", "count-differs"} <= codes(staged)
    tar.unlink()
    assert "missing-shard" in codes(staged)
    stage(cells, staged.root, modes=MODES)
    changed_recipe(staged, "shared_cells", shards=[])
    assert {"bad-recipe", "stray-file"} <= codes(staged)
    changed_recipe(staged, "shared_cells", mode="some", shards=[])
    with pytest.raises(ValueError, match="some"):
        mode_of(staged.recipe("shared_cells") or {})
