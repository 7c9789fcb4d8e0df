"""Masks in the run lengths of Label Studio's brush.

The form is that of thi.ng's rle-pack over a picture's RGBA values, row by row: 32 bits say how many values there are, 5
bits how wide one is (less one), four times 4 bits how wide a count may be (less one); then runs, each with 1 bit for
"repeated", 2 bits for the count's width, the count less one, and the value. Zeros fill the last byte.
"""

from __future__ import annotations

import numpy as np

WIDTHS = (3, 4, 8, 16)
"""Bits of a count, narrowest first."""
CHANNELS, VALUE_BITS = 4, 8


def brush_from_mask(mask: np.ndarray) -> list[int]:
    """The bytes, as numbers, of an H×W mask: whatever isn't 0 is painted at 255 in every channel."""
    inside = np.ascontiguousarray(mask).reshape(-1) != 0
    starts = np.flatnonzero(np.r_[True, inside[1:] != inside[:-1]])
    lengths = np.diff(np.r_[starts, inside.size]) * CHANNELS
    head = f"{inside.size * CHANNELS:032b}{VALUE_BITS - 1:05b}" + "".join(f"{width - 1:04b}" for width in WIDTHS)
    runs = (_run(length, 255 * painted) for length, painted in zip(lengths.tolist(), inside[starts].tolist(), strict=True))
    bits = head + "".join(runs)
    bits += "0" * (-len(bits) % 8)
    return list(int(bits, 2).to_bytes(len(bits) // 8, "big"))


def _run(length: int, value: int) -> str:
    """The bits of a run of one value, in pieces where no count is wide enough."""
    most = 1 << WIDTHS[-1]
    pieces = [most] * (length // most) + ([length % most] if length % most else [])
    return "".join(_piece(piece, value) for piece in pieces)


def _piece(length: int, value: int) -> str:
    place = next(place for place, width in enumerate(WIDTHS) if length <= 1 << width)
    return f"1{place:02b}{length - 1:0{WIDTHS[place]}b}{value:0{VALUE_BITS}b}"
