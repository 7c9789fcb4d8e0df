"""Every measure by name: what it says, and how the measures of many replies become one number.

Measures are 0 to 1 and more is better, but where a line says otherwise. A reply that failed, was empty, refused to
answer or couldn't be read scores 0 in them, and is counted apart by its status.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ...generation.telling.alignment import ATTRIBUTES
from ...schema.question import Kind

IOU_STEPS = (0.25, 0.5, 0.75)
"""The IoU that counts as found, in measures that have it in their name in percent: `accuracy_50`."""

MEASURES: Mapping[str, str] = MappingProxyType(
    {
        "accuracy": "the right letter",
        "acc_mcq": "right letters among those given (GMAI-MMBench's ACC_mcq)",
        "recall_mcq": "right letters that were given (GMAI-MMBench's Recall_mcq)",
        "f1_mcq": "harmonic mean of the two",
        "exact_mcq": "all right letters and no other",
        "box_iou": "mean IoU over boxes paired one to one so that it is greatest; the larger count is the divisor",
        "box_precision_50": "boxes given that are found, at IoU 0.5",
        "box_recall_50": "true boxes that are found, at IoU 0.5",
        "box_f1_50": "twice the found over all given and all true, at IoU 0.5",
        "box_f1_50_95": "mean of that F1 at IoU 0.50, 0.55, … 0.95, in place of COCO's AP: replies rank nothing",
        **{f"box_accuracy_{round(100 * step)}": f"every box found and none besides, at IoU {step}" for step in IOU_STEPS},
        "pointing": "as box_f1_50, a point or a box's centre being found where it lies in a true region",
        "point_f1": "points given and true that lie within 2.5 % of the picture's diagonal of each other, one to one",
        "count_right": "as many regions as there are",
        "stated_count_right": "where the reply states a number: as many as there are",
        "count_error": "regions too many or too few (a number; less is better)",
        "mask_iou": "shared over joint pixels of all that was outlined and all that is true (its mean is gIoU)",
        "mask_dice": "twice the shared over the sum of both",
        **{f"mask_accuracy_{round(100 * step)}": f"mask IoU of {step} or more" for step in IOU_STEPS},
        "filled_iou": "as mask_iou, where boxes were asked for and a mask is true: boxes are filled",
        "filled_dice": "as mask_dice, of filled boxes",
        **{f"filled_accuracy_{round(100 * step)}": f"IoU {step} or more, of filled boxes" for step in IOU_STEPS},
        "entity_f1": "names with their masks, both right (IoU above 0.5): twice the hits over all given and all true (MIMO)",
        "entity_box_f1": "the same of names with their boxes",
        "name_right": "what is there is named, whatever else is said",
        "closed_accuracy": "the right one of yes and no",
        "exact": "the reference's words in their order",
        "token_recall": "tokens of the reference that the reply has (LLaVA-Med's recall of open answers)",
        "token_f1": "harmonic mean of that and of the reply's tokens that the reference has",
        **{f"bleu_{order}": f"sentence BLEU up to {order} words" for order in (1, 2, 3, 4)},
        "rouge_l": "F-measure of the longest common subsequence of words",
        "judged_same": "a judge takes reply and reference for the same answer",
        "alignment": "MedTrinity's five attributes, as a share of what they could give",
        **{f"alignment_{name}": f"how well the {name} agrees with the reference" for name in ATTRIBUTES},
        "form_kept": "regions of the form that was asked for",
        "abstention": "asked for what isn't there: it says so",
        "invention": "asked for what isn't there: it gives a region all the same (less is better)",
        "denial": "asked for what is there: it says that it isn't (less is better)",
    }
)

POOLED: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "mask_ciou": ("mask_shared_px", "mask_joint_px"),
        "filled_ciou": ("filled_shared_px", "filled_joint_px"),
        "entity_precision_micro": ("entity_hits", "entity_given"),
        "entity_recall_micro": ("entity_hits", "entity_true"),
        "entity_f1_micro": ("entity_twice_hits", "entity_both"),
        "entity_box_precision_micro": ("entity_box_hits", "entity_box_given"),
        "entity_box_recall_micro": ("entity_box_hits", "entity_box_true"),
        "entity_box_f1_micro": ("entity_box_twice_hits", "entity_box_both"),
    }
)
"""Measures that are a sum over a sum: the tallies that are added up. `…_ciou` is cumulative IoU."""

PRIMARY: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        Kind.SINGLE_CHOICE: ("accuracy",),
        Kind.MULTIPLE_CHOICE: ("exact_mcq", "f1_mcq"),
        Kind.DETECTION: ("box_f1_50", "point_f1"),
        Kind.GROUNDING: ("mask_iou", "filled_iou"),
        Kind.REFERRING: ("mask_iou", "filled_iou"),
        Kind.REASONING: ("mask_iou", "filled_iou", "box_f1_50", "point_f1"),
        Kind.LOCALIZATION: ("alignment", "closed_accuracy"),
        Kind.PROMPTED: ("token_recall", "closed_accuracy"),
        Kind.DESCRIPTION: ("alignment", "closed_accuracy"),
    }
)
"""The measure that speaks for a kind, the first of these that its replies have."""

LESS_IS_BETTER = frozenset({"count_error", "invention", "denial"})

BINARY = frozenset(
    name
    for name in MEASURES
    if "_accuracy_" in name
    or name
    in {
        "accuracy",
        "closed_accuracy",
        "exact",
        "judged_same",
        "exact_mcq",
        "count_right",
        "stated_count_right",
        "form_kept",
        "abstention",
        "invention",
        "denial",
    }
)
"""Measures that are 0 or 1, so that Wilson's interval and McNemar's test have a meaning."""
