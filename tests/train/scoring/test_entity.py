"""Names with their regions against all pairings written out."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medloom.train.scoring.entity import Hits, entity_hits, entity_tallies
from medloom.train.scoring.names import name_of

names = st.lists(st.sampled_from(["liver", "spleen", "left kidney", "kidney", ""]), max_size=4)


@given(data=st.data(), given_names=names, true=names.map(lambda some: [one or "liver" for one in some]))
@settings(deadline=None)
def test_hits_are_the_most_of_all_pairings(data, given_names: list[str], true: list[str]):
    size = len(given_names) * len(true)
    values = data.draw(st.lists(st.sampled_from([0.2, 0.5, 0.51, 1.0]), min_size=size, max_size=size))
    iou = np.array(values, float).reshape(len(given_names), len(true))
    ours, theirs = [name_of(one) for one in given_names], [name_of(one) for one in true]
    fits = [[one.means(other) and iou[a, b] > 0.5 for b, other in enumerate(theirs)] for a, one in enumerate(ours)]
    padded = [*range(len(theirs)), *[None] * len(ours)]
    most = max(
        sum(place is not None and fits[row][place] for row, place in enumerate(places))
        for places in set(permutations(padded, len(ours)))
    )
    found = entity_hits(ours, theirs, iou)
    assert found == Hits(most, len(ours), len(theirs))


def test_an_iou_of_half_is_no_hit():
    liver = [name_of("liver")]
    assert entity_hits(liver, liver, np.array([[0.5]])).hits == 0
    assert entity_hits(liver, liver, np.array([[0.500001]])).hits == 1


def test_the_right_place_with_the_wrong_name_is_no_hit():
    assert entity_hits([name_of("liver")], [name_of("spleen")], np.array([[1.0]])).f1 == 0.0


def test_f1_over_a_set_adds_up_counts():
    every = [Hits(1, 1, 1), Hits(0, 3, 1), Hits(1, 1, 2)]
    tallies = [entity_tallies(one, "entity") for one in every]
    whole = {name: sum(one[name] for one in tallies) for name in tallies[0]}
    precision, recall = whole["entity_hits"] / whole["entity_given"], whole["entity_hits"] / whole["entity_true"]
    f1 = whole["entity_twice_hits"] / whole["entity_both"]
    assert (precision, recall) == (2 / 5, 2 / 4)
    assert f1 == pytest.approx(2 * precision * recall / (precision + recall))
    assert Hits(0, 0, 0).f1 == 1.0
