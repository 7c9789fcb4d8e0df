"""Whether targets and spans point at annotations that are there, of the labels asked for, on the right side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from ...schema.question import Question, Span
from ..case import Case, Record
from ..pools import Pools
from .fault import Fault
from .naming import bag, holds, names_of

_ALLOWED = frozenset({"a", "an", "and", "both", "left", "of", "or", "patient", "right", "the"})
"""Words that may stand in a span beside the label's own."""


def faults(question: Question, case: Case, pools: Pools) -> Iterable[Fault]:
    """Targets and spans that don't exist, or belong to other labels."""
    return _faults(question, case) if question.targets or question.spans else ()


def _faults(question: Question, case: Case) -> Iterator[Fault]:
    annotations = case.by_id
    spoken = dict.fromkeys(chain(question.targets, *[span.annotations for span in question.spans]))
    if not spoken.keys() <= annotations.keys():
        unknown = [name for name in spoken if name not in annotations]
        yield Fault("unknown-target", ", ".join(unknown), "annotations of the record")
    targets = {annotations[name]["label_id"] for name in question.targets if name in annotations}
    if question.labels and (strange := targets.difference(question.labels)):
        yield Fault("target-mismatch", f"targets of {sorted(strange)}", f"only of {list(question.labels)}")
    if question.answer is None:
        return
    for span in question.spans:
        yield from _span(span, question.answer, [annotations[name] for name in span.annotations if name in annotations])


def _span(span: Span, answer: str, meant: list[Record]) -> Iterator[Fault]:
    text = answer[span.start : span.end]
    if not 0 <= span.start < span.end <= len(answer) or _in_a_word(answer, span.start) or _in_a_word(answer, span.end):
        yield Fault("bad-span", f"{span.start} to {span.end} of {len(answer)} characters: {text!r:.60}", "whole words")
        return
    for one in meant if len(meant) < 2 else {(one["label_id"], one["label"]): one for one in meant}.values():
        if not _speaks_of(text, one) or (span.level is None and not _cut(text, meant)):
            yield Fault("bad-span", f"{text!r:.80} for {one['id']}", f"the words of {one['label']!r}")


def _in_a_word(text: str, at: int) -> bool:
    """Whether a place of a text cuts a word in two."""
    return 0 < at < len(text) and _is_letter(text[at - 1]) and _is_letter(text[at])


def _is_letter(character: str) -> bool:
    return character.isalnum() or character == "_"


def _speaks_of(text: str, annotation: Record) -> bool:
    if annotation["label"] in text:
        return True
    return any(holds(text, name) for name in (annotation["label"], *names_of(annotation["label_id"])))


def _cut(text: str, meant: list[Record]) -> bool:
    """Whether nothing stands in it but the names."""
    if text in {one["label"] for one in meant}:
        return True
    own = {word for one in meant for name in (one["label"], *names_of(one["label_id"])) for word in bag(name)}
    return all(word in own or word in _ALLOWED or word.isdigit() for word in bag(text))
