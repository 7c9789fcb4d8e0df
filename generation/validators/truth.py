"""Whether the right options hold, the wrong ones don't, and somebody knows that.

Of a whole image, a label holds that is present or stands above one that is; a wrong option must be known to be absent, by
its state: a build has written down as absent whatever a closed set of classes shuts out. Of a region, the label of its
annotation holds; a wrong option doesn't, unless an annotation of that label covers the same place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache

from ...schema.question import Kind, Prompt, Question
from ..case import Case
from ..pools import Pools
from .fault import Fault
from .giveaway import CHOICES
from .naming import wider
from .place import covers


def faults(question: Question, case: Case, pools: Pools) -> Iterable[Fault]:
    """Answers that don't hold, wrong options that do, and distractors that nobody vouches for."""
    if question.kind in CHOICES and question.letters and {*question.letters} <= {one.letter for one in question.options}:
        return _region(question, case) if question.prompts else _image(question, case)
    if question.kind is Kind.REFERRING and question.prompts:
        return _referred(question, case)
    return ()


def _image(question: Question, case: Case) -> Iterator[Fault]:
    present = frozenset([one["label_id"] for one in case.present])
    for one in question.options:
        if one.label_id is None:
            continue
        if one.letter in question.letters:
            if one.label_id not in present:
                yield Fault("answer-not-true", f"{one.text!r}, which isn't present", "a label that is present")
        elif _holds(one.label_id, present):
            yield Fault("answer-not-unique", f"{one.text!r}, which holds too", "wrong options that don't hold")
        elif one.label_id not in case.absent:
            yield Fault("distractor-not-absent", f"{one.text!r}, of which nothing is known", "a label that is absent")


@lru_cache(1 << 14)
def _holds(label_id: str, present: frozenset[str]) -> bool:
    """Whether a label is present or stands above one that is."""
    return any(label_id in wider(one) for one in present)


def _region(question: Question, case: Case) -> Iterator[Fault]:
    annotations = case.by_id
    meant = {annotations[one.annotation]["label_id"] for one in question.prompts if one.annotation in annotations}
    wrong = {one.label_id for one in question.options if one.label_id is not None and one.letter not in question.letters}
    for one in question.options:
        if one.label_id is not None and one.letter in question.letters and meant and one.label_id not in meant:
            yield Fault("answer-not-true", f"{one.text!r} for a region of {sorted(meant)}", "the label of the region")
    for prompt in question.prompts:
        yield from _rivals(prompt, case, [other for other in wrong if other not in meant])


def _referred(question: Question, case: Case) -> Iterator[Fault]:
    annotations = case.by_id
    for prompt in question.prompts:
        own = annotations.get(prompt.annotation)
        if own is not None:
            yield from _rivals(prompt, case, {label_id for label_id, _ in case.regions} - {own["label_id"]})


def _rivals(prompt: Prompt, case: Case, label_ids: Collection[str]) -> Iterator[Fault]:
    """Other labels with an annotation where the prompt points."""
    own = case.by_id.get(prompt.annotation)
    if own is None or not label_ids:
        return
    for (label_id, _), rivals in case.regions.items():
        if label_id in label_ids and any(covers(one, prompt, own, size_hw_px=case.size_hw_px) for one in rivals):
            found = f"{prompt.kind} of {prompt.annotation} ({own['label']}) also covers {rivals[0]['label']}"
            yield Fault("answer-not-unique", found, "a region of one label")
