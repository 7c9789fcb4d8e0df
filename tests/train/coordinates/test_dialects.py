"""Every dialect: what is written, read and written again is the same text, and says the same place."""

from __future__ import annotations

import math
import pickle

import pytest
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st

from medloom.schema.errors import RegionError, UsageError
from medloom.train.conversation import Style
from medloom.train.coordinates import DIALECTS, dialect, of_family
from medloom.train.coordinates.grid import Axis
from medloom.train.coordinates.place import Dialect, Frame, Place

NAMES = sorted(DIALECTS)
sides = st.integers(1, 5000)
frames = st.builds(lambda h, w, sh, sw: Frame((h, w), (sh * 28, sw * 28)), sides, sides, st.integers(1, 99), st.integers(1, 99))
words = st.text("abc XYZ-'(),.0123456789é\"&<>[]{};:", min_size=1, max_size=30).map(str.strip).filter(bool)
labels = st.none() | st.sampled_from(["red blood cell", "left lung, upper lobe", "nodule < 3 mm", 'so-called "ring"'])


@st.composite
def spans(draw: st.DrawFn, size: int) -> tuple[float, float]:
    """Two ends on 0 to size: anywhere, at the very edges, or a single px apart or less."""
    low, high = sorted((draw(st.floats(0, size)), draw(st.floats(0, size))))
    form = draw(st.sampled_from(["any", "whole", "pixel", "first", "last", "sliver"]))
    if form in ("whole", "first"):
        low = 0.0
    if form in ("whole", "last"):
        high = float(size)
    if form == "pixel":
        low = float(draw(st.integers(0, size - 1)))
        high = low + 1
    if form == "sliver":
        high = min(low + 1e-3, float(size))
    assume(low < high)
    return low, high


@st.composite
def boxes(draw: st.DrawFn, frame: Frame) -> Place:
    height, width = frame.size_hw_px
    (x0, x1), (y0, y1) = draw(spans(width)), draw(spans(height))
    return Place("box", draw(labels), (x0, y0, x1, y1))


@st.composite
def points(draw: st.DrawFn, frame: Frame) -> Place:
    height, width = frame.size_hw_px
    x, y = draw(st.floats(0, width, exclude_max=True)), draw(st.floats(0, height, exclude_max=True))
    return Place("point", draw(labels), points_xy_px=((x, y),))


@st.composite
def polygons(draw: st.DrawFn, frame: Frame) -> Place:
    height, width = frame.size_hw_px
    corner = st.tuples(st.floats(0, width), st.floats(0, height))
    ring = draw(st.lists(corner, min_size=3, max_size=9))
    (x, y), tiny = ring[0], draw(st.booleans())
    if tiny:
        ring = [(x, y), (min(x + 0.01, width), y), (x, min(y + 0.01, height))]
    return Place("polygon", draw(labels), points_xy_px=tuple(ring))


@st.composite
def answers(draw: st.DrawFn) -> tuple[Frame, list[Place]]:
    frame = draw(frames)
    return frame, draw(st.lists(st.one_of(boxes(frame), points(frame), polygons(frame)), min_size=1, max_size=5))


def read(way: Dialect, text: str, frame: Frame) -> list[Place]:
    return [one.place for one in way.read(text, frame)]


def axes(way: Dialect, frame: Frame) -> tuple[Axis, Axis]:
    grid = way.grid(frame)  # type: ignore[attr-defined]
    return grid.x, grid.y


@given(answers())
@settings(deadline=None)
def test_writing_reading_and_writing_again_gives_the_same_text(answer: tuple[Frame, list[Place]]):
    frame, places = answer
    for name in NAMES:
        way = dialect(name)
        text = way.write(places, frame)
        note(f"{name}: {text}")
        back = read(way, text, frame)
        assert [one.kind for one in back] == [one.kind for one in places]
        assert way.write(back, frame) == text
        assert [one.label for one in back] == [kept(name, one.label) for one in places]


def kept(name: str, label: str | None) -> str | None:
    """What a dialect keeps of the words: all, none, or what doesn't look like its own signs."""
    if label is None or not dialect(name).marks_words:
        return None
    return " ".join(label.replace("<", " ").split()) if name == "paligemma" else label


