"""The contact sheet: what is drawn lies where the record says, on copies, in colours that can be told apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image

from medloom.cards.contact_sheet import COLOURS, GAP, ORANGE, contact_sheet, picture
from medloom.schema.region import rle_from_mask


def annotation(label: str, granularity: str, **place: Any) -> dict[str, Any]:
    return {"label": label, "granularity": granularity, "box_xyxy_px": None, "rle": None, "points": []} | place


def row(*annotations: dict[str, Any], size: tuple[int, int] = (100, 200), grey: int = 90, **record: Any) -> dict[str, Any]:
    labels = [{"label": one["label"], "state": "present"} for one in annotations]
    known = {"source": "toy", "split": "train", "labels": labels, "annotations": list(annotations)}
    return {"image": Image.new("L", size, grey), "json": known | record}


def coloured(image: Image.Image, colour: tuple[int, int, int]) -> np.ndarray:
    return np.all(np.asarray(image) == colour, axis=2)


def test_aspect_is_kept_and_the_original_stays_clean():
    one = row(annotation("a", "box", box_xyxy_px=[10.0, 20.0, 60.0, 90.0]), size=(100, 200))
    before = one["image"].tobytes()
    drawn = picture(one, side_px=400)
    assert drawn.size == (200, 400)
    assert one["image"].tobytes() == before


def test_a_box_is_drawn_on_its_edges():
    drawn = picture(row(annotation("a", "box", box_xyxy_px=[10.0, 20.0, 60.0, 90.0])), side_px=400)
    ys, xs = np.nonzero(coloured(drawn, ORANGE))
    assert (xs.min(), ys.min(), xs.max(), ys.max()) == (20, 40, 119, 179)
    assert not coloured(drawn, ORANGE)[100, 70], "the middle of a box stays clean"


def test_a_mask_is_tinted_inside_and_lined_at_its_border():
    mask = np.zeros((200, 100), np.uint8)
    mask[50:150, 20:80] = 1
    drawn = np.asarray(picture(row(annotation("a", "mask", rle=rle_from_mask(mask))), side_px=200))
    assert tuple(drawn[100, 20]) == ORANGE
    assert tuple(drawn[10, 10]) == (90, 90, 90)
    inside = drawn[100, 50].astype(int)
    assert inside[0] > 110
    assert inside[2] < 80


def test_a_mask_at_the_border_of_its_image_is_lined_there_too():
    drawn = picture(row(annotation("a", "mask", rle=rle_from_mask(np.ones((200, 100), np.uint8)))), side_px=200)
    assert coloured(drawn, ORANGE)[100, 0]


def test_a_contour_is_fainter_than_a_mask():
    mask = np.zeros((200, 100), np.uint8)
    mask[50:150, 20:80] = 1
    tints = [
        int(np.asarray(picture(row(annotation("a", kind, rle=rle_from_mask(mask))), side_px=200))[100, 50, 0])
        for kind in ("contour", "mask")
    ]
    assert 90 < tints[0] < tints[1]


def test_points_are_drawn_where_they_are():
    drawn = picture(row(annotation("a", "point", points=[[30.0, 40.0]])), side_px=400)
    ys, xs = np.nonzero(coloured(drawn, ORANGE))
    assert abs(xs.mean() - 60) <= 1
    assert abs(ys.mean() - 80) <= 1


def test_labels_beside_each_other_differ_and_keep_their_colour_on_the_sheet():
    boxes = [annotation(f"label {n}", "box", box_xyxy_px=[5.0 + n, 5.0, 90.0, 150.0 - 9 * n]) for n in range(7)]
    sheet = contact_sheet([row(*boxes), row(boxes[0])], columns=2, tile_px=300)
    left, right = sheet.crop((0, 0, GAP + 300, 300)), sheet.crop((GAP * 2 + 300, 0, GAP * 2 + 600, 300))
    assert all(coloured(left, colour).any() for colour in COLOURS)
    assert coloured(right, ORANGE).any()
    assert not any(coloured(right, colour).any() for colour in COLOURS[1:])


def test_clean_sheets_show_no_overlay():
    rows = [row(annotation("a", "box", box_xyxy_px=[10.0, 20.0, 60.0, 90.0]))]
    sheet = contact_sheet(rows, overlays=False, tile_px=200)
    assert not coloured(sheet.crop((0, 0, 220, 210)), ORANGE).any()


@pytest.mark.parametrize("count", [0, 1, 5, 7])
def test_any_number_of_samples_has_a_sheet(count: int):
    rows = [row(split="test", labels=[{"label": "x" * 80, "state": "uncertain"}]) for _ in range(count)]
    sheet = contact_sheet(rows, columns=3, tile_px=64)
    assert sheet.width == max(1, min(3, count)) * (64 + GAP) + GAP
    assert sheet.mode == "RGB"


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "RGBA"])
def test_every_kind_of_picture_is_shown(mode: str):
    one = row()
    one["image"] = Image.new("RGB", (30, 20), (200, 10, 10)).convert(mode)
    drawn = picture(one, side_px=60)
    assert drawn.size == (60, 40)
    assert drawn.mode == "RGB"
