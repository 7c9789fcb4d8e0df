"""What identifies pixels: an exact hash, a perceptual hash, and whether there is anything to see."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np

LOW_INFORMATION_SHARE = 0.995
"""A picture of which one grey level fills more than this, in its thumbnail, is blank for all purposes of comparison."""
THUMBNAIL_PX = 64


def pixel_sha256(pixels: np.ndarray) -> str:
    """SHA-256 over height, width and channels (each 8 bytes, big-endian) and the uint8 bytes of H×W or H×W×3."""
    height, width, channels = (*pixels.shape, 1)[:3]
    digest = hashlib.sha256(b"".join(n.to_bytes(8, "big") for n in (height, width, channels)))
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def thumbnail(pixels: np.ndarray) -> np.ndarray:
    """A uint8 picture H×W or H×W×3 as grey (ITU-R 601 luma), area-averaged to 64×64."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) if pixels.ndim == 3 else np.ascontiguousarray(pixels)
    return cv2.resize(grey, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA)


def perceptual_hash(small: np.ndarray) -> str:
    """256-bit DCT hash of a thumbnail, as 64 hex digits.

    The lowest 16×16 coefficients of the two-dimensional DCT against their median, row by row (the pHash of Zauner 2010,
    at 256 bit).
    """
    low = cv2.dct(small.astype(np.float32))[:16, :16]
    return np.packbits(low > np.median(low)).tobytes().hex()


def low_information(small: np.ndarray) -> bool:
    """Whether one grey level fills nearly the whole thumbnail."""
    return bool(np.bincount(small.ravel()).max() > LOW_INFORMATION_SHARE * small.size)
