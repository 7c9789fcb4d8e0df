"""Whole folders of DICOM in the driver: headers to series, and which labels refer to which.

A series as DICOM numbers it may hold scouts, several orientations or single views. Here a `Series` is what is read as
one unit: slices of one orientation, size and spacing with all volumes that share their positions; the mosaics of one
run; the levels of one slide; a file by itself for views, clips and enhanced objects. Only headers are read.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ...schema.errors import Issue, Severity, UnreadableError
from ..raw import Raw
from . import mosaic
from .dicom_classes import PIXELLESS, is_localizer, kind_of, what_else
from .dicom_frames import MARKS, SPACINGS, Plane, planes_of
from .dicom_header import has_object, number, odd_headers, opened, text, walk
from .dicom_stack import grouped, volumes

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

TAGS = (
    *("SOPClassUID", "SOPInstanceUID", "PatientID", "StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID"),
    *("Modality", "InstanceNumber", "Rows", "Columns", "NumberOfFrames", "ImagePositionPatient"),
    *("ImageOrientationPatient", "SpacingBetweenSlices", "SliceThickness", "TotalPixelMatrixRows"),
    *("TotalPixelMatrixColumns", *SPACINGS, *MARKS),
)
SIEMENS_HEADERS = (0x00190010, 0x0019100A, 0x00290010, 0x00291010)
"""Private elements that tell a mosaic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Files that are read as one unit. Ids serve to group and to match; they are hashed before anything is stored."""

    files: tuple[str, ...]
    """Relative to the raw root: by position, then instance number, then path."""
    kind: str
    """image, slide, seg, rtstruct, or other: reports, maps, plans, documents."""
    modality: str
    """DICOM's own code, such as CT."""
    sop_class: str
    localizer: bool = False
    patient_id: str = field(default="", repr=False)
    study_uid: str = field(default="", repr=False)
    series_uid: str = field(default="", repr=False)
    frame_of_reference: str = field(default="", repr=False)
    sop_instances: tuple[str, ...] = field(default=(), repr=False)
    """Of each file."""
    references: frozenset[str] = field(default=frozenset(), repr=False)
    """SOP instances that a SEG or RTSTRUCT refers to."""
    referenced_series: frozenset[str] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Referencing:
    """Which labels are about which images."""

    pairs: tuple[tuple[Series, tuple[Series, ...]], ...]
    """Every image or slide, with its SEGs and RTSTRUCTs."""
    orphans: tuple[Series, ...]
    """Labels that refer to no image at hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What the driver keeps of one file."""

    series: Series
    plane: Plane
    several: bool
    tiled: bool
    total_px: tuple[int, int]


def series(raw: Raw, *patterns: str) -> Iterator[Series]:
    """The series among the files that match, sorted by their first file; what is none is reported once each.

    A file that is neither image nor label (a directory, a report, a plan, no DICOM) is an issue `not-an-image`, one
    that can't be read `unreadable`, and a second copy of a slice `duplicate-id`.
    """
    found: list[_Found] = []
    for relative in raw.glob(*patterns):
        one = _found(raw, relative)
        if one is not None:
            found.append(one)
    yield from sorted(_united(found, raw), key=lambda one: one.files[0])


def referencing(series_list: Iterable[Series]) -> Referencing:
    """Images with the labels that refer to them: by SOP instance, or by series where a label names no instance."""
    listed = list(series_list)
    labels = [one for one in listed if one.kind in ("seg", "rtstruct")]
    pairs = tuple(
        (image, tuple(label for label in labels if _refers(label, image)))
        for image in listed
        if image.kind in ("image", "slide")
    )
    matched = {label.files for _, found in pairs for label in found}
    return Referencing(pairs=pairs, orphans=tuple(label for label in labels if label.files not in matched))


def _refers(label: Series, image: Series) -> bool:
    if label.references:
        return not label.references.isdisjoint(image.sop_instances)
    return image.series_uid in label.referenced_series


def _found(raw: Raw, relative: str) -> _Found | None:
    path = raw.path(relative)
    try:
        with odd_headers(relative, raw.report):
            header = opened(path, pixels=False, tags=(*TAGS, *SIEMENS_HEADERS))
            return _read(header, path, relative, raw)
    except UnreadableError as error:
        plain = path.suffix.lower() not in (".dcm", ".dicom", ".ima") and error.found == "no DICOM data set"
        error.code, error.where = ("not-an-image" if plain else error.code), ""
        raw.report(error.issue(relative, severity=Severity.INFO if plain else Severity.ERROR))
    return None


