"""The slices of a DICOM object: where each frame lies, and the header that holds for it.

A single-frame object says it at the top, an enhanced one in its functional groups (PS3.3 C.7.6.16), a dose grid and a
reconstructed nuclear-medicine object by offsets from the first frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .dicom_header import items, number, numbers, text, texts
from .dicom_plane import normal_of, orientation_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SPACINGS = ("PixelSpacing", "ImagerPixelSpacing", "NominalScannedPixelSpacing")
MARKS = (
    "TemporalPositionIdentifier",
    "EchoNumbers",
    "EchoTime",
    "DiffusionBValue",
    "TriggerTime",
    "ImageType",
    "AcquisitionNumber",
    "AcquisitionTime",
    "ContentTime",
)
"""What may tell apart two slices at one position, most telling first."""
_CENTIMETRES = 3.0
"""Of ultrasound regions (PS3.3 C.8.5.5.1.15)."""
_FRAME_MACROS = ("PixelValueTransformationSequence", "FrameVOILUTSequence")
_VALUE_ELEMENTS = (
    *("Modality", "ImageType", "PixelPaddingValue", "PixelPaddingRangeLimit", "ModalityLUTSequence"),
    *("RescaleSlope", "RescaleIntercept", "RescaleType", "WindowCenter", "WindowWidth", "VOILUTFunction"),
    *("VOILUTSequence", "BitsStored", "BitsAllocated", "PixelRepresentation", "PhotometricInterpretation"),
    *("RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor"),
    *("BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData"),
    *("GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData"),
    *("SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData"),
    "SegmentedBluePaletteColorLookupTableData",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plane:
    """One slice: which frame of which file, and where it lies in millimetres of patient space."""

    source: int
    """Index of its file in the list that was given."""
    frame: int = 0
    size_hw_px: tuple[int, int]
    position_mm: tuple[float, ...] | None = None
    """Centre of the first pixel."""
    orientation: tuple[float, ...] | None = None
    spacing_mm: tuple[float, float] | None = None
    """Row and column spacing."""
    step_mm: float | None = None
    """Stated distance to the next slice, or the thickness."""
    order: tuple[float, str] = (0.0, "")
    """Instance number and path: decides where positions don't."""
    marks: tuple[str, ...] = ()
    sop_instance: str = ""


def planes_of(dataset: Dataset, *, source: int, name: str, count: int) -> list[Plane]:
    """One plane per frame of the object; `name` orders files whose instance numbers don't."""
    groups = Groups.of(dataset)
    size = (int(number(dataset, "Rows") or 0), int(number(dataset, "Columns") or 0))
    order = (number(dataset, "InstanceNumber") or 0.0, name)
    offsets = _offsets(dataset, count)
    made = []
    for frame in range(count):
        orientation = groups.numbers(frame, "PlaneOrientationSequence", "ImageOrientationPatient", count=6)
        spacing = groups.numbers(frame, "PixelMeasuresSequence", "PixelSpacing", count=2)
        position = groups.numbers(frame, "PlanePositionSequence", "ImagePositionPatient", count=3)
        plane = Plane(
            source=source,
            frame=frame,
            size_hw_px=size,
            position_mm=position or _shifted(dataset, offsets, frame, count),
            orientation=orientation or orientation_of(dataset) or _detector(dataset, "ImageOrientationPatient", 6),
            spacing_mm=_pair(spacing) or spacing_of(dataset),
            step_mm=groups.step(frame) or number(dataset, "SpacingBetweenSlices") or number(dataset, "SliceThickness"),
            order=order,
            marks=groups.marks(frame),
            sop_instance=text(dataset, "SOPInstanceUID"),
        )
        made.append(plane)
    return made


def spacing_of(dataset: Dataset) -> tuple[float, float] | None:
    """Row and column spacing in mm from the header's top, of ultrasound from its only region; None where none is stated."""
    stated = next((found for one in SPACINGS if (found := _pair(numbers(dataset, one, count=2)))), None)
    regions = items(dataset, "SequenceOfUltrasoundRegions")
    if stated is not None or len(regions) != 1:
        return stated
    units = [number(regions[0], f"PhysicalUnits{axis}Direction") for axis in "YX"]
    steps = [abs(number(regions[0], f"PhysicalDelta{axis}") or 0) * 10 for axis in "YX"]
    return _pair(tuple(steps)) if units == [_CENTIMETRES, _CENTIMETRES] else None


def aspect_of(dataset: Dataset) -> tuple[float, float] | None:
    """The pixel's height and width where only their ratio is known and isn't 1, the width as 1."""
    ratio = _pair(numbers(dataset, "PixelAspectRatio", count=2))
    return None if ratio is None or ratio[0] == ratio[1] else (ratio[0] / ratio[1], 1.0)


