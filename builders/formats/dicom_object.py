"""DICOM objects that hold labels rather than images: read whole or without pixels, with their faults as ours."""

from __future__ import annotations

import mmap
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ...schema.errors import UnreadableError
from ...schema.sample import Origin

if TYPE_CHECKING:
    from pydicom import Dataset

_BROKEN = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What pydicom and the decoders raise at bytes that make no sense."""

DEFLATED = "1.2.840.10008.1.2.1.99"
MAX_INFLATED = 1 << 30
"""Bytes that a deflated object may grow to; label objects are far smaller."""

_PRINTABLE = re.compile(r"[\x20-\x7e]{1,64}")
_LONG_NUMBER = re.compile(r"\d{6}")


@contextmanager
def reading(what: str, *, where: str) -> Iterator[None]:
    """Turn what pydicom and the decoders raise inside the block into `UnreadableError`, and keep their warnings quiet.

    Their messages quote the header, and so perhaps a person; the kind of error alone is kept.
    """
    from pydicom.errors import BytesLengthException, InvalidDicomError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # values against their kind; what matters is checked where it is used
            yield
    except (BytesLengthException, InvalidDicomError, *_BROKEN) as error:
        raise UnreadableError(f"{type(error).__name__} on the way", expected=what, where=where) from error


@contextmanager
def viewed(path: Path) -> Iterator[mmap.mmap]:
    """A map of the file: it hands out no more than the file holds, whatever length an element claims.

    Raises:
        UnreadableError: the file is absent or empty.
    """
    try:
        file = path.open("rb")
    except OSError as error:
        raise UnreadableError(error.strerror or "an error", expected="a readable file", where=path.name) from error
    with file:
        if not file.read(1):
            raise UnreadableError("no bytes", expected="a DICOM object", where=path.name)
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            yield view


def read_object(view: mmap.mmap, *, classes: tuple[str, ...], where: str, pixels: bool = False) -> Dataset:
    """The data set of a label object; without `pixels` the view stands at the pixel data's tag afterwards.

    Args:
        view: of the whole file.
        classes: SOP class UIDs that are accepted.
        where: the file's name, for errors.
        pixels: whether pixel data is read too.

    Raises:
        UnreadableError: no DICOM, of another class (`unsupported`), or deflated beyond measure (`absurd-size`).
    """
    from pydicom import dcmread

    _refuse_bomb(view, where)
    view.seek(0)
    with reading("a DICOM object", where=where):
        found = dcmread(view, stop_before_pixels=not pixels, force=True)  # type: ignore[arg-type]
        sop_class = str(found.get("SOPClassUID") or "")
    if not sop_class:
        raise UnreadableError("no SOP class", expected="a DICOM object", where=where)
    if sop_class not in classes:
        raise UnreadableError(f"SOP class {sop_class}", expected=" or ".join(classes), where=where, code="unsupported")
    return found


def _refuse_bomb(view: mmap.mmap, where: str) -> None:
    """Raise where a deflated data set grows beyond measure; it is inflated piece by piece and nothing is kept."""
    head = view[:4096]
    if DEFLATED.encode() not in head or head[132:140] != b"\2\0\0\0UL\4\0":
        return
    view.seek(144 + int.from_bytes(head[140:144], "little"))
    stream, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
    try:
        while (piece := stream.unconsumed_tail or view.read(1 << 16)) and total <= MAX_INFLATED:
            total += len(stream.decompress(piece, 1 << 20))
    except zlib.error as error:
        raise UnreadableError(f"{error}", expected="a deflated data set", where=where) from error
    if total > MAX_INFLATED:
        found = f"{len(view)} bytes that inflate beyond {MAX_INFLATED}"
        raise UnreadableError(found, expected="a real label object", where=where, code="absurd-size")


def origin_of(algorithm: str | None) -> Origin:
    """Who made a region, from its MANUAL, SEMIAUTOMATIC or AUTOMATIC; unknown where the object is silent."""
    if not algorithm:
        return Origin.UNKNOWN
    return Origin.HUMAN if algorithm == "MANUAL" else Origin.MODEL


def tool_of(name: str | None) -> str | None:
    """An algorithm's name where it is safe to keep: up to 64 printable ASCII characters, no run of six digits."""
    name = str(name or "").strip()
    return name if _PRINTABLE.fullmatch(name) and not _LONG_NUMBER.search(name) else None
