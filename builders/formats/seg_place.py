"""Where the frames of a SEG fall on an image: on its very slices, between them, or as tiles of its plane."""

from __future__ import annotations

import numpy as np

from ...schema.errors import Issue, Severity
from ..picture import Picture, Report, Volume
from .planes import Planes, planes_of
from .seg_grid import Between, OnSlices, Placement, Tiles, nearest_voxels
from .seg_groups import Frame
from .seg_object import SegFile

TOLERANCE = 0.1
"""How far a frame may lie from an image's slice, in pixels in its corners and in slice distances across, to be on it."""
SCALE_TOLERANCE = 0.02


def place(seg: SegFile, image: Volume | Picture, *, report: Report) -> Placement | None:
    """How the SEG's frames reach the image's grid, or None where nothing of it is about this image (reported)."""
    if isinstance(image, Volume):
        return _on_volume(seg, image, report)
    return _as_tiles(seg, image, report) if seg.total_hw_px else _on_picture(seg, image, report)


def _on_volume(seg: SegFile, volume: Volume, report: Report) -> Placement | None:
    planes, grid, referenced = planes_of(volume), volume.array.shape[:3], _slices_by_reference(seg, volume)
    ours, theirs = volume.frame_of_reference, str(seg.header.get("FrameOfReferenceUID") or "")
    strange = bool(ours and theirs and ours != theirs)
    if planes is None or strange or not _have_places(seg.frames):
        return _by_reference(seg, referenced, grid=grid, strange=strange, report=report)
    placed = {index: _slice_under(planes, seg, frame) for index, frame in enumerate(seg.frames)}
    if None in placed.values() or seg.size_hw_px != grid[1:]:
        return _between(seg, planes, grid, report=report)
    if moved := [index for index, at in referenced.items() if placed[index] != at]:
        found, expected = f"{len(moved)} frames that lie off the image they reference", "frames on their images"
        report(Issue("position-differs", seg.path.name, found, expected, "the reference was followed"))
    return _on_slices(seg, {i: at for i, at in {**placed, **referenced}.items() if at is not None and at >= 0}, report)


def _by_reference(
    seg: SegFile, referenced: dict[int, int], *, grid: tuple[int, ...], strange: bool, report: Report
) -> Placement | None:
    """Without a shared frame of reference the references alone count."""
    if referenced and seg.size_hw_px != grid[1:]:
        _mask_size(seg, grid[1:], report)
        return None
    if referenced and strange:
        found, expected = "another frame of reference than the images it references", "theirs"
        report(Issue("frame-of-reference", seg.path.name, found, expected, "the references were followed"))
    return _on_slices(seg, referenced, report)


def _on_slices(seg: SegFile, slices: dict[int, int], report: Report) -> Placement | None:
    missing = len(seg.frames) - len(slices)
    if missing and slices:
        found, expected = f"{missing} frames on slices that aren't here", "the slices that it was drawn on"
        report(Issue("no-image", seg.path.name, found, expected, "the others were used", Severity.INFO))
    return OnSlices(slices) if slices else _no_image(seg, report)


def _have_places(frames: tuple[Frame, ...]) -> bool:
    return all(frame.position_mm and frame.orientation and frame.spacing_mm for frame in frames)


def _slices_by_reference(seg: SegFile, volume: Volume) -> dict[int, int]:
    """Frame → the one slice it was derived from; by frame number where the slices share a multi-frame object."""
    instances = volume.sop_instances or ()
    several = len(set(instances)) < len(instances)
    found: dict[int, int] = {}
    for index, frame in enumerate(seg.frames):
        hits = {
            at
            for uid, numbers in frame.sources
            for at in ([n - 1 for n in numbers] if several else range(len(instances)) if uid in instances else ())
            if 0 <= at < len(instances) and instances[at] == uid
        }
        if len(hits) == 1:
            found[index] = hits.pop()
    return found


def _slice_under(image: Planes, seg: SegFile, frame: Frame) -> int | None:
    """The slice whose pixels are the frame's; -1 where it lies off all of them, None where its grid is another."""
    plane = _plane(frame)
    corners_px = np.array([(0, 0), (seg.size_hw_px[1] - 1, 0), (0, seg.size_hw_px[0] - 1)], np.float64)
    corners_mm = plane.origins_mm[0] + corners_px @ np.stack([plane.column_mm, plane.row_mm])
    heights = corners_mm @ image.normal
    index, distance = image.nearest(float(heights[0]))
    off = np.abs(image.pixels(corners_mm, index) - corners_px).max()
    if off > TOLERANCE or np.ptp(heights) > TOLERANCE * image.slice_mm:
        return None
    reach = float(image.reach_mm[index])
    if distance <= 2 * TOLERANCE * reach:
        return index
    return None if distance < reach * (1 - TOLERANCE) else -1


def _plane(frame: Frame) -> Planes:
    assert frame.position_mm is not None
    assert frame.orientation is not None
    assert frame.spacing_mm is not None
    along, down = np.array(frame.orientation[:3]), np.array(frame.orientation[3:])
    return Planes(np.array([frame.position_mm]), along * frame.spacing_mm[1], down * frame.spacing_mm[0], 1.0)


