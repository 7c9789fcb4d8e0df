"""A contact sheet: many samples on one picture, with their boxes, masks, contours and points drawn on copies.

Colours are those of Okabe and Ito (2008), which people with any colour vision can tell apart; every bright line has a
dark edge and every dark one a bright edge, so that it is seen on all tissue. A label has one colour on the sheet.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from ..schema.region import mask_from_rle

Colour = tuple[int, int, int]
ORANGE, SKY, GREEN, YELLOW = (230, 159, 0), (86, 180, 233), (0, 158, 115), (240, 228, 66)
PURPLE, VERMILION, BLUE = (204, 121, 167), (213, 94, 0), (0, 114, 178)
COLOURS: tuple[Colour, ...] = (ORANGE, SKY, GREEN, YELLOW, PURPLE, VERMILION, BLUE)
DARK, BRIGHT, PAPER, FRAME, INK, FAINT = (
    (16, 16, 16),
    (245, 245, 245),
    (255, 255, 255),
    (228, 228, 228),
    (30, 30, 30),
    (110, 110, 110),
)
FILL = 0.35
"""Opacity of masks; contours get a third of it."""
MANY = 25
"""From here on lines are one pixel thin."""
GAP, LINES, FONT_PX = 12, 3, 13


def contact_sheet(
    rows: Iterable[Mapping[str, Any]], *, columns: int = 6, tile_px: int = 256, overlays: bool = True
) -> Image.Image:
    """The sheet as an RGB picture.

    Args:
        rows: As `load_dataset` or `medloom.load` give them: `image` a Pillow picture, `json` the record.
        columns: Samples side by side.
        tile_px: The square into which each image is fitted, its aspect kept.
        overlays: False shows the clean images.
    """
    rows = list(rows)
    colours = colours_of(rows)
    columns = max(1, min(columns, len(rows)))
    font = ImageFont.load_default(FONT_PX)
    cell_h = tile_px + (LINES + 1) * (FONT_PX + 4) + GAP
    lines = -(-len(rows) // columns)
    size = (columns * (tile_px + GAP) + GAP, max(1, lines) * cell_h + GAP)
    sheet = Image.new("RGB", size, PAPER)
    for place, row in enumerate(rows):
        x, y = GAP + place % columns * (tile_px + GAP), GAP + place // columns * cell_h
        drawn = picture(row, side_px=tile_px, colours=colours, overlays=overlays)
        ImageDraw.Draw(sheet).rectangle((x, y, x + tile_px - 1, y + tile_px - 1), fill=FRAME)
        sheet.paste(drawn, (x + (tile_px - drawn.width) // 2, y + (tile_px - drawn.height) // 2))
        _caption(ImageDraw.Draw(sheet), row["json"], (x, y + tile_px + 3), width=tile_px, font=font, colours=colours)
    return sheet


def picture(
    row: Mapping[str, Any], *, side_px: int, colours: Mapping[str, Colour] | None = None, overlays: bool = True
) -> Image.Image:
    """A copy of the sample's image, its long side `side_px`, with its annotations drawn on it."""
    image = row["image"].convert("RGB")
    scale = side_px / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    shown = image.resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC)
    if not overlays:
        return shown
    colours = colours_of([row]) if colours is None else colours
    annotations = row["json"]["annotations"]
    width = 1 if len(annotations) > MANY else 2
    for one in annotations:
        if one["rle"] is not None:
            _draw_mask(shown, one, image.size, colour=colours[one["label"]], width=width)
    draw = ImageDraw.Draw(shown)
    for one in annotations:
        if one["granularity"] == "box":
            _draw_box(draw, [edge * scale for edge in one["box_xyxy_px"]], colours[one["label"]], width=width)
        for x, y in one["points"]:
            _draw_point(draw, (x * scale, y * scale), colours[one["label"]], radius=width + 2)
    return shown


