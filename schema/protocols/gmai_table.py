"""GMAI's outcome as tables: per clinical task and granularity for people, per answer for files."""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from .outcome import Row
from .pool import Pool, Uses

NO_TASK = "None"
"""The clinical task of labels that serve none, as GMAI writes a missing department."""
NAMED = 10
"""How many answers a sentence names before it counts the others."""


@dataclass(frozen=True)
class Counted:
    """All uses that could be cases, and those that are."""

    found: Uses
    chosen: Uses
    validation: np.ndarray
    """Booleans, one per case; the others are test."""
    from_train: np.ndarray
    """Booleans, one per case: whether the release itself has it in train."""

    def per_answer(self) -> dict[str, np.ndarray]:
        """Counts per answer, by column."""
        validation, from_train = (self.chosen.only(one).counts() for one in (self.validation, self.from_train))
        cases = self.chosen.counts()
        return {
            "samples": self.found.counts(),
            "cases": cases,
            "validation": validation,
            "test": cases - validation,
            "from_train": from_train,
        }


def details(counted: Counted) -> tuple[Row, ...]:
    """One row per answer, ascending."""
    columns = counted.per_answer()
    names = ("clinical_task", "granularity", "label_id")
    answers = zip(counted.found.answers, counted.found.labels, strict=True)
    return tuple(
        dict(zip(names, answer, strict=True)) | {"label": label} | {name: int(many[one]) for name, many in columns.items()}
        for one, (answer, label) in enumerate(answers)
    )


def table(counted: Counted, cases: int) -> tuple[Row, ...]:
    """One row per clinical task and granularity, ascending; `short` counts answers with fewer than `cases` cases."""
    branches: dict[tuple[str, str], list[Row]] = {}
    for row in details(counted):
        branches.setdefault((row["clinical_task"], row["granularity"]), []).append(row)
    return tuple(_branch(*branch, rows=rows, cases=cases) for branch, rows in sorted(branches.items()))


def _branch(task: str, granularity: str, *, rows: list[Row], cases: int) -> Row:
    asked = [row for row in rows if row["cases"]]
    sums = {name: sum(row[name] for row in rows) for name in ("cases", "validation", "test", "from_train")}
    short = sum(row["cases"] < cases for row in asked)
    names = {"clinical_task": task, "granularity": granularity, "answers": len(asked)}
    return names | sums | {"short": short, "left_out": len(rows) - len(asked)}


def notes(counted: Counted, pool: Pool, side: np.ndarray, *, cases: int, min_cases: int) -> tuple[str, ...]:
    """Sentences on training, on samples that serve nothing, and on answers with few cases."""
    in_train = int((side[pool.cluster] == 0).sum())
    idle = len(pool) - in_train - len(np.unique(counted.chosen.row))
    first = f"In train: {in_train} samples; left out, since another of their cluster is a case: {idle}."
    return first, *_few(counted, cases=cases, min_cases=min_cases), *_without_task(pool)


def _few(counted: Counted, *, cases: int, min_cases: int) -> Iterator[str]:
    rows = details(counted)
    if short := [_name(row, row["cases"]) for row in rows if 0 < row["cases"] < cases]:
        yield f"Answers with fewer than {cases} cases: {len(short)}, namely {_listed(short)}."
    if rare := [_name(row, row["samples"]) for row in rows if not row["cases"]]:
        yield f"Answers left out, having fewer than {min_cases} cases: {len(rare)}, namely {_listed(rare)}."


def _without_task(pool: Pool) -> Iterator[str]:
    taskless = pc.equal(pc.fill_null(pool.present["clinical_task"], NO_TASK), NO_TASK)
    if labels := sorted(pc.unique(pool.present["label"].filter(taskless)).to_pylist()):
        yield f"Labels without a clinical task, which are no answers: {len(labels)}, namely {_listed(labels)}."


def _name(row: Row, count: int) -> str:
    return f"{row['label']} ({row['granularity']}, {count})"


def _listed(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if len(names) > NAMED else "")
