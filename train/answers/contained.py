"""Options whose words stand somewhere in a reply and aren't denied."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from .denial import words_denied
from .option_texts import Named, OptionTexts, words

LONGEST = 100
"""Words of a reply up to which options are searched in it."""
_SAYS_LITTLE = frozenset(
    words(
        "yes no true false present absent positive negative normal abnormal other none "
        "left right both unknown mild moderate severe"
    )
)
"""Words that stand in any sentence: as an option's text they aren't searched in long replies."""
_LONG = 8
_STATES = frozenset(words("yes no true false present absent positive negative normal abnormal other none"))
_OF_THE_WHOLE = frozenset(
    words(
        "a an the this it its is are was seems appears looks to be completely entirely overall i think believe would "
        "say answer so statement claim image picture scan study film radiograph x ray xray chest ct mri slide section "
        "examination exam finding result view patient sample tissue everything all within limits no without sign "
        "evidence of abnormality abnormalities and for with definitely probably likely clearly mostly quite here shown "
        "shows show"
    )
)
"""Words beside which "normal" and the like speak of all that is shown, not of "the heart size"."""
_CARRIED = re.compile(r"\s*(?:,|,?\s*n?or)\s*(?:an?\s+|the\s+)?", re.IGNORECASE)
_OR_BETWEEN = re.compile(r"\b(?:or|vs\.?|versus|oder|ou)\b|或", re.IGNORECASE)
_GOES_ON = re.compile(r"\s*(?:or|/|to|–|-|vs\.?|versus)\s*(?:[IVX]+|\d+)\b")
_UNDECIDED = re.compile(
    r"\b(?:cannot|can't|could not|not) (?:be )?(?:exclude|rule out|ruled out)|\bdifferential\b", re.IGNORECASE
)
_NO_BEFORE_NOUN = re.compile(r"\s+(?!because|since|as\b|and\b|but\b)[A-Za-z]")


def contained(texts: OptionTexts, text: str, *, order: tuple[str, ...], asked: str) -> tuple[list[Named], bool]:
    """What a text names of the options and doesn't deny, and whether it hedges between them.

    Args:
        texts: The options' words.
        text: The reply.
        order: All letters.
        asked: The question.
    """
    count = len(words(text))
    if count > LONGEST:
        return [], False
    every = [one for one in texts.within(text) if len(one.letters) == 1]
    without = _denied(text, every, asked)
    found = [one for one in every if one not in without]
    all_named = {one.letters[0] for one in every} == set(order)
    found = [one for one in found if _speaks(text, one, short=count <= _LONG, all_named=all_named)]
    between = [text[one.end : other.start] for one, other in pairwise(found) if one.letters != other.letters]
    hedged = any(_OR_BETWEEN.search(gap) and len(gap.split()) <= 4 for gap in between)
    undecided = len(every) > 1 and _UNDECIDED.search(text) is not None
    return found, hedged or undecided or any(_GOES_ON.match(text, one.end) for one in found)


def _speaks(text: str, one: Named, *, short: bool, all_named: bool) -> bool:
    """Whether an option's words mean that option there, and aren't words of any sentence."""
    own = set(words(text[one.start : one.end]))
    if own == {"no"} and _NO_BEFORE_NOUN.match(text, one.end):
        return False
    if not short:
        return all_named or not own <= _SAYS_LITTLE
    return not own <= _STATES or all_named or set(words(text)) - own <= _OF_THE_WHOLE


def _denied(text: str, named: Sequence[Named], asked: str) -> list[Named]:
    """What a text denies; "no" before a list that commas and "or" join denies all of it, and so does "between" with "and"."""
    found, end = list[Named](), None
    for one in named:
        carried = end is not None and (_CARRIED.fullmatch(text, end, one.start) or _between_both(text, end, one.start))
        before_or_after = words_denied(text, one.start, one.end, asked=asked)
        end = (
            one.end if carried or (before_or_after and words_denied(text[: one.end], one.start, one.end, asked=asked)) else None
        )
        if carried or before_or_after:
            found.append(one)
    return found


def _between_both(text: str, end: int, start: int) -> bool:
    """Whether the second of "between the liver and the spleen" begins at a place."""
    joined = re.fullmatch(r"\s+and\s+(?:the\s+)?", text[end:start])
    return joined is not None and re.search(r"\bbetween\s+(?:the\s+)?[\w ]+$", text[:end], re.IGNORECASE) is not None
