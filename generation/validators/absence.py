"""Whether a label of which a text says that it is absent is known to be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ...schema.question import Question
from ..case import Case
from ..pools import Pools
from .fault import Fault
from .giveaway import CHOICES
from .naming import Mention, mentions, names_of, wider

_ANY = re.compile(r"\b(?:no|not|without|absent|absence|free|neither|nor|none)\b", re.IGNORECASE)
_BEFORE = re.compile(
    r"(?:\b(?:no|without|neither|nor|free of|absence of)|\bno (?:sign|signs|evidence|trace)s? of)"
    r"(?: (?:a|an|any|the|visible|left|right))*\s$",
    re.IGNORECASE,
)
_LISTED = re.compile(r"\babsent\b[^.;:]*:[^.;:]*$", re.IGNORECASE)
_AFTER = re.compile(r"\s(?:is|are|was|were) (?:absent|not (?:seen|present|visible|found|there|shown))\b", re.IGNORECASE)


def faults(question: Question, case: Case, pools: Pools) -> Iterable[Fault]:
    """Absence claimed of a label that isn't known to be absent."""
    answer = question.answer
    if not answer or question.kind in CHOICES or not _ANY.search(answer):
        return ()
    return _faults(answer, case)


def _faults(answer: str, case: Case) -> Iterator[Fault]:
    for mention in (*mentions(answer), *_own(answer, case)):
        if _denied(answer, mention) and not wider(mention.label_id) & case.absent:
            yield Fault("absence-unknown", answer[max(mention.start - 20, 0) : mention.end], "a label that is absent")


def _denied(answer: str, mention: Mention) -> bool:
    before = answer[: mention.start]
    return bool(_BEFORE.search(before) or _LISTED.search(before) or _AFTER.match(answer[mention.end :]))


def _own(answer: str, case: Case) -> Iterator[Mention]:
    """The case's labels that the canonical table doesn't know."""
    folded = answer.casefold()
    for one in case.states:
        if not names_of(one["label_id"]):
            for match in re.finditer(rf"\b{re.escape(one['label'].casefold())}\b", folded):
                yield Mention(one["label_id"], match.start(), match.end())
