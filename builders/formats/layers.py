"""Labelled regions, which may overlap, on as few integer layers as first fit finds: what SEG and RTSTRUCT share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ...schema.sample import Origin
from ..picture import Layer, Picture, Volume


@dataclass(frozen=True, slots=True, kw_only=True)
class Region:
    """One labelled region: what it is called and where it lies."""

    value: int
    """What its voxels hold in their layer; positive, and no other region's."""
    name: str
    origin: Origin
    tool: str | None = None
    masks: Mapping[int, np.ndarray] = field(compare=False)
    """Slice (0 in a picture) → rows×columns, non-zero is inside."""


@dataclass(slots=True)
class _Sheet:
    array: np.ndarray
    regions: list[Region]


def grid_of(volume: Volume | Picture) -> tuple[int, ...]:
    """The shape a layer has there: (slices, rows, columns), or (rows, columns) of a picture."""
    return volume.array.shape[:3] if isinstance(volume, Volume) else volume.pixels.shape[:2]


def pack_layers(
    regions: Iterable[Region],
    grid: Sequence[int],
    *,
    highest: int,
    granularity: str = "mask",
    observer: str | None = None,
    assessed: frozenset[int] | None = None,
) -> list[Layer]:
    """The regions in layers, each region whole in the first layer that is free below it; at least one layer.

    Regions are taken one at a time, so that besides the layers only one region's masks are held.

    Args:
        regions: in the order in which they settle; a voxel's value says its region.
        grid: (slices, rows, columns) or (rows, columns).
        highest: the largest value, for the dtype: uint8 where it fits, else uint16.
        granularity: of every layer.
        observer: of every layer.
        assessed: slices that were looked at; None means all.
    """
    sheets = [_Sheet(_empty(grid, highest), [])]
    for region in regions:
        sheet = next((sheet for sheet in sheets if _is_free(sheet, region)), None)
        if sheet is None:
            sheet = _Sheet(_empty(grid, highest), [])
            sheets.append(sheet)
        for index, mask in region.masks.items():
            sheet.array[index][mask != 0] = region.value
        sheet.regions.append(_without_masks(region))
    if len(grid) == 2 or (assessed is not None and len(assessed) == grid[0]):
        assessed = None
    return [_layer(sheet, len(grid), granularity=granularity, observer=observer, assessed=assessed) for sheet in sheets]


def _empty(grid: Sequence[int], highest: int) -> np.ndarray:
    return np.zeros(grid if len(grid) == 3 else (1, *grid), np.uint8 if highest < 256 else np.uint16)


def _is_free(sheet: _Sheet, region: Region) -> bool:
    return not any(sheet.array[index][mask != 0].any() for index, mask in region.masks.items())


def _without_masks(region: Region) -> Region:
    return Region(value=region.value, name=region.name, origin=region.origin, tool=region.tool, masks={})


def _layer(sheet: _Sheet, dimensions: int, *, granularity: str, observer: str | None, assessed: frozenset[int] | None) -> Layer:
    return Layer(
        array=sheet.array if dimensions == 3 else sheet.array[0],
        names={region.value: region.name for region in sheet.regions},
        granularity=granularity,
        observer=observer,
        origin={region.value: region.origin for region in sheet.regions},
        tool={region.value: region.tool for region in sheet.regions if region.tool},
        partial=assessed is not None,
        assessed=assessed,
    )
