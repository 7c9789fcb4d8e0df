"""Which cells together have every element of a target, while none of them has all.

    fixed-modality        [M, A, t'] + [M, a', T] → [M, A, T]     both have the modality; one gives the area, one the task
    fixed-area, fixed-task                                        the same for the other two
    modality-area-pair    [M, A, t'] + [m', a', T] → [M, A, T]    nothing is in both; one gives two elements, one the third
    modality-task-pair, area-task-pair                            the same for the other two
    three-elements        [M, a', t'] + [m', A, t''] + [m'', a'', T] → [M, A, T]

With an added element (population, label) there are four: what both have stays fixed, as in `fixed-modality-area-task`, where
one part has the target's triplet in another population and the other the target's population in another triplet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product

from .elements import Cell, elements_of, shared

THREE = "three-elements"


@dataclass(frozen=True, slots=True)
class Combination:
    """Cells that are related to a target, and how."""

    direction: str
    parts: tuple[str, ...]
    """Names of cells; the one that shares more comes first, or else the one that gives the earlier element."""
    gives: tuple[tuple[str, ...], ...]
    """What each part shares with the target, in the order of the elements."""
    target: str


def related(target: Cell, cells: Sequence[Cell], *, most: int = 2) -> list[Combination]:
    """Every combination of two cells for a target, and with `most` 3 of three, in the order of the cells."""
    every = elements_of(target)
    having = {one.name: (one, shared(one, target)) for one in cells if one.name != target.name}
    some = [(one, found) for one, found in having.values() if found and len(found) < len(every)]
    found = [_pair(target, *pair) for pair in combinations(some, 2) if len(pair[0][1] | pair[1][1]) == len(every)]
    return [*found, *(_threes(target, some) if most > 2 else ())]


def direction_of(one: frozenset[str], other: frozenset[str], order: Sequence[str]) -> str:
    """What the direction is called in which two cells with these elements meet."""
    both = [name for name in order if name in one & other]
    if both:
        return "-".join(("fixed", *both))
    more = max((one, other), key=len)
    return "-".join((*(name for name in order if name in more), "pair"))


def directions(order: Sequence[str]) -> list[str]:
    """Every name that a direction can have among some elements."""
    parts = [frozenset(some) for size in range(1, len(order)) for some in combinations(order, size)]
    pairs = [pair for pair in combinations(parts, 2) if len(pair[0] | pair[1]) == len(order)]
    return [*dict.fromkeys(direction_of(*pair, order) for pair in pairs), THREE]


def _pair(target: Cell, *some: tuple[Cell, frozenset[str]]) -> Combination:
    order = elements_of(target)
    first, second = sorted(some, key=lambda one: (-len(one[1]), [order.index(name) for name in _listed(one[1], order)]))
    return Combination(
        direction=direction_of(first[1], second[1], order),
        parts=(first[0].name, second[0].name),
        gives=(_listed(first[1], order), _listed(second[1], order)),
        target=target.name,
    )


def _threes(target: Cell, some: Sequence[tuple[Cell, frozenset[str]]]) -> Iterator[Combination]:
    order = elements_of(target)
    if len(order) != 3:
        return
    alone = [[cell.name for cell, found in some if found == {name}] for name in order]
    for parts in product(*alone):
        yield Combination(THREE, parts, tuple((name,) for name in order), target.name)


def _listed(found: frozenset[str], order: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in order if name in found)
