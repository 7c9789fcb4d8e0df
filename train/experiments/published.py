"""Which Med-MAT subsets the paper's 43 printed combinations are, and how they compare with our own enumeration.

Table 3 of the paper names subsets by two or three words ("Lung, COVID", "CT, Brain(State)"). Which subset is meant follows,
in this order, from modality and area; from the accuracy of the untrained model, which Tables 1 and 2 print for each subset;
from the same words in another row, where that accuracy has settled them; and from a task word that the row's three names can
all have. What is still open is listed with all its candidates. Facts: `published.csv`, `published_baselines.csv`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path

from ...schema.systems import medmat
from ...schema.triplet import TASKS
from ...schema.vocabulary import fold
from .combinations import Combination, related
from .elements import CANCER, CELLS, COVID, DISEASES, ELEMENTS, LEVEL, STATE, Cell, shared

MEANINGS: Mapping[str, tuple[str, ...]] = {
    STATE: (
        *("covid-19", "covid-19-pneumonia", "tuberculosis", "brain-haemorrhage"),
        *("fracture", "tumour-classification", "teeth-condition"),
    ),
    COVID: ("covid-19", "covid-19-pneumonia"),
    CANCER: ("cancer-diagnosis",),
    DISEASES: ("disease-classification", "infection-classification", "skeletal-classification", "finding-classification"),
    LEVEL: ("severity-grading", "quality-assessment"),
    CELLS: ("cell-classification",),
}
"""Printed word → the tasks, with all below them, that it could mean before any figure is looked at: our reading."""
SEGMENTS = ((1, "fixed-modality"), (15, "fixed-area"), (19, "fixed-task"), (31, "modality-area-pair"))
"""First row and direction of each part of the paper's table."""
_WORD = re.compile(r"\s*([^,()]+?)\s*(?:\(([^)]*)\))?\s*(?:,|$)")
_MISPRINTS = {"retine": "Retina"}
BASELINE, ALONE, ELSEWHERE, COMMON, ORDER, OPEN = "baseline", "alone", "elsewhere", "common task", "order", "open"
REASONS: Mapping[str, str] = {
    BASELINE: "the printed accuracy of the untrained model is this subset's in Tables 1 and 2",
    ALONE: "the only classification subset of these words beside the others of its row",
    ELSEWHERE: "the same words are a target in another row, whose printed accuracy settles them",
    COMMON: "the only one whose task the row's other subsets can have too",
    ORDER: "the row repeats an earlier one with other figures; its neighbour speaks of the other subset",
    OPEN: "several subsets have these words, and nothing printed tells them apart; the first fits its printed task best",
}


@dataclass(frozen=True, slots=True)
class Printed:
    """One row of the paper's Table 3; accuracies in percent."""

    row: int
    names: tuple[str, str, str]
    """Two related ones and the target, as printed."""
    untrained: float
    unrelated: float
    related: float

    @property
    def segment(self) -> str:
        """The part of the table in which it stands."""
        return [name for first, name in SEGMENTS if first <= self.row][-1]


@dataclass(frozen=True, slots=True)
class Meant:
    """A printed name, and the subsets that it can mean: one, or several with the likeliest first."""

    name: str
    candidates: tuple[str, ...]
    how: str
    """A key of `REASONS`."""

    @property
    def number(self) -> str:
        """The (likeliest) subset."""
        return self.candidates[0]


@dataclass(frozen=True, slots=True)
class Resolved:
    """A row with what its names mean."""

    printed: Printed
    meant: tuple[Meant, Meant, Meant]
    remarks: tuple[str, ...] = ()

    @property
    def numbers(self) -> tuple[str, str, str]:
        """The subsets, the likeliest where several are possible."""
        one, other, target = (meant.number for meant in self.meant)
        return one, other, target

    @property
    def is_open(self) -> bool:
        """Whether one of its names can mean several subsets."""
        return any(len(meant.candidates) > 1 for meant in self.meant)


@cache
def rows() -> tuple[Printed, ...]:
    """The 43 rows as printed."""
    return tuple(
        Printed(int(one["row"]), (one["related_a"], one["related_b"], one["target"]), *(float(one[name]) for name in _FIGURES))
        for one in _read("published.csv")
    )


@cache
def baselines() -> Mapping[str, float]:
    """Subset → printed accuracy of the untrained model, in percent."""
    return {one["subset"]: float(one["untrained"]) for one in _read("published_baselines.csv")}


@cache
def cells() -> Mapping[str, Cell]:
    """Number → cell of the 53 subsets; those that are boxed or outlined ask for regions."""
    kinds = {one.number: "choice" if "classification" in one.kinds else "regions" for one in medmat.SUBSETS}
    return {one.number: Cell(one.number, one.triplet, asks=kinds[one.number]) for one in medmat.SUBSETS}


