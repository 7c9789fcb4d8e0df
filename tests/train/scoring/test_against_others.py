"""Measures against what others wrote: COCO's evaluation, NLTK's BLEU, scikit-learn over a whole run."""

from __future__ import annotations

import contextlib
import io
from itertools import permutations
from math import dist, hypot

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask
from sklearn.metrics import accuracy_score, recall_score

from medloom.train.scoring.boxes import COCO_STEPS, POINT_SHARE, box_measures, iou_matrix, point_f1
from medloom.train.scoring.scored import Scored
from medloom.train.scoring.summary import summarize
from medloom.train.scoring.text import bleu, corpus_bleu, rouge_l

WORDS = ["left", "right", "lung", "mass", "small", "seen", "in", "upper", "lobe", "with", "3", "no"]
sentence = st.lists(st.sampled_from(WORDS), min_size=2, max_size=12)
"""Of two words or more: of one, NLTK counts a pair that isn't there."""
off = st.floats(-30, 90, allow_subnormal=False)
anywhere = st.tuples(off, off, off, off).map(
    lambda b: (min(b[0], b[2]), min(b[1], b[3]), max(b[0], b[2]) + 1, max(b[1], b[3]) + 1)
)
shifts = st.lists(
    st.tuples(st.booleans(), st.booleans(), *[st.integers(-6, 6)] * 2).filter(lambda one: one[0] or one[1]),
    min_size=1,
    max_size=9,
)
"""For each place of a grid: whether there is a true box, whether one is given, and how far that is off."""


