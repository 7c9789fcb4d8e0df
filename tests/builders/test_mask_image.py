"""Mask pictures become marks of the image's own size, or an issue."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from medloom.builders.formats import mask_image
from medloom.builders.unit import MaskImage
from medloom.schema.errors import Issue, UnreadableError
from medloom.schema.sample import Origin

MAP = np.zeros((12, 17), np.uint8)
MAP[1:5, 2:9] = 1
MAP[6:10, 3:15] = 2
SIZE = (12, 17)


def saved(path: Path, pixels, **options) -> Path:
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(path, **options)
    return path


def read(path: Path, *, size=SIZE, **target):
    issues: list[Issue] = []
    found = mask_image.marks(path, MaskImage(path=path.name, **target), size_hw_px=size, report=issues.append)
    assert all(mark.mask is not None and mark.mask.shape == size and mark.mask.any() for mark in found)
    return found, [issue.code for issue in issues]


@pytest.mark.parametrize("suffix", ["png", "bmp", "tif"])
def test_values_are_labels(tmp_path, suffix):
    found, issues = read(saved(tmp_path / f"m.{suffix}", MAP), values={1: "disc", 2: "cup"}, observer="B")
    assert [(mark.label, mark.observer, mark.origin) for mark in found] == [
        ("disc", "B", Origin.HUMAN),
        ("cup", "B", Origin.HUMAN),
    ]
    for mark, value in zip(found, (1, 2), strict=True):
        np.testing.assert_array_equal(mark.mask, value == MAP)
    assert issues == []


def test_unknown_values_are_reported_and_zero_may_be_named(tmp_path):
    path = saved(tmp_path / "m.png", MAP)
    found, issues = read(path, values={2: "cup"})
    assert ([mark.label for mark in found], issues) == (["cup"], ["unknown-label-value"])
    inverted, issues = read(path, values={0: "lesion", 1: "", 2: ""})
    assert ([mark.label for mark in inverted], issues) == (["lesion"], [])
    np.testing.assert_array_equal(inverted[0].mask, MAP == 0)


def test_instances_are_one_mark_each(tmp_path):
    deep = MAP.astype(np.uint16) * 300
    found, issues = read(saved(tmp_path / "m.png", deep), label="nucleus", instances=True)
    assert [(mark.label, mark.where) for mark in found] == [("nucleus", "m.png value 300"), ("nucleus", "m.png value 600")]
    np.testing.assert_array_equal(found[1].mask, MAP == 2)
    assert issues == []


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_lossy_masks_are_cut_at_the_threshold(tmp_path, mode):
    image = Image.fromarray((MAP > 0) * np.uint8(255)).resize((170, 120), Image.Resampling.NEAREST).convert(mode)
    path = saved(tmp_path / "m.jpg", image, quality=60)
    assert len(np.unique(np.array(Image.open(path)))) > 2
    (mark,), issues = read(path, size=(120, 170), label="polyp", threshold=127)
    np.testing.assert_array_equal(mark.mask, np.array(image.convert("L")) > 127)
    assert (mark.label, issues) == ("polyp", [])


def test_one_bit_masks_hold_one_or_255(tmp_path):
    for name, image in (("a.png", Image.fromarray(MAP > 0)), ("b.tif", Image.fromarray(MAP > 0))):
        path = saved(tmp_path / name, image)
        for target in ({"label": "vessel"}, {"values": {1: "vessel"}}, {"values": {255: "vessel"}}):
            (mark,), issues = read(path, **target)
            np.testing.assert_array_equal(mark.mask, MAP > 0)
            assert issues == []


def test_palettes_count_by_index_for_values_and_by_brightness_for_thresholds(tmp_path):
    image = Image.fromarray(MAP)
    image.putpalette([255, 255, 255, 0, 0, 0, 0, 0, 0])
    path = saved(tmp_path / "m.png", image)
    by_value, _ = read(path, values={1: "a", 2: "b"})
    np.testing.assert_array_equal(by_value[1].mask, MAP == 2)
    (bright,), _ = read(path, label="paper", threshold=100)
    np.testing.assert_array_equal(bright.mask, MAP == 0)
    tifffile.imwrite(tmp_path / "p.tif", MAP, photometric="palette", colormap=np.zeros((3, 256), np.uint16))
    assert [mark.label for mark in read(tmp_path / "p.tif", values={1: "a", 2: "b"})[0]] == ["a", "b"]


def test_alpha_is_ignored_and_colours_are_refused(tmp_path):
    grey = np.repeat(((MAP > 0) * np.uint8(255))[..., None], 3, axis=2)
    (mark,), _ = read(saved(tmp_path / "a.png", np.dstack([grey, grey[..., 0] * 0 + 255])), label="x", threshold=9)
    np.testing.assert_array_equal(mark.mask, MAP > 0)
    grey[..., 0] //= 2
    assert read(saved(tmp_path / "c.png", grey), label="x", threshold=9) == ([], ["unsupported"])


def test_another_size_and_an_empty_mask_give_no_mark(tmp_path):
    path = saved(tmp_path / "m.png", MAP)
    assert read(path, size=(17, 12), label="x") == ([], ["mask-size"])
    assert read(saved(tmp_path / "e.png", MAP * 0), label="x") == ([], ["mask-empty"])
    assert read(path, label="x", threshold=200) == ([], ["mask-empty"])


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp"])
def test_broken_masks_are_unreadable(tmp_path, suffix):
    path = saved(tmp_path / f"m.{suffix}", MAP)
    whole = path.read_bytes()
    for size in (0, 5, len(whole) // 3):
        path.write_bytes(whole[:size])
        with pytest.raises(UnreadableError):
            read(path, label="x")


def test_pages_and_broken_numbers_are_unreadable(tmp_path):
    tifffile.imwrite(tmp_path / "p.tif", np.stack([MAP, MAP]), photometric="minisblack")
    with pytest.raises(UnreadableError, match="2 pages"):
        read(tmp_path / "p.tif", label="x")
    tifffile.imwrite(tmp_path / "f.tif", MAP + np.float32(0.5))
    with pytest.raises(UnreadableError, match="broken numbers"):
        read(tmp_path / "f.tif", label="x")
    tifffile.imwrite(tmp_path / "g.tif", MAP.astype(np.float32))
    assert [mark.label for mark in read(tmp_path / "g.tif", values={1: "a", 2: "b"})[0]] == ["a", "b"]


def test_real_masks(real_data):
    for path in sorted((real_data / "kvasir_seg_mini" / "masks").glob("*.jpg")):
        grey = np.array(Image.open(path)).max(axis=2)
        (mark,), issues = read(path, size=grey.shape, label="polyp", threshold=127)
        assert mark.mask is not None
        np.testing.assert_array_equal(mark.mask, grey > 127)
        assert issues == []
    for path in sorted((real_data / "chase_db1").rglob("*1stHO.png"))[:6]:
        (mark,), issues = read(path, size=(960, 999), label="vessel")
        np.testing.assert_array_equal(mark.mask, np.array(Image.open(path)))
        assert issues == []
    nuclei = sorted((real_data / "dsb2018_nuclei").rglob("masks/*.png"))[:40]
    for path in nuclei:
        truth = np.array(Image.open(path).convert("L"))
        (mark,), issues = read(path, size=truth.shape, label="nucleus")
        np.testing.assert_array_equal(mark.mask, truth > 0)
    assert nuclei
