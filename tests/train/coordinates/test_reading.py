"""What models say, read tolerantly and without invention."""

# ruff: noqa: E501  (replies stand on one line, as they come)

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medloom.train.coordinates import DIALECTS, dialect
from medloom.train.coordinates.place import Frame

FRAME = Frame((1000, 2000), (1008, 1988))

Found = list[tuple[str | None, tuple[float, ...]]]
REPLIES: list[tuple[str, str, Found]] = [
    ("thousandths", "The lesion is at [100,200 , 300,  400].", [(None, (200, 200, 600, 400))]),
    ("thousandths", "[100.0, 200.5, 300, 400]", [(None, (200, 200.5, 600, 400))]),
    ("thousandths", "boxes (100, 200, 300, 400) and [[0, 0, 10, 10]]", [(None, (200, 200, 600, 400)), (None, (0, 0, 20, 10))]),
    ("thousandths", "ring [[0,0],[10, 0],[10,10]]", [(None, (0, 0, 20, 0, 20, 10))]),
    ("thousandths", "It lies at [500, 500].", [(None, (1000, 500))]),
    ("llava", "[0.25, 0.5, 0.5, 0.75]", [(None, (500, 500, 1000, 1000))]),
    ("llava", "at [.25, .5, .5, .625]", [(None, (500, 500, 1000, 750))]),
    ("shikra", "cells[0.250,0.500,0.500,0.625; 0.0, 0.5, 0.1, 0.75] here", [(None, (500, 500, 1000, 750)), (None, (0, 500, 200, 1000))]),
    ("minigpt_v2", "<p>a cell</p> { <10> <20> <30> <40> }", [("a cell", (200, 200, 600, 400))]),
    (
        "minigpt_v2",
        "<p>cells</p>{<10><20><30><40>} <delim> {<0><0><1><1>} and <p>x</p> {<5><5><6><6>}",
        [("cells", (200, 200, 600, 400)), ("cells", (0, 0, 20, 10)), ("x", (100, 50, 120, 60))],
    ),
    ("next_chat", "a cell <at> <10><20><30><40>", [(None, (200, 200, 600, 400))]),
    (
        "qwen2_vl",
        "<|object_ref_start|>the liver<|object_ref_end|><|box_start|>(100, 200), (300,400)<|box_end|>",
        [("the liver", (200, 200, 600, 400))],
    ),
    ("qwen2_vl", "the liver(100,200),(300,400)(0,0),(10,10)", [(None, (200, 200, 600, 400)), (None, (0, 0, 20, 10))]),
    ("internvl", "<ref>lung</ref><box>[[100,200,300,400],[0, 0, 10, 10]]</box>", [("lung", (200, 200, 600, 400)), ("lung", (0, 0, 20, 10))]),
    ("internvl", "lung[[100, 200, 300, 400]]", [(None, (200, 200, 600, 400))]),
    (
        "qwen3_vl",
        'Sure! Here it is:\n```json\n[\n  {"bbox_2d": [100, 200, 300, 400], "label": "a {b} c"},\n  {"label": "d", "bbox_2d": [0, 0, 10, 10]}\n]\n```\nBye.',
        [("a {b} c", (200, 200, 600, 400)), ("d", (0, 0, 20, 10))],
    ),
    ("qwen3_vl", '{"bbox_2d": [100, 200.0, 300, 400]}', [(None, (200, 200, 600, 400))]),
    ("qwen3_vl", "[{'bbox_2d': [100, 200, 300, 400], 'label': 'liver'}]", [("liver", (200, 200, 600, 400))]),
    ("qwen3_vl", '[{"bbox_2d": [100, 200, 300, 400], "label": "liver"}, {"bbox_2d": [1, 2', [("liver", (200, 200, 600, 400))]),
    ("qwen3_vl", '{"objects": [{"bbox_2d": [100, 200, 300, 400]}]}', [(None, (200, 200, 600, 400))]),
    ("qwen3_vl", "The box is [100, 200, 300, 400].", [(None, (200, 200, 600, 400))]),
    ("qwen3_vl", '{"point_2d": [500, 500], "label": "cell"}', [("cell", (1000, 500))]),
    ("qwen3_vl", '{"polygon_2d": [[0, 0], [10, 0], [10, 10]]}', [(None, (0, 0, 20, 0, 20, 10))]),
    ("qwen2_5_vl", '```json\n{"bbox_2d": [497, 252, 994, 504], "label": "x"}\n```', [("x", (500, 250, 1000, 500))]),
    ("gemma3", '[{"box_2d": [200, 100, 400, 300], "label": "liver"}]', [("liver", (200, 200, 600, 400))]),
    ("paligemma", "<loc0000><loc0000><loc1023><loc1023> whole picture", [("whole picture", (0, 0, 2000, 1000))]),
    (
        "paligemma",
        "<loc0000> <loc0000><loc1023><loc1023> a;<loc0000><loc0000><loc1023><loc1023>\nand more",
        [("a", (0, 0, 2000, 1000)), (None, (0, 0, 2000, 1000))],
    ),
    ("molmo", 'Here: <point x="50.0" y="25" alt="cell">cell</point>.', [("cell", (1000, 250))]),
    ("molmo", '<points x1="50.0" y1="25.0" x2="5" y2="10.0" alt="cells">cells</points>', [("cells", (1000, 250)), ("cells", (100, 100))]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "reply", "expected"), REPLIES)