def colours_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, Colour]:
    """Label → colour: the most frequent labels choose first, and avoid the colours of those beside them on an image."""
    counts: Counter[str] = Counter()
    beside: dict[str, Counter[str]] = {}
    for row in rows:
        here = [one["label"] for one in row["json"]["annotations"]]
        counts.update(here)
        for label in set(here):
            beside.setdefault(label, Counter()).update(set(here) - {label})
    chosen: dict[str, Colour] = {}
    for label in sorted(counts, key=lambda label: (-counts[label], label)):
        taken: Counter[Colour] = Counter()
        for other, times in beside[label].items():
            if other in chosen:
                taken[chosen[other]] += times
        used = Counter(chosen.values())
        chosen[label] = min(COLOURS, key=lambda colour: (taken[colour], used[colour], COLOURS.index(colour)))
    return chosen


def _edge(colour: Colour) -> Colour:
    """Bright for a dark colour, dark for a bright one, by luma (ITU-R BT.709)."""
    luma = 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]
    return BRIGHT if luma < 110 else DARK


def _draw_mask(shown: Image.Image, one: Mapping[str, Any], size: tuple[int, int], *, colour: Colour, width: int) -> None:
    inside = mask_from_rle(one["rle"], (size[1], size[0])).astype(np.uint8) * 255
    grey = np.asarray(Image.fromarray(inside).resize(shown.size, Image.Resampling.BILINEAR))
    mask = Image.fromarray(np.where(grey > 127, np.uint8(255), np.uint8(0)))
    opacity = FILL if one["granularity"] == "mask" else FILL / 3
    shown.paste(colour, (0, 0), Image.fromarray((np.asarray(mask) * opacity).astype(np.uint8)))
    for reach, line in ((width + 1, _edge(colour)), (width, colour)):
        shown.paste(line, (0, 0), _outline(mask, reach))


def _outline(mask: Image.Image, reach: int) -> Image.Image:
    """The pixels of the mask that lie within `reach` of its border; of the image's border too."""
    padded = Image.new("L", (mask.width + 2, mask.height + 2))
    padded.paste(mask, (1, 1))
    core = padded
    for _ in range(reach):
        core = core.filter(ImageFilter.MinFilter(3))
    core = core.crop((1, 1, mask.width + 1, mask.height + 1))
    return Image.fromarray(np.asarray(mask) & ~np.asarray(core))


def _draw_box(draw: ImageDraw.ImageDraw, box: Sequence[float], colour: Colour, *, width: int) -> None:
    x0, y0, x1, y1 = round(box[0]), round(box[1]), round(box[2]) - 1, round(box[3]) - 1
    corners = (x0, y0, max(x0, x1), max(y0, y1))
    outer = (corners[0] - 1, corners[1] - 1, corners[2] + 1, corners[3] + 1)
    draw.rectangle(outer, outline=_edge(colour), width=width + 2)
    draw.rectangle(corners, outline=colour, width=width)


def _draw_point(draw: ImageDraw.ImageDraw, centre: tuple[float, float], colour: Colour, *, radius: int) -> None:
    x, y = centre
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=colour, outline=_edge(colour))


def _caption(
    draw: ImageDraw.ImageDraw,
    record: Mapping[str, Any],
    at: tuple[int, int],
    *,
    width: int,
    font: Any,
    colours: Mapping[str, Colour],
) -> None:
    x, y = at
    draw.text((x, y), _cut(f"{record['source']} · {record['split']}", width, font), fill=FAINT, font=font)
    left, line = x, y + FONT_PX + 4
    last = line + (LINES - 1) * (FONT_PX + 4)
    for label in _words(record):
        swatch = colours.get(label)
        needed = (FONT_PX if swatch else 0) + font.getlength(label) + 8
        if left > x and left + needed > x + width:
            left, line = x, line + FONT_PX + 4
        if line > last:
            draw.text((x + width - font.getlength("..."), last), "...", fill=INK, font=font)
            return
        if swatch:
            draw.rectangle((left, line + 3, left + 8, line + 11), fill=swatch, outline=DARK)
            left += FONT_PX
        draw.text((left, line), _cut(label, x + width - left, font), fill=INK, font=font)
        left += font.getlength(label) + 8


def _words(record: Mapping[str, Any]) -> list[str]:
    """Present labels, then uncertain ones with a question mark."""
    present = dict.fromkeys(label["label"] for label in record["labels"] if label["state"] == "present")
    uncertain = dict.fromkeys(f"{label['label']}?" for label in record["labels"] if label["state"] == "uncertain")
    return [*present, *uncertain] or ["nothing labelled"]


def _cut(text: str, width: float, font: Any) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."
