"""Whether two thumbnails show the same picture once one is laid over the other.

Of two thumbnails one may be a crop of the other: then an axis of it is the other's, scaled and shifted. Scale and shift of
both axes, with contrast and brightness, are found by Gauss-Newton steps from coarse to fine, for many pairs at once. What
remains is judged by the correlation of fine structure over the common part: anatomy gives different patients the same
coarse layout, never the same detail.
"""

from __future__ import annotations

import numpy as np

from .descriptor import Window

MAX_CHANGE = 0.15
"""Scale and shift never leave 1 ± this, 0 ± this (of half the side)."""
SAME_SCORE = 0.96
"""Two thumbnails of at least this correlation show the same picture.

On 951 real pictures 99 % of the copies are candidates and reach it, under each change measured. Of different pictures one
pair does at times, neighbouring slices of a patient whom no source names: once in 9 million comparisons.
"""
MIN_DETAIL = 0.01
"""A picture whose detail fills less of its thumbnail than this resembles too many others: a blob on black, a lone nucleus.

Of the 951 real pictures one does; of 327 slices of two brain atlases, which begin and end with such blobs, a tenth.
"""
_LEVELS = ((16, 3), (32, 3))
"""Side in px and steps at each level."""
_STEP = 0.08
_BATCH = 512
_DETAIL_PX = 4.0
"""Structure wider than this, as the sigma of a Gaussian on the thumbnail of 64 px, doesn't count."""
_NOISE = 1e-6
"""Variance of detail, in squares of full scale, below which there is nothing to compare."""


def start_of(window: Window) -> np.ndarray:
    """4 float32, scale and shift across, scale and shift down: from a crop to the picture it was cut from by a window."""
    (left, right), (top, bottom) = window
    return np.array([1 - left - right, left - right, 1 - top - bottom, top - bottom], np.float32)


def scores(whole: np.ndarray, cut: np.ndarray, start: np.ndarray) -> np.ndarray:
    """P float32 in [-1, 1]: how much `whole` agrees with `cut` within its window; both P×64×64 uint8, `start` P×4."""
    parts = range(0, len(whole), _BATCH)
    found = [_scores(whole[at : at + _BATCH], cut[at : at + _BATCH], start[at : at + _BATCH]) for at in parts]
    return np.concatenate(found) if found else np.zeros(0, np.float32)


def detail_share(thumbnails: np.ndarray) -> np.ndarray:
    """N float32: which share of a thumbnail (N×64×64 uint8) its detail fills, as the participation ratio of its energy."""
    energy = _detail(_reduced(thumbnails, thumbnails.shape[-1])).reshape(len(thumbnails), -1) ** 2
    return energy.sum(1) ** 2 / np.maximum((energy**2).sum(1), np.finfo(np.float32).tiny) / energy.shape[1]


def _scores(target: np.ndarray, moving: np.ndarray, place: np.ndarray) -> np.ndarray:
    for side, steps in _LEVELS:
        place = _fitted(_reduced(target, side), _reduced(moving, side), place, steps=steps)
    return _correlation(_reduced(target, 64), _reduced(moving, 64), place)


def _fitted(target: np.ndarray, moving: np.ndarray, place: np.ndarray, *, steps: int) -> np.ndarray:
    down, across = (np.gradient(moving, axis=axis).astype(np.float32) * (moving.shape[-1] / 2) for axis in (1, 2))
    low, high = np.array([1, 0, 1, 0]) - MAX_CHANGE, np.array([1, 0, 1, 0]) + MAX_CHANGE
    for _ in range(steps):
        step = np.clip(_step(target, moving, (across, down), place), -_STEP, _STEP)
        place = np.clip(place + step, low, high).astype(np.float32)
    return place


def _step(target: np.ndarray, moving: np.ndarray, slopes: tuple[np.ndarray, np.ndarray], place: np.ndarray) -> np.ndarray:
    """P×4: the change of scales and shifts that best explains the target, contrast and brightness set free."""
    rows, columns, common = _resampling(place, target.shape[-1])
    warped, across, down = (rows @ image @ columns for image in (moving, *slopes))
    u = _centres(target.shape[-1])
    terms = [warped, np.ones_like(warped), across * u, across, down * u[:, None], down]
    terms = (np.stack(terms, 1) * common[:, None]).reshape(len(target), 6, -1)
    products = (terms @ terms.transpose(0, 2, 1)).astype(np.float64)
    ridge = 1e-4 * np.einsum("pii->pi", products)[:, :, None] + 1e-6
    wanted = terms @ (target * common).reshape(len(target), -1, 1)
    solved = np.linalg.solve(products + np.eye(6) * ridge, wanted.astype(np.float64))[..., 0]
    return solved[:, 2:] / np.maximum(solved[:, :1], 0.2)


def _correlation(target: np.ndarray, moving: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Of detail over the common part."""
    rows, columns, common = _resampling(place, target.shape[-1])
    size = common.sum((1, 2), keepdims=True)
    one, other = _detail(target), _detail(rows @ moving @ columns)
    one, other = ((image - (image * common).sum((1, 2), keepdims=True) / size) * common for image in (one, other))
    size = size[:, 0, 0]
    noise = _NOISE * size
    spread = ((one**2).sum((1, 2)) + noise) * ((other**2).sum((1, 2)) + noise)
    return (one * other).sum((1, 2)) / np.sqrt(spread)


def _detail(images: np.ndarray) -> np.ndarray:
    at = np.arange(images.shape[-1])
    blur = np.exp(-0.5 * ((at[:, None] - at) / _DETAIL_PX) ** 2)
    blur = (blur / blur.sum(1, keepdims=True)).astype(np.float32)
    return images - blur @ images @ blur.T


def _resampling(place: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """P×side×side each: weights of rows, of columns (transposed), and 1 where both pictures have pixels, else 0."""
    (columns, within_x), (rows, within_y) = _weights(place[:, 0:2], side), _weights(place[:, 2:4], side)
    return rows, columns.transpose(0, 2, 1), within_y[:, :, None] * within_x[:, None, :]


def _weights(axis: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    at = ((axis[:, :1] * _centres(side) + axis[:, 1:]) + 1) / 2 * side - 0.5
    weights = np.maximum(0, 1 - np.abs(np.clip(at, 0, side - 1)[:, :, None] - np.arange(side, dtype=np.float32)))
    return weights.astype(np.float32), ((at >= -0.5) & (at <= side - 0.5)).astype(np.float32)


def _centres(side: int) -> np.ndarray:
    return (np.arange(side, dtype=np.float32) + 0.5) / side * 2 - 1


def _reduced(thumbnails: np.ndarray, side: int) -> np.ndarray:
    """P×side×side float32 in [0, 1]: area-averaged, then smoothed by (1, 2, 1)/4, so that no resampling stands out."""
    factor = thumbnails.shape[-1] // side
    images = thumbnails.astype(np.float32) / 255
    if factor > 1:
        images = images.reshape(len(images), side, factor, side, factor).mean((2, 4))
    for axis in (1, 2):
        wide = np.pad(images, [(int(a == axis), int(a == axis)) for a in range(3)], "edge")
        first, middle, last = (np.take(wide, range(at, at + side), axis) for at in range(3))
        images = (first + 2 * middle + last) / 4
    return images
