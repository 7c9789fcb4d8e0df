"""Pairs of pictures side by side, with who they are and how near: for a person's eye, drawn on copies.

A pair whose sides stand in different splits has a vermilion edge. `pair_sheet` puts pairs below each other on one picture;
`page` is one HTML page that holds its pictures itself and loads nothing.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from .contact_sheet import FAINT, FONT_PX, FRAME, GAP, INK, PAPER, VERMILION

LINE_PX = FONT_PX + 4
EDGE_PX = 4
NOTICE = (
    "These pictures are copies of their owners' images. They lie beside the release, not in it, so that publishing the release "
    "doesn't publish them. Pass this page on only where each source's licence lets you republish its pixels."
)


@dataclass(frozen=True)
class Picture:
    """One side of a pair."""

    name: str
    """Key of a sample, or path inside a folder."""
    where: str
    """Source and split, or whatever else says where it stands."""
    image: Image.Image | None
    """None where it can't be read any more, or may not be shown."""


@dataclass(frozen=True)
class Pair:
    """Two pictures, and how much alike they are."""

    a: Picture
    b: Picture
    kind: str
    distance: float
    """Bits by which the hashes differ."""
    score: float | None
    """Agreement of the thumbnails, at most 1; None where only hashes were compared."""
    crosses: bool = False
    """Whether the two stand in different splits."""

    @property
    def words(self) -> str:
        """Kind, distance and score in one line."""
        score = "" if self.score is None else f" · score {self.score:.3f}"
        return f"{self.kind} · {self.distance:g} bits{score}{' · crosses splits' if self.crosses else ''}"


def pair_sheet(pairs: Iterable[Pair], *, columns: int = 1, tile_px: int = 256) -> Image.Image:
    """All pairs on one RGB picture, row by row."""
    drawn = [draw(pair, tile_px=tile_px) for pair in pairs]
    columns = max(1, min(columns, len(drawn)))
    width, height = _size(tile_px)
    sheet = Image.new("RGB", (columns * (width + GAP) + GAP, max(1, -(-len(drawn) // columns)) * (height + GAP) + GAP), PAPER)
    for place, one in enumerate(drawn):
        sheet.paste(one, (GAP + place % columns * (width + GAP), GAP + place // columns * (height + GAP)))
    return sheet


def draw(pair: Pair, *, tile_px: int = 256) -> Image.Image:
    """Both pictures fitted into squares of `tile_px`, aspect kept, with their captions beneath: an RGB picture."""
    size = _size(tile_px)
    drawn = Image.new("RGB", size, PAPER)
    brush, font = ImageDraw.Draw(drawn), ImageFont.load_default(FONT_PX)
    for number, side in enumerate((pair.a, pair.b)):
        x = EDGE_PX + number * (tile_px + GAP)
        brush.rectangle((x, EDGE_PX, x + tile_px - 1, EDGE_PX + tile_px - 1), fill=FRAME)
        _place(drawn, side.image, at=(x, EDGE_PX), tile_px=tile_px)
        for line, (text, ink) in enumerate(((side.name, INK), (side.where, FAINT))):
            brush.text((x, EDGE_PX + tile_px + 3 + line * LINE_PX), _cut(text, tile_px, font), fill=ink, font=font)
    colour = VERMILION if pair.crosses else INK
    at = (EDGE_PX, EDGE_PX + tile_px + 3 + 2 * LINE_PX)
    brush.text(at, _cut(pair.words, size[0] - 2 * EDGE_PX, font), fill=colour, font=font)
    if pair.crosses:
        brush.rectangle((0, 0, size[0] - 1, size[1] - 1), outline=VERMILION, width=EDGE_PX - 1)
    return drawn


def page(pairs: Iterable[Pair], *, title: str, facts: Sequence[tuple[str, str]], tile_px: int = 256) -> Iterator[str]:
    """The page, piece by piece; `facts` are name and value of what stands above the pairs."""
    rows = "".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in facts)
    yield _HEAD.format(title=html.escape(title), notice=html.escape(NOTICE), rows=rows)
    for pair in pairs:
        caption = f"{pair.a.name} ({pair.a.where}) – {pair.b.name} ({pair.b.where})"
        words = html.escape(f"{caption}: {pair.words}")
        source = _data_uri(draw(pair, tile_px=tile_px))
        yield f'<figure><img alt="{words}" src="{source}"><figcaption>{words}</figcaption></figure>\n'
    yield "</main></body></html>\n"


_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<style>
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 2rem; color: #1e1e1e; background: #fff }}
table {{ border-collapse: collapse; margin: 1rem 0 }} th, td {{ text-align: left; padding: .15rem 1rem .15rem 0 }}
.notice {{ border-left: 4px solid #d55e00; padding: .4rem 1rem; max-width: 60rem }}
figure {{ display: inline-block; margin: .5rem; vertical-align: top }}
figcaption {{ max-width: 34rem; font-size: 12px; color: #6e6e6e; overflow-wrap: anywhere }}
</style></head><body><h1>{title}</h1><p class="notice">{notice}</p><table>{rows}</table><main>
"""


def _size(tile_px: int) -> tuple[int, int]:
    return 2 * tile_px + GAP + 2 * EDGE_PX, tile_px + 3 * LINE_PX + 3 + 2 * EDGE_PX


def _place(drawn: Image.Image, image: Image.Image | None, *, at: tuple[int, int], tile_px: int) -> None:
    if image is None:
        ImageDraw.Draw(drawn).text((at[0] + 8, at[1] + 8), "no picture", fill=FAINT, font=ImageFont.load_default(FONT_PX))
        return
    scale = tile_px / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    shown = image.convert("RGB").resize(size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC)
    drawn.paste(shown, (at[0] + (tile_px - size[0]) // 2, at[1] + (tile_px - size[1]) // 2))


def _cut(text: str, width: float, font) -> str:
    """The text, its end kept where it is too long: names differ at their ends."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength("..." + text) > width:
        text = text[1:]
    return "..." + text


def _data_uri(image: Image.Image) -> str:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
