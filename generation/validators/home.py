"""Whether a question stands at the sample that it was made for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...schema.question import Question
from ..case import Case
from ..pools import Pools
from .fault import Fault


def faults(question: Question, case: Case, pools: Pools) -> Iterable[Fault]:
    """Key, source, split, modality and area that aren't the sample's."""
    record = case.record
    stated = question.key, question.source, question.split, question.modality, question.area
    own = record["key"], record["source"], record["split"], case.modality, record["area"]
    return () if stated == own else _faults(question, case)


def _faults(question: Question, case: Case) -> Iterator[Fault]:
    record = case.record
    if question.key != record["key"]:
        yield Fault("key-mismatch", f"key {question.key}", record["key"])
    if question.source != record["source"]:
        yield Fault("key-mismatch", f"source {question.source}", record["source"])
    if question.split != record["split"]:
        yield Fault("split-mismatch", question.split or "none", record["split"])
    if question.modality != case.modality:
        yield Fault("modality-mismatch", question.modality, case.modality)
    if question.area != record["area"] and question.area not in {one["area"] for one in case.states}:
        yield Fault("area-mismatch", question.area, record["area"])
