"""What identifies pixels: an exact hash, a perceptual hash, and whether there is anything to see."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np

LOW_INFORMATION_SHARE = 0.995
"""A picture of which one grey level fills more than this is blank for all purposes of comparison."""


def pixel_sha256(pixels: np.ndarray) -> str:
    """SHA-256 over height, width and channels (each 8 bytes, big-endian) and the uint8 bytes of H×W or H×W×3."""
    height, width, channels = (*pixels.shape, 1)[:3]
    digest = hashlib.sha256(b"".join(n.to_bytes(8, "big") for n in (height, width, channels)))
    digest.update(np.ascontiguousarray(pixels).data)
    return digest.hexdigest()


def perceptual_hash(pixels: np.ndarray) -> str:
    """256-bit DCT hash as 64 hex digits, of a uint8 picture H×W or H×W×3.

    Grey, area-averaged to 64×64, the lowest 16×16 coefficients of the two-dimensional DCT against their median, row by
    row (the pHash of Zauner 2010, at 256 bit).
    """
    small = cv2.resize(grey(pixels), (64, 64), interpolation=cv2.INTER_AREA).astype(np.float32)
    low = cv2.dct(small)[:16, :16]
    return np.packbits(low > np.median(low)).tobytes().hex()


def low_information(pixels: np.ndarray) -> bool:
    """Whether one grey level fills nearly the whole uint8 picture."""
    levels = cv2.calcHist([grey(pixels)], [0], None, [256], [0, 256])
    return bool(levels.max() > LOW_INFORMATION_SHARE * levels.sum())


def grey(pixels: np.ndarray) -> np.ndarray:
    """The picture as contiguous uint8 H×W, by the ITU-R 601 luma weights."""
    return cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY) if pixels.ndim == 3 else np.ascontiguousarray(pixels)
