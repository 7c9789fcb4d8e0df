"""Unlike cases: against random choice on planted looks, and the turns of clusters, tiers and strata."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from medloom.schema.protocols.diverse import Candidates, bits, choose, hamming


def candidates(count: int, **given) -> Candidates:
    random = np.random.default_rng(5)
    own = {
        "bits": random.integers(0, 2**64, (count, 4), np.uint64),
        "cluster": np.arange(count),
        "tier": np.zeros(count, int),
        "stratum": np.zeros(count, int),
    }
    return Candidates(**{name: np.asarray(value) for name, value in (own | given).items()})


def planted(sizes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Hashes around one centre per size, at most a few bits off, and whose centre each is; shuffled."""
    random = np.random.default_rng(11)
    centres = random.integers(0, 2**64, (len(sizes), 4), np.uint64)
    look = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    flips = np.uint64(1) << random.integers(0, 64, (len(look), 4), np.uint64)
    return centres[look] ^ flips, look


def test_every_planted_look_is_found_where_random_choice_finds_few():
    hashes, look = planted([900, 400] + [4] * 28)
    chosen = choose(candidates(len(look), bits=hashes), 30)
    assert len(set(look[chosen])) == 30
    random = np.random.default_rng(2)
    drawn = [len(set(look[random.choice(len(look), 30, replace=False)])) for _ in range(50)]
    assert max(drawn) < 15


def test_the_nearest_two_are_farther_apart_than_at_random():
    some = candidates(400)

    def nearest(chosen: np.ndarray) -> int:
        return min(hamming(some.bits[chosen[:at]], some.bits[chosen[at]]).min() for at in range(1, len(chosen)))

    random = np.random.default_rng(2)
    assert nearest(choose(some, 20)) > max(nearest(random.choice(400, 20, replace=False)) for _ in range(20))


@given(st.lists(st.tuples(*[st.integers(0, 4)] * 2, st.integers(0, 1)), min_size=1, max_size=40), st.integers(1, 40))
def test_turns(rows: list[tuple[int, int, int]], count: int):
    cluster, stratum, tier = np.array(rows).T
    chosen = choose(candidates(len(rows), cluster=cluster, stratum=stratum, tier=tier), count)
    assert len(set(chosen.tolist())) == len(chosen) == min(count, len(rows))
    uses = [list(cluster[chosen[:at]]).count(cluster[one]) for at, one in enumerate(chosen)]
    assert uses == sorted(uses), "a cluster is used again only when all have been"
    firsts = [tier[one] for one, use in zip(chosen, uses, strict=True) if use == 0]
    held_out = len(set(cluster[tier == 0]))
    assert firsts[:held_out] == [0] * min(held_out, len(firsts))


def test_strata_are_served_in_turn():
    stratum = np.array([0] * 90 + [1] * 6 + [2] * 4)
    served = np.bincount(stratum[choose(candidates(100, stratum=stratum), 12)])
    assert served.tolist() == [4, 4, 4]
    assert np.bincount(stratum[choose(candidates(100, stratum=stratum), 30)]).tolist() == [20, 6, 4]


def test_distance_counts_bits_of_the_hex_digits():
    several = bits(["0" * 64, "f" * 64, "0" * 63 + "7", None])
    assert hamming(several, several[0]).tolist() == [0, 256, 3, 0]
