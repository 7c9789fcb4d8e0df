"""Pictures and volumes to 8-bit pictures in radiological display, with their marks moved along, pixel for pixel.

3-D to 2-D follows the protocol of SA-Med2D-20M: slices along the chosen axes, physical aspect ratio restored from the spacing,
reformatted slices whose short side is under half the long one (in mm) left out, masks under a stated share of the slice
left out (their label is then uncertain, never absent). Order: values to 8 bit, display orientation, resampling to the
finer in-plane spacing (pictures by Pillow's bilinear integer code, masks by nearest neighbour).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from ..schema.errors import Issue, Severity, UsageError
from .intensity import UNCHANGED, Rule, rule_for, to_8bit
from .orientation import PLANES, View, as_stored, spacings_mm, views
from .picture import HeaderFacts, Layer, Picture, Report, Volume
from .place import Placed, place_layer, place_marks
from .png import encode_png
from .source import Reading
from .unit import Mark

SMALLEST_MASK_SHARE_3D = 0.0015
"""0.15 % of the slice: SA-Med2D's 100 px at 256×256, as far as its papers tell."""
SQUARE_TOLERANCE = 0.01
"""Spacings that differ by less than this share count as equal."""
MAX_STRETCH = 32.0
"""Spacings that differ by more are an error of the header, not a pixel shape."""


@dataclass(slots=True, kw_only=True)
class Shown:
    """One picture ready to be stored: its bytes, and what was done to make it."""

    pixels: np.ndarray
    """uint8, H×W or H×W×3, as the stored bytes decode."""
    encoded: bytes
    image_format: str
    facts: HeaderFacts
    rule: Rule
    raw_format: str
    decoder: str
    placed: list[Placed] = field(default_factory=list)
    too_small: set[str] = field(default_factory=set)
    """Raw labels of which a region was left out, for its size or since it has no meaning: they are uncertain."""
    not_assessed: set[str] = field(default_factory=set)
    """Raw labels whose layer says nothing about this slice."""
    axis: str | None = None
    index: int | None = None
    volume_index: int | None = None
    original_size_hw_px: tuple[int, int] = (0, 0)
    spacing_mm: tuple[float, float] | None = None
    slice_position_mm: float | None = None
    plane: str | None = None
    orientation: str | None = None
    transformations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Shape:
    """The stored size of a picture, and the factors that lead to it."""

    size_hw_px: tuple[int, int]
    spacing_mm: tuple[float, float] | None
    sy: float = 1.0
    sx: float = 1.0

    @property
    def resampled(self) -> bool:
        """Whether the stored picture has another size than the raw one."""
        return (self.sy, self.sx) != (1.0, 1.0)


def square_pixels(size_hw_px: tuple[int, int], spacing_mm: tuple[float, float] | None) -> Shape:
    """The size at which pixels are square at the finer spacing; unchanged where they are, or nothing is known."""
    if spacing_mm is None or min(spacing_mm) <= 0 or max(spacing_mm) > MAX_STRETCH * min(spacing_mm):
        return Shape(size_hw_px, None)
    fine = min(spacing_mm)
    if max(spacing_mm) - fine <= SQUARE_TOLERANCE * fine:
        return Shape(size_hw_px, spacing_mm)
    (height, width), (down, across) = size_hw_px, spacing_mm
    new = max(1, round(height * down / fine)), max(1, round(width * across / fine))
    return Shape(new, (down * height / new[0], across * width / new[1]), new[0] / height, new[1] / width)


def show_picture(
    picture: Picture, *, marks: Sequence[Mark], layers: Sequence[Layer], reading: Reading, report: Report
) -> Shown:
    """The 2-D image as it will be stored; its coded JPEG is kept when nothing has to change."""
    rule = rule_for(picture.pixels, values=picture.values, window=picture.window, reading=reading)
    shape = square_pixels(picture.pixels.shape[:2], picture.spacing_mm)
    pixels = resample(to_8bit(picture.pixels, rule), shape)
    keep = picture.encoded is not None and not shape.resampled and rule == UNCHANGED
    shown = Shown(
        pixels=pixels,
        encoded=picture.encoded if keep and picture.encoded else encode_png(pixels, reading.png_encoder),
        image_format="jpeg" if keep else "png",
        facts=picture.facts,
        rule=rule,
        raw_format=picture.raw_format,
        decoder=picture.decoder,
        axis=picture.axis,
        index=picture.index,
        original_size_hw_px=picture.pixels.shape[:2],
        spacing_mm=shape.spacing_mm,
        plane=picture.facts.acquisition.plane,
        orientation=picture.orientation,
        transformations=(*picture.transformations, *_resampling(shape)),
    )
    offset = picture.offset_xy_px if picture.axis == "tile" else None
    share = reading.min_mask_share or 0.0
    smallest = share * pixels.shape[0] * pixels.shape[1]
    for placed in place_marks(marks, shape, report=report, offset_xy_px=offset, lost=shown.too_small):
        _add(shown, placed, smallest=smallest)
    for layer in (*layers, *picture.layers):
        _add_layer(shown, layer, labels=nearest(layer.array, shape), share=share, report=report)
    return shown


def show_volume(volume: Volume, *, layers: Sequence[Layer], reading: Reading, report: Report) -> Iterator[Shown]:
    """Every slice along the chosen axes as it will be stored; constant slices are counted and left out."""
    rule = rule_for(volume.array, values=volume.values, window=volume.window, reading=reading)
    for view in _chosen(volume, reading.axes, report):
        shape = square_pixels(_shown_size(volume.array, view), view.spacing_mm)
        if view.axis != 0 and _too_thin(shape):
            found = f"{view.plane} slices of {shape.size_hw_px} px after resampling"
            report(Issue("thin-reformat", "", found, "a short side of at least half the long one", "left out", Severity.INFO))
            continue
        for index in range(volume.array.shape[view.axis]):
            shown = _show_slice(volume, index, view=view, rule=rule, shape=shape, reading=reading)
            if shown is None:
                found = f"slice {index} is constant"
                report(Issue("constant-slice", f"slice {index}", found, "some contrast", "it was left out", Severity.INFO))
                continue
            _add_layers(shown, layers, view=view, shape=shape, reading=reading, report=report)
            yield shown


