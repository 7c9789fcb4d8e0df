"""How good chosen letters are: plain functions on the letters given and the letters that are right.

GMAI-MMBench (arXiv 2408.03361) scores a single choice by accuracy, and multiple choice per case by
ACC_mcq = n_match / len(prediction) and Recall_mcq = n_match / len(truth), where n_match counts predicted options that are
right: precision and recall of the two sets. It doesn't say what an empty prediction is worth; here it is 0. Over cases they
are averaged plainly; by label and subset in `summary.py`. What a guess gets: `chance.py`.
"""

from __future__ import annotations

from collections.abc import Collection


def accuracy(given: Collection[str], true: Collection[str]) -> float:
    """1 where exactly one letter is given and it is a right one, else 0."""
    chosen = set(given)
    return float(len(chosen) == 1 and chosen <= set(true))


def acc_mcq(given: Collection[str], true: Collection[str]) -> float:
    """Right letters among those given; 0 where none is given."""
    return _share(_match(given, true), len(set(given)))


def recall_mcq(given: Collection[str], true: Collection[str]) -> float:
    """Right letters that were given among all right ones; 0 where none is right."""
    return _share(_match(given, true), len(set(true)))


def f1_mcq(given: Collection[str], true: Collection[str]) -> float:
    """The harmonic mean of ACC_mcq and Recall_mcq (Dice of the two sets); 0 where both are empty."""
    return _share(2 * _match(given, true), len(set(given)) + len(set(true)))


def exact_mcq(given: Collection[str], true: Collection[str]) -> float:
    """1 where all right letters and no other are given, else 0; 0 also where nothing is right and nothing given."""
    return float(bool(set(true)) and set(given) == set(true))


def multiple_choice(given: Collection[str], true: Collection[str]) -> dict[str, float]:
    """The four measures of a multiple choice by the names of `measures.py`."""
    measures = (acc_mcq, recall_mcq, f1_mcq, exact_mcq)
    return {measure.__name__: measure(given, true) for measure in measures}


def _match(given: Collection[str], true: Collection[str]) -> int:
    return len(set(given) & set(true))


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
