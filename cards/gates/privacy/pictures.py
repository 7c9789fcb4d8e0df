"""What a picture's bytes carry beside its pixels: chunks, segments, and bytes behind the end.

Only what a decoder needs passes: of PNG (W3C recommendation, third edition, section 11) the critical chunks and those of
fixed size that say how samples become colours; of JPEG what `builders/formats/jpeg.py` leaves in; of WebP (RFC 9649) the
bitstream, alpha and the extended header.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from math import ceil

from ....builders.formats.jpeg import inspect
from ....schema.errors import UnreadableError

PNG, JPEG, RIFF = b"\x89PNG\r\n\x1a\n", b"\xff\xd8", b"RIFF"
_SIZES: dict[bytes, range] = {
    b"IHDR": range(13, 14),
    b"PLTE": range(3, 769, 3),
    b"tRNS": range(1, 257),
    b"IEND": range(1),
    b"sRGB": range(1, 2),
    b"gAMA": range(4, 5),
    b"cHRM": range(32, 33),
    b"pHYs": range(9, 10),
    b"sBIT": range(1, 5),
}
"""Chunk → how many bytes it may hold; IDAT is looked into."""
_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_WEBP = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH"})
_REGISTERED = frozenset(
    {*_SIZES, *(b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"tIME", b"iCCP", b"sPLT", b"hIST", b"bKGD", b"cICP", b"mDCV", b"cLLI")}
    | {*(b"acTL", b"fcTL", b"fdAT", b"EXIF", b"XMP ", b"ICCP", b"ANIM", b"ANMF")}
)
_INFLATED = 1 << 20


def carried(image: bytes) -> Iterator[str]:
    """In a few words each, what the bytes of a picture hold beside its pixels; nothing of a clean one."""
    if image.startswith(PNG):
        yield from _png(image)
    elif image.startswith(JPEG):
        yield from _jpeg(image)
    elif image.startswith(RIFF) and image[8:12] == b"WEBP":
        yield from _webp(image)
    else:
        yield "bytes that are neither PNG, JPEG nor WebP"


def _jpeg(image: bytes) -> Iterator[str]:
    try:
        yield from (f"JPEG {kind}" for kind in inspect(image).metadata)
    except UnreadableError:
        yield "a broken JPEG"


def _png(image: bytes) -> Iterator[str]:
    place, data, header = len(PNG), [], b""
    while place + 12 <= len(image):
        (size,), name = struct.unpack_from(">I", image, place), image[place + 4 : place + 8]
        body = image[place + 8 : place + 8 + size]
        place += 12 + size
        if name == b"IDAT":
            data.append(body)
        elif size not in _SIZES.get(name, range(0)):
            yield f"PNG chunk {_name(name)}"
        header = body if name == b"IHDR" else header
        if name == b"IEND":
            break
    if place < len(image):
        yield "bytes behind the end of a PNG"
    if place > len(image) or len(header) != 13 or not data:
        yield "a broken PNG"
    else:
        yield from _behind_pixels(b"".join(data), header)


def _behind_pixels(stream: bytes, header: bytes) -> Iterator[str]:
    """Bytes inside IDAT that no decoder shows: rows beyond the height, or anything behind the compressed stream."""
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    inflater, rest, size = zlib.decompressobj(), stream, 0
    try:
        while rest and not inflater.eof:
            size += len(inflater.decompress(rest, _INFLATED))
            rest = inflater.unconsumed_tail
    except zlib.error:
        yield "a broken PNG"
        return
    rows = height * (1 + ceil(width * depth * _CHANNELS.get(colour, 4) / 8))
    if inflater.unused_data or rest or (not interlaced and size > rows):
        yield "bytes behind the pixels of a PNG"


def _webp(image: bytes) -> Iterator[str]:
    end, place = 8 + int.from_bytes(image[4:8], "little"), 12
    while place + 8 <= min(end, len(image)):
        name, size = image[place : place + 4], int.from_bytes(image[place + 4 : place + 8], "little")
        if name not in _WEBP:
            yield f"WebP chunk {_name(name)}"
        place += 8 + size + size % 2
    if end < len(image):
        yield "bytes behind the end of a WebP"
    if end > len(image) or place != end:
        yield "a broken WebP"


def _name(chunk: bytes) -> str:
    """A chunk's own name where it is a registered one, so that no text gets into a report this way."""
    return chunk.decode().strip() if chunk in _REGISTERED else "of an unregistered name"
