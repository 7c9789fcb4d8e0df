"""Which pictures may be shown, and the pictures themselves: stored bytes, thumbnails and sheets of thumbnails.

This is the one place where the explorer reads pixels.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from PIL import Image

from ...schema.errors import ReleaseError
from ...schema.picture_rights import PictureRights
from ...schema.published import Mode, mode_of
from .members import contents
from .rows import BLOCK, Rows

SIDE_PX = 160
"""Longest side of a thumbnail; smaller pictures keep their size."""
COLUMNS = 4
"""Thumbnails side by side on a sheet, each at the upper left of a square of `SIDE_PX`."""
QUALITY = 82
SHOWN, NOT_GRANTED, NOT_HELD = "", "not-granted", "not-held"
REASONS = {
    SHOWN: "",
    NOT_GRANTED: "The owner's licence isn't known to let this picture be passed on, so it isn't shown here.",
    NOT_HELD: "This release doesn't hold the picture: only its record is published.",
}
TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}


@dataclass(frozen=True)
class Sights:
    """The pictures of a release, as far as they may be shown."""

    rows: Rows
    every: bool = False
    """Whether pictures are shown whatever their rights."""

    @cached_property
    def reasons(self) -> np.ndarray:
        """Per sample, the place in `REASONS` of why its picture isn't shown: uint8, 0 where it is."""
        rights, names = PictureRights.of(self.rows.release), list(REASONS)
        absent = {one["facts"]["name"] for one in self.rows.release.recipes() if mode_of(one) is not Mode.FULL}
        (source, sources), (licence, licences) = self.rows.words("source"), self.rows.words("licence")
        found = np.zeros((len(sources), len(licences)), np.uint8)
        for at, name in enumerate(sources):
            for to, terms in enumerate(licences):
                shown = self.every or rights.may_show(str(name), str(terms))
                reason = NOT_HELD if name in absent else SHOWN if shown else NOT_GRANTED
                found[at, to] = names.index(reason)
        return found[source, licence]

    def withheld(self) -> dict[str, int]:
        """Source → samples whose picture isn't shown; only sources that have some."""
        source, names = self.rows.words("source")
        counts = np.bincount(source[self.reasons > 0], minlength=len(names))
        return {str(name): int(count) for name, count in zip(names, counts, strict=True) if count}

    def stored(self, row: int) -> tuple[bytes, str] | None:
        """The stored bytes and their media type; None where the picture isn't shown."""
        if self.reasons[row]:
            return None
        coded = contents(self.rows.release, [self.rows.one(row)], "image")[0]
        return coded, media_type(coded)

    def thumb(self, row: int) -> bytes | None:
        """The thumbnail as JPEG; None where the picture isn't shown."""
        stored = self.stored(row)
        return None if stored is None else jpeg(small(stored[0], self.rows.one(row)))

    def sheet(self, block: int) -> bytes | None:
        """All thumbnails of a block on one JPEG; None where none is shown."""
        places = [place for place in self.rows.block(block) if not self.reasons[place["row"]]]
        if not places:
            return None
        coded = contents(self.rows.release, places, "image")
        return jpeg(laid({place["row"] % BLOCK: small(one, place) for place, one in zip(places, coded, strict=True)}))


def small(coded: bytes, place: Mapping[str, Any]) -> Image.Image:
    """The picture fitted into `SIDE_PX`, as grey or RGB.

    Raises:
        ReleaseError: the bytes are no picture of the size that the index states.
    """
    size = thumb_size(place["height_px"], place["width_px"])
    try:
        picture = Image.open(io.BytesIO(coded))
        found = picture.size
        picture.draft("RGB" if picture.mode != "L" else "L", (2 * size[0], 2 * size[1]))
        picture = picture.convert("L" if picture.mode in ("1", "L") else "RGB")
    except (OSError, ValueError) as error:
        raise ReleaseError(f"{place['key']}: {error}; expected a picture; see `medloom check`") from error
    if found != (place["width_px"], place["height_px"]):
        expected = (place["height_px"], place["width_px"])
        raise ReleaseError(f"{place['key']}: picture of {found[::-1]} px; expected {expected}; see `medloom check`")
    return picture if picture.size == size else picture.resize(size, Image.Resampling.BOX, reducing_gap=2.0)


def thumb_size(height_px: int, width_px: int) -> tuple[int, int]:
    """Width and height of a thumbnail; `page/pictures.js` says the same."""
    longest = max(height_px, width_px)
    if longest <= SIDE_PX:
        return width_px, height_px
    return tuple(max(1, (2 * side * SIDE_PX + longest) // (2 * longest)) for side in (width_px, height_px))  # type: ignore[return-value]


def laid(thumbs: Mapping[int, Image.Image]) -> Image.Image:
    """A sheet with thumbnails at their places, grey where all are."""
    lines = -(-(max(thumbs) + 1) // COLUMNS)
    mode = "L" if all(one.mode == "L" for one in thumbs.values()) else "RGB"
    sheet = Image.new(mode, (COLUMNS * SIDE_PX, lines * SIDE_PX))
    for place, one in thumbs.items():
        sheet.paste(one, (place % COLUMNS * SIDE_PX, place // COLUMNS * SIDE_PX))
    return sheet


def jpeg(picture: Image.Image) -> bytes:
    """The picture as JPEG, colours unsampled so that neighbours on a sheet don't bleed into each other."""
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=QUALITY, subsampling=0)
    return stream.getvalue()


def media_type(coded: bytes) -> str:
    """The media type of a stored image, by its first bytes."""
    signatures: Sequence[tuple[bytes, str]] = ((b"\x89PNG", "png"), (b"\xff\xd8", "jpeg"), (b"RIFF", "webp"))
    return next((TYPES[kind] for start, kind in signatures if coded.startswith(start)), "application/octet-stream")
