"""Names found in texts, as people write them: singular or plural, however spaced, hyphenated and cased.

Short abbreviations in capitals ("AML", "DR") count only in capitals: "all" is a word, "ALL" a leukemia.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, islice

_TOKEN = re.compile(r"[^\W_]+")
_SHORT = 5
"""Up to here an abbreviation counts only as it is written."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A name at a place of a text."""

    meant: str
    """What the name stands for: a label id, or a code."""
    start: int
    end: int
    """Characters, half-open."""


class Names:
    """What names stand for, found in texts.

    Args:
        meanings: Name and what it stands for; of one name that comes twice, the first counts.
    """

    def __init__(self, meanings: Iterable[tuple[str, str]]):
        self._exact: dict[str, str] = {}
        self._folded: dict[str, str] = {}
        self._prefixes = set[str]()
        self._openings, self._endings = set[str](), set[str]()
        for name, meant in meanings:
            self._add(name, meant)

    def within(self, text: str) -> list[Mention]:
        """All names in a text, in order; of names within each other only the longest ("lung" in "lung cancer")."""
        if self._openings.isdisjoint(map(str.casefold, _TOKEN.findall(text))):
            return []
        found = list(self._all(text))
        return [one for one in found if not any(_inside(one, other) for other in found)] if len(found) > 1 else found

    def at(self, text: str, start: int) -> Mention | None:
        """The longest name that begins at a place of a text, which is the beginning of a word."""
        first = _TOKEN.match(text, start)
        if first is None or first.group().casefold() not in self._openings:
            return None
        found = list(self._beginning(_TOKEN.finditer(text, start)))
        return found[-1] if found else None

    def ending(self, text: str) -> list[Mention]:
        """Those names within a text that end with it."""
        words = _TOKEN.findall(text)
        if not words or words[-1].casefold() not in self._endings:
            return []
        return [one for one in self.within(text) if one.end == len(text)]

    def _add(self, name: str, meant: str) -> None:
        tokens = _TOKEN.findall(name)
        joined = "".join(tokens)
        short = len(joined) <= _SHORT and joined[1:] != joined[1:].lower()
        (self._exact if short else self._folded).setdefault(joined if short else joined.casefold(), meant)
        prefixes = {start.casefold() for start in accumulate(tokens)}
        self._prefixes |= prefixes
        self._openings |= _one_or_many(prefixes)
        endings = {joined[at:].casefold() for at in accumulate(map(len, tokens[:-1]), initial=0)}
        self._endings |= endings | {f"{end}s" for end in endings}

    def _all(self, text: str) -> Iterator[Mention]:
        tokens = list(_TOKEN.finditer(text))
        for place, first in enumerate(tokens):
            if first.group().casefold() in self._openings:
                yield from self._beginning(islice(tokens, place, None))

    def _beginning(self, tokens: Iterable[re.Match[str]]) -> Iterator[Mention]:
        """The names that begin with the first of some words, the shortest first."""
        joined, start = "", -1
        for token in tokens:
            joined += token.group()
            start = token.start() if start < 0 else start
            folded = joined.casefold()
            meant = self._exact.get(joined) or self._in_any_case(folded)
            if meant is not None:
                yield Mention(meant, start, token.end())
            if folded not in self._prefixes:
                return

    def _in_any_case(self, word: str) -> str | None:
        found = self._folded.get(word)
        return self._folded.get(word[:-1]) if found is None and len(word) > 3 and word.endswith("s") else found


def tokens_of(text: str) -> list[str]:
    """The words of a text in order, case folded, without the -s of a plural."""
    return [singular(word) for word in _TOKEN.findall(text.casefold())]


def singular(word: str) -> str:
    """A case-folded word without the -s of a plural."""
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


def _one_or_many(words: Iterable[str]) -> set[str]:
    """All case-folded words that have the singular of one of these."""
    singulars = {singular(word) for word in words}
    plurals = {f"{word}s" for word in singulars if len(word) >= 3}
    return plurals | {word for word in singulars if singular(word) == word}


def _inside(one: Mention, other: Mention) -> bool:
    return other.start <= one.start and one.end <= other.end and other.end - other.start > one.end - one.start