def frame_header(dataset: Dataset, frame: int) -> Dataset:
    """The elements that say what the frame's values mean, those of its functional groups before those at the top."""
    from pydicom.dataset import Dataset as Header

    groups = Groups.of(dataset)
    if groups.shared is None and not groups.per_frame:
        return dataset
    header = Header()
    for keyword in _VALUE_ELEMENTS:
        if keyword in dataset:
            header[keyword] = dataset[keyword]
    for macro in _FRAME_MACROS:
        item = groups.macro(frame, macro)
        for element in item or ():
            header[element.tag] = element
    return header


@dataclass(frozen=True, slots=True)
class Groups:
    """The functional groups of an object: one shared item, and one item per frame."""

    dataset: Dataset
    shared: Dataset | None
    per_frame: list[Dataset]

    @classmethod
    def of(cls, dataset: Dataset) -> Groups:
        """Those of a data set; empty ones where it has none."""
        shared = items(dataset, "SharedFunctionalGroupsSequence")
        return cls(dataset, shared[0] if shared else None, items(dataset, "PerFrameFunctionalGroupsSequence"))

    def macro(self, frame: int, keyword: str) -> Dataset | None:
        """The first item of a macro for this frame, its own before the shared one."""
        own = self.per_frame[frame] if frame < len(self.per_frame) else None
        for group in (own, self.shared):
            found = items(group, keyword) if group is not None else []
            if found:
                return found[0]
        return None

    def numbers(self, frame: int, macro: str, keyword: str, *, count: int) -> tuple[float, ...] | None:
        """Numbers of an element of a macro; of a single-frame object without groups None."""
        item = self.macro(frame, macro)
        return None if item is None else numbers(item, keyword, count=count)

    def step(self, frame: int) -> float | None:
        """Stated distance between slices in mm, else their thickness."""
        measures = self.macro(frame, "PixelMeasuresSequence")
        if measures is None:
            return None
        return number(measures, "SpacingBetweenSlices") or number(measures, "SliceThickness")

    def marks(self, frame: int) -> tuple[str, ...]:
        """What tells this frame from another at the same position."""
        content = self.macro(frame, "FrameContentSequence")
        if content is None:
            return tuple("\\".join(texts(self.dataset, keyword)) for keyword in MARKS)
        diffusion, echo = self.macro(frame, "MRDiffusionSequence"), self.macro(frame, "MREchoSequence")
        return (
            text(content, "StackID"),
            text(content, "TemporalPositionIndex"),
            text(echo, "EffectiveEchoTime") if echo is not None else "",
            text(diffusion, "DiffusionBValue") if diffusion is not None else "",
            *(texts(content, "DimensionIndexValues") + ("",) * 6)[:6],
        )


def _pair(values: tuple[float, ...] | None) -> tuple[float, float] | None:
    return (values[0], values[1]) if values is not None and min(values) > 0 else None


def _detector(dataset: Dataset, keyword: str, count: int) -> tuple[float, ...] | None:
    """An element that nuclear medicine keeps per detector."""
    detectors = items(dataset, "DetectorInformationSequence")
    return numbers(detectors[0], keyword, count=count) if detectors else None


def _offsets(dataset: Dataset, count: int) -> tuple[float, ...] | None:
    """Offsets of the frames along the normal in mm, for dose grids and reconstructed nuclear medicine."""
    grid = numbers(dataset, "GridFrameOffsetVector")
    if grid is not None:
        return grid if len(grid) == count else None
    step = number(dataset, "SpacingBetweenSlices")
    if count > 1 and "RECON TOMO" in texts(dataset, "ImageType") and step:
        return tuple(float(one) for one in np.arange(count) * step)
    return None


def _shifted(dataset: Dataset, offsets: tuple[float, ...] | None, frame: int, count: int) -> tuple[float, ...] | None:
    """The object's own position, moved by the frame's offset; None for a clip, whose frames lie nowhere."""
    first = numbers(dataset, "ImagePositionPatient", count=3) or _detector(dataset, "ImagePositionPatient", 3)
    if first is None or count == 1:
        return first
    orientation = orientation_of(dataset) or _detector(dataset, "ImageOrientationPatient", 6)
    if offsets is None or orientation is None:
        return None
    # A grid's first offset may be its own z coordinate instead of 0 (PS3.3 C.8.8.3.2).
    return tuple(float(x) for x in np.asarray(first) + normal_of(orientation) * (offsets[frame] - offsets[0]))
