"""Marks and layers to regions of the stored picture; what has no meaning is an issue and leaves a trace."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medloom.builders.picture import Layer
from medloom.builders.place import Placed, place_layer, place_marks
from medloom.builders.standardize import Shape, nearest
from medloom.builders.unit import Mark
from medloom.schema.errors import Issue, Severity
from medloom.schema.region import fill_polygons, mask_from_rle, rle_from_mask
from medloom.schema.sample import Origin

PLAIN = Shape((20, 30), None)
TALL = Shape((60, 30), (1.0, 1.0), 3.0, 1.0)


def placed(*marks: Mark, shape: Shape = PLAIN, **more) -> tuple[list[Placed], list[Issue], set[str]]:
    issues: list[Issue] = []
    lost: set[str] = set()
    return list(place_marks(marks, shape, report=issues.append, lost=lost, **more)), issues, lost


def test_a_box():
    mark = Mark(label="x", box_xyxy_px=(1.5, 2.0, 9.0, 11.0), observer="o", origin=Origin.MODEL, tool="net")
    (one,), issues, lost = placed(mark)
    assert (one.granularity, one.box_xyxy_px, one.area_px) == ("box", (1.5, 2.0, 9.0, 11.0), 67.5)
    assert (one.label, one.observer, one.origin, one.tool, one.rle, one.points) == ("x", "o", Origin.MODEL, "net", None, ())
    assert (issues, lost) == ([], set())


def test_a_box_on_a_resampled_picture():
    (one,), _, _ = placed(Mark(label="x", box_xyxy_px=(1.5, 2.0, 9.0, 11.0)), shape=TALL)
    assert (one.box_xyxy_px, one.area_px) == ((1.5, 6.0, 9.0, 33.0), 7.5 * 27)


def test_a_box_a_pixel_out_is_clipped():
    (one,), issues, _ = placed(Mark(label="x", box_xyxy_px=(-1.0, 0.0, 31.0, 20.5)))
    assert (one.box_xyxy_px, issues) == ((0.0, 0.0, 30.0, 20.0), [])


def test_points():
    (one,), _, _ = placed(Mark(label="x", points_px=((1.0, 2.0), (29.5, 19.5))), shape=TALL)
    assert (one.granularity, one.points, one.box_xyxy_px, one.area_px) == ("point", ((1.0, 6.0), (29.5, 58.5)), None, None)


RINGS = (((2.0, 2.0), (22.0, 2.0), (22.0, 15.0), (2.0, 15.0)), ((5.0, 5.0), (9.0, 5.0), (9.0, 9.0), (5.0, 9.0)))


@pytest.mark.parametrize("shape", [PLAIN, TALL])
def test_a_polygon_with_a_hole(shape: Shape):
    (one,), _, _ = placed(Mark(label="x", polygons_px=RINGS), shape=shape)
    rings = [np.array(ring) * (shape.sx, shape.sy) for ring in RINGS]
    assert one.rle == rle_from_mask(fill_polygons(rings, shape.size_hw_px))
    assert one.area_px == (20 * 13 - 16) * shape.sy
    assert (one.granularity, one.box_xyxy_px) == ("contour", (2.0, 2.0 * shape.sy, 22.0, 15.0 * shape.sy))


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.sampled_from([PLAIN, TALL, Shape((20, 45), (1.0, 1.0), 1.0, 1.5)]))
def test_a_mask_and_its_rle_are_the_same(seed: int, shape: Shape):
    mask = (np.random.default_rng(seed).random((20, 30)) > 0.8).astype(np.uint8) * 255
    mask[3, 4] = 1
    (one, other), _, _ = placed(Mark(label="x", mask=mask), Mark(label="x", rle=rle_from_mask(mask)), shape=shape)
    assert one == other
    assert one.granularity == "mask"
    assert np.array_equal(mask_from_rle(one.rle, shape.size_hw_px), nearest((mask > 0).astype(np.uint8), shape))
    assert one.area_px == np.count_nonzero(nearest(mask, shape))


@pytest.mark.parametrize(
    ("mark", "code"),
    [
        ({"box_xyxy_px": (5.0, 5.0, 5.0, 9.0)}, "box-without-area"),
        ({"box_xyxy_px": (9.0, 5.0, 5.0, 9.0)}, "box-without-area"),
        ({"box_xyxy_px": (28.0, 5.0, 33.0, 9.0)}, "box-outside"),
        ({"box_xyxy_px": (100.0, 5.0, 110.0, 9.0)}, "box-outside"),
        ({"box_xyxy_px": (float("nan"), 5.0, 9.0, 9.0)}, "box-not-finite"),
        ({"points_px": ((1.0, 1.0), (30.0, 1.0))}, "point-outside"),
        ({"polygons_px": (((0.0, 0.0), (1.0, 1.0)),)}, "bad-polygon"),
        ({"polygons_px": (((0.1, 0.1), (0.2, 0.1), (0.2, 0.2)),)}, "mask-empty"),
        ({"polygons_px": (((100.0, 100.0), (120.0, 100.0), (120.0, 120.0)),)}, "mask-empty"),
        ({"rle": "~"}, "bad-rle"),
        ({"rle": rle_from_mask(np.ones((20, 31), np.uint8))}, "bad-rle"),
        ({"mask": np.ones((30, 20), np.uint8)}, "mask-size"),
        ({"mask": np.zeros((20, 30), np.uint8)}, "mask-empty"),
    ],
)
def test_a_mark_without_meaning(mark: dict, code: str):
    good = Mark(label="good", box_xyxy_px=(1.0, 1.0, 2.0, 2.0))
    found, issues, lost = placed(Mark(label="x", where="a.xml line 3", **mark), good)
    assert [one.label for one in found] == ["good"]
    assert [issue.code for issue in issues] == [code]
    assert issues[0].where.startswith("a.xml line 3")
    assert issues[0].severity is Severity.WARNING
    assert lost == {"x"}


# tiles


def test_marks_on_a_tile_are_shifted():
    shape = Shape((20, 30), None)
    marks = [
        Mark(label="box", box_xyxy_px=(105.0, 203.0, 109.0, 207.0)),
        Mark(label="point", points_px=((105.0, 203.0),)),
        Mark(label="polygon", polygons_px=(((105.0, 203.0), (109.0, 203.0), (109.0, 207.0), (105.0, 207.0)),)),
    ]
    found, issues, lost = placed(*marks, shape=shape, offset_xy_px=(100, 200))
    assert found[0].box_xyxy_px == found[2].box_xyxy_px == (5.0, 3.0, 9.0, 7.0)
    assert found[1].points == ((5.0, 3.0),)
    assert (issues, lost) == ([], set())


def test_marks_of_other_tiles_are_passed_over_in_silence():
    marks = [
        Mark(label="box", box_xyxy_px=(5.0, 3.0, 9.0, 7.0)),
        Mark(label="point", points_px=((5.0, 3.0),)),
        Mark(label="polygon", polygons_px=(((5.0, 3.0), (9.0, 3.0), (9.0, 7.0)),)),
    ]
    assert placed(*marks, offset_xy_px=(100, 200)) == ([], [], set())


@pytest.mark.parametrize(
    ("x0", "kept"), [(96.0, False), (97.0, True), (99.0, True), (126.0, True), (127.0, False), (125.0, True)]
)
def test_a_box_on_the_edge_belongs_to_the_tile_of_its_centre(x0: float, kept: bool):
    """Tile columns 100 to 130, a box 6 px wide."""
    found, issues, _ = placed(Mark(label="x", box_xyxy_px=(x0, 203.0, x0 + 6, 209.0)), offset_xy_px=(100, 200))
    assert [one.box_xyxy_px for one in found] == ([(max(x0 - 100, 0), 3.0, min(x0 - 94, 30), 9.0)] if kept else [])
    assert issues == []


def test_a_wide_box_across_four_tiles_is_in_one_of_them():
    box = Mark(label="x", box_xyxy_px=(70.0, 38.5, 131.0, 41.0))
    found = {
        (x, y): [one.box_xyxy_px for one in placed(box, shape=Shape((40, 50), None), offset_xy_px=(x, y))[0]]
        for x in (0, 50, 100, 150)
        for y in (0, 40)
    }
    assert {place: boxes for place, boxes in found.items() if boxes} == {(100, 0): [(0.0, 38.5, 31.0, 40.0)]}


def test_a_broken_box_is_told_on_a_tile_too():
    _, issues, lost = placed(Mark(label="x", box_xyxy_px=(105.0, 203.0, 105.0, 207.0)), offset_xy_px=(100, 200))
    assert ([issue.code for issue in issues], lost) == (["box-without-area"], {"x"})


# layers


def test_each_value_of_a_layer_is_a_mask():
    labels = np.zeros((20, 30), np.int16)
    labels[2:5, 3:9], labels[10:12, 10:20], labels[15, 25] = 7, 300, -2
    layer = Layer(array=labels, names={7: "a", 300: "b", -2: "c"}, observer="o", origin={7: Origin.MODEL}, tool={7: "net"})
    found = {one.label: one for one in place_layer(layer, labels)}
    assert {name: one.area_px for name, one in found.items()} == {"a": 18.0, "b": 20.0, "c": 1.0}
    assert found["a"].box_xyxy_px == (3.0, 2.0, 9.0, 5.0)
    assert np.array_equal(mask_from_rle(found["b"].rle, (20, 30)), labels == 300)
    assert [(found[name].origin, found[name].tool, found[name].observer) for name in "ab"] == [
        (Origin.MODEL, "net", "o"),
        (Origin.HUMAN, None, "o"),
    ]


def test_an_empty_layer_gives_nothing():
    labels = np.zeros((20, 30), np.uint8)
    assert list(place_layer(Layer(array=labels, names={1: "a"}), labels)) == []
