"""Small indexes: drawn ones for properties, and written ones for single rules."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import strategies as st

from medloom.schema.index import ANNOTATIONS, sample_table

Picture = dict[str, Any]
Tables = Callable[[list[Picture]], tuple[pa.Table, pa.Table]]
SUBSETS = {"a": "xr-lung", "b": "xr-lung", "c": "xr-lung", "d": "ct-head", "e": "ct-head"}
TASKS = {"a": "Disease Diagnosis", "b": "Disease Diagnosis", "c": "Bone", "d": "Bone", "e": "None"}


def hashed(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


def sample(one: Picture, number: int) -> Picture:
    """An index row of a picture; what it doesn't say is of its own."""
    key = one.get("key", f"s-{number:05d}")
    whole = {"source": "s", "collection": "c", "split": "train", "group": key, "original_split": None, "blank": False} | one
    labels = whole.get("labels", ())
    return {name: value for name, value in whole.items() if name != "labels"} | {
        "key": key,
        "subsets": sorted({SUBSETS[label] for label, _, _ in labels}) or ["xr-unlabelled"],
        "subject_age_years": whole.get("age"),
        "subject_sex": whole.get("sex"),
        "provenance_pixel_sha256": hashed(whole.get("pixels", key)),
        "provenance_perceptual_hash": whole.get("look", hashed(key)),
        "provenance_low_information": whole["blank"],
    }


@pytest.fixture(scope="session")
def tables() -> Tables:
    """Both index tables of pictures; `labels` are (label, state, granularity)."""

    def make(pictures: list[Picture]) -> tuple[pa.Table, pa.Table]:
        samples = [sample(one, number) for number, one in enumerate(pictures)]
        marks = [
            {"key": row["key"], "label": label, "label_id": f"id-{label}", "state": state, "granularity": granularity}
            | {"subset": SUBSETS[label], "clinical_task": TASKS[label]}
            for row, one in zip(samples, pictures, strict=True)
            for label, state, granularity in one.get("labels", ())
        ]
        columns = {one.name: pa.array([mark.get(one.name) for mark in marks], one.type) for one in ANNOTATIONS}
        return sample_table(samples), pa.table(columns)

    return make


LABELS = st.tuples(
    st.sampled_from("aaabcde"),
    st.sampled_from(["present", "present", "present", "absent", "uncertain"]),
    st.sampled_from(["image", "image", "image", "mask", "contour", "box", "point"]),
)
PICTURES = st.fixed_dictionaries(
    {
        "source": st.sampled_from("pqr"),
        "collection": st.sampled_from("mn"),
        "group": st.integers(0, 25).map(str),
        "split": st.sampled_from(["train", "train", "validation", "test", "excluded"]),
        "original_split": st.sampled_from([None, None, "train", "validation", "test"]),
        "pixels": st.integers(0, 80).map(str),
        "blank": st.booleans(),
        "age": st.sampled_from([None, 7.0, 35.0, 71.0]),
        "sex": st.sampled_from([None, "female", "male"]),
        "labels": st.lists(LABELS, max_size=4),
    }
)


@pytest.fixture(scope="session")
def releases() -> st.SearchStrategy[list[Picture]]:
    """Pictures of two collections and three sources, of which at most the first has splits of its owner."""

    def owned(pictures: list[Picture]) -> list[Picture]:
        return [one if one["source"] == "p" else one | {"original_split": None} for one in pictures]

    return st.lists(PICTURES, max_size=70).map(owned)
