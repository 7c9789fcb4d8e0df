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

    def to(self, row: dict[str, Any]) -> dict[str, Any]:
        """A row whose image is decoded, with the columns as PIL images; a question's columns are in it where they're drawn."""
        found = row | {MASKS: masks_of(row["json"])} if self.masks else row
        return found | {DRAWN: drawn_of(row, row["image"])} if self.drawn else found

    def to_coded(self, row: dict[str, Any]) -> dict[str, Any]:
        """A row whose image is coded, with the columns as PNGs."""
        found = row
        if self.masks:
            found = found | {MASKS: [one | {"mask": _coded(one["mask"])} for one in masks_of(row["json"])]}
        if self.drawn:
            picture = drawn_of(row, picture_of(row))
            found = found | {DRAWN: None if picture is None else _coded(picture)}
        return found


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
