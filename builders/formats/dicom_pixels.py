"""The stored pixels of a DICOM data set, frame by frame, and the library that decoded them.

The header is checked before anything is allocated: native pixels must hold as many bytes as rows, columns, samples and
frames ask for; encoded ones may expand at most `MAX_EXPANSION` times, and must claim the header's own size.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from ...schema.errors import UnreadableError
from . import dicom_jpeg
from .dicom_header import faults, number, text

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

MAX_EXPANSION = 4000
"""Decoded bytes per encoded byte: run-length modes reach some thousands on blank images."""
ALWAYS_ALLOWED = 64 << 20
"""Bytes: a decoded size that needs no questioning."""
_DECODERS = {
    "1.2.840.10008.1.2.4.50": ("pillow",),
    **dict.fromkeys(dicom_jpeg.SYNTAXES, (dicom_jpeg.LABEL,)),
    "1.2.840.10008.1.2.4.80": ("pyjpegls",),
    "1.2.840.10008.1.2.4.81": ("pyjpegls",),
}
"""Transfer syntax → decoders that are tried; others take pylibjpeg's OpenJPEG and RLE first, then what pydicom finds."""
_START_OF_FRAME = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
PIXEL_TAGS = (
    *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "NumberOfFrames"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "ExtendedOffsetTable"),
    *("ExtendedOffsetTableLengths", *PIXELS),
)
"""All that decoding asks of a data set."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The shape that the header claims."""

    rows: int
    columns: int
    samples: int
    frames: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    photometric: str

    @property
    def pixels(self) -> int:
        """Pixels of all frames."""
        return self.rows * self.columns * self.frames

    @property
    def decoded_bytes(self) -> int:
        """Bytes of all frames once decoded."""
        return self.pixels * self.samples * max(self.bits_allocated // 8, 1)

    @property
    def native_bytes(self) -> int:
        """Bytes of all frames, unencoded; YBR_FULL_422 halves the colour."""
        bits = self.pixels * self.samples * self.bits_allocated
        return (bits * 2 // 3 if self.photometric == "YBR_FULL_422" else bits + 7) // 8

    @property
    def stored_range(self) -> tuple[int, int]:
        """Lowest and highest value that the stored bits can hold."""
        if self.signed:
            return -(1 << (self.bits_stored - 1)), (1 << (self.bits_stored - 1)) - 1
        return 0, (1 << self.bits_stored) - 1


def layout_of(dataset: Dataset) -> Layout:
    """Rows, columns, samples, frames and bits as the header states them.

    Raises:
        UnreadableError: one of them is missing or no size.
    """
    rows, columns = _whole(dataset, "Rows"), _whole(dataset, "Columns")
    floating = 32 if "FloatPixelData" in dataset else 64 if "DoubleFloatPixelData" in dataset else 0
    allocated = floating or _whole(dataset, "BitsAllocated")
    stored = floating or int(number(dataset, "BitsStored") or allocated)
    if not 1 <= stored <= allocated <= 64:
        raise UnreadableError(f"{stored} bits stored of {allocated}", expected="1 to 64 bits")
    return Layout(
        rows=rows,
        columns=columns,
        samples=_whole(dataset, "SamplesPerPixel", missing=1),
        frames=_frames(dataset),
        bits_allocated=allocated,
        bits_stored=stored,
        signed=number(dataset, "PixelRepresentation") == 1,
        photometric=text(dataset, "PhotometricInterpretation").upper() or "MONOCHROME2",
    )


def frames(dataset: Dataset, *, keep: Sequence[int] | None = None) -> Iterator[tuple[np.ndarray, str]]:
    """Stored pixels of each frame and their decoder: (rows, columns) or (rows, columns, 3) RGB, native byte order.

    `keep` names the frames that are wanted, counted from 0, in rising order. YBR becomes RGB; palettes, LUTs, overlays
    and MONOCHROME1 aren't touched.

    Raises:
        UnreadableError: no pixels, a size that isn't there, or bytes that no decoder reads.
    """
    plugins = _plugins(dataset)
    _check(dataset, layout_of(dataset))
    failures: list[str] = []
    for plugin in plugins:
        stream = _stream(dataset, plugin, keep)
        first = _attempt(stream, failures)
        if first is not None:
            yield from _through(first, stream, _decoder_name(dataset, plugin))
            return
    reason = "; ".join(dict.fromkeys(failures)) or "there is no decoder for its transfer syntax"
    raise UnreadableError(f"pixels that can't be decoded: {reason}", expected="whole pixel data")


def _through(first: Any, stream: Iterator[Any], decoder: str) -> Iterator[tuple[np.ndarray, str]]:
    current = first
    while current is not None:
        yield _native(current[0]), decoder
        failures: list[str] = []
        current = _attempt(stream, failures)
        if failures:
            raise UnreadableError(f"a frame that can't be decoded: {failures[0]}", expected="whole pixel data")


def _attempt(stream: Iterator[Any], failures: list[str]) -> Any:
    """The next frame; None at the end, or with the reason in `failures`."""
    try:
        return next(stream, None)
    except faults() as error:
        failures.append(_reason(error))
    except BaseException as error:
        # Decoders in Rust panic on bad bytes, and their panics are no `Exception`.
        if type(error).__module__ != "pyo3_runtime":
            raise
        failures.append(_reason(error))
    return None


def _reason(error: BaseException) -> str:
    """The decoder's words, on one line; pydicom puts a plugin's own behind a line break."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:160]


def _stream(dataset: Dataset, plugin: str, keep: Sequence[int] | None) -> Iterator[Any]:
    from pydicom.pixels.decoders.base import get_decoder

    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    options: dict[str, Any] = {"decoding_plugin": plugin} if plugin else {}
    if keep is not None and len(keep) == 0:
        return iter(())
    return decoder.iter_array(dataset, indices=keep, raw=False, number_of_frames=_frames(dataset), **options)


def _plugins(dataset: Dataset) -> tuple[str, ...]:
    """Decoders to try, the fastest faithful one first; one nameless one for native pixels."""
    from pydicom.pixels.decoders.base import get_decoder

    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        decoder = get_decoder(syntax)
    except NotImplementedError:
        found = "a transfer syntax that no decoder reads"
        raise UnreadableError(found, expected="still images", code="unsupported") from None
    if not decoder.is_encapsulated:
        return ("",)
    dicom_jpeg.add_to(decoder)
    found = sorted(decoder.available_plugins, key=lambda name: name != "pylibjpeg")
    return _DECODERS.get(str(syntax), tuple(found))


def _native(array: np.ndarray) -> np.ndarray:
    """The same values in the machine's byte order, C-contiguous, one sample without its own axis."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _check(dataset: Dataset, layout: Layout) -> None:
    """Weigh the bytes of the pixels against the header's claim."""
    keyword = next((one for one in PIXELS if one in dataset), None)
    data = dataset[keyword].value if keyword else None
    if not data:
        raise UnreadableError("no pixels", expected="pixel data")
    if layout.samples not in (1, 3):
        raise UnreadableError(f"{layout.samples} samples per pixel", expected="1 or 3", code="unsupported")
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        _check_encoded(data, layout)
    elif len(data) < layout.native_bytes:
        code = "absurd-size" if layout.decoded_bytes > ALWAYS_ALLOWED else "unreadable"
        found = f"{len(data)} bytes of pixels where the header claims {layout.native_bytes}"
        raise UnreadableError(found, expected="whole pixel data", code=code)


def _check_encoded(data: bytes, layout: Layout) -> None:
    own = _codestream_pixels(data)
    if own == 0 or _has_endless_box(data):
        raise UnreadableError("a JPEG without size", expected="whole pixel data")
    claimed = max(layout.decoded_bytes, (own or 0) * layout.decoded_bytes // layout.pixels)
    if claimed > max(ALWAYS_ALLOWED, MAX_EXPANSION * len(data)):
        found = f"{len(data)} encoded bytes that claim {claimed}"
        raise UnreadableError(found, expected=f"at most {MAX_EXPANSION} times as many", code="absurd-size")


def _has_endless_box(data: bytes) -> bool:
    """Whether a JP2 file has a box of length 0 before its codestream: pydicom would step over it for ever."""
    at = data.find(b"\0\0\0\x0cjP  ", 0, 1 << 16) + 12
    while 12 <= at < len(data) and data[at + 4 : at + 8] != b"jp2c":
        length = int.from_bytes(data[at : at + 4], "big")
        if length == 0:
            return True
        at += length
    return False


def _codestream_pixels(data: bytes) -> int | None:
    """Pixels that the first JPEG or JPEG 2000 frame claims by itself, since decoders believe it, not the header.

    None where no claim is found, as in RLE.
    """
    siz = data.find(b"\xff\x4f\xff\x51", 0, 1 << 16)
    if siz >= 0 and len(data) >= siz + 24:
        columns, rows, x0, y0 = struct.unpack_from(">IIII", data, siz + 8)
        return max(columns - x0, 0) * max(rows - y0, 0)
    at = data.find(b"\xff\xd8\xff", 0, 1 << 16) + 2
    while at >= 2 and at + 9 < len(data) and data[at] == 0xFF and data[at + 1] != 0xDA:
        if data[at + 1] in _START_OF_FRAME:
            rows, columns = struct.unpack_from(">HH", data, at + 5)
            return rows * columns
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def _frames(dataset: Dataset) -> int:
    """Number of frames; a missing or zero one counts as one, as most writers mean it."""
    stated = number(dataset, "NumberOfFrames")
    wrong = stated is None and text(dataset, "NumberOfFrames") != ""
    if wrong or (stated is not None and (stated < 0 or stated != int(stated))):
        raise UnreadableError("a number of frames that is none", expected="a whole number")
    return int(stated) if stated else 1


def _whole(dataset: Dataset, keyword: str, *, missing: int | None = None) -> int:
    found = number(dataset, keyword)
    value = missing if found is None else int(found)
    if value is None or value < 1:
        stated = "none" if found is None else f"{found:g}"
        raise UnreadableError(f"{keyword} is {stated}", expected="a positive whole number")
    return value


_RLE = "1.2.840.10008.1.2.5"


def _decoder_name(dataset: Dataset, plugin: str) -> str:
    """The library that gave the pixels, as `name version`: of pylibjpeg the part that did."""
    syntax = str(dataset.file_meta.TransferSyntaxUID)
    library = plugin or "pydicom"
    if plugin == "pylibjpeg":
        library = "pylibjpeg-rle" if syntax == _RLE else "pylibjpeg-openjpeg"
    return _versioned(library)


@lru_cache(maxsize=16)
def _versioned(library: str) -> str:
    try:
        return f"{library} {version(library)}"
    except PackageNotFoundError:
        return library
