"""Prompts drawn at use: box, mask, contour or points on a copy of a picture, in a colour that stands out there.

Lines lie outside what they show, so that they hide none of it, and are as wide as 1/200 of the picture's shorter side. The
colour is the one of four whose contrast to the pixels around the line is largest; people with any colour-vision deficiency
can tell the four apart (CIELAB distance 45 or more under the model of Machado et al. 2009, doi 10.1109/TVCG.2009.113).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import cv2
import numpy as np
from PIL import Image

from .errors import UsageError
from .mask import mask_window
from .question import Prompt

PALETTE = ((255, 230, 0), (0, 229, 255), (220, 30, 0), (0, 40, 220))
"""Yellow, cyan, red, blue, as sRGB."""
LEAST_CONTRAST = 25.0
"""What `contrast` comes to at least with the best of the colours, on any pictures tried: white, black, grey, colour, noise."""
VEIL = 0.35
"""Opacity of the colour over a mask's pixels."""
_WEIGHTS = np.array((1, 0.5, 0.5))
"""Of lightness and the two directions of hue: thin lines are seen by their lightness first."""
_REACH = 3
"""Widths of a line to which its surroundings reach."""
_PERCENTILE = 10
_MOST_PIXELS = 1 << 14


def drawn(picture: Image.Image, prompts: Sequence[Prompt], record: Mapping[str, Any], *, rank: int = 0) -> Image.Image:
    """An RGB copy of the picture with the prompts on it, drawn one after the other; the same for the same input.

    Args:
        picture: The stored image, in any mode.
        prompts: Of a question about this picture.
        record: The sample's record, which holds the masks.
        rank: 0 for the colour that stands out best, 1 for the second best, and so on; to see whether colour matters.

    Raises:
        UsageError: the picture hasn't the record's size, there is no such rank, or a prompt shows what the record hasn't.
    """
    height, width = record["size_hw_px"]
    if picture.size != (width, height):
        raise UsageError(f"{record['key']}: picture of {picture.size[::-1]} px; expected {(height, width)}")
    if not 0 <= rank < len(PALETTE):
        raise UsageError(f"rank {rank} of the colours; expected 0 to {len(PALETTE) - 1}")
    clean = picture if picture.mode == "RGB" else picture.convert("RGB")
    image = clean.copy()
    for prompt in prompts:
        stroke = strokes(prompt, record)
        if not stroke.line.any():
            raise UsageError(f"{record['key']}: {prompt.kind} of {prompt.annotation} is empty; expected something to draw")
        line_px = line_width((height, width))
        colour = colour_for(np.asarray(clean.crop(stroke.window_px)), stroke.line, line_px=line_px, rank=rank)
        _paint(image, stroke, colour)
    return image


@dataclass(frozen=True, slots=True)
class Strokes:
    """What a prompt paints, within a window that holds all of it and all that its colour depends on."""

    window_px: tuple[int, int, int, int]
    """x0, y0, x1, y1 of the window in the image, ends exclusive."""
    line: np.ndarray
    """Pixels of the line, bool h×w of the window."""
    veil: np.ndarray | None = None
    """Pixels under the veil (a mask's), bool h×w."""


def strokes(prompt: Prompt, record: Mapping[str, Any]) -> Strokes:
    """The pixels that a prompt paints; none for what has none.

    Raises:
        UsageError: the prompt is of no known kind, or has nothing to draw.
    """
    size = record["size_hw_px"][0], record["size_hw_px"][1]
    if prompt.kind == "box" and prompt.box_xyxy_px is not None:
        return _box_line(prompt.box_xyxy_px, size)
    if prompt.kind == "point" and prompt.points_xy_px:
        return _discs(prompt.points_xy_px, size)
    counts = next((one["rle"] for one in record["annotations"] if one["id"] == prompt.annotation), None)
    if prompt.kind not in ("mask", "contour") or counts is None:
        found = f"{prompt.kind} of {prompt.annotation}"
        raise UsageError(f"{record['key']}: {found}; expected a box, points, or a mask or contour of the record")
    return _outline(counts, size, veiled=prompt.kind == "mask")


def line_width(size_hw_px: tuple[int, int]) -> int:
    """Width of a line in px."""
    return max(1, round(min(size_hw_px) / 200))


def colour_for(image: np.ndarray, line: np.ndarray, *, line_px: int, rank: int = 0) -> tuple[int, int, int]:
    """The colour of `PALETTE` that stands out best around a line on an RGB image, or next best.

    Args:
        image: uint8 H×W×3, or a window of it that holds the line's surroundings.
        line: bool H×W.
        line_px: How wide lines are.
        rank: 0 for the best, 1 for the second, and so on.
    """
    far = dict(zip(PALETTE, contrasts(PALETTE, surroundings(image, line, line_px)), strict=True))
    return sorted(PALETTE, key=far.__getitem__, reverse=True)[rank]


