"""DICOM RTSTRUCT to layers: the contours of each region of interest, filled in patient geometry.

The rule: a contour's points go through the inverse of the image's geometry to pixels of the slice plane on which they
lie (the referenced image's, else the nearest one, at most half a slice away). All rings of a region on one slice are
filled together even-odd by pixel centres, so that inner rings and keyholes are holes. A voxel's centre lies at index + 0.5.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ...schema.errors import Issue, RegionError, Severity
from ...schema.region import fill_polygons
from ..picture import Layer, Picture, Report, Volume
from ..unit import StructureSet
from .dicom_object import read_object, reading, viewed
from .layers import Region, pack_layers
from .planes import Planes, planes_of
from .rtstruct_regions import Contour, Roi, listed_images, rois_of

STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
FILLED = ("CLOSED_PLANAR", "CLOSEDPLANAR_XOR")
DIGITS = 6
"""Decimals of a pixel that count: contours often run through voxel centres, where the noise of floats would decide."""

_EXPECTED = {
    "unsupported": ("CLOSED_PLANAR contours", "they were left out"),
    "contour-off-slice": ("contours within half a slice of a plane", "they were left out"),
    "no-image": ("contours on slices of this image", "they were left out here"),
    "position-differs": ("contours on the image they reference", "they were put on the nearest slice"),
    "bad-polygon": ("three or more points in mm", "they were left out"),
}


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """The image under a structure set, and what both say of each other."""

    planes: Planes
    size_hw_px: tuple[int, int]
    instances: dict[str, int]
    """SOP instance UID → slice."""
    frame_of_reference: str | None
    where: str
    report: Report


@dataclass(slots=True)
class _Tally:
    """What became of one region's contours."""

    rings: dict[int, list[np.ndarray]] = field(default_factory=dict)
    faults: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(issue code, what was found) → contours."""


def regions(path: Path) -> list[str]:
    """Names of the regions of interest, in the file's order; a name may stand there twice.

    Raises:
        UnreadableError: no RTSTRUCT.
    """
    return [roi.name for roi in _rois(path)[0]]


def layers(path: Path, target: StructureSet, *, volume: Volume | Picture, report: Report) -> list[Layer]:
    """The structure set on the volume's grid, in as many layers as its overlaps need; empty where nothing is about it.

    A layer's values count the regions from 1 in the file's order. Where the structure set lists the images it was drawn
    on, these and the slices with contours are its `assessed` ones.

    Raises:
        UnreadableError: no RTSTRUCT, or one that breaks its own form.
    """
    rois, listed = _rois(path)
    return _layers(rois, listed, target, volume=volume, where=path.name, report=report)


def _rois(path: Path) -> tuple[list[Roi], frozenset[str]]:
    with reading("a whole RTSTRUCT", where=path.name), viewed(path) as view:
        header = read_object(view, classes=(STRUCTURE_SET,), where=path.name)
        return rois_of(header), listed_images(header)


def _layers(
    rois: list[Roi],
    listed: frozenset[str],
    target: StructureSet,
    *,
    volume: Volume | Picture,
    where: str,
    report: Report,
) -> list[Layer]:
    planes = planes_of(volume) if isinstance(volume, Volume) else None
    if planes is None or not isinstance(volume, Volume):
        expected = "an image with patient geometry"
        report(Issue("unsupported", where, "contours in patient millimetres", expected, "they were left out here"))
        return []
    instances = volume.sop_instances or ()
    scene = _Scene(
        planes=planes,
        size_hw_px=(volume.array.shape[1], volume.array.shape[2]),
        # One object's frames share its UID, which then says nothing of the slice.
        instances={uid: at for at, uid in enumerate(instances)} if len(set(instances)) == len(instances) else {},
        frame_of_reference=volume.frame_of_reference,
        where=where,
        report=report,
    )
    tallies = [_tally(roi, scene) for roi in rois]
    for roi, tally in zip(rois, tallies, strict=True):
        _report_faults(roi, tally, scene)
    _report_frames_of_reference(rois, scene)
    contours, placed = sum(len(roi.contours) for roi in rois), frozenset(at for one in tallies for at in one.rings)
    if contours and not placed:
        found = f"{contours} contours, none of them on this image"
        report(Issue("no-image", where, found, "contours on its slices", "it was left out here"))
        return []
    seen = placed.union(scene.instances[uid] for uid in listed if uid in scene.instances)
    return pack_layers(
        _filled(rois, tallies, target, scene),
        volume.array.shape[:3],
        highest=len(rois),
        granularity="contour",
        observer=target.observer,
        assessed=seen if listed & scene.instances.keys() else None,
    )


def _tally(roi: Roi, scene: _Scene) -> _Tally:
    tally = _Tally()
    strange = _is_strange(roi, scene)
    for contour in roi.contours:
        if contour.kind not in FILLED:
            tally.faults["unsupported", f"{contour.kind or 'untyped'} contours"] += 1
        elif contour.points_mm is None:
            tally.faults["bad-polygon", "contours without three points in mm"] += 1
        else:
            _place(contour, scene, strange=strange, tally=tally)
    return tally


def _is_strange(roi: Roi, scene: _Scene) -> bool:
    ours, theirs = scene.frame_of_reference, roi.frame_of_reference
    return bool(ours and theirs and ours != theirs)


def _place(contour: Contour, scene: _Scene, *, strange: bool, tally: _Tally) -> None:
    """Put one contour onto its slice, or count why not."""
    points_mm, planes = contour.points_mm, scene.planes
    assert points_mm is not None
    referenced = [scene.instances[uid] for uid in contour.images if uid in scene.instances]
    at = next((index for index in referenced if _lies_on(points_mm, index, planes)), None)
    if at is None and strange:
        tally.faults["no-image", "contours in another frame of reference"] += 1
        return
    if at is None:
        at, _ = planes.nearest(float(np.mean(points_mm @ planes.normal)))
        if not _lies_on(points_mm, at, planes):
            absent = bool(contour.images) and not referenced
            tally.faults[_ABSENT if absent else _OFF] += 1
            return
        if referenced:
            tally.faults["position-differs", "contours that lie off the image they reference"] += 1
    pixels = planes.pixels(points_mm, at)
    tally.rings.setdefault(at, []).append(np.round(pixels, DIGITS) + 0.5)


_OFF = ("contour-off-slice", "contours off every slice plane")
_ABSENT = ("no-image", "contours on images that aren't here")


def _lies_on(points_mm: np.ndarray, at: int, planes: Planes) -> bool:
    """Whether every point lies within half a slice of the plane."""
    off = np.abs(points_mm @ planes.normal - planes.heights_mm[at])
    return bool(off.max() <= planes.reach_mm[at] * (1 + 1e-6))


def _filled(rois: list[Roi], tallies: list[_Tally], target: StructureSet, scene: _Scene) -> Iterator[Region]:
    for value, (roi, tally) in enumerate(zip(rois, tallies, strict=True), start=1):
        masks = {at: mask for at in sorted(tally.rings) if (mask := _fill(tally.rings[at], roi, scene)).any()}
        if masks:
            yield Region(value=value, name=roi.name, origin=target.origin or roi.origin, masks=masks)
        elif not tally.faults or tally.rings:
            found = "contours without a pixel centre" if tally.rings else "no contour"
            place = f"{scene.where} region {roi.number}"
            scene.report(Issue("mask-empty", place, found, "a filled region", "it has no mask", Severity.INFO))


def _fill(rings: Sequence[np.ndarray], roi: Roi, scene: _Scene) -> np.ndarray:
    try:
        return fill_polygons(rings, scene.size_hw_px)
    except RegionError as error:
        scene.report(error.issue(f"{scene.where} region {roi.number}"))
        return np.zeros(scene.size_hw_px, np.uint8)


def _report_faults(roi: Roi, tally: _Tally, scene: _Scene) -> None:
    for (code, found), count in sorted(tally.faults.items()):
        expected, after = _EXPECTED[code]
        severity = Severity.INFO if code == "no-image" and tally.rings else Severity.WARNING
        where = f"{scene.where} region {roi.number}"
        scene.report(Issue(code, where, f"{count} {found}", expected, after, severity))


def _report_frames_of_reference(rois: list[Roi], scene: _Scene) -> None:
    if count := sum(_is_strange(roi, scene) for roi in rois):
        found = f"{count} regions in another frame of reference than the image"
        after = "only contours that reference its slices were used"
        scene.report(Issue("frame-of-reference", scene.where, found, "the image's", after))
