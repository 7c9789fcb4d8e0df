"""Names to words of place: they hold for the region, the side is the image's, and the patient's where that is known."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medloom.generation.case import Asking, Case
from medloom.generation.chance import Chance
from medloom.generation.pools import Pools
from medloom.generation.regions.localization import localization, share_of
from medloom.generation.regions.place_words import PLACES, place
from medloom.generation.validators import validate
from medloom.generation.wording import gaps, wordings
from medloom.schema.errors import UsageError
from medloom.schema.labels.table import table
from medloom.schema.mask import rle_from_mask
from medloom.schema.question import Question

SIZE = (90, 120)
WHO = Asking("toy", "localization")
NAMES = [name for row in PLACES for name in row]
_PLACE = re.compile(rf"\b({'|'.join(sorted(NAMES, key=len, reverse=True))})\b of the image")
Box = tuple[int, int, int, int]


def region(label: str, box: Box, granularity: str = "mask", **more: Any) -> dict[str, Any]:
    mask = np.zeros(SIZE, np.uint8)
    mask[box[1] : box[3], box[0] : box[2]] = 1
    pointed = granularity == "point"
    return {
        "label": label, "label_id": table().id_of(label), "granularity": granularity,
        "box_xyxy_px": None if pointed else [float(edge) for edge in box],
        "rle": rle_from_mask(mask) if granularity == "mask" else None,
        "points": [[box[0] + 0.5, box[1] + 0.5]] if pointed else [],
        "area_px": None if pointed else float(mask.sum()), "laterality": None, "observer": None, "origin": "human",
        "tool": None, **more,
    }  # fmt: skip


def case(*regions: dict[str, Any], orientation: str | None = None) -> Case:
    labels = dict.fromkeys((one["label"], one["laterality"]) for one in regions)
    states = [
        {
            "label": label, "label_id": table().id_of(label), "state": "present", "area": "chest",
            "task": "organ-segmentation", "subset": "ct-chest-organ-segmentation",
            "clinical_task": "Organ Recognition - Thorax", "departments": ["None"], "laterality": side,
            "value": None, "unit": None,
        }
        for label, side in labels
    ]  # fmt: skip
    record = {
        "key": "toy-0", "split": "train", "source": "toy", "modality": "CT", "modality_detail": None, "area": "chest",
        "task": "organ-segmentation", "subsets": ["ct-chest-organ-segmentation"], "department": "None",
        "size_hw_px": list(SIZE), "labels": states, "provenance": {"orientation": orientation},
        "annotations": [{**one, "id": f"a{number}"} for number, one in enumerate(regions)],
    }  # fmt: skip
    return Case(record)


def ask(of: Case, seed: int = 0, **options: Any) -> list[Question]:
    return list(localization(WHO, Pools(), **options)(of, Chance("toy", seed)))


boxes = st.tuples(st.integers(0, 100), st.integers(0, 70), st.integers(2, 20), st.integers(2, 20)).map(
    lambda box: (box[0], box[1], box[0] + box[2], box[1] + box[3])
)


@settings(max_examples=60, deadline=None)
@given(boxes, st.sampled_from(["mask", "box", "point"]), st.integers(0, 9))
def test_the_place_and_the_share_said_are_those_of_the_region(box: Box, granularity: str, seed: int) -> None:
    here = case(region("heart", box, granularity))
    (question,) = ask(here, seed)
    answer, one = str(question.answer), here.record["annotations"][0]
    centre = one["points"][0] if granularity == "point" else one["box_xyxy_px"]
    assert _PLACE.findall(answer) == [place(centre, SIZE)]
    shares = [float(number) for number in re.findall(r"([\d.]+)%", answer)]
    assert shares == pytest.approx([] if granularity == "point" else [100 * share_of(one, here)], rel=0.05)
    assert ("its box covers" in answer) == (granularity == "box")
    assert question.targets == ("a0",)
    assert question.granularity == granularity
    assert not _PLACE.search(question.question)
    assert {answer[span.start : span.end] for span in question.spans} == {"heart"}
    assert validate(question, here, Pools()) == []


@pytest.mark.parametrize(
    ("orientation", "x", "side"),
    [
        ("LP", 5, "right"),
        ("LP", 105, "left"),
        ("LF", 5, "right"),
        ("RP", 5, "left"),
        ("LP", 55, None),
        ("PF", 5, None),
        (None, 5, None),
    ],
)
def test_the_side_of_the_patient_is_said_where_it_is_known(orientation: str | None, x: int, side: str | None) -> None:
    for seed in range(20):
        (question,) = ask(case(region("heart", (x, 40, x + 10, 50)), orientation=orientation), seed)
        found = re.findall(r"towards the patient's (left|right)", str(question.answer))
        assert found == ([] if side is None else [side])


def test_several_regions_are_gone_through_from_top_to_bottom() -> None:
    spots = [(100, 70, 110, 80), (5, 5, 15, 15), (100, 5, 110, 15)]
    here = case(*[region("pulmonary nodule", spot) for spot in spots])
    for seed in range(20):
        (question,) = ask(here, seed)
        assert str(question.answer).endswith("upper left, upper right and lower right.")
        assert question.targets == ("a1", "a2", "a0")
        assert re.search(r"\b3\b", str(question.answer))
        assert validate(question, here, Pools()) == []
    assert not ask(here, crowd=2)


def test_what_fills_the_image_lies_nowhere_in_particular() -> None:
    assert not ask(case(region("heart", (10, 10, 110, 80))))
    assert len(ask(case(region("heart", (10, 10, 110, 80))), widest=1.0)) == 1


def relations(of: Case, seed: int) -> list[Question]:
    return ask(of, seed, most=0, relations=1)


@settings(max_examples=60, deadline=None)
@given(boxes, boxes, st.integers(0, 9))
def test_relations_hold_and_swap_sides_when_mirrored(a: Box, b: Box, seed: int) -> None:
    here = case(region("heart", a, "box"), region("liver", b, "box"))
    there = case(*[region(one["label"], _mirrored(one["box_xyxy_px"]), "box") for one in here.record["annotations"]])
    mine, theirs = relations(here, seed), relations(there, seed)
    assert len(mine) == len(theirs) <= 1
    for one, other in zip(mine, theirs, strict=True):
        assert _swapped(str(one.answer)) == other.answer
        assert one.question == other.question
        assert validate(one, here, Pools()) == []


def _mirrored(box: list[float]) -> Box:
    return int(SIZE[1] - box[2]), int(box[1]), int(SIZE[1] - box[0]), int(box[3])


def _swapped(text: str) -> str:
    return re.sub(r"image (left|right)", lambda found: f"image {'right' if found[1] == 'left' else 'left'}", text)


def test_a_relation_names_both_and_only_labels_of_one_region_stand_in_it() -> None:
    here = case(
        region("lung", (5, 10, 30, 60), laterality="right"),
        region("lung", (80, 10, 110, 60), laterality="left"),
        region("pulmonary nodule", (10, 20, 14, 24)),
        region("pulmonary nodule", (20, 30, 24, 34)),
    )
    for seed in range(30):
        (question,) = relations(here, seed)
        first, second = (str(question.answer)[span.start : span.end] for span in question.spans)
        assert {first, second} == {"left lung", "right lung"}
        words = "image right of" if question.targets == ("a1", "a0") else "image left of"
        assert words in str(question.answer)
        assert validate(question, here, Pools()) == []


def test_masks_that_share_no_pixel_are_not_said_to_be_inside() -> None:
    ring, core = np.zeros((2, *SIZE), np.uint8)
    ring[20:70, 20:90], ring[30:60, 30:80], core[40:50, 50:60] = 1, 0, 1
    here = case(
        region("lung", (20, 20, 90, 70), rle=rle_from_mask(ring), area_px=float(ring.sum())),
        region("heart", (50, 40, 60, 50), rle=rle_from_mask(core), area_px=float(core.sum())),
    )
    assert not any(relations(here, seed) for seed in range(10))


@pytest.mark.parametrize("options", [{"most": -1}, {"widest": 1.5}, {"crowd": -1}, {"relations": -1}])
def test_options_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="expected"):
        localization(WHO, Pools(), **options)


def test_wordings_are_enough_and_fill_the_gaps_that_they_should() -> None:
    asked = {"region": {"name"}, "point": {"name"}, "several": {"name"}, "relation": {"name", "other"}}
    told = {
        "region": {"name", "place", "side", "cover", "share"}, "point": {"name", "place", "side"},
        "several": {"name", "count", "places"}, "relation": {"relation"},
    }  # fmt: skip
    for part, names in asked.items():
        some = wordings("localization", part)
        assert len(some) >= 6
        assert all(gaps(one.texts["question"]) == {*names, "picture"} for one in some)
        assert all(told[part] <= gaps(one.texts["answer"]) <= {*told[part], "size", "name", "other"} for one in some)


def test_same_seed_same_questions_other_seed_other_wording() -> None:
    here = case(region("heart", (5, 5, 15, 15)), region("liver", (50, 50, 70, 70)))
    assert ask(here, 1) == ask(here, 1)
    assert len({one.question for seed in range(30) for one in ask(here, seed)}) > 10
