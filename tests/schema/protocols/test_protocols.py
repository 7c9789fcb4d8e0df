"""What every protocol keeps: the same keys for the same rows, no cluster on two sides, nothing that the build excluded."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medloom.schema.errors import UsageError
from medloom.schema.protocols import ITEMS, PROTOCOLS, Outcome, columns, options, run
from medloom.schema.protocols.clusters import clusters

SMALL = {"medmat": {"cap": 4}, "gmai": {"cases": 3}, "mimoseg": {}}
GROUPS = st.tuples(st.sampled_from("mn"), st.integers(0, 30).map(str))
LINKS = st.lists(st.tuples(GROUPS, GROUPS), max_size=5)
drawn = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def shuffled(table: pa.Table, random) -> pa.Table:
    return table.take(pa.array(random.sample(range(len(table)), len(table)), pa.int64()))


def sides(samples: pa.Table, outcome: Outcome, linked=()) -> dict[int, set[str]]:
    """Cluster → the splits that its samples have."""
    cluster = dict(zip(samples["key"].to_pylist(), clusters(samples, linked).of.tolist(), strict=True))
    found: dict[int, set[str]] = {}
    for row in outcome.items.to_pylist():
        found.setdefault(cluster[row["key"]], set()).add(row["split"])
    return found


@pytest.mark.parametrize("name", PROTOCOLS)
@drawn
@given(data=st.data(), linked=LINKS, random=st.randoms(use_true_random=False))
def test_the_order_of_rows_plays_no_part(tables, releases, name: str, *, data, linked, random):
    samples, annotations = tables(data.draw(releases))
    one = run(name, samples, annotations, linked=linked, seed=3, **SMALL[name])
    flipped = [(right, left) for left, right in random.sample(linked, len(linked))]
    other = run(name, shuffled(samples, random), shuffled(annotations, random), linked=flipped, seed=3, **SMALL[name])
    assert one.items.equals(other.items)
    assert (one.table, one.details, one.notes, one.digest) == (other.table, other.details, other.notes, other.digest)


@pytest.mark.parametrize("name", PROTOCOLS)
@drawn
@given(data=st.data(), linked=LINKS, seed=st.integers(0, 5))
def test_no_cluster_is_on_two_sides_and_nothing_excluded_takes_part(tables, releases, name: str, *, data, linked, seed):
    samples, annotations = tables(data.draw(releases))
    outcome = run(name, samples, annotations, linked=linked, seed=seed, **SMALL[name])
    assert all(len(splits) == 1 for splits in sides(samples, outcome, linked).values())
    split = dict(zip(samples["key"].to_pylist(), samples["split"].to_pylist(), strict=True))
    assert all(split[key] != "excluded" for key in outcome.items["key"].to_pylist())
    keys = outcome.splits()["key"].to_pylist()
    assert keys == sorted(set(outcome.items["key"].to_pylist()))
    assert outcome.items.schema.equals(ITEMS)
    rows = [tuple(value or "" for value in row.values()) for row in outcome.items.to_pylist()]
    assert len(set(rows)) == len(rows), "no use is listed twice"
    assert sum(outcome.counts().values()) == len(keys)
    assert all(row.keys() == outcome.table[0].keys() for row in outcome.table)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_an_empty_release_has_an_empty_outcome(tables, name: str):
    outcome = run(name, *tables([]))
    assert len(outcome.items) == len(outcome.splits()) == 0
    assert outcome.counts() == {"train": 0, "validation": 0, "test": 0}


@pytest.mark.parametrize("name", PROTOCOLS)
def test_the_seed_chooses(tables, name: str):
    pictures = [{"labels": [(label, "present", "mask"), (label, "present", "image")]} for label in "ab" * 300]
    made = tables(pictures)
    digests = {run(name, *made, seed=seed, **SMALL[name]).digest for seed in (0, 0, 1, 2)}
    assert len(digests) == 3


def test_the_options_are_recorded(tables):
    made = tables([{"labels": [("a", "present", "image")]}])
    assert run("medmat", *made, seed=7, cap=9).options == {"name": "medmat", "seed": 7, "cap": 9, "min_test_per_label": 1}
    assert {name: options(name) for name in PROTOCOLS} == {
        "medmat": {"cap": 3000, "min_test_per_label": 1},
        "gmai": {"cases": 30, "min_cases": 1},
        "mimoseg": {},
    }


def test_only_the_named_columns_are_needed(tables):
    samples, annotations = tables([{"labels": [("a", "present", "mask")]}])
    needed = columns()
    lean = samples.select(needed["samples"]), annotations.select(needed["annotations"])
    for name in PROTOCOLS:
        assert run(name, *lean).digest == run(name, samples, annotations).digest
    with pytest.raises(UsageError, match="no column provenance_perceptual_hash"):
        run("gmai", samples.drop_columns("provenance_perceptual_hash"), annotations)


def test_wrong_use_is_named(tables):
    made = tables([{}])
    with pytest.raises(UsageError, match="expected one of medmat, gmai, mimoseg"):
        run("slake", *made)
    with pytest.raises(UsageError, match="option cap; expected cases, min_cases"):
        run("gmai", *made, cap=3)
    with pytest.raises(UsageError, match="expected none of its own"):
        run("mimoseg", *made, cap=3)
    for wrong in (0, 2.5, True):
        with pytest.raises(UsageError, match="cap = "):
            run("medmat", *made, cap=wrong)
    with pytest.raises(UsageError, match="key s-1 stands in two rows"):
        run("medmat", *tables([{"key": "s-1"}, {"key": "s-1"}]))


def test_annotations_of_other_samples_are_ignored(tables):
    samples, annotations = tables([{"labels": [("a", "present", "image")]}, {"labels": [("b", "present", "image")]}])
    outcome = run("gmai", samples.slice(0, 1), annotations)
    assert outcome.items["label"].to_pylist() == ["a"]


def test_two_spellings_of_one_label_id_are_one_answer(tables):
    samples, annotations = tables([{"labels": [("a", "present", "image")]} for _ in range(2)])
    spelled = annotations.set_column(annotations.column_names.index("label"), "label", pa.array(["nodule", "Nodule"]))
    outcome = run("gmai", samples, spelled)
    assert set(outcome.items["label"].to_pylist()) == {"Nodule"}
    assert [row["cases"] for row in outcome.details] == [2]


def test_the_digest_tells_the_smallest_change(tables):
    made = tables([{"labels": [("a", "present", "image")]} for _ in range(30)])
    whole = run("gmai", *made)
    fewer = Outcome(name="gmai", items=whole.items.slice(1), options=whole.options)
    assert whole.digest != fewer.digest
    assert len(whole.digest) == 64
