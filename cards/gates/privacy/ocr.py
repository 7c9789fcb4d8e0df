"""Words in pixels, read by RapidOCR, and what they look like.

RapidOCR's wheel holds its models (PP-OCRv6 small, as ONNX), so that nothing is fetched; it comes with the extra `ocr`.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ....schema.errors import UsageError
from ....schema.shard_bytes import LocalShards
from .words import Kind, identifiers

if TYPE_CHECKING:
    from rapidocr import RapidOCR

SURE = 0.8
"""Least confidence of a word that is told."""
_SMALLEST_PX, _LARGEST_PX = 32, 1280
"""Smaller pictures hold no words; larger ones are read at this size, at which letters of a screen's small print have 10 px."""
_SCALE = re.compile(r"[\d.,x× ]*\s*(mm|cm|µm|um|hz|khz|mhz|db|kv|ma|mas|%|°|s|ms|fps|cm/s)?[\d.,]*", re.I)
_MARKS = frozenset(
    """
    l r a p s i h f d left right ap pa lat supine erect upright portable port standing rl lr cc mlo ant post sup inf
    """.split()  # noqa: SIM905
)
_NUMBER = re.compile(r"\d{5,}")
_NAME = re.compile(r"[A-Z][A-Za-z'-]{2,}[,^ ]+[A-Z][A-Za-z'-]+")
_DAY = re.compile(r"\d{1,2}[-/. ]\d{1,2}[-/. ]\d{2,4}|\d{1,2}[-/ ]?[A-Za-z]{3}[-/ ]?\d{2,4}|\d{4}[-/. ]\d{1,2}[-/. ]\d{1,2}")


class Text(StrEnum):
    """What words in a picture look like."""

    IDENTIFIER = "identifier"
    """A name, day or number of a person."""
    WORDS = "words"
    MARK = "mark"
    """Sides, projections, scales: no identifier."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One picture to read: a task of a worker."""

    root: Path
    source: str
    key: str
    shard: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Read:
    """What stands in one picture."""

    source: str
    key: str
    kind: Text | None
    """The gravest; None where nothing is read."""
    told: str = ""
    """Form and length, never the words."""
    failed: bool = False


def demand() -> None:
    """See to it that the text detector is there.

    Raises:
        UsageError: it isn't installed.
    """
    if find_spec("rapidocr") is None or find_spec("onnxruntime") is None:
        expected = "the extra `ocr`"
        raise UsageError(
            f"--ocr: no text detector is installed; expected {expected}; `pip install 'medloom[ocr]'`, or go without"
        )


def read(shown: Shown) -> Read:
    """What stands in a picture."""
    from PIL import Image

    try:
        (body,) = LocalShards(shown.root).read(shown.shard, [(shown.offset, shown.size)])
        with Image.open(io.BytesIO(body)) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        return _judged(shown, words(pixels))
    except (OSError, ValueError):
        return Read(shown.source, shown.key, None, failed=True)


def words(pixels: np.ndarray) -> list[str]:
    """Lines of text in a picture, uint8 H×W×3 (RGB), of which the detector is sure."""
    if min(pixels.shape[:2]) < _SMALLEST_PX:
        return []
    found: Any = _detector()(_sized(np.ascontiguousarray(pixels[:, :, ::-1])), use_cls=False)
    pairs = zip(found.txts or (), found.scores or (), strict=True)
    return [text.strip() for text, score in pairs if score >= SURE and text.strip()]


def _sized(pixels: np.ndarray) -> np.ndarray:
    import cv2

    share = _LARGEST_PX / max(pixels.shape[:2])
    return pixels if share >= 1 else cv2.resize(pixels, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)


def kind_of(text: str) -> Text:
    """What a line of text looks like."""
    bare = text.strip(" .:,;()[]<>|+-_=*'\"")
    if _SCALE.fullmatch(bare) and not _NUMBER.search(bare) and not _DAY.fullmatch(bare):
        return Text.MARK
    if all(word.casefold() in _MARKS or len(word) < 2 for word in re.split(r"[\s/]+", bare)):
        return Text.MARK
    given = [hit for hit in identifiers(text) if hit.kind not in (Kind.MONTH,)]
    if given or _NUMBER.search(text) or _DAY.search(text) or _NAME.search(text) or "^" in text:
        return Text.IDENTIFIER
    return Text.WORDS if sum(one.isalpha() for one in bare) > 2 else Text.MARK


def _judged(shown: Shown, lines: Sequence[str]) -> Read:
    order = list(Text)
    judged = sorted(((kind_of(line), line) for line in lines), key=lambda one: order.index(one[0]))
    if not judged:
        return Read(shown.source, shown.key, None)
    kind, line = judged[0]
    forms = ", ".join(sorted({hit.kind for hit in identifiers(line)})) or ("digits" if _NUMBER.search(line) else "text")
    same = sum(one == kind for one, _ in judged)
    return Read(shown.source, shown.key, kind, f"{forms} of {len(line)} characters" + (f", {same} lines" if same > 1 else ""))


@cache
def _detector() -> RapidOCR:
    """One per process, of one thread, since workers are; its models take a second to load."""
    from rapidocr import RapidOCR

    return RapidOCR(params={"Global.log_level": "error", "EngineConfig.onnxruntime.intra_op_num_threads": 1})
