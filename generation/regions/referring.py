"""A box or points to a mask and its name (MIMOSeg's perspective II).

Prompts are numbers in the question (see `schema/question.py`) and never stand in its text: whoever uses a question draws
them on a copy of the picture or writes them in a model's own way. A prompt fits one region only: no region of another kind
has nearly the same box, and points lie on nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import count

from ...schema.box import Box
from ...schema.errors import UsageError
from ...schema.question import Kind, Prompt, Question
from ..case import Asking, Case, Record
from ..chance import Chance
from ..choices.modality_words import picture
from ..pools import Pools
from ..rules import Rule
from ..wording import pick, wordings
from .marked import DERIVED_BOX, Marked, marked
from .pointing import alone, jittered, meet, points_inside
from .told import Words, told

INSTRUCTION = "Answer in words, and give one mask."
JITTERED = "jittered-box"


def referring(
    asking: Asking, pools: Pools, *, most: int = 3, points: float = 0.5, most_points: int = 3, jitter: float = 0.1
) -> Rule:
    """Questions for the mask and the name of what a box or points show.

    Args:
        asking: Who asks.
        pools: Not needed: no label is asked for that isn't there.
        most: Regions of a case that are asked about; more are drawn from.
        points: Share of the questions that point with points, the others with a box.
        most_points: Points are 1 to this many.
        jitter: Share of a box's width or height by which its edges move, at most; 0 for the true box.

    Raises:
        UsageError: a number that can't be used.
    """
    if most < 0 or most_points < 1 or not 0 <= points <= 1 or not 0 <= jitter <= 0.5:
        found = f"most {most}, most_points {most_points}, points {points}, jitter {jitter}"
        raise UsageError(f"{found}; expected 0 or more, 1 or more, 0 to 1, 0 to 0.5")
    ways = partial(_points, most=most_points), partial(_box, jitter=jitter)

    def rule(case: Case, chance: Chance) -> Iterator[Question]:
        every, place = [(one, region) for one in marked(case, ("mask",)) for region in one.regions], count()
        for one, region in chance.some(every, min(most, len(every))):
            first, second = ways if chance.unit() < points else ways[::-1]
            prompt = first(case, region, chance=chance) or second(case, region, chance=chance)
            if prompt is not None:
                yield _question(asking, case, one, region, prompt=prompt, chance=chance, place=next(place))

    return rule


def _points(case: Case, region: Record, *, most: int, chance: Chance) -> Prompt | None:
    """Points that lie on this region alone; None where all of it is shared."""
    others = [one for one in _others(case, region) if one["rle"] and meet(one["box_xyxy_px"], region["box_xyxy_px"])]
    found = points_inside(region, others, case.size_hw_px, count=1 + chance.below(most), chance=chance)
    return Prompt("point", region["id"], points_xy_px=found) if found else None


def _box(case: Case, region: Record, *, jitter: float, chance: Chance) -> Prompt | None:
    """The region's box, moved where that leaves it alone; None where another region has nearly the same box."""
    true: Box = tuple(region["box_xyxy_px"])
    moved = jittered(true, case.size_hw_px, jitter=jitter, chance=chance) if jitter else true
    rivals = [one["box_xyxy_px"] for one in _others(case, region) if one["box_xyxy_px"] is not None]
    for box in (moved, true):
        if alone(box, rivals):
            return Prompt("box", region["id"], box_xyxy_px=box)
    return None


def _others(case: Case, region: Record) -> Iterator[Record]:
    """The other things marked on the image; not the same thing as another observer or another granularity has it."""
    label_id, laterality, observer = region["label_id"], region["laterality"], region["observer"]
    for one in case.record["annotations"]:
        same = one["label_id"] == label_id and one["laterality"] == laterality
        again = same and (one["rle"] is None or one["observer"] != observer)
        if not again and one["id"] != region["id"]:
            yield one


def _question(
    asking: Asking, case: Case, one: Marked, region: Record, *, prompt: Prompt, chance: Chance, place: int
) -> Question:
    wording = pick(wordings("referring", prompt.kind), chance)
    says = pick(wordings("referring", f"{prompt.kind}-answers"), chance)
    answer, spans = told(says, name=Words(one.name, (prompt.annotation,)))
    return asking.question(
        case,
        place=place,
        kind=Kind.REFERRING,
        about=one.state,
        granularity=prompt.kind,
        perspective=2,
        question=wording.fill(picture=picture(case.modality)),
        instruction=INSTRUCTION,
        answer=answer,
        spans=spans,
        labels=(one.state["label_id"],),
        targets=(prompt.annotation,),
        prompts=(prompt,),
        wording=f"{wording.id}+{says.id}",
        flags=_flags(one, region, prompt),
    )


def _flags(one: Marked, region: Record, prompt: Prompt) -> tuple[str, ...]:
    if prompt.kind != "box":
        return one.flags
    moved = prompt.box_xyxy_px != tuple(region["box_xyxy_px"])
    return (DERIVED_BOX, *([JITTERED] if moved else []), *one.flags)
