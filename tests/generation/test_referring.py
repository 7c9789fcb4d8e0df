"""A box or points to a mask and its name: points inside and deep, boxes that stay close, prompts that mean one thing only."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medloom.generation.case import Asking, Case
from medloom.generation.chance import Chance
from medloom.generation.pools import Pools
from medloom.generation.regions.marked import DERIVED_BOX, ONE_OBSERVER
from medloom.generation.regions.pointing import DEPTH, LEAST_IOU, RIVAL, jittered, points_inside
from medloom.generation.regions.referring import JITTERED, referring
from medloom.generation.validators import validate
from medloom.generation.wording import gaps, wordings
from medloom.schema.box import Box, box_iou
from medloom.schema.errors import UsageError
from medloom.schema.labels.table import table
from medloom.schema.mask import rle_box, rle_from_mask
from medloom.schema.question import Question

SIZE = (60, 80)
WHO = Asking("toy", "referring")


@st.composite
def masks(draw: st.DrawFn) -> np.ndarray:
    """A union of rectangles on an image of 24×32."""
    mask = np.zeros((24, 32), np.uint8)
    for _ in range(draw(st.integers(1, 4))):
        x, y = draw(st.integers(0, 31)), draw(st.integers(0, 23))
        mask[y : y + draw(st.integers(1, 12)), x : x + draw(st.integers(1, 12))] = 1
    return mask


def region(mask: np.ndarray, label: str = "heart", **more: Any) -> dict[str, Any]:
    rle = rle_from_mask(mask)
    return {
        "id": "a0", "label": label, "label_id": table().id_of(label), "granularity": "mask", "rle": rle,
        "box_xyxy_px": list(rle_box(rle, (mask.shape[0], mask.shape[1]))), "points": [], "area_px": float(mask.sum()),
        "laterality": None, "observer": None, "origin": "human", "tool": None, **more,
    }  # fmt: skip


def block(box: tuple[int, int, int, int], label: str = "heart", **more: Any) -> dict[str, Any]:
    mask = np.zeros(SIZE, np.uint8)
    mask[box[1] : box[3], box[0] : box[2]] = 1
    return region(mask, label, **more)


def case(*regions: dict[str, Any]) -> Case:
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
        "size_hw_px": list(SIZE), "labels": states,
        "annotations": [{**one, "id": f"a{number}"} for number, one in enumerate(regions)],
    }  # fmt: skip
    return Case(record)


def ask(of: Case, seed: int = 0, **options: Any) -> list[Question]:
    return list(referring(WHO, Pools(), **options)(of, Chance("toy", seed)))


def depth_of(mask: np.ndarray) -> np.ndarray:
    """Distance of each pixel to the nearest outside, the image's edge counting as outside, by brute force."""
    padded = np.pad(mask, 1)
    outside = np.argwhere(padded == 0)
    depth = np.zeros(padded.shape)
    for row, column in np.argwhere(padded):
        depth[row, column] = np.sqrt(((outside - (row, column)) ** 2).sum(axis=1).min())
    return depth[1:-1, 1:-1]


@given(masks(), st.integers(1, 3), st.integers(0, 99))
def test_points_lie_inside_the_mask_away_from_its_edge_and_apart(mask: np.ndarray, count: int, seed: int) -> None:
    points = points_inside(region(mask), (), (24, 32), count=count, chance=Chance(seed))
    depth = depth_of(mask)
    assert 1 <= len(points) <= count
    assert len(set(points)) == len(points)
    for x, y in points:
        assert (x % 1, y % 1) == (0.5, 0.5)
        assert mask[int(y), int(x)] == 1
        # cv2's 3×3 chamfer distance is within 7 % of the Euclidean one
        assert depth[int(y), int(x)] >= DEPTH * depth.max() * 0.86


@given(masks(), masks(), st.integers(0, 99))
def test_points_never_lie_on_another_region(mask: np.ndarray, other: np.ndarray, seed: int) -> None:
    points = points_inside(region(mask), [region(other)], (24, 32), count=3, chance=Chance(seed))
    assert bool(points) == bool((mask & ~other & 1).any())
    assert all(mask[int(y), int(x)] and not other[int(y), int(x)] for x, y in points)


edges = st.floats(0, 50)


@given(edges, edges, st.floats(1, 30), st.floats(1, 10), st.floats(0, 0.5), st.integers(0, 999))
def test_jittered_boxes_stay_close_and_on_the_image(x: float, y: float, w: float, h: float, jitter: float, seed: int) -> None:
    box: Box = (x, y, x + w, y + h)
    moved = jittered(box, SIZE, jitter=jitter, chance=Chance(seed))
    assert box_iou(moved, box) >= LEAST_IOU
    assert 0 <= moved[0] < moved[2] <= SIZE[1]
    assert 0 <= moved[1] < moved[3] <= SIZE[0]
    largest = [abs(new - old) for new, old in zip(moved, box, strict=True)]
    assert max(largest[0], largest[2]) <= jitter * w + 0.0051
    assert max(largest[1], largest[3]) <= jitter * h + 0.0051


