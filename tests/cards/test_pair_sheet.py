"""Pairs side by side: whole pictures on copies, captions that say who they are, and a page that loads nothing."""

from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from medloom.cards.contact_sheet import GAP, VERMILION
from medloom.cards.pair_sheet import EDGE_PX, NOTICE, Pair, Picture, draw, page, pair_sheet


def picture(grey: int = 90, size: tuple[int, int] = (60, 30), name: str = "a-1") -> Picture:
    return Picture(name, "toy · train", Image.new("L", size, grey))


def pair(*, crosses: bool = False, score: float | None = 0.987, name: str = "a-1") -> Pair:
    return Pair(picture(40, name=name), picture(200, (30, 60)), "near", 12, score, crosses)


def has(image: Image.Image, colour: tuple[int, int, int]) -> bool:
    return bool(np.all(np.asarray(image) == colour, axis=2).any())


def test_both_pictures_are_whole_beside_each_other_and_stay_clean():
    one = pair()
    before = one.a.image.tobytes() if one.a.image else b""
    drawn = np.asarray(draw(one, tile_px=120))
    left = drawn[EDGE_PX : EDGE_PX + 120, EDGE_PX : EDGE_PX + 120]
    right = drawn[EDGE_PX : EDGE_PX + 120, EDGE_PX + 120 + GAP : EDGE_PX + 240 + GAP]
    ys, xs = np.nonzero(np.all(left == 40, axis=2))
    assert (xs.min(), xs.max(), ys.min(), ys.max()) == (0, 119, 30, 89)
    ys, xs = np.nonzero(np.all(right == 200, axis=2))
    assert (xs.min(), xs.max(), ys.min(), ys.max()) == (30, 89, 0, 119)
    assert one.a.image is not None
    assert one.a.image.tobytes() == before


def test_only_a_pair_that_crosses_splits_has_the_edge():
    assert not has(draw(pair()), VERMILION)
    drawn = np.asarray(draw(pair(crosses=True)))
    assert (drawn[0] == VERMILION).all()
    assert (drawn[:, -1] == VERMILION).all()


def test_words_say_kind_distance_and_score():
    assert pair().words == "near · 12 bits · score 0.987"
    assert pair(score=None, crosses=True).words == "near · 12 bits · crosses splits"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_any_number_of_pairs_has_a_sheet(count: int):
    width, height = draw(pair(), tile_px=64).size
    sheet = pair_sheet([pair(name="x" * 300)] * count, columns=2, tile_px=64)
    columns, rows = max(1, min(2, count)), max(1, -(-count // 2))
    assert sheet.size == (columns * (width + GAP) + GAP, rows * (height + GAP) + GAP)


def test_a_picture_that_is_gone_leaves_its_place():
    assert draw(Pair(Picture("gone", "folder", None), picture(), "exact", 0, 1.0)).size == draw(pair()).size


@pytest.mark.parametrize("mode", ["1", "P", "RGBA", "I;16"])
def test_any_mode_is_drawn(mode: str):
    one = Picture("odd", "folder", Image.new(mode, (9, 5)))
    assert draw(Pair(one, one, "exact", 0, None)).mode == "RGB"


class Seen(HTMLParser):
    """Tags with their attributes."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_the_page_holds_its_pictures_and_loads_nothing():
    text = "".join(page([pair(), pair(crosses=True)], title="Pairs", facts=[("pairs", "2")], tile_px=64))
    sources = [str(attributes["src"]) for tag, attributes in Seen(text).tags if tag == "img"]
    assert len(sources) == 2
    for source in sources:
        with Image.open(io.BytesIO(base64.b64decode(source.removeprefix("data:image/jpeg;base64,")))) as image:
            assert image.size == draw(pair(), tile_px=64).size
    assert not re.search(r"https?://|<script|<link|url\(", text)
    assert NOTICE.replace("'", "&#x27;") in text


def test_names_are_text_on_the_page_whatever_they_hold():
    evil = '"><script>alert(1)</script>'
    text = "".join(page([pair(name=evil)], title=evil, facts=[(evil, evil)], tile_px=32))
    assert "script" not in {tag for tag, _ in Seen(text).tags}
    assert "<script" not in text
