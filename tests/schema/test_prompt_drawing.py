"""Prompts drawn on a copy: seen on any picture, hiding nothing of what they show, never touching the original."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from medloom.schema.errors import UsageError
from medloom.schema.mask import mask_from_rle, rle_from_mask
from medloom.schema.prompt_drawing import (
    LEAST_CONTRAST,
    PALETTE,
    VEIL,
    colour_for,
    contrasts,
    drawn,
    line_width,
    strokes,
    surroundings,
)
from medloom.schema.question import Prompt

SIZE = (120, 160)
MACHADO = {
    "none": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""Linear RGB as it is, and as seen without one kind of cone (Machado et al. 2009, severity 1)."""


def blob() -> np.ndarray:
    mask = np.zeros(SIZE, np.uint8)
    cv2.ellipse(mask, (80, 60), (40, 25), 20, 0, 360, 1, -1)
    return mask


def record(mask: np.ndarray | None = None) -> dict[str, Any]:
    rle = rle_from_mask(blob() if mask is None else mask)
    return {"key": "blob-0", "size_hw_px": list(SIZE), "annotations": [{"id": "a0", "rle": rle}, {"id": "a1", "rle": None}]}


PROMPTS = {
    "box": Prompt("box", "a0", box_xyxy_px=(38.25, 30.0, 122.5, 90.0)),
    "point": Prompt("point", "a0", points_xy_px=((80.5, 60.5), (70.5, 55.5))),
    "mask": Prompt("mask", "a0"),
    "contour": Prompt("contour", "a0"),
}


def whole(prompt: Prompt, mask: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray | None]:
    """Line and veil over all of the picture."""
    stroke = strokes(prompt, record(mask))
    x0, y0, x1, y1 = stroke.window_px
    line, veil = np.zeros(SIZE, bool), np.zeros(SIZE, bool)
    line[y0:y1, x0:x1] = stroke.line
    veil[y0:y1, x0:x1] = False if stroke.veil is None else stroke.veil
    return line, None if stroke.veil is None else veil