@cache
def resolved() -> tuple[Resolved, ...]:
    """Every row with the subsets that it means."""
    first = [_first_look(one) for one in rows()]
    known = _settled(first)
    second = [_second_look(one, known) for one in first]
    again = _settled(second)
    done: list[Resolved] = []
    for one in (_second_look(one, again) for one in second):
        done.append(_unlike_earlier(one, done))
    return tuple(replace(one, meant=tuple(map(_likeliest, one.meant)), remarks=_remarks(one, done)) for one in done)


@dataclass(frozen=True, slots=True)
class Compared:
    """What our enumeration over the 53 subsets gives beside the printed rows."""

    found: Mapping[int, Combination]
    """Row → the combination that it is."""
    misses: Mapping[int, str]
    """Row → why we have no such combination."""
    extras: tuple[tuple[Combination, str], ...]
    """Combinations of classification subsets that the paper doesn't print, and what is known of why."""


@cache
def compared() -> Compared:
    """The printed rows against all combinations of two classification subsets, in every direction."""
    every = [one for one in cells().values() if one.asks == "choice"]
    ours = {(frozenset(one.parts), one.target): one for target in every for one in related(target, every)}
    asked = {row.printed.row: (frozenset(row.numbers[:2]), row.numbers[2]) for row in resolved()}
    found = {row: ours[key] for row, key in asked.items() if key in ours}
    misses = {row: _why_missed(*key) for row, key in asked.items() if key not in ours}
    printed = set(asked.values())
    extras = tuple((one, _why_extra(one)) for key, one in ours.items() if key not in printed)
    return Compared(found, misses, extras)


def _first_look(printed: Printed) -> Resolved:
    """Candidates by the words, then those whose fixed element agrees, then the target by its accuracy."""
    choices = [_candidates(name) for name in printed.names]
    fixed = {"fixed-modality": "modality", "fixed-area": "area"}.get(printed.segment)
    triples = [some for some in product(*choices) if fixed is None or _same(some, fixed)]
    exact = [some for some in triples if baselines().get(some[2]) == printed.untrained]
    remarks = () if exact else (f"no subset of the target's words has {printed.untrained:g} % untrained",)
    meant = []
    for place, name in enumerate(printed.names):
        left = tuple(dict.fromkeys(some[place] for some in exact or triples))
        by_figure = place == 2 and bool(exact)
        meant.append(Meant(name, left, BASELINE if by_figure else ALONE if len(left) == 1 else OPEN))
    return Resolved(printed, (meant[0], meant[1], meant[2]), remarks)


def _second_look(row: Resolved, known: Mapping[tuple[str, str], str]) -> Resolved:
    """Open names by a task word that the target can have too, then by one that all three can have, then by other rows."""
    meant = list(row.meant)
    if row.printed.segment == "fixed-task":
        meant = _by_common_task([*(_by_common_task([one, meant[2]])[0] for one in meant[:2]), meant[2]])
    meant = [_by_other_rows(one, row.printed.segment, known) for one in meant]
    return replace(row, meant=(meant[0], meant[1], meant[2]))


def _settled(some: Iterable[Resolved]) -> dict[tuple[str, str], str]:
    """What words mean for certain: of targets by their accuracy first, then of others; by segment and by triplet words."""
    found: dict[tuple[str, str], str] = {}
    for how in (BASELINE, COMMON):
        for row in some:
            for one in row.meant:
                if one.how == how and len(one.candidates) == 1:
                    for key in _keys(one, row.printed.segment):
                        found.setdefault(key, one.number)
    return found


def _keys(one: Meant, segment: str) -> list[tuple[str, str]]:
    """Under what a settled name is found again: the name within its segment, and subset's modality, area and task word."""
    word = next(iter(_words(one.name)[1]), "")
    keys = [(segment, fold(one.name))] if segment == "fixed-task" else []
    if word:
        places = {(cells()[number].triplet.modality, cells()[number].triplet.area) for number in one.candidates}
        keys += [(word, f"{modality} {area}") for modality, area in sorted(places)]
    return keys


def _by_other_rows(one: Meant, segment: str, known: Mapping[tuple[str, str], str]) -> Meant:
    if len(one.candidates) == 1:
        return one
    for key in _keys(one, segment):
        if known.get(key) in one.candidates:
            return Meant(one.name, (known[key],), ELSEWHERE)
    return one


def _by_common_task(meant: Sequence[Meant]) -> list[Meant]:
    left: set[tuple[str, ...]] = set()
    for some in product(*(one.candidates for one in meant)):
        if any(all(_may_mean(number, word) for number in some) for word in MEANINGS):
            left.add(some)
    narrowed = [tuple(dict.fromkeys(some[place] for some in sorted(left))) for place in range(len(meant))]
    return [
        one if len(one.candidates) == 1 or len(some) != 1 else Meant(one.name, some, COMMON)
        for one, some in zip(meant, narrowed, strict=True)
    ]


