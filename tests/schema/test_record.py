"""The record: what is written is what is read, in every field and type, also by `datasets`."""

from __future__ import annotations

import io
import json
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import orjson
import pytest
from datasets import Dataset, IterableDataset
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from medloom.schema.errors import ReleaseError
from medloom.schema.record import features, from_json, to_json, with_split
from medloom.schema.sample import (
    SPLITS,
    Acquisition,
    Annotation,
    BurnedIn,
    LabelState,
    Origin,
    Provenance,
    Sample,
    State,
    Subject,
    Text,
)

WORDS = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
COUNTS = st.integers(-(2**63), 2**63 - 1)
PAIRS = st.tuples(NUMBERS, NUMBERS)
SIZES = st.tuples(COUNTS, COUNTS)


def maybe(strategy: st.SearchStrategy) -> st.SearchStrategy:
    return st.none() | strategy


ANNOTATIONS = st.builds(
    Annotation,
    id=WORDS,
    label=WORDS,
    label_id=WORDS,
    granularity=WORDS,
    box_xyxy_px=maybe(st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS)),
    rle=maybe(WORDS),
    points=st.lists(PAIRS, max_size=3).map(tuple),
    area_px=maybe(NUMBERS),
    laterality=maybe(WORDS),
    observer=maybe(WORDS),
    origin=st.sampled_from(Origin),
    tool=maybe(WORDS),
)
LABELS = st.builds(
    LabelState,
    **dict.fromkeys(("label", "label_id", "area", "task", "subset", "clinical_task"), WORDS),
    departments=st.lists(WORDS, max_size=3).map(tuple),
    state=st.sampled_from(State),
    laterality=maybe(WORDS),
    value=maybe(NUMBERS),
    unit=maybe(WORDS),
)
PROVENANCE = st.builds(
    Provenance,
    **dict.fromkeys(("raw_sha256", "raw_format", "decoder", "pixel_sha256", "perceptual_hash", "builder_version"), WORDS),
    **dict.fromkeys(("axis", "orientation", "window_name", "burned_in_reason"), maybe(WORDS)),
    low_information=st.booleans(),
    index=maybe(COUNTS),
    volume_index=maybe(COUNTS),
    original_size_hw_px=SIZES,
    spacing_mm=maybe(PAIRS),
    slice_position_mm=maybe(NUMBERS),
    intensity=WORDS,
    window=maybe(PAIRS),
    transformations=st.lists(WORDS, max_size=3).map(tuple),
    burned_in=st.sampled_from(BurnedIn),
)
WHO = ("key", "source", "collection", "group", "group_kind", "licence", "citation", "modality", "area", "task")
SAMPLES = st.builds(
    Sample,
    **dict.fromkeys((*WHO, "clinical_task", "department", "image_format", "schema_version", "split"), WORDS),
    subsets=st.lists(WORDS, max_size=3).map(tuple),
    size_hw_px=SIZES,
    channels=COUNTS,
    provenance=PROVENANCE,
    modality_detail=maybe(WORDS),
    acquisition=st.builds(
        Acquisition,
        **dict.fromkeys(("plane", "view", "contrast", "stain"), maybe(WORDS)),
        um_per_px=maybe(NUMBERS),
    ),
    subject=st.builds(Subject, age_years=maybe(NUMBERS), sex=maybe(WORDS)),
    texts=st.lists(st.builds(Text, kind=WORDS, language=WORDS, origin=WORDS, text=WORDS), max_size=2).map(tuple),
    labels=st.lists(LABELS, max_size=2).map(tuple),
    annotations=st.lists(ANNOTATIONS, max_size=2).map(tuple),
    original_split=maybe(WORDS),
)

PLAIN = Sample(
    key="s-0",
    source="s",
    collection="s",
    group="g",
    group_kind="image",
    licence="CC0-1.0",
    citation="c",
    modality="CT",
    area="lung",
    task="unlabelled",
    subsets=("a",),
    clinical_task="None",
    department="None",
    image_format="png",
    size_hw_px=(2, 3),
    channels=1,
    provenance=Provenance("r", "png", "pillow 11", "p", "h", low_information=False, builder_version="0"),
    labels=(LabelState("l", "medloom:l", State.PRESENT, "lung", "unlabelled", "a", "None", ("None",)),),
    annotations=(Annotation("a0", "l", "medloom:l", "point", points=((0.5, 1.0),)),),
)


def same_fields(value: Any, data: Any) -> bool:
    """Whether JSON has every field of the dataclasses inside, in their order, and no other."""
    if is_dataclass(value):
        names = [field.name for field in fields(value)]
        return list(data) == names and all(same_fields(getattr(value, name), data[name]) for name in names)
    if isinstance(value, tuple):
        return len(value) == len(data) and all(map(same_fields, value, data))
    return True


def same_kinds(value: Any, data: Any) -> bool:
    """Whether numbers kept their kind: a float that became an integer would break a streamed table."""
    if is_dataclass(value):
        return all(same_kinds(getattr(value, name), data[name]) for name in data)
    if isinstance(value, tuple):
        return all(map(same_kinds, value, data))
    return not isinstance(value, float | int) or type(value) is type(data)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SAMPLES)
