"""The human bound: how well people agree who outlined the same thing on the same picture.

Where a record holds the same label by several observers, every other observer's regions are scored as though they were the
reply to a question about one observer's. A model that agrees as well as they do can't be told from one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from .boxes import box_measures, iou_matrix
from .masks import mask_measures, overlap, stored
from .truth import Truth, box_of

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Agreement:
    """How much two observers' masks of one label share."""

    label_id: str
    one: str
    other: str
    iou: float
    dice: float


def agreements(record: Record) -> list[Agreement]:
    """IoU and Dice of every two observers who outlined the same label (and side), sorted by label and observers."""
    height, width = record["size_hw_px"]
    by_label: dict[tuple[str, str], dict[str, list[str]]] = {}
    for region in record["annotations"]:
        if region["observer"] and region["rle"]:
            place = by_label.setdefault((region["label_id"], region["laterality"] or ""), {})
            place.setdefault(region["observer"], []).append(region["rle"])
    found = []
    for (label_id, _), drawn in sorted(by_label.items()):
        masks = {name: stored(counts, (height, width)) for name, counts in sorted(drawn.items())}
        for one, other in combinations(masks, 2):
            shared = overlap(masks[one], masks[other])
            found.append(Agreement(label_id, one, other, shared.iou, shared.dice))
    return found


def human_bound(true: Truth, record: Record, *, masks: str = "polygon", single: bool = False) -> dict[str, float]:
    """What the other observers get, on average, in the measures of a question's masks or boxes; nothing without any.

    An observer counts who marked every label that is asked for.

    Args:
        true: Of the question.
        record: The sample's.
        masks: As for `region_marks`.
        single: Whether the question points at one region: of an observer's regions, the nearest one then counts.
    """
    if true.shape == "point" or not true.regions:
        return {}
    scores = [_measures(others, true, masks) for others in _others(true, record, single=single)]
    return {name: float(np.mean([one[name] for one in scores])) for name in scores[0]} if scores else {}


def _others(true: Truth, record: Record, *, single: bool) -> list[Sequence[Record]]:
    """Regions of the same labels and sides, by each observer who isn't the question's."""
    own = {one["observer"] for one in true.regions}
    wanted = {(one["label_id"], one["laterality"]) for one in true.regions}
    needs = "rle" if true.shape == "mask" else "box_xyxy_px"
    found: dict[str, list[Record]] = {}
    if None in own:
        return []
    for one in record["annotations"]:
        if one["observer"] not in {None, *own} and (one["label_id"], one["laterality"]) in wanted and one[needs] is not None:
            found.setdefault(one["observer"], []).append(one)
    complete = [
        found[name] for name in sorted(found) if {(one["label_id"], one["laterality"]) for one in found[name]} == wanted
    ]
    return [_nearest(some, true) if single else some for some in complete]


def _nearest(some: Sequence[Record], true: Truth) -> Sequence[Record]:
    iou = iou_matrix([box_of(one) for one in some], [box_of(one) for one in true.regions])
    return [some[int(iou.max(axis=1).argmax())]]


def _measures(others: Sequence[Record], true: Truth, masks: str) -> dict[str, float]:
    if true.shape == "box" or masks == "box":
        return box_measures([box_of(one) for one in others], [box_of(one) for one in true.regions])
    return mask_measures(overlap(*(stored([one["rle"] for one in some], true.size_hw_px) for some in (others, true.regions))))
