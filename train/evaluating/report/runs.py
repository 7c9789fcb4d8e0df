"""Finished evaluations that are to be compared: opened, named, and held against each other."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ....schema.errors import UsageError
from ...prediction import PLAIN
from ...scoring.scored import Scored, scored_of
from .report import model_of, results_in
from .settings import flat

SCORED = "scored.parquet"
STAYS = ":stays"
"""Ends the variants whose replies were scored against the answer of before: they are no replies of their own."""
_SAME = ("key", "group", "source", "kind", "rule", "granularity", "modality", "task", "subset", "labels", "chance")
"""What a question of the same id is expected to have in every run."""
_OWN = ("questions", "digest", "asked", "medloom", "at_once")
"""Settings that are told apart elsewhere, or have no say in a score."""
Place = tuple[str, str]
"""Id of a question and variant."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One evaluation."""

    name: str
    results: Mapping[str, Any]
    scored: Mapping[Place, Scored]

    @property
    def model(self) -> str:
        """What answered."""
        return model_of(self.results)

    @property
    def plain(self) -> set[str]:
        """Ids of the questions that were asked as they stand."""
        return {id for id, variant in self.scored if variant == PLAIN}

    def of(self, ids: set[str], variant: str) -> list[Scored]:
        """Its replies to some questions under a variant."""
        return [one for (id, under), one in self.scored.items() if under == variant and id in ids]


def opened(folders: Sequence[Path], *, shared: bool) -> list[Run]:
    """The runs, about the same questions; or, where `shared`, about some of the same.

    Raises:
        UsageError: fewer than two, one that isn't there or scored, or they are about other questions.
    """
    if len(folders) < 2 or len({one.resolve() for one in folders}) < len(folders):
        raise UsageError(f"{len(folders)} folders to compare; expected two or more different ones")
    runs = [_run(folder, name) for folder, name in zip(folders, names(folders), strict=True)]
    _check_questions(runs, shared=shared)
    return runs


def names(folders: Sequence[Path]) -> list[str]:
    """The shortest ends of the folders' paths that tell them apart."""
    parts = [one.resolve().parts for one in folders]
    for length in range(1, max(map(len, parts)) + 1):
        found = ["/".join(one[-length:]) for one in parts]
        if len(set(found)) == len(found):
            return found
    return [str(number) for number in range(1, len(folders) + 1)]


def settings_that_differ(runs: Sequence[Run]) -> dict[str, list[str | None]]:
    """Settings by name, each with its value in every run (None where a run has no such setting)."""
    told = [dict(flat(one.results["settings"])) for one in runs]
    every = dict.fromkeys(name for one in told for name in one)
    found = {name: [one.get(name) for one in told] for name in every if name not in _OWN}
    return {name: values for name, values in found.items() if len(set(values)) > 1}


def _run(folder: Path, name: str) -> Run:
    import pyarrow.parquet as pq

    results = results_in(folder)
    if not results["scored"] or not (folder / SCORED).is_file():
        raise UsageError(f"{folder}: nothing was scored; expected {SCORED}; `medloom evaluate … --rescore` makes it")
    rows = scored_of(pq.read_table(folder / SCORED))
    return Run(name, results, {(one.id, one.variant): one for one in rows if not one.variant.endswith(STAYS)})


def _check_questions(runs: Sequence[Run], *, shared: bool) -> None:
    first = runs[0]
    for other in runs[1:]:
        alike = first.results["settings"]["digest"] == other.results["settings"]["digest"] and first.plain == other.plain
        both = len(first.plain & other.plain)
        if not alike and not shared:
            counts = f"{first.name} has {len(first.plain):,}, {other.name} {len(other.plain):,}, in both are {both:,}"
            raise UsageError(
                f"{first.name} and {other.name} were asked other questions ({counts}); expected the same; "
                "--shared compares those in both"
            )
    common = set.intersection(*(one.plain for one in runs))
    if not common:
        raise UsageError(f"{', '.join(one.name for one in runs)}: no question is in all; expected some")
    for other in runs[1:]:
        for id, what in _unlike(first, other, common):
            raise UsageError(f"{id}: its {what} in {first.name} isn't that in {other.name}; expected runs over one release")


def _unlike(one: Run, other: Run, ids: set[str]) -> Iterator[tuple[str, str]]:
    """Questions that share an id and are about something else."""
    for id in sorted(ids):
        a, b = one.scored[id, PLAIN], other.scored[id, PLAIN]
        yield from ((id, name) for name in _SAME if _plain(getattr(a, name)) != _plain(getattr(b, name)))


def _plain(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=list)
