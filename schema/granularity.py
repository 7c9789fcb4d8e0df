"""How closely an annotation points: at the whole image, a box, a mask or a contour, or (never for GMAI) a point.

GMAI-MMBench has four perceptual granularities. Points that a source gives are kept as points, and have no GMAI name.
"""

from __future__ import annotations

from .vocabulary import Term, Vocabulary

_GMAI_NAMES = {"image": "Image Level", "box": "Box Level", "mask": "Mask Level", "contour": "Contour Level"}

GRANULARITIES = Vocabulary(
    "granularity",
    (
        Term("image", "Image", aliases=("Image Level",)),
        Term("box", "Box", aliases=("Box Level", "bounding box", "bbox")),
        Term("mask", "Mask", aliases=("Mask Level", "segmentation mask")),
        Term("contour", "Contour", aliases=("Contour Level", "polygon", "outline")),
        Term("point", "Point", aliases=("keypoint", "landmark"), ours=True),
    ),
)


def gmai_name(code: str) -> str | None:
    """GMAI's printed name of a granularity, such as "Box Level"; None for a point.

    Raises:
        UsageError: `code` is no granularity.
    """
    return _GMAI_NAMES.get(GRANULARITIES[code].code)