def _read(header: Dataset, path: Path, relative: str, raw: Raw) -> _Found | None:
    kind, what = kind_of(header), what_else(header)
    if what == PIXELLESS and not has_object(header):
        raise UnreadableError("neither SOP class nor pixels", expected="a whole DICOM file")
    if kind == "other":
        raw.report(_no_image(relative, what or "something else"))
    if not text(header, "SOPClassUID") and kind == "other":
        return None
    frames = int(number(header, "NumberOfFrames") or 1)
    one = Series(
        files=(relative,),
        kind=kind,
        modality=text(header, "Modality").upper(),
        sop_class=text(header, "SOPClassUID"),
        localizer=is_localizer(header),
        patient_id=text(header, "PatientID"),
        study_uid=text(header, "StudyInstanceUID"),
        series_uid=text(header, "SeriesInstanceUID"),
        frame_of_reference=text(header, "FrameOfReferenceUID"),
        sop_instances=(text(header, "SOPInstanceUID"),),
    )
    total = (int(number(header, "TotalPixelMatrixRows") or 0), int(number(header, "TotalPixelMatrixColumns") or 0))
    return _Found(
        series=_with_references(one, path) if kind in ("seg", "rtstruct") else one,
        plane=planes_of(header, source=0, name=relative, count=1)[0],
        several=frames > 1,
        tiled=kind == "image" and mosaic.is_mosaic(header),
        total_px=total,
    )


def _no_image(relative: str, what: str) -> Issue:
    return Issue("not-an-image", relative, what, "an image or its labels", "it is no unit", Severity.INFO)


def _with_references(one: Series, path: Path) -> Series:
    """The label with every SOP instance and series that its items name."""
    header = opened(path, pixels=False)
    instances: set[str] = set()
    named: set[str] = set()

    def note(item: Dataset) -> None:
        instances.add(text(item, "ReferencedSOPInstanceUID"))
        if item is not header:
            named.add(text(item, "SeriesInstanceUID"))

    walk(header, note)
    return replace(one, references=frozenset(instances - {""}), referenced_series=frozenset(named - {""}))


def _united(found: Sequence[_Found], raw: Raw) -> Iterator[Series]:
    parts: dict[tuple, list[_Found]] = defaultdict(list)
    for one in found:
        parts[_key(one)].append(one)
    for (kind, *_), part in parts.items():
        if kind == "slice":
            yield from _stacked(_without_copies(part, raw))
        elif kind == "slide":
            yield from _levels(part)
        else:
            yield _joined(sorted(part, key=lambda one: one.plane.order))


def _key(one: _Found) -> tuple:
    """What keeps files apart before positions are looked at; a file by itself has its path in it."""
    entry = one.series
    common = (entry.study_uid, entry.series_uid, entry.sop_class, entry.modality, entry.localizer)
    if not entry.series_uid or (entry.kind == "image" and one.several):
        return ("alone", *entry.files)
    if entry.kind == "slide":
        return ("slide", *common)
    if one.tiled:
        return ("mosaic", *common, one.plane.size_hw_px, one.plane.orientation)
    placed = one.plane.position_mm is not None and one.plane.orientation is not None
    if entry.kind == "image" and placed and one.plane.spacing_mm is not None:
        return ("slice", *common, entry.frame_of_reference)
    return ("alone", *entry.files)


def _stacked(part: Sequence[_Found]) -> Iterator[Series]:
    planes = [replace(one.plane, source=index) for index, one in enumerate(part)]
    groups, _ = grouped(planes)
    for group in groups:
        yield _joined([part[plane.source] for stack in volumes(group) for plane in stack])


def _without_copies(part: Sequence[_Found], raw: Raw) -> list[_Found]:
    """The files without second copies: same SOP instance at the same place, as the first path has it."""
    met: dict[tuple, str] = {}
    kept = []
    for one in part:
        copy = (*one.series.sop_instances, one.plane.position_mm, one.plane.order[0])
        first = met.setdefault(copy, one.series.files[0]) if copy[0] else one.series.files[0]
        if first == one.series.files[0]:
            kept.append(one)
            continue
        found, expected = f"the SOP instance of {first}", "a slice of its own"
        raw.report(Issue("duplicate-id", one.series.files[0], found, expected, "it was left out", Severity.INFO))
    return kept


def _levels(part: Sequence[_Found]) -> Iterator[Series]:
    """Slides of a series: the k-th file of each size is a level of the k-th slide, largest first."""
    met: Counter[tuple[int, int]] = Counter()
    slides: dict[int, list[_Found]] = defaultdict(list)
    for one in part:
        slides[met[one.total_px]].append(one)
        met[one.total_px] += 1
    for levels in slides.values():
        yield _joined(sorted(levels, key=lambda one: (-one.total_px[0] * one.total_px[1], one.series.files)))


def _joined(part: Sequence[_Found]) -> Series:
    first = part[0].series
    files = tuple(path for one in part for path in one.series.files)
    return replace(first, files=files, sop_instances=tuple(uid for one in part for uid in one.series.sop_instances))
