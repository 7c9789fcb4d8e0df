"""GMAI-MMBench's protocol: up to 30 cases per answer, unlike each other, in a validation and a test part.

From the paper: 30 cases per answer chosen for diversity in appearance, source, age and sex; validation has 4 550 and test
21 281 of the questions; mask and contour questions come from the same segmentations. An answer is a clinical task, a
granularity and a label: the paper's label counts per task and per granularity both add up to 721, and so do no finer ones.

The paper is silent on the rest; these readings are ours:
- Image-level answers come from what a source says of the whole image, as the paper's come from classification sets. A label
  state that only repeats a box, mask or contour of the same sample is none. A mask gives a contour too, and a contour a mask.
- Blank pictures are no cases; points are no granularity of GMAI; labels without a clinical task are no answers.
- A case costs its whole cluster: training keeps the clusters that hold no case at all, and other samples of a case's cluster
  are left out.
- Cases of one answer come from different clusters while there are any; among those, from the release's own test and
  validation before its train (`from_train` counts those that don't); then source × sex × decade of age are served in turn;
  then the one farthest in perceptual hash from all chosen. Very large choices are first thinned to `POOL`, by the same turns.
- Clusters go to validation or test in seeded order, so that each answer's cases are parted as the paper's questions are.
- Answers with fewer than `min_cases` cases are left out and listed; by default one is enough, since the paper has such, too.
"""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .clusters import Group, codes
from .deal import places
from .diverse import Candidates, bits, choose
from .gmai_table import NO_TASK, Counted, details, notes, table
from .outcome import Outcome, sorted_items
from .pool import Pool, Uses, at_least, pool, uses

VALIDATION_SHARE = 4550 / (4550 + 21281)
POOL = 2000
_REGIONS = ("box", "mask", "contour")
_SEGMENTED = {"mask": "contour", "contour": "mask"}
_TRAIN, _VALIDATION, _TEST = range(3)


def gmai(
    samples: pa.Table,
    annotations: pa.Table,
    *,
    linked: Iterable[tuple[Group, Group]] = (),
    seed: int = 0,
    cases: int = 30,
    min_cases: int = 1,
) -> Outcome:
    """The uses of a release after GMAI-MMBench: cases per answer in validation and test, all other clusters in train.

    Raises:
        UsageError: an option or a table can't be used.
    """
    at_least(1, cases=cases, min_cases=min_cases)
    whole = pool(samples, annotations, linked=linked, seed=seed)
    found = _answers(whole)
    chosen = _chosen(whole, found, cases, enough=min_cases)
    side = _sides(whole, chosen)
    counted = Counted(found, chosen, side[whole.cluster[chosen.row]] == _VALIDATION, ~_held_out(whole)[chosen.row])
    return Outcome(
        name="gmai",
        items=_items(whole, chosen, side),
        options={"name": "gmai", "seed": seed, "cases": cases, "min_cases": min_cases},
        table=table(counted, cases),
        details=details(counted),
        notes=notes(counted, whole, side, cases=cases, min_cases=min_cases),
    )


def _answers(whole: Pool) -> Uses:
    """Every answer and the samples that may be its cases."""
    blank = pc.fill_null(whole.samples["provenance_low_information"], False).to_numpy()
    present = whole.present
    present = present.filter(pc.not_equal(pc.fill_null(present["clinical_task"], NO_TASK), NO_TASK))
    present = present.filter(pa.array(~blank[present["row"].to_numpy()]))
    regions = present.filter(pc.is_in(present["granularity"], value_set=pa.array(_REGIONS)))
    states = _unrepeated(present.filter(pc.equal(present["granularity"], "image")), regions)
    other = [_renamed(regions.filter(pc.equal(regions["granularity"], one)), name) for one, name in _SEGMENTED.items()]
    return uses(pa.concat_tables([states, regions, *other]), ("clinical_task", "granularity", "label_id"))