def test_a_record_is_its_sample(sample: Sample):
    record = to_json(sample)
    assert from_json(record) == sample
    assert from_json(orjson.loads(record)) == sample
    assert same_fields(sample, json.loads(record))
    assert same_kinds(sample, json.loads(record))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(SAMPLES, min_size=1, max_size=3))
def test_datasets_gives_back_what_the_json_says(samples: list[Sample]):
    records = [orjson.loads(to_json(sample)) for sample in samples]
    coded = io.BytesIO()
    Image.fromarray(np.zeros((2, 3), np.uint8)).save(coded, "PNG")
    rows = [{"image": {"bytes": coded.getvalue(), "path": None}, "json": r, "__key__": "k", "__url__": "u"} for r in records]
    mapped = Dataset.from_list([features().encode_example(row) for row in rows], features=features())
    assert [row["json"] for row in mapped] == records
    streamed = IterableDataset.from_generator(lambda: iter(rows), features=features())
    assert [row["json"] for row in streamed] == records
    assert all(row["image"].size == (3, 2) for row in streamed)


@pytest.mark.parametrize("split", SPLITS)
def test_a_split_is_written_in_place_and_nothing_else_moves(split: str):
    record = with_split(to_json(PLAIN), split)
    assert from_json(record) == replace(PLAIN, split=split)
    assert record == to_json(replace(PLAIN, split=split))


@given(SAMPLES, st.sampled_from(SPLITS), st.sampled_from(SPLITS))
def test_a_split_is_replaced_by_another_and_nothing_else_moves(sample: Sample, was: str, split: str):
    sample = replace(sample, split=was)
    moved = with_split(to_json(sample), split, was=was)
    assert moved == to_json(replace(sample, split=split))
    assert with_split(moved, was, was=split) == to_json(sample)


@pytest.mark.parametrize("was", ["", "test", "tra", 'train","key'])
def test_a_split_is_not_replaced_unless_it_is_there(was: str):
    with pytest.raises(ReleaseError, match="record begins"):
        with_split(to_json(replace(PLAIN, split="train")), "validation", was=was)


@pytest.mark.parametrize(("sample", "split"), [(PLAIN, "excluded"), (PLAIN, ""), (replace(PLAIN, split="test"), "train")])
def test_a_split_is_one_of_three_and_given_once(sample: Sample, split: str):
    with pytest.raises(ReleaseError, match="split"):
        with_split(to_json(sample), split)


def changed(**change: Any) -> dict[str, Any]:
    """The plain record with values at dotted places; `...` removes the field."""
    record = orjson.loads(to_json(PLAIN))
    for place, value in change.items():
        *way, last = (int(step) if step.isdigit() else step for step in place.split("__"))
        inner = record
        for step in way:
            inner = inner[step]
        if value is ...:
            del inner[last]
        else:
            inner[last] = value
    return record


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"key": ...}, r"record: missing or unknown fields \['key'\]"),
        ({"extra": 1}, r"record: missing or unknown fields \['extra'\]"),
        ({"provenance": 3}, r"record\.provenance: missing or unknown fields 3"),
        ({"provenance__index": 1.0}, r"record\.provenance\.index: 1\.0; expected int"),
        ({"provenance__low_information": 1}, r"low_information: 1; expected bool"),
        ({"subject__age_years": 40}, r"record\.subject\.age_years: 40; expected float"),
        ({"channels": True}, r"record\.channels: True; expected int"),
        ({"key": None}, r"record\.key: None; expected str"),
        ({"subsets": "a"}, r"record\.subsets: 'a'; expected a list"),
        ({"size_hw_px": [2]}, r"record\.size_hw_px: \[2\]; expected 2 values"),
        ({"size_hw_px": [2, 3, 1]}, r"record\.size_hw_px: \[2, 3, 1\]; expected 2 values"),
        ({"annotations__0__box_xyxy_px": [0.0, 0.0, 1.0]}, r"annotations\[0\]\.box_xyxy_px: .*expected 4 values"),
        ({"annotations__0__points": [[0.0, 0.0, 1.0]]}, r"annotations\[0\]\.points\[0\]: .*expected 2 values"),
        ({"labels__0__state": "perhaps"}, r"labels\[0\]\.state: 'perhaps'; expected one of"),
        ({"annotations__0__origin": ...}, r"annotations\[0\]: missing or unknown fields \['origin'\]"),
    ],
)
def test_a_wrong_record_is_named(change: dict[str, Any], message: str):
    with pytest.raises(ReleaseError, match=message):
        from_json(changed(**change))


@pytest.mark.parametrize("record", [b"", b"{", b"[]", b"null", b"\xff\xfe"])
def test_what_is_no_record_is_an_error_of_the_release(record: bytes):
    with pytest.raises(ReleaseError, match="record"):
        from_json(record)


def test_a_plain_change_is_read():
    assert from_json(changed(labels__0__value=1.5)).labels[0].value == 1.5
