"""PNG bytes decode to the array, by two decoders that aren't the writer."""

from __future__ import annotations

import io

import cv2
import imagecodecs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from medloom.builders.png import ENCODERS, encode_png
from medloom.schema.errors import UsageError

SIDES = st.integers(1, 40)
PICTURES = (st.tuples(SIDES, SIDES) | st.tuples(SIDES, SIDES, st.just(3))).flatmap(lambda shape: arrays(np.uint8, shape))


def decoded(data: bytes) -> list[np.ndarray]:
    """The picture as Pillow, libpng by imagecodecs, and OpenCV see it."""
    by_cv2 = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return [
        np.asarray(Image.open(io.BytesIO(data))),
        np.asarray(imagecodecs.png_decode(data)),
        by_cv2[..., ::-1] if by_cv2.ndim == 3 else by_cv2,
    ]


def assert_round(pixels: np.ndarray, encoder: str) -> None:
    data = encode_png(pixels, encoder)
    assert all(np.array_equal(found, pixels) for found in decoded(data))
    with Image.open(io.BytesIO(data)) as picture:
        assert (picture.format, picture.info) == ("PNG", {})
        assert picture.mode == ("L" if pixels.ndim == 2 else "RGB")


@settings(max_examples=60, deadline=None)
@given(PICTURES, st.sampled_from(ENCODERS))
def test_any_picture(pixels: np.ndarray, encoder: str):
    assert_round(pixels, encoder)


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (1, 999), (999, 1), (513, 511), (63, 65, 3), (700, 3, 3)])
def test_odd_shapes(shape: tuple[int, ...], encoder: str):
    assert_round(np.random.default_rng(0).integers(0, 256, shape, np.uint8), encoder)


@pytest.mark.parametrize("encoder", ENCODERS)
@pytest.mark.parametrize("level", [0, 255])
def test_constant_pictures(level: int, encoder: str):
    assert_round(np.full((300, 200), level, np.uint8), encoder)


@pytest.mark.parametrize("encoder", ENCODERS)
def test_views_that_are_not_contiguous(encoder: str):
    volume = np.random.default_rng(1).integers(0, 256, (20, 30, 40, 3), np.uint8)
    for view in (volume[:, 4, :, 0], volume[3, ::-1, ::2], volume[5].swapaxes(0, 1), np.asfortranarray(volume[1, ..., 2])):
        assert_round(view, encoder)


def test_the_same_picture_gives_the_same_bytes():
    pixels = np.random.default_rng(2).integers(0, 256, (64, 64), np.uint8)
    assert encode_png(pixels) == encode_png(np.asfortranarray(pixels))


def test_an_unknown_encoder():
    with pytest.raises(UsageError, match=r"PNG encoder 'fast'.*'isal', 'pillow'"):
        encode_png(np.zeros((2, 2), np.uint8), "fast")
