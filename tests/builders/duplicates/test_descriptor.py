"""Hashes of thumbnails and of their windows."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import pytest

from medloom.builders.duplicates.descriptor import (
    CANDIDATE_BITS,
    CROP_WINDOWS,
    GROWN_WINDOWS,
    WHOLE,
    WINDOWS,
    WINDOWS_VERSION,
    describe,
    unpacked_hex,
    views,
)
from medloom.schema.pixels import perceptual_hash, thumbnail


def scene(seed: int, size: tuple[int, int] = (300, 400)) -> np.ndarray:
    """Soft blobs over a soft ground, H×W uint8: structure at all scales, as pictures have."""
    random = np.random.default_rng(seed)
    layers = [
        cv2.resize(random.random((n, n)).astype(np.float32), size[::-1], interpolation=cv2.INTER_CUBIC) for n in (4, 9, 20, 40)
    ]
    picture = sum(layer / (1 + at) for at, layer in enumerate(layers))
    return np.clip(picture / picture.max() * 220, 0, 255).astype(np.uint8)


def cropped(picture: np.ndarray, window) -> np.ndarray:
    (left, right), (top, bottom) = window
    height, width = picture.shape[:2]
    return picture[round(top * height) : height - round(bottom * height), round(left * width) : width - round(right * width)]


def apart(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.bitwise_count(one ^ other).sum(-1)


def test_a_whole_picture_is_described_as_the_index_has_it():
    small = np.stack([thumbnail(scene(seed)) for seed in range(40)])
    stated = unpacked_hex([perceptual_hash(one) for one in small])
    assert apart(describe(small), stated).max() <= 2
    assert np.array_equal(views(small)[:, WHOLE], describe(small))


def test_the_result_does_not_depend_on_the_company():
    small = np.stack([thumbnail(scene(seed)) for seed in range(300)])
    alone = np.stack([views(one[None])[0] for one in small[250:]])
    assert apart(views(small)[250:], alone).max() <= 2


@pytest.mark.parametrize("window", [WINDOWS[0], WINDOWS[7], WINDOWS[13], WINDOWS[-1]])
def test_a_window_of_the_whole_describes_the_crop(window):
    for seed in range(10):
        picture = scene(seed)
        seen = views(thumbnail(picture)[None], (window,))[0, 0]
        assert apart(seen, describe(thumbnail(cropped(picture, window)))[0]) <= CANDIDATE_BITS // 2


def test_growing_undoes_a_cut():
    for grown, window in zip(GROWN_WINDOWS, WINDOWS[1:], strict=True):
        for (first, last), (cut_first, cut_last) in zip(grown, window, strict=True):
            assert (1 - first - last) * (1 - cut_first - cut_last) == pytest.approx(1)
            assert first <= 0
            assert last <= 0


def test_windows_of_sketches_change_with_their_version_alone():
    """Sketches that people hold state the version: other windows need another, and then this digest too."""
    digest = hashlib.sha256(repr(CROP_WINDOWS).encode()).hexdigest()[:16]
    assert (WINDOWS_VERSION, digest) == ("medloom-windows-1", "7c9449416737657f")
    assert CROP_WINDOWS[WHOLE] == ((0, 0), (0, 0))
    assert len(set(CROP_WINDOWS)) == 15


def test_mirrored_pictures_differ():
    picture = scene(3)
    mirrored = np.ascontiguousarray(picture[:, ::-1])
    seen = views(thumbnail(picture)[None])[0]
    assert apart(seen, describe(thumbnail(mirrored))).min() > CANDIDATE_BITS
