"""A DICOM SEG as it lies in its file: its segments, its frames' references and places, and one frame's pixels at a time.

Frames are walked with pydicom rather than highdicom: highdicom refuses big-endian and deflated objects, calls the
background of a label map a segment, and builds a whole volume per segment. Two encodings that pydicom lacks, bit-packed
frames in RLE or deflated one by one, are unpacked here (DICOM PS3.5, sections 8.2.2 and 8.2.17).
"""

from __future__ import annotations

import io
import mmap
import zlib
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ...schema.errors import UnreadableError
from .dicom_object import DEFLATED, read_object, reading, viewed
from .seg_groups import Frame, Segment, grouped_frames, segment_of, tiled_full_frames

if TYPE_CHECKING:
    from pydicom import Dataset

SEGMENTATION, LABEL_MAP = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"
RLE, DEFLATED_FRAMES = "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.8.1"
MAX_EXPANSION = 10_000
"""Pixels that one compressed byte can stand for: an empty JPEG 2000 frame and deflated bits come near to it."""
MAX_FRAME_PX = 1 << 28
"""Pixels of one compressed frame, which is decoded whole."""


@dataclass(frozen=True, eq=False)
class SegFile:
    """An opened SEG: the header in memory, native pixels left in the file, compressed ones held as they are."""

    path: Path
    header: Dataset
    pixels: Path | bytes | list[bytes]
    """The file itself, the native bytes, or one compressed item per frame."""
    offset: int = 0
    _options: dict[str, Any] = field(default_factory=dict)

    @property
    def size_hw_px(self) -> tuple[int, int]:
        """Rows and columns of a frame."""
        return int(self.header.Rows), int(self.header.Columns)

    @property
    def kind(self) -> str:
        """BINARY, FRACTIONAL or LABELMAP."""
        return str(self.header.get("SegmentationType", ""))

    @property
    def syntax(self) -> str:
        """UID of the transfer syntax."""
        return str(self.header.file_meta.TransferSyntaxUID)

    @property
    def total_hw_px(self) -> tuple[int, int] | None:
        """Size of the total pixel matrix where the frames are its tiles."""
        height, width = (self.header.get(f"TotalPixelMatrix{side}") for side in ("Rows", "Columns"))
        return (int(height), int(width)) if height and width else None

    @cached_property
    def segments(self) -> tuple[Segment, ...]:
        """Every described segment, background too, in the file's order."""
        return tuple(segment_of(item) for item in self.header.SegmentSequence)

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """Every frame, in the file's order."""
        if self.header.get("DimensionOrganizationType") == "TILED_FULL" and self.total_hw_px:
            return tuple(tiled_full_frames(self.header))
        return tuple(grouped_frames(self.header))

    @cached_property
    def references(self) -> frozenset[str]:
        """SOP instance UIDs of every image that the object says it is about."""
        series = self.header.get("ReferencedSeriesSequence") or ()
        items = [item for one in series for item in one.get("ReferencedInstanceSequence") or ()]
        items += list(self.header.get("SourceImageSequence") or ())
        listed = {str(item.ReferencedSOPInstanceUID) for item in items}
        return frozenset(listed.union(uid for frame in self.frames for uid, _ in frame.sources))

    def decoded(self, index: int) -> np.ndarray:
        """One frame's stored values, unsigned, rows×columns.

        Raises:
            UnreadableError: the bytes can't be decoded to that size.
        """
        with reading("decodable pixels", where=self._at(index)):
            values = self._decode(index)
        if values.shape != self.size_hw_px:
            raise UnreadableError(f"{values.shape} pixels", expected=f"{self.size_hw_px}", where=self._at(index))
        return values

    def values(self, index: int) -> np.ndarray:
        """One frame as unsigned integers: segment numbers of a label map, else 1 inside and 0 outside.

        A fractional frame, be it probability or occupancy, is inside from half of the maximum fractional value on.
        """
        values = self.decoded(index)
        if self.kind == "FRACTIONAL":
            return (values.astype(np.uint32) * 2 >= int(self.header.MaximumFractionalValue)).astype(np.uint8)
        return values if self.kind == "LABELMAP" else (values != 0).astype(np.uint8)

    def _at(self, index: int) -> str:
        return f"{self.path.name} frame {index + 1}"

    def _decode(self, index: int) -> np.ndarray:
        if isinstance(self.pixels, list):
            return self._decode_item(self.pixels[index])
        from pydicom.pixels.decoders.base import get_decoder

        with _opened(self.pixels) as stream:
            stream.seek(self.offset)
            return get_decoder(self.syntax).as_array(stream, index=index, raw=True, **self._options)[0]

    def _decode_item(self, item: bytes) -> np.ndarray:
        from pydicom.encaps import encapsulate
        from pydicom.pixels.decoders.base import get_decoder

        bits = self._options["bits_allocated"]
        if self.syntax == DEFLATED_FRAMES or (self.syntax == RLE and bits == 1):
            return _unpacked(item, self.syntax, size_hw_px=self.size_hw_px, bits=bits)
        options = {**self._options, "number_of_frames": 1}
        return get_decoder(self.syntax).as_array(encapsulate([item], has_bot=False), index=0, raw=True, **options)[0]


def open_seg(path: Path) -> SegFile:
    """The SEG in a file, its claims of size checked against the bytes that are there.

    The last one is kept, since the tiles of one slide ask for the same file again and again.

    Raises:
        UnreadableError: no SEG, truncated, or a claim that its bytes can't hold (`absurd-size`).
    """
    with reading("a whole SEG", where=path.name):
        stat = path.stat()
        return _open(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=1)
