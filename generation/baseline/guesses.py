"""Ways to answer a choice from its text alone: what each of them learns, and how it scores the options.

A guesser is told how many options are right, and takes as many with the highest scores; equal scores are parted by a
hash of the question's id, so that nothing depends on an order.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice


@dataclass(frozen=True, slots=True)
class Choice:
    """A choice as its text shows it, and its right options."""

    id: str
    key: str
    group: tuple[str, ...]
    """What it has in common with the questions of its kind."""
    text: str
    options: tuple[str, ...]
    right: frozenset[int]
    """Places among the options."""

    @property
    def by_chance(self) -> float:
        """How likely a blind guess is exactly right."""
        return 1 / math.comb(len(self.options), len(self.right))


Scores = Callable[[Choice], Sequence[float]]
"""A score per option, higher where it looks more like an answer."""
Learn = Callable[[Sequence[Choice]], Scores]
_WORD = re.compile(r"\w+")
_SMOOTHING = 0.5
_MOST_READ = 20_000
"""Questions from which wording is learned: more make it slower, and no wiser."""


def right(choice: Choice, scores: Scores) -> bool:
    """Whether the options with the highest scores are exactly the right ones."""
    given = scores(choice)
    order = sorted(range(len(given)), key=lambda place: (-given[place], _lot(choice.id, place)))
    return choice.right == frozenset(order[: len(choice.right)])


def majority(learned: Sequence[Choice]) -> Scores:
    """The text that is the answer most often among questions of the same group."""
    counts = Counter((one.group, one.options[place]) for one in learned for place in one.right)
    return lambda choice: [counts[choice.group, text] for text in choice.options]


def position(learned: Sequence[Choice]) -> Scores:
    """The place where the answer stands most often, for this number of options."""
    counts = Counter((len(one.options), place) for one in learned for place in one.right)
    return lambda choice: [counts[len(choice.options), place] for place in range(len(choice.options))]


def longest(learned: Sequence[Choice]) -> Scores:
    """The longest text; nothing is learned."""
    return lambda choice: [len(text) for text in choice.options]


def shortest(learned: Sequence[Choice]) -> Scores:
    """The shortest text; nothing is learned."""
    return lambda choice: [-len(text) for text in choice.options]


def wording(learned: Sequence[Choice]) -> Scores:
    """What naive Bayes makes of an option's words, alone and each beside each word of the question."""
    counts: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    totals = Counter[bool]()
    for one in islice(learned, _MOST_READ):
        for place, features in enumerate(_features(one)):
            counts[place in one.right].update(features)
            totals[place in one.right] += 1
    return lambda choice: [sum(_weight(word, counts, totals) for word in features) for features in _features(choice)]


GUESSERS: dict[str, Learn] = {
    "majority": majority,
    "longest": longest,
    "shortest": shortest,
    "position": position,
    "wording": wording,
}
"""Name → how it learns; all see the same questions."""


def _weight(word: str, counts: dict[bool, Counter[str]], totals: Counter[bool]) -> float:
    """By how much a word speaks for an option, as a logarithm of odds; a word never seen says nothing."""
    seen = {held: counts[held][word] for held in (True, False)}
    if not any(seen.values()):
        return 0.0
    rates = {held: (seen[held] + _SMOOTHING) / (totals[held] + 2 * _SMOOTHING) for held in seen}
    return math.log(rates[True] / rates[False])


def _features(choice: Choice) -> Iterator[set[str]]:
    """Per option its words, its words beside the question's, and whether the question holds one of them."""
    asked = set(_words(choice.text))
    for text in choice.options:
        own = set(_words(text))
        beside = {f"{word} {other}" for word in asked for other in own}
        yield own | beside | ({" "} if own & asked else set())


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _lot(question_id: str, place: int) -> bytes:
    return blake2b(f"{question_id}\0{place}".encode(), digest_size=8).digest()
