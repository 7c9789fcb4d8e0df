"""The JPEG stream: what its markers say, and the same coded data without anything that isn't the image.

Markers follow ITU-T T.81 annex B; JFIF is T.871, Adobe's APP14 is T.872. The pixels of a stripped stream are those of
the original, since quantization, Huffman tables, frame and scans are copied bit for bit, and so are the two segments
that decide the colour transform.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from ...schema.errors import UnreadableError

SOI, EOI, SOS, COM, APP0, APP1, APP2, APP13, APP14 = 0xD8, 0xD9, 0xDA, 0xFE, 0xE0, 0xE1, 0xE2, 0xED, 0xEE
FRAMES = frozenset({0xC0, 0xC1, 0xC2, 0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
CODED = FRAMES | {0xC4, 0xCC, SOS, 0xDB, 0xDC, 0xDD, 0xDE, 0xDF}
"""Frames, DHT, DAC, scans, DQT, DNL, DRI, DHP, EXP: all that a decoder of the image reads."""
BARE = frozenset({0x01, SOI, *range(0xD0, 0xD8)})
"""Markers without a length: TEM, SOI and the restarts."""
_SCAN_END = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_ORIENTATION_TAG = 0x0112


@dataclass(frozen=True, slots=True)
class JpegFacts:
    """What the markers of one JPEG say."""

    width: int
    height: int
    components: int
    precision: int
    """Bits per sample."""
    frame: int
    """The SOF marker's low nibble: 0 baseline, 1 extended, 2 progressive; others are rare processes."""
    component_ids: tuple[int, ...]
    jfif: bool
    adobe_transform: int | None
    """0 none, 1 YCbCr, 2 YCCK; None without an Adobe segment."""
    exif_orientation: int | None
    """1 to 8, where EXIF states one."""
    metadata: tuple[str, ...]
    """Kinds of what `strip_metadata` drops, sorted: exif, xmp, icc, iptc, mpf, comment, thumbnail, trailing, other."""

    @property
    def progressive(self) -> bool:
        """Whether the image comes in refining scans."""
        return self.frame in (2, 6, 10, 14)

    @property
    def has_metadata(self) -> bool:
        """Whether stripping would drop anything."""
        return bool(self.metadata)

    @property
    def colour(self) -> str:
        """grey, ycbcr, rgb, cmyk, ycck or other, by the rule that libjpeg follows."""
        if self.components == 3:
            return self._three_components()
        if self.components == 4:
            return "ycck" if self.adobe_transform == 2 else "cmyk"
        return "grey" if self.components == 1 else "other"

    def _three_components(self) -> str:
        if self.jfif:
            return "ycbcr"
        if self.adobe_transform is not None:
            return "rgb" if self.adobe_transform == 0 else "ycbcr"
        return "rgb" if bytes(self.component_ids) == b"RGB" else "ycbcr"


@dataclass(frozen=True, slots=True)
class _Segment:
    marker: int
    start: int
    """Of the 0xFF before the marker."""
    body: int
    """Behind marker and length."""
    end: int
    """Behind the segment; of a scan, behind its entropy-coded data."""


def inspect(stream: bytes, *, where: str = "") -> JpegFacts:
    """What the markers say; the entropy-coded data isn't decoded.

    Raises:
        UnreadableError: no JPEG, a marker that leads out of the stream, no frame, no scan, or no end (truncated).
    """
    segments = _segments(stream, where)
    frames = [s for s in segments if s.marker in FRAMES]
    if not frames or not any(s.marker == SOS for s in segments):
        raise _bad("no frame and scan", "an image between SOI and EOI", where)
    precision, height, width, ids = _frame(stream, frames[0], where)
    adobe = [_adobe(stream, s) for s in segments if _is_adobe(stream, s)]
    kinds = {kind for s in segments if (kind := _dropped_kind(stream, s))}
    orientations = [_orientation(stream[s.body + 6 : s.end]) for s in segments if _kind(stream, s) == "exif"]
    return JpegFacts(
        width=width,
        height=height,
        components=len(ids),
        precision=precision,
        frame=frames[0].marker & 0x0F,
        component_ids=ids,
        jfif=any(_is_jfif(stream, s) for s in segments),
        adobe_transform=adobe[-1] if adobe else None,
        exif_orientation=next((o for o in orientations if o is not None), None),
        metadata=tuple(sorted(kinds)),
    )


def strip_metadata(stream: bytes, *, where: str = "") -> bytes:
    """The same coded data, with JFIF's density and Adobe's transform, and nothing else.

    EXIF, XMP, IPTC, ICC, MPF, comments, thumbnails, unknown segments and whatever follows the end of the image are gone.

    Raises:
        UnreadableError: as `inspect`.
    """
    kept = [b"\xff\xd8"]
    seen_jfif = False
    for segment in _segments(stream, where):
        if segment.marker in CODED or segment.marker == EOI:
            kept.append(stream[segment.start : segment.end])
        elif _is_jfif(stream, segment) and not seen_jfif:
            seen_jfif = True
            kept.append(b"\xff\xe0\x00\x10" + stream[segment.body : segment.body + 12] + b"\x00\x00")
        elif _is_adobe(stream, segment):
            kept.append(b"\xff\xee\x00\x0e" + stream[segment.body : segment.body + 12])
    return b"".join(kept)