def _between(seg: SegFile, image: Planes, grid: tuple[int, int, int], *, report: Report) -> Placement | None:
    each = [_plane(frame) for frame in seg.frames]
    first = each[0]
    origins = np.concatenate([plane.origins_mm for plane in each])
    drift = np.abs(first.pixels(origins, 0)).max()
    turned = max(np.abs(p.column_mm - first.column_mm).max() + np.abs(p.row_mm - first.row_mm).max() for p in each)
    if drift > TOLERANCE or turned > TOLERANCE * np.linalg.norm(first.column_mm) / max(seg.size_hw_px):
        found, expected = "frames that don't stack on one grid, which isn't the image's", "one grid"
        report(Issue("unsupported", seg.path.name, found, expected, "it was left out", Severity.ERROR))
        return None
    heights, ranks = np.unique(np.round(origins @ first.normal, 3), return_inverse=True)
    planes = Planes(
        first.origins_mm[0] + np.outer(heights - first.heights_mm[0], first.normal),
        first.column_mm,
        first.row_mm,
        _thickness(seg, heights),
    )
    placement = Between(image, grid, planes, dict(enumerate(ranks.ravel().tolist())), frozenset())
    covered = frozenset(k for k in range(grid[0]) if (nearest_voxels(placement, seg.size_hw_px, k)[0] >= 0).any())
    if not covered:
        return _no_image(seg, report)
    found = f"frames of {seg.size_hw_px} on {len(heights)} planes"
    expected = f"the image's grid of {grid}"
    report(Issue("grid-differs", seg.path.name, found, expected, "each voxel of the image took the nearest one"))
    return Between(image, grid, planes, placement.plane_of, covered)


def _thickness(seg: SegFile, heights: np.ndarray) -> float:
    """The distance from frame to frame in mm: as stated, but never more than the frames lie apart."""
    shared = next(iter(seg.header.get("SharedFunctionalGroupsSequence") or ()), {})
    measures = (shared.get("PixelMeasuresSequence") or ({},))[0]
    stated = [float(measures.get(word) or 0) for word in ("SpacingBetweenSlices", "SliceThickness")]
    gaps = np.diff(heights)
    known = [*(one for one in stated if one > 0)][:1] + ([float(gaps.min())] if gaps.size else [])
    return min(known, default=1.0)


def _as_tiles(seg: SegFile, picture: Picture, report: Report) -> Placement | None:
    assert seg.total_hw_px is not None
    size, whole = picture.pixels.shape[:2], picture.axis != "tile"
    scales = tuple(seg.total_hw_px[i] / size[i] for i in (0, 1)) if whole else _scales(seg, picture)
    if abs(scales[0] / scales[1] - 1) > SCALE_TOLERANCE:
        _mask_size(seg, size, report, found=f"a total pixel matrix of {seg.total_hw_px}")
        return None
    if any(abs(scale - 1) > SCALE_TOLERANCE for scale in scales):
        found, expected = f"{scales[0]:.4g} pixels to one of the image", "the image's own pixels"
        report(Issue("grid-differs", seg.path.name, found, expected, "each pixel of the image took the nearest one"))
    x, y = picture.offset_xy_px
    rows, columns = (
        np.floor((offset + np.arange(count) + 0.5) * scale).astype(np.int64)
        for offset, count, scale in ((y, size[0], scales[0]), (x, size[1], scales[1]))
    )
    return Tiles(rows, columns)


def _scales(seg: SegFile, picture: Picture) -> tuple[float, float]:
    """Pixels of the SEG per pixel of the picture, down and across; 1 where either says nothing of its spacing."""
    ours, theirs = picture.spacing_mm, seg.frames[0].spacing_mm
    if not ours or not theirs or min(*ours, *theirs) <= 0:
        return 1.0, 1.0
    down, across = (mine / other for mine, other in zip(ours, theirs, strict=True))
    near = abs(down - 1) < SCALE_TOLERANCE and abs(across - 1) < SCALE_TOLERANCE
    return (1.0, 1.0) if near else (down, across)


def _on_picture(seg: SegFile, picture: Picture, report: Report) -> Placement | None:
    uids = {uid for frame in seg.frames for uid, _ in frame.sources}
    if picture.sop_instance is None and len(uids) > 1:
        return _no_image(seg, report, found=f"{len(uids)} images referenced, and which of them this is isn't known")
    wanted = picture.index + 1 if picture.axis == "frame" and picture.index is not None else 1
    hits = [i for i, frame in enumerate(seg.frames) if _is_of(frame, picture.sop_instance, wanted)]
    if not hits:
        return _no_image(seg, report)
    if seg.size_hw_px != picture.pixels.shape[:2]:
        _mask_size(seg, picture.pixels.shape[:2], report)
        return None
    return OnSlices(dict.fromkeys(hits, 0))


def _is_of(frame: Frame, instance: str | None, number: int) -> bool:
    """Whether a frame was drawn on this frame of this image; without any reference it is about the only one."""
    if not frame.sources:
        return number == 1 and instance is None
    return any(instance in (None, uid) and number in (numbers or (1,)) for uid, numbers in frame.sources)


def _no_image(seg: SegFile, report: Report, *, found: str = "no frame that lies on this image") -> None:
    expected = "references or positions of its slices"
    report(Issue("no-image", seg.path.name, found, expected, "it was left out here"))


def _mask_size(seg: SegFile, size: tuple[int, ...], report: Report, *, found: str = "") -> None:
    found = found or f"frames of {seg.size_hw_px}"
    report(Issue("mask-size", seg.path.name, found, f"the image's {tuple(size)}", "it was left out", Severity.ERROR))
