"""Copies planted in a small release, in a folder, and in another release."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from medloom.builders.build import Options, build
from medloom.builders.duplicates.find import PAIRS, Found, against, within
from medloom.schema.release import Release


def scene(seed: int) -> np.ndarray:
    """260×340×3 uint8: soft structure at all scales."""
    random = np.random.default_rng(seed)
    layers = [
        cv2.resize(random.random((n, n, 3)).astype(np.float32), (340, 260), interpolation=cv2.INTER_CUBIC)
        for n in (4, 9, 20, 40)
    ]
    picture = sum(layer / (1 + at) for at, layer in enumerate(layers))
    return np.clip(picture / picture.max() * 210, 0, 255).astype(np.uint8)


def changed(picture: np.ndarray) -> np.ndarray:
    """Cropped by 5 % in total off the centre, brighter, half the size."""
    crop = picture[3:250, 14:337]
    return cv2.resize(cv2.convertScaleAbs(crop, alpha=1.15), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


BLOB = np.zeros((260, 340, 3), np.uint8)
cv2.circle(BLOB, (170, 130), 12, (200, 200, 200), -1)
DIM_BLOB = cv2.GaussianBlur(BLOB, (0, 0), 4) // 2


def all_in_train(tiny) -> Path:
    """The builder file, edited: else a build itself would leave out identical pictures of other splits."""
    spec = Path(tiny.spec)
    spec.write_text(spec.read_text().replace("reader=", 'split="train", reader='))
    return spec


@pytest.fixture
def planted(tiny) -> Release:
    """Twelve scenes; of 0 an identical twin, of 1 a changed one, saved as JPEG 60; two blanks; two blobs on black."""
    all_in_train(tiny)
    for old in [*tiny.raw.glob("*/*.png"), *tiny.raw.glob("*/*.jpg")]:
        old.unlink()
    red, white = tiny.raw / "red", tiny.raw / "white"
    for seed in range(12):
        Image.fromarray(scene(seed)).save(red / f"{seed:02d}.png")
    Image.fromarray(scene(0)).save(red / "twin.png")
    Image.fromarray(changed(scene(1))).save(white / "changed.jpg", quality=60)
    Image.fromarray(np.ascontiguousarray(scene(2)[:, ::-1])).save(white / "mirrored.png")
    for number, name in enumerate(("blank a", "blank b")):
        Image.fromarray(np.full((100, 100 + number, 3), 30 * number, np.uint8)).save(white / f"{name}.png")
    Image.fromarray(BLOB).save(white / "blob.png")
    Image.fromarray(DIM_BLOB).save(white / "dim blob.png")
    build(tiny.spec, tiny.raw, tiny.release, options=Options())
    return Release.open(tiny.release)


def named(release: Release, folder: Path) -> dict[str, str]:
    """Key → raw name, by the digest of the raw file."""
    digests = {hashlib.sha256(path.read_bytes()).hexdigest(): path.stem for path in folder.glob("*/*")}
    table = pq.read_table(release.index_path("tiny"), columns=["key", "provenance_raw_sha256"]).to_pylist()
    return {row["key"]: digests[row["provenance_raw_sha256"]] for row in table}


def kinds(found: Found, names: dict[str, str]) -> set[tuple[frozenset[str], str]]:
    return {(frozenset({names.get(pair.a, pair.a), names.get(pair.b, pair.b)}), pair.kind) for pair in found.listed()}


@pytest.mark.parametrize("workers", [1, 2])
def test_planted_copies_are_found_and_nothing_else(tiny, planted, workers):
    found = within(planted, workers=workers)
    names = named(planted, tiny.raw)
    pairs = found.pairs.to_pylist()
    assert {(pair["kind"], pair["a_key"] < pair["b_key"]) for pair in pairs} == {("exact", True), ("near", True)}
    (near,) = (pair for pair in found.listed() if pair.kind == "near")
    assert {names[near.a], names[near.b]} == {"01", "changed"}
    (exact,) = (pair for pair in found.listed() if pair.kind == "exact")
    assert (exact.distance, exact.score) == (0, 1.0)
    assert exact.a != exact.b
    assert found.pairs.schema == PAIRS
    assert {pair["a_source"] for pair in pairs} == {"tiny"}
    assert found.counts["low_information"] == 2
    assert found.counts["sparse"] == 1
    assert found.counts["exact"] == found.counts["near"] == 1


def test_the_same_pairs_on_every_run(planted):
    once, twice = within(planted), within(planted, workers=2)
    assert once.pairs.equals(twice.pairs)
    assert once.counts == twice.counts


def test_pairs_of_one_group_are_left_out_and_counted(tiny):
    spec = Path(tiny.spec)
    spec.write_text(spec.read_text().replace("reader=", 'group="one", group_kind="patient", reader='))
    twin = tiny.raw / "red" / "cell 01.png"
    for number in range(4):
        (tiny.raw / "red" / f"twin {number}.png").write_bytes(twin.read_bytes())
    build(tiny.spec, tiny.raw, tiny.release, options=Options())
    found = within(Release.open(tiny.release))
    assert len(found.pairs) == 0
    assert found.counts["same_group_exact"] == 10


def test_a_folder_is_compared_and_its_faults_are_told(tiny, planted, tmp_path):
    mine = tmp_path / "mine"
    (mine / "deep").mkdir(parents=True)
    Image.fromarray(scene(4)).save(mine / "deep" / "same.bmp")
    Image.fromarray(changed(scene(5))).save(mine / "small.jpg", quality=60)
    Image.fromarray(scene(99)).save(mine / "other.png")
    Image.fromarray(np.zeros((80, 80), np.uint8)).save(mine / "blank.png")
    (mine / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    found = against(planted, mine)
    names = named(planted, tiny.raw)
    assert kinds(found, names) == {(frozenset({"04", "deep/same.bmp"}), "exact"), (frozenset({"05", "small.jpg"}), "near")}
    assert [issue.where for issue in found.issues] == ["broken.png"]
    assert found.counts["unreadable"] == 1
    assert found.pairs["b_source"].null_count == 2
    assert found.pairs["b_group"].to_pylist() == found.pairs["b_key"].to_pylist()


def test_the_whole_picture_of_a_crop_that_the_release_holds_is_found(tiny, planted, tmp_path):
    (tmp_path / "mine").mkdir()
    Image.fromarray(cv2.resize(scene(1), (680, 520), interpolation=cv2.INTER_CUBIC)).save(tmp_path / "mine" / "large.png")
    found = against(planted, tmp_path / "mine")
    names = named(planted, tiny.raw)
    assert {names[pair.a] for pair in found.listed()} == {"01", "changed"}


def test_another_release_is_compared_whatever_its_groups(tiny, planted, tmp_path):
    other = tmp_path / "other"
    build(tiny.spec, tiny.raw, other, options=Options())
    found = against(planted, other)
    same = [pair for pair in found.listed() if pair.a == pair.b]
    assert len(same) >= found.counts["compared"] // 2 - 1
    assert {pair.kind for pair in same} == {"exact"}
    assert found.pairs["b_source"].null_count == 0


def test_a_release_without_sources_has_no_pairs(tmp_path):
    (tmp_path / "recipes").mkdir()
    (tmp_path / "README.md").write_text("# empty")
    found = within(Release.open(tmp_path))
    assert len(found.pairs) == 0
    assert found.counts["compared"] == 0


def test_progress_names_its_stages(planted):
    stages = []
    within(planted, progress=lambda stage, done, total: stages.append((stage, done <= total)))
    assert list(dict.fromkeys(stages)) == [("thumbnails", True), ("search", True), ("verify", True)]


def test_many_identical_pictures_make_few_pairs(tiny):
    twin = scene(3)
    for number in range(120):
        Image.fromarray(twin).save(tiny.raw / "red" / f"twin {number}.bmp")
    spec = all_in_train(tiny)
    spec.write_text(spec.read_text().replace('raw.glob("*/*.png", "*/*.jpg")', 'raw.glob("*/*.bmp")'))
    build(tiny.spec, tiny.raw, tiny.release, options=Options())
    found = within(Release.open(tiny.release))
    assert found.counts["compared"] == 120
    assert len(found.pairs) == 119
    assert found.counts["verified"] == 0


def test_real_copies_of_two_sources_are_found(built):
    mri, yolo = (built(name)[0] for name in ("brain_tumor_mri", "brain_tumor_yolo"))
    found = against(Release.open(mri), yolo, workers=2)
    assert found.counts["near"] == 4
    assert min(pair.score for pair in found.listed()) > 0.99
