"""How well people agree, drawn by hand and on a set that two people outlined."""

from __future__ import annotations

import pytest
from region_questions import annotation, named_question, question, record, square

from medloom.train.scoring.observers import agreements, human_bound
from medloom.train.scoring.truth import truth

ONE, OTHER = square(0, 0, 10, 10), square(5, 0, 15, 10)


def drawn_twice(**fields):
    return record(
        annotation("a0", mask=ONE, observer="1st"),
        annotation("a1", mask=OTHER, observer="2nd", **fields),
        annotation("a2", mask=ONE),
    )


def test_two_observers_share_a_third():
    (found,) = agreements(drawn_twice())
    assert (found.one, found.other) == ("1st", "2nd")
    assert (found.iou, found.dice) == pytest.approx((1 / 3, 0.5))


def test_the_other_observer_is_scored_as_a_reply():
    true = truth(question("grounding", targets=("a0",)), drawn_twice())
    bound = human_bound(true, drawn_twice())
    assert bound == pytest.approx(
        {"mask_iou": 1 / 3, "mask_dice": 0.5, "mask_accuracy_25": 1.0, "mask_accuracy_50": 0.0, "mask_accuracy_75": 0.0}
    )
    assert human_bound(true, drawn_twice(), masks="box")["box_iou"] == pytest.approx(1 / 3)


def test_several_others_count_alike():
    both = record(*drawn_twice()["annotations"], annotation("a3", mask=ONE, observer="3rd"))
    true = truth(question("grounding", targets=("a0",)), both)
    assert human_bound(true, both)["mask_iou"] == pytest.approx((1 / 3 + 1) / 2)


def test_another_label_side_or_an_incomplete_observer_is_no_bound():
    for fields in ({"label_id": "mesh:D013154"}, {"laterality": "left"}):
        true = truth(question("grounding", targets=("a0",)), drawn_twice(**fields))
        assert human_bound(true, drawn_twice(**fields)) == {}
    spleen = annotation("a4", mask=OTHER, observer="1st", label="spleen", label_id="mesh:D013154")
    both = record(*drawn_twice()["annotations"], spleen)
    assert human_bound(truth(question("grounding", targets=("a0", "a4")), both), both) == {}


def test_a_region_that_is_pointed_at_is_held_against_the_nearest():
    far = annotation("a3", mask=square(40, 20, 60, 40), observer="2nd")
    both = record(*drawn_twice()["annotations"], far)
    true = truth(named_question("referring", "liver", {"liver": ("a0",)}), both)
    assert human_bound(true, both, single=True)["mask_iou"] == pytest.approx(1 / 3)
    assert human_bound(true, both)["mask_iou"] == pytest.approx(50 / 550)


def test_nothing_without_observers():
    alone = record(annotation("a0", mask=ONE))
    assert agreements(alone) == []
    assert human_bound(truth(question("grounding", targets=("a0",)), alone), alone) == {}
