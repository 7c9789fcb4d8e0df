"""Chance levels against all guesses written out."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from region_questions import choice, question

from medloom.train.scoring.chance import chance_of


@pytest.mark.parametrize(("options", "letters"), [(3, "AB"), (5, "BCDE"), (4, "ABCD"), (6, "AF"), (5, "A")])
def test_a_set_of_letters_by_chance(options: int, letters: str):
    every = [set(some) for size in range(2, options + 1) for some in combinations("ABCDEF"[:options], size)]
    true = set(letters)
    expected = {
        "acc_mcq": np.mean([len(some & true) / len(some) for some in every]),
        "recall_mcq": np.mean([len(some & true) / len(true) for some in every]),
        "f1_mcq": np.mean([2 * len(some & true) / (len(some) + len(true)) for some in every]),
        "exact_mcq": np.mean([some == true for some in every]),
    }
    assert chance_of(choice("multiple_choice", letters, options)) == pytest.approx(expected)


def test_one_letter_by_chance_and_nothing_elsewhere():
    assert chance_of(choice("single_choice", "B", 4)) == {"accuracy": 0.25}
    assert chance_of(question("grounding")) == {}