def pictures() -> dict[str, np.ndarray]:
    random = np.random.default_rng(3)
    flat = {"white": (255,) * 3, "black": (0,) * 3, "grey": (128,) * 3, "dark grey": (64,) * 3, "light grey": (190,) * 3}
    flat |= {"tissue": (220, 150, 190), "fundus": (190, 80, 30), "red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255)}
    flat |= dict(zip(("yellow", "cyan", "our red", "our blue"), PALETTE, strict=True))
    found = {name: np.full((*SIZE, 3), colour, np.uint8) for name, colour in flat.items()}
    found["grey noise"] = np.repeat(random.integers(0, 256, (*SIZE, 1), np.uint8), 3, axis=2)
    found["colour noise"] = random.integers(0, 256, (*SIZE, 3), np.uint8)
    ramp = np.linspace(0, 255, SIZE[1]).astype(np.uint8)
    found["ramp"] = np.repeat(np.tile(ramp, (SIZE[0], 1))[..., None], 3, axis=2)
    found["noisy tissue"] = np.clip(random.normal((200, 130, 180), 40, (*SIZE, 3)), 0, 255).astype(np.uint8)
    return found


@pytest.mark.parametrize("kind", PROMPTS)
@pytest.mark.parametrize("name", pictures())
def test_lines_stand_out_from_what_is_around_them(name: str, kind: str) -> None:
    image = pictures()[name]
    line, _ = whole(PROMPTS[kind])
    colour = colour_for(image, line, line_px=1)
    assert contrasts([colour], surroundings(image, line, 1))[0] >= LEAST_CONTRAST
    out = np.asarray(drawn(Image.fromarray(image), [PROMPTS[kind]], record()))
    assert (out[line] == colour).all()


@settings(max_examples=60, deadline=None)
@given(st.tuples(*[st.integers(0, 255)] * 3), st.floats(0, 60), st.integers(0, 99))
def test_lines_stand_out_on_any_colour_with_any_noise(colour: tuple[int, int, int], spread: float, seed: int) -> None:
    noisy = np.random.default_rng(seed).normal(colour, spread, (*SIZE, 3))
    image = np.clip(noisy, 0, 255).astype(np.uint8)
    line, _ = whole(PROMPTS["box"])
    assert contrasts([colour_for(image, line, line_px=1)], surroundings(image, line, 1))[0] >= LEAST_CONTRAST


def test_the_colours_can_be_told_apart_whatever_cones_are_missing() -> None:
    for matrix in MACHADO.values():
        seen = [_lab(colour, np.array(matrix)) for colour in PALETTE]
        assert min(float(np.linalg.norm(one - other)) for one, other in combinations(seen, 2)) >= 45


def _lab(colour: tuple[int, int, int], matrix: np.ndarray) -> np.ndarray:
    share = np.array(colour) / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    seen = np.clip(matrix @ linear, 0, 1)
    back = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    return cv2.cvtColor(back.astype(np.float32).reshape(1, 1, 3), cv2.COLOR_RGB2LAB).reshape(3)


@pytest.mark.parametrize("mode", ["L", "RGB", "P", "RGBA", "1"])
def test_the_original_is_never_touched_and_the_copy_is_the_same_each_time(mode: str) -> None:
    picture = Image.fromarray(pictures()["colour noise"]).convert(mode)
    before = picture.tobytes(), picture.mode
    out = [drawn(picture, list(PROMPTS.values()), record()) for _ in range(2)]
    assert (picture.tobytes(), picture.mode) == before
    assert out[0].mode == "RGB"
    assert out[0].tobytes() == out[1].tobytes() != picture.convert("RGB").tobytes()


@pytest.mark.parametrize("kind", ["box", "contour", "mask"])
def test_lines_lie_outside_what_they_show(kind: str) -> None:
    line, veil = whole(PROMPTS[kind])
    inside = blob().astype(bool)
    if kind == "box":
        inside[:], inside[30:90, 39:122] = False, True
    assert not (line & inside).any()
    assert (veil is None) == (kind != "mask")
    near = cv2.dilate(line.astype(np.uint8), np.ones((5, 5), np.uint8)).astype(bool)
    edge = inside & ~cv2.erode(inside.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    assert near[edge].all()


def test_a_mask_keeps_what_lies_under_its_veil() -> None:
    image = pictures()["ramp"]
    out = np.asarray(drawn(Image.fromarray(image), [PROMPTS["mask"]], record())).astype(int)
    line, veil = whole(PROMPTS["mask"])
    assert veil is not None
    assert (out[veil] != image[veil]).any(axis=1).all()
    assert np.corrcoef(out[veil].sum(axis=1), image[veil].sum(axis=1))[0, 1] > 0.99
    assert (out[~(line | veil)] == image[~(line | veil)]).all()


@pytest.mark.parametrize("box", [(0.0, 0.0, 160.0, 120.0), (0.0, 0.0, 1.0, 1.0), (159.0, 119.0, 160.0, 120.0)])
def test_boxes_at_the_edge_are_drawn(box: tuple[float, float, float, float]) -> None:
    line, _ = whole(Prompt("box", "a0", box_xyxy_px=box))
    assert line.any()


@pytest.mark.parametrize("rows", [slice(0, 120), slice(0, 40), slice(119, 120)])
def test_masks_at_the_edge_are_outlined(rows: slice) -> None:
    mask = np.zeros(SIZE, np.uint8)
    mask[rows] = 1
    line, _ = whole(PROMPTS["contour"], mask)
    assert line.any()
    assert (line & mask.astype(bool)).sum() < 120 * 160 / 4


def test_points_are_discs_around_each_point() -> None:
    line, _ = whole(PROMPTS["point"])
    count, _ = cv2.connectedComponents(line.astype(np.uint8))
    assert count - 1 == 2
    assert line[60, 80]
    assert line[55, 70]


def test_lines_grow_with_the_picture() -> None:
    assert [line_width((side, 2 * side)) for side in (30, 200, 512, 2000)] == [1, 1, 3, 10]


def test_what_cannot_be_drawn_is_told() -> None:
    picture = Image.new("RGB", (160, 120))
    with pytest.raises(UsageError, match=r"picture of \(120, 161\)"):
        drawn(Image.new("L", (161, 120)), [PROMPTS["box"]], record())
    for prompt in (Prompt("mask", "a1"), Prompt("mask", "a7"), Prompt("box", "a0"), Prompt("point", "a0")):
        with pytest.raises(UsageError, match=prompt.annotation):
            drawn(picture, [prompt], record())
    empty = record(np.zeros(SIZE, np.uint8))
    assert not mask_from_rle(empty["annotations"][0]["rle"], SIZE).any()
    with pytest.raises(UsageError, match="empty"):
        drawn(picture, [PROMPTS["contour"]], empty)


def drawn_whole(image: np.ndarray, prompt: Prompt, mask: np.ndarray) -> np.ndarray:
    """What `drawn` says it does, done plainly over all of the picture."""
    size = (image.shape[0], image.shape[1])
    line, inside = _line_of(prompt, mask, size), mask.astype(bool)
    wide = 2 * 3 * line_width(size) + 1
    near = image[cv2.dilate(line.astype(np.uint8), np.ones((wide, wide), np.uint8)).astype(bool)]
    near = near[:: 1 + len(near) // 2**14]
    lab = cv2.cvtColor(near[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    far = []
    for colour in PALETTE:
        own = cv2.cvtColor(np.array([[colour]], np.uint8).astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
        far.append(np.percentile(np.sqrt((((lab - own) * (1, 0.5, 0.5)) ** 2).sum(axis=1)), 10))
    out, best = image.copy(), np.array(PALETTE[int(np.argmax(far))])
    if prompt.kind == "mask":
        out[inside] = np.rint((1 - VEIL) * out[inside] + VEIL * best)
    out[line] = best
    return out


def _line_of(prompt: Prompt, mask: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    thick, (rows, columns) = line_width(size), np.indices(size)
    if prompt.points_xy_px:
        radius = max(1.5, 2 * thick)
        return np.any([(columns + 0.5 - x) ** 2 + (rows + 0.5 - y) ** 2 <= radius**2 for x, y in prompt.points_xy_px], axis=0)
    around = np.ones((2 * thick + 1, 2 * thick + 1), np.uint8)
    inside = mask.copy()
    if prompt.box_xyxy_px is not None:
        (x0, y0), (x1, y1) = np.floor(prompt.box_xyxy_px[:2]), np.ceil(prompt.box_xyxy_px[2:])
        inside = ((columns >= x0) & (columns < x1) & (rows >= y0) & (rows < y1)).astype(np.uint8)
    padded = np.pad(inside, thick)
    inner = (padded - cv2.erode(padded, around))[thick:-thick, thick:-thick].astype(bool)
    edge = (rows < thick) | (columns < thick) | (rows >= size[0] - thick) | (columns >= size[1] - thick)
    return (cv2.dilate(inside, around) - inside).astype(bool) | (inner & edge)


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(PROMPTS)), st.sampled_from([(7, 5), (120, 160), (450, 420)]), st.integers(0, 10**6), st.booleans()
)
def test_drawing_in_a_window_is_drawing_on_the_whole_picture(kind: str, size: tuple[int, int], seed: int, rough: bool) -> None:
    random, (height, width) = np.random.default_rng(seed), size
    image = cv2.resize(random.integers(0, 256, (5, 5, 3), np.uint8), (width, height))
    if rough:
        image = np.clip(image + random.normal(0, 30, image.shape), 0, 255).astype(np.uint8)
    x0, y0 = (int(random.integers(0, side)) for side in (width, height))
    x1, y1 = int(random.integers(x0, width)) + 1, int(random.integers(y0, height)) + 1
    mask = np.zeros(size, np.uint8)
    mask[y0:y1, x0:x1] = random.random((y1 - y0, x1 - x0)) < random.choice([0.3, 1.0])
    mask[y0, x0] = 1
    prompt = {
        "box": Prompt("box", "a0", box_xyxy_px=(x0 + 0.25, float(y0), float(x1), y1 - 0.5)),
        "point": Prompt("point", "a0", points_xy_px=((x0 + 0.5, y0 + 0.5), (x1 - 0.75, y1 - 0.5))),
    }.get(kind, Prompt(kind, "a0"))
    entry = {"key": "k", "size_hw_px": list(size), "annotations": [{"id": "a0", "rle": rle_from_mask(mask)}]}
    found = np.asarray(drawn(Image.fromarray(image), [prompt], entry))
    np.testing.assert_array_equal(found, drawn_whole(image, prompt, mask))
