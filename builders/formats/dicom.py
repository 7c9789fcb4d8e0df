"""DICOM images to pictures and volumes: single files, series, enhanced multi-frame, mosaics, clips; slides go to `dicom_slide`.

Several slices of one orientation, size and spacing make a volume, or several where they share positions; a slice by
itself, and frames that lie nowhere, are pictures. Every frame is decoded once, and one volume is held at a time.
Overlays are never drawn. What HU, SUV, windows and 8-bit values are is decided in `dicom_values.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from ...schema.errors import UnreadableError
from ..picture import Picture, Report, Volume
from ..source import Reading
from . import mosaic
from .dicom_classes import kind_of
from .dicom_frames import Plane, aspect_of, planes_of
from .dicom_plane import letters_of
from .dicom_stack import grouped, volumes
from .dicom_unit import File, Opened, decoded, fail, open_unit
from .dicom_volume import RAW_FORMAT, mosaic_volume, volume_of

RATIO_ONLY = "spacing-from-aspect-ratio"


def read(paths: Sequence[Path], *, reading: Reading, report: Report) -> Iterator[Picture | Volume]:
    """The pictures and volumes of one series, in native values: volumes first, then slices and frames by themselves.

    Args:
        paths: files of one series; of a slide the levels of its pyramid.
        reading: `every_nth` thins clips; the slide options choose tiles.
        report: takes odd headers, slices that can't be read, tilt and uneven gaps.

    Raises:
        UnreadableError: nothing in the unit can be decoded, or it holds no image.
    """
    unit = open_unit(paths, report)
    made = 0
    slide = _is_slide(unit)
    for piece in _slide(unit, reading) if slide else _pieces(unit, reading):
        made += 1
        yield piece
    if not made and not slide:
        raise UnreadableError("no frame that can be decoded", expected="pixels", where=paths[0].name)


def _is_slide(unit: Opened) -> bool:
    with unit.quiet(unit.files[0]):
        return kind_of(unit.files[0].header) == "slide"


def _slide(unit: Opened, reading: Reading) -> Iterator[Picture]:
    from .dicom_slide import tiles

    return tiles(unit, reading=reading)


def _pieces(unit: Opened, reading: Reading) -> Iterator[Picture | Volume]:
    mosaics, planes = _planes(unit)
    groups, placeless = grouped(planes)
    stacks = [stack for group in groups for stack in volumes(group)]
    deep = [stack for stack in stacks if len(stack) > 1]
    several = len(mosaics) + len(deep) > 1
    made = (
        *(lambda plane=plane: mosaic_volume(unit, unit.files[plane.source], plane) for plane in mosaics),
        *(lambda stack=stack: volume_of(unit, stack) for stack in deep),
    )
    for index, make in enumerate(made):
        volume = make()
        if volume is not None:
            volume.volume_index = index if several else None
            yield volume
    flat = [stack[0] for stack in stacks if len(stack) == 1]
    flat += [plane for plane in placeless if plane.frame % max(reading.every_nth, 1) == 0]
    for source, file in enumerate(unit.files):
        yield from _pictures(unit, file, [plane for plane in flat if plane.source == source])


def _planes(unit: Opened) -> tuple[list[Plane], list[Plane]]:
    """The frames that are mosaics, in order of their instances, and all others."""
    tiled: list[Plane] = []
    others: list[Plane] = []
    for source, file in enumerate(unit.files):
        try:
            with unit.quiet(file):
                planes = planes_of(file.header, source=source, name=file.path.name, count=file.layout.frames)
                home = tiled if file.layout.frames == 1 and mosaic.is_mosaic(file.header) else others
            home.extend(planes)
        except UnreadableError as error:
            fail(unit, file.path, error)
    return sorted(tiled, key=lambda plane: plane.order), others


def _pictures(unit: Opened, file: File, planes: Sequence[Plane]) -> Iterator[Picture]:
    """A picture per frame; frames of a file that holds several are counted."""
    if not planes:
        return
    clip = file.layout.frames > 1
    with unit.quiet(file):
        facts, ratio, orientation = file.facts, aspect_of(file.header), letters_of(file.header)
    for plane, values, decoder in decoded(unit, file, planes, voi_lut=True):
        yield Picture(
            pixels=values.pixels,
            facts=facts,
            axis="frame" if clip else None,
            index=plane.frame if clip else None,
            spacing_mm=plane.spacing_mm or ratio,
            values=values.meaning,
            window=values.window,
            raw_format=RAW_FORMAT,
            decoder=decoder,
            orientation=orientation,
            # Of a mere ratio the width counts as 1 mm, and the picture says so.
            transformations=(*values.transformations, *(() if plane.spacing_mm or not ratio else (RATIO_ONLY,))),
            sop_instance=plane.sop_instance or None,
        )
