"""One row of a release, read by the byte ranges that its index gives."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from PIL import Image


def read_row(root: Path, place: dict[str, Any]) -> dict[str, Any]:
    """One row as `load_dataset` gives it, from its byte ranges."""
    with (root / place["shard"]).open("rb") as shard:
        row = coded_row(shard, root, place)
    picture = Image.open(io.BytesIO(row["image"]["bytes"]))
    picture.load()
    return row | {"image": picture}


def coded_row(shard: BinaryIO, root: Path, place: dict[str, Any]) -> dict[str, Any]:
    """The row with its image still coded: given a PIL image, `datasets` would code it again, and a JPEG would lose."""
    image, record = (_range(shard, place[f"{kind}_offset"], place[f"{kind}_size"]) for kind in ("image", "json"))
    return {
        "image": {"bytes": image, "path": None},
        "json": orjson.loads(record),
        "__key__": place["key"],
        "__url__": str(root / place["shard"]),
    }


def _range(stream: BinaryIO, offset: int, size: int) -> bytes:
    stream.seek(offset)
    return stream.read(size)
