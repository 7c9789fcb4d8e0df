"""Measures of letters against scikit-learn and GMAI-MMBench's formulas."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, precision_score, recall_score
from sklearn.preprocessing import MultiLabelBinarizer

from medloom.train.scoring.choice import acc_mcq, accuracy, exact_mcq, f1_mcq, multiple_choice, recall_mcq

LETTERS = "ABCDEF"
given_sets = st.lists(st.sets(st.sampled_from(LETTERS)), min_size=1, max_size=20)
true_set = st.sets(st.sampled_from(LETTERS), min_size=1)


@given(given_sets, st.data())
def test_sets_agree_with_scikit_learn(given_sets: list[set[str]], data: st.DataObject):
    true = [data.draw(true_set) for _ in given_sets]
    binary = MultiLabelBinarizer(classes=list(LETTERS)).fit([LETTERS])
    ours, theirs = binary.transform(given_sets), binary.transform(true)
    pairs = list(zip(given_sets, true, strict=True))
    for measure, oracle in ((acc_mcq, precision_score), (recall_mcq, recall_score), (f1_mcq, f1_score)):
        mean = sum(measure(*pair) for pair in pairs) / len(pairs)
        assert mean == pytest.approx(oracle(theirs, ours, average="samples", zero_division=0))
    assert sum(exact_mcq(*pair) for pair in pairs) / len(pairs) == pytest.approx(accuracy_score(theirs, ours))


@given(st.lists(st.tuples(st.sampled_from("ABCD-"), st.sampled_from("ABCD")), min_size=1, max_size=40))
def test_single_letters_agree_with_scikit_learn(pairs: list[tuple[str, str]]):
    ours = ["" if one == "-" else one for one, _ in pairs]
    theirs = [other for _, other in pairs]
    right = [accuracy(one, other) for one, other in zip(ours, theirs, strict=True)]
    assert sum(right) / len(right) == pytest.approx(accuracy_score(theirs, ours))
    by_letter = [[hit for hit, other in zip(right, theirs, strict=True) if other == letter] for letter in sorted(set(theirs))]
    macro = sum(sum(hits) / len(hits) for hits in by_letter) / len(by_letter)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # letters that are never right count for nothing here as well
        assert macro == pytest.approx(balanced_accuracy_score(theirs, ours))


@given(st.sets(st.sampled_from(LETTERS)), true_set)
def test_gmais_formulas(given: set[str], true: set[str]):
    n_match = sum(one in true for one in given)
    assert acc_mcq(given, true) == (n_match / len(given) if given else 0)
    assert recall_mcq(given, true) == n_match / len(true)
    both = acc_mcq(given, true) + recall_mcq(given, true)
    assert f1_mcq(given, true) == pytest.approx(2 * acc_mcq(given, true) * recall_mcq(given, true) / both if both else 0)
    assert exact_mcq(given, true) == (acc_mcq(given, true) == recall_mcq(given, true) == 1)


def test_edges():
    assert multiple_choice((), ("A",)) == {"acc_mcq": 0, "recall_mcq": 0, "f1_mcq": 0, "exact_mcq": 0}
    assert multiple_choice((), ()) == {"acc_mcq": 0, "recall_mcq": 0, "f1_mcq": 0, "exact_mcq": 0}
    assert multiple_choice(("A", "A", "B"), ("A",)) == {
        "acc_mcq": 0.5,
        "recall_mcq": 1,
        "f1_mcq": pytest.approx(2 / 3),
        "exact_mcq": 0,
    }
    assert accuracy(("A", "B"), ("A",)) == accuracy((), ("A",)) == 0
    assert accuracy(["B"], ["B"]) == 1
