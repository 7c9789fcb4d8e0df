"""What a release has to experiment with: its cells, whose samples may train and whose questions test.

Read from the index and the question sets alone. A sample is dealt to a cell by the questions that are asked about it; one
whose questions belong to several subsets is left out of training, since its pictures would bring another task along.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ...schema.certificate import FOLDER
from ...schema.errors import UsageError
from ...schema.labels.table import table as label_table
from ...schema.lexicon import Lexicon
from ...schema.protocols import columns
from ...schema.protocols.clusters import clusters
from ...schema.protocols.linked import of_certificate
from ...schema.question import Kind
from ...schema.question_set import QuestionSet
from ...schema.release import Release
from ...schema.triplet import Triplet
from .elements import Cell

CHOICES = (Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE)
REGIONS = (Kind.DETECTION, Kind.GROUNDING, Kind.REFERRING, Kind.LOCALIZATION)
OTHER = "other"
_EXAMPLE = {"choice": "medmat", "regions": "mimoseg"}
_COLUMNS = ("id", "key", "split", "subset", "kind", "labels")


@dataclass(frozen=True, slots=True)
class Added:
    """An element beside modality, area and task, and which of its values the target has."""

    element: str
    """`population` or `label`."""
    value: str
    conditions: Mapping[str, str] = field(default_factory=dict)
    """Of populations: name → condition in SQL over the samples of the index. Empty for a label."""


@dataclass(frozen=True, eq=False)
class Holding:
    """A cell with its samples."""

    cell: Cell
    suite: str
    kinds: tuple[str, ...]
    keys: np.ndarray
    """Samples that may train, sorted."""
    cluster: np.ndarray
    """int64: the group of each, joined with those that share pictures."""
    stratum: np.ndarray
    """The first label of each."""
    tests: Mapping[str, str]
    """Question of the test split → its sample."""
    test_clusters: frozenset[int]

    def __len__(self) -> int:
        return len(self.keys)


@dataclass(frozen=True, eq=False)
class Holdings:
    """All cells of a release."""

    release: Release
    every: Mapping[str, Holding]
    linked: bool
    """Whether a certificate's links of near duplicates were heeded, besides equal pixels."""
    kept_apart: frozenset[int]
    """Groups with a sample of the target's population: no part of another population may have them."""
    notes: tuple[str, ...]

    @property
    def cells(self) -> list[Cell]:
        """In the order of their names."""
        return [one.cell for one in self.every.values()]


def holdings(
    release: Release, suite: str, *, split: str = "test", regions: str | None = None, added: Added | None = None
) -> Holdings:
    """The cells of a suite's questions of choice, and with `regions` those of another suite's about places.

    Raises:
        UsageError: a suite, label or condition that can't be used.
        ReleaseError: the index or the questions can't be read.
    """
    samples = _samples(release)
    linked = (release.root / FOLDER / "edges.parquet").is_file()
    joined = clusters(samples, of_certificate(release) if linked else ())
    cluster = dict(zip(samples["key"].to_pylist(), joined.of.tolist(), strict=True))
    triplets = _triplets(release, samples)
    value = _values(release, added)
    found: dict[str, Holding] = {}
    notes: list[str] = []
    asked = [("choice", suite, CHOICES), *([("regions", regions, REGIONS)] if regions else [])]
    for asks, name, kinds in asked:
        dealt = list(_dealt(_questions(release, name, kinds), triplets, asks=asks, added=added, value=value))
        if not dealt:
            raise UsageError(f"suite {name!r} asks nothing of {', '.join(kinds)}; expected some, as {_EXAMPLE[asks]} has")
        mixed = _mixed(own for _, own in dealt)
        if mixed:
            notes.append(f"{name}: {len(mixed)} samples are asked about in several cells and train nothing")
        for cell, own in dealt:
            found[cell.name] = _holding(cell, own, name, kinds, split=split, mixed=mixed, cluster=cluster)
    if not linked:
        notes.append("no certificate: equal pictures are heeded, near duplicates weren't looked for")
    apart = frozenset(cluster[key] for key, name in value.items() if added and name == added.value and key in cluster)
    return Holdings(release, dict(sorted(found.items())), linked, apart, tuple(notes))


def _samples(release: Release) -> pa.Table:
    names = [*columns()["samples"], "modality"]
    return pa.concat_tables([pq.read_table(release.index_path(source), columns=names) for source in release.indexed])


