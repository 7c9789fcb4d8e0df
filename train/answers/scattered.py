"""Letters that stand somewhere in a reply: marked as letters, or alone in a few words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .denial import words_denied
from .letters import Letters, Run, overlaps
from .option_texts import words

LONGEST_LONE = 8
"""Words of a reply up to which `lone` is tried."""
_NO_LETTER_AFTER = re.compile(
    r"\b(?:dr\.|hepatitis|types?|grades?|stages?|groups?|class|vitamin|views?|figures?|fig\.?|images?|panels?"
    r"|influenza|h(?:a)?emoglobin|levels?|segments?|zones?|structures?|label(?:l?ed)?|mark(?:ers?|ed)|arrows?|criteri(?:on|a)"
    r"|(?:seen|shown|depicted|illustrated|visible|indicated) (?:in|by|at)|as in|box(?:es)?|frames?|phases?|scenario|patient"
    r"|case|parts?|points?|leads?|proteins?|categor(?:y|ies)|lines?|slices?|series|regions?|area|example:?|e\.g\.)\s*$",
    re.IGNORECASE,
)
_OPTION_BEFORE = re.compile(r"\b(?:options?|choices?|letters?)[\s_-]*$", re.IGNORECASE)


def marked(letters: Letters, denials: Sequence[Run]) -> list[Run]:
    """Letters in brackets, after "option", or before their own text, that nothing denies."""
    runs = list[Run]()
    for item in letters.each():
        before = letters.text[: item.start]
        sure = item.loud or item.told or _OPTION_BEFORE.search(before)
        if not sure or _NO_LETTER_AFTER.search(before) or _of_denied_words(letters, item.letter, item.start):
            continue
        run = letters.list_at(item.start)
        if run is not None and set(run.letters) <= letters.known and not overlaps(run, denials):
            runs.append(run)
    return runs


def lone(letters: Letters, denials: Sequence[Run]) -> list[Run]:
    """The one capital of a short reply that can be no article; nothing where others stand beside it undenied."""
    if len(words(letters.text)) > LONGEST_LONE:
        return []
    items = [one for one in letters.each() if not one.small and one.letter in letters.known]
    items = [one for one in items if not _of_denied_words(letters, one.letter, one.start)]
    runs = [run for item in items if (run := letters.run(item.start)) is not None]
    kept = [one for one in runs if not overlaps(one, denials) and not _NO_LETTER_AFTER.search(letters.text[: one.start])]
    found = {letter for one in kept for letter in one.letters}
    others = [one for one in items if one.letter not in found and one.letter != "A"]
    return [] if any(not _within(denials, one.start) for one in others) else kept


def _of_denied_words(letters: Letters, letter: str, start: int) -> bool:
    """Whether a letter only belongs to words before it that are denied: "no sign of pneumonia (B)"."""
    for named in letters.texts.within(letters.text[:start]):
        if named.letters == (letter,) and not letters.text[named.end : start].strip(" *"):
            return words_denied(letters.text, named.start, named.end)
    return False


def _within(denials: Sequence[Run], place: int) -> bool:
    return any(one.start <= place < one.end for one in denials)
