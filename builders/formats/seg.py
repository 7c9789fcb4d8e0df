"""DICOM SEG to layers: binary, fractional and label map, over volumes, single images and slides.

A raw label is the segment's label. Probability and occupancy count as inside from half of the maximum fractional value
on. Memory stays at the layers and one segment's masks: each segment's frames are decoded when it settles.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...schema.errors import Issue, Severity
from ..picture import Layer, Picture, Report, Volume
from ..unit import SegObject
from .dicom_object import reading
from .layers import Region, grid_of, pack_layers
from .seg_grid import Placement
from .seg_groups import Segment
from .seg_object import SegFile, open_seg
from .seg_place import place


def segments(path: Path) -> list[tuple[int, str]]:
    """Number and label of each segment, without the background, in the file's order; a label may stand there twice.

    Raises:
        UnreadableError: no SEG.
    """
    with reading("a whole SEG", where=path.name):
        return [(segment.number, segment.label) for segment in open_seg(path).segments if not segment.background]


def layers(path: Path, target: SegObject, *, volume: Volume | Picture, report: Report) -> list[Layer]:
    """The SEG on the image's grid, in as many layers as its overlaps need; empty where it isn't about this image.

    A layer's values are the segment numbers (a segment 0 that isn't background takes a free one). Its `assessed` slices
    are those on which a frame of the SEG lies and those that the SEG lists as its images: SEGs leave empty frames out.

    Raises:
        UnreadableError: no SEG, frames that can't be decoded, or a claim of size that its bytes can't hold.
    """
    with reading("a whole SEG", where=path.name):
        return _layers(open_seg(path), target, volume, report)


def _layers(seg: SegFile, target: SegObject, volume: Volume | Picture, report: Report) -> list[Layer]:
    placement = place(seg, volume, report=report)
    if placement is None:
        return []
    if seg.kind == "FRACTIONAL":
        found, expected = f"{seg.header.get('SegmentationFractionalType', 'fractional')} values", "inside or outside"
        after = "inside is what has at least half of the maximum fractional value"
        report(Issue("fractional-mask", seg.path.name, found, expected, after, Severity.INFO))
    find = _label_map_regions if seg.kind == "LABELMAP" else _segment_regions
    values = _layer_values(seg)
    regions = _reported(find(seg, placement, values=values, report=report), seg, target, volume=volume, report=report)
    return pack_layers(
        regions,
        grid_of(volume),
        highest=max(values.values(), default=1),
        observer=target.observer,
        assessed=_assessed(seg, placement, volume),
    )


def _layer_values(seg: SegFile) -> dict[int, int]:
    """Segment number → its value in a layer: the same, but 0 is background there."""
    numbers = [segment.number for segment in seg.segments if not segment.background]
    free = next(value for value in range(1, len(numbers) + 2) if value not in numbers)
    return {number: number or free for number in numbers}


Found = Iterator[tuple[Segment, int, dict[int, np.ndarray]]]


def _segment_regions(seg: SegFile, placement: Placement, *, values: dict[int, int], report: Report) -> Found:
    frames: dict[int | None, list[int]] = {}
    for index, frame in enumerate(seg.frames):
        frames.setdefault(frame.segment, []).append(index)
    for number in sorted(str(n) for n in frames.keys() - {segment.number for segment in seg.segments}):
        _unknown(seg, f"frames of segment {number}", report)
    for segment in seg.segments:
        if not segment.background:
            yield segment, values[segment.number], placement.masks(seg, frames.get(segment.number, ()))


def _label_map_regions(seg: SegFile, placement: Placement, *, values: dict[int, int], report: Report) -> Found:
    """Regions of a label map, all cut from one reading of its frames."""
    placed = placement.masks(seg, range(len(seg.frames)))
    there = {int(n) for array in placed.values() for n in np.unique(array)}
    silent = {segment.number for segment in seg.segments} | {0, seg.header.get("PixelPaddingValue", 0)}
    for number in sorted(there - silent):
        _unknown(seg, f"pixels of value {number}", report)
    for segment in seg.segments:
        if not segment.background and segment.number != seg.header.get("PixelPaddingValue"):
            masks = {at: array == segment.number for at, array in placed.items()} if segment.number in there else {}
            yield segment, values[segment.number], masks


def _reported(found: Found, seg: SegFile, target: SegObject, *, volume: Volume | Picture, report: Report) -> Iterator[Region]:
    """The regions that have a voxel here; the others are reported where a whole volume lacks them."""
    for segment, value, masks in found:
        masks = {at: mask for at, mask in masks.items() if mask.any()}
        if masks:
            origin = target.origin or segment.origin
            yield Region(value=value, name=segment.label, origin=origin, tool=segment.tool, masks=masks)
        elif isinstance(volume, Volume):
            where, expected = f"{seg.path.name} segment {segment.number}", "at least one voxel on this image"
            report(Issue("mask-empty", where, "no voxel", expected, "it has no mask here", Severity.INFO))


def _assessed(seg: SegFile, placement: Placement, volume: Volume | Picture) -> frozenset[int] | None:
    if not isinstance(volume, Volume):
        return None
    instances = volume.sop_instances or ()
    if len(set(instances)) < len(instances):
        return placement.covered
    return placement.covered.union(at for at, uid in enumerate(instances) if uid in seg.references)


def _unknown(seg: SegFile, found: str, report: Report) -> None:
    report(Issue("unknown-label-value", seg.path.name, found, "a described segment", "they were left out"))
