"""A stored grey picture under a narrower or a wider window, and what that means in the units of its own window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image

MIDDLE = 127.5


def rewindowed(picture: Image.Image, factor: float) -> Image.Image | None:
    """The RGB picture as though its window had been `factor` times as wide about the same centre; None where it has colour.

    Only what is stored can be shown: what the picture's own window cut off stays cut off under a wider one.
    """
    pixels = np.asarray(picture.convert("RGB"))
    if not (np.array_equal(pixels[..., 0], pixels[..., 1]) and np.array_equal(pixels[..., 0], pixels[..., 2])):
        return None
    levels = np.rint(np.clip((np.arange(256) - MIDDLE) / factor + MIDDLE, 0, 255)).astype(np.uint8)
    return Image.fromarray(levels[pixels])


def told(record: Mapping[str, Any], factor: float) -> str | None:
    """The window that this comes to, where the record says what the stored one was: `-160…240 → -60…140 HU`."""
    provenance = record.get("provenance") or {}
    window = provenance.get("window")
    if not window:
        return None
    low, high = window
    centre, half = (low + high) / 2, (high - low) / 2 * factor
    unit = " HU" if provenance.get("intensity") == "window" and str(record.get("modality")) == "CT" else ""
    return f"{low:g}…{high:g} → {centre - half:g}…{centre + half:g}{unit}"
