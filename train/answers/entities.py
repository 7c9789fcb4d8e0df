"""Names with the places that a reply gives for them.

A place is called by, in this order:
1. the words that its dialect marks or lists for it;
2. the last label named before it in its sentence, after the place before ("the left lung [1, 2, 3, 4]"); where only a comma
   or an "and" stands between two places, the second is called as the first;
3. the first label named after it, before the next place or the end of the sentence ("[1, 2, 3, 4] is the left lung");
4. where no place is called by these, the only label that the reply names, or else the only one that the question names,
   since a bare list of boxes answers that;
5. the words before it back to the nearest comma, verb or beginning, at most six: what no table knows;
and else by nothing. Words of the question that no table knows count as a label. Labels are canonical ones, by any of their
names, with the side that stands before them.

Two names are the same where they mean one label (a synonym is, a wider or a narrower label isn't) or are the same words, and
the sides don't differ where both say one; see `scoring/names.py`. Places under one name on one side are one entity.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...generation.validators.finding import Mention
from ...generation.validators.naming import holds, labels
from ...schema.question import Question
from ..coordinates.place import Dialect, Frame, Place, Read
from ..scoring.names import Name, name_of
from .final import final

MOST_WORDS = 6
_SIDED = re.compile(r"(?:(?:the|a|an|any|each)\s+)?(?:patient's\s+)?\b(left|right)[\s-]+$", re.IGNORECASE)
_JOINT = re.compile(r"(?:[\s,;&|/()]|\band\b|<delim>|;)*", re.IGNORECASE)
_SENTENCE_END = re.compile(r"[.!?](?=\s)|\n")
_PHRASE_END = re.compile(
    r"[,:;()\[\]{}<>\n]|\b(?:is|are|at|in|on|by|with|of|and|shows?|marks?|see|found|contains?|here|there|box"
    r"|boxes|region|regions|mask|for)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing that a reply names, and where."""

    name: str
    """In the reply's words, side included; "" where nothing names it."""
    label_id: str | None
    """Of the canonical label that the words mean."""
    side: str | None
    """left or right, where the words say one."""
    places: tuple[Place, ...]


def read_entities(reply: str | None, question: Question, dialect: Dialect, frame: Frame) -> list[Entity]:
    """The entities of a reply, in the order in which they are first placed; nothing where it gives no place."""
    text = final(reply or "")
    reads = dialect.read(text, frame)
    called = _called(text, reads, question)
    entities: list[tuple[Name, str, list[Place]]] = []
    for read, words in zip(reads, called, strict=True):
        name = name_of(words)
        same = next((one for one in entities if one[0] == name or (one[0].means(name) and one[0].side == name.side)), None)
        if same is None:
            entities.append(same := (name, words, []))
        same[2].append(read.place)
    return [Entity(words, name.label_id, name.side, tuple(places)) for name, words, places in entities]


def _called(text: str, reads: Sequence[Read], question: Question) -> list[str]:
    """What each place is called."""
    ends = [0, *(one.end for one in reads)]
    starts = [*(one.start for one in reads), len(text)]
    gaps = [text[end:start] for end, start in zip(ends, starts, strict=True)]
    names, places = list[str](), range(len(reads))
    for place in places:
        joined = place > 0 and _JOINT.fullmatch(gaps[place]) is not None
        near = _last_in(gaps[place]) or _first_in(gaps[place + 1])
        names.append(reads[place].place.label or (names[-1] if joined else _asked(gaps[place], question) or near))
    only = "" if any(names) else _only_named(" ".join(gaps), question)
    return [names[place] or only or _unknown(gaps, place) for place in places]


def _asked(gap: str, question: Question) -> str:
    """The words before a place, where the question has them and no table."""
    words = _phrase(gap)
    return words if words and not labels().within(words) and holds(question.question, _bare(words)) else ""


def _unknown(gaps: Sequence[str], place: int) -> str:
    """The words before a place, or before those that it is joined to."""
    while place and _JOINT.fullmatch(gaps[place]):
        place -= 1
    return _phrase(gaps[place])


def _bare(words: str) -> str:
    return re.sub(r"^(?:the|a|an|any|each|every)\s+", "", words, flags=re.IGNORECASE)


def _last_in(gap: str) -> str:
    """The last label of the sentence that a place stands in."""
    start = max((found.end() for found in _SENTENCE_END.finditer(gap)), default=0)
    sentence = gap[start:]
    found = labels().within(sentence)
    return _with_side(sentence, found[-1]) if found else ""


def _first_in(after: str) -> str:
    end = _SENTENCE_END.search(after)
    sentence = after[: end.start()] if end else after
    if re.match(r"\s*(?:,|;|and\b)", sentence):
        return ""
    found = labels().within(sentence)
    return _with_side(sentence, found[0]) if found else ""


def _only_named(words: str, question: Question) -> str:
    """The one label that the reply's words, or else the question's, name."""
    for text in (words, question.question):
        found = labels().within(text)
        meant = {(one.meant, _side(text, one)) for one in found}
        if len(meant) == 1:
            return _with_side(text, found[0])
        if meant:
            return ""
    return ""


def _with_side(text: str, mention: Mention) -> str:
    side = _side(text, mention)
    words = text[mention.start : mention.end]
    return words if side is None else f"{side} {words}"


def _side(text: str, mention: Mention) -> str | None:
    found = _SIDED.search(text[: mention.start])
    return found[1].casefold() if found else None


def _phrase(gap: str) -> str:
    """The words right before a place, where no table knows them."""
    words = _PHRASE_END.split(gap.rstrip(" :,-("))[-1].split()
    return " ".join(words) if len(words) <= MOST_WORDS and any(one.isalpha() for one in words) else ""
