"""The samples that changed most, old and new side by side with their regions drawn on copies: a page and its pictures."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from ...schema.disk import write_text
from ...schema.picture_rights import PictureRights
from ...schema.release import Release
from ...schema.row import read_rows
from ..contact_sheet import GAP, PAPER, colours_of, picture
from .diff import Row, Seen, placed

SIDE_PX = 512
MOST_WORDS = 12
PAGE = "index.html"


def overlays(old: Release, new: Release, seen: Sequence[Seen], folder: Path, *, all_pictures: bool = False) -> dict[str, Any]:
    """Write `index.html` and a PNG per sample into a folder; how many, and how many of which source may not be shown."""
    folder.mkdir(parents=True, exist_ok=True)
    rights = None if all_pictures else (PictureRights.of(old), PictureRights.of(new))
    withheld, figures, absent = Counter[str](), [], 0
    for one in seen:
        source = one.changes[0].source
        if rights is not None and not all(map(_may_show, rights, (one.both.old, one.both.new))):
            withheld[source] += 1
            continue
        drawn = _side_by_side(_row(old, one.both.old), _row(new, one.both.new))
        if drawn is None:
            absent += 1
            continue
        drawn.save(folder / f"{one.key}.png")
        figures.append(_figure(one, source))
    write_text(folder / PAGE, [_HEAD.format(old=_name(old), new=_name(new)), *figures, "</main></body></html>\n"])
    return {
        "page": str(folder / PAGE),
        "shown": len(figures),
        "without_picture": absent,
        "withheld": dict(sorted(withheld.items())),
    }


def _may_show(rights: PictureRights, row: Row | None) -> bool:
    return row is None or rights.may_show(row["source"], row["licence"] or "")


def _row(release: Release, row: Row | None) -> dict[str, Any] | None:
    """The sample with its image, None where it has no record there."""
    if row is None or row["shard"] is None:
        return None
    return read_rows(release.bytes, placed(release, [row]))[0]


def _side_by_side(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> Image.Image | None:
    """Both on one picture; a side whose pixels aren't there is drawn on the other's where they are the same."""
    sides = [side for side in (old, new) if side is not None]
    with_image = [side for side in sides if side["image"] is not None]
    if not with_image:
        return None
    pixels = {side["json"]["provenance"]["pixel_sha256"]: side["image"] for side in with_image}
    colours = colours_of(sides)
    drawn = {}
    for number, side in enumerate((old, new)):
        image = None if side is None else side["image"] or pixels.get(side["json"]["provenance"]["pixel_sha256"])
        if side is not None and image is not None:
            drawn[number] = picture({**side, "image": image}, side_px=SIDE_PX, colours=colours)
    height = max(one.height for one in drawn.values())
    sheet = Image.new("RGB", (2 * SIDE_PX + 3 * GAP, height + 2 * GAP), PAPER)
    for number, one in drawn.items():
        corner = GAP + number * (SIDE_PX + GAP)
        sheet.paste(one, (corner + (SIDE_PX - one.width) // 2, GAP + (height - one.height) // 2))
    return sheet


def _figure(one: Seen, source: str) -> str:
    words = [_words(change) for change in one.changes]
    more = [f"and {len(words) - MOST_WORDS} more"] if len(words) > MOST_WORDS else []
    items = "".join(f"<li>{html.escape(word)}</li>" for word in (*words[:MOST_WORDS], *more))
    key, of = html.escape(one.key), html.escape(source)
    image = f'<img alt="old (left) and new (right) of {key}" src="{key}.png" loading="lazy">'
    return f"<figure>{image}<figcaption><b>{key}</b> ({of})<ul>{items}</ul></figcaption></figure>\n"


def _words(change: Any) -> str:
    shared = "" if change.iou is None else f", IoU {change.iou:.3f}"
    return f"{change.kind}: {change.what or 'sample'}: {change.old or 'nothing'} → {change.new or 'nothing'}{shared}"


def _name(release: Release) -> str:
    return html.escape(str(release.source or release.root.name))


_HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Changes</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline'">
<style>
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 2rem; color: #1e1e1e; background: #fff }}
figure {{ margin: 1rem 0; max-width: 68rem }} img {{ max-width: 100%; border: 1px solid #999 }}
figcaption {{ font-size: 13px; overflow-wrap: anywhere }} ul {{ margin: .3rem 0; padding-left: 1.2rem }}
</style></head><body><h1>Changes</h1><p>Left: {old}. Right: {new}. The samples that changed most come first.</p><main>
"""
