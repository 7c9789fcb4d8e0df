"""Data as the page reads it: gzip over JSON, or over columns of numbers with a JSON header."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson
from isal import igzip

LEVEL = 2
ALIGNED = 8
"""Every column begins at a multiple of so many bytes, as the browser's typed arrays want it."""
_TYPES = ((np.uint8, "u8"), (np.uint16, "u16"), (np.uint32, "u32"))


def json_pack(value: Any) -> bytes:
    """The value as gzip-compressed JSON; the same value gives the same bytes."""
    return igzip.compress(orjson.dumps(value), compresslevel=LEVEL, mtime=0)


def column_pack(columns: Mapping[str, np.ndarray], words: Mapping[str, Any]) -> bytes:
    """Columns of whole numbers of 0 or more, each in the narrowest type that holds it, behind a JSON header.

    Layout before compression, little-endian: the header's length as uint32; the header, `{"columns": {name: {type, at,
    length}}, "words": …}`, where `at` counts bytes from the end of the padded header; padding to 8 bytes; the columns.
    """
    header: dict[str, Any] = {"columns": {}, "words": words}
    bodies, at = [], 0
    for name, column in columns.items():
        kind, code = narrowest(column)
        body = column.astype(kind).astype(np.dtype(kind).newbyteorder("<"), copy=False).tobytes()
        header["columns"][name] = {"type": code, "at": at, "length": int(column.size)}
        bodies += [body, bytes(-len(body) % ALIGNED)]
        at += len(body) + -len(body) % ALIGNED
    text = orjson.dumps(header)
    text += b" " * (-(len(text) + 4) % ALIGNED)
    return igzip.compress(b"".join([struct.pack("<I", len(text)), text, *bodies]), compresslevel=LEVEL, mtime=0)


def narrowest(column: np.ndarray) -> tuple[type, str]:
    """The narrowest unsigned type that holds a column, and its name in the header."""
    most = int(column.max()) if column.size else 0
    return next((kind, code) for kind, code in _TYPES if most <= np.iinfo(kind).max)
