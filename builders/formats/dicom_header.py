"""Opening a DICOM file and asking its header safely: files without a preamble, odd values, lying lengths.

Headers found in the wild break the rules. pydicom says so in Python warnings; here they become issues `odd-header`, once
per kind and unit, without the values that they quote, since those may be a person's.
"""

from __future__ import annotations

import mmap
import re
import struct
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...schema.errors import Issue, Severity, UnreadableError
from ..picture import Report

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

DEFLATED = "1.2.840.10008.1.2.1.99"
MAX_INFLATED = 4 << 30
"""Bytes: a deflated data set that grows beyond is refused before it is kept."""
_BROKEN = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RecursionError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"|\S*/\S+|\b[\d.]{6,}\b")


@lru_cache(maxsize=1)
def faults() -> tuple[type[BaseException], ...]:
    """What pydicom and its decoders raise on bytes that aren't what they say; asked for when something is raised."""
    from pydicom.errors import BytesLengthException, InvalidDicomError

    return (*_BROKEN, BytesLengthException, InvalidDicomError)


@contextmanager
def odd_headers(where: str, report: Report, *, seen: set[str] | None = None) -> Iterator[None]:
    """Turn pydicom's warnings inside the block into issues `odd-header`; `seen` holds what the unit has already said.

    Raises:
        UnreadableError: pydicom fails inside the block, at an element whose bytes make no sense.
    """
    said = set() if seen is None else seen
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            yield
        except faults() as error:
            found = f"an element that ends in {type(error).__name__}"
            raise UnreadableError(found, expected="a header as DICOM PS3.5 writes it", where=where) from error
    for warning in caught:
        text = _QUOTED.sub("…", str(warning.message)).split("\n")[0][:160]
        if text not in said:
            said.add(text)
            expected = "a header as DICOM PS3.5 writes it"
            report(Issue("odd-header", where, text, expected, "it was read all the same", Severity.INFO))


def opened(path: Path, *, pixels: bool = True, tags: Sequence[str | int] | None = None) -> Dataset:
    """The file's data set, with a transfer syntax even where the file states none; `tags` limits what is read.

    A file without the DICOM preamble is taken where it begins with group 0002 or 0008 and has a SOP class or pixels.

    Raises:
        UnreadableError: it isn't DICOM, or is cut off inside the header.
    """
    import pydicom

    if not looks_like_dicom(path):
        raise UnreadableError("no DICOM data set", expected="a DICOM file", where=path.name)
    _refuse_bomb(path)
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            # A map hands out no more than the file holds, whatever length an element claims.
            dataset = pydicom.dcmread(
                view,  # type: ignore[arg-type]
                force=True,
                stop_before_pixels=not pixels,
                specific_tags=None if tags is None else [*tags],  # type: ignore[arg-type]
            )
    except faults() as error:
        found = f"a header that ends in {type(error).__name__}"
        raise UnreadableError(found, expected="a whole DICOM file", where=path.name) from error
    _state_syntax(dataset)
    return dataset


def looks_like_dicom(path: Path) -> bool:
    """Whether the first bytes are DICOM's: the preamble's mark, or a data set that begins with group 0002 or 0008."""
    with path.open("rb") as file:
        head = file.read(132)
    return head[128:132] == b"DICM" or (len(head) >= 12 and head[:2] in (b"\2\0", b"\x08\0", b"\0\x08"))


def has_object(dataset: Dataset) -> bool:
    """Whether the data set says what it is: a SOP class, or the rows and columns of pixels."""
    return bool(text(dataset, "SOPClassUID")) or ("Rows" in dataset and "Columns" in dataset)


def _refuse_bomb(path: Path) -> None:
    """Inflate a deflated data set piece by piece, keeping nothing, to see that it stays in bounds."""
    with path.open("rb") as file:
        if DEFLATED.encode() not in file.read(2048):
            return
        file.seek(0)
        try:
            inflated = _inflated_size(file)
        except faults():
            return
    if inflated > MAX_INFLATED:
        raise UnreadableError("a data set that inflates beyond 4 GiB", expected="a real file", code="absurd-size")


def _inflated_size(file: Any) -> int:
    """Bytes behind the file meta information once inflated, counted up to the limit."""
    from pydicom.filereader import _read_file_meta_info, read_preamble

    read_preamble(file, force=True)
    _read_file_meta_info(file)
    stream, total = zlib.decompressobj(-zlib.MAX_WBITS), 0
    pending = file.read(1 << 16)
    while pending and total <= MAX_INFLATED:
        total += len(stream.decompress(pending, 1 << 24))
        pending = stream.unconsumed_tail or file.read(1 << 16)
    return total


def _state_syntax(dataset: Dataset) -> None:
    """Fill in the transfer syntax that the bytes were read with, where the file states none."""
    from pydicom import uid
    from pydicom.dataset import FileMetaDataset

    meta = getattr(dataset, "file_meta", None)
    if meta is not None and meta.get("TransferSyntaxUID"):
        return
    implicit, little = dataset.original_encoding
    dataset.file_meta = meta if meta is not None else FileMetaDataset()
    explicit = uid.ExplicitVRLittleEndian if little else uid.ExplicitVRBigEndian
    dataset.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian if implicit else explicit


def _value(dataset: Dataset, keyword: str) -> Any:
    try:
        return dataset.get(keyword)
    except faults():
        return None


def text(dataset: Dataset, keyword: str) -> str:
    """The element as one stripped string, empty where it is absent or can't be read; of several values the first."""
    values = texts(dataset, keyword)
    return values[0] if values else ""


def texts(dataset: Dataset, keyword: str) -> tuple[str, ...]:
    """All values of the element as stripped strings."""
    return tuple(str(value).strip() for value in _many(_value(dataset, keyword)))


def number(dataset: Dataset, keyword: str) -> float | None:
    """The element's first value as a finite number, or None."""
    values = numbers(dataset, keyword)
    return values[0] if values else None


def numbers(dataset: Dataset, keyword: str, *, count: int | None = None) -> tuple[float, ...] | None:
    """All values as finite numbers; None where one isn't, there is none, or there are fewer than `count`."""
    try:
        found = tuple(float(value) for value in _many(_value(dataset, keyword)))
    except faults():
        return None
    bounded = all(abs(value) < float("inf") for value in found)
    return found[:count] if found and bounded and len(found) >= (count or 1) else None


def items(dataset: Dataset, keyword: str) -> list[Dataset]:
    """The items of a sequence, none where it is absent or no sequence."""
    from pydicom.sequence import Sequence as Items

    value = _value(dataset, keyword)
    return list(value) if isinstance(value, Items) else []


def walk(dataset: Dataset, visit: Callable[[Dataset], None]) -> None:
    """Call `visit` with the data set and every item nested in it."""
    visit(dataset)
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                walk(item, visit)


def _many(value: Any) -> Iterable[Any]:
    from pydicom.multival import MultiValue

    if value is None or value == "":
        return ()
    if isinstance(value, MultiValue | list | tuple):
        return [one for one in value if one is not None and one != ""]
    return (value,)
