"""Thumbnails of a release, kept between calls, and of a plain folder."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from medloom.builders.build import Options, build
from medloom.builders.duplicates import thumbnails
from medloom.builders.duplicates.thumbnails import cache_of, of_folder, of_release
from medloom.schema.errors import ReleaseError, UsageError
from medloom.schema.load import load
from medloom.schema.pixels import perceptual_hash, pixel_sha256, thumbnail
from medloom.schema.release import Release


@pytest.fixture
def release(tiny) -> Release:
    build(tiny.spec, tiny.raw, tiny.release, options=Options())
    return Release.open(tiny.release)


def picture(seed: int, size: tuple[int, int] = (90, 120)) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)


def test_thumbnails_are_those_of_the_stored_images(release):
    seen: list[tuple[str, int, int]] = []
    pictures = of_release(release, progress=lambda *now: seen.append(now))
    keys = pictures.rows["key"].to_pylist()
    assert keys == sorted(keys)
    assert len(keys) == 80
    assert seen[-1] == ("thumbnails", 80, 80)
    small = dict(zip(keys, pictures.thumbnails(np.arange(80)), strict=True))
    digests = dict(zip(keys, pictures.digests, strict=True))
    hashes = dict(zip(keys, pictures.hashes, strict=True))
    for split in load(release.root).values():
        for row in split:
            pixels = np.array(row["image"])
            assert np.array_equal(small[row["__key__"]], thumbnail(pixels))
            assert digests[row["__key__"]].tobytes().hex() == pixel_sha256(pixels)
            assert hashes[row["__key__"]].tobytes().hex() == perceptual_hash(thumbnail(pixels))


def test_thumbnails_come_in_the_order_asked_for(release):
    pictures = of_release(release)
    rows = np.array([7, 3, 3, 50])
    assert np.array_equal(pictures.thumbnails(rows), pictures.thumbnails(np.arange(80))[rows])


def test_a_second_call_reads_no_shard(release):
    first = of_release(release).thumbnails(np.arange(80))
    shutil.rmtree(release.root / "data")
    assert np.array_equal(of_release(release).thumbnails(np.arange(80)), first)
    assert [path.suffix for path in cache_of(release).iterdir()] == [".npy"]


def test_a_rebuilt_source_gets_new_thumbnails(tiny, release):
    of_release(release)
    (old,) = cache_of(release).iterdir()
    Image.fromarray(picture(9)).save(tiny.raw / "red" / "cell 01.png")
    build(tiny.spec, tiny.raw, tiny.release, options=Options(fresh=True))
    pictures = of_release(release)
    (new,) = cache_of(release).iterdir()
    assert new != old
    wanted = pixel_sha256(picture(9))
    (row,) = [n for n, digest in enumerate(pictures.digests) if digest.tobytes().hex() == wanted]
    assert np.array_equal(pictures.thumbnails(np.array([row]))[0], thumbnail(picture(9)))


def test_two_workers_make_the_same(tiny, release):
    alone = of_release(release).thumbnails(np.arange(80))
    shutil.rmtree(cache_of(release))
    assert np.array_equal(of_release(release, workers=2).thumbnails(np.arange(80)), alone)


def test_a_broken_shard_is_named_and_leaves_no_file(release):
    table = pq.read_table(release.index_path("tiny"))
    shard = release.root / table["shard"].to_pylist()[0]
    shard.write_bytes(b"\0" * shard.stat().st_size)
    with pytest.raises(ReleaseError, match=shard.name):
        of_release(release)
    assert list(cache_of(release).iterdir()) == []


def test_excluded_samples_are_counted_and_take_no_part(tiny):
    twin = np.array(Image.open(tiny.raw / "red" / "cell 01.png"))
    for number in range(10):
        Image.fromarray(twin).save(tiny.raw / "white" / f"twin {number}.png")
    build(tiny.spec, tiny.raw, tiny.release, options=Options())
    release = Release.open(tiny.release)
    splits = pq.read_table(release.index_path("tiny"), columns=["split"])["split"].to_pylist()
    pictures = of_release(release)
    assert pictures.excluded == splits.count("excluded") > 0
    assert len(pictures) == len(splits) - pictures.excluded


def folder_of(path: Path) -> Path:
    (path / "inner").mkdir(parents=True)
    Image.fromarray(picture(1)).save(path / "inner" / "b.png")
    Image.fromarray(picture(2)).save(path / "a.jpg", quality=90)
    Image.fromarray(picture(3)[..., 0].astype(np.uint16) * 250).save(path / "deep.png")
    Image.fromarray(np.zeros((50, 50), np.uint8)).save(path / "blank.bmp")
    (path / "broken.png").write_bytes((path / "inner" / "b.png").read_bytes()[:200])
    (path / "empty.jpg").touch()
    (path / "notes.txt").write_text("not a picture")
    return path


@pytest.mark.parametrize("workers", [1, 2])
def test_a_folder_is_read_whole_and_its_faults_are_named(tmp_path, workers):
    pictures = of_folder(folder_of(tmp_path / "mine"), workers=workers)
    assert pictures.rows["key"].to_pylist() == ["a.jpg", "blank.bmp", "deep.png", "inner/b.png"]
    assert pictures.rows["group"].to_pylist() == pictures.rows["key"].to_pylist()
    assert pictures.rows["split"].null_count == 4
    assert list(pictures.blank) == [False, True, False, False]
    assert pictures.digests[3].tobytes().hex() == pixel_sha256(picture(1))
    assert np.array_equal(pictures.thumbnails(np.array([3]))[0], thumbnail(picture(1)))
    assert [(issue.where, issue.code) for issue in pictures.issues] == [
        ("broken.png", "unreadable"),
        ("empty.jpg", "unreadable"),
    ]
    assert pictures.ignored == 1


def test_many_files_keep_their_thumbnails(tmp_path, monkeypatch):
    monkeypatch.setattr(thumbnails, "_CHUNK", 3)
    for number in range(20):
        Image.fromarray(picture(number, (40, 40))).save(tmp_path / f"{number:02d}.png")
    pictures = of_folder(tmp_path, workers=2)
    small = pictures.thumbnails(np.arange(20))
    assert all(np.array_equal(small[number], thumbnail(picture(number, (40, 40)))) for number in range(20))


def test_an_empty_folder_is_empty_and_none_is_an_error(tmp_path):
    pictures = of_folder(tmp_path)
    assert len(pictures) == 0
    assert pictures.thumbnails(np.zeros(0, np.int64)).shape == (0, 64, 64)
    with pytest.raises(UsageError, match="no such folder"):
        of_folder(tmp_path / "nowhere")
