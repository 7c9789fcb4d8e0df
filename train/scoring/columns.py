"""Scored replies as arrays: a column per measure, and for each word of the lexical tree who belongs to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from .measures import POOLED
from .scored import Scored

Word = TypeVar("Word", str, tuple[str, ...])
FACETS = (
    "modality",
    "area",
    "task",
    "subset",
    "department",
    "clinical_task",
    "granularity",
    "source",
    "kind",
    "perspective",
    "rule",
    "label",
)
"""By what results are told apart. A reply belongs to each of the labels of its question."""
TREE = ("modality", "clinical_task", "department", "granularity")
"""The levels of the lexical tree, outermost first (GMAI-MMBench's)."""


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """N replies; each of M measures is a ratio of sums of its `top` and `bottom`."""

    names: tuple[str, ...]
    top: np.ndarray
    """N×M float64: the value, or the tally that is divided."""
    bottom: np.ndarray
    """N×M float64: 1 where a reply has the measure, or the tally that divides; else 0."""
    has: np.ndarray
    """N×M bool: whether a reply has the measure at all (a cumulative IoU may have nothing to divide by)."""
    groups: np.ndarray
    """N names."""

    def of(self, rows: np.ndarray) -> Columns:
        """Some of the rows, and the measures that one of them has."""
        kept = np.flatnonzero(self.has[rows].any(axis=0))
        top, bottom, has = (part[np.ix_(rows, kept)] for part in (self.top, self.bottom, self.has))
        return Columns(tuple(self.names[place] for place in kept), top, bottom, has, self.groups[rows])


def columns(scored: Sequence[Scored]) -> Columns:
    """The measures of all replies, in the order in which they first appear, pooled ones last."""
    plain = list(dict.fromkeys(name for one in scored for name in one.measures))
    pooled = [name for name, (_, below) in POOLED.items() if any(below in one.tallies for one in scored)]
    top, bottom = np.zeros((2, len(scored), len(plain) + len(pooled)))
    has = np.zeros(top.shape, bool)
    for row, one in enumerate(scored):
        for column, name in enumerate(plain):
            if (value := one.measures.get(name)) is not None:
                top[row, column], bottom[row, column], has[row, column] = value, 1.0, True
        for column, name in enumerate(pooled, len(plain)):
            above, below = POOLED[name]
            if below in one.tallies:
                top[row, column], bottom[row, column], has[row, column] = one.tallies[above], one.tallies[below], True
    return Columns((*plain, *pooled), top, bottom, has, np.array([one.group for one in scored], dtype=object))


def words(one: Scored, facet: str) -> tuple[str, ...]:
    """What a reply is under a facet: one word, several labels, or nothing."""
    if facet == "label":
        return one.labels
    word = getattr(one, facet)
    return () if word is None else (str(word),)


def members(scored: Sequence[Scored], facet: str) -> dict[str, np.ndarray]:
    """Rows by word of a facet, the words sorted."""
    return _sorted((row, word) for row, one in enumerate(scored) for word in words(one, facet))


def paths(scored: Sequence[Scored], levels: Sequence[str] = TREE) -> dict[tuple[str, ...], np.ndarray]:
    """Rows by path of the lexical tree, of every depth, sorted so that a branch stands before what is on it."""
    whole = (tuple(str(getattr(one, level)) for level in levels) for one in scored)
    return _sorted((row, path[: depth + 1]) for row, path in enumerate(whole) for depth in range(len(levels)))


def _sorted(pairs: Iterable[tuple[int, Word]]) -> dict[Word, np.ndarray]:
    rows: dict[Word, list[int]] = {}
    for row, word in pairs:
        rows.setdefault(word, []).append(row)
    return {word: np.array(rows[word], np.intp) for word in sorted(rows)}