def _unrepeated(states: pa.Table, regions: pa.Table) -> pa.Table:
    """The label states whose label no region of the same sample has."""
    pairs = [pc.binary_join_element_wise(one["key"], one["label_id"], "\0") for one in (states, regions)]
    return states.filter(pc.invert(pc.is_in(pairs[0], value_set=pairs[1].combine_chunks())))


def _renamed(rows: pa.Table, granularity: str) -> pa.Table:
    place = rows.column_names.index("granularity")
    return rows.set_column(place, "granularity", pa.repeat(pa.scalar(granularity), len(rows)))


def _chosen(whole: Pool, found: Uses, cases: int, *, enough: int) -> Uses:
    """The cases of every answer that has enough."""
    features = _features(whole)
    bounds = np.searchsorted(found.answer, np.arange(len(found.answers) + 1))
    kept = [np.zeros(0, np.int64)]
    for start, end in pairwise(bounds):
        if end - start >= enough:
            thin = start + _thinned(features.at(found.row[start:end]), whole.sample_rank[found.row[start:end]])
            kept.append(thin[choose(features.at(found.row[thin]), cases)])
    mask = np.zeros(len(found), bool)
    mask[np.concatenate(kept)] = True
    return found.only(mask)


def _thinned(some: Candidates, rank: np.ndarray) -> np.ndarray:
    """Places of at most `POOL` candidates in the order that breaks ties: one per cluster, and strata in turn, first."""
    turn = places(rank, some.cluster)
    kept = np.lexsort((rank, places(turn * (rank.max(initial=0) + 1) + rank, some.tier, some.stratum), some.tier, turn))[:POOL]
    return kept[np.argsort(rank[kept])]


def _features(whole: Pool) -> Candidates:
    decade = pc.cast(pc.floor(pc.divide(whole.samples["subject_age_years"], 10.0)), pa.string())
    parts = [pc.fill_null(one, "") for one in (whole.samples["source"], whole.samples["subject_sex"], decade)]
    stratum, _ = codes(pc.binary_join_element_wise(*parts, "\0"))
    hashes = bits(whole.samples["provenance_perceptual_hash"].to_pylist())
    return Candidates(hashes, whole.cluster, (~_held_out(whole)).astype(np.int64), stratum)


def _held_out(whole: Pool) -> np.ndarray:
    return pc.is_in(whole.samples["split"], value_set=pa.array(["validation", "test"])).to_numpy()


def _sides(whole: Pool, chosen: Uses) -> np.ndarray:
    """The side of each cluster, int64: train without cases, else where it brings its answers nearer to their shares."""
    side = np.full(len(whole.collections), _TRAIN)
    side[whole.cluster[chosen.row]] = _TEST
    missing = VALIDATION_SHARE * chosen.counts()
    rank = whole.cluster_rank[whole.cluster[chosen.row]]
    order = np.argsort(rank, kind="stable")
    answer, cluster = chosen.answer[order], whole.cluster[chosen.row][order]
    bounds = np.append(np.flatnonzero(np.diff(cluster, prepend=-1)), len(cluster))
    for start, end in pairwise(bounds):
        which, many = np.unique(answer[start:end], return_counts=True)
        if np.sum((missing[which] - many) ** 2) < np.sum(missing[which] ** 2):
            side[cluster[start]] = _VALIDATION
            missing[which] -= many
    return side


def _items(whole: Pool, chosen: Uses, side: np.ndarray) -> pa.Table:
    """A row per case, and one without an answer per training sample."""
    keys = whole.samples["key"]
    rest = np.flatnonzero(side[whole.cluster] == _TRAIN)
    names = pa.array(["train", "validation", "test"])
    asked = sorted_items(
        key=keys.take(pa.array(chosen.row)),
        split=names.take(pa.array(side[whole.cluster[chosen.row]])),
        clinical_task=chosen.column(0),
        granularity=chosen.column(1),
        label=chosen.names(),
        label_id=chosen.column(2),
    )
    both = pa.concat_tables([asked, sorted_items(key=keys.take(pa.array(rest)), split=pa.scalar("train"))])
    return sorted_items(**{name: both[name] for name in both.column_names})
