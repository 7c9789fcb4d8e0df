"""How surprising a number of hits is under chance, and what is left of that where many numbers are looked at."""

from __future__ import annotations

import math
from collections.abc import Sequence


def at_least(hits: int, trials: int, chance: float) -> float:
    """The exact probability of so many hits or more by chance: the binomial's upper tail.

    Where the trials' chances differ, `chance` is their mean; above the mean the tail is then never too small, since
    trials of equal chance scatter most (Hoeffding 1956).
    """
    if hits <= 0:
        return 1.0
    if chance >= 1 or hits > trials:
        return 1.0 if hits <= trials else 0.0
    logs = [_log_share(count, trials, chance) for count in range(hits, trials + 1)]
    most = max(logs)
    return min(1.0, math.exp(most) * math.fsum(math.exp(one - most) for one in logs))


def holm(values: Sequence[float]) -> list[float]:
    """Probabilities adjusted so that all together err no more often than one (Holm 1979), in the order given."""
    order = sorted(range(len(values)), key=values.__getitem__)
    adjusted, floor = [0.0] * len(values), 0.0
    for rank, place in enumerate(order):
        floor = max(floor, min(1.0, (len(values) - rank) * values[place]))
        adjusted[place] = floor
    return adjusted


def _log_share(hits: int, trials: int, chance: float) -> float:
    """Logarithm of the probability of exactly so many hits."""
    ways = math.lgamma(trials + 1) - math.lgamma(hits + 1) - math.lgamma(trials - hits + 1)
    return ways + hits * math.log(chance) + (trials - hits) * math.log1p(-chance)
