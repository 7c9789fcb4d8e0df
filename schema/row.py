"""One row of a release, read by the byte ranges that its index gives."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from PIL import Image

from .shard import QUESTIONS, questions_after


def read_row(root: Path, place: dict[str, Any], *, embeds: bool = False) -> dict[str, Any]:
    """One row as `load_dataset` gives it, from its byte ranges; with `embeds` also the questions that its shard holds."""
    with (root / place["shard"]).open("rb") as shard:
        row = coded_row(shard, root, place, embeds=embeds)
    picture = Image.open(io.BytesIO(row["image"]["bytes"]))
    picture.load()
    return row | {"image": picture}


def coded_row(shard: BinaryIO, root: Path, place: dict[str, Any], *, embeds: bool = False) -> dict[str, Any]:
    """The row with its image still coded: given a PIL image, `datasets` would code it again, and a JPEG would lose."""
    image, record = (_range(shard, place[f"{kind}_offset"], place[f"{kind}_size"]) for kind in ("image", "json"))
    row = {
        "image": {"bytes": image, "path": None},
        "json": orjson.loads(record),
        "__key__": place["key"],
        "__url__": str(root / place["shard"]),
    }
    return row | {QUESTIONS: _questions(shard, place)} if embeds else row


def _questions(shard: BinaryIO, place: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The rows of the questions that lie behind the record; None where there are none, as of a source without questions."""
    body = questions_after(shard, place["key"], place["json_offset"] + place["json_size"])
    return None if body is None else orjson.loads(body)


def _range(stream: BinaryIO, offset: int, size: int) -> bytes:
    stream.seek(offset)
    return stream.read(size)
