"""Med-MAT's protocol: subsets with balanced training and strictly balanced tests, some of them tests alone.

From the paper: an original split stands and other data are dealt 9 : 1; training has at most 3 000 samples per subset with
labels as even as possible; a subset with fewer training samples is out-of-distribution (OOD) and only tested; tests are
balanced per label.

The paper is silent on the rest; these readings are ours:
- The side is a cluster's, once for the whole release, so no sample trains in one subset and tests in another.
- A source has an original split when its owner names a test or a validation set. A cluster with any test sample of the owner
  is test; the owner's validation serves as test where the source has no test set, and is unused where it has one.
- Other clusters are dealt per collection, in seeded order, until a tenth of the labelled samples is test; where two or more
  clusters are all too large for that, the smallest is test.
- An item is a subset, a label that is present on the image, and a sample: with several labels present a sample serves each.
  The cap counts items; whether a subset reaches it counts samples, so that no subset looks larger than it is.
- Items are taken in seeded order, one of each cluster before a second of any.
- Every label in a subset's test has as many items as the rarest one. Labels with fewer than `min_test_per_label` items to test
  are left out of the test and named: a floor above one keeps a lone case from shrinking the whole test to one each.
- Training samples of an OOD subset are unused.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .clusters import Group
from .deal import places, water_fill
from .medmat_table import Counted, details, notes, table
from .outcome import Outcome, sorted_items
from .pool import Pool, Uses, at_least, pool, uses
from .sides import TEST, TRAIN, VALIDATION, sides


@dataclass(frozen=True)
class _Parts:
    """The uses on each side."""

    train: Uses
    validation: Uses
    test: Uses


def medmat(
    samples: pa.Table,
    annotations: pa.Table,
    *,
    linked: Iterable[tuple[Group, Group]] = (),
    seed: int = 0,
    cap: int = 3000,
    min_test_per_label: int = 1,
) -> Outcome:
    """The uses of a release after Med-MAT, per subset and label; splits are train and test.

    Raises:
        UsageError: an option or a table can't be used.
    """
    at_least(1, cap=cap, min_test_per_label=min_test_per_label)
    whole = pool(samples, annotations, linked=linked, seed=seed)
    found = uses(whole.present.filter(pc.equal(whole.present["granularity"], "image")), ("subset", "label_id"))
    parts = _parts(whole, found)
    subset = np.array([name for name, _ in found.answers], dtype=object)
    inside = _reach(parts.train, subset, cap)
    train = _train_quotas(parts.train.counts(), subset, inside, cap=cap)
    test = _test_quotas(parts.test.counts(), subset, min_test_per_label)
    counted = Counted(
        found=found,
        inside=inside,
        train_pool=parts.train.counts(),
        validation_pool=parts.validation.counts(),
        test_pool=parts.test.counts(),
        train=train,
        test=test,
    )
    return Outcome(
        name="medmat",
        items=_items(whole, (_taken(whole, parts.train, train), "train"), (_taken(whole, parts.test, test), "test")),
        options={"name": "medmat", "seed": seed, "cap": cap, "min_test_per_label": min_test_per_label},
        table=table(counted, whole, parts.train),
        details=details(counted),
        notes=notes(counted, whole),
    )


def _parts(whole: Pool, found: Uses) -> _Parts:
    side = sides(whole, np.unique(found.row))[whole.cluster[found.row]]
    return _Parts(*(found.only(side == one) for one in (TRAIN, VALIDATION, TEST)))


def _reach(train: Uses, subset: np.ndarray, cap: int) -> np.ndarray:
    """Whether the subset of each answer has at least `cap` training samples, booleans."""
    reach = np.zeros(len(subset), bool)
    for name in set(subset.tolist()):
        reach[subset == name] = len(np.unique(train.row[(subset == name)[train.answer]])) >= cap
    return reach


def _train_quotas(counts: np.ndarray, subset: np.ndarray, inside: np.ndarray, *, cap: int) -> np.ndarray:
    """Items to train per answer: as even as possible inside each subset, none where it is OOD."""
    quotas = np.zeros(len(counts), np.int64)
    for name in sorted(set(subset[inside].tolist())):
        quotas[subset == name] = water_fill(counts[subset == name].tolist(), cap)
    return quotas


def _test_quotas(counts: np.ndarray, subset: np.ndarray, floor: int) -> np.ndarray:
    """Items to test per answer: in each subset the same for every label that reaches the floor."""
    quotas = np.zeros(len(counts), np.int64)
    for name in set(subset.tolist()):
        tested = (subset == name) & (counts >= floor)
        quotas[tested] = counts[tested].min(initial=np.iinfo(np.int64).max) if tested.any() else 0
    return quotas


def _taken(whole: Pool, some: Uses, quotas: np.ndarray) -> Uses:
    """The first uses of each answer up to its quota: one of each cluster, in seeded order, then the second ones."""
    order, cluster = whole.sample_rank[some.row], whole.cluster[some.row]
    turn = places(order, some.answer, cluster)
    return some.only(places(turn * len(whole) + order, some.answer) < quotas[some.answer])


def _items(whole: Pool, *chosen: tuple[Uses, str]) -> pa.Table:
    keys = whole.samples["key"]
    tables = [
        sorted_items(
            key=keys.take(pa.array(some.row)),
            split=pa.scalar(split),
            subset=some.column(0),
            granularity=pa.scalar("image"),
            label=some.names(),
            label_id=some.column(1),
        )
        for some, split in chosen
    ]
    both = pa.concat_tables(tables)
    return sorted_items(**{name: both[name] for name in both.column_names})
