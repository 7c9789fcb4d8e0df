"""Combinations against a brute-force reading of their definition."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from medloom.schema.triplet import Triplet
from medloom.train.experiments.combinations import THREE, related
from medloom.train.experiments.elements import ELEMENTS, Cell, near, shared, unrelated

MODALITIES, AREAS = ("X-ray", "CT", "MRI"), ("lung", "brain", "bones", "chest")
TASKS = ("lung-cancer", "brain-cancer", "fracture", "level-identification", "tuberculosis")
TRIPLETS = st.builds(Triplet, st.sampled_from(MODALITIES), st.sampled_from(AREAS), st.sampled_from(TASKS))


def cells(triplets) -> list[Cell]:
    return [Cell(one.subset, one) for one in dict.fromkeys(triplets)]


@given(st.lists(TRIPLETS, min_size=2, max_size=12))
def test_pairs_are_those_that_together_have_every_element(triplets):
    some = cells(triplets)
    target, others = some[0], some[1:]
    wanted = set()
    for one, other in combinations(others, 2):
        own, theirs = shared(one, target), shared(other, target)
        if own | theirs == set(ELEMENTS) and len(own) < 3 and len(theirs) < 3:
            wanted.add(frozenset([one.name, other.name]))
    found = related(target, some)
    assert {frozenset(one.parts) for one in found} == wanted
    assert len(found) == len(wanted)


@given(st.lists(TRIPLETS, min_size=2, max_size=12))
def test_a_direction_says_what_stays_fixed(triplets):
    some = cells(triplets)
    for one in related(some[0], some):
        both = set(one.gives[0]) & set(one.gives[1])
        assert one.direction == (f"fixed-{both.pop()}" if both else f"{'-'.join(one.gives[0])}-pair")
        assert len(one.gives[0]) == 2


@given(st.lists(TRIPLETS, min_size=2, max_size=12))
def test_unrelated_cells_share_nothing_and_are_near_in_nothing(triplets):
    some = cells(triplets)
    for one in unrelated(some[1:], some[0]):
        assert not shared(one, some[0])
        assert not near(one, some[0])


def test_the_three_fixed_directions_and_the_pair():
    target = Cell("t", Triplet("X-ray", "lung", "lung-cancer"))
    some = {
        "area": Cell("area", Triplet("X-ray", "lung", "fracture")),
        "task": Cell("task", Triplet("X-ray", "brain", "brain-cancer")),
        "other": Cell("other", Triplet("CT", "lung", "lung-cancer")),
        "far": Cell("far", Triplet("CT", "brain", "brain-cancer")),
    }
    found = {frozenset(one.parts): one.direction for one in related(target, list(some.values()))}
    assert found == {
        frozenset({"area", "task"}): "fixed-modality",
        frozenset({"area", "other"}): "fixed-area",
        frozenset({"task", "other"}): "fixed-task",
        frozenset({"area", "far"}): "modality-area-pair",
    }


def test_three_cells_may_give_one_element_each():
    target = Cell("t", Triplet("X-ray", "lung", "lung-cancer"))
    some = [
        Cell("modality", Triplet("X-ray", "bones", "fracture")),
        Cell("area", Triplet("CT", "lung", "level-identification")),
        Cell("task", Triplet("MRI", "brain", "brain-cancer")),
    ]
    assert related(target, some) == []
    [found] = related(target, some, most=3)
    assert (found.direction, found.parts) == (THREE, ("modality", "area", "task"))


def test_detection_gives_place_and_never_the_task():
    target = Cell("t", Triplet("CT", "lung", "lung-cancer"))
    boxes = Cell("boxes", Triplet("CT", "lung", "lung-cancer"), asks="regions")
    classes = Cell("classes", Triplet("X-ray", "brain", "brain-cancer"))
    assert shared(boxes, target) == {"modality", "area"}
    [found] = related(target, [boxes, classes])
    assert (found.direction, found.parts) == ("modality-area-pair", ("boxes", "classes"))


def test_an_added_element_is_a_fourth():
    lung = Triplet("X-ray", "lung", "lung-cancer")
    children, adults = {"population": "children"}, {"population": "adults"}
    target = Cell("t", lung, children)
    grown, small = Cell("grown", lung, adults), Cell("small", Triplet("CT", "brain", "fracture"), children)
    [found] = related(target, [target, grown, small])
    assert found.parts == ("grown", "small")
    assert found.gives == (("modality", "area", "task"), ("population",))
    assert near(Cell("unsaid", lung), target) == {"population"}