@lru_cache(maxsize=1)
def _segments(stream: bytes, where: str) -> tuple[_Segment, ...]:
    """Every segment behind SOI up to EOI, whose `end` is where the image ends; kept, since a stream is asked twice."""
    return tuple(_walk(stream, where))


def _walk(stream: bytes, where: str) -> Iterator[_Segment]:
    if stream[:2] != b"\xff\xd8":
        raise _bad(f"bytes that begin with {stream[:2].hex() or 'nothing'}", "the start marker of JPEG, ffd8", where)
    position = 2
    while True:
        segment = _segment_at(stream, position, where)
        yield segment
        if segment.marker == EOI:
            return
        position = segment.end


def _segment_at(stream: bytes, position: int, where: str) -> _Segment:
    start = position
    while stream[start + 1 : start + 2] == b"\xff":
        start += 1
    if start + 2 > len(stream):
        raise _bad(f"a stream that ends after {len(stream)} bytes", "the end marker of JPEG (truncated file)", where)
    if stream[start] != 0xFF or stream[start + 1] == 0:
        raise _bad(f"no marker at byte {position}", "a JPEG marker", where)
    marker = stream[start + 1]
    if marker in BARE or marker == EOI:
        return _Segment(marker, start, start + 2, start + 2)
    length = int.from_bytes(stream[start + 2 : start + 4], "big")
    end = start + 2 + length
    if length < 2 or end > len(stream):
        raise _bad(f"a segment of {length} bytes at byte {start}", "one that ends inside the file (truncated)", where)
    return _Segment(marker, start, start + 4, _scan_end(stream, end, where) if marker == SOS else end)


def _scan_end(stream: bytes, position: int, where: str) -> int:
    found = _SCAN_END.search(stream, position)
    if found is None:
        raise _bad(f"a scan without end in {len(stream)} bytes", "the end marker of JPEG (truncated file)", where)
    return found.start()


def _frame(stream: bytes, segment: _Segment, where: str) -> tuple[int, int, int, tuple[int, ...]]:
    body = stream[segment.body : segment.end]
    if len(body) < 6 or len(body) < 6 + 3 * body[5]:
        raise _bad(f"a frame header of {len(body)} bytes", "precision, size and components", where)
    precision, height, width, count = struct.unpack_from(">BHHB", body)
    if not height or not width or not count:
        raise _bad(f"{width}×{height} px in {count} components", "a size above zero", where)
    return precision, height, width, tuple(body[6 + 3 * i] for i in range(count))


def _is_jfif(stream: bytes, segment: _Segment) -> bool:
    long_enough = segment.end - segment.body >= 14
    return segment.marker == APP0 and long_enough and stream.startswith(b"JFIF\0", segment.body)


def _is_adobe(stream: bytes, segment: _Segment) -> bool:
    long_enough = segment.end - segment.body >= 12
    return segment.marker == APP14 and long_enough and stream.startswith(b"Adobe", segment.body)


def _adobe(stream: bytes, segment: _Segment) -> int:
    return stream[segment.body + 11]


def _dropped_kind(stream: bytes, segment: _Segment) -> str | None:
    """What kind of thing stripping takes away here, if any."""
    if segment.marker == EOI:
        return "trailing" if segment.end < len(stream) else None
    if segment.marker in CODED or segment.marker in BARE:
        return None
    if _is_jfif(stream, segment):
        return "thumbnail" if segment.end - segment.body > 14 else None
    if _is_adobe(stream, segment):
        return "other" if segment.end - segment.body > 12 else None
    return _kind(stream, segment)


_KINDS = (
    (APP0, b"JFXX\0", "thumbnail"),
    (APP1, b"Exif\0", "exif"),
    (APP1, b"http://ns.adobe.com/", "xmp"),
    (APP2, b"ICC_PROFILE\0", "icc"),
    (APP2, b"MPF\0", "mpf"),
    (APP13, b"Photoshop ", "iptc"),
    (COM, b"", "comment"),
)


def _kind(stream: bytes, segment: _Segment) -> str:
    for marker, head, kind in _KINDS:
        if segment.marker == marker and stream.startswith(head, segment.body):
            return kind
    return "other"


def _orientation(tiff: bytes) -> int | None:
    """EXIF orientation, 1 to 8, from the TIFF block of an EXIF segment; None where it is absent or makes no sense."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None or len(tiff) < 8:
        return None
    (directory,) = struct.unpack_from(order + "I", tiff, 4)
    if directory + 2 > len(tiff):
        return None
    (count,) = struct.unpack_from(order + "H", tiff, directory)
    for entry in range(directory + 2, min(directory + 2 + 12 * count, len(tiff) - 11), 12):
        tag, kind = struct.unpack_from(order + "HH", tiff, entry)
        if tag == _ORIENTATION_TAG and kind == 3:
            (value,) = struct.unpack_from(order + "H", tiff, entry + 8)
            return value if 1 <= value <= 8 else None
    return None


def _bad(found: str, expected: str, where: str) -> UnreadableError:
    return UnreadableError(found, expected=expected, where=where)
