"""The unit: the smallest piece of a source that is read at once, and where its labels lie.

A source's `read` yields units in the driver; workers decode them. A unit holds paths, raw labels, group and split, never
pixels, and is plain data: it is pickled to workers and must not hold functions. Paths are relative to the raw root, with
forward slashes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ..schema.region import Box
from ..schema.sample import Acquisition, Origin, State, Subject, Text
from ..schema.triplet import Triplet


@dataclass(frozen=True, slots=True)
class Finding:
    """A label of the whole image, in the source's own word."""

    label: str
    state: State = State.PRESENT
    value: float | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One raw annotation in pixels of the decoded raw image; exactly one of its geometries is given."""

    label: str
    """The source's own word; the build looks it up in the source's LABELS."""
    where: str = ""
    """File and line, row or object, for issues."""
    box_xyxy_px: Box | None = None
    polygons_px: tuple[tuple[tuple[float, float], ...], ...] | None = None
    """Rings of (x, y); filled even-odd, so a second ring inside the first is a hole. Makes a contour."""
    rle: str | None = None
    """COCO compressed counts over the decoded image."""
    mask: np.ndarray | None = field(default=None, compare=False)
    """H×W, non-zero is inside. Only in workers: a unit never holds pixels."""
    points_px: tuple[tuple[float, float], ...] | None = None
    observer: str | None = None
    origin: Origin = Origin.HUMAN
    tool: str | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """Marks that the source read from a whole-set table (COCO, CSV, JSON), already in pixels."""

    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFile:
    """One label file per image, read by the worker: Pascal VOC, YOLO or a list of points."""

    path: str
    format: str
    """`voc`, `yolo` or `points`."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Word or number in the file → the source's raw label; empty means the file's own words."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Format's own options, such as `one_based` for VOC."""
    observer: str | None = None
    origin: Origin = Origin.HUMAN


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskImage:
    """A mask picture on the image's own grid, read by the worker.

    `values` maps each grey value to a raw label (a label map). Without it, whatever is above `threshold` is `label`
    (lossy masks have many greys); the threshold is then required to be stated, never guessed.
    """

    path: str
    label: str = ""
    values: Mapping[int, str] = field(default_factory=dict)
    threshold: float = 0.0
    instances: bool = False
    """True when each value above zero is another instance of `label`."""
    observer: str | None = None
    origin: Origin = Origin.HUMAN


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMap:
    """A label volume (NIfTI, NRRD, MetaImage): value → raw label. Another grid is resampled by nearest neighbour."""

    path: str
    values: Mapping[int, str]
    observer: str | None = None
    origin: Origin = Origin.HUMAN
    volume_index: int | None = None
    """Which volume of a time series it belongs to; None means all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegObject:
    """A DICOM SEG (binary, fractional, label map); raw labels are the segments' labels."""

    path: str
    observer: str | None = None
    origin: Origin | None = None
    """None takes the segment's own algorithm type: MANUAL is human, others model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StructureSet:
    """A DICOM RTSTRUCT; raw labels are the names of its regions of interest."""

    path: str
    observer: str | None = None
    origin: Origin | None = None


Target = Marks | LabelFile | MaskImage | LabelMap | SegObject | StructureSet


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One image, series, volume or video, and everything the source says of it."""

    files: tuple[str, ...]
    """Raw files that hold the pixels."""
    reader: str
    """`raster` (PNG, JPEG, BMP, WebP), `tiff`, `dicom`, `volume` (NIfTI, NRRD, MetaImage), `video`, or `own`: the
    source's own `pictures` function."""
    id: str = ""
    """Unique in the source; the first file where empty."""
    group: str = ""
    """The owner's id of what no split may cut; the unit's id where empty."""
    group_kind: str = ""
    """patient, study, volume, video, slide or image; the source's Facts where empty."""
    split: str | None = None
    """The owner's own split: train, validation or test."""
    findings: tuple[Finding, ...] = ()
    targets: tuple[Target, ...] = ()
    closed_sets: tuple[str, ...] | None = None
    """Names of the Facts' closed label sets that were assessed here; None means all where the unit has any label."""
    triplet: Triplet | None = None
    modality_detail: str | None = None
    acquisition: Acquisition = field(default_factory=Acquisition)
    subject: Subject = field(default_factory=Subject)
    texts: tuple[Text, ...] = ()
    licence: str | None = None
    """Where a source licenses image by image."""
    window: tuple[str, float, float] | None = None
    """Name, low and high in raw values, where this unit needs another than the source's."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Reader's own options; keys are the fields of `Reading`, and override it."""

    @property
    def name(self) -> str:
        """The unit's id, or its first file."""
        return self.id or self.files[0]

    def paths(self) -> tuple[str, ...]:
        """Every raw file that the unit needs, pixels first."""
        labels = (target.path for target in self.targets if not isinstance(target, Marks))
        return tuple(dict.fromkeys((*self.files, *labels)))
