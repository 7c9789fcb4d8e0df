"""TIFF pages, planes and slides against the arrays that tifffile wrote or reads whole."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from medloom.builders.formats import slide, tiff
from medloom.builders.source import Reading
from medloom.schema.errors import Issue, UnreadableError

RNG = np.random.default_rng(13)
GREY = RNG.integers(0, 256, (20, 30), dtype=np.uint8)
RGB = RNG.integers(0, 256, (20, 30, 3), dtype=np.uint8)


def read(path: Path, **options):
    issues: list[Issue] = []
    found = list(tiff.read([path], reading=Reading(**options), report=issues.append))
    assert all(one.pixels.flags.c_contiguous for one in found)
    return found, [issue.code for issue in issues]


def read_one(path: Path, **options):
    (found,), issues = read(path, **options)
    return found, issues


def written(path: Path, array: np.ndarray, **options) -> Path:
    tifffile.imwrite(path, array, **options)
    return path


@pytest.mark.parametrize("compression", [None, "lzw", "deflate", "packbits", "zstd"])
@pytest.mark.parametrize("dtype", ["u1", "u2", ">u2", "i2", "f4"])
def test_grey_pages_come_exactly(tmp_path, compression, dtype):
    array = (GREY.astype(np.int32) * 100 // (1 if dtype != "u1" else 100)).astype(dtype)
    options = {"byteorder": ">"} if dtype.startswith(">") else {}
    found, issues = read_one(written(tmp_path / "a.tif", array, compression=compression, **options))
    np.testing.assert_array_equal(found.pixels, array)
    assert found.pixels.dtype == np.dtype(dtype).newbyteorder("=")
    assert (found.values, found.axis, issues) == ("grey" if dtype == "u1" else "stored", None, [])
    assert found.decoder.startswith(f"tifffile {tifffile.__version__} (imagecodecs ")


@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_colour_pages_in_either_layout(tmp_path, planar, dtype):
    array = RGB.astype(dtype) * (257 if dtype == np.uint16 else 1)
    stored = array if planar == "contig" else np.moveaxis(array, -1, 0)
    found, _ = read_one(written(tmp_path / "a.tif", stored, photometric="rgb", planarconfig=planar))
    np.testing.assert_array_equal(found.pixels, array)
    assert found.values == "rgb"


def test_jpeg_with_chroma_subsampling_is_what_tifffile_gives(tmp_path):
    smooth = np.dstack([np.add.outer(np.arange(64), np.arange(80)) % 256] * 2 + [np.full((64, 80), 90)]).astype(np.uint8)
    options = {"compression": "jpeg", "subsampling": (2, 2), "tile": (32, 32)}
    path = written(tmp_path / "a.tif", smooth, photometric="ycbcr", **options)
    found, _ = read_one(path)
    np.testing.assert_array_equal(found.pixels, tifffile.imread(path))
    expected = np.array(Image.fromarray(smooth, mode="YCbCr").convert("RGB"))  # tifffile writes what it is given
    assert abs(found.pixels.astype(int) - expected).mean() < 8


def test_photometric_interpretations(tmp_path):
    white, _ = read_one(written(tmp_path / "w.tif", GREY, photometric="miniswhite"))
    np.testing.assert_array_equal(white.pixels, 255 - GREY)
    assert white.transformations == ("white-is-zero-inverted",)
    table = RNG.integers(0, 65536, (3, 256), dtype=np.uint16)
    palette, _ = read_one(written(tmp_path / "p.tif", GREY, photometric="palette", colormap=table))
    np.testing.assert_array_equal(palette.pixels, (table.T >> 8).astype(np.uint8)[GREY])
    Image.fromarray(GREY > 127).save(tmp_path / "b.tif", compression="group4")
    bits, _ = read_one(tmp_path / "b.tif")
    np.testing.assert_array_equal(bits.pixels, (GREY > 127) * np.uint8(255))
    assert "1-bit-to-8-bit" in bits.transformations
    Image.fromarray(RGB).convert("CMYK").save(tmp_path / "c.tif")
    ink, _ = read_one(tmp_path / "c.tif")
    assert abs(ink.pixels.astype(int) - np.array(Image.open(tmp_path / "c.tif").convert("RGB"))).max() <= 1
    tifffile.imwrite(tmp_path / "l.tif", RGB, photometric="cielab")
    with pytest.raises(UnreadableError, match="photometric") as caught:
        read(tmp_path / "l.tif")
    assert caught.value.code == "unsupported"


def test_alpha_extra_samples_and_equal_channels(tmp_path):
    alpha = RNG.integers(0, 256, GREY.shape, dtype=np.uint8)
    both = np.dstack([RGB, alpha])
    straight, _ = read_one(written(tmp_path / "s.tif", both, photometric="rgb", extrasamples=["unassalpha"]))
    np.testing.assert_array_equal(straight.pixels, np.rint(RGB * (alpha[..., None] / 255)).astype(np.uint8))
    laid, _ = read_one(written(tmp_path / "l.tif", both, photometric="rgb", extrasamples=["assocalpha"]))
    np.testing.assert_array_equal(laid.pixels, RGB)
    other, _ = read_one(written(tmp_path / "o.tif", both, photometric="rgb", extrasamples=["unspecified"]))
    assert other.transformations == ("extra-sample-dropped",)
    same, _ = read_one(written(tmp_path / "g.tif", np.dstack([GREY] * 3), photometric="rgb"))
    np.testing.assert_array_equal(same.pixels, GREY)
    assert same.transformations == ("equal-channels-to-grey",)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_orientation_is_applied(tmp_path, orientation):
    path = written(tmp_path / "a.tif", RGB, photometric="rgb", extratags=[(274, 3, 1, orientation, True)])
    found, _ = read_one(path)
    with Image.open(path) as image:
        np.testing.assert_array_equal(found.pixels, np.array(ImageOps.exif_transpose(image)))


def test_not_finite_pixels_are_reported(tmp_path):
    array = GREY.astype(np.float64)
    array[0, :3] = np.nan, np.inf, -np.inf
    found, issues = read_one(written(tmp_path / "a.tif", array))
    assert (issues, found.pixels.dtype) == (["not-finite"], np.float32)
    assert (found.pixels[0, :3] == GREY[0, 3:].min().clip(max=GREY[1:].min())).all()


@pytest.mark.parametrize("truncated_write", [False, True])
def test_pages_are_frames(tmp_path, truncated_write):
    stack = RNG.integers(0, 255, (7, 20, 30), dtype=np.uint8)
    path = tmp_path / "a.tif"
    if truncated_write:
        for page in stack:
            tifffile.imwrite(path, page, append=True, metadata=None)
    else:
        tifffile.imwrite(path, stack, photometric="minisblack")
    found, _ = read(path, every_nth=3)
    assert [(one.axis, one.index) for one in found] == [("frame", 0), ("frame", 3), ("frame", 6)]
    for one in found:
        np.testing.assert_array_equal(one.pixels, stack[one.index])


def test_ome_planes_and_channels(tmp_path):
    planes = RNG.integers(0, 255, (2, 3, 4, 20, 30), dtype=np.uint8)
    path = written(tmp_path / "a.ome.tif", planes, metadata={"axes": "TZCYX", "PhysicalSizeX": 0.5}, photometric="minisblack")
    found, issues = read(path)
    assert (len(found), issues) == (24, ["many-channels"])
    np.testing.assert_array_equal(found[13].pixels, planes.reshape(-1, 20, 30)[13])
    three = np.moveaxis(planes[:, :2, :3], 2, 0)
    path = written(tmp_path / "b.ome.tif", three, metadata={"axes": "CTZYX"}, photometric="minisblack")
    found, issues = read(path)
    assert (len(found), issues, found[0].values) == (4, [], "rgb")
    np.testing.assert_array_equal(found[2].pixels, planes[1, 0, :3].transpose(1, 2, 0))
    assert found[0].transformations == ("channels-as-rgb",)


def test_labels_and_macros_of_a_slide_are_dropped(tmp_path):
    path = tmp_path / "a.ome.tif"
    with tifffile.TiffWriter(path, ome=True) as out:
        out.write(RGB[:8, :8], photometric="rgb", metadata={"Name": "label image"})
        out.write(RGB, photometric="rgb", metadata={"Name": "tissue"})
    found, issues = read_one(path)
    np.testing.assert_array_equal(found.pixels, RGB)
    assert issues == ["extra-images"]


@pytest.mark.parametrize(
    ("options", "um"),
    [
        ({"resolution": (20000, 20000), "resolutionunit": "CENTIMETER"}, 0.5),
        ({"resolution": (50800, 50800), "resolutionunit": "INCH"}, 0.5),
        ({"resolution": (300, 300), "resolutionunit": "INCH"}, None),
        ({"imagej": True, "resolution": (4.0, 4.0), "metadata": {"unit": "um"}}, 0.25),
        ({"ome": True, "metadata": {"axes": "YX", "PhysicalSizeX": 250.0, "PhysicalSizeXUnit": "nm"}}, 0.25),
        ({"description": "Aperio Image Library v1\r\nx|AppMag = 40|MPP = 0.499", "metadata": None}, 0.499),
        ({}, None),
    ],
)
def test_micrometres_per_pixel(tmp_path, options, um):
    found, _ = read_one(written(tmp_path / "a.tif", GREY, **options))
    assert found.facts.acquisition.um_per_px == (pytest.approx(um) if um else None)


def pyramid(path: Path, *, size: int, tile: int | None, compression: str | None) -> np.ndarray:
    """A slide with tissue in its upper left quarter only, and a second level of half the size; gives the first."""
    base = np.full((size, size - 40, 3), 244, np.uint8)
    base[: size // 2, : size // 2] = RNG.integers(0, 255, (size // 2, size // 2, 3))
    options = {"photometric": "rgb", "compression": compression, "tile": (tile, tile) if tile else None}
    with tifffile.TiffWriter(path, ome=True) as out:
        out.write(base, subifds=1, metadata={"axes": "YXS", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}, **options)
        out.write(base[::2, ::2], subfiletype=1, **options)
    return base


@pytest.mark.parametrize(("tile", "compression"), [(64, None), (48, "deflate"), (None, None), (None, "lzw")])
def test_tiles_are_cut_exactly_and_only_with_tissue(tmp_path, tile, compression):
    base = pyramid(tmp_path / "a.ome.tif", size=400, tile=tile, compression=compression)
    found, issues = read(tmp_path / "a.ome.tif", whole_slide_px=128, tile_px=100)
    assert issues == ["tiles-left-out"]
    assert [one.offset_xy_px for one in found] == [(0, 0), (100, 0), (0, 100), (100, 100)]
    assert [one.index for one in found] == [0, 1, 4, 5]
    for one in found:
        x, y = one.offset_xy_px
        np.testing.assert_array_equal(one.pixels, base[y : y + 100, x : x + 100])
        assert (one.axis, one.facts.acquisition.um_per_px) == ("tile", 0.5)
    every, issues = read(tmp_path / "a.ome.tif", whole_slide_px=128, tile_px=100, min_tissue_share=0.0)
    assert (len(every), issues) == (16, [])
    assert every[3].pixels.shape == (100, 60, 3)


def test_the_nearest_level_is_read(tmp_path):
    base = pyramid(tmp_path / "a.ome.tif", size=400, tile=64, compression=None)
    found, _ = read(tmp_path / "a.ome.tif", whole_slide_px=128, tile_px=100, um_per_px=0.9)
    (one,) = found
    np.testing.assert_array_equal(one.pixels, base[::2, ::2][:100, :100])
    assert one.facts.acquisition.um_per_px == pytest.approx(1.0)
    assert one.transformations == ("pyramid-level-1",)


def test_a_small_slide_stays_whole_and_a_large_radiograph_too(tmp_path):
    base = pyramid(tmp_path / "a.ome.tif", size=100, tile=64, compression=None)
    found, _ = read_one(tmp_path / "a.ome.tif", whole_slide_px=128)
    np.testing.assert_array_equal(found.pixels, base)
    film = RNG.integers(0, 60000, (300, 280), dtype=np.uint16)
    found, _ = read_one(written(tmp_path / "f.tif", film), whole_slide_px=128)
    np.testing.assert_array_equal(found.pixels, film)


def test_a_slide_without_resolution_says_so(tmp_path):
    path = written(tmp_path / "a.ome.tif", np.dstack([GREY, GREY // 2, GREY]), photometric="rgb", tile=(16, 16))
    found, issues = read(path, whole_slide_px=16, tile_px=16, um_per_px=0.5, min_tissue_share=0.0)
    assert issues == ["no-resolution", "tiles-left-out"]
    assert found[0].facts.acquisition.um_per_px is None


def test_tissue_is_coloured_or_bright():
    assert slide.tissue_share(np.full((4, 4, 3), 240, np.uint8)) == 0
    assert slide.tissue_share(np.zeros((4, 4, 3), np.uint8)) == 0
    half = np.zeros((4, 4, 3), np.uint8)
    half[:2] = 200, 90, 160
    assert slide.tissue_share(half) == 0.5
    assert slide.tissue_share(np.array([[0, 30000]], np.uint16)) == 0.5


@pytest.mark.parametrize("compression", [None, "lzw"])
@pytest.mark.parametrize("share", [0.0, 0.03, 0.5, 0.98])
def test_truncated_files_are_unreadable(tmp_path, compression, share):
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as out:
        out.write(RGB, photometric="rgb", compression=compression, rowsperstrip=4)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(UnreadableError):
        read(path)


def test_absurd_claims_are_refused(tmp_path):
    path = written(tmp_path / "a.tif", GREY, compression="deflate", metadata=None)
    with tifffile.TiffFile(path) as tif:
        tags = {code: tif.pages[0].tags[code].valueoffset for code in (256, 257, 278)}
        kinds = {code: tif.pages[0].tags[code].dtype for code in tags}
    block = bytearray(path.read_bytes())
    for code, offset in tags.items():
        struct.pack_into("<H" if kinds[code] == 3 else "<I", block, offset, 65000)
    path.write_bytes(block)
    with pytest.raises(UnreadableError) as caught:
        read(path)
    assert caught.value.code == "absurd-size"


def test_other_content_is_unreadable_and_other_names_are_reported(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(60))
    with pytest.raises(UnreadableError, match="content"):
        read(tmp_path / "a.tif")
    _, issues = read_one(written(tmp_path / "b.tif", GREY).rename(tmp_path / "b.png"))
    assert issues == ["wrong-extension"]


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("tiff") / "a.tif"
    return written(path, RGB[:8, :9], photometric="rgb", compression="deflate", metadata=None).read_bytes()


@given(st.data())
def test_damage_never_crashes(tmp_path_factory, small, data):
    block = bytearray(small)
    for _ in range(data.draw(st.integers(1, 6))):
        block[data.draw(st.integers(4, len(block) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "damaged.tif"
    path.write_bytes(block)
    try:
        found, _ = read(path)
    except UnreadableError:
        return
    assert all(one.pixels.ndim in (2, 3) for one in found)


def test_real_ome_slides_equal_tifffile(real_data):
    paths = sorted((real_data / "openslide_ometiff").rglob("*.ome.tif"))
    assert len(paths) == 3
    for path in paths:
        whole = tifffile.imread(path)
        found, _ = read(path)
        assert len(found) >= 4
        for one in found:
            x, y = one.offset_xy_px
            height, width = one.pixels.shape[:2]
            np.testing.assert_array_equal(one.pixels, whole[y : y + height, x : x + width])
            assert one.facts.acquisition.um_per_px == pytest.approx(0.25, rel=0.5)
        single, issues = read_one(path, whole_slide_px=4096)
        np.testing.assert_array_equal(single.pixels, whole)
        assert (single.offset_xy_px, issues) == ((0, 0), [])
