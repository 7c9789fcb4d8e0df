"""Columns that `medloom.load` adds when asked: a sample's masks as pictures, and a question's prompts drawn on a copy.

- `masks`: a list of `{annotation, label, label_id, mask}`, one for every annotation that has run lengths. The mask is a PIL
  image of mode "1", as large as the sample's image and true inside; `numpy.asarray(mask)` is a bool array H×W.
- `drawn`: an RGB copy of the image with the prompts of the row's question on it. `image` itself stays as it is.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from .mask import mask_from_rle
from .question import prompt_of
from .row import picture_of

if TYPE_CHECKING:
    from datasets import Features

MASKS, DRAWN = "masks", "drawn"
_FAST = 1
"""zlib's level for PNGs that live only until `datasets` decodes them."""


@dataclass(frozen=True, slots=True)
class Added:
    """Which of the columns are wanted."""

    masks: bool = False
    drawn: bool = False

    def features(self) -> Features:
        """The columns as `datasets` sees them."""
        from datasets import Features, List, Value
        from datasets import Image as Picture

        text = Value("string")
        mask = {"annotation": text, "label": text, "label_id": text, "mask": Picture()}
        columns: dict[str, Any] = {MASKS: List(mask)} if self.masks else {}
        return Features(columns | ({DRAWN: Picture()} if self.drawn else {}))

    def with_masks(self, sample: dict[str, Any], *, coded: bool = False) -> dict[str, Any]:
        """A sample's row with its masks where they are wanted: PIL images, or PNGs where its image is coded too."""
        if not self.masks:
            return sample
        masks = masks_of(sample["json"])
        return sample | {MASKS: [one | {"mask": _coded(one["mask"])} for one in masks] if coded else masks}

    def with_drawn(self, row: dict[str, Any], *, coded: bool = False) -> dict[str, Any]:
        """A question's row, with its sample's columns, with its prompts on a copy of the picture where that is wanted."""
        if not self.drawn:
            return row
        picture = drawn_of(row, picture_of(row) if coded else row["image"])
        return row | {DRAWN: _coded(picture) if coded and picture is not None else picture}


def masks_of(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The masks of a record, in the order of its annotations."""
    height, width = record["size_hw_px"]
    return [
        {
            "annotation": one["id"],
            "label": one["label"],
            "label_id": one["label_id"],
            "mask": Image.fromarray(mask_from_rle(one["rle"], (height, width)).astype(bool)),
        }
        for one in record["annotations"]
        if one["rle"] is not None
    ]


def drawn_of(row: Mapping[str, Any], picture: Image.Image | None) -> Image.Image | None:
    """A copy of the row's picture with the prompts of its question; None where its pixels are withheld."""
    from .prompt_drawing import drawn

    return None if picture is None else drawn(picture, [prompt_of(one) for one in row["prompts"]], row["json"])


def _coded(picture: Image.Image) -> dict[str, Any]:
    stream = io.BytesIO()
    picture.save(stream, "PNG", compress_level=_FAST)
    return {"bytes": stream.getvalue(), "path": None}
