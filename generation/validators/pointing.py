"""Whether a prompt points at something: there, on the image, and with a flag where a box isn't the source's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...schema.box import box_iou
from ...schema.question import Kind, Prompt, Question
from ..case import Case, Record
from ..pools import Pools
from .fault import Fault
from .place import box_from, box_of, outside

FLAG = "derived-box"
_NEAR_PX = 1.0
_OVERLAP = 0.25
"""How much of its region's box a jittered box still shares, as intersection over union."""


def faults(question: Question, case: Case, pools: Pools) -> Iterable[Fault]:
    """Prompts without a region, outside the image or off their region, and derived boxes without flag."""
    if not question.prompts and question.kind is not Kind.DETECTION:
        return ()
    return _faults(question, case)


def _faults(question: Question, case: Case) -> Iterator[Fault]:
    annotations = case.by_id
    for prompt in question.prompts:
        own = annotations.get(prompt.annotation)
        if own is None:
            yield Fault("unknown-target", f"prompt at {prompt.annotation!r}", "an annotation of the record")
        else:
            yield from _prompt(prompt, own, case.size_hw_px)
    if FLAG not in question.flags and (derived := [one for one in _boxes(question) if _derived(annotations.get(one))]):
        yield Fault("derived-box-unflagged", f"box of {derived[0]}", f"the flag {FLAG!r}")


def _prompt(prompt: Prompt, own: Record, size_hw_px: tuple[int, int]) -> Iterator[Fault]:
    if prompt.kind == "box":
        yield from _box(prompt, own, size_hw_px)
    elif prompt.kind == "point":
        yield from _points(prompt, own, size_hw_px)
    elif not own["rle"] or own["area_px"] == 0:
        yield Fault("prompt-empty", f"{prompt.kind} of {own['id']}, which has no mask", "a region to draw")


def _box(prompt: Prompt, own: Record, size_hw_px: tuple[int, int]) -> Iterator[Fault]:
    box, height, width = box_from(prompt), *size_hw_px
    if box is None:
        yield Fault("prompt-empty", f"box {prompt.box_xyxy_px}", "four numbers")
        return
    x0, y0, x1, y1 = box
    if not (x0 < x1 and y0 < y1):
        yield Fault("box-without-area", f"box {box}", "x0 < x1 and y0 < y1 in px")
        return
    if x0 < -_NEAR_PX or y0 < -_NEAR_PX or x1 > width + _NEAR_PX or y1 > height + _NEAR_PX:
        yield Fault("prompt-outside", f"box {box}", f"within (0, 0, {width}, {height})")
    region = box_of(own)
    if region is None or box_iou(box, region) < _OVERLAP:
        yield Fault("prompt-off-region", f"box {box}", f"the region of {own['id']}, {region}")


def _points(prompt: Prompt, own: Record, size_hw_px: tuple[int, int]) -> Iterator[Fault]:
    height, width = size_hw_px
    if not prompt.points_xy_px or any(len(point) != 2 for point in prompt.points_xy_px):
        yield Fault("prompt-empty", f"points {prompt.points_xy_px}", "pairs of numbers")
        return
    lost = [(x, y) for x, y in prompt.points_xy_px if not (0 <= x < width and 0 <= y < height)]
    if lost:
        yield Fault("prompt-outside", f"point {lost[0]}", f"0 <= x < {width} and 0 <= y < {height}")
    elif off := outside(own, prompt.points_xy_px, size_hw_px=size_hw_px):
        yield Fault("point-outside-mask", f"point {tuple(off[0])}", f"inside {own['id']}")


def _boxes(question: Question) -> Iterable[str]:
    """Ids of annotations that are shown or asked for as boxes."""
    shown = [one.annotation for one in question.prompts if one.kind == "box"]
    return [*shown, *question.targets] if question.kind is Kind.DETECTION and question.granularity == "box" else shown


def _derived(annotation: Record | None) -> bool:
    return annotation is not None and (annotation["granularity"] in ("mask", "contour") or annotation["origin"] == "derived")