@given(st.data())
@settings(deadline=None)
def test_a_box_comes_back_within_half_a_step_unless_it_is_thinner_than_the_grid(data: st.DataObject):
    frame = data.draw(frames)
    place = data.draw(boxes(frame))
    assert place.box_xyxy_px is not None
    for name in NAMES:
        way = dialect(name)
        [back] = read(way, way.write([place], frame), frame)
        note(f"{name}: {back}")
        assert back.box_xyxy_px is not None
        for axis, low, high in zip(axes(way, frame), (0, 1), (2, 3), strict=True):
            wide = axis.step(place.box_xyxy_px[low]) < axis.step(place.box_xyxy_px[high])
            off = max(abs(back.box_xyxy_px[end] - place.box_xyxy_px[end]) for end in (low, high))
            assert off / axis.step_px <= (0.5 if wide else 1) + 1e-6
            assert 0 <= back.box_xyxy_px[low] < back.box_xyxy_px[high] <= axis.size_px


@given(st.data())
@settings(deadline=None)
def test_points_come_back_within_half_a_step_and_lie_on_pixels(data: st.DataObject):
    frame = data.draw(frames)
    place = data.draw(points(frame))
    for name in NAMES:
        way = dialect(name)
        [back] = read(way, way.write([place], frame), frame)
        note(f"{name}: {back}")
        for axis, before, after in zip(axes(way, frame), place.points_xy_px[0], back.points_xy_px[0], strict=True):
            assert abs(before - after) <= axis.step_px * (0.5 + 1e-6)
            assert 0 <= math.floor(after) < axis.size_px


@given(st.data())
@settings(deadline=None)
def test_a_polygon_keeps_its_bounds_and_its_corners_within_half_a_step(data: st.DataObject):
    frame = data.draw(frames)
    place = data.draw(polygons(frame))
    for name in NAMES:
        way = dialect(name)
        [back] = read(way, way.write([place], frame), frame)
        note(f"{name}: {back}")
        for number, axis in enumerate(axes(way, frame)):
            before, after = ([point[number] for point in one.points_xy_px] for one in (place, back))
            reach = axis.step_px * (0.5 if axis.step(min(before)) < axis.step(max(before)) else 1) + 1e-6
            assert abs(min(before) - min(after)) <= reach
            assert abs(max(before) - max(after)) <= reach
            assert all(min(abs(one - other) for other in before) <= reach for one in after)


@pytest.mark.parametrize("name", NAMES)
def test_the_whole_picture_can_be_said(name: str):
    frame, way = Frame((300, 200), (308, 196)), dialect(name)
    ring = ((0.0, 0.0), (200.0, 0.0), (200.0, 300.0), (0.0, 300.0))
    whole = [Place("box", None, (0.0, 0.0, 200.0, 300.0)), Place("polygon", None, points_xy_px=ring)]
    box, polygon = read(way, way.write(whole, frame), frame)
    half = max(axis.step_px / 2 for axis in axes(way, frame)) if way.square else 1e-9
    assert box.box_xyxy_px == pytest.approx((0, 0, 200, 300), abs=half)
    corners = [value for point in polygon.points_xy_px for value in point]
    assert corners == pytest.approx([value for point in ring for value in point], abs=half)


@pytest.mark.parametrize("name", NAMES)
def test_sides_are_never_swapped(name: str):
    """A thing at the left stays at the left, one above stays above."""
    frame, way = Frame((400, 600), (392, 588)), dialect(name)
    [left] = read(way, way.write([Place("box", None, (6.0, 300.0, 60.0, 360.0))], frame), frame)
    [upper] = read(way, way.write([Place("point", None, points_xy_px=((300.0, 8.0),))], frame), frame)
    assert left.box_xyxy_px is not None
    assert left.box_xyxy_px[2] < 100
    assert left.box_xyxy_px[1] > 250
    assert upper.points_xy_px[0][1] < 50
    assert 280 < upper.points_xy_px[0][0] < 320


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("place", "code"),
    [
        (Place("box", None, (10.0, 10.0, 10.0, 40.0)), "box-without-area"),
        (Place("box", None, (10.0, 10.0, 240.0, 40.0)), "box-outside"),
        (Place("box", None, None), "box-not-finite"),
        (Place("point", None, points_xy_px=((200.0, 10.0),)), "point-outside"),
        (Place("polygon", None, points_xy_px=((0.0, 0.0), (10.0, 10.0))), "bad-polygon"),
        (Place("polygon", None, points_xy_px=((0.0, 0.0), (10.0, 10.0), (250.0, 0.0))), "bad-polygon"),
        (Place("circle", None, points_xy_px=((0.0, 0.0),)), "bad-place"),
    ],
)
def test_what_lies_outside_or_has_no_extent_is_refused(name: str, place: Place, code: str):
    with pytest.raises(RegionError) as refused:
        dialect(name).write([place], Frame((100, 200), (112, 196)))
    assert refused.value.code == code


