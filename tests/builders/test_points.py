from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medloom.builders.formats import points
from medloom.builders.unit import LabelFile
from medloom.schema.errors import DataError, Issue, Severity, UsageError

SIZE = (480, 640)


def read(path: Path, content: str | bytes, **target) -> tuple[list, list[Issue]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    issues: list[Issue] = []
    label_file = LabelFile(path=path.name, format="points", **target)
    return points.marks(path, label_file, size_hw_px=SIZE, report=issues.append), issues


def test_one_point_per_line(tmp_path):
    marks, issues = read(tmp_path / "1.txt", "594 95 0\r\n0.5 1e2 12", names={"0": "normal", "12": "teardrop"})
    assert not issues
    assert [(m.label, m.points_px, m.where) for m in marks] == [
        ("normal", ((594.0, 95.0),), "1.txt line 1"),
        ("teardrop", ((0.5, 100.0),), "1.txt line 2"),
    ]


def test_order_delimiter_header_and_base_are_options(tmp_path):
    options = {"columns": ("label", "id", "y", "x"), "delimiter": ",", "header": 1, "one_based": True}
    marks, issues = read(tmp_path / "1.csv", "type,id,row,col\nsmall cell, 7, 20, 10\n", options=options)
    assert not issues
    assert (marks[0].label, marks[0].points_px, marks[0].where) == ("small cell", ((9.0, 19.0),), "1.csv line 2")


def test_a_file_of_one_label(tmp_path):
    marks, _ = read(tmp_path / "1.txt", "3 4", options={"columns": ("x", "y"), "label": "nucleus"})
    assert marks[0].label == "nucleus"


@pytest.mark.parametrize("options", [{"columns": ("x", "label")}, {"columns": ("x", "y")}, {"label": "a"}, {"seperator": ","}])
def test_options_that_mean_nothing_are_the_callers_fault(tmp_path, options):
    with pytest.raises(UsageError, match="expected"):
        read(tmp_path / "1.txt", "1 2 3", options=options)


def test_faults_are_named_by_line(tmp_path):
    marks, issues = read(tmp_path / "1.txt", "1 2\n640 0 0\n-1 5 0\nx 5 0\n1 2 3 4\n5 5 9\n6 6 1", names={"1": "macro"})
    assert [mark.points_px for mark in marks] == [((6.0, 6.0),)]
    assert [(issue.code, issue.where) for issue in issues] == [
        ("bad-row", "1.txt line 1"),
        ("point-outside", "1.txt line 2"),
        ("point-outside", "1.txt line 3"),
        ("bad-row", "1.txt line 4"),
        ("bad-row", "1.txt line 5"),
        ("unknown-label", "1.txt line 6"),
    ]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=80), st.text("0123456789.e- \n", max_size=80).map(str.encode)))
def test_random_files_give_issues_or_our_errors(tmp_path, content):
    marks, refused = [], "encoding"
    try:
        marks, _ = read(tmp_path / "1.txt", content)
    except DataError as error:
        refused = error.code
    assert refused == "encoding"
    assert all(0 <= x < 640 and 0 <= y < 480 for mark in marks for x, y in mark.points_px)


def test_chula_whole(real_data):
    issues: list[Issue] = []
    kinds: Counter[str] = Counter()
    paths = sorted((real_data / "chula_rbc12/Label").glob("*.txt"))
    for path in paths:
        target = LabelFile(path=path.name, format="points")
        kinds.update(m.label for m in points.marks(path, target, size_hw_px=SIZE, report=issues.append))
    assert (len(paths), kinds.total(), len(kinds), kinds["0"], kinds["10"]) == (50, 1590, 13, 522, 11)
    found = [(issue.code, issue.where, issue.severity) for issue in issues]
    assert found == [("empty-label-file", "53.txt", Severity.WARNING)]
