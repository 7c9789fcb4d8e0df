"""What a format reader yields: pictures (2-D) and volumes (3-D), in native values, with geometry and allowed facts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from ..schema.errors import Issue
from ..schema.sample import Acquisition, BurnedIn, Origin, Subject

Report = Callable[[Issue], None]
"""Where readers put the issues they find; see `builders/report.py`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderFacts:
    """The allow-list: all that may leave a file's header. Names, dates and UIDs have no field here."""

    modality: str | None = None
    """Code in MODALITIES, from the header; the unit's triplet wins."""
    modality_detail: str | None = None
    subject: Subject = field(default_factory=Subject)
    acquisition: Acquisition = field(default_factory=Acquisition)
    burned_in: BurnedIn = BurnedIn.NO
    burned_in_reason: str | None = None


@dataclass(slots=True, kw_only=True)
class Picture:
    """One 2-D image in native values.

    `pixels` is H×W (grey) or H×W×3 (RGB), C-contiguous. uint8 is stored as it is; other dtypes are brought to 8 bit by
    `intensity`. `encoded` holds the original JPEG stream when the raw file is one that may be kept.
    """

    pixels: np.ndarray
    facts: HeaderFacts = field(default_factory=HeaderFacts)
    encoded: bytes | None = None
    axis: str | None = None
    """What `index` counts: slice, frame or tile."""
    index: int | None = None
    spacing_mm: tuple[float, float] | None = None
    """Row and column spacing, for the physical aspect ratio; None when unknown."""
    values: str = "grey"
    """`grey`, `rgb`, `hu`, `suv` or `stored`: what the numbers mean."""
    window: tuple[str, float, float] | None = None
    """The header's own window, applied where the source names none."""
    raw_format: str = ""
    decoder: str = ""
    orientation: str | None = None
    transformations: tuple[str, ...] = ()
    offset_xy_px: tuple[int, int] = (0, 0)
    """Where a tile begins in its slide; marks are shifted by it."""
    sop_instance: str | None = None
    """SOP instance UID, only to match the references of a SEG; never leaves the worker."""
    layers: tuple[Layer, ...] = ()
    """Masks that came with the picture's own object, each H×W (SEG over a single frame)."""


@dataclass(slots=True, kw_only=True)
class Volume:
    """A stack of slices in native values.

    `array` is (slices, rows, columns[, 3]), C-contiguous, in the order of the file. `affine_lps` is 4×4 and maps
    (column, row, slice, 1), counted from voxel centres, to LPS millimetres (x to the patient's left, y to posterior,
    z to superior: DICOM PS3.3 C.7.6.2).
    """

    array: np.ndarray
    affine_lps: np.ndarray
    facts: HeaderFacts = field(default_factory=HeaderFacts)
    values: str = "stored"
    """`hu`, `suv`, `stored` (arbitrary, as MR), `rgb` or `grey` (already 8 bit)."""
    even: bool = True
    """False for tilted or unevenly spaced series: no reformatted planes, and the slice spacing means nothing."""
    oriented: bool = True
    """False where the file says nothing of patient directions: slices are then kept as they lie."""
    positions_mm: tuple[float, ...] | None = None
    """Slice positions along the normal, from the first, where uneven."""
    window: tuple[str, float, float] | None = None
    volume_index: int | None = None
    """Which volume of a time series this is; None when there is only one."""
    raw_format: str = ""
    decoder: str = ""
    transformations: tuple[str, ...] = ()
    slice_files: tuple[str, ...] | None = None
    """Raw file of each slice, where there is one per slice."""
    sop_instances: tuple[str, ...] | None = None
    """SOP instance UID of each slice, only to match SEG and RTSTRUCT references; never leaves the worker."""
    frame_of_reference: str | None = None
    """UID, under the same rule."""


@dataclass(slots=True, kw_only=True)
class Layer:
    """Labels on the grid of a volume (slices, rows, columns) or picture (rows, columns).

    Integer `array`; 0 is background, every other value has a name or is an issue. Labels that overlap lie in several
    layers.
    """

    array: np.ndarray
    names: Mapping[int, str]
    granularity: str = "mask"
    """`mask`, or `contour` where polygons were filled."""
    observer: str | None = None
    origin: Mapping[int, Origin] = field(default_factory=dict)
    """Per value; missing means human."""
    tool: Mapping[int, str] = field(default_factory=dict)
    partial: bool = False
    """True when slices without a mask were not assessed (a SEG on fewer slices than its image)."""
    assessed: frozenset[int] | None = None
    """Slices that were assessed, where `partial`."""
