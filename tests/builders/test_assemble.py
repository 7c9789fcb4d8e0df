"""Samples: label states and their precedence, canonical labels, header against source, pseudonyms."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medloom.builders.assemble import Context, sample_of
from medloom.builders.deidentify import Salt
from medloom.builders.intensity import UNCHANGED, Rule
from medloom.builders.picture import HeaderFacts
from medloom.builders.place import Placed
from medloom.builders.source import Access, Facts, Source
from medloom.builders.standardize import Shown
from medloom.builders.unit import Finding, Unit
from medloom.schema.check import check_sample
from medloom.schema.errors import Issue, UsageError
from medloom.schema.labels import Label, Override, Overrides
from medloom.schema.record import from_json, to_json
from medloom.schema.sample import Acquisition, BurnedIn, Sample, State, Subject, Text
from medloom.schema.triplet import Triplet

FACTS = Facts(
    name="drawn",
    title="Drawn",
    homepage="https://example.org",
    licence="CC0-1.0",
    licence_evidence="x",
    citation="@misc{x}",
    cite="doi:x",
    access=Access.OPEN,
    triplet=Triplet("CT", "lung", "unlabelled"),
    clinical_task="None",
    department="PM",
    group_kind="patient",
    closed_sets={"kinds": ("red", "white"), "sides": ("left eye", "right eye")},
)
LABELS = {
    "red": Label("red blood cell", mesh="D004912"),
    "rouge": Label("red blood cell", mesh="D004912"),
    "white": Label(
        "white blood cell", area="blood", task="cell-type", departments=("Hematology",), clinical_task="Cell Recognition"
    ),
    "left eye": Label("eye", laterality="left"),
    "right eye": Label("eye", laterality="right"),
    "own": Label("my own thing"),
    "background": None,
}
SALT = Salt(b"drawn", public=True)
PIXELS = np.random.default_rng(1).integers(0, 255, (8, 9), np.uint8)


def shown_of(**more: Any) -> Shown:
    base = {"pixels": PIXELS, "encoded": b"", "image_format": "png", "facts": HeaderFacts(), "rule": UNCHANGED}
    return Shown(**{**base, "raw_format": "png", "decoder": "pillow 11", "original_size_hw_px": (8, 9)} | more)


def unit_of(**more: Any) -> Unit:
    return Unit(**{"files": ("a dir/b.png",), "reader": "raster"} | more)


def sample(unit: Unit | None = None, shown: Shown | None = None, *, facts: Facts = FACTS, salt: Salt = SALT) -> Sample:
    made, issues = sample_and_issues(unit, shown, facts=facts, salt=salt)
    assert issues == []
    return made


def sample_and_issues(
    unit: Unit | None = None,
    shown: Shown | None = None,
    *,
    facts: Facts = FACTS,
    salt: Salt = SALT,
    overrides: Overrides | None = None,
) -> tuple[Sample, list[Issue]]:
    issues: list[Issue] = []
    source = Source(facts=facts, labels=LABELS, read=lambda raw: iter(()), layouts=())
    context = Context(
        source=source,
        salt=salt,
        unit=unit or unit_of(),
        raw_sha256="0" * 64,
        report=issues.append,
        overrides=overrides or {},
    )
    made = sample_of(shown or shown_of(), context)
    assert from_json(to_json(made)) == made
    assert list(check_sample(replace(made, split="train"), "")) == []
    return made, issues


def states(made: Sample) -> dict[str, State]:
    return {f"{one.label} {one.laterality or ''}".strip(): one.state for one in made.labels}


BOX = Placed("red", "box", box_xyxy_px=(1.0, 1.0, 3.0, 3.0), area_px=4.0)


def test_an_image_without_labels_serves_the_sources_own_subset():
    made = sample()
    assert (made.labels, made.annotations, made.subsets) == ((), (), ("ct-lung-unlabelled",))
    assert (made.department, made.clinical_task, made.split) == ("Pulmonary Medicine", "None", "")


def test_an_annotation_makes_its_label_present_and_closed_sets_the_others_absent():
    made = sample(unit_of(closed_sets=("kinds",)), shown_of(placed=[BOX, replace_label(BOX, "rouge")]))
    assert states(made) == {"red blood cell": State.PRESENT, "white blood cell": State.ABSENT}
    assert [(one.id, one.label_id) for one in made.annotations] == [("a0", "mesh:D004912"), ("a1", "mesh:D004912")]


def replace_label(placed: Placed, label: str) -> Placed:
    return Placed(label, placed.granularity, box_xyxy_px=placed.box_xyxy_px, area_px=placed.area_px)


WEIGHT = {state: place for place, state in enumerate([State.ABSENT, State.NOT_ASSESSED, State.UNCERTAIN, State.PRESENT])}


@settings(deadline=None)
@given(
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.lists(st.sampled_from(State), max_size=3),
)
def test_the_weightiest_state_stands(placed: bool, small: bool, blind: bool, closed: bool, findings: list[State]):
    """Present > uncertain > not_assessed > absent, whatever order they come in."""
    shown = shown_of(placed=[BOX] * placed, too_small={"red"} if small else set(), not_assessed={"red"} if blind else set())
    given_states = [
        *([State.PRESENT] * placed),
        *([State.UNCERTAIN] * small),
        *([State.NOT_ASSESSED] * blind),
        *([State.ABSENT] * closed),
        *findings,
    ]
    for order in list(permutations(findings))[:3]:
        unit = unit_of(closed_sets=("kinds",) if closed else (), findings=tuple(Finding("red", state) for state in order))
        found = states(sample(unit, shown)).get("red blood cell")
        assert found == max(given_states, key=WEIGHT.__getitem__, default=None)


def test_a_mask_too_small_is_uncertain_never_absent():
    made = sample(unit_of(closed_sets=("kinds",)), shown_of(too_small={"red"}))
    assert states(made) == {"red blood cell": State.UNCERTAIN, "white blood cell": State.ABSENT}


@pytest.mark.parametrize(
    ("unit", "assessed"),
    [
        (unit_of(), False),
        (unit_of(closed_sets=()), False),
        (unit_of(findings=(Finding("red"),)), True),
        (unit_of(findings=(Finding("background"),)), True),
        (unit_of(closed_sets=("kinds", "sides")), True),
    ],
)
def test_which_closed_sets_were_assessed(unit: Unit, assessed: bool):
    assert ("white blood cell" in states(sample(unit))) is assessed


def test_sides_are_labels_of_their_own():
    made = sample(unit_of(findings=(Finding("right eye"),), closed_sets=("sides",)))
    assert states(made) == {"eye left": State.ABSENT, "eye right": State.PRESENT}


def test_a_word_that_is_knowingly_no_label():
    made = sample(
        unit_of(findings=(Finding("background"),), closed_sets=()), shown_of(placed=[replace_label(BOX, "background")])
    )
    assert (made.labels, made.annotations) == ((), ())


def test_an_unknown_word_is_told_once_per_image():
    shown = shown_of(placed=[replace_label(BOX, "blue"), BOX, replace_label(BOX, "blue")])
    made, issues = sample_and_issues(unit_of(closed_sets=()), shown)
    assert [(issue.code, issue.found) for issue in issues] == [("unknown-label", "label 'blue'")]
    assert [(one.id, one.label) for one in made.annotations] == [("a0", "red blood cell")]


def test_values_and_units_come_along():
    made = sample(unit_of(findings=(Finding("red", value=3, unit="cells"),), closed_sets=()))
    assert [(one.value, one.unit, type(one.value)) for one in made.labels] == [(3.0, "cells", float)]


def test_labels_serve_their_own_subsets():
    made = sample(unit_of(findings=(Finding("red"), Finding("white")), closed_sets=()))
    assert made.subsets == ("ct-blood-cell-type", "ct-lung-unlabelled")
    white = next(one for one in made.labels if one.label == "white blood cell")
    assert (white.area, white.task, white.departments) == ("blood", "cell-type", ("Hematology",))
    assert white.clinical_task == "Cell Recognition"
    assert made.area == "lung"


@pytest.mark.parametrize(
    ("word", "override", "departments", "clinical_task"),
    [
        ("own", None, ("Pulmonary Medicine",), "None"),
        ("red", None, ("Hematology", "Laboratory Medicine and Pathology"), "Cell Recognition"),
        ("white", None, ("Hematology",), "Cell Recognition"),
        ("white", Override(("Infectious Diseases",)), ("Infectious Diseases",), "Cell Recognition"),
        ("red", Override(clinical_task="Counting"), ("Hematology", "Laboratory Medicine and Pathology"), "Counting"),
        ("own", Override(("Dermatology",), "Bone"), ("Dermatology",), "Bone"),
    ],
)
def test_an_override_wins_over_the_source_the_table_and_the_facts(
    word: str, override: Override | None, departments: tuple[str, ...], clinical_task: str
):
    overrides = {} if override is None else {LABELS[word].name: override}
    made, _ = sample_and_issues(unit_of(findings=(Finding(word),), closed_sets=()), overrides=overrides)
    assert [(one.departments, one.clinical_task) for one in made.labels] == [(departments, clinical_task)]


# header against source


def test_what_the_source_states_wins_over_the_header():
    header = HeaderFacts(
        modality="CTA",
        modality_detail="CTA",
        subject=Subject(age_years=30.0, sex="female"),
        acquisition=Acquisition(view="PA", contrast="iodine"),
    )
    unit = unit_of(subject=Subject(sex="male"), acquisition=Acquisition(view="AP", um_per_px=2), modality_detail="CBCT")
    made = sample(unit, shown_of(facts=header, plane="axial"))
    assert made.subject == Subject(30.0, "male")
    assert made.acquisition == Acquisition("axial", "AP", "iodine", None, 2.0)
    assert isinstance(made.acquisition.um_per_px, float)
    assert made.modality_detail == "CBCT"


@pytest.mark.parametrize(("age", "pooled"), [(0, 0.0), (89, 89.0), (89.9, 89.9), (90, 90.0), (104.5, 90.0)])
def test_ages_are_pooled_from_90_on(age: float, pooled: float):
    for unit, header in ((unit_of(subject=Subject(age)), HeaderFacts()), (unit_of(), HeaderFacts(subject=Subject(age)))):
        made = sample(unit, shown_of(facts=header))
        assert (made.subject.age_years, type(made.subject.age_years)) == (pooled, float)


@pytest.mark.parametrize(
    ("triplet", "header", "modality", "detail"),
    [
        (None, HeaderFacts(), "CT", None),
        (None, HeaderFacts(modality="CT"), "CT", None),
        (None, HeaderFacts(modality="CTA"), "CT", "CTA"),
        (None, HeaderFacts(modality="MRI", modality_detail="T1"), "CT", None),
        (Triplet("MRI", "brain", "unlabelled"), HeaderFacts(modality_detail="T1ce"), "MRI", "T1ce"),
        (Triplet("unspecified", "lung", "unlabelled"), HeaderFacts(modality="CTA"), "CT", "CTA"),
        (Triplet("unspecified", "lung", "unlabelled"), HeaderFacts(), "unspecified", None),
    ],
)
def test_modality_and_its_detail(triplet: Triplet | None, header: HeaderFacts, modality: str, detail: str | None):
    made = sample(unit_of(triplet=triplet), shown_of(facts=header))
    assert (made.modality, made.modality_detail) == (modality, detail)


@pytest.mark.parametrize(
    ("modality", "header", "burned_in"),
    [
        ("CT", HeaderFacts(), BurnedIn.NO),
        ("US", HeaderFacts(), BurnedIn.SUSPECTED),
        ("End", HeaderFacts(), BurnedIn.SUSPECTED),
        ("X-ray", HeaderFacts(), BurnedIn.SUSPECTED),
        ("CT", HeaderFacts(burned_in=BurnedIn.YES, burned_in_reason="header"), BurnedIn.YES),
        ("US", HeaderFacts(burned_in_reason="the header says no"), BurnedIn.NO),
    ],
)
def test_burned_in_text(modality: str, header: HeaderFacts, burned_in: BurnedIn):
    made = sample(unit_of(triplet=Triplet(modality, "lung", "unlabelled")), shown_of(facts=header))
    assert made.provenance.burned_in is burned_in
    assert (made.provenance.burned_in_reason is None) == (burned_in is BurnedIn.NO and header.burned_in_reason is None)


def test_provenance_says_how_the_pixels_came_about():
    shown = shown_of(
        rule=Rule("window", "lung", (-1350, 150)),
        spacing_mm=(np.float64(0.5), 1),
        slice_position_mm=2.5,
        index=3,
        axis="slice",
        orientation="LP",
        transformations=("transposed",),
    )
    found = sample(shown=shown).provenance
    assert (found.intensity, found.window_name, found.window) == ("window", "lung", (-1350.0, 150.0))
    assert (found.spacing_mm, found.slice_position_mm, found.index, found.axis) == ((0.5, 1.0), 2.5, 3, "slice")
    assert (found.orientation, found.transformations, found.raw_sha256) == ("LP", ("transposed",), "0" * 64)
    assert {type(value) for value in (*found.spacing_mm, *found.window)} == {float}


def test_texts_and_licences_of_single_images():
    made = sample(unit_of(texts=(Text("caption", "en", "owner", "A lung."),), licence="CC-BY-4.0"))
    assert (made.texts[0].text, made.licence, made.citation) == ("A lung.", "CC-BY-4.0", "doi:x")
    assert sample().licence == "CC0-1.0"


@pytest.mark.parametrize("split", ["train", "validation", "test", None])
def test_the_owners_split(split: str | None):
    assert sample(unit_of(split=split)).original_split == split


def test_a_split_of_another_name_is_a_fault_of_the_source():
    with pytest.raises(UsageError, match=r"split 'val'.*expected one of"):
        sample(unit_of(split="val"))


# pseudonyms


def test_keys_depend_on_unit_and_place_and_salt():
    places = [
        shown_of(),
        shown_of(axis="slice", index=1),
        shown_of(axis="slice", index=2),
        shown_of(axis="slice", index=1, plane="axial"),
        shown_of(axis="slice", index=1, plane="coronal"),
        shown_of(axis="slice", index=1, volume_index=0),
        shown_of(axis="frame", index=1),
    ]
    keys = [sample(shown=shown).key for shown in places]
    keys += [sample(unit_of(id="other")).key, sample(salt=Salt(b"another salt of 24 bytes", public=False)).key]
    assert len(set(keys)) == len(keys)
    assert all(key.startswith("drawn-") and "." not in key and len(key) == 22 for key in keys)
    assert sample().key == sample(unit_of(id="a dir/b.png", group="g")).key


def test_groups_depend_on_the_group_and_the_salt_alone():
    one, same, other, salted = (
        sample(unit, salt=salt).group
        for unit, salt in (
            (unit_of(group="patient 7"), SALT),
            (unit_of(group="patient 7", id="another image"), SALT),
            (unit_of(group="patient 8"), SALT),
            (unit_of(group="patient 7"), Salt(b"another salt of 24 bytes", public=False)),
        )
    )
    assert one == same
    assert len({one, other, salted}) == 3
    assert "patient" not in one


def test_an_image_without_a_group_is_its_own():
    assert sample(unit_of(id="x")).group == sample(unit_of(id="y", group="x")).group


def test_what_a_group_is():
    assert sample().group_kind == "patient"
    assert sample(unit_of(group_kind="image")).group_kind == "image"
    assert sample(facts=replace(FACTS, collection="family")).collection == "family"
    assert sample().collection == "drawn"