TWO = case(block((5, 5, 25, 25)), block((40, 20, 70, 50), "lung", laterality="left"))


def test_prompts_point_at_the_one_region_that_is_the_answer() -> None:
    names = {"a0": "heart", "a1": "left lung"}
    kinds = set()
    for seed in range(60):
        for question in ask(TWO, seed):
            (prompt,), (span,) = question.prompts, question.spans
            assert question.targets == span.annotations == (prompt.annotation,)
            assert str(question.answer)[span.start : span.end] == names[prompt.annotation]
            assert (DERIVED_BOX in question.flags) == (prompt.kind == "box") == (question.granularity == "box")
            assert question.perspective == 2
            assert not any(word in question.question.split() for word in ("heart", "lung", "left"))
            assert validate(question, TWO, Pools()) == []
            kinds.add((prompt.kind, JITTERED in question.flags))
    assert kinds == {("box", True), ("point", False)}


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_share_of_points(share: float) -> None:
    asked = [question for seed in range(400) for question in ask(TWO, seed, points=share)]
    count = sum(question.granularity == "point" for question in asked)
    assert len(asked) == 800
    assert abs(count - 800 * share) <= 4 * (800 * share * (1 - share)) ** 0.5
    numbers = {len(question.prompts[0].points_xy_px) for question in asked}
    assert numbers == ({0} if share == 0 else {1, 2, 3} if share == 1 else {0, 1, 2, 3})


def test_a_box_that_fits_two_things_gives_way_to_points() -> None:
    nested = case(block((10, 10, 30, 30), "kidney"), block((11, 10, 30, 29), "spleen"))
    for seed in range(30):
        for question in ask(nested, seed, points=0.0):
            assert question.granularity == "point"
            assert question.targets == ("a0",)
            assert validate(question, nested, Pools()) == []


def test_points_that_would_lie_on_two_things_give_way_to_a_box() -> None:
    nested = case(block((10, 10, 50, 50), "kidney"), block((20, 20, 28, 28), "spleen"))
    for seed in range(30):
        for question in ask(nested, seed, points=1.0):
            assert (question.granularity, question.targets) in {("point", ("a0",)), ("box", ("a1",))}
            assert validate(question, nested, Pools()) == []


def test_a_jittered_box_never_comes_close_to_another_region() -> None:
    pair = case(block((10, 10, 30, 30), "kidney"), block((18, 10, 40, 30), "liver"))
    for seed in range(200):
        for question in ask(pair, seed, points=0.0, jitter=0.3):
            (prompt,) = question.prompts
            assert prompt.box_xyxy_px is not None
            x0, y0, x1, y1 = prompt.box_xyxy_px
            others = [one for one in pair.record["annotations"] if one["id"] != prompt.annotation]
            assert all(box_iou((x0, y0, x1, y1), one["box_xyxy_px"]) < RIVAL for one in others)


def test_another_observer_of_the_same_thing_is_no_rival() -> None:
    both = case(block((10, 10, 30, 30), observer="first"), block((10, 10, 30, 31), observer="second"))
    for seed in range(20):
        (question,) = ask(both, seed)
        assert question.targets == ("a0",)
        assert ONE_OBSERVER in question.flags


def test_only_masks_are_asked_for_and_no_more_than_allowed() -> None:
    box = {**block((1, 1, 9, 9)), "rle": None, "granularity": "box"}
    assert not ask(case(box))
    many = case(*[block((10 * n, 5, 10 * n + 8, 12)) for n in range(8)])
    assert [len(ask(many, most=most)) for most in (0, 2, 20)] == [0, 2, 8]


@pytest.mark.parametrize("options", [{"most": -1}, {"points": 1.5}, {"most_points": 0}, {"jitter": 0.6}])
def test_options_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="expected"):
        referring(WHO, Pools(), **options)


def test_wordings_are_enough_and_fill_the_gaps_that_they_should() -> None:
    for kind in ("box", "point"):
        questions, answers = wordings("referring", kind), wordings("referring", f"{kind}-answers")
        assert len(questions) >= 8
        assert len(answers) >= 6
        assert all(gaps(one.texts["question"]) == {"picture"} for one in questions)
        assert all(gaps(one.texts["answer"]) == {"name"} for one in answers)


def test_same_seed_same_questions_other_seed_other_ones() -> None:
    assert ask(TWO, 1) == ask(TWO, 1)
    assert ask(TWO, 1) != ask(TWO, 2)


def test_brute_force_depth_is_that_of_a_square() -> None:
    mask = np.zeros((9, 9), np.uint8)
    mask[2:7, 2:7] = 1
    assert depth_of(mask)[4, 4] == 3
    assert depth_of(mask)[2, 2] == 1
    assert (cv2.distanceTransform(mask, cv2.DIST_L2, 5) > 0).sum() == 25


def test_points_lie_inside_masks_of_many_runs() -> None:
    mask = (np.random.default_rng(2).random((60, 80)) < 0.6).astype(np.uint8)
    for seed in range(20):
        for x, y in points_inside(region(mask), (), SIZE, count=3, chance=Chance(seed)):
            assert mask[int(y), int(x)] == 1
