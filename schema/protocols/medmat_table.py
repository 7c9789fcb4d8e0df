"""Med-MAT's outcome as tables: per subset for people, per label for files."""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow.compute as pc

from .outcome import Row
from .pool import Pool, Uses

NAMED = 5
"""How many labels a sentence names before it counts the others."""


@dataclass(frozen=True)
class Counted:
    """What there is of each answer (subset and label) and what is taken; all arrays have one entry per answer."""

    found: Uses
    inside: np.ndarray
    """Whether its subset is in-distribution."""
    train_pool: np.ndarray
    validation_pool: np.ndarray
    test_pool: np.ndarray
    train: np.ndarray
    test: np.ndarray

    @property
    def subset(self) -> np.ndarray:
        """The subset of each answer."""
        return np.array([name for name, _ in self.found.answers], dtype=object)


def details(counted: Counted) -> tuple[Row, ...]:
    """One row per subset and label, ascending: what there is and what is taken."""
    return tuple(_label_row(counted, one) for one in range(len(counted.inside)))


def _label_row(counted: Counted, one: int) -> Row:
    subset, label_id = counted.found.answers[one]
    return {
        "subset": subset,
        "label": counted.found.labels[one],
        "label_id": label_id,
        "distribution": _distribution(bool(counted.inside[one])),
        "train_pool": int(counted.train_pool[one]),
        "train": int(counted.train[one]),
        "validation_unused": int(counted.validation_pool[one]),
        "test_pool": int(counted.test_pool[one]),
        "test": int(counted.test[one]),
    }


def table(counted: Counted, pool: Pool, train: Uses) -> tuple[Row, ...]:
    """One row per subset in which a label is present, ascending."""
    listed = _samples_per_subset(pool)
    return tuple(_subset_row(counted, train, name, listed.get(name, 0)) for name in sorted(set(counted.subset.tolist())))


def notes(counted: Counted, pool: Pool) -> tuple[str, ...]:
    """A sentence on the subsets in which no label is present, if any."""
    bare = {name: count for name, count in _samples_per_subset(pool).items() if name not in set(counted.subset.tolist())}
    if not bare:
        return ()
    return (f"Subsets without a label that is present: {len(bare)}, with {sum(bare.values())} samples.",)


def _subset_row(counted: Counted, train: Uses, name: str, samples: int) -> Row:
    mine = counted.subset == name
    labelled = len(np.unique(counted.found.row[mine[counted.found.answer]]))
    trainable = len(np.unique(train.row[mine[train.answer]]))
    inside = bool(counted.inside[mine].any())
    reasons = [*_reasons(counted, mine, inside=inside), *_unlabelled(max(0, samples - labelled))]
    return {
        "subset": name,
        "distribution": _distribution(inside),
        "labels": int(mine.sum()),
        "samples": max(samples, labelled),
        "train_samples": trainable,
        "train": int(counted.train[mine].sum()),
        "test": int(counted.test[mine].sum()),
        "test_per_label": int(counted.test[mine].max(initial=0)),
        "left_out": "; ".join(reasons),
    }


def _reasons(counted: Counted, mine: np.ndarray, *, inside: bool) -> Iterator[str]:
    spare = int((counted.train_pool - counted.train)[mine].sum())
    if spare:
        yield f"{spare} to train: " + ("over the cap" if inside else "fewer samples than the cap")
    if unused := int(counted.validation_pool[mine].sum()):
        yield f"{unused} of the owner's validation"
    tested = mine & (counted.test > 0)
    if over := int((counted.test_pool - counted.test)[tested].sum()):
        yield f"{over} to test: more than the rarest label has"
    if (mine & (counted.test == 0)).any():
        yield "not tested: " + _named(sorted(counted.found.labels[one] for one in np.flatnonzero(mine & (counted.test == 0))))


def _unlabelled(count: int) -> list[str]:
    return [f"{count} without a label that is present"] if count else []


def _named(labels: list[str]) -> str:
    more = f" and {len(labels) - NAMED} more" if len(labels) > NAMED else ""
    return ", ".join(labels[:NAMED]) + more


def _distribution(inside: bool) -> str:
    return "ID" if inside else "OOD"


def _samples_per_subset(pool: Pool) -> dict[str, int]:
    counted = pc.value_counts(pc.list_flatten(pool.samples["subsets"])).to_pylist()
    return {one["values"]: one["counts"] for one in counted}