def test_a_reply_as_models_write_it_is_read(name: str, reply: str, expected: Found):
    reads = dialect(name).read(reply, FRAME)
    assert [one.place.label for one in reads] == [label for label, _ in expected]
    for one, (_, numbers) in zip(reads, expected, strict=True):
        flat = one.place.box_xyxy_px or tuple(value for point in one.place.points_xy_px for value in point)
        assert flat == pytest.approx(numbers, abs=1e-6)
        assert 0 <= one.start <= one.end <= len(reply)


NOTHING = {
    "thousandths": ["", "No box.", "[1, 2, 3]", "[1, 2, 3, 4, 5]", "[300, 200, 100, 400]", "[100, 200, 300, 1001]",
                    "[-5, 0, 10, 10]", "[100, 200, 100, 400]", "[a, b, c, d]", "[1 2 3 4]", "[100, 200, 300", "[[1, 1], [2, 2], [3, 3]]"],
    "llava": ["[100, 200, 300, 400]", "[0.5, 0.5, 0.4, 0.6]", "[0.5, 0.5, 0.6, 1.01]", "[0.0, 0.0, 1.0, 0.2]"],
    "shikra": ["[0.1,0.2,0.3]", "[3,4,5,6]"],
    "minigpt_v2": ["{<10><20><30>}", "<10><20><30><40>", "{<10><20><30><101>}", "{10, 20, 30, 40}"],
    "next_chat": ["<10><20><30><40>", "<at>", "<at><10>"],
    "qwen2_vl": ["(1,2,3,4)", "(300,400),(100,200)", "<|box_start|><|box_end|>", "(1100,2)"],
    "internvl": ["<box></box>", "<ref>lung</ref>", "<box>[[1, 2, 3]]</box>", "<box>[[5, 5, 1, 9]]</box>"],
    "qwen2_5_vl": ['{"bbox_2d": [0, 0, 1989, 10]}', '{"bbox_2d": "left"}', '{"bbox_2d": [true, 1, 2, 3]}'],
    "qwen3_vl": ['{"bbox": [1, 2, 3, 4]}', '{"bbox_2d": [1, 2, 3]}', '{"bbox_2d": null}', '{"bbox_2d": [1, 2', "{" * 2000, "[1, 2]",
                 '{"bbox_2d": [[1, 2], [3, 4]]}'],
    "gemma3": ['{"bbox_2d": [1, 2, 3, 4]}', '{"box_2d": [400, 1, 200, 3]}'],
    "paligemma": ["<loc0001>", "<loc0001><loc0002><loc0003>", "<loc0001><loc0002><loc9999><loc9999>", "<loc1><loc2><loc3><loc4>"],
    "molmo": ['<point x="101" y="5">c</point>', '<point y="5">c</point>', "<point>c</point>", '<box x1="1" y1="2">c</box>'],
}  # fmt: skip


@pytest.mark.parametrize(("name", "reply"), [(name, reply) for name, replies in NOTHING.items() for reply in replies])
def test_what_is_no_place_is_left_out(name: str, reply: str):
    assert dialect(name).read(reply, FRAME) == []


@given(st.text("[](){}<>|\"':;,.0123456789 \nabloc_2dxyperfpointsbx=/`", max_size=120))
@settings(deadline=None, max_examples=300)
def test_no_text_breaks_a_reader_and_every_place_lies_on_the_picture(text: str):
    for way in DIALECTS.values():
        for read in way.read(text, FRAME):
            values = read.place.box_xyxy_px or tuple(value for point in read.place.points_xy_px for value in point)
            assert min(values) >= 0
            assert max(values[::2]) <= 2000
            assert max(values[1::2]) <= 1000
            assert any(sign.isdigit() for sign in text[read.start : read.end]) or read.start == read.end
        way.bare(text, FRAME)


@pytest.mark.parametrize("name", sorted(DIALECTS))
def test_a_long_reply_is_read_in_reasonable_steps(name: str):
    """Replies of thousands of open brackets, objects and tags are bounded work."""
    for part in ("[", "{", "<", '{"bbox_2d": [1, 2', "[1, 2, ", "(1,2),", "<loc0001>", "<at><1>", "[[1, 2], "):
        assert len(dialect(name).read(part * 3000, FRAME)) <= 3000


BARE = [
    ("thousandths", "The cell [1, 2, 3, 4], [5, 6, 7, 8] is pale.", "The cell is pale."),
    ("llava", "Cells: [0.10, 0.40, 0.30, 0.50] and [0.20, 0.40, 0.30, 0.50].", "Cells:."),
    ("internvl", "The <ref>cell</ref><box>[[1, 2, 3, 4], [5, 6, 7, 8]]</box> is pale.", "The cell is pale."),
    ("qwen2_vl", "The <|object_ref_start|>cell<|object_ref_end|><|box_start|>(1,2),(3,4)<|box_end|> is pale.", "The cell is pale."),
    ("minigpt_v2", "The <p>cell</p> {<1><2><3><4>}<delim>{<5><6><7><8>} is pale.", "The cell is pale."),
    ("shikra", "The cell [0.100,0.400,0.300,0.500;0.200,0.400,0.300,0.500] is pale.", "The cell is pale."),
    ("qwen3_vl", 'The cell is pale.\n```json\n[\n\t{"bbox_2d": [1, 2, 3, 4], "label": "cell"}\n]\n```', "The cell is pale."),
    ("paligemma", "The cell is pale.\n<loc0001><loc0002><loc0003><loc0004> cell ; <loc0001><loc0002><loc0003><loc0004> cell", "The cell is pale."),
    ("molmo", 'The <box x1="1" y1="2" x2="3" y2="4" alt="cell">cell</box> is pale.', "The cell is pale."),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "words"), BARE)
def test_the_words_of_a_reply_without_its_places(name: str, text: str, words: str):
    assert dialect(name).bare(text, FRAME) == words
