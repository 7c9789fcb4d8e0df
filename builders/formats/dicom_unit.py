"""The files of one unit: opened once for their headers, then decoded one by one to values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ...schema.errors import Issue, Severity, UnreadableError
from ..picture import HeaderFacts, Report
from .dicom_classes import MAPS, PIXELLESS, kind_of, what_else
from .dicom_facts import header_facts
from .dicom_frames import Plane, frame_header
from .dicom_header import has_object, odd_headers, opened, text
from .dicom_pixels import PIXEL_TAGS, Layout, frames, layout_of
from .dicom_suv import suv_factor
from .dicom_values import Values, values_of

if TYPE_CHECKING:
    from pydicom.dataset import Dataset


@dataclass(slots=True, kw_only=True)
class File:
    """One file of the unit. `header` holds the pixels too where the unit has no other file."""

    path: Path
    header: Dataset
    layout: Layout
    sop_instance: str | None = None
    frame_of_reference: str | None = None
    suv: float | None = None
    known: HeaderFacts | None = None

    @property
    def facts(self) -> HeaderFacts:
        """What may leave the header; asked for once, and of a series only of its first slice."""
        if self.known is None:
            self.known = header_facts(self.header)
        return self.known


@dataclass(slots=True)
class Opened:
    """The unit's readable files, and how its faults are said."""

    files: list[File]
    report: Report
    alone: bool
    said: set[str] = field(default_factory=set)

    def quiet(self, file: File) -> AbstractContextManager[None]:
        """What turns pydicom's warnings inside into issues, once per unit."""
        return odd_headers(file.path.name, self.report, seen=self.said)


def open_unit(paths: Sequence[Path], report: Report) -> Opened:
    """The files that hold images, without pixels unless there is one file; of several, unreadable ones are reported.

    Raises:
        UnreadableError: none can be read, or the only one can't.
    """
    unit = Opened([], report, alone=len(paths) == 1)
    for path in paths:
        try:
            with odd_headers(path.name, report, seen=unit.said):
                header = opened(path, pixels=unit.alone)
                _refuse_other(header)
                unit.files.append(_file(path, header))
        except UnreadableError as error:
            fail(unit, path, error)
    if not unit.files:
        raise UnreadableError("no file that can be read", expected="DICOM images", where=paths[0].name)
    with unit.quiet(unit.files[0]):
        _weigh(unit)
    return unit


def decoded(unit: Opened, file: File, planes: Sequence[Plane], *, voi_lut: bool) -> Iterator[tuple[Plane, Values, str]]:
    """Plane, values and decoder of some frames of one file, in frame order.

    Raises:
        UnreadableError: the unit's only file can't be decoded; of several, it is reported and gives nothing.
    """
    wanted = sorted(planes, key=lambda plane: plane.frame)
    mean = partial(_values, unit, file, voi_lut=voi_lut)
    try:
        with unit.quiet(file):
            stream = frames(file.header if unit.alone else opened(file.path, tags=PIXEL_TAGS), keep=_kept(file, wanted))
        for plane in wanted:
            with unit.quiet(file):
                found = next(stream, None)
                if found is None:
                    raise UnreadableError(f"no frame {plane.frame}", expected=f"{file.layout.frames} frames")
                values = mean(plane, found[0])
            yield plane, values, found[1]
    except UnreadableError as error:
        fail(unit, file.path, error)


def _file(path: Path, header: Dataset) -> File:
    layout = layout_of(header)
    if layout.frames > path.stat().st_size:
        found = f"{layout.frames} frames in a file of {path.stat().st_size} bytes"
        raise UnreadableError(found, expected="a real number of frames", code="absurd-size")
    instance, place = text(header, "SOPInstanceUID") or None, text(header, "FrameOfReferenceUID") or None
    return File(path=path, header=header, layout=layout, sop_instance=instance, frame_of_reference=place)


def _kept(file: File, wanted: Sequence[Plane]) -> list[int] | None:
    return None if len(wanted) == file.layout.frames else [plane.frame for plane in wanted]


def _values(unit: Opened, file: File, plane: Plane, stored, *, voi_lut: bool) -> Values:
    where = file.path.name if file.layout.frames == 1 else f"{file.path.name} frame {plane.frame}"
    report: Callable[[Issue], None] = partial(_once, unit)
    header = frame_header(file.header, plane.frame)
    return values_of(stored, header, file.layout, voi_lut=voi_lut, suv=file.suv, where=where, report=report)


def _once(unit: Opened, issue: Issue) -> None:
    """Pass an odd header on once per unit: a series repeats it in every slice."""
    if issue.code == "odd-header":
        if issue.found in unit.said:
            return
        unit.said.add(issue.found)
    unit.report(issue)


def fail(unit: Opened, path: Path, error: UnreadableError) -> None:
    """Report a file that can't be read among others; raise the error where there are none."""
    error.where = path.name
    if unit.alone:
        raise error
    unit.report(error.issue(severity=Severity.WARNING))


def _refuse_other(header: Dataset) -> None:
    kind, what = kind_of(header), what_else(header)
    if what == PIXELLESS and not has_object(header):
        raise UnreadableError("neither SOP class nor pixels", expected="a whole DICOM image")
    if kind in ("seg", "rtstruct"):
        raise UnreadableError("labels", expected="an image", code="not-an-image")
    if kind == "other" and text(header, "SOPClassUID") not in MAPS:
        raise UnreadableError(what or "no image", expected="an image", code="not-an-image")


def _weigh(unit: Opened) -> None:
    """Give PET its SUV factor, or say why there is none."""
    first = unit.files[0]
    if text(first.header, "Modality").upper() != "PT":
        return
    factor, lacking = suv_factor([file.header for file in unit.files])
    if factor is None:
        left = "the values stay as stored"
        unit.report(Issue("no-suv", first.path.name, lacking, "what SUV by body weight needs", left, Severity.INFO))
    for file in unit.files:
        file.suv = factor
