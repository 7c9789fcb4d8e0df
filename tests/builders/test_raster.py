"""Raster files give the pixels that Pillow, cv2 and imagecodecs agree on; broken ones give a reason."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from medloom.builders.formats import raster
from medloom.builders.formats.channels import upright
from medloom.builders.source import Reading
from medloom.schema.errors import Issue, UnreadableError

RNG = np.random.default_rng(7)
RGB = RNG.integers(0, 256, (23, 31, 3), dtype=np.uint8)
GREY = RGB[..., 0].copy()


def read(path: Path):
    issues: list[Issue] = []
    (picture,) = raster.read([path], reading=Reading(), report=issues.append)
    assert picture.pixels.flags.c_contiguous
    return picture, [issue.code for issue in issues]


def saved(path: Path, image: Image.Image | np.ndarray, **options) -> Path:
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(path, **options)
    return path


def test_an_upright_jpeg_keeps_its_stream_and_gives_pillows_pixels(tmp_path):
    path = saved(tmp_path / "a.jpg", RGB, comment=b"secret", quality=90)
    picture, issues = read(path)
    assert issues == []
    assert picture.encoded is not None
    assert b"secret" not in picture.encoded
    np.testing.assert_array_equal(picture.pixels, np.array(Image.open(io.BytesIO(picture.encoded))))
    assert (picture.values, picture.raw_format, picture.transformations) == ("rgb", "jpeg", ())
    assert picture.decoder.startswith(f"imagecodecs {imagecodecs.__version__} (libjpeg-turbo ")


def test_a_grey_jpeg_is_one_channel(tmp_path):
    picture, _ = read(saved(tmp_path / "a.jpg", GREY))
    assert (picture.pixels.shape, picture.values) == ((23, 31), "grey")
    assert picture.encoded is not None


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_jpeg_stands_upright_and_loses_its_stream(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / "a.jpg", RGB, exif=exif.tobytes(), subsampling=0)
    picture, _ = read(path)
    with Image.open(path) as image:
        np.testing.assert_array_equal(picture.pixels, np.array(ImageOps.exif_transpose(image)))
    assert (picture.encoded is None) == (orientation != 1)
    assert picture.transformations == (() if orientation == 1 else (f"orientation-{orientation}-applied",))


@pytest.mark.parametrize("orientation", [None, 0, 1, 9])
def test_no_orientation_turns_nothing(orientation):
    pixels, note = upright(RGB, orientation)
    assert pixels is RGB
    assert note is None


def test_odd_colours_are_decoded_and_not_kept(tmp_path):
    cmyk, _ = read(saved(tmp_path / "c.jpg", Image.fromarray(RGB).convert("CMYK"), quality=95))
    assert (cmyk.encoded, cmyk.transformations, cmyk.values) == (None, ("cmyk-to-rgb",), "rgb")
    assert abs(cmyk.pixels.astype(int) - RGB).mean() < 16
    plain, _ = read(saved(tmp_path / "r.jpg", RGB, keep_rgb=True, quality=100))
    assert plain.encoded is None
    assert abs(plain.pixels.astype(int) - RGB).max() <= 2


@pytest.mark.parametrize("suffix", ["png", "bmp", "webp"])
def test_lossless_colour_comes_back_exactly(tmp_path, suffix):
    picture, issues = read(saved(tmp_path / f"a.{suffix}", RGB, **({"lossless": True} if suffix == "webp" else {})))
    np.testing.assert_array_equal(picture.pixels, RGB)
    assert (picture.values, picture.encoded, picture.raw_format, issues) == ("rgb", None, suffix, [])


def test_png_forms_agree_with_cv2(tmp_path):
    deep = RNG.integers(0, 65536, (23, 31), dtype=np.uint16)
    deep_rgb = RNG.integers(0, 65536, (23, 31, 3), dtype=np.uint16)
    for name, pixels, values in (("g", GREY, "grey"), ("d", deep, "stored"), ("c", deep_rgb, "rgb")):
        path = tmp_path / f"{name}.png"
        path.write_bytes(imagecodecs.png_encode(pixels))
        picture, _ = read(path)
        other = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        assert other is not None
        np.testing.assert_array_equal(picture.pixels, other if other.ndim == 2 else other[..., ::-1])
        assert (picture.pixels.dtype, picture.values, picture.transformations) == (pixels.dtype, values, ())


def test_low_depths_palettes_and_equal_channels_say_what_was_done(tmp_path):
    bits = GREY > 127
    one, _ = read(saved(tmp_path / "1.png", Image.fromarray(bits)))
    np.testing.assert_array_equal(one.pixels, bits * np.uint8(255))
    assert one.transformations == ("1-bit-to-8-bit",)
    same, _ = read(saved(tmp_path / "s.png", np.repeat(GREY[..., None], 3, axis=2)))
    np.testing.assert_array_equal(same.pixels, GREY)
    assert (same.values, same.transformations) == ("grey", ("equal-channels-to-grey",))
    palette = Image.fromarray(RGB).quantize(16)
    indexed, _ = read(saved(tmp_path / "p.png", palette))
    np.testing.assert_array_equal(indexed.pixels, np.array(palette.convert("RGB")))
    assert indexed.transformations == ("palette-to-rgb",)


def test_alpha_lies_on_black(tmp_path):
    opaque = np.dstack([RGB, np.full(GREY.shape, 255, np.uint8)])
    picture, _ = read(saved(tmp_path / "o.png", opaque))
    np.testing.assert_array_equal(picture.pixels, RGB)
    assert picture.transformations == ("opaque-alpha-dropped",)
    alpha = RNG.integers(0, 256, GREY.shape, dtype=np.uint8)
    seen, _ = read(saved(tmp_path / "a.png", np.dstack([RGB, alpha])))
    np.testing.assert_array_equal(seen.pixels, np.rint(RGB * (alpha[..., None] / 255)).astype(np.uint8))
    assert seen.transformations == ("alpha-on-black",)
    grey, _ = read(saved(tmp_path / "la.png", Image.merge("LA", [Image.fromarray(GREY), Image.fromarray(alpha)])))
    np.testing.assert_array_equal(grey.pixels, np.rint(GREY * (alpha / 255)).astype(np.uint8))
    deep = RNG.integers(0, 65536, (9, 8, 4), dtype=np.uint16)
    (tmp_path / "d.png").write_bytes(imagecodecs.png_encode(deep))
    wide, _ = read(tmp_path / "d.png")
    np.testing.assert_array_equal(wide.pixels, np.rint(deep[..., :3] * (deep[..., 3:] / 65535)).astype(np.uint16))


def test_a_transparent_colour_becomes_black(tmp_path):
    grey = np.full((4, 5), 200, np.uint8)
    grey[1, 1] = 90
    picture, _ = read(saved(tmp_path / "t.png", grey, transparency=200))
    np.testing.assert_array_equal(picture.pixels, np.where(grey == 200, 0, grey))
    assert picture.transformations == ("transparent-colour-to-alpha", "alpha-on-black", "equal-channels-to-grey")


def test_a_wrong_name_is_reported_and_content_decides(tmp_path):
    path = saved(tmp_path / "really.png", RGB)
    path = path.rename(tmp_path / "called.jpg")
    picture, issues = read(path)
    assert (picture.raw_format, issues) == ("png", ["wrong-extension"])


def test_an_animation_gives_its_first_frame_and_an_issue(tmp_path):
    frames = [Image.fromarray(np.full((8, 9), value, np.uint8)) for value in (10, 200, 90)]
    path = tmp_path / "a.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    picture, issues = read(path)
    assert issues == ["animated-image"]
    np.testing.assert_array_equal(picture.pixels, np.full((8, 9), 10))


def png_that_claims(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 400)) + chunk(b"IEND", b"")


def absurd() -> dict[str, bytes]:
    jpeg, gif, bmp, webp = io.BytesIO(), io.BytesIO(), io.BytesIO(), io.BytesIO()
    Image.fromarray(GREY).save(jpeg, "JPEG")
    Image.fromarray(GREY).save(gif, "GIF")
    Image.fromarray(GREY).save(bmp, "BMP")
    Image.fromarray(RGB).save(webp, "WEBP", lossless=True)
    frame = jpeg.getvalue().index(b"\xff\xc0") + 5
    lossless = webp.getvalue()
    return {
        "a.png": png_that_claims(60000, 60000),
        "b.png": png_that_claims(20000, 15000),
        "a.jpg": jpeg.getvalue()[:frame] + b"\xff\xf0\xff\xf0" + jpeg.getvalue()[frame + 4 :],
        "a.gif": gif.getvalue()[:6] + b"\xff\xff\xff\xff" + gif.getvalue()[10:],
        "a.bmp": bmp.getvalue()[:18] + struct.pack("<ii", 2**30, -(2**30)) + bmp.getvalue()[26:],
        "a.webp": lossless[:21] + struct.pack("<I", 0x0FFFFFFF) + lossless[25:],
    }


@pytest.mark.parametrize("name", ["a.png", "b.png", "a.jpg", "a.gif", "a.bmp", "a.webp"])
def test_absurd_claims_are_refused_before_decoding(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(absurd()[name])
    with pytest.raises(UnreadableError) as caught:
        read(path)
    assert caught.value.code == "absurd-size"
    assert caught.value.where == name


def test_large_images_fire_no_bomb_warning_and_leave_pillows_limit_alone(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.png", RGB)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture, _ = read(path)
    np.testing.assert_array_equal(picture.pixels, RGB)
    assert Image.MAX_IMAGE_PIXELS == 100


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "webp", "gif"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.93])
def test_truncated_and_empty_files_are_unreadable(tmp_path, suffix, share):
    path = saved(tmp_path / f"a.{suffix}", RGB)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(UnreadableError):
        read(path)


def test_other_content_is_unreadable(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"II*\0" + bytes(40))
    with pytest.raises(UnreadableError, match="tiff content"):
        read(path)


SMALL = {
    kind: (out := io.BytesIO(), Image.fromarray(RGB[:8, :9]).save(out, kind.upper()))[0].getvalue()
    for kind in ("png", "jpeg", "bmp", "webp", "gif")
}


@given(st.sampled_from(sorted(SMALL)), st.data())
def test_damage_never_crashes(tmp_path_factory, kind, data):
    stream = bytearray(SMALL[kind])
    for _ in range(data.draw(st.integers(1, 6))):
        stream[data.draw(st.integers(3, len(stream) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / f"damaged.{kind}"
    path.write_bytes(stream)
    try:
        picture, _ = read(path)
    except UnreadableError:
        return
    assert picture.pixels.ndim in (2, 3)
    assert picture.pixels.dtype in (np.uint8, np.uint16)


def test_real_files_agree_with_pillow_and_cv2(real_data):
    paths = [
        path
        for folder in ("bccd", "chula_rbc12", "covid_chestxray_boxes", "hip_ultrasound_spj", "dsb2018_nuclei", "chase_db1")
        for path in sorted(p for p in (real_data / folder).rglob("*") if p.suffix in (".png", ".jpg", ".jpeg"))[:25]
    ]
    misnamed = list((real_data / "chula_rbc12").rglob("7[12][46].jpg"))
    assert len(paths) > 100
    for path in [*paths, *misnamed]:
        picture, issues = read(path)
        with Image.open(path) as image:
            expected = np.array(image.convert("RGB") if image.mode in ("P", "RGBA", "CMYK") else image)
        if picture.transformations == ("opaque-alpha-dropped", "equal-channels-to-grey"):
            expected = expected[..., 0]
        if expected.dtype == bool:
            expected = expected * np.uint8(255)
        if picture.transformations in (("equal-channels-to-grey",), ("icc-dropped", "equal-channels-to-grey")):
            expected = expected[..., 0]
        np.testing.assert_array_equal(picture.pixels, expected, err_msg=str(path))
        assert ("wrong-extension" in issues) == (picture.raw_format not in path.suffix.replace("jpg", "jpeg"))
        if picture.encoded is not None:
            theirs = cv2.imdecode(np.frombuffer(picture.encoded, np.uint8), cv2.IMREAD_UNCHANGED)
            assert theirs is not None
            np.testing.assert_array_equal(picture.pixels, theirs if theirs.ndim == 2 else theirs[..., ::-1])
