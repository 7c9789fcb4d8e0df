"""MIMOSeg's protocol: samples with masks, 99 : 0.5 : 0.5 into train, validation and test, never through a group.

From the paper: the shares (859 003, 6 912 and 6 675 of 872 590 records), and that everything is segmentation.

The paper is silent on the rest; these readings are ours:
- Shares count samples, not records, and clusters go whole: in seeded order to test until it has its share, then to validation,
  the rest to train. A cluster that would overshoot by more than it helps is passed by, so a release with few or large clusters
  may have no test or validation at all; the table says so.
- A sample takes part with a mask or a contour, which fills to a mask; one with boxes or points alone is left out.
- An item is a sample and a label that is masked on it.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .clusters import Group
from .deal import fill
from .outcome import Outcome, Row, sorted_items
from .pool import Pool, Uses, pool, uses

SHARE = 0.005
"""Of test, and of validation."""
_NAMES = ("train", "validation", "test")
_TRAIN, _VALIDATION, _TEST = range(3)


def mimoseg(
    samples: pa.Table,
    annotations: pa.Table,
    *,
    linked: Iterable[tuple[Group, Group]] = (),
    seed: int = 0,
) -> Outcome:
    """The uses of a release after MIMOSeg, per sample and masked label.

    Raises:
        UsageError: a table can't be used.
    """
    whole = pool(samples, annotations, linked=linked, seed=seed)
    masked = whole.present.filter(pc.is_in(whole.present["granularity"], value_set=pa.array(["mask", "contour"])))
    found = uses(masked, ("label_id", "granularity"))
    rows = np.unique(found.row)
    side = _sides(whole, rows)
    return Outcome(
        name="mimoseg",
        items=_items(whole, found, side),
        options={"name": "mimoseg", "seed": seed},
        table=_table(whole, found, side),
        details=_details(whole, found, side),
        notes=tuple(_notes(whole, rows, side)),
    )


def _sides(whole: Pool, rows: np.ndarray) -> np.ndarray:
    """The side of each cluster, int64; `rows` are the samples that take part."""
    sizes = np.bincount(whole.cluster[rows], minlength=len(whole.collections))
    side = np.full(len(sizes), _TRAIN)
    for one in (_TEST, _VALIDATION):
        waiting = np.flatnonzero(side == _TRAIN)
        waiting = waiting[np.argsort(whole.cluster_rank[waiting])]
        side[waiting[fill(sizes[waiting], SHARE * len(rows))]] = one
    return side


def _items(whole: Pool, found: Uses, side: np.ndarray) -> pa.Table:
    return sorted_items(
        key=whole.samples["key"].take(pa.array(found.row)),
        split=pa.array(_NAMES).take(pa.array(side[whole.cluster[found.row]])),
        granularity=found.column(1),
        label=found.names(),
        label_id=found.column(0),
    )


def _table(whole: Pool, found: Uses, side: np.ndarray) -> tuple[Row, ...]:
    """One row per split: what it holds, its share of the samples and the share that was wanted."""
    rows = np.unique(found.row)
    return tuple(
        _split_row(whole, found, side[whole.cluster] == one, name=name, total=len(rows)) for one, name in enumerate(_NAMES)
    )


def _split_row(whole: Pool, found: Uses, mine: np.ndarray, *, name: str, total: int) -> Row:
    some = found.only(mine[found.row])
    samples = len(np.unique(some.row))
    return {
        "split": name,
        "samples": samples,
        "share": round(samples / total, 5) if total else 0.0,
        "wanted": 1 - 2 * SHARE if name == "train" else SHARE,
        "clusters": len(np.unique(whole.cluster[some.row])),
        "labels": len({some.answers[one][0] for one in np.unique(some.answer)}),
        "items": len(some),
    }


def _details(whole: Pool, found: Uses, side: np.ndarray) -> tuple[Row, ...]:
    """One row per label and granularity: samples per split."""
    parts = [found.only(side[whole.cluster[found.row]] == one).counts() for one in range(len(_NAMES))]
    answers = zip(found.answers, found.labels, strict=True)
    return tuple(
        {"label": label, "label_id": label_id, "granularity": granularity}
        | {name: int(part[one]) for name, part in zip(_NAMES, parts, strict=True)}
        for one, ((label_id, granularity), label) in enumerate(answers)
    )


def _notes(whole: Pool, rows: np.ndarray, side: np.ndarray) -> Iterable[str]:
    if left := len(whole) - len(rows):
        yield f"Left out, having neither mask nor contour: {left} samples."
    here = set(side[whole.cluster[rows]].tolist())
    for one in (_VALIDATION, _TEST):
        if len(rows) and one not in here:
            yield f"Nothing is in {_NAMES[one]}: no cluster is small enough for {SHARE:.1%} of {len(rows)} samples."
