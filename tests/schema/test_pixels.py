"""Hashes of pixels: exact where they must be, alike where pictures look alike."""

from __future__ import annotations

import hashlib
import struct

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from medloom.schema.pixels import low_information, perceptual_hash, pixel_sha256, thumbnail

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9)) | st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))
PICTURES = SHAPES.flatmap(lambda shape: arrays(np.uint8, shape))


@given(PICTURES)
def test_the_hash_is_over_size_and_bytes(pixels: np.ndarray):
    channels = pixels.shape[2] if pixels.ndim == 3 else 1
    stated = struct.pack(">QQQ", pixels.shape[0], pixels.shape[1], channels) + pixels.tobytes()
    assert pixel_sha256(pixels) == hashlib.sha256(stated).hexdigest()
    assert pixel_sha256(np.asfortranarray(pixels)) == pixel_sha256(pixels)


def test_the_same_bytes_in_another_shape_are_another_picture():
    flat = np.zeros((4, 9), np.uint8)
    hashes = {pixel_sha256(flat), pixel_sha256(flat.reshape(9, 4)), pixel_sha256(flat.reshape(4, 3, 3))}
    assert len(hashes) == 3


@given(PICTURES)
def test_a_thumbnail_is_grey_and_64_px(pixels: np.ndarray):
    small = thumbnail(pixels)
    assert (small.shape, small.dtype) == ((64, 64), np.uint8)
    assert pixels.min() <= small.min() <= small.max() <= pixels.max()


def drawn(seed: int) -> np.ndarray:
    """A smooth picture of 200×260 px with structure."""
    noise = np.random.default_rng(seed).integers(0, 255, (12, 16), np.uint8)
    return cv2.resize(noise, (260, 200), interpolation=cv2.INTER_CUBIC)


def distance(one: np.ndarray, other: np.ndarray) -> int:
    """Bits in which the perceptual hashes of two pictures differ."""
    first, second = (int(perceptual_hash(thumbnail(picture)), 16) for picture in (one, other))
    return (first ^ second).bit_count()


def test_pictures_that_look_alike_have_near_hashes():
    picture = drawn(1)
    small = np.asarray(Image.fromarray(picture).resize((130, 100), Image.Resampling.BILINEAR))
    darker = (picture * 0.8).astype(np.uint8)
    assert distance(picture, picture) == 0
    assert max(distance(picture, small), distance(picture, darker)) <= 24
    assert min(distance(picture, drawn(seed)) for seed in range(2, 8)) >= 80


def test_a_hash_is_256_bits():
    assert len(perceptual_hash(thumbnail(drawn(3)))) == 64


@pytest.mark.parametrize(("ink", "blank"), [(0, True), (1, True), (2, True), (3, False), (10, False)])
def test_a_picture_is_blank_below_half_a_percent_of_ink(ink: int, blank: bool):
    page = np.full((64, 64), 255, np.uint8)
    page[:ink, :10] = 0
    assert low_information(thumbnail(page)) is blank
