"""Labels over all catalogued and built sources: no two names for one thing, no name for two things inside a task."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import pyarrow.parquet as pq
import pytest

from medloom.builders import catalog
from medloom.builders.source import Facts
from medloom.schema.labels import Label
from medloom.schema.labels.table import table
from medloom.schema.release import Release
from medloom.schema.vocabulary import fold

NAMES = catalog.names()
NOT_SHOWN = {"pydicom_data"}
"""Sources whose labelled objects belong to images of another source."""


def stated() -> Iterator[tuple[Facts, str, Label]]:
    """Facts, raw word and label of all labels of all sources."""
    for name in NAMES:
        source = catalog.load(name)
        yield from ((source.facts, word, label) for word, label in source.labels.items() if label is not None)


def test_every_label_of_every_source_is_in_the_table():
    assert {label.name for _, _, label in stated() if label.name not in table()} == set()


def test_names_and_ids_are_one_to_one_and_share_a_descriptor_only_as_parent_and_child():
    by_id, by_mesh = defaultdict(set), defaultdict(set)
    for _, _, label in stated():
        by_id[label.id].add(label.name)
        if label.mesh:
            by_mesh[label.mesh].add(label.name)
    assert {one: names for one, names in by_id.items() if len(names) > 1} == {}
    for names in by_mesh.values():
        assert all(
            one == other or other in (*table().ancestors(one), *table().descendants(one)) for one in names for other in names
        )


def test_no_name_is_another_labels_word():
    for name in {label.name for _, _, label in stated()}:
        assert table().find(name) is table()[name]


def test_one_raw_word_means_one_thing_inside_a_task():
    meant = defaultdict(set)
    for facts, word, label in stated():
        meant[label.task or facts.triplet.task, fold(word)].add(label.name)
    assert {place: names for place, names in meant.items() if len(names) > 1} == {}


def test_a_source_states_only_what_differs_from_the_table():
    repeated = [
        (facts.name, word)
        for facts, word, label in stated()
        if label.clinical_task == table()[label.name].clinical_task or label.departments == table()[label.name].departments
    ]
    assert repeated == []


@pytest.mark.parametrize("name", NAMES)
def test_what_a_release_holds_is_what_source_and_table_say(name: str, built):
    release, _ = built(name)
    stated = {label.name: label for label in catalog.load(name).labels.values() if label}
    columns = ["label", "label_id", "clinical_task", "departments"]
    rows = pq.read_table(Release.open(release).index_path(name, "annotations"), columns=columns).to_pylist()
    for row in rows:
        label, entry = stated[row["label"]], table()[row["label"]]
        assert row["label_id"] == table().id_of(entry.name)
        assert row["departments"] == list(label.departments or entry.departments)
        assert row["clinical_task"] == (label.clinical_task or entry.clinical_task)
    assert bool(rows) == bool(stated) or name in NOT_SHOWN
