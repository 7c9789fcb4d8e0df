"""Prompts drawn at use: box, mask, contour or points on a copy of a picture, in a colour that stands out there.

Lines lie outside what they show, so that they hide none of it, and are as wide as 1/200 of the picture's shorter side. The
colour is the one of four whose contrast to the pixels around the line is largest; people with any colour-vision deficiency
can tell the four apart (CIELAB distance 45 or more under the model of Machado et al. 2009, doi 10.1109/TVCG.2009.113).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from PIL import Image

from .errors import UsageError
from .mask import mask_from_rle
from .question import Prompt

PALETTE = ((255, 230, 0), (0, 229, 255), (220, 30, 0), (0, 40, 220))
"""Yellow, cyan, red, blue, as sRGB."""
LEAST_CONTRAST = 25.0
"""What `contrast` comes to at least with the best of the colours, on any pictures tried: white, black, grey, colour, noise."""
VEIL = 0.35
"""Opacity of the colour over a mask's pixels."""
_HUE = 0.5
"""Weight of hue beside lightness: thin lines are seen by their lightness first."""
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
    clean = np.asarray(picture.convert("RGB"))
    image = clean.copy()
    for prompt in prompts:
        line, veil = strokes(prompt, record)
        if not line.any():
            raise UsageError(f"{record['key']}: {prompt.kind} of {prompt.annotation} is empty; expected something to draw")
        colour = np.array(colour_for(clean, line, rank=rank), np.uint8)
        if veil is not None:
            image[veil] = np.rint((1 - VEIL) * image[veil] + VEIL * colour).astype(np.uint8)
        image[line] = colour
    return Image.fromarray(image)


def strokes(prompt: Prompt, record: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray | None]:
    """The pixels that a prompt paints, and those under its veil (a mask's): bool H×W each.

    Raises:
        UsageError: the prompt is of no known kind, or has nothing to draw.
    """
    size = record["size_hw_px"][0], record["size_hw_px"][1]
    if prompt.kind == "box" and prompt.box_xyxy_px is not None:
        return _box_line(prompt.box_xyxy_px, size), None
    if prompt.kind == "point" and prompt.points_xy_px:
        return _discs(prompt.points_xy_px, size), None
    counts = next((one["rle"] for one in record["annotations"] if one["id"] == prompt.annotation), None)
    if prompt.kind not in ("mask", "contour") or counts is None:
        found = f"{prompt.kind} of {prompt.annotation}"
        raise UsageError(f"{record['key']}: {found}; expected a box, points, or a mask or contour of the record")
    inside = mask_from_rle(counts, size)
    return _outline(inside, size), inside.astype(bool) if prompt.kind == "mask" else None


def line_width(size_hw_px: tuple[int, int]) -> int:
    """Width of a line in px."""
    return max(1, round(min(size_hw_px) / 200))


def colour_for(image: np.ndarray, line: np.ndarray, *, rank: int = 0) -> tuple[int, int, int]:
    """The colour of `PALETTE` that stands out best around a line (bool H×W) on an RGB image (uint8 H×W×3), or next best."""
    around = surroundings(image, line)
    return sorted(PALETTE, key=lambda colour: contrast(colour, around), reverse=True)[rank]


def surroundings(image: np.ndarray, line: np.ndarray) -> np.ndarray:
    """The RGB pixels, N×3 uint8, beneath a line and within three widths of it."""
    reach = 2 * 3 * line_width((line.shape[0], line.shape[1])) + 1
    near = cv2.dilate(line.astype(np.uint8), np.ones((reach, reach), np.uint8)).astype(bool)
    pixels = image[near]
    return pixels[:: 1 + len(pixels) // _MOST_PIXELS]


def contrast(colour: tuple[int, int, int], pixels: np.ndarray) -> float:
    """The distance in CIELAB, hue at half weight, that nine tenths of the pixels (N×3 uint8, sRGB) keep from a colour."""
    apart = (_lab(pixels) - _lab(np.array([colour], np.uint8))) * (1, _HUE, _HUE)
    return float(np.percentile(np.sqrt((apart**2).sum(axis=1)), _PERCENTILE))


def _lab(pixels: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(pixels[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]


def _box_line(box: Sequence[float], size: tuple[int, int]) -> np.ndarray:
    """A frame around the pixels that the box touches, within the image where the box ends at its edge."""
    (height, width), thick = size, line_width(size)
    x0, y0, x1, y1 = int(np.floor(box[0])), int(np.floor(box[1])), int(np.ceil(box[2])), int(np.ceil(box[3]))
    left, upper = max(x0 - thick, 0), max(y0 - thick, 0)
    right, lower = min(x1 + thick, width), min(y1 + thick, height)
    line = np.zeros(size, bool)
    line[upper:lower, left:right] = True
    line[upper + thick : lower - thick, left + thick : right - thick] = False
    return line


def _discs(points: Sequence[Sequence[float]], size: tuple[int, int]) -> np.ndarray:
    """A disc on each point, twice as thick as a line, and at least 3 px across."""
    rows, columns = np.ogrid[: size[0], : size[1]]
    radius = max(1.5, 2.0 * line_width(size))
    discs = np.zeros(size, bool)
    for x, y in points:
        discs |= (columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2 <= radius**2
    return discs


def _outline(inside: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """The pixels around a mask (uint8 H×W); along the image's edge, and where all is mask, its outermost ones."""
    thick = line_width(size)
    kernel = np.ones((2 * thick + 1, 2 * thick + 1), np.uint8)
    framed = cv2.copyMakeBorder(inside, thick, thick, thick, thick, cv2.BORDER_CONSTANT, value=0)
    inner = (framed - cv2.erode(framed, kernel))[thick:-thick, thick:-thick].astype(bool)
    border = np.ones(size, bool)
    border[thick:-thick, thick:-thick] = False
    outer = (cv2.dilate(inside, kernel) - inside).astype(bool)
    return outer | (inner & border)
