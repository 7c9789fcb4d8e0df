"""What a source declares: facts, labels, layouts, and how one record of it is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from ..schema.labels import Label
from ..schema.rights import Right, Subject
from ..schema.triplet import Triplet
from .picture import Picture, Report, Volume
from .unit import Unit

if TYPE_CHECKING:
    from .raw import Raw


class Access(StrEnum):
    """How anyone gets the raw files."""

    OPEN = "open"
    REGISTRATION = "registration"
    CREDENTIALED = "credentialed"
    GENERATED = "generated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is true of a source before a file is read. Cards, checks and gates read the same table."""

    name: str
    """snake_case; the file, the shards' folder, the Hub config and the test fixture bear it."""
    title: str
    homepage: str
    licence: str
    """SPDX identifier, or `LicenseRef-<words>` where none fits; `unstated` where the owner says nothing."""
    licence_evidence: str
    """The owner's words, where they stand, and what is doubtful about them."""
    rights: Mapping[Subject, Right] = field(default_factory=dict)
    """Where pixels, annotations, derived text or processing by others come under terms of their own; see `schema/rights.py`."""
    citation: str
    """BibTeX."""
    cite: str
    """Short form for every record: DOI or address."""
    access: Access
    triplet: Triplet
    clinical_task: str
    """Full name in CLINICAL_TASKS, or `None`."""
    department: str
    """Full name in DEPARTMENTS, or `None`."""
    group_kind: str
    """patient, study, volume, video, slide or image: what a group is unless a unit says otherwise."""
    collection: str = ""
    """Shared by sources that draw on the same patients; the name where empty. Splits hash it with the group."""
    closed_sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Set name → raw labels of which the owner assessed every one: those not found are `absent`."""
    oddities: tuple[str, ...] = ()
    """What a user must know that no reader can see: missing patient ids, conflicting licences, known duplicates."""
    images_stated: int | None = None
    """How many images the owner says there are."""
    max_bad_share: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A named intensity window in raw values (HU for CT)."""

    name: str
    low: float
    high: float


SOFT_TISSUE = Window(name="soft-tissue", low=-160.0, high=240.0)
LUNG = Window(name="lung", low=-1350.0, high=150.0)
BONE = Window(name="bone", low=-500.0, high=1300.0)
BRAIN = Window(name="brain", low=0.0, high=80.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Choices of standardization: a source states them, options override them, provenance records them."""

    window: Window | None = None
    """For CT; None takes the header's own window, else soft tissue."""
    percentiles: tuple[float, float] = (0.5, 99.5)
    """For MR and other arbitrary units, over the foreground of the whole volume."""
    axes: tuple[str, ...] = ()
    """axial, coronal, sagittal; empty means the acquisition plane."""
    every_nth: int = 1
    """Frames of clips and videos that are kept."""
    min_mask_share: float | None = None
    """Smallest mask kept, as a share of the slice; None means any in 2-D and 0.0015 in 3-D."""
    tile_px: int = 512
    whole_slide_px: int = 1024
    """Slides up to this side are kept whole, larger ones are tiled."""
    um_per_px: float | None = None
    """Resolution of tiles; None takes the finest level."""
    min_tissue_share: float = 0.1
    png_encoder: str = "isal"
    """`isal` (fast writer) or `pillow`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """Files that a layout must have, and the columns of a table."""

    pattern: str
    """Glob relative to the raw root."""
    what: str
    at_least: int = 1
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """One way in which the source is published; `verify` passes when one layout is complete."""

    name: str
    expects: tuple[Expect, ...]


Read = Callable[["Raw"], Iterator[Unit]]
Pictures = Callable[[Unit, "Raw", Reading, Report], Iterator[Picture | Volume]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Facts, labels and the reading function: all that the catalogue knows of a source."""

    facts: Facts
    labels: Mapping[str, Label | None]
    """Raw word → canonical label; None for a word that is knowingly no label. A raw word that isn't here is an issue."""
    read: Read
    """Yields units in sorted order; table faults go to `raw.report`."""
    layouts: tuple[Layout, ...]
    reading: Reading = field(default_factory=Reading)
    pictures: Pictures | None = None
    """For units whose reader is `own`."""
    draw: Callable[[Path], None] | None = None
    """Makes a raw root, for sources that are generated or shipped inside packages."""