def _triplets(release: Release, samples: pa.Table) -> dict[str, Triplet]:
    """Subset → triplet, as any of its samples has it."""
    modality = dict(zip(samples["key"].to_pylist(), samples["modality"].to_pylist(), strict=True))
    found = {}
    for source in release.indexed:
        rows = pq.read_table(release.index_path(source, "annotations"), columns=["subset", "area", "task", "key"])
        for row in rows.group_by(["subset", "area", "task"]).aggregate([("key", "min")]).to_pylist():
            found[row["subset"]] = Triplet(modality[row["key_min"]], row["area"], row["task"])
    return found


def _questions(release: Release, suite: str, kinds: Sequence[Kind]) -> Iterator[dict[str, Any]]:
    """Rows of a suite's question files, of some kinds."""
    asked = QuestionSet.open(release.root, suite, called=str(release.source or release.root))
    for entry in asked.info["files"]:
        if entry["questions"]:
            release.fetch([str(asked.path(entry["shard"]).relative_to(release.root))])
            rows = pq.read_table(asked.path(entry["shard"]), columns=list(_COLUMNS))
            yield from rows.filter(pc.is_in(rows["kind"], pa.array([str(one) for one in kinds]))).to_pylist()


def _mixed(dealt: Iterable[Sequence[dict[str, Any]]]) -> frozenset[str]:
    """Samples that are asked about in several cells."""
    times = Counter(key for rows in dealt for key in {row["key"] for row in rows})
    return frozenset(key for key, count in times.items() if count > 1)


def _values(release: Release, added: Added | None) -> Mapping[str, str]:
    """Key → the population it belongs to; the target's before any other."""
    if added is None or not added.conditions:
        return {}
    lexicon, found = Lexicon.open(release), dict[str, str]()
    for name in sorted(added.conditions, key=lambda one: one != added.value):
        for key in lexicon.select(where=added.conditions[name]).keys():  # noqa: SIM118
            found.setdefault(key, name)
    return found


def _dealt(
    rows: Iterable[dict[str, Any]], triplets: Mapping[str, Triplet], *, asks: str, added: Added | None, value: Mapping[str, str]
) -> Iterator[tuple[Cell, list[dict[str, Any]]]]:
    """Cells with the rows of their questions; what has no value of an added element is in none."""
    dealt: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    names = _label_ids(added.value) if added is not None and added.element == "label" else None
    for row in rows:
        if added is None:
            dealt[row["subset"], ""].append(row)
        elif names is not None:
            dealt[row["subset"], added.value if names.intersection(row["labels"]) else OTHER].append(row)
        elif row["key"] in value:
            dealt[row["subset"], value[row["key"]]].append(row)
    for (subset, part), own in sorted(dealt.items()):
        name = f"{subset}{'+' if part else ''}{part}{'@regions' if asks == 'regions' else ''}"
        yield Cell(name, triplets[subset], {added.element: part} if added else {}, asks), own


def _label_ids(word: str) -> frozenset[str]:
    known = label_table()
    entry = known.find(word)
    if entry is None:
        raise UsageError(f"label {word!r} is in no table of labels; expected a canonical name; `medloom labels` finds it")
    return frozenset(map(known.id_of, (entry.name, *known.descendants(entry.name))))


def _holding(
    cell: Cell,
    rows: Sequence[dict[str, Any]],
    suite: str,
    kinds: Sequence[Kind],
    *,
    split: str,
    mixed: frozenset[str],
    cluster: Mapping[str, int],
) -> Holding:
    strata: dict[str, str] = {}
    for row in rows:
        if row["split"] == "train" and split != "train" and row["key"] not in mixed:
            strata.setdefault(row["key"], min(row["labels"], default=""))
    keys = sorted(strata)
    tests = {row["id"]: row["key"] for row in rows if row["split"] == split}
    return Holding(
        cell,
        suite,
        tuple(map(str, kinds)),
        np.array(keys, dtype=object),
        np.array([cluster[key] for key in keys], np.int64),
        np.array([strata[key] for key in keys], dtype=object),
        dict(sorted(tests.items())),
        frozenset(cluster[key] for key in tests.values()),
    )


def counts(some: Holdings) -> dict[str, dict[str, int]]:
    """Samples to train on and questions to test, by cell."""
    return {
        name: {"train": len(one), "test": len(one.tests), "labels": len(Counter(one.stratum.tolist()))}
        for name, one in some.every.items()
    }
