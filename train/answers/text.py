"""Replies in words: closed ones (yes or no, or one of a few words) and open ones, in a form in which they can be compared.

`normal` after the VQA challenge's evaluation: lower case, no articles, number words as digits, no punctuation but decimal
points and signs that mean something (`+ - < > %` at a word); British
spelling isn't touched. A closed reply is read by the first
word, by a sentence that states the answer, or by the only one of the words in it; a denial reads as no ("I don't see any"),
where yes and no are asked for.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from .declining import declined
from .final import final, reasoned
from .plain import plain
from .status import Status
from .wrapped import wrapped

YES_NO = ("yes", "no")
_UNITS = (
    "zero one two three four five six seven eight nine ten "
    "eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
NUMBERS = {word: value for value, word in enumerate(_UNITS.split())} | {word: 10 * value for value, word in enumerate(_TENS, 2)}
"""Words of numbers."""
_TOKEN = re.compile(r"\d+(?:[.,]\d+)*%?|[^\W_]+(?:'[^\W_]+)?|(?<=\w)[+-](?!\w)|[<>≤≥]")
_ARTICLES = frozenset({"a", "an", "the"})
_LEAD = re.compile(
    r"^\W*(?:final\s+)?(?:answer|ans|response|reply)\s*(?:is)?\s*[:=\-–]\s*|^\W*(?:the\s+)?(?:correct\s+)?answer\s+is\s*:?\s*",
    re.IGNORECASE,
)
_AFFIRMED = re.compile(
    r"^(?:yes|yeah|yep|yup|true|correct|affirmative|indeed|certainly|definitely|present|positive|sí|oui|ja|sim"
    r"|да)\b|^(?:是|对|有)",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"^(?:no|nope|nah|not|false|incorrect|negative|absent|none|non|nein|não|нет)\b|^(?:不|否|没有|無|无)", re.IGNORECASE
)
_SAYS_YES = re.compile(
    r"\bthere(?: is| are|'s) (?!no\b|not\b|n't|nothing)|\b(?:is|are) (?:clearly |indeed )?(?:present|visible"
    r"|seen)\b|\bit (?:does|is)\b(?! not|n't)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Said:
    """What a reply in words says."""

    text: str
    """One of the words of a closed question, or an open answer as it stands; "" unless answered."""
    rule: str
    """The rule that read it, or the reason why there is nothing."""
    status: Status


def read_closed(reply: str | None, *, words: Sequence[str] = YES_NO) -> Said:
    """Which of a few words a reply says, by the module's rules; hedging and both of two are unparsed.

    Args:
        reply: None where none came.
        words: The answers that are possible.
    """
    bare = _bare(reply)
    if isinstance(bare, Said):
        return bare
    known = {normal(word): word for word in words}
    text = normal(bare)
    if text in known:
        return Said(known[text], "word", Status.ANSWERED)
    polar = set(known) == set(YES_NO)
    first = re.split(r"[.!?,;:\n]| - | because ", bare, maxsplit=1)[0]
    if normal(first) in known and not re.match(r"\s*(?:and|or)\b", bare[len(first) :].lstrip(" ,")):
        return Said(known[normal(first)], "first-word", Status.ANSWERED)
    if polar and (found := _polar_start(bare)):
        return Said(known[found], "first-word", Status.ANSWERED)
    return _inside(bare, known, polar=polar)


def read_open(reply: str | None) -> Said:
    """The answering part of a reply, without "Answer:" before it; refusals and abstentions where it is nothing else."""
    bare = _bare(reply)
    if isinstance(bare, Said):
        return bare
    refused = declined(bare, Status.REFUSED)
    if refused is not None and not refused.rest:
        return Said("", "refusal", Status.REFUSED)
    return Said(bare, "words", Status.ANSWERED) if normal(bare) else Said("", "nothing-read", Status.UNPARSED)


def normal(text: str) -> str:
    """The text's words in the form in which they are compared; see the module."""
    return " ".join(tokens(text))


def tokens(text: str) -> list[str]:
    """The words of `normal`, in order."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    found = [_number(one) for one in _TOKEN.findall(folded)]
    return [one for one in found if one not in _ARTICLES] or found


def _number(word: str) -> str:
    if word in NUMBERS:
        return str(NUMBERS[word])
    return word.replace(",", "") if re.fullmatch(r"\d{1,3}(?:,\d{3})+", word) else word


def _bare(reply: str | None) -> str | Said:
    """The answering part in plain characters, or why there is none."""
    if reply is None:
        return Said("", "no-reply", Status.FAILED)
    text = final(reply)
    if not text:
        return Said("", "only-reasoning" if reasoned(reply) else "no-text", Status.EMPTY)
    inner = wrapped(text)
    text = ", ".join(inner[1]) if inner and inner[1] else text
    return _LEAD.sub("", plain(text)).strip()


def _polar_start(text: str) -> str | None:
    bare = text.lstrip(" \"'(*-")
    if re.match(r"\w+,? (?:and|or) (?:yes|no)\b|no (?:doubt|question)\b", bare, re.IGNORECASE):
        return None
    if _AFFIRMED.match(bare):
        return "yes"
    return (
        "no"
        if _DENIED.match(bare) and not re.match(r"not (?:sure|certain|possible|enough|only)", bare, re.IGNORECASE)
        else None
    )


def _inside(text: str, known: dict[str, str], *, polar: bool) -> Said:
    """By the words that stand anywhere in the text."""
    if declined(text, Status.REFUSED) is not None:
        return Said("", "refusal", Status.REFUSED)
    line = f" {normal(text)} "
    there = {word for word in known if f" {word} " in line.replace(" no doubt ", " ")}
    if len(there) == 1 and (not polar or there == {"yes"}):
        return Said(known[there.pop()], "contained-word", Status.ANSWERED)
    if polar and declined(text, Status.ABSTAINED) is not None:
        return Said(known["no"], "denial", Status.ANSWERED)
    if polar and _SAYS_YES.search(text):
        return Said(known["yes"], "assertion", Status.ANSWERED)
    return Said("", "several" if len(there) > 1 else "nothing-read", Status.UNPARSED)
