"""What the header of a SEG says of its segments and of each frame: functional groups as plain data (PS3.3 A.51)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...schema.errors import UnreadableError
from ...schema.sample import Origin
from .dicom_object import origin_of, tool_of

if TYPE_CHECKING:
    from pydicom import Dataset


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One entry of the segment sequence."""

    number: int
    label: str
    origin: Origin
    tool: str | None
    background: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What the functional groups say of a frame."""

    segment: int | None
    """Segment number; None in a label map."""
    sources: tuple[tuple[str, tuple[int, ...]], ...]
    """SOP instance UID and frame numbers (from 1; none means all) of the images it was drawn on."""
    position_mm: tuple[float, ...] | None
    orientation: tuple[float, ...] | None
    spacing_mm: tuple[float, ...] | None
    """Between rows, between columns."""
    corner_xy_px: tuple[int, int] | None
    """Where a tile begins in the total pixel matrix, from 0."""


def segment_of(item: Dataset) -> Segment:
    """One entry of the segment sequence; an empty label gives way to the meaning of the segment's type."""
    kinds = item.get("SegmentedPropertyTypeCodeSequence") or ()
    meaning = str(kinds[0].get("CodeMeaning") or "").strip() if kinds else ""
    label = str(item.get("SegmentLabel") or "").strip() or meaning
    algorithm = str(item.get("SegmentAlgorithmType") or "")
    return Segment(
        number=int(item.SegmentNumber),
        label=label or f"segment {item.SegmentNumber}",
        origin=origin_of(algorithm),
        tool=None if algorithm == "MANUAL" else tool_of(item.get("SegmentAlgorithmName")),
        background="background" in (label.casefold(), meaning.casefold()),
    )


def tiled_full_frames(header: Dataset) -> list[Frame]:
    """Frames without functional groups of their own: by segment, then focal plane, then rows of tiles (C.7.6.17.3).

    Raises:
        UnreadableError: their number isn't that of a full tiling.
    """
    height, width = int(header.TotalPixelMatrixRows), int(header.TotalPixelMatrixColumns)
    tiles = -(-height // int(header.Rows)) * -(-width // int(header.Columns))
    label_map = header.get("SegmentationType") == "LABELMAP"
    channels = [None] if label_map else [int(item.SegmentNumber) for item in header.SegmentSequence]
    planes, counted = int(header.get("TotalPixelMatrixFocalPlanes") or 1), int(header.get("NumberOfFrames") or 1)
    if tiles * len(channels) * planes != counted:
        found = f"{counted} frames in a full tiling of {tiles} tiles, {len(channels)} segments and {planes} planes"
        raise UnreadableError(found, expected="a frame for each")
    corners = [(x, y) for y in range(0, height, int(header.Rows)) for x in range(0, width, int(header.Columns))]
    spacing = _numbers(_group(None, _shared(header), "PixelMeasuresSequence"), "PixelSpacing")
    return [
        Frame(segment=n, sources=(), position_mm=None, orientation=None, spacing_mm=spacing, corner_xy_px=corner)
        for n in channels
        for _ in range(planes)
        for corner in corners
    ]


def grouped_frames(header: Dataset) -> list[Frame]:
    """Frames as their own and the shared functional groups describe them."""
    shared = _shared(header)
    return [_frame(groups, shared) for groups in header.PerFrameFunctionalGroupsSequence]


def _shared(header: Dataset) -> Dataset | None:
    return next(iter(header.get("SharedFunctionalGroupsSequence") or ()), None)


def _frame(groups: Dataset, shared: Dataset | None) -> Frame:
    identified = _group(groups, shared, "SegmentIdentificationSequence")
    tile = _group(groups, shared, "PlanePositionSlideSequence")
    return Frame(
        segment=None if identified is None else int(identified.ReferencedSegmentNumber),
        sources=_sources(groups, shared),
        position_mm=_numbers(_group(groups, shared, "PlanePositionSequence"), "ImagePositionPatient"),
        orientation=_numbers(_group(groups, shared, "PlaneOrientationSequence"), "ImageOrientationPatient"),
        spacing_mm=_numbers(_group(groups, shared, "PixelMeasuresSequence"), "PixelSpacing"),
        corner_xy_px=None
        if tile is None
        else (
            int(tile.ColumnPositionInTotalImagePixelMatrix) - 1,
            int(tile.RowPositionInTotalImagePixelMatrix) - 1,
        ),
    )


def _sources(groups: Dataset, shared: Dataset | None) -> tuple[tuple[str, tuple[int, ...]], ...]:
    derivations = groups.get("DerivationImageSequence") or (shared or {}).get("DerivationImageSequence") or ()
    items = [item for one in derivations for item in one.get("SourceImageSequence") or ()]
    return tuple((str(item.ReferencedSOPInstanceUID), _frame_numbers(item)) for item in items)


def _frame_numbers(item: Dataset) -> tuple[int, ...]:
    numbers = item.get("ReferencedFrameNumber")
    if numbers is None:
        return ()
    return (int(numbers),) if isinstance(numbers, int | str) else tuple(int(number) for number in numbers)


def _group(groups: Dataset | None, shared: Dataset | None, keyword: str) -> Dataset | None:
    for holder in (groups, shared):
        if holder is not None and (items := holder.get(keyword)):
            return items[0]
    return None


def _numbers(item: Dataset | None, keyword: str) -> tuple[float, ...] | None:
    values = item.get(keyword) if item is not None else None
    return tuple(float(value) for value in values) if values is not None else None
