"""Replies of every kind of question to measures: right, wrong, silent, and about what isn't there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from region_questions import SIZE, annotation, choice, named_question, question, record, square

from medloom.generation.regions.told import told
from medloom.generation.wording import wordings
from medloom.schema.errors import UsageError
from medloom.train.coordinates import dialect
from medloom.train.coordinates.place import Frame, Place
from medloom.train.prediction import Prediction
from medloom.train.scoring.measures import LESS_IS_BETTER, MEASURES, POOLED
from medloom.train.scoring.score import score

FRAME = Frame.of(SIZE)
SPLEEN = {"label": "spleen", "label_id": "mesh:D013154"}
LIVER_MASK, SPLEEN_MASK = square(6, 4, 30, 20), square(36, 24, 54, 36)
TWO = record(annotation("a0", mask=LIVER_MASK), annotation("a1", mask=SPLEEN_MASK, **SPLEEN))
BOTH = named_question("grounding", "The liver and the spleen.", {"liver": ("a0",), "spleen": ("a1",)})
ABSENT = question("grounding", flags=("absent",), answer="There is no liver.")


def scored(asked, text: str | None, *, of=TWO, way: str = "qwen3_vl", masks: str = "polygon"):
    reply = Prediction(asked.id, "", text, error=None if text is not None else "timeout")
    return score(asked, of, reply, dialect=dialect(way), frame=FRAME, masks=masks)


def said(*places: Place, way: str = "qwen3_vl") -> str:
    return dialect(way).write(places, FRAME)


def outline(label: str, x0: float, y0: float, x1: float, y1: float) -> Place:
    return Place("polygon", label, points_xy_px=((x0, y0), (x1, y0), (x1, y1), (x0, y1)))


def box(label: str | None, *ends: float) -> Place:
    return Place("box", label, (ends[0], ends[1], ends[2], ends[3]))


def test_a_letter():
    asked = choice("single_choice", "B")
    right = scored(asked, "The answer is B.", of=record())
    assert (right.measures, right.said, right.status, right.chance) == ({"accuracy": 1.0}, "B", "answered", {"accuracy": 0.25})
    assert scored(asked, "C", of=record()).measures == {"accuracy": 0.0}


def test_several_letters():
    found = scored(choice("multiple_choice", "ABD"), "A, C, D", of=record())
    assert found.measures == pytest.approx({"acc_mcq": 2 / 3, "recall_mcq": 2 / 3, "f1_mcq": 2 / 3, "exact_mcq": 0.0})
    assert found.said == "A,C,D"
    assert set(scored(choice("multiple_choice", "ABD"), "A,B,D", of=record()).measures.values()) == {1.0}


def test_masks_with_their_names():
    found = scored(BOTH, said(outline("liver", 6, 4, 30, 20), outline("spleen", 36, 24, 54, 36)))
    assert (found.measures["mask_iou"], found.measures["entity_f1"], found.measures["form_kept"]) == (1.0, 1.0, 1.0)
    assert found.tallies["mask_joint_px"] == LIVER_MASK.sum() + SPLEEN_MASK.sum()
    swapped = scored(BOTH, said(outline("spleen", 6, 4, 30, 20), outline("liver", 36, 24, 54, 36)))
    assert (swapped.measures["mask_iou"], swapped.measures["entity_f1"]) == (1.0, 0.0)


def test_parts_of_one_thing_are_one_entity():
    found = scored(BOTH, said(outline("liver", 6, 4, 18, 20), outline("liver", 18, 4, 30, 20), outline("lung", 36, 24, 54, 36)))
    assert (found.tallies["entity_hits"], found.tallies["entity_given"], found.tallies["entity_true"]) == (1, 2, 2)
    assert found.measures["entity_f1"] == 0.5


def test_boxes_for_masks_are_named_apart():
    text = said(box("liver", 6, 4, 30, 20), box("spleen", 36, 24, 54, 30))
    found = scored(BOTH, text, masks="box")
    assert found.measures["filled_iou"] == pytest.approx((384 + 108) / (384 + 216))
    assert found.measures["box_iou"] == pytest.approx((1 + 0.5) / 2)
    assert (found.measures["entity_box_f1"], found.measures["form_kept"]) == (0.5, 1.0)
    assert not any(name.startswith("mask_") for name in (*found.measures, *found.tallies))
    asked_for_polygons = scored(BOTH, text)
    assert asked_for_polygons.measures["mask_iou"] == found.measures["filled_iou"]
    assert asked_for_polygons.measures["form_kept"] == 0.0
    assert not any(name.startswith(("filled_", "box_")) for name in asked_for_polygons.measures)


def test_boxes_and_their_number():
    cells = record(*[annotation(f"a{n}", box_xyxy_px=(10.0 * n, 0.0, 10.0 * n + 8, 8.0)) for n in range(3)])
    asked = question("detection", granularity="box", targets=("a0", "a1", "a2"), answer="3")
    found = scored(asked, "There are 3 cells:\n" + said(box("cell", 0, 0, 8, 8), box("cell", 10, 0, 18, 8)), of=cells)
    assert found.measures["box_recall_50"] == pytest.approx(2 / 3)
    assert found.measures["box_precision_50"] == 1.0
    assert (found.measures["count_error"], found.measures["count_right"], found.measures["stated_count_right"]) == (1, 0, 1)
    assert found.measures["pointing"] == pytest.approx(0.8)
    assert found.measures["denial"] == 0.0


def test_points():
    cells = record(*[annotation(f"a{n}", granularity="point", points=[[10.0 * n + 5, 5.0]]) for n in range(2)])
    asked = question("detection", granularity="point", targets=("a0", "a1"), answer="2")
    text = dialect("thousandths").write([Place("point", None, points_xy_px=((5.0, 5.0),))], FRAME)
    found = scored(asked, text, of=cells, way="thousandths")
    assert found.measures["point_f1"] == pytest.approx(2 / 3)
    assert found.measures["count_error"] == 1.0


@pytest.mark.parametrize(
    ("text", "status", "abstention", "invention", "iou"),
    [
        ("There is no liver on this image.", "abstained", 1.0, 0.0, 1.0),
        ("There is none in this image.", "abstained", 1.0, 0.0, 1.0),
        ("[]", "abstained", 1.0, 0.0, 1.0),
        ("```json\n[]\n```", "abstained", 1.0, 0.0, 1.0),
        (said(outline("liver", 6, 4, 30, 20)), "answered", 0.0, 1.0, 0.0),
        ("I can't help with medical images.", "refused", 0.0, 0.0, 0.0),
        ("Lovely weather.", "unparsed", 0.0, 0.0, 0.0),
        ("", "empty", 0.0, 0.0, 0.0),
        (None, "failed", 0.0, 0.0, 0.0),
    ],
)
def test_what_is_not_there(text: str | None, status: str, abstention: float, invention: float, iou: float):
    found = scored(ABSENT, text)
    assert found.status == status
    assert (found.measures["abstention"], found.measures["invention"], found.measures["mask_iou"]) == (
        abstention,
        invention,
        iou,
    )
    assert "denial" not in found.measures


@pytest.mark.parametrize("wording", wordings("grounding", "absent-answers"), ids=lambda wording: wording.id)
def test_our_own_words_for_what_is_not_there_are_understood(wording):
    found = scored(ABSENT, told(wording, name="posterior hippocampus")[0])
    assert (found.status, found.measures["abstention"]) == ("abstained", 1.0)


def test_denying_what_is_there():
    found = scored(BOTH, "There is no liver here.")
    assert (found.status, found.measures["denial"], found.measures["mask_iou"]) == ("abstained", 1.0, 0.0)
    assert "abstention" not in found.measures


ALL_KINDS = [
    choice("single_choice", "B"),
    choice("multiple_choice", "AB"),
    replace(BOTH, kind=question("detection").kind, granularity="box"),
    BOTH,
    named_question("referring", "It is the liver.", {"liver": ("a0",)}, granularity="box"),
    named_question("reasoning", "The liver makes bile.", {"liver": ("a0",)}),
    named_question("prompted", "This is the liver; it makes bile.", {"liver": ("a0",)}, granularity="box"),
    question("localization", answer="The center of the liver is in the upper left; it covers 16% of the image."),
    question("description", answer="This is an axial computed tomography image of the abdomen. The liver is visible."),
    question("prompted", answer="Yes"),
]


@pytest.mark.parametrize("masks", ["polygon", "box"])
@pytest.mark.parametrize("text", [None, "", "I'm sorry, I can't assist with that.", "<think>Let me see"])
@pytest.mark.parametrize("asked", ALL_KINDS, ids=lambda asked: f"{asked.kind}-{asked.answer[:3]}")
def test_silence_is_worth_nothing(asked, text: str | None, masks: str):
    found = scored(asked, text, masks=masks)
    assert found.status in ("failed", "empty", "refused")
    better = {name: value for name, value in found.measures.items() if value is not None and name not in LESS_IS_BETTER}
    assert better
    assert set(better.values()) == {0.0}
    assert not any(value for name, value in found.tallies.items() if name.endswith(("hits", "shared_px")))


@pytest.mark.parametrize("asked", ALL_KINDS, ids=lambda asked: f"{asked.kind}-{asked.answer[:3]}")
def test_every_measure_is_told_of(asked):
    for masks in ("polygon", "box"):
        found = scored(asked, "Something", masks=masks)
        assert found.measures.keys() <= MEASURES.keys()
        below = {name for pair in POOLED.values() for name in pair}
        assert found.tallies.keys() <= below
        assert all(value is None or 0 <= value <= 1 or name == "count_error" for name, value in found.measures.items())


def test_the_right_words():
    description = ALL_KINDS[8]
    found = scored(description, description.answer)
    assert (found.measures["alignment"], found.measures["token_recall"]) == (1.0, 1.0)
    assert scored(ALL_KINDS[9], "Yes, it is.").measures["closed_accuracy"] == 1.0


def test_knowledge_of_what_is_pointed_at():
    asked = ALL_KINDS[6]
    words, place = "This is the liver; it makes bile.", said(outline("liver", 6, 4, 30, 20))
    found = scored(asked, f"{words}\n{place}")
    assert (found.measures["exact"], found.measures["name_right"], found.measures["mask_iou"]) == (1.0, 1.0, 1.0)
    only_words = scored(asked, words)
    assert (only_words.status, only_words.measures["exact"], only_words.measures["mask_iou"]) == ("answered", 1.0, 0.0)
    assert scored(asked, "This is the spleen.").measures["name_right"] == 0.0


def test_other_observers_are_the_bound():
    twice = record(
        annotation("a0", mask=LIVER_MASK, observer="1st"), annotation("a1", mask=square(6, 4, 30, 12), observer="2nd")
    )
    asked = named_question("grounding", "The liver.", {"liver": ("a0",)})
    found = scored(asked, said(outline("liver", 6, 4, 30, 20)), of=twice)
    assert (found.measures["mask_iou"], found.human["mask_iou"]) == (1.0, 0.5)
    assert found.human.keys() <= found.measures.keys()


def test_what_cannot_be_scored():
    with pytest.raises(UsageError, match="withheld"):
        scored(replace(BOTH, answer=None), "liver")
    with pytest.raises(UsageError, match="no annotation a1"):
        scored(BOTH, "liver", of=record(annotation("a0", mask=LIVER_MASK)))
    with pytest.raises(UsageError, match="masks 'contour'"):
        scored(BOTH, "liver", masks="contour")


@pytest.mark.parametrize(
    "way", ["thousandths", "qwen3_vl", "qwen2_vl", "internvl", "paligemma", "gemma3", "minigpt_v2", "shikra"]
)
def test_what_every_dialect_writes_is_read_and_scored_right(way: str):
    spoken = named_question("referring", "It is the liver.", {"liver": ("a0",)}, granularity="box")
    place = said(box("liver", 6, 4, 30, 20), way=way)
    text = f"It is {place}" if dialect(way).marks_words else f"It is the liver {place}"
    found = scored(spoken, text, way=way, masks="box")
    assert found.measures["box_iou"] > 0.9
    assert (found.measures["entity_box_f1"], found.measures["name_right"]) == (1.0, 1.0)
    assert np.isclose(found.measures["filled_iou"] or 0, 1.0, atol=0.1)
