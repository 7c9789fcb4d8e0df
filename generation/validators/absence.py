"""Whether a label of which a text says that it is absent is known to be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ...schema.question import Question
from ..case import Case
from ..pools import Pools
from .fault import Fault
from .finding import Mention
from .giveaway import CHOICES
from .naming import labels, names_of, wider
from .passages import in_general

_CUE = re.compile(
    r"\b(?:[Nn]o (?:signs? of |evidence of |traces? of )?|[Ww]ithout |[Ff]ree of |[Aa]bsence of |[Nn]either |[Nn]or )"
    r"(?:(?:an?|any|the|visible|left|right) )*(?=\w)"
)
_NEXT = re.compile(r"(?:,? (?:or|nor|and) |, )(?:(?:an?|any|the) )?(?=\w)")
_LIST = re.compile(r"absent(?<!\wabsent)\b[^.;:]*: *(?P<names>[^.;:]*)")
"""It begins with the word itself, not with what mustn't stand before: so the engine skips to the word."""
_LATER = re.compile(r" (?:is|are|was|were) (?:absent|not (?:seen|present|visible|found|there|shown))\b")
_CUES = ("no ", "No ", "ithout ", "ree of ", "bsence of ", "either ", "nor ", "Nor ")
_VERBS = tuple(f" {verb} {rest}" for verb in ("is", "are", "was", "were") for rest in ("absent", "not "))
"""Of each, something stands in every text in which their pattern finds anything: looking for words is cheap."""
_BACK = 80
"""Characters before a verb in which its subject's name ends."""


def faults(question: Question, case: Case, pools: Pools) -> Iterable[Fault]:
    """Absence claimed of a label that isn't known to be absent."""
    answer = question.answer
    return () if not answer or question.kind in CHOICES else _faults(answer, case)


def _faults(answer: str, case: Case) -> Iterator[Fault]:
    for mention in _denied(answer, case):
        if wider(mention.meant).isdisjoint(case.absent) and not in_general(answer, mention.start):
            yield Fault("absence-unknown", answer[max(mention.start - 20, 0) : mention.end], "a label that is absent")


def _denied(answer: str, case: Case) -> Iterator[Mention]:
    """The labels that are said to be absent: behind "no", in a list of what is absent, before "is not seen"."""
    for cue in _CUE.finditer(answer) if any(word in answer for word in _CUES) else ():
        if labels().at(answer, cue.start()) is None:  # "no brain tumor" is a label itself
            yield from _row(answer, cue.end(), case)
    for match in _LIST.finditer(answer):
        yield from _row(answer, match.start("names"), case)
    if any(verb in answer for verb in _VERBS):
        for match in _LATER.finditer(answer):
            start = max(match.start() - _BACK, 0)
            yield from (_moved(one, start) for one in labels().ending(answer[start : match.start()]))


def _row(answer: str, start: int, case: Case) -> Iterator[Mention]:
    """The labels that stand in a row from a place on: "spleen, stomach or pancreas"."""
    at: int | None = start
    while at is not None and (name := labels().at(answer, at) or _own(answer, at, case)) is not None:
        yield name
        more = _NEXT.match(answer, name.end)
        at = more and more.end()


def _own(answer: str, at: int, case: Case) -> Mention | None:
    """A label of the case that the canonical table doesn't know."""
    found = [one for one in case.states if answer.startswith(one["label"], at) and not names_of(one["label_id"])]
    return Mention(found[0]["label_id"], at, at + len(found[0]["label"])) if found else None


def _moved(mention: Mention, by: int) -> Mention:
    return Mention(mention.meant, mention.start + by, mention.end + by)
