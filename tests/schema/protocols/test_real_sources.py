"""The protocols on the 20 real sources together: stated tables, the same keys in any order, no group on two sides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medloom.builders import catalog
from medloom.schema.errors import UsageError
from medloom.schema.protocols import PROTOCOLS, columns, of_release, run
from medloom.schema.release import Release

SOURCES = [name for name in catalog.names() if catalog.load(name).draw is None]
CAP = 60
"""Small enough that four subsets of these slices are in-distribution."""

MEDMAT = {
    # subset: distribution, labels, samples, samples to train, items in train, items in test, of each label
    "ct-abdomen-other": ("OOD", 5, 3, 3, 0, 0, 0),
    "ct-liver-liver-segmentation": ("OOD", 1, 3, 3, 0, 0, 0),
    "ct-phantom-liver-segmentation": ("OOD", 1, 2, 0, 0, 2, 2),
    "ct-phantom-other": ("OOD", 1, 2, 2, 0, 0, 0),
    "ct-spine-tissue-segmentation": ("OOD", 1, 1, 1, 0, 0, 0),
    "der-skin-artefact-recognition": ("OOD", 3, 18, 16, 0, 2, 1),
    "end-intestine-polyp-segmentation": ("OOD", 1, 5, 4, 0, 1, 1),
    "fp-fundus-vessel-segmentation": ("OOD", 1, 28, 26, 0, 2, 2),
    "mic-blood-cell-detection": ("ID", 3, 364, 205, 60, 117, 39),
    "mic-blood-red-cell-morphology": ("OOD", 13, 56, 44, 0, 9, 1),
    "mic-cell-nucleus-segmentation": ("OOD", 1, 45, 40, 0, 5, 5),
    "mri-brain-brain-structure-segmentation": ("OOD", 8, 162, 43, 0, 0, 0),
    "mri-brain-brain-tumour-classification": ("ID", 4, 163, 115, 60, 48, 12),
    "mri-brain-brain-tumour-detection": ("ID", 3, 150, 135, 60, 9, 3),
    "mri-brain-lesion-segmentation": ("OOD", 1, 48, 7, 0, 2, 2),
    "mri-breast-lesion-segmentation": ("OOD", 1, 21, 3, 0, 0, 0),
    "mri-hippocampus-hippocampus-segmentation": ("ID", 2, 2176, 1368, 60, 174, 87),
    "us-hip-standard-plane": ("OOD", 6, 51, 46, 0, 3, 1),
    "x-ray-lung-covid-19-pneumonia": ("OOD", 4, 33, 30, 0, 3, 3),
    "x-ray-lung-lung-detection": ("OOD", 1, 42, 38, 0, 4, 4),
}
GMAI: dict[tuple[str, str], tuple[int, ...]] = {
    # clinical task, granularity: answers, cases, in validation, in test
    ("Attribute Recognition", "image"): (3, 18, 3, 15),
    ("Blood Vessels Recognition", "contour"): (1, 28, 4, 24),
    ("Blood Vessels Recognition", "mask"): (1, 28, 4, 24),
    ("Bone", "contour"): (1, 1, 0, 1),
    ("Bone", "mask"): (1, 1, 0, 1),
    ("Cell Recognition", "box"): (3, 90, 16, 74),
    ("Cell Recognition", "contour"): (1, 30, 5, 25),
    ("Cell Recognition", "image"): (13, 170, 32, 138),
    ("Cell Recognition", "mask"): (1, 30, 5, 25),
    ("Disease Diagnosis", "box"): (3, 90, 15, 75),
    ("Disease Diagnosis", "contour"): (3, 17, 3, 14),
    ("Disease Diagnosis", "image"): (8, 153, 28, 125),
    ("Disease Diagnosis", "mask"): (3, 17, 3, 14),
    ("Image Quality Grading", "image"): (6, 51, 10, 41),
    ("Nervous Tissue", "contour"): (10, 186, 11, 175),
    ("Nervous Tissue", "mask"): (10, 186, 11, 175),
    ("Organ Recognition - Abdomen", "contour"): (1, 5, 0, 5),
    ("Organ Recognition - Abdomen", "mask"): (1, 5, 0, 5),
    ("Organ Recognition - Thorax", "box"): (1, 30, 5, 25),
}
MIMOSEG = {"train": (1637, 120), "validation": (10, 4), "test": (8, 7)}
"""Samples and clusters."""


@pytest.fixture(scope="module")
def index(built) -> tuple[pa.Table, pa.Table]:
    """Both tables of the index over all 20 sources."""
    releases = [Release.open(built(name)[0]) for name in SOURCES]
    return tuple(
        pa.concat_tables(
            pq.read_table(release.index_path(source, table), columns=list(names))
            for release, source in zip(releases, SOURCES, strict=True)
        )
        for table, names in columns().items()
    )


def test_there_are_twenty():
    assert len(SOURCES) == 20


@pytest.mark.slow
def test_medmat(index):
    outcome = run("medmat", *index, cap=CAP)
    names = ("distribution", "labels", "samples", "train_samples", "train", "test", "test_per_label")
    assert {row["subset"]: tuple(row[name] for name in names) for row in outcome.table} == MEDMAT
    assert outcome.notes == ("Subsets without a label that is present: 23, with 866 samples.",)


@pytest.mark.slow
def test_gmai(index):
    outcome = run("gmai", *index)
    names = ("answers", "cases", "validation", "test")
    found = {(row["clinical_task"], row["granularity"]): tuple(row[name] for name in names) for row in outcome.table}
    assert found == GMAI
    assert outcome.notes[0] == "In train: 2083 samples; left out, since another of their cluster is a case: 1501."


@pytest.mark.slow
def test_mimoseg(index):
    outcome = run("mimoseg", *index)
    assert {row["split"]: (row["samples"], row["clusters"]) for row in outcome.table} == MIMOSEG
    assert outcome.notes == ("Left out, having neither mask nor contour: 2548 samples.",)


@pytest.mark.slow
@pytest.mark.parametrize("name", PROTOCOLS)
def test_any_order_of_rows_gives_the_same_and_no_group_is_on_two_sides(index, name: str):
    own = {"cap": CAP} if name == "medmat" else {}
    samples, annotations = index
    outcome = run(name, samples, annotations, seed=1, **own)
    random = np.random.default_rng(9)
    mixed = [table.take(pa.array(random.permutation(len(table)))) for table in index]
    assert run(name, *mixed, seed=1, **own).digest == outcome.digest
    group = {
        row["key"]: (row["collection"], row["group"]) for row in samples.select(["key", "collection", "group"]).to_pylist()
    }
    pairs = {(group[row["key"]], row["split"]) for row in outcome.splits().to_pylist()}
    assert len({one for one, _ in pairs}) == len(pairs)


def test_a_release_is_read_by_what_is_needed(marked: Path):
    release = Release.open(marked)
    tables = [pq.read_table(release.index_path("marked", table)) for table in columns()]
    for name in PROTOCOLS:
        assert of_release(release, name, seed=2).digest == run(name, *tables, seed=2).digest


def test_only_the_given_keys_take_part(marked: Path):
    release = Release.open(marked)
    keys = pq.read_table(release.index_path("marked"), columns=["key"])["key"].slice(0, 20)
    outcome = of_release(release, "medmat", keys=keys, cap=1)
    assert set(outcome.splits()["key"].to_pylist()) < set(keys.to_pylist())
    (train,) = {row["train_samples"] for row in outcome.table if row["subset"] == "ct-lung-unlabelled"}
    assert 0 < train < 20
    assert len(of_release(release, "medmat", keys=keys.slice(0, 0)).items) == 0
    with pytest.raises(UsageError, match="expected one of"):
        of_release(release, "slake")
