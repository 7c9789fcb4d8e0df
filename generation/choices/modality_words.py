"""How a sentence speaks of a picture of some modality: "magnetic resonance image", "fundus photograph"."""

from __future__ import annotations

import re
from functools import cache

from ...schema.triplet import MODALITIES

_UNSAID = ("other", "unspecified")
_ENDINGS = (("imaging", "image"), ("photography", "photograph"), ("radiography", "radiograph"))
_COMPLETE = re.compile(r"(image|photograph|radiograph|map)\b")


@cache
def picture(modality: str) -> str:
    """A modality's code as the noun for one of its pictures, in the singular and without article.

    Raises:
        UsageError: `modality` is no code of `MODALITIES`.
    """
    name = MODALITIES[modality].name
    if modality in _UNSAID:
        return "medical image"
    before, colon, after = name.partition(": ")
    words = " ".join(map(_lowered, before.split()))
    for ending, noun in _ENDINGS:
        words = re.sub(rf"{ending}$", noun, words)
    whole = f"{words} ({after})" if colon else words
    return whole if _COMPLETE.search(whole) else f"{whole} image"


def _lowered(word: str) -> str:
    """A word in small letters, but "MRI", "X-ray", "T1-weighted" and "Doppler" as they are."""
    kept = word == "Doppler" or re.search(r"[A-Z].*[A-Z]|\d|^[A-Z]-", word)
    return word if kept else word.lower()
