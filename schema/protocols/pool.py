"""The samples that take part in a protocol, in one order whatever the order of the rows, and what each is labelled with."""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ..errors import UsageError
from .clusters import Group, clusters, codes
from .deal import shuffled

SAMPLES = (
    "key",
    "source",
    "collection",
    "group",
    "split",
    "original_split",
    "subsets",
    "subject_age_years",
    "subject_sex",
    "provenance_pixel_sha256",
    "provenance_perceptual_hash",
    "provenance_low_information",
)
ANNOTATIONS = ("key", "label", "label_id", "state", "granularity", "subset", "clinical_task")
EXCLUDED = "excluded"


@dataclass(frozen=True)
class Pool:
    """Samples sorted by key, without the excluded ones, and the label states and annotations that are present on them."""

    samples: pa.Table
    """Columns of `SAMPLES`."""
    cluster: np.ndarray
    """int64, one per sample, in 0…len(collections)."""
    collections: np.ndarray
    """The collection that each cluster is dealt with."""
    sample_rank: np.ndarray
    """int64, one per sample: its place in the seeded order."""
    cluster_rank: np.ndarray
    """int64, one per cluster."""
    present: pa.Table
    """Columns of `ANNOTATIONS`, and `row`: the sample's place in `samples`."""

    def __len__(self) -> int:
        return len(self.samples)

    def column(self, name: str) -> np.ndarray:
        """A column of the samples as an array of objects or numbers."""
        return self.samples[name].to_numpy()


@dataclass(frozen=True)
class Uses:
    """Distinct pairs of an answer and a sample that shows it, sorted by answer, then by sample."""

    answers: tuple[tuple[str, ...], ...]
    """Ascending; the values of the columns that make an answer."""
    labels: tuple[str, ...]
    """The label's name, one per answer."""
    answer: np.ndarray
    """int64: place in `answers`."""
    row: np.ndarray
    """int64: place in the pool's samples."""

    def __len__(self) -> int:
        return len(self.row)

    def counts(self) -> np.ndarray:
        """Samples per answer, int64."""
        return np.bincount(self.answer, minlength=len(self.answers))

    def only(self, kept: np.ndarray) -> Uses:
        """Those that are kept, a boolean per pair; the answers stay, maybe without samples."""
        return Uses(self.answers, self.labels, self.answer[kept], self.row[kept])

    def column(self, place: int) -> pa.Array:
        """One value of each pair's answer."""
        return pa.array([answer[place] for answer in self.answers], pa.string()).take(pa.array(self.answer))

    def names(self) -> pa.Array:
        """The label's name of each pair."""
        return pa.array(self.labels, pa.string()).take(pa.array(self.answer))


def at_least(smallest: int, **options: int) -> None:
    """Nothing, when every option is a whole number from `smallest` on.

    Raises:
        UsageError: one isn't.
    """
    for name, value in options.items():
        if isinstance(value, bool) or not isinstance(value, int) or value < smallest:
            raise UsageError(f"{name} = {value!r}; expected a whole number from {smallest} on; give another")


def pool(samples: pa.Table, annotations: pa.Table, *, linked: Iterable[tuple[Group, Group]], seed: int) -> Pool:
    """The pool of two index tables.

    Raises:
        UsageError: a column is missing, or a key stands in two rows.
    """
    samples, annotations = _select(samples, SAMPLES, "samples"), _select(annotations, ANNOTATIONS, "annotations")
    samples = samples.take(pc.sort_indices(samples["key"]))
    _require_distinct(samples["key"])
    found = clusters(samples, linked)
    kept = pc.not_equal(pc.fill_null(samples["split"], EXCLUDED), EXCLUDED)
    samples = samples.filter(kept).combine_chunks()
    used, cluster = np.unique(found.of[kept.to_numpy()], return_inverse=True)
    return Pool(
        samples=samples,
        cluster=cluster.astype(np.int64),
        collections=found.collections[used],
        sample_rank=shuffled(seed, "sample", samples["key"].to_pylist()),
        cluster_rank=shuffled(seed, "cluster", [found.names[one] for one in used]),
        present=_present(annotations, samples["key"]),
    )


def uses(present: pa.Table, columns: Sequence[str]) -> Uses:
    """The uses of present rows whose answer is the values of `columns`; rows where one is null are no use."""
    whole = present.select([*columns, "label", "row"]).drop_null()
    coded = [codes(whole[name]) for name in columns]
    shape = tuple(max(1, len(values)) for _, values in coded)
    numbers = np.ravel_multi_index(tuple(number for number, _ in coded), shape)
    distinct, answer = np.unique(numbers, return_inverse=True)
    chosen = np.unravel_index(distinct, shape)
    answers = zip(
        *(values.take(pa.array(some)).to_pylist() for (_, values), some in zip(coded, chosen, strict=True)), strict=True
    )
    row = whole["row"].to_numpy().astype(np.int64)
    stride = int(row.max(initial=0)) + 1
    pairs = np.unique(answer.astype(np.int64) * stride + row)
    return Uses(tuple(answers), _labels(whole["label"], answer, len(distinct)), pairs // stride, pairs % stride)


def _labels(column: pa.ChunkedArray, answer: np.ndarray, count: int) -> tuple[str, ...]:
    """The first label name of each answer in the alphabet, so that two spellings of one id give the same on every run."""
    number, values = codes(column)
    first = np.full(count, len(values))
    np.minimum.at(first, answer, number)
    return tuple(values.take(pa.array(first)).to_pylist())


def _present(annotations: pa.Table, keys: pa.ChunkedArray) -> pa.Table:
    present = annotations.filter(pc.equal(annotations["state"], "present"))
    row = pc.index_in(present["key"], value_set=keys.combine_chunks())
    known = pc.is_valid(row)
    return present.append_column("row", row).filter(known)


def _select(table: pa.Table, columns: Sequence[str], name: str) -> pa.Table:
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        raise UsageError(f"{name}: no column {', '.join(missing)}; expected those of the index; read them with of_release")
    return table.select(columns)


def _require_distinct(keys: pa.ChunkedArray) -> None:
    whole = keys.combine_chunks()
    twice = whole[1:].filter(pc.equal(whole[1:], whole[:-1]))
    if len(twice):
        raise UsageError(f"samples: key {twice[0].as_py()} stands in two rows; expected each once; give each source once")
