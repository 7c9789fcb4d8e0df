"""Thumbnails laid over each other."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from medloom.builders.duplicates.align import MIN_DETAIL, SAME_SCORE, detail_share, scores, start_of
from medloom.builders.duplicates.descriptor import WINDOWS
from medloom.schema.pixels import thumbnail


def scene(seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    layers = [
        cv2.resize(random.random((n, n)).astype(np.float32), (400, 300), interpolation=cv2.INTER_CUBIC) for n in (4, 9, 20, 40)
    ]
    picture = sum(layer / (1 + at) for at, layer in enumerate(layers))
    return np.clip(picture / picture.max() * 220, 0, 255).astype(np.uint8)


def judged(whole: np.ndarray, cut: np.ndarray, window=WINDOWS[0]) -> float:
    """`whole` may be a crop of `cut` by the window."""
    return float(scores(thumbnail(whole)[None], thumbnail(cut)[None], start_of(window)[None])[0])


@pytest.mark.parametrize("seed", range(5))
def test_a_crop_agrees_even_where_no_window_fits_it(seed):
    picture = scene(seed)
    crop = np.ascontiguousarray(picture[9:288, 15:390])
    assert judged(crop, picture) >= SAME_SCORE
    assert judged(picture, crop) >= SAME_SCORE


@pytest.mark.parametrize("factor", [0.85, 1.15])
def test_brightness_plays_no_part(factor):
    picture = scene(1)
    assert judged(cv2.convertScaleAbs(picture, alpha=factor), picture) >= SAME_SCORE


def test_pictures_of_one_layout_and_other_detail_differ():
    ground = np.zeros((300, 400), np.uint8)
    cv2.ellipse(ground, (200, 150), (150, 120), 0, 0, 360, 140, -1)
    one, other = (cv2.addWeighted(ground, 0.6, scene(seed), 0.4, 0) for seed in (1, 2))
    assert judged(one, other) < SAME_SCORE


def test_mirrored_pictures_differ():
    picture = scene(4)
    assert judged(np.ascontiguousarray(picture[:, ::-1]), picture) < 0.5


def test_the_result_does_not_depend_on_the_company():
    small = np.stack([thumbnail(scene(seed)) for seed in range(6)] * 100)
    start = np.tile(start_of(WINDOWS[5]), (len(small), 1))
    together = scores(small, np.roll(small, 1, axis=0), start)
    alone = np.array([scores(small[n][None], small[n - 1][None], start[:1])[0] for n in range(6)])
    assert together[:6] == pytest.approx(alone, abs=1e-4)


def test_flat_pictures_score_nothing():
    flat = np.full((2, 64, 64), 90, np.uint8)
    assert np.abs(scores(flat, flat, np.tile(start_of(WINDOWS[0]), (2, 1)))).max() < 0.5


def test_a_blob_on_black_has_hardly_any_detail():
    blob = np.zeros((300, 400), np.uint8)
    cv2.circle(blob, (200, 150), 8, 200, -1)
    small = np.stack([thumbnail(blob), thumbnail(scene(0)), np.zeros((64, 64), np.uint8)])
    assert list(detail_share(small) < MIN_DETAIL) == [True, False, True]


def test_no_pairs_no_scores():
    nothing = np.zeros((0, 64, 64), np.uint8)
    assert scores(nothing, nothing, np.zeros((0, 4), np.float32)).shape == (0,)
