"""What `load` adds on request, masks and drawn prompts, and rows of sources whose pixels are withheld."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import Features, load_dataset
from PIL import Image

from medloom.builders.build import Options, build
from medloom.cards.publishing.stage import stage
from medloom.generation.asking.ask import ask
from medloom.schema.errors import ReleaseError, UsageError
from medloom.schema.load import load
from medloom.schema.mask import mask_from_rle
from medloom.schema.prompt_drawing import drawn
from medloom.schema.published import Mode
from medloom.schema.question import prompt_of
from medloom.schema.release import Release


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, raw_root: Callable[[str], Path], marked: Path) -> Path:
    """The phantom and the marked pictures, with MIMOSeg's questions."""
    release = tmp_path_factory.mktemp("asked") / "release"
    build("phantom", raw_root("phantom"), release, options=Options(shard_bytes=300_000))
    build(str(marked.parent / "marked.py"), marked.parent / "raw", release, options=Options(shard_bytes=30_000))
    ask(release, "mimoseg")
    return release


@pytest.fixture(scope="module")
def withheld(asked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with the records alone of the marked pictures."""
    out = tmp_path_factory.mktemp("withheld") / "release"
    return stage(Release.open(asked), out, modes={"marked": Mode.ANNOTATIONS}).root


@pytest.fixture(scope="module")
def by_keys(asked: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, with the keys alone of the marked pictures."""
    out = tmp_path_factory.mktemp("keys") / "release"
    return stage(Release.open(asked), out, modes={"marked": Mode.RECIPE}).root


@pytest.mark.parametrize("streaming", [False, True])
def test_masks_are_pictures_as_large_as_the_image(asked: Path, streaming: bool):
    rows = load(asked, split="test", granularity="mask", masks=True, streaming=streaming)
    count = 0
    for row in rows:
        held = [one for one in row["json"]["annotations"] if one["rle"] is not None]
        assert [(one["id"], one["label"], one["label_id"]) for one in held] == [
            (one["annotation"], one["label"], one["label_id"]) for one in row["masks"]
        ]
        for one, told in zip(held, row["masks"], strict=True):
            array = np.asarray(told["mask"])
            assert (told["mask"].mode, array.dtype) == ("1", bool)
            assert array.shape == row["image"].size[::-1]
            assert np.array_equal(array, mask_from_rle(one["rle"], tuple(row["json"]["size_hw_px"])))
        count += len(held)
    assert count


@pytest.mark.parametrize("streaming", [False, True])
def test_prompts_are_drawn_on_a_copy(asked: Path, streaming: bool):
    rows = load(asked, suite="mimoseg", split="test", prompts=True, streaming=streaming)
    plain = load(asked, suite="mimoseg", split="test")
    prompted = 0
    for row, other in zip(rows, plain, strict=True):
        assert np.array_equal(np.asarray(row["image"]), np.asarray(other["image"]))
        prompts = [prompt_of(one) for one in row["prompts"]]
        assert np.array_equal(np.asarray(row["drawn"]), np.asarray(drawn(other["image"], prompts, other["json"])))
        changed = not np.array_equal(np.asarray(row["drawn"]), np.asarray(other["image"].convert("RGB")))
        assert changed == bool(prompts)
        prompted += bool(prompts)
    assert prompted


def test_streams_say_what_their_columns_are(asked: Path):
    rows: Any = load(asked, suite="mimoseg", split="test", masks=True, prompts=True, streaming=True)
    assert isinstance(rows.features, Features)
    assert {"image", "json", "masks", "drawn", "question"} <= set(rows.features)
    assert set(next(iter(rows))) == set(rows.features)


def test_a_row_that_is_changed_changes_no_other(asked: Path):
    rows: Any = load(asked, suite="mimoseg", split="test", masks=True)
    keys = rows["key"]
    place = next(place for place in range(len(rows)) if keys[place] == keys[place + 1] and rows[place]["masks"])
    batch = rows[place : place + 2]
    for picture in (batch["image"][0], batch["masks"][0][0]["mask"]):
        picture.paste(Image.new(picture.mode, picture.size))
    assert np.asarray(batch["image"][1]).any()
    assert np.asarray(batch["masks"][1][0]["mask"]).any()


def test_prompts_want_a_suite(asked: Path):
    with pytest.raises(UsageError, match="prompts without a suite; expected the suite whose prompts are to be drawn"):
        load(asked, prompts=True)


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("suite", [None, "mimoseg"])
def test_records_come_without_pixels_where_those_are_withheld(asked: Path, withheld: Path, suite: str | None, streaming: bool):
    how: Any = {"split": "train", "suite": suite, "streaming": streaming, "masks": True, "prompts": suite is not None}
    found, whole = list(load(withheld, "marked", **how)), list(load(asked, "marked", **how))
    assert found
    assert all(row["image"] is None and "/records/marked/" in row["__url__"] for row in found)
    assert all(row["drawn"] is None for row in found if suite)
    for row, other in zip(found, whole, strict=True):
        assert [np.asarray(one.pop("mask")).sum() for one in row["masks"]] == [
            np.asarray(one.pop("mask")).sum() for one in other["masks"]
        ]
        same = set(row) - {"image", "drawn", "__url__"}
        assert {name: row[name] for name in same} == {name: other[name] for name in same}


def test_records_are_those_of_load_dataset(withheld: Path):
    theirs = load_dataset(str(withheld), "marked", split="train")
    ours = load(withheld, "marked", split="train")
    assert [(row["image"], row["json"], row["__key__"]) for row in ours] == [
        (row["image"], row["json"], row["__key__"]) for row in theirs
    ]


@pytest.mark.parametrize("held", ["withheld", "by_keys"])
def test_a_source_without_pixels_is_not_in_the_whole(asked: Path, request: pytest.FixtureRequest, held: str):
    release = request.getfixturevalue(held)
    phantom = len(load(asked, "phantom", split="train"))
    assert len(load(release, split="train")) == phantom
    assert len(load(release, split="train", where="key IN (SELECT key FROM samples)")) == phantom


def test_a_source_of_records_alone_has_a_config_of_its_own(withheld: Path):
    assert len(load(withheld, split="train", source="marked")) == 0
    assert len(load(withheld, "marked", split="train", source="marked")) > 0


def test_a_source_of_keys_alone_has_no_config(by_keys: Path):
    with pytest.raises(UsageError, match="config 'marked'; expected one of"):
        load(by_keys, "marked")
    with pytest.raises(UsageError, match=r"source 'marked' is published as a recipe alone; expected .*`medloom rebuild`"):
        load(by_keys, split="train", source=["phantom", "marked"])


def test_a_record_that_is_missing_is_told(withheld: Path, tmp_path: Path):
    shutil.copytree(withheld, tmp_path / "release")
    tar = next((tmp_path / "release" / "records").rglob("train-*.tar"))
    tar.write_bytes(b"\0" * 10240)
    with pytest.raises(ReleaseError, match=r"records/marked/.*: no record of marked-\w+; expected one for each row"):
        load(tmp_path / "release", "marked", split="train")
    tar.unlink()
    with pytest.raises(ReleaseError, match="expected a tar of records"):
        load(tmp_path / "release", "marked", split="train")