def coco_recall(given_boxes: list, true: list) -> np.ndarray:
    """COCOeval's recall at each of its ten steps, all scores alike."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def rows(boxes: list) -> list[dict]:
        every = [(x0, y0, x1 - x0, y1 - y0) for x0, y0, x1, y1 in boxes]
        same = {"image_id": 1, "category_id": 1, "iscrowd": 0, "score": 1.0}
        return [{**same, "id": place + 1, "bbox": list(box), "area": box[2] * box[3]} for place, box in enumerate(every)]

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {"info": {}, "images": [{"id": 1}], "categories": [{"id": 1}], "annotations": rows(true)}
        truth.createIndex()
        whole = COCOeval(truth, truth.loadRes(rows(given_boxes)), "bbox")
        whole.evaluate()
        whole.accumulate()
    return np.asarray(whole.eval["recall"])[:, 0, 0, -1]


@given(shifts)
@settings(max_examples=15, deadline=None)
def test_boxes_of_a_grid_are_found_as_by_cocos_evaluation(places: list):
    """Where no box fits two, COCO's greedy pairing is the best one, so that its recall gives every F1 of ours."""
    spots = [(100 * (at % 3) - 10, 100 * (at // 3) - 10) for at in range(len(places))]
    true = [(x, y, x + 20, y + 20) for (x, y), one in zip(spots, places, strict=True) if one[0]]
    shown = [
        (x + one[2], y + one[3], x + one[2] + 20, y + one[3] + 20) for (x, y), one in zip(spots, places, strict=True) if one[1]
    ]
    assume(true and shown)
    recall, ours = coco_recall(shown, true), box_measures(shown, true)
    f1 = 2 * recall * len(true) / (len(true) + len(shown))
    assert ours["box_recall_50"] == pytest.approx(recall[0])
    assert ours["box_precision_50"] == pytest.approx(recall[0] * len(true) / len(shown))
    assert (ours["box_f1_50"], ours["box_f1_50_95"]) == (pytest.approx(f1[0]), pytest.approx(f1.mean()))
    assert len(COCO_STEPS) == len(f1)


@given(st.lists(anywhere, min_size=1, max_size=4), st.lists(anywhere, min_size=1, max_size=4))
@settings(deadline=None, max_examples=50)
def test_boxes_that_reach_off_the_picture_overlap_as_in_coco(some: list, others: list):
    wide = [np.array([[x0, y0, x1 - x0, y1 - y0] for x0, y0, x1, y1 in every]) for every in (some, others)]
    assert iou_matrix(some, others) == pytest.approx(coco_mask.iou(*wide, [0] * len(others)), abs=1e-9)


points = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=4)


@given(points, points)
@settings(deadline=None, max_examples=40)
def test_points_are_paired_as_well_as_any_order_pairs_them(some: list, others: list):
    size = (300, 400)
    near = POINT_SHARE * hypot(*size)
    few, many = sorted(([(8.0 * x, 8.0 * y) for x, y in some], [(8.0 * x, 8.0 * y) for x, y in others]), key=len)
    hits = max(sum(dist(a, b) <= near for a, b in zip(few, order, strict=False)) for order in permutations(many))
    both = len(few) + len(many)
    assert point_f1(few, many, size_hw_px=size) == pytest.approx(2 * hits / both if both else 1.0)


@given(st.lists(st.tuples(sentence, sentence), min_size=1, max_size=4))
@settings(deadline=None, max_examples=25)
def test_bleu_is_nltks_where_no_order_is_smoothed(pairs: list):
    from nltk.translate.bleu_score import corpus_bleu as theirs

    replies, references = [one for one, _ in pairs], [other for _, other in pairs]
    for order in (1, 2):
        shared = [[set(zip(*[text[at:] for at in range(order)], strict=False)) for text in pair] for pair in pairs]
        assume(any(one & other for one, other in shared))
        expected = theirs([[one] for one in references], replies, weights=[1 / order] * order)
        ours = corpus_bleu([" ".join(one) for one in replies], [" ".join(one) for one in references], order=order)
        assert ours == pytest.approx(expected, abs=1e-9)
        if len(pairs) == 1:
            assert bleu(" ".join(replies[0]), " ".join(references[0]), order=order) == pytest.approx(expected, abs=1e-9)


@given(sentence, sentence)
@settings(deadline=None, max_examples=40)
def test_rouge_l_is_that_of_the_longest_common_subsequence(reply: list[str], reference: list[str]):
    lengths = np.zeros((len(reply) + 1, len(reference) + 1), int)
    for row, one in enumerate(reply):
        for column, other in enumerate(reference):
            longest = max(lengths[row, column + 1], lengths[row + 1, column])
            lengths[row + 1, column + 1] = lengths[row, column] + 1 if one == other else longest
    expected = 2 * lengths[-1, -1] / (len(reply) + len(reference))
    assert rouge_l(" ".join(reply), " ".join(reference)) == pytest.approx(expected)


def reply(number: int, label: str, right: bool) -> Scored:
    """A scored reply about a picture of one label."""
    same = dict.fromkeys(("source", "rule", "subset", "area", "task", "modality", "clinical_task", "department"), "x")
    told = {"kind": "single_choice", "perspective": None, "granularity": "image", "status": "answered", "said": "A"}
    own = {"id": f"q-{number}", "variant": "", "key": f"k-{number}", "group": f"g-{number}", "labels": (label,)}
    return Scored(**same, **told, **own, parsed_by="letter", measures={"accuracy": float(right)})


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from("ABC-")), min_size=1, max_size=30))
@settings(deadline=None, max_examples=20)
def test_a_runs_micro_and_macro_accuracy_are_scikit_learns(pairs: list[tuple[str, str]]):
    """Also where all pictures are of one class, and where nothing is answered ("-")."""
    true, said = [one for one, _ in pairs], [other for _, other in pairs]
    found = summarize([reply(n, one, one == other) for n, (one, other) in enumerate(pairs)], resamples=0)["measures"][
        "accuracy"
    ]
    assert found["value"] == pytest.approx(accuracy_score(true, said))
    macro = recall_score(true, said, labels=sorted(set(true)), average="macro", zero_division=0.0)
    assert found["macro_labels"] == pytest.approx(macro)
