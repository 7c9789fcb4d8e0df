"""The stripped JPEG has the same pixels and nothing else; no bytes make the parser crash."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from medloom.builders.formats.jpeg import inspect, strip_metadata
from medloom.schema.errors import UnreadableError


def jpeg_bytes(mode: str = "RGB", **options) -> bytes:
    channels = len(mode)
    noise = np.random.default_rng(3).integers(0, 255, (37, 53, channels), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise[..., 0] if channels == 1 else noise, mode=None if mode != "CMYK" else "CMYK").save(
        out, "JPEG", **options
    )
    return out.getvalue()


def with_everything() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "Canary Patient"
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    stream = jpeg_bytes(exif=exif.tobytes(), icc_profile=icc, comment=b"Canary comment", xmp=b"<x>Canary xmp</x>")
    extra = b"".join(
        b"\xff" + bytes([marker]) + (len(body) + 2).to_bytes(2, "big") + body
        for marker, body in (
            (0xED, b"Photoshop 3.0\x008BIM Canary iptc"),
            (0xE2, b"MPF\0Canary mpf"),
            (0xE0, b"JFXX\0\x10Canary thumbnail"),
            (0xEB, b"Canary unknown"),
        )
    )
    cut = 2 + 2 + int.from_bytes(stream[4:6], "big")
    return stream[:cut] + extra + stream[cut:] + b"Canary trailer"


def decoded(stream: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(stream)) as image:
        return np.array(image)


@pytest.mark.filterwarnings("ignore:Image appears to be a malformed MPO")
def test_everything_but_the_image_is_dropped():
    stream = with_everything()
    facts, stripped = inspect(stream), strip_metadata(stream)
    assert facts.metadata == ("comment", "exif", "icc", "iptc", "mpf", "other", "thumbnail", "trailing", "xmp")
    assert facts.exif_orientation == 6
    assert b"Canary" in stream
    assert b"Canary" not in stripped
    assert not inspect(stripped).has_metadata
    assert strip_metadata(stripped) == stripped
    np.testing.assert_array_equal(decoded(stripped), decoded(stream))
    with Image.open(io.BytesIO(stripped)) as image:
        assert not image.getexif()
        assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi"}


def test_a_jfif_thumbnail_goes_and_the_density_stays():
    stream = jpeg_bytes(dpi=(300, 300))
    body = stream[6:18] + b"\x01\x01" + b"\xaa\xbb\xcc"
    fat = b"\xff\xd8\xff\xe0" + (len(body) + 2).to_bytes(2, "big") + body + stream[20:]
    assert inspect(fat).metadata == ("thumbnail",)
    assert strip_metadata(fat) == stream


@pytest.mark.parametrize(
    ("options", "mode", "colour", "progressive"),
    [
        ({}, "RGB", "ycbcr", False),
        ({"progressive": True}, "RGB", "ycbcr", True),
        ({"subsampling": 0, "quality": 97}, "RGB", "ycbcr", False),
        ({"keep_rgb": True}, "RGB", "rgb", False),
        ({}, "L", "grey", False),
        ({"progressive": True, "restart_marker_rows": 1}, "L", "grey", True),
        ({"restart_marker_blocks": 1}, "RGB", "ycbcr", False),
        ({}, "CMYK", "cmyk", False),
    ],
)
def test_every_kind_of_stream_keeps_its_pixels(options, mode, colour, progressive):
    stream = jpeg_bytes(mode, comment=b"gone", **options)
    facts = inspect(stream)
    assert (facts.width, facts.height, facts.components, facts.precision) == (53, 37, len(mode), 8)
    assert (facts.colour, facts.progressive, facts.metadata) == (colour, progressive, ("comment",))
    stripped = strip_metadata(stream)
    assert len(stripped) < len(stream)
    np.testing.assert_array_equal(decoded(stripped), decoded(stream))


def test_fill_bytes_before_markers_are_legal():
    stream = jpeg_bytes()
    filled = stream[:2] + b"\xff\xff" + stream[2:-2] + b"\xff" + stream[-2:]
    np.testing.assert_array_equal(decoded(strip_metadata(filled)), decoded(stream))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_a_truncated_stream_is_unreadable(share):
    stream = jpeg_bytes()
    with pytest.raises(UnreadableError):
        strip_metadata(stream[: int(len(stream) * share)])
    with pytest.raises(UnreadableError, match=r"x\.jpg"):
        inspect(stream[: int(len(stream) * share)], where="x.jpg")


def test_an_image_of_no_size_and_one_of_no_scan_are_unreadable():
    frame = bytes.fromhex("ffc0000b08 0000 0010 01 011100")
    with pytest.raises(UnreadableError, match="16×0"):
        inspect(b"\xff\xd8" + frame + b"\xff\xda\x00\x02\xff\xd9")
    with pytest.raises(UnreadableError, match="no frame and scan"):
        inspect(b"\xff\xd8\xff\xd9")
    with pytest.raises(UnreadableError, match="frame header"):
        inspect(b"\xff\xd8\xff\xc0\x00\x05\x08\x00\x01\xff\xda\x00\x02\xff\xd9")


@given(st.binary(max_size=300))
def test_random_bytes_are_refused_not_crashed_on(stream):
    for attempt in (stream, b"\xff\xd8" + stream, b"\xff\xd8" + stream + b"\xff\xd9"):
        try:
            stripped = strip_metadata(attempt)
        except UnreadableError:
            continue
        assert stripped.startswith(b"\xff\xd8")
        assert stripped.endswith(b"\xff\xd9")


WHOLE = with_everything()


@given(st.data())
def test_damaged_streams_are_refused_or_stay_without_metadata(data):
    stream = bytearray(WHOLE)
    for _ in range(data.draw(st.integers(1, 8))):
        stream[data.draw(st.integers(0, len(stream) - 1))] = data.draw(st.integers(0, 255))
    try:
        stripped = strip_metadata(bytes(stream))
        facts = inspect(bytes(stream))
    except UnreadableError:
        return
    assert not inspect(stripped).has_metadata
    assert (facts.width, facts.height) == (inspect(stripped).width, inspect(stripped).height)


def test_real_streams_keep_their_pixels_and_pillow_agrees_with_the_facts(real_data):
    paths = sorted(
        path
        for folder in ("bccd", "brain_tumor_mri", "chase_db1", "covid_chestxray_boxes", "kvasir_seg_mini", "ham10000_artefacts")
        for path in sorted((real_data / folder).rglob("*.jp*g"))[:12]
    )
    assert len(paths) >= 60
    for path in paths:
        stream = path.read_bytes()
        if not stream.startswith(b"\xff\xd8"):
            continue
        facts, stripped = inspect(stream), strip_metadata(stream)
        with Image.open(io.BytesIO(stream), formats=("JPEG",)) as image:
            assert image.size == (facts.width, facts.height)
            assert image.getexif().get(0x0112) == facts.exif_orientation
            assert bool(image.info.get("progressive")) == facts.progressive
            assert ("icc_profile" in image.info) == ("icc" in facts.metadata)
            pixels = np.array(image)
        np.testing.assert_array_equal(decoded(stripped), pixels)
        with Image.open(io.BytesIO(stripped)) as image:
            assert not {"exif", "icc_profile", "comment", "photoshop", "xmp"} & set(image.info)