FRAME = Frame((100, 200), (112, 196))
CELL = Place("box", "red cell", (20.0, 10.0, 100.0, 60.0))
AS_PUBLISHED = {
    "thousandths": "[100, 100, 500, 600]",
    "llava": "[0.10, 0.30, 0.50, 0.55]",
    "shikra": "[0.100,0.300,0.500,0.550]",
    "minigpt_v2": "<p>red cell</p> {<10><10><50><60>}",
    "next_chat": "<at><10><10><50><60>",
    "qwen2_vl": "<|object_ref_start|>red cell<|object_ref_end|><|box_start|>(100,100),(500,600)<|box_end|>",
    "internvl": "<ref>red cell</ref><box>[[100, 100, 500, 600]]</box>",
    "qwen2_5_vl": '```json\n[\n\t{"bbox_2d": [20, 11, 98, 67], "label": "red cell"}\n]\n```',
    "qwen3_vl": '```json\n[\n\t{"bbox_2d": [100, 100, 500, 600], "label": "red cell"}\n]\n```',
    "gemma3": '```json\n[\n\t{"box_2d": [100, 100, 600, 500], "label": "red cell"}\n]\n```',
    "paligemma": "<loc0102><loc0102><loc0614><loc0512> red cell",
    "molmo": '<box x1="10.0" y1="10.0" x2="50.0" y2="60.0" alt="red cell">red cell</box>',
}


@pytest.mark.parametrize("name", NAMES)
def test_a_box_is_written_as_the_family_writes_it(name: str):
    assert dialect(name).write([CELL], FRAME) == AS_PUBLISHED[name]
    assert dialect(name).write([], FRAME) == ""


SEVERAL = {
    "shikra": "[0.100,0.300,0.500,0.550;0.000,0.250,0.100,0.350]",
    "minigpt_v2": "<p>red cell</p> {<10><10><50><60>}<delim>{<0><0><10><20>}",
    "internvl": "<ref>red cell</ref><box>[[100, 100, 500, 600], [0, 0, 100, 200]]</box>",
    "paligemma": "<loc0102><loc0102><loc0614><loc0512> red cell ; <loc0000><loc0000><loc0205><loc0102> red cell",
}


@pytest.mark.parametrize("name", sorted(SEVERAL))
def test_several_boxes_of_the_same_words_share_them(name: str):
    other = Place("box", "red cell", (0.0, 0.0, 20.0, 20.0))
    assert dialect(name).write([CELL, other], FRAME) == SEVERAL[name]


def test_molmos_points_of_the_same_words_are_one_element():
    way = dialect("molmo")
    two = [Place("point", "cell & wall", points_xy_px=((x, 50.0),)) for x in (20.0, 40.0)]
    text = '<points x1="10.0" y1="50.0" x2="20.0" y2="50.0" alt="cell &amp; wall">cell &amp; wall</points>'
    assert way.write(two, FRAME) == text
    assert way.bare(f"The {text} are pale.", FRAME) == "The cell & wall are pale."


@given(words)
@settings(deadline=None)
def test_any_words_can_label_a_place(label: str):
    """Signs that the dialect uses itself may be lost; the place never is."""
    for name in NAMES:
        way = dialect(name)
        text = way.write([Place("box", label, CELL.box_xyxy_px)], FRAME)
        found = read(way, text, FRAME)
        note(f"{name}: {text}")
        assert read(way, way.write([CELL], FRAME), FRAME)[0].box_xyxy_px in [one.box_xyxy_px for one in found]
        if not set(label) & set("<>[](){};"):
            assert way.write(found, FRAME) == text


@pytest.mark.parametrize("name", NAMES)
def test_a_question_shows_one_place_without_words_and_says_how_places_are_written(name: str):
    way = dialect(name)
    [back] = read(way, way.mention(CELL, FRAME), FRAME)
    assert back.kind == "box"
    assert back.label is None
    for kind in ("box", "point", "polygon"):
        assert way.hint(kind)
        assert way.read(way.hint(kind), FRAME) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_dialect_can_be_sent_to_a_worker(name: str):
    way = dialect(name)
    assert pickle.loads(pickle.dumps(way)).write([CELL], FRAME) == way.write([CELL], FRAME)


def test_families_have_dialects_and_unknown_names_are_refused():
    assert of_family("qwen2_5_vl") == "qwen2_5_vl"
    assert of_family("qwen3_vl_moe") == "qwen3_vl"
    assert of_family("llava") == "llava"
    assert of_family("idefics3") == of_family("smolvlm") == of_family("new") == Style().dialect == "thousandths"
    assert {of_family(family) for family in ("internvl", "gemma3", "paligemma", "qwen2_vl")} <= DIALECTS.keys()
    with pytest.raises(UsageError, match="dialect 'klingon'; expected one of thousandths"):
        dialect("klingon")