def surroundings(image: np.ndarray, line: np.ndarray, line_px: int) -> np.ndarray:
    """The RGB pixels, N×3 uint8, beneath a line and within three widths of it."""
    reach = 2 * _REACH * line_px + 1
    near = cv2.dilate(line.view(np.uint8), np.ones((reach, reach), np.uint8)).view(bool)
    pixels = image[near]
    return pixels[:: 1 + len(pixels) // _MOST_PIXELS]


def contrasts(colours: Sequence[tuple[int, int, int]], pixels: np.ndarray) -> list[float]:
    """The distance in CIELAB, hue at half weight, that nine tenths of the pixels (N×3 uint8, sRGB) keep from each colour."""
    seen = _lab(pixels)
    apart = np.empty((len(colours), len(pixels)))
    for row, colour in zip(apart, colours, strict=True):
        light, *hue = ((seen - _lab_of(colour)) * _WEIGHTS).T
        row[:] = light * light + hue[0] * hue[0] + hue[1] * hue[1]
    return np.percentile(np.sqrt(apart), _PERCENTILE, axis=1).tolist()


def _lab(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(pixels[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]


@cache
def _lab_of(colour: tuple[int, int, int]) -> np.ndarray:
    return _lab(np.array([colour], np.uint8))


def _paint(image: Image.Image, stroke: Strokes, colour: tuple[int, int, int]) -> None:
    pixels = np.array(image.crop(stroke.window_px))
    if stroke.veil is not None:
        veiled = (1 - VEIL) * pixels[stroke.veil] + VEIL * np.array(colour, np.uint8)
        pixels[stroke.veil] = np.rint(veiled).astype(np.uint8)
    pixels[stroke.line] = colour
    image.paste(Image.fromarray(pixels), stroke.window_px[:2])


def _window(box: tuple[int, int, int, int], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A box of painted pixels with what its colour depends on, within the image."""
    (height, width), reach = size, _REACH * line_width(size)
    x0, y0 = max(box[0] - reach, 0), max(box[1] - reach, 0)
    return x0, y0, max(min(box[2] + reach, width), x0), max(min(box[3] + reach, height), y0)


def _box_line(box: Sequence[float], size: tuple[int, int]) -> Strokes:
    """A frame around the pixels that the box touches, within the image where the box ends at its edge."""
    (height, width), thick = size, line_width(size)
    x0, y0, x1, y1 = int(np.floor(box[0])), int(np.floor(box[1])), int(np.ceil(box[2])), int(np.ceil(box[3]))
    left, upper = max(x0 - thick, 0), max(y0 - thick, 0)
    right, lower = min(x1 + thick, width), min(y1 + thick, height)
    window = _window((left, upper, right, lower), size)
    left, upper, right, lower = (edge - window[place % 2] for place, edge in enumerate((left, upper, right, lower)))
    line = np.zeros((window[3] - window[1], window[2] - window[0]), bool)
    line[upper:lower, left:right] = True
    line[upper + thick : lower - thick, left + thick : right - thick] = False
    return Strokes(window, line)


def _discs(points: Sequence[Sequence[float]], size: tuple[int, int]) -> Strokes:
    """A disc on each point, twice as thick as a line, and at least 3 px across."""
    radius = max(1.5, 2.0 * line_width(size))
    low, high = np.min(points, axis=0) - radius, np.max(points, axis=0) + radius
    window = _window((*np.floor(low).astype(int).tolist(), *np.ceil(high).astype(int).tolist()), size)
    rows, columns = np.ogrid[window[1] : window[3], window[0] : window[2]]
    discs = np.zeros((window[3] - window[1], window[2] - window[0]), bool)
    for x, y in points:
        discs |= (columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2 <= radius**2
    return Strokes(window, discs)


def _outline(counts: str, size: tuple[int, int], *, veiled: bool) -> Strokes:
    """The pixels around a mask; along the image's edge, and where all is mask, its outermost ones."""
    (height, width), thick = size, line_width(size)
    inside, (top, left) = mask_window(counts, size, margin_px=(1 + _REACH) * thick)
    bottom, right = top + inside.shape[0], left + inside.shape[1]
    kernel = np.ones((2 * thick + 1, 2 * thick + 1), np.uint8)
    line = inside.copy() if not inside.size else cv2.dilate(inside, kernel) - inside
    rows, columns = np.arange(top, bottom)[:, None], np.arange(left, right)
    border = (rows < thick) | (rows >= height - thick) | (columns < thick) | (columns >= width - thick)
    if (inside.view(bool) & border).any():
        framed = cv2.copyMakeBorder(inside, thick, thick, thick, thick, cv2.BORDER_CONSTANT, value=0)
        line |= (framed - cv2.erode(framed, kernel))[thick:-thick, thick:-thick] * border
    return Strokes((left, top, right, bottom), line.view(bool), inside.view(bool) if veiled else None)
