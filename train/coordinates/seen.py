"""What a model's processor makes of a picture's size: the frame of dialects that count its px."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..predicting.backend import SeenSize


@dataclass(frozen=True, slots=True)
class Resized:
    """Qwen's rule: sides are multiples of a patch group, the area lies between two bounds, the shape stays about the same."""

    factor_px: int
    """Side of the square of pixels that becomes one token: patch size times merge size."""
    least_px: int
    most_px: int
    """Bounds of the area, in px."""

    def __call__(self, size_hw_px: tuple[int, int]) -> tuple[int, int]:
        """Height and width after the resize."""
        height, width = size_hw_px
        seen = self._rounded(height), self._rounded(width)
        if seen[0] * seen[1] > self.most_px:
            shrunk = math.sqrt(height * width / self.most_px)
            return self._below(height / shrunk), self._below(width / shrunk)
        if seen[0] * seen[1] < self.least_px:
            grown = math.sqrt(self.least_px / (height * width))
            return self._above(height * grown), self._above(width * grown)
        return seen

    def _rounded(self, side: float) -> int:
        return round(side / self.factor_px) * self.factor_px

    def _below(self, side: float) -> int:
        return max(self.factor_px, math.floor(side / self.factor_px) * self.factor_px)

    def _above(self, side: float) -> int:
        return math.ceil(side / self.factor_px) * self.factor_px


QWEN2_5_VL = Resized(28, 56 * 56, 16384 * 28 * 28)
"""The bounds in the preprocessor configuration that Qwen publishes, for endpoints whose processor can't be asked."""


def as_stored(size_hw_px: tuple[int, int]) -> tuple[int, int]:
    """The same size: for dialects of relative numbers it doesn't matter what the processor makes of it."""
    return size_hw_px


def seen_size(processor: Any) -> SeenSize:
    """How this processor resizes pictures; it can be pickled. Families without Qwen's rule are taken as not resizing."""
    images = getattr(processor, "image_processor", processor)
    patch, merge = getattr(images, "patch_size", None), getattr(images, "merge_size", None)
    bounds = dict(getattr(images, "size", None) or {})
    if not isinstance(patch, int) or not isinstance(merge, int) or not {"shortest_edge", "longest_edge"} <= bounds.keys():
        return as_stored
    if not getattr(images, "do_resize", True):
        return as_stored
    return Resized(patch * merge, bounds["shortest_edge"], bounds["longest_edge"])
