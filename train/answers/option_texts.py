"""Options found in a reply by their words.

Words are compared case folded, in the singular and in American spelling, without accents and articles; signs that tell
options apart (< > + %) count as words. A text in brackets at an option's end may be left out. An option that is a canonical
label is also found by that label's other names. Words that two options share find neither.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from ...generation.validators.naming import names_of
from ...schema.labels.spelling import STAGES, forms
from ...schema.question import Option

_CJK = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(rf"[{_CJK}]|\d+(?:\.\d+)+|(?:(?![{_CJK}])[^\W_])+|[<>≤≥+%]|(?<=\w)-(?!\w)")
_POSSESSIVE = re.compile(r"'s\b")
_ARTICLES = frozenset({"a", "an", "the"})
_LAST_BRACKETS = re.compile(r"\s*\([^()]*\)\s*$")
Words = tuple[str, ...]
_SINGULAR = STAGES.index("plural")


@dataclass(frozen=True, slots=True)
class Named:
    """Options that a stretch of a text names: one, or all that share these words."""

    letters: tuple[str, ...]
    start: int
    end: int
    """Characters, half-open."""
    own: bool
    """Whether by an option's own text, not by another name of its label."""


@dataclass(frozen=True, slots=True)
class _Token:
    word: str
    start: int
    end: int


class OptionTexts:
    """The words of a question's options."""

    def __init__(self, options: Sequence[Option]):
        self._forms: dict[Words, tuple[str, ...]] = {}
        self._own = set[Words]()
        for option in options:
            for form in _own_forms(option.text):
                self._add(form, option.letter)
                self._own.add(form)
        for option in options:
            for form in map(words, names_of(option.label_id) if option.label_id else ()):
                if form not in self._own:
                    self._add(form, option.letter)
        self._longest = max(map(len, self._forms), default=0)

    def whole(self, text: str) -> Named | None:
        """The options whose words are all that a text says."""
        found = self._forms.get(words(text))
        return Named(found, 0, len(text), words(text) in self._own) if found else None

    def at(self, text: str, start: int) -> Named | None:
        """The options of the longest words that begin at a place, whatever signs stand before them."""
        tokens = _tokens(text)
        return self._longest_of(tokens, bisect_left(tokens, start, key=lambda token: token.start))

    def within(self, text: str) -> list[Named]:
        """All options that a text names, in order; of names within each other only the longest ("mass" in "lung mass")."""
        tokens, found, place = _tokens(text), list[Named](), 0
        while place < len(tokens):
            one = self._longest_of(tokens, place)
            if one is not None:
                found.append(one)
            place = bisect_left(tokens, one.end, key=lambda token: token.start) if one else place + 1
        return found

    def _longest_of(self, tokens: Sequence[_Token], place: int) -> Named | None:
        for length in range(min(self._longest, len(tokens) - place), 0, -1):
            form = tuple([token.word for token in tokens[place : place + length]])
            if letters := self._forms.get(form):
                return Named(letters, tokens[place].start, tokens[place + length - 1].end, form in self._own)
        return None

    def _add(self, form: Words, letter: str) -> None:
        if form and letter not in (known := self._forms.get(form, ())):
            self._forms[form] = (*known, letter)


def words(text: str) -> Words:
    """The words of a text as they are compared."""
    return tuple([token.word for token in _tokens(text)])


def _own_forms(text: str) -> tuple[Words, ...]:
    return tuple(dict.fromkeys((words(text), words(_LAST_BRACKETS.sub("", text)))))


@lru_cache(256)
def _tokens(text: str) -> tuple[_Token, ...]:
    """Words with their places; an article counts where it is the whole text, or marked like a letter ("A. mass")."""
    text = _POSSESSIVE.sub("  ", text)
    every = list(_TOKEN.finditer(text))
    kept = [one for one in every if len(every) == 1 or not _is_article(one, text)]
    return tuple([_Token(_word(one[0]), one.start(), one.end()) for one in kept])


def _is_article(found: re.Match[str], text: str) -> bool:
    return found[0].casefold() in _ARTICLES and text[found.end() : found.end() + 1] in (" ", "")


@lru_cache(1 << 14)
def _word(word: str) -> str:
    folded = word.casefold()
    bare = "".join(one for one in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(one)) or folded
    return forms(bare)[_SINGULAR] if bare.isascii() and bare.isalpha() and len(bare) > 3 else bare
