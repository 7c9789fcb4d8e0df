"""Bits that describe a thumbnail, for whole pictures and for windows of them.

The descriptor is the 256-bit DCT hash that stands in the index (`schema/pixels.py`). A copy that was only resized,
recompressed or brightened keeps nearly all of its bits; a cropped one loses a third of them. So crops are met on the side
whose pixels are there: a picture is described once as a whole and once per window that a crop may have left of it, and each
window is compared with the whole of others. Then the bits still agree, and the threshold may stay so tight that chance hits
are rare. `benchmarks/duplicates.py` measures all of this on real pictures.

Pictures mirrored left to right count as different here: nothing in this house flips images.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from ...schema.pixels import THUMBNAIL_PX

HASH_BITS = 256
HASH_BYTES = HASH_BITS // 8
CANDIDATE_BITS = 36
"""Two pictures this many bits apart or fewer, over all windows, are worth a look at their thumbnails.

On 951 real pictures 99.5 % of their copies lie within: resized, JPEG 60, ±15 % brightness, 5 % cropped in total wherever it
was cut, 5 % per side about the centre, all at once too. So do 4 of some 450 000 pairs that are no copies. Beyond: crops of
10 % in total far off the centre (a sixth lies within), and photographs of one field that was moved by 5 %.
"""
HASH_ONLY_BITS = 26
"""The same where the hashes alone decide, as with a published sketch; of different pictures two pairs in 18 million.

Where the originals' pixels are there and the copies are hashes, 93 % of the copies lie within, cropped anywhere, and over 99 %
of those cropped about the centre or not at all. The other way round see `CROP_WINDOWS` and `GROWN_WINDOWS`.
"""

Window = tuple[tuple[float, float], tuple[float, float]]
"""What is cut off: shares of the width (left, right) and of the height (top, bottom); negative where it grows."""

_SIDE = 16
"""Coefficients of the DCT per axis."""
_BLOCK = 256
"""Pictures worked on at once."""
_CUTS = ((0.0, 0.0), (0.025, 0.025), (0.05, 0.0), (0.0, 0.05), (0.025, 0.0), (0.0, 0.025))
WINDOWS: tuple[Window, ...] = (*((across, down) for across in _CUTS for down in _CUTS), ((0.05, 0.05), (0.05, 0.05)))
"""The whole; 2.5 or 5 % off an axis, at one edge or about the centre, in all 36 pairs of both axes; 5 % per side."""
WHOLE = 0
"""Index of the window that cuts nothing."""


def _grown(cuts: tuple[float, float]) -> tuple[float, float]:
    kept = 1 - sum(cuts)
    return -cuts[0] / kept, -cuts[1] / kept


GROWN_WINDOWS: tuple[Window, ...] = tuple((_grown(across), _grown(down)) for across, down in WINDOWS[1:])
"""The windows undone: what a picture may have been cut from, its margin guessed by repeating the border.

Only for comparing with hashes whose pixels are absent, and a poor substitute for their windows (`CROP_WINDOWS`): at
`HASH_ONLY_BITS` they meet 94 % of the crops of 5 % in total about the centre, 66 % of those anywhere, 36 % of those of 5 % per
side.
"""
_OFF, _EDGES, _SLIGHT = ((0.025, 0.025), (0.0375, 0.0125), (0.0125, 0.0375)), ((0.05, 0.0), (0.0, 0.05)), (0.0125, 0.0125)
CROP_WINDOWS: tuple[Window, ...] = (
    WINDOWS[WHOLE],
    *((across, down) for across in _OFF for down in _OFF),
    *((edge, _SLIGHT) for edge in _EDGES),
    *((_SLIGHT, edge) for edge in _EDGES),
    WINDOWS[-1],
)
"""What a sketch holds of each picture where it may: the whole, and 14 windows that a crop may have left.

Fewer than `WINDOWS`, since each costs its 32 bytes for every picture, and set between them, since whoever asks repeats borders
(`GROWN_WINDOWS`) too: 448 bytes meet as many crops of 5 % in total as the 1152 of all 36, and more of those that took up to
5 % of every side by chance, 92 % instead of 84 %.
"""
WINDOWS_VERSION = "medloom-windows-1"
"""Of `CROP_WINDOWS` and how they are described; another where either changes."""


def describe(thumbnails: np.ndarray) -> np.ndarray:
    """N×32 uint8, packed bits of each thumbnail (N×64×64 or 64×64 uint8), as `schema.pixels.perceptual_hash` has them.

    A coefficient that equals the median to the last digit may fall on the other side.
    """
    return views(thumbnails, WINDOWS[:1])[:, 0]


def views(thumbnails: np.ndarray, windows: tuple[Window, ...] = WINDOWS) -> np.ndarray:
    """N×W×32 uint8: packed bits of each thumbnail (N×64×64 uint8) within each window."""
    pictures = thumbnails.reshape(-1, THUMBNAIL_PX, THUMBNAIL_PX)
    found = np.empty((len(pictures), len(windows), HASH_BYTES), np.uint8)
    for at in range(0, len(pictures), _BLOCK):
        found[at : at + _BLOCK] = _views(pictures[at : at + _BLOCK], windows)
    return found


def unpacked_hex(hashes: list[str]) -> np.ndarray:
    """N×32 uint8 of hashes as 64 hex digits each, as the index has them."""
    return np.frombuffer(bytes.fromhex("".join(hashes)), np.uint8).reshape(-1, HASH_BYTES)


def _views(pictures: np.ndarray, windows: tuple[Window, ...]) -> np.ndarray:
    """All cuts of both axes in one product each, of which the windows take their blocks."""
    cuts = sorted({cut for window in windows for cut in window})
    both = np.concatenate([_transform(*cut) for cut in cuts])
    across = (pictures.astype(np.float32).reshape(-1, THUMBNAIL_PX) @ both.T).reshape(-1, THUMBNAIL_PX, len(both))
    blocks = (both @ across).reshape(-1, len(cuts), _SIDE, len(cuts), _SIDE)
    found = np.empty((len(pictures), len(windows), _SIDE, _SIDE), np.float32)
    for number, (x, y) in enumerate(windows):
        found[:, number] = blocks[:, cuts.index(y), :, cuts.index(x)]
    flat = found.reshape(-1, HASH_BITS)
    middle = np.sort(flat, axis=1)[:, HASH_BITS // 2 - 1 : HASH_BITS // 2 + 1].mean(axis=1, keepdims=True)
    return np.packbits(flat > middle, axis=1).reshape(*found.shape[:2], HASH_BYTES)


@cache
def _transform(first: float, last: float) -> np.ndarray:
    """16×64: the lowest 16 coefficients of the DCT over the part of an axis between two cuts, linearly interpolated."""
    n = THUMBNAIL_PX
    order, place = np.arange(_SIDE)[:, None], (2 * np.arange(n)[None] + 1) / (2 * n)
    cosines = np.cos(np.pi * order * place) * np.sqrt(2 / n)
    cosines[0] /= np.sqrt(2)
    return (cosines @ interpolation(1 - first - last, first - last)).astype(np.float32)


def interpolation(scale: float, shift: float) -> np.ndarray:
    """64×64: rows take linearly interpolated values of an axis at `scale`·u + `shift`, u from -1 to 1; ends repeat."""
    n = THUMBNAIL_PX
    centres = (np.arange(n) + 0.5) / n * 2 - 1
    place = np.clip((scale * centres + shift + 1) / 2 * n - 0.5, 0, n - 1)
    return np.maximum(0, 1 - np.abs(place[:, None] - np.arange(n)))
