"""Decoded slices laid into one array, with the grid of its stack: a `Volume`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ...schema.errors import UnreadableError
from ..picture import Volume
from . import mosaic
from .dicom_frames import Plane
from .dicom_stack import grid
from .dicom_unit import File, Opened, decoded
from .dicom_values import Range, Values

RAW_FORMAT = "dicom"


@dataclass(slots=True)
class _Slices:
    """Slices collected as they are decoded."""

    array: np.ndarray | None = None
    filled: list[int] = field(default_factory=list)
    meanings: set[str] = field(default_factory=set)
    windows: Counter[Range | None] = field(default_factory=Counter)
    done: dict[str, None] = field(default_factory=dict)
    decoders: dict[str, None] = field(default_factory=dict)

    def put(self, at: int, values: Values, *, of: int) -> None:
        """Lay slice `at` of `of` in; the array takes the type that holds all slices so far."""
        pixels = values.pixels
        if self.array is None:
            self.array = np.zeros((of, *pixels.shape), pixels.dtype)
        if self.array.dtype != pixels.dtype:
            self.array = self.array.astype(_wider(self.array.dtype, pixels.dtype), copy=False)
        self.array[at] = pixels
        self.filled.append(at)
        self.meanings.add(values.meaning)
        self.windows[values.window] += 1
        self.done.update(dict.fromkeys(values.transformations))


def volume_of(unit: Opened, stack: Sequence[Plane]) -> Volume | None:
    """The stack's volume; slices that can't be decoded are left out, and None is what is left of none.

    The window is the header's where all slices share it; of differing ones HU take the most frequent, other values none.
    SOP instances are given where they name the slices.
    """
    slices = _collect(unit, stack)
    if slices.array is None:
        return None
    array = slices.array
    kept = [stack[at] for at in sorted(slices.filled)]
    if len(kept) < len(stack):
        array = np.ascontiguousarray(array[sorted(slices.filled)])
    first = unit.files[kept[0].source]
    with unit.quiet(first):
        place, facts = grid(kept, where=first.path.name, report=unit.report), first.facts
    meaning = slices.meanings.pop() if len(slices.meanings) == 1 else "stored"
    single = all(unit.files[plane.source].layout.frames == 1 for plane in kept)
    return Volume(
        array=array,
        affine_lps=place.affine_lps,
        facts=facts,
        values=meaning,
        even=place.even,
        positions_mm=place.positions_mm,
        window=_window(slices, meaning),
        raw_format=RAW_FORMAT,
        decoder=" + ".join(sorted(slices.decoders)),
        transformations=tuple(slices.done),
        slice_files=tuple(unit.files[plane.source].path.name for plane in kept) if single else None,
        sop_instances=_instances(kept, single=single, first=first),
        frame_of_reference=first.frame_of_reference,
    )


def mosaic_volume(unit: Opened, file: File, plane: Plane) -> Volume | None:
    """The volume that a Siemens mosaic holds as tiles; None where it can't be decoded among others."""
    count = mosaic.tile_count(file.header)
    assert count is not None
    with unit.quiet(file):
        affine, facts = mosaic.affine_lps(file.header, count), file.facts
    for _, values, decoder in decoded(unit, file, [plane], voi_lut=False):
        return Volume(
            array=mosaic.tiles(values.pixels, count),
            affine_lps=affine,
            facts=facts,
            values=values.meaning,
            window=values.window,
            raw_format=RAW_FORMAT,
            decoder=decoder,
            transformations=("demosaiced", *values.transformations),
            slice_files=(file.path.name,) * count,
            frame_of_reference=file.frame_of_reference,
        )
    return None


def _collect(unit: Opened, stack: Sequence[Plane]) -> _Slices:
    """All slices that can be decoded, file by file, each at its place in the stack."""
    slices, by_file = _Slices(), defaultdict(list)
    for at, plane in enumerate(stack):
        by_file[plane.source].append((at, plane))
    for source, placed in by_file.items():
        places = {plane.frame: at for at, plane in placed}
        planes = [plane for _, plane in placed]
        for plane, values, decoder in decoded(unit, unit.files[source], planes, voi_lut=False):
            if slices.array is not None and slices.array.shape[1:] != values.pixels.shape:
                raise UnreadableError("grey and colour slices in one stack", expected="one kind of pixels")
            slices.put(places[plane.frame], values, of=len(stack))
            slices.decoders[decoder] = None
    return slices


def _instances(kept: Sequence[Plane], *, single: bool, first: File) -> tuple[str, ...] | None:
    """SOP instance of each slice; of a multi-frame object only where slice n is its frame n, as references count."""
    whole = len(kept) == first.layout.frames and [plane.frame for plane in kept] == list(range(len(kept)))
    if not all(plane.sop_instance for plane in kept) or not (single or whole):
        return None
    return tuple(plane.sop_instance for plane in kept)


def _window(slices: _Slices, meaning: str) -> Range | None:
    usual = slices.windows.most_common(1)[0][0]
    return usual if len(slices.windows) == 1 or meaning == "hu" else None


def _wider(one: np.dtype, other: np.dtype) -> np.dtype:
    found = np.result_type(one, other)
    return np.dtype(np.float32) if found.kind == "f" else found
