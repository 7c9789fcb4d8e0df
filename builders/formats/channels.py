"""Decoded channels to what a picture holds: alpha flattened, equal channels made one, the right side up.

Each function gives the pixels and a note for `Picture.transformations`, or None where nothing was done.
"""

from __future__ import annotations

import numpy as np

Noted = tuple[np.ndarray, str | None]


def without_alpha(pixels: np.ndarray) -> Noted:
    """Pixels on black, from H×W×2 (grey, alpha) or H×W×4 (RGB, alpha) of unsigned integers; same dtype.

    Straight alpha: colour × alpha, rounded. A fully opaque alpha is just dropped.
    """
    colour, alpha = pixels[..., :-1], pixels[..., -1:]
    opaque = np.iinfo(pixels.dtype).max
    if (alpha == opaque).all():
        return _squeezed(colour), "opaque-alpha-dropped"
    wide = np.uint32 if pixels.dtype == np.uint8 else np.uint64
    laid = (colour.astype(wide) * alpha + opaque // 2) // opaque
    return _squeezed(laid.astype(pixels.dtype)), "alpha-on-black"


def one_channel_if_grey(pixels: np.ndarray) -> Noted:
    """H×W where all three channels of H×W×3 are equal, else the pixels as they are."""
    if pixels.ndim != 3 or pixels.shape[2] != 3:
        return pixels, None
    for rows in (slice(0, None, 37), slice(None)):
        part = pixels[rows]
        if not ((part[..., 0] == part[..., 1]).all() and (part[..., 0] == part[..., 2]).all()):
            return pixels, None
    return np.ascontiguousarray(pixels[..., 0]), "equal-channels-to-grey"


def upright(pixels: np.ndarray, orientation: int | None) -> Noted:
    """Pixels turned so that row 0 is the visual top and column 0 the visual left (EXIF and TIFF tag 274, 1 to 8)."""
    if orientation in (None, 1) or orientation not in range(1, 9):
        return pixels, None
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels), f"orientation-{orientation}-applied"


def _squeezed(colour: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(colour[..., 0] if colour.shape[-1] == 1 else colour)
