"""The text-only baseline: how far a suite's choices can be answered without their pictures.

Each guesser of `guesses.py` learns from the training split and is tried on the others; where a suite has but one of the
two, on two halves of its samples in turn. A blind guess is right once in the ways to pick as many options as are right:
once in four for a single choice of four. Accuracies are tested one-sided against that, by the exact binomial tail, with
Holm's correction over all guessers and suites. Questions of one sample may stand or fall together; where they do, fewer
trials are counted than there are questions (`trials`, by the design effect of cluster samples, never below 1). What is
flagged `mixed-in` needs no picture by design, and stays out, as do questions whose answers are withheld.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import comb
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ...schema.errors import UsageError
from .guesses import GUESSERS, Choice, Learn, right
from .significance import at_least, holm

LEVEL = 0.05
_MOST = 200_000
"""Questions of a suite that are read into memory; of more, those with the lowest ids, which are hashes."""
_COLUMNS = ["id", "key", "suite", "rule", "subset", "granularity", "split", "question", "options", "letters", "flags"]
_HASHES = 1 << 64


def report(paths: Iterable[Path | str], *, balanced: bool = False, crossed: bool = False) -> dict[str, Any]:
    """What each guesser reaches on each suite, as plain data.

    `suites` holds per suite the numbers of questions, of those learned from and tried, the chance of a blind guess, and per
    guesser `hits`, `accuracy`, `trials`, `p`, `adjusted` (Holm) and `above_chance`; `passed` says that none is above chance.

    Args:
        paths: Folders of question sets, as `questions/<suite>` of a release, or Parquet files of them.
        balanced: Whether to keep, of the questions with the same options, equally many for each answer. What common labels
            tell is then out of play, and what is left is the rules' own doing.
        crossed: Whether to try every question, on two halves of the samples in turn, whatever their splits: for suites that
            are even in training too.

    Raises:
        UsageError: there is no file, or no choice with an answer in them.
    """
    suites = {name: _Tried(choices, balanced=balanced, crossed=crossed) for name, choices in sorted(_suites(paths).items())}
    found = {name: one.result() for name, one in suites.items() if one.tried}
    if not found:
        raise UsageError("no choice with its answer in the question files; expected a suite with choices, not withheld")
    tests = [guess for one in found.values() for guess in one["guessers"].values()]
    for guess, adjusted in zip(tests, holm([one["p"] for one in tests]), strict=True):
        guess |= {"adjusted": adjusted, "above_chance": adjusted < LEVEL}
    passed = not any(one["above_chance"] for one in tests)
    return {"level": LEVEL, "tests": len(tests), "passed": passed, "balanced": balanced, "suites": found}


class _Tried:
    """A suite's choices, parted into what is learned from and what is tried."""

    def __init__(self, choices: Sequence[tuple[str, Choice]], *, balanced: bool, crossed: bool):
        self.count = len(choices)
        train = [one for split, one in choices if split == "train"]
        held = [one for split, one in choices if split != "train"]
        self.halved = crossed or not (train and held)
        halves = [[one for _, one in choices if _half(one) == side] for side in (0, 1)]
        turns = [(halves[0], halves[1]), (halves[1], halves[0])] if self.halved else [(train, held)]
        self.turns = [(_even(learned), _even(tried)) for learned, tried in turns] if balanced else turns
        self.tried = [one for _, some in self.turns for one in some]

    def result(self) -> dict[str, Any]:
        """Numbers and guessers, not yet adjusted."""
        chance = sum(one.by_chance for one in self.tried) / len(self.tried)
        return {
            "questions": self.count,
            "learned": sum(len(learned) for learned, _ in self.turns),
            "tried": len(self.tried),
            "parts": "two halves in turn" if self.halved else "learned on train, tried on the other splits",
            "chance": chance,
            "guessers": {name: self._guess(learn, chance) for name, learn in GUESSERS.items()},
        }

    def _guess(self, learn: Learn, chance: float) -> dict[str, Any]:
        hits: list[bool] = []
        for learned, tried in self.turns:
            scores = learn(learned)
            hits += [right(one, scores) for one in tried]
        accuracy, trials = sum(hits) / len(hits), int(len(hits) / self._effect(hits))
        p = at_least(round(accuracy * trials), trials, chance)
        return {"hits": sum(hits), "accuracy": accuracy, "trials": trials, "p": p}

    def _effect(self, hits: Sequence[bool]) -> float:
        """By how much the hits of samples scatter more than those of questions alone would: 1 or more."""
        bias = sum(hits) / len(hits) - sum(one.by_chance for one in self.tried) / len(self.tried)
        off: dict[str, float] = {}
        for one, hit in zip(self.tried, hits, strict=True):
            off[one.key] = off.get(one.key, 0.0) + hit - one.by_chance - bias
        alone = sum(one.by_chance * (1 - one.by_chance) for one in self.tried)
        return max(1.0, sum(each * each for each in off.values()) / alone)


def _suites(paths: Iterable[Path | str]) -> dict[str, list[tuple[str, Choice]]]:
    """Split and choice of each question, by suite, in the order of their ids."""
    files = sorted({file for path in map(Path, paths) for file in ([path] if path.is_file() else path.rglob("*.parquet"))})
    if not files:
        raise UsageError("no question files; expected questions/<suite> of a release, or Parquet files of it")
    share = min(1.0, _MOST / max(sum(pq.read_metadata(file).num_rows for file in files), 1))
    suites: dict[str, list[tuple[str, Choice]]] = {}
    for row in _rows(files):
        if int(row["id"].removeprefix("q-"), 16) < share * _HASHES and (choice := _choice(row)) is not None:
            suites.setdefault(row["suite"], []).append((row["split"], choice))
    return {name: sorted(some, key=lambda one: one[1].id) for name, some in suites.items()}


def _rows(files: Iterable[Path]) -> Iterator[dict[str, Any]]:
    for path in files:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(1 << 13, columns=_COLUMNS):
                yield from batch.to_pylist()


def _choice(row: dict[str, Any]) -> Choice | None:
    """The choice of a row; None where there is nothing to guess."""
    letters = [one["letter"] for one in row["options"]]
    places = frozenset(letters.index(letter) for letter in row["letters"])
    if len(letters) < 2 or not 0 < len(places) < len(letters) or "mixed-in" in row["flags"]:
        return None
    texts = tuple(one["text"] for one in row["options"])
    group = (row["rule"], row["subset"], row["granularity"])
    return Choice(row["id"], row["key"], group, row["question"], texts, places)


def _even(choices: Iterable[Choice]) -> list[Choice]:
    """Of choices with the same options in whatever order, equally many for each answer: as many as the rarest has."""
    answers: dict[Any, dict[frozenset[str], list[Choice]]] = {}
    for one in choices:
        answer = frozenset(one.options[place] for place in one.right)
        answers.setdefault((one.group, frozenset(one.options), len(answer)), {}).setdefault(answer, []).append(one)
    kept = []
    for (_, options, count), some in answers.items():
        least = min(map(len, some.values())) if len(some) == comb(len(options), count) else 0
        kept += [one for same in some.values() for one in same[:least]]
    return sorted(kept, key=lambda one: one.id)


def _half(choice: Choice) -> int:
    """0 or 1, the same for all questions of a sample."""
    return sum(choice.key.encode()) % 2