def _show_slice(volume: Volume, index: int, *, view: View, rule: Rule, shape: Shape, reading: Reading) -> Shown | None:
    pixels = to_8bit(view.show(volume.array, index), rule)
    if pixels.min() == pixels.max():
        return None
    pixels = resample(pixels, shape)
    turned = tuple(name for name, done in _turns(view) if done)
    return Shown(
        pixels=pixels,
        encoded=encode_png(pixels, reading.png_encoder),
        image_format="png",
        facts=volume.facts,
        rule=rule,
        raw_format=volume.raw_format,
        decoder=volume.decoder,
        axis="slice",
        index=index,
        volume_index=volume.volume_index,
        original_size_hw_px=_shown_size(volume.array, view),
        spacing_mm=shape.spacing_mm,
        slice_position_mm=_position(volume, view, index),
        plane=view.plane,
        orientation=view.orientation,
        transformations=(*volume.transformations, *turned, *_resampling(shape)),
    )


def _add_layers(shown: Shown, layers: Sequence[Layer], *, view: View, shape: Shape, reading: Reading, report: Report) -> None:
    share = SMALLEST_MASK_SHARE_3D if reading.min_mask_share is None else reading.min_mask_share
    assert shown.index is not None
    for layer in layers:
        if not _assessed(layer, shown.index, view):
            shown.not_assessed.update(layer.names.values())
            if view.axis == 0:
                continue
        labels = nearest(view.show(layer.array, shown.index), shape)
        _add_layer(shown, layer, labels=labels, share=share, report=report)


def _assessed(layer: Layer, index: int, view: View) -> bool:
    """Whether the layer says what is absent from a slice; one in another plane crosses every acquired slice."""
    if not layer.partial or layer.assessed is None:
        return True
    return index in layer.assessed if view.axis == 0 else len(layer.assessed) == layer.array.shape[0]


def _add_layer(shown: Shown, layer: Layer, *, labels: np.ndarray, share: float, report: Report) -> None:
    if labels.shape != shown.pixels.shape[:2]:
        found, expected = f"a mask of {labels.shape} px", f"{shown.pixels.shape[:2]} px as its image"
        report(Issue("mask-size", "", found, expected, "the mask was left out", Severity.WARNING))
        return
    smallest = share * labels.size
    for placed in place_layer(layer, labels):
        _add(shown, placed, smallest=smallest)


def _add(shown: Shown, placed: Placed, *, smallest: float) -> None:
    if placed.rle is not None and placed.area_px is not None and placed.area_px < smallest:
        shown.too_small.add(placed.label)
    else:
        shown.placed.append(placed)


def resample(pixels: np.ndarray, shape: Shape) -> np.ndarray:
    """The uint8 picture at its stored size, by Pillow's bilinear filter."""
    if not shape.resampled:
        return pixels
    height, width = shape.size_hw_px
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))


def nearest(labels: np.ndarray, shape: Shape) -> np.ndarray:
    """Integer labels, rows × columns, at the stored size: each pixel takes the label under its centre."""
    if not shape.resampled:
        return labels
    rows, columns = (
        ((np.arange(new) + 0.5) * (old / new)).astype(np.intp) for new, old in zip(shape.size_hw_px, labels.shape, strict=True)
    )
    return labels[rows[:, None], columns[None, :]]


def _chosen(volume: Volume, axes: tuple[str, ...], report: Report) -> list[View]:
    """The views to show: the acquisition plane where no axes are asked for or the geometry allows no other."""
    unknown = set(axes) - set(PLANES)
    if unknown:
        raise UsageError(f"--axes {','.join(sorted(unknown))}; expected some of {', '.join(PLANES)}")
    if not volume.oriented:
        return [as_stored(spacings_mm(volume.affine_lps)[1:])]
    every = views(volume.affine_lps)
    acquired = next(view for view in every.values() if view.axis == 0)
    if not axes:
        return [acquired]
    if not volume.even:
        found = "a tilted or unevenly spaced series"
        report(
            Issue(
                "no-reformat",
                "",
                found,
                "even spacing for other planes",
                "only acquired slices are kept",
                Severity.INFO,
            )
        )
        return [acquired] if acquired.plane in axes else []
    return [every[axis] for axis in axes]


def _shown_size(array: np.ndarray, view: View) -> tuple[int, int]:
    rows, columns = (size for axis, size in enumerate(array.shape[:3]) if axis != view.axis)
    return (columns, rows) if view.transpose else (rows, columns)


def _too_thin(shape: Shape) -> bool:
    return min(shape.size_hw_px) < max(shape.size_hw_px) / 2


def _position(volume: Volume, view: View, index: int) -> float:
    if view.axis == 0 and volume.positions_mm is not None:
        return float(volume.positions_mm[index])
    return index * spacings_mm(volume.affine_lps)[view.axis]


def _turns(view: View) -> tuple[tuple[str, bool], ...]:
    return (
        ("oblique", view.oblique),
        ("transposed", view.transpose),
        ("rows-reversed", view.flip_rows),
        ("columns-reversed", view.flip_columns),
    )


def _resampling(shape: Shape) -> tuple[str, ...]:
    return (f"resampled-bilinear:{shape.size_hw_px[0]}x{shape.size_hw_px[1]}",) if shape.resampled else ()
