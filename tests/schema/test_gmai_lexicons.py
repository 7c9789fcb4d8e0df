"""GMAI's departments, clinical tasks and granularities, word for word, beside what is ours."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from medloom.schema.clinical_tasks import CLINICAL_TASKS
from medloom.schema.departments import DEPARTMENTS
from medloom.schema.errors import UsageError
from medloom.schema.granularity import GRANULARITIES, gmai_name

REFERENCE = Path(__file__).parents[3] / "shared" / "reference"


def table(name: str) -> list[list[str]]:
    """The first two columns of a reference table, without its header."""
    if not (REFERENCE / name).is_file():
        pytest.skip(f"reference tables absent: {name} is looked for in ../shared/reference beside the checkout")
    with (REFERENCE / name).open(encoding="utf-8", newline="") as lines:
        return [row[:2] for row in csv.reader(lines)][1:]


def test_departments_are_those_of_the_table():
    assert [[term.code, term.name] for term in DEPARTMENTS] == table("gmai_departments.csv")


def test_clinical_tasks_are_those_of_the_table_and_none():
    assert [[term.code, term.name] for term in CLINICAL_TASKS if not term.ours] == table("gmai_clinical_tasks.csv")
    assert [term.name for term in CLINICAL_TASKS if term.ours] == ["None"]


def test_granularities_are_those_of_the_table_and_points():
    assert {row[0] for row in table("gmai_granularities.csv")} == {term.code for term in GRANULARITIES if not term.ours}


def test_counts_and_words_without_the_tables():
    assert (len(DEPARTMENTS), len(CLINICAL_TASKS), len(GRANULARITIES)) == (19, 19, 5)
    assert DEPARTMENTS.find("pulmonary medicine").name == DEPARTMENTS.find("PM").name == "Pulmonary Medicine"
    assert DEPARTMENTS.find("None (Attributes that do not belong to any department)").name == "None"
    assert CLINICAL_TASKS.find("disease_diagnosis") is CLINICAL_TASKS["DD"]
    assert CLINICAL_TASKS.find("Organ Recognition-Abdomen").code == "OR-A"


@pytest.mark.parametrize("code", ["image", "box", "mask", "contour"])
def test_gmai_name_and_code_find_each_other(code: str):
    printed = gmai_name(code)
    assert printed == f"{code.title()} Level"
    assert GRANULARITIES.find(printed).code == code


def test_a_point_has_no_gmai_name_and_a_stranger_none_at_all():
    assert gmai_name("point") is None
    with pytest.raises(UsageError, match="granularity 'Box Level' is no code; expected its code, 'box'"):
        gmai_name("Box Level")
