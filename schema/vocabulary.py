"""A closed vocabulary: terms with codes, names and aliases, in a tree, and how a printed word finds its term.

Spelling is forgiven (case, spaces, hyphens, underscores), meaning isn't: a word stands for one term or for none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from .errors import UsageError

_JOINERS = re.compile(r"[\s_\-\u2010-\u2015\u2212]+")


@dataclass(frozen=True)
class Term:
    """One member of a vocabulary."""

    code: str
    """What records and facts hold."""
    name: str
    """What people read."""
    parent: str | None = None
    """The code of the wider term; None at a root."""
    aliases: tuple[str, ...] = ()
    """Other words for it, as papers and headers print them."""
    ours: bool = False
    """True where no paper or standard lists the term and its place is our own reading."""

    @property
    def words(self) -> tuple[str, ...]:
        """Code, name and aliases: everything that finds this term."""
        return (self.code, self.name, *self.aliases)


class Vocabulary:
    """A closed set of terms of one `kind` ("modality", "task", …), iterated in the order of its table.

    Raises:
        UsageError: A code stands twice, a parent is missing or its own descendant, or a word means two terms.
    """

    def __init__(self, kind: str, terms: Iterable[Term]):
        self.kind = kind
        self._by_code = self._codes(terms)
        self._check_parents()
        self._by_word = self._words()

    def __getitem__(self, code: str) -> Term:
        if code not in self._by_code:
            raise UsageError(self._unknown_code(code))
        return self._by_code[code]

    def __contains__(self, code: object) -> bool:
        return code in self._by_code

    def __iter__(self) -> Iterator[Term]:
        return iter(self._by_code.values())

    def __len__(self) -> int:
        return len(self._by_code)

    def __repr__(self) -> str:
        return f"Vocabulary({self.kind!r}, {len(self)} terms)"

    @property
    def codes(self) -> tuple[str, ...]:
        """All codes, in the order of the table."""
        return tuple(self._by_code)

    def find(self, word: str) -> Term:
        """The term that a code, name or alias stands for, whatever its case, spaces, hyphens and underscores.

        Raises:
            UsageError: No term has this word; the message names the closest ones.
        """
        term = self._by_word.get(fold(word))
        if term is None:
            raise UsageError(f"{self.kind} {word!r} is unknown; expected {self._expected(word)}")
        return term

    def ancestors(self, code: str) -> tuple[Term, ...]:
        """The wider terms, nearest first, without the term itself."""
        wider = []
        parent = self[code].parent
        while parent is not None:
            wider.append(self[parent])
            parent = wider[-1].parent
        return tuple(wider)

    def root(self, code: str) -> Term:
        """The widest term above `code`; a root is its own."""
        return (self[code], *self.ancestors(code))[-1]

    def children(self, code: str) -> tuple[Term, ...]:
        """The terms directly below, in the order of the table."""
        parent = self[code].code
        return tuple(term for term in self if term.parent == parent)

    def descendants(self, code: str) -> tuple[Term, ...]:
        """All terms below, depth first, without the term itself."""
        return tuple(term for child in self.children(code) for term in (child, *self.descendants(child.code)))

    def is_a(self, code: str, ancestor: str) -> bool:
        """Whether `code` is `ancestor` or stands below it."""
        wider = self[ancestor]
        return wider in (self[code], *self.ancestors(code))

    def _codes(self, terms: Iterable[Term]) -> dict[str, Term]:
        by_code: dict[str, Term] = {}
        for term in terms:
            if term.code in by_code:
                raise UsageError(f"{self.kind} vocabulary: code {term.code!r} stands twice; expected one term per code")
            by_code[term.code] = term
        return by_code

    def _check_parents(self) -> None:
        for term in self:
            passed = {term.code}
            parent = term.parent
            while parent is not None:
                if parent not in self:
                    raise UsageError(f"{self.kind} {term.code!r}: parent {parent!r} is no code of this vocabulary")
                if parent in passed:
                    raise UsageError(f"{self.kind} {term.code!r}: {parent!r} is its own ancestor; expected a tree")
                passed.add(parent)
                parent = self[parent].parent

    def _words(self) -> dict[str, Term]:
        by_word: dict[str, Term] = {}
        for term in self:
            for word in term.words:
                other = by_word.setdefault(fold(word), term)
                if not fold(word):
                    raise UsageError(f"{self.kind} {term.code!r}: the word {word!r} says nothing")
                if other is not term:
                    raise UsageError(f"{self.kind} word {word!r} means both {other.code!r} and {term.code!r}")
        return by_word

    def _unknown_code(self, code: str) -> str:
        term = self._by_word.get(fold(code))
        expected = f"its code, {term.code!r}" if term else self._expected(code)
        return f"{self.kind} {code!r} is no code; expected {expected}"

    def _expected(self, word: str) -> str:
        close = get_close_matches(fold(word), self._by_word, n=5, cutoff=0.6)
        terms = list(dict.fromkeys(self._by_word[match] for match in close))[:3]
        if terms:
            return "perhaps " + " or ".join(f"{term.code!r} ({term.name})" for term in terms)
        roots = [term.code for term in self if term.parent is None]
        return "one of " + ", ".join(roots) + (", or a term below them" if len(roots) < len(self) else "")


def fold(word: str) -> str:
    """The form in which words are compared: case folded, without spaces, hyphens, dashes and underscores."""
    return _JOINERS.sub("", word.casefold())


def slug(text: str) -> str:
    """Lower-case ASCII words joined by single hyphens, for names of subsets, folders and keys; it holds no dot.

    Raises:
        UsageError: No ASCII letter or digit is left.
    """
    ascii_text = unicodedata.normalize("NFKD", text.casefold()).encode("ascii", "ignore").decode()
    kebab = "-".join(re.findall(r"[a-z0-9]+", ascii_text.lower()))
    if not kebab:
        raise UsageError(f"{text!r} has no ASCII letter or digit; expected a word that can name a file")
    return kebab
