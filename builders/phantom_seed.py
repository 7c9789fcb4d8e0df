"""What every drawing starts from: seeded numbers, fixed UIDs and dates, and canaries.

Drawings use whole numbers and IEEE's exactly rounded operations (+, -, ×, ÷, square root) only, and numpy's frozen
`RandomState` stream, so that every machine draws the same pixels. Where a file is compressed, its bytes are those of the
installed zlib and libjpeg, which the locked environment fixes.
"""

from __future__ import annotations

import hashlib

import numpy as np

CANARY = "CANARY"
"""Stands in every text that must never leave a raw file."""
BIRTH_DATE, STUDY_DATE, STUDY_TIME = "18991231", "19020304", "050607.080910"
CANARIES = (CANARY, BIRTH_DATE, STUDY_DATE, STUDY_TIME, "1902:03:04", "05:06:07")
"""All that a release of the phantom must not hold, in any letter case; its UIDs all begin with `2.25.`."""


def seeded(*name: str | int) -> np.random.RandomState:
    """A stream of random numbers that depends on the name alone."""
    return np.random.RandomState(int.from_bytes(_digest(name)[:4], "big"))


def near(draw: np.random.RandomState, value: int, by: int) -> int:
    """A whole number at most `by` away from `value`."""
    return int(draw.randint(value - by, value + by + 1, dtype=np.int32))


def noise(draw: np.random.RandomState, shape: tuple[int, ...], reach: int) -> np.ndarray:
    """Bell-shaped whole numbers, int32: the sum of four even ones between -reach and reach."""
    return sum((draw.randint(-reach, reach + 1, size=shape, dtype=np.int32) for _ in range(4)), np.zeros(shape, np.int32))


def uid(*name: str | int) -> str:
    """A UID that depends on the name alone, in the form that DICOM PS3.5 section B.2 derives from a UUID."""
    return f"2.25.{int.from_bytes(_digest(name)[:16], 'big')}"


def _digest(name: tuple[str | int, ...]) -> bytes:
    return hashlib.sha256("\0".join(("medloom phantom", *map(str, name))).encode()).digest()
