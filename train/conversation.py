"""A question as the turns a model is given, and the answer that it should give.

Pictures are never flipped, since texts speak of sides; prompts are drawn on a copy, or told in words of the dialect.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """How questions are put and answers are written."""

    dialect: str = "thousandths"
    """One of `coordinates.DIALECTS`."""
    prompts: str = "drawn"
    """How a question's box, mask, contour or points are shown: `drawn` on the picture, `text` in the dialect, or `both`."""
    masks: str = "polygon"
    """How an answer gives a mask: by its `polygon`s, or by its `box`."""
    instruction: bool = True
    """Whether the question's own instruction on how to answer is given."""
    system: str | None = None
    """Text of a system turn."""