def _unlike_earlier(row: Resolved, earlier: Sequence[Resolved]) -> Resolved:
    """A row that repeats an earlier one's names with other figures means what its words leave beside that one."""
    same = [one for one in earlier if one.printed.names == row.printed.names and one.numbers == row.numbers]
    if not same or same[0].printed.related == row.printed.related:
        return row
    meant = list(row.meant)
    for place, one in enumerate(row.meant):
        others = [number for number in _candidates(one.name) if number != one.number]
        if one.how == COMMON and len(others) == 1:
            meant[place] = Meant(one.name, (others[0],), ORDER)
            return replace(row, meant=(meant[0], meant[1], meant[2]))
    return row


def _remarks(row: Resolved, every: Sequence[Resolved]) -> tuple[str, ...]:
    """What else is odd about a row."""
    found = list(row.remarks)
    for other in every:
        if other.printed.row < row.printed.row and other.numbers == row.numbers:
            found.append(f"the same subsets as row {other.printed.row}, with other names or figures")
    return tuple(found)


def _likeliest(one: Meant) -> Meant:
    """The candidates, with those first that aren't multi-label and whose printed task has the printed word."""
    word = _words(one.name)[1]

    def far(number: str) -> tuple[bool, bool]:
        task = medmat.find(number).task.casefold()
        return "multi" in task, not any(part[:5] in task for part in word)

    return replace(one, candidates=tuple(sorted(one.candidates, key=far)))


@cache
def _candidates(name: str) -> tuple[str, ...]:
    """Classification subsets of the words of a name."""
    places, tasks = _words(name)
    found = []
    for one in medmat.SUBSETS:
        own = {fold(one.modality_code), fold(one.modality), fold(one.area)}
        if "classification" in one.kinds and all(fold(word) in own for word in places):
            found.append(one.number)
    return tuple(number for number in found if all(_may_mean(number, word) for word in tasks))


@cache
def _words(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The modality and area of a printed name, and its task words."""
    parts = [part.casefold() for match in _WORD.finditer(name) for part in match.groups() if part]
    parts = [_MISPRINTS.get(part, part) for part in parts]
    return tuple(part for part in parts if part not in MEANINGS), tuple(part for part in parts if part in MEANINGS)


def _may_mean(number: str, word: str) -> bool:
    return any(TASKS.is_a(cells()[number].triplet.task, task) for task in MEANINGS[word])


def _same(numbers: Sequence[str], element: str) -> bool:
    return len({getattr(cells()[number].triplet, element) for number in numbers}) == 1


def _why_missed(parts: frozenset[str], target: str) -> str:
    for number in sorted(parts):
        if len(shared(cells()[number], cells()[target])) == len(ELEMENTS):
            return f"subset {number} has all elements of the target"
    having = frozenset().union(*(shared(cells()[number], cells()[target]) for number in parts))
    missing = " and ".join(name for name in ELEMENTS if name not in having)
    return f"neither subset {' nor '.join(sorted(parts))} has the target's {missing}"


def _why_extra(one: Combination) -> str:
    """What is known of why the paper doesn't print a combination."""
    printed = resolved()
    targets = {row.numbers[2] for row in printed}
    used = {number for row in printed for number in row.numbers}
    if one.direction not in {name for _, name in SEGMENTS}:
        return "the paper has no such direction"
    if one.target not in targets:
        return "no printed row has this target"
    if any(_could_be(row, one) for row in printed):
        return "another reading of a printed row that is open"
    if strange := [number for number in one.parts if number not in used]:
        return f"no printed row has subset {' or '.join(strange)}"
    return "the paper prints its subsets, and not together"


def _could_be(row: Resolved, one: Combination) -> bool:
    some = row.meant[0].candidates, row.meant[1].candidates
    ways = {frozenset(pair) for pair in product(*some)}
    return row.numbers[2] == one.target and frozenset(one.parts) in ways


def _read(name: str) -> list[dict[str, str]]:
    with Path(__file__).with_name(name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


_FIGURES = ("untrained", "unrelated", "related")


def told() -> dict[str, object]:
    """All of it as plain data."""
    ours = compared()
    return {
        "found": len(ours.found),
        "rows": [_row_told(one, ours) for one in resolved()],
        "extras": [
            {"direction": one.direction, "parts": list(one.parts), "target": one.target, "why": why} for one, why in ours.extras
        ],
    }


def _row_told(one: Resolved, ours: Compared) -> dict[str, object]:
    row, figures = one.printed.row, one.printed
    first, second, target = one.numbers
    meant = [
        {"name": some.name, "candidates": list(some.candidates), "how": some.how, "why": REASONS[some.how]}
        for some in one.meant
    ]
    return {
        "row": row,
        "segment": figures.segment,
        "printed": f"{figures.names[0]} + {figures.names[1]} → {figures.names[2]}",
        "subsets": f"{first} + {second} → {target}",
        "meant": meant,
        "open": [some for some in meant if len(some["candidates"]) > 1],
        "remarks": list(one.remarks),
        "direction": ours.found[row].direction if row in ours.found else None,
        "missed": ours.misses.get(row),
        "untrained": figures.untrained,
        "unrelated": figures.unrelated,
        "related": figures.related,
    }
