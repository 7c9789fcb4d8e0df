"""The conditions under which a target is tried, and which of them are set against each other.

A condition is what is trained on: some cells under one budget of samples, or several such. **Baseline** is the untrained
model. **Baseline+** is trained on as many samples of cells that are unrelated: that share no element with the target (with
`unrelated="fixed"`, none but those that a combination keeps fixed), and are near it in none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .combinations import Combination
from .drawing import Guard, available
from .elements import Cell, elements_of, shared, unrelated
from .holdings import Holding

GROUPS = ("combinations", "data", "without", "sizes", "tasks")
GAIN, LOSS, NONE = "gain", "loss", "none"
UNTRAINED, UNRELATED, RELATED = "untrained", "unrelated", "related"


@dataclass(frozen=True, slots=True)
class Condition:
    """What a model is trained on before it is tested on the target."""

    name: str
    draws: tuple[tuple[tuple[str, ...], int], ...] = ()
    """Names of cells, and how many samples are drawn of them together; empty for the untrained model."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two conditions that are set against each other, and what composition would lead one to expect."""

    group: str
    name: str
    arm: Condition
    against: Condition
    expects: str
    """`gain`, `loss` or `none` of the arm."""
    direction: str = ""
    parts: tuple[str, ...] = ()
    size: int | None = None
    """Where it is a point of a curve: samples of the target that are trained on."""


@dataclass(frozen=True, eq=False)
class Trial:
    """All that the conditions of one target are made of."""

    target: Cell
    every: Mapping[str, Holding]
    combined: Sequence[Combination]
    guard: Guard
    budget: int | None
    sizes: tuple[int, ...]
    may_share: bool
    """Whether unrelated cells may share what a combination keeps fixed."""

    @property
    def others(self) -> list[Cell]:
        """Every cell but the target and those that have all its elements."""
        whole = len(elements_of(self.target))
        return [one.cell for one in self.every.values() if len(shared(one.cell, self.target)) < whole]

    @property
    def related(self) -> tuple[str, ...]:
        """Cells that stand in a combination."""
        return tuple(sorted({name for one in self.combined for name in one.parts}))

    def unrelated(self, one: Combination | None = None) -> tuple[str, ...]:
        """Cells without an element of the target, or of what the combination doesn't keep fixed."""
        fixed = frozenset[str]()
        if one is not None and self.may_share:
            fixed = frozenset(one.gives[0]).intersection(*map(frozenset, one.gives[1:]))
        return tuple(cell.name for cell in unrelated(self.others, self.target, may_share=fixed))

    def room(self, names: Sequence[str]) -> int:
        """How many samples of some cells may train."""
        return available([self.every[name] for name in names], self.guard)

    def common(self, *some: Sequence[str]) -> int:
        """The budget that all of some lists of cells can meet, those that have samples."""
        most = min(filter(None, map(self.room, some)), default=0)
        return most if self.budget is None else self.budget

    def drawn(self, name: str, names: Sequence[str], budget: int) -> Condition:
        """A condition of one draw."""
        return Condition(name, ((tuple(names), budget),))


def comparisons(trial: Trial, groups: Sequence[str]) -> Iterator[Comparison]:
    """The comparisons of some groups, those of the paper's Table 3 first."""
    makers = {"combinations": _combinations, "data": _data, "without": _without, "sizes": _sizes, "tasks": _tasks}
    for name in GROUPS:
        if name in groups:
            yield from makers[name](trial)


def feasible(trial: Trial, one: Condition) -> str | None:
    """Why a condition can't be had; None where it can."""
    for names, budget in one.draws:
        if not names:
            return "no cell of this release is what it needs"
        if (room := trial.room(names)) < budget or not budget:
            return f"{room} samples of {', '.join(names[:3])}{' …' if len(names) > 3 else ''} may train; expected {budget or 1}"
    return None


def _combinations(trial: Trial) -> Iterator[Comparison]:
    for one in trial.combined:
        plain = trial.unrelated(one)
        budget = trial.common(one.parts, plain)
        arm, against = trial.drawn(RELATED, one.parts, budget), trial.drawn(UNRELATED, plain, budget)
        yield Comparison("combinations", " + ".join(one.parts), arm, against, GAIN, one.direction, one.parts)


def _data(trial: Trial) -> Iterator[Comparison]:
    every, plain = [one.name for one in trial.others if trial.related], trial.unrelated()
    budget = trial.common(every, trial.related, plain)
    against = trial.drawn(UNRELATED, plain, budget)
    yield Comparison("data", "all related", trial.drawn("all related", trial.related, budget), against, GAIN)
    yield Comparison("data", "all", trial.drawn("all", every, budget), against, GAIN)
    yield Comparison("data", "unrelated", against, Condition(UNTRAINED), NONE)


def _without(trial: Trial) -> Iterator[Comparison]:
    having = {name: shared(trial.every[name].cell, trial.target) for name in trial.related}
    every = {one: [name for name, own in having.items() if one not in own] for one in elements_of(trial.target)}
    budget = trial.common(trial.related, *every.values())
    for element, left in every.items():
        arm = trial.drawn(f"related without {element}", left, budget)
        whole = trial.drawn("all related", trial.related, budget)
        yield Comparison("without", f"without {element}", arm, whole, LOSS)


def _sizes(trial: Trial) -> Iterator[Comparison]:
    own, more = (trial.target.name,), trial.budget or trial.room(trial.related)
    for size in trial.sizes:
        alone = Condition("target", ((own, size),))
        both = Condition("target and related", ((own, size), (trial.related, more)))
        yield Comparison("sizes", f"{size} of the target, with related", both, alone, GAIN, size=size)
        plain = trial.drawn(UNRELATED, trial.unrelated(), size)
        arm = trial.drawn("all related", trial.related, size)
        yield Comparison("sizes", f"{size} related, none of the target", arm, plain, GAIN, size=size)


def _tasks(trial: Trial) -> Iterator[Comparison]:
    own, others = (trial.target.name,), tuple(one.name for one in trial.others)
    size = trial.room(own) if trial.budget is None else min(trial.budget, trial.room(own))
    single = Condition("single task", ((own, size),))
    multi = Condition("multi-task", ((own, size), (others, trial.budget or trial.room(others))))
    yield Comparison("tasks", "multi-task", multi, single, GAIN)
