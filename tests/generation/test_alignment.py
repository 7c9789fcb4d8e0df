"""Alignment scores: the same text has 10, each planted change lowers its own attribute and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from drawn_cases import records
from hypothesis import given, settings
from hypothesis import strategies as st

from medloom.generation.case import Asking, Case
from medloom.generation.chance import Chance
from medloom.generation.pools import Pools
from medloom.generation.telling.alignment import ATTRIBUTES, alignment
from medloom.generation.telling.description import description
from medloom.generation.telling.report_words import modalities, said
from medloom.schema.errors import UsageError
from medloom.schema.labels.table import table

HEAD = (
    "This is an axial T1-weighted MRI image of the brain. A round, bright glioma with irregular margins lies in the upper left "
    "of the image and takes up about 12% of it. The cerebellum lies below the glioma. The left thalamus lies in the center of "
    "the image. There is no meningioma. The pituitary gland reaches the lower border of the image."
)
CHEST = (
    "Chest radiograph, PA view. The heart is enlarged and lies in the lower middle of the image. A well-defined, homogeneous "
    "pulmonary nodule of 2% of the image lies in the upper right, inside the left lung. There is no pneumothorax. No pleural "
    "effusion. It is uncertain whether there is a rib fracture."
)
CHANGES = [
    (HEAD, "T1-weighted MRI", "T2-weighted MRI", "modality", 1),
    (HEAD, "a", "a", "", 2),
    (HEAD, "T1-weighted MRI", "CT", "modality", 0),
    (HEAD, "an axial T1-weighted MRI image", "an axial image", "modality", 0),
    (HEAD, "glioma", "pituitary tumor", "structures", 1),
    (HEAD, "no meningioma", "a meningioma", "structures", 1),
    (HEAD, "There is no meningioma.", "", "structures", 1),
    (HEAD, "upper left", "lower left", "region", 1),
    (HEAD, "upper left", "upper right", "region", 1),
    (HEAD, "left thalamus", "right thalamus", "region", 1),
    (HEAD, "12%", "18%", "region", 1),
    (HEAD, "12%", "17%", "", 2),
    (HEAD, "bright", "dark", "texture", 1),
    (HEAD, "round, bright", "oval, dark", "texture", 0),
    (HEAD, "irregular", "smooth", "texture", 1),
    (HEAD, "lies below the glioma", "lies above the glioma", "relation", 1),
    (HEAD, "lies below the glioma", "lies inside the glioma", "relation", 1),
    (HEAD, "The cerebellum lies below the glioma", "The glioma lies above the cerebellum", "", 2),
    (HEAD, "reaches the lower border", "keeps clear of all borders", "relation", 1),
    (CHEST, "radiograph", "CT", "modality", 0),
    (CHEST, "no pneumothorax", "a pneumothorax", "structures", 1),
    (CHEST, "It is uncertain whether there is", "There is", "structures", 1),
    (CHEST, "It is uncertain whether there is", "There is no", "structures", 1),
    (CHEST, "upper right", "middle right", "region", 1),
    (CHEST, "left lung", "right lung", "region", 1),
    (CHEST, "homogeneous", "heterogeneous", "texture", 1),
    (CHEST, "well-defined", "ill-defined", "texture", 1),
]


@pytest.mark.parametrize("reference", [HEAD, CHEST])
def test_the_same_text_has_ten(reference: str) -> None:
    found = alignment(reference, reference)
    assert found.total == 10
    assert found.share == 1
    assert found.judged == frozenset()


@pytest.mark.parametrize(("reference", "old", "new", "attribute", "score"), CHANGES)
def test_a_planted_change_lowers_its_own_attribute(reference: str, old: str, new: str, attribute: str, score: int) -> None:
    assert old in reference
    found = alignment(reference.replace(old, new), reference)
    assert dict(found.scores) == {one: score if one == attribute else 2 for one in ATTRIBUTES}


def test_most_of_a_description_that_the_reference_does_not_know_costs_a_point() -> None:
    long = f"{HEAD} The liver, the spleen, the pancreas, the stomach, the heart, the aorta and the trachea are seen."
    assert alignment(long, HEAD).scores["structures"] == 1


def test_something_narrower_agrees_and_something_wider_does_not() -> None:
    assert alignment("MRI: a glioma.", "MRI: a brain tumor.").scores["structures"] == 2
    assert alignment("MRI: a brain tumor.", "MRI: a glioma.").scores["structures"] == 0


def test_what_the_reference_does_not_say_has_no_score() -> None:
    found = alignment(HEAD, "MRI with a glioma.")
    assert {name for name, score in found.scores.items() if score is None} == {"region", "texture", "relation"}
    assert found.total is None
    assert found.share is not None
    assert alignment("", "").share is None


def test_a_judge_is_asked_only_where_no_rule_decides() -> None:
    heard: list[str] = []

    def judge(attribute: str, description: str, reference: str) -> int | None:
        heard.append(attribute)
        assert (description, reference) == (HEAD, "MRI with a glioma.")
        return {"region": 1, "texture": 0}.get(attribute)

    found = alignment(HEAD, "MRI with a glioma.", judge=judge)
    assert heard == ["region", "texture", "relation"]
    assert (found.scores["region"], found.scores["texture"], found.scores["relation"]) == (1, 0, None)
    assert found.judged == {"region", "texture"}


@pytest.mark.parametrize("score", [3, -1, "2", True, 1.5])
def test_a_judge_of_other_scores_is_refused(score: Any) -> None:
    with pytest.raises(UsageError, match="expected 0, 1, 2 or None"):
        alignment(HEAD, "A glioma.", judge=lambda *_: score)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("axial T1-weighted MRI image", {"T1"}), ("magnetic resonance image", {"MRI"}), ("fundus photograph", {"FP"}),
        ("chest x-ray", {"X-ray"}), ("CT of the head", {"CT"}), ("a computed tomography image", {"CT"}),
        ("ct", set()), ("Doppler ultrasound image", {"Doppler"}), ("an image", set()),
    ],
)  # fmt: skip
def test_modalities_in_words(text: str, codes: set[str]) -> None:
    assert modalities(text) == codes


def test_general_knowledge_says_nothing_of_the_image() -> None:
    text = "CT of the liver. In general, the liver lies below the lung and looks bright."
    assert said(text).textures == frozenset()
    assert {label for label, _ in said(text).statements} == {table().id_of("liver")}


@settings(deadline=None)
@given(st.lists(st.sampled_from(HEAD.split(". ") + CHEST.split(". ")), max_size=6).map(". ".join))
def test_no_text_disagrees_with_itself(text: str) -> None:
    assert {score for score in alignment(text, text).scores.values() if score is not None} <= {2}


def test_descriptions_agree_with_themselves_in_other_words(built: Callable[[str], tuple[Path, dict[str, Any]]]) -> None:
    """Two wordings of one sample agree in modality, and each with itself in all that it says."""
    rule = description(Asking("medtrinity", "description"), Pools())
    for record in list(records(built("phantom")[0]))[::40]:
        one, other = (next(rule(Case(record), Chance(seed))).answer or "" for seed in (1, 2))
        assert alignment(one, other).scores["modality"] == 2
        assert {score for score in alignment(one, one).scores.values() if score is not None} == {2}
