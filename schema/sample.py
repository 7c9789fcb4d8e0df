"""The sample: one 2-D image with everything known about it.

These frozen dataclasses are the contract in Python; `record.py` writes them as JSON and declares the same fields to
`datasets`. Pixels travel beside the sample, as the encoded bytes that the shard will hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

SCHEMA_VERSION = "1.0"
SPLITS = ("train", "validation", "test")


class State(StrEnum):
    """What is known of a label on an image. Only `ABSENT` may serve as a negative or a distractor."""

    PRESENT = "present"
    ABSENT = "absent"
    UNCERTAIN = "uncertain"
    NOT_ASSESSED = "not_assessed"


class Origin(StrEnum):
    """Who made an annotation: a person, a model, or a rule of ours from another annotation."""

    HUMAN = "human"
    MODEL = "model"
    DERIVED = "derived"
    UNKNOWN = "unknown"


class BurnedIn(StrEnum):
    """Whether text may stand in the pixels: the publishing gate reads this."""

    NO = "no"
    SUSPECTED = "suspected"
    YES = "yes"


@dataclass(frozen=True, slots=True)
class Subject:
    """What may be known of a person: age in years (90 and over pooled as 90) and sex."""

    age_years: float | None = None
    sex: str | None = None
    """female, male or other."""


@dataclass(frozen=True, slots=True)
class Acquisition:
    """How the image was taken, in the field's words."""

    plane: str | None = None
    """axial, coronal or sagittal; of an oblique acquisition the nearest, with `oblique` in the transformations."""
    view: str | None = None
    contrast: str | None = None
    stain: str | None = None
    um_per_px: float | None = None
    """Micrometres per pixel of the stored image, for microscopy."""


@dataclass(frozen=True, slots=True)
class Text:
    """A caption, report or question that came with the image."""

    kind: str
    language: str
    origin: str
    text: str


@dataclass(frozen=True, slots=True)
class LabelState:
    """What one canonical label is on this image, and to which subset that belongs."""

    label: str
    label_id: str
    state: State
    area: str
    task: str
    subset: str
    clinical_task: str
    departments: tuple[str, ...]
    """Full names, the primary first; `None` alone where it belongs to none."""
    laterality: str | None = None
    value: float | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Annotation:
    """One label at one place, in pixels of the stored image (frame: see `region.py`)."""

    id: str
    """`a0`, `a1`, … in the order of the record."""
    label: str
    label_id: str
    granularity: str
    """As the source gives it: box, mask, contour or point."""
    box_xyxy_px: tuple[float, float, float, float] | None = None
    """Given for boxes; for masks and contours the tight box of the mask; None for points."""
    rle: str | None = None
    """COCO compressed run-length counts over the stored image; None for boxes and points."""
    points: tuple[tuple[float, float], ...] = ()
    area_px: float | None = None
    laterality: str | None = None
    observer: str | None = None
    origin: Origin = Origin.UNKNOWN
    tool: str | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where the pixels come from and what was done to them; enough to make them again from the raw file."""

    raw_sha256: str
    """Of the raw file; of a series, over the sorted digests of its files."""
    raw_format: str
    decoder: str
    """Library that gave the pixels, as `name version`; the pixel hash holds for it."""
    pixel_sha256: str
    """Over height, width, channels and the decoded bytes of the stored image."""
    perceptual_hash: str
    """256-bit DCT hash as 64 hex digits."""
    low_information: bool
    """True for blank and nearly blank images, which never count as duplicates."""
    builder_version: str
    axis: str | None = None
    """What `index` counts: slice, frame, tile or volume.slice."""
    index: int | None = None
    volume_index: int | None = None
    original_size_hw_px: tuple[int, int] = (0, 0)
    spacing_mm: tuple[float, float] | None = None
    """Row and column spacing of the stored image."""
    slice_position_mm: float | None = None
    """Along the slice normal, from the first slice of the series."""
    orientation: str | None = None
    """Patient directions of image right and image down, such as `LP` for a radiological axial slice."""
    intensity: str = "unchanged"
    """Rule that made 8 bits of the raw values: unchanged, window, percentile, suv, voi-lut, range."""
    window_name: str | None = None
    window: tuple[float, float] | None = None
    """Raw values (HU, SUV or stored) that became 0 and 255."""
    transformations: tuple[str, ...] = ()
    burned_in: BurnedIn = BurnedIn.NO
    burned_in_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One 2-D image with everything known about it, but for its pixels."""

    split: str = ""
    """train, validation or test; empty until the build has seen every sample of the source."""
    key: str
    schema_version: str = SCHEMA_VERSION
    source: str
    collection: str
    group: str
    group_kind: str
    licence: str
    citation: str
    modality: str
    area: str
    task: str
    subsets: tuple[str, ...]
    """Subset of the source's own triplet when nothing is labelled, else the subsets its labels serve, sorted."""
    clinical_task: str
    department: str
    image_format: str
    """png, jpeg or webp: what the bytes of `.image` are."""
    size_hw_px: tuple[int, int]
    channels: int
    provenance: Provenance
    modality_detail: str | None = None
    acquisition: Acquisition = field(default_factory=Acquisition)
    subject: Subject = field(default_factory=Subject)
    texts: tuple[Text, ...] = ()
    labels: tuple[LabelState, ...] = ()
    annotations: tuple[Annotation, ...] = ()
    original_split: str | None = None
