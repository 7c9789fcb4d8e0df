"""Clusters: what joins groups, and what doesn't."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from medloom.schema.protocols.clusters import clusters, codes, components

EDGES = st.integers(1, 30).flatmap(
    lambda count: st.tuples(st.just(count), st.lists(st.tuples(*[st.integers(0, count - 1)] * 2), max_size=40))
)


def walked(count: int, edges: list[tuple[int, int]]) -> list[int]:
    """Components by spreading labels along edges until nothing changes."""
    smallest = list(range(count))
    while True:
        before = list(smallest)
        for one, other in edges:
            smallest[one] = smallest[other] = min(smallest[one], smallest[other])
        if smallest == before:
            return smallest


@given(EDGES)
def test_components_are_those_that_edges_reach(drawn: tuple[int, list[tuple[int, int]]]):
    count, edges = drawn
    ends = np.array(edges, int).reshape(-1, 2)
    assert components(count, ends[:, 0], ends[:, 1]).tolist() == walked(count, edges)


def test_a_long_chain_in_any_order_is_one():
    chain = np.random.default_rng(3).permutation(50_000)
    assert not components(len(chain), chain[:-1], chain[1:]).any()


@given(st.lists(st.one_of(st.none(), st.text(max_size=3))))
def test_codes_are_places_among_sorted_values(words: list[str | None]):
    numbers, values = codes(pa.chunked_array([words[:3], words[3:]], pa.string()))
    assert values.to_pylist() == sorted({word for word in words if word is not None}, key=lambda word: word.encode())
    assert [None if number < 0 else values[number].as_py() for number in numbers] == words


def joined(tables, pictures, linked=()) -> list[int]:
    return clusters(tables(pictures)[0], linked).of.tolist()


def test_equal_pixels_join_groups_unless_blank(tables):
    pair = [{"group": "1", "pixels": "x"}, {"group": "2", "pixels": "x"}]
    assert joined(tables, pair) == [0, 0]
    assert joined(tables, [one | {"blank": True} for one in pair]) == [0, 1]
    assert joined(tables, [pair[0] | {"blank": True}, pair[1]]) == [0, 1]


def test_a_group_is_one_whatever_its_pixels_and_belongs_to_its_collection(tables):
    assert joined(tables, [{"group": "1"}, {"group": "1"}, {"group": "1", "collection": "d"}]) == [0, 0, 1]


def test_links_join_also_through_a_group_that_has_no_samples(tables):
    pictures = [{"group": name} for name in "123"]
    assert joined(tables, pictures, [(("c", "1"), ("c", "3"))]) == [0, 1, 0]
    assert joined(tables, pictures, [(("c", "3"), ("gone", "9")), (("gone", "9"), ("c", "2"))]) == [0, 1, 1]


def test_an_excluded_copy_still_joins_its_groups(tables):
    patient = [{"group": "1", "pixels": "x"}, {"group": "2", "pixels": "x", "split": "excluded"}, {"group": "2"}]
    assert joined(tables, patient) == [0, 0, 0]


def test_a_cluster_is_named_by_its_smallest_group(tables):
    found = clusters(tables([{"group": "2"}, {"group": "1"}, {"group": "3"}])[0], [(("c", "2"), ("c", "1"))])
    assert found.names == ("c\x001", "c\x003")
    assert found.collections.tolist() == ["c", "c"]
