"""The paper's 43 rows: the figures are those of the tables beside the checkout, and each row is a combination of ours."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from medloom.schema.systems import medmat
from medloom.schema.triplet import TASKS
from medloom.train.experiments.elements import PRINTED
from medloom.train.experiments.published import (
    MEANINGS,
    OPEN,
    baselines,
    cells,
    compared,
    resolved,
    rows,
    told,
)

REFERENCE = Path(__file__).parents[4] / "shared" / "reference"

BY_HAND = {
    1: ("03", "06", "04"),
    2: ("04", "05", "03"),
    3: ("06", "03", "05"),
    15: ("04", "28", "03"),
    16: ("03", "30", "28"),
    18: ("05", "32", "06"),
    19: ("05", "26", "32"),
    20: ("05", "28", "32"),
    22: ("06", "28", "32"),
    23: ("32", "03", "05"),
    24: ("28", "06", "04"),
    26: ("28", "06", "03"),
    30: ("04", "32", "28"),
    32: ("07", "23", "08"),
    36: ("09", "21", "10"),
    43: ("21", "17", "19"),
}
"""Read off the paper's tables by a person."""


def reference(name: str) -> list[dict[str, str]]:
    path = REFERENCE / name
    if not path.is_file():
        pytest.skip(f"reference tables absent: {name} is looked for in ../shared/reference beside the checkout")
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_rows_are_as_printed():
    printed = reference("medmat_cg_results.csv")
    names = [(row["related_a"], row["related_b"], row["target"]) for row in printed]
    figures = [tuple(float(row[f"{name}_acc"]) for name in ("baseline", "baseline_plus", "trained")) for row in printed]
    assert [row.names for row in rows()] == names
    assert [(row.untrained, row.unrelated, row.related) for row in rows()] == figures


def test_baselines_are_as_printed():
    printed = [*reference("medmat_multitask_results.csv"), *reference("medmat_ood_results.csv")]
    assert baselines() == {row["subset"]: float(row["Baseline"]) for row in printed}


def test_every_row_is_resolved_and_found_by_our_enumeration():
    assert len(resolved()) == 43
    assert compared().misses == {}
    assert sorted(compared().found) == list(range(1, 44))


@pytest.mark.parametrize(("row", "numbers"), BY_HAND.items())
def test_rows_mean_what_a_person_reads(row, numbers):
    assert resolved()[row - 1].numbers == numbers
    assert not resolved()[row - 1].is_open


def test_printed_baselines_are_the_targets_but_for_one():
    """Row 21 prints 25 % untrained for the one X-ray subset of the brain, whose other rows have 49 %."""
    strange = [row.printed.row for row in resolved() if baselines()[row.numbers[2]] != row.printed.untrained]
    assert strange == [21]
    assert resolved()[20].numbers[2] == "32"
    assert "no subset of the target's words has 25 % untrained" in resolved()[20].remarks


def test_open_names_are_listed_with_all_their_candidates():
    found = {one.name.casefold(): set(one.candidates) for row in resolved() for one in row.meant if one.how == OPEN}
    assert found == {
        "bones, level": {"25", "35"},
        "breast, diseases": {"29", "37"},
        "fp, fundus, diseases": {"14", "15"},
        "mic, cell, cell identification": {"18", "20"},
    }
    assert all(len(one.candidates) == 1 for row in resolved() for one in row.meant if one.how != OPEN)


def test_directions_are_the_papers_where_the_task_is_shared():
    other = {row.printed.row for row in resolved() if compared().found[row.printed.row].direction != row.printed.segment}
    assert other == {24, 26, 29, 30}
    assert {compared().found[row].direction for row in other} == {"modality-task-pair", "area-task-pair"}


def test_the_words_of_tasks_are_those_of_the_rows():
    """What a resolved name calls a task is one of that task's words, and could be before any figure was looked at."""
    for row in resolved():
        for one in row.meant:
            task = cells()[one.number].triplet.task
            for word in MEANINGS:
                if word in one.name.casefold():
                    assert word in PRINTED[task], (row.printed.row, one.name)
                    assert any(TASKS.is_a(task, wide) for wide in MEANINGS[word])


def test_extras_are_no_printed_row_and_say_why():
    printed = {(frozenset(row.numbers[:2]), row.numbers[2]) for row in resolved()}
    extras = compared().extras
    assert len(extras) == 464
    assert not [one for one, why in extras if (frozenset(one.parts), one.target) in printed or not why]
    assert len({(one.parts, one.target) for one, _ in extras}) == len(extras)
    assert all("classification" in medmat.find(name).kinds for one, _ in extras for name in (*one.parts, one.target))


def test_all_of_it_is_told_as_plain_data():
    found = told()
    assert found["found"] == 43
    assert len(found["extras"]) == len(compared().extras)