def _open(path: Path, size: int, _: int) -> SegFile:
    pixels: Path | bytes | list[bytes] = path
    classes = (SEGMENTATION, LABEL_MAP)
    with viewed(path) as view:
        header = read_object(view, classes=classes, where=path.name)
        syntax = str(header.file_meta.TransferSyntaxUID)
        if syntax == DEFLATED:
            pixels = bytes(read_object(view, classes=classes, where=path.name, pixels=True).PixelData)
            offset, length, there = 0, len(pixels), len(pixels)
        else:
            offset, length = _value_place(view, header)
            there = size - offset
        _check_claim(header, length=length, there=there, where=path.name)
        if length is None:
            pixels, offset = _items(view, offset, header), 0
    seg = SegFile(path, header, pixels, offset, _decoder_options(header, syntax))
    _check_frames(seg)
    return seg


def _decoder_options(header: Dataset, syntax: str) -> dict[str, Any]:
    from pydicom.pixels.utils import as_pixel_options

    # A palette colours the segment numbers for display; the numbers themselves are what is wanted.
    options = as_pixel_options(header, photometric_interpretation="MONOCHROME2", pixel_keyword="PixelData")
    return {**options, "pixel_vr": "OW" if options["bits_allocated"] > 8 else "OB"}


def _value_place(view: mmap.mmap, header: Dataset) -> tuple[int, int | None]:
    """Offset and length of the pixel data's value, for a view that stands at its tag; no length when encapsulated."""
    implicit, little = header.original_encoding
    head = view.read(8 if implicit else 12)
    if head[:4] != (b"\xe0\x7f\x10\x00" if little else b"\x7f\xe0\x00\x10"):
        raise UnreadableError("no pixel data", expected="frames")
    length = int.from_bytes(head[-4:], "little" if little else "big")
    return view.tell(), None if length == 0xFFFFFFFF else length


def _check_claim(header: Dataset, *, length: int | None, there: int, where: str) -> None:
    claimed_px = int(header.get("NumberOfFrames") or 1) * int(header.Rows) * int(header.Columns)
    bits = int(header.BitsAllocated)
    if claimed_px <= 0 or bits not in (1, 8, 16) or int(header.get("SamplesPerPixel", 1)) != 1:
        raise UnreadableError(f"{claimed_px} pixels of {bits} bits", expected="1, 8 or 16-bit frames", where=where)
    room_px = there * MAX_EXPANSION if length is None else length * 8 // bits
    if claimed_px > room_px or (length is None and int(header.Rows) * int(header.Columns) > MAX_FRAME_PX):
        found = f"{claimed_px} pixels claimed by {there if length is None else length} bytes"
        raise UnreadableError(found, expected="pixels that the bytes can hold", where=where, code="absurd-size")
    if length is not None and length > there:
        code = "absurd-size" if length > 16 * there else "unreadable"
        raise UnreadableError(f"{there} bytes of pixels", expected=f"the {length} claimed", where=where, code=code)


def _check_frames(seg: SegFile) -> None:
    """Raise where the frames described, stored and counted differ, or a number can't be a segment's."""
    counted = int(seg.header.get("NumberOfFrames") or 1)
    stored = len(seg.pixels) if isinstance(seg.pixels, list) else counted
    if not len(seg.frames) == stored == counted:
        found = f"{counted} frames counted, {stored} stored, {len(seg.frames)} described"
        raise UnreadableError(found, expected="the same number", where=seg.path.name)
    if seg.kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
        raise UnreadableError(f"segmentation type {seg.kind!r}", expected="BINARY, FRACTIONAL or LABELMAP", where=seg.path.name)
    numbers = [segment.number for segment in seg.segments]
    if len(set(numbers)) < len(numbers) or not all(0 <= number < 65536 for number in numbers):
        raise UnreadableError(f"segment numbers {numbers[:20]}", expected="unique 16-bit numbers", where=seg.path.name)


def _items(view: mmap.mmap, offset: int, header: Dataset) -> list[bytes]:
    from pydicom.encaps import generate_frames

    view.seek(offset)
    extended = None
    if "ExtendedOffsetTable" in header:
        extended = header.ExtendedOffsetTable, header.ExtendedOffsetTableLengths
    count = int(header.get("NumberOfFrames") or 1)
    return list(generate_frames(view, number_of_frames=count, extended_offsets=extended))  # type: ignore[arg-type]


def _opened(pixels: Path | bytes) -> BinaryIO:
    return io.BytesIO(pixels) if isinstance(pixels, bytes) else pixels.open("rb")


def _unpacked(item: bytes, syntax: str, *, size_hw_px: tuple[int, int], bits: int) -> np.ndarray:
    """A frame out of its compressed item; bits lie eight to a byte, from the lowest on."""
    count = size_hw_px[0] * size_hw_px[1]
    wanted = -(-count * bits // 8)
    data = _deflated(item, wanted) if syntax == DEFLATED_FRAMES else _runs(item)
    if bits > 1:
        return np.frombuffer(data, f"<u{bits // 8}", count).reshape(size_hw_px)
    return np.unpackbits(np.frombuffer(data, np.uint8, wanted), bitorder="little")[:count].reshape(size_hw_px)


def _deflated(item: bytes, wanted: int) -> bytes:
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(item, wanted)


def _runs(item: bytes) -> bytes:
    """The one segment of an RLE frame; PackBits by another name, behind a header of 64 bytes."""
    from imagecodecs import packbits_decode

    segments, start = np.frombuffer(item, "<u4", 2)
    if segments != 1:
        raise UnreadableError(f"{segments} RLE segments in a frame of bits", expected="one")
    return bytes(packbits_decode(item[int(start) :]))
