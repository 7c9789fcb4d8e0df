"""Which labels a text names: by canonical name, alias or MeSH term, in the singular or plural, however spaced and cased.

Short abbreviations in capitals ("AML", "DR") count only in capitals: "all" is a word, "ALL" a leukemia.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import accumulate, islice

from ...schema.labels.table import Entry, table

_TOKEN = re.compile(r"[^\W_]+")
_SHORT = 5
"""Up to here an abbreviation counts only as it is written."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A label at a place of a text."""

    label_id: str
    start: int
    end: int
    """Characters, half-open."""


def mentions(text: str) -> list[Mention]:
    """The labels that a text names, in order; of names within each other only the longest ("lung" in "lung cancer")."""
    found = list(_all_mentions(text))
    return [one for one in found if not any(_within(one, other) for other in found)] if len(found) > 1 else found


@lru_cache(1 << 14)
def named(text: str) -> frozenset[str]:
    """Ids of the labels that a text names."""
    return frozenset(one.label_id for one in mentions(text))


@lru_cache(1 << 14)
def bag(text: str) -> frozenset[str]:
    """The words of a text, case folded, without the -s of a plural."""
    return frozenset(_singular(word) for word in _TOKEN.findall(text.casefold()))


def holds(text: str, phrase: str) -> bool:
    """Whether a text holds a phrase word by word; plurals count."""
    return bool(phrase) and bag(phrase) <= bag(text) and line(phrase) in line(text)


@cache
def names_of(label_id: str) -> tuple[str, ...]:
    """Everything that a canonical label is called, its name first; nothing for a user's own label."""
    entry = table().find(label_id)
    return () if entry is None else _names(entry)


@cache
def wider(label_id: str) -> frozenset[str]:
    """The label id and those of everything above it."""
    entry = table().find(label_id)
    if entry is None:
        return frozenset({label_id})
    return frozenset(table().id_of(name) for name in (entry.name, *table().ancestors(entry.name)))


def name_at(text: str, start: int) -> Mention | None:
    """The longest name that begins at a place of a text, which is the beginning of a word."""
    found = list(_names_at(list(islice(_TOKEN.finditer(text, start), _index()[2]))))
    return found[-1] if found and found[-1].start == start else None


def _all_mentions(text: str) -> Iterator[Mention]:
    tokens = list(_TOKEN.finditer(text))
    longest, starts = _index()[2:]
    for place, first in enumerate(tokens):
        if _singular(first.group().casefold()) in starts:
            yield from _names_at(tokens[place : place + longest])


def _names_at(tokens: Sequence[re.Match[str]]) -> Iterator[Mention]:
    """The names that begin with the first of some words, the shortest first."""
    exact, folded, *_ = _index()
    joined = ""
    for token in tokens:
        joined += token.group()
        label_id = exact.get(joined) or _folded(folded, joined.casefold())
        if label_id is not None:
            yield Mention(label_id, tokens[0].start(), token.end())


def _folded(index: dict[str, str], word: str) -> str | None:
    found = index.get(word)
    return index.get(word[:-1]) if found is None and len(word) > 3 and word.endswith("s") else found


def _within(one: Mention, other: Mention) -> bool:
    return other.start <= one.start and one.end <= other.end and other.end - other.start > one.end - one.start


@lru_cache(1 << 14)
def line(text: str) -> str:
    """The words of a text in their order between blanks, case folded, without the -s of a plural."""
    return f" {' '.join(_singular(word) for word in _TOKEN.findall(text.casefold()))} "


def _singular(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


@cache
def _index() -> tuple[dict[str, str], dict[str, str], int, frozenset[str]]:
    """Joined words as written → id, joined words case folded → id, words of the longest name, what a name may begin with."""
    exact: dict[str, str] = {}
    folded: dict[str, str] = {}
    longest, starts = 1, set[str]()
    for entry in table():
        for name in _names(entry):
            tokens = _TOKEN.findall(name)
            joined, longest = "".join(tokens), max(longest, len(tokens))
            short = len(joined) <= _SHORT and sum(map(str.isupper, joined)) > 1
            (exact if short else folded).setdefault(joined if short else joined.casefold(), table().id_of(entry.name))
            starts |= {_singular(start.casefold()) for start in accumulate(tokens)}
    return exact, folded, longest, frozenset(starts)


def _names(entry: Entry) -> tuple[str, ...]:
    descriptor = table().descriptors.get(entry.mesh) if entry.mesh else None
    owned = descriptor is not None and table().id_of(entry.name) == f"mesh:{entry.mesh}"
    return (*entry.words, *(descriptor.words if descriptor is not None and owned else ()))
