from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medloom.builders.formats import yolo
from medloom.builders.unit import LabelFile
from medloom.schema.errors import DataError, Issue, Severity, UnreadableError, UsageError
from medloom.schema.region import box_to_yolo

SIZE = (100, 200)


def read(path: Path, content: str | bytes, *, size=SIZE, **target) -> tuple[list, list[Issue]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    issues: list[Issue] = []
    marks = yolo.marks(path, LabelFile(path=path.name, format="yolo", **target), size_hw_px=size, report=issues.append)
    return marks, issues


def test_boxes_and_polygons_in_px(tmp_path):
    text = "0 0.5 0.5 0.5 0.25\r\n\r\n2 0.1 0.1 0.4 0.1 0.4 0.5\n"
    marks, issues = read(tmp_path / "a.txt", text, names={"0": "pituitary", "2": "glioma"})
    assert not issues
    assert [(mark.label, mark.where) for mark in marks] == [("pituitary", "a.txt line 1"), ("glioma", "a.txt line 3")]
    assert marks[0].box_xyxy_px == pytest.approx((50, 37.5, 150, 62.5))
    assert sum(marks[1].polygons_px[0], ()) == pytest.approx((20, 10, 80, 10, 80, 50))
    assert marks[1].box_xyxy_px is None


@pytest.mark.parametrize(
    "line", ["0", "0 0.1 0.1 0.1", "0 0.1 0.1 0.1 0.1 0.9", "0 a b c d", "-1 .5 .5 .1 .1", "0.5 .5 .5 .1 .1",
             "0 nan .5 .1 .1", "0 .1 .1 .2 .2 .3 .3 .4", "0 1_0 .5 .1 .1"],
)  # fmt: skip
def test_malformed_lines_are_named_and_the_others_kept(tmp_path, line):
    marks, issues = read(tmp_path / "a.txt", f"1 0.5 0.5 0.1 0.1\n{line}\n")
    assert [mark.label for mark in marks] == ["1"]
    assert [(issue.code, issue.where) for issue in issues] == [("bad-row", "a.txt line 2")]


def test_rounding_may_push_a_box_out_by_what_its_digits_allow(tmp_path):
    """With two digits, 0.75 % of 1000 px: 7 px out is rounding, 10 px is not."""
    size = (1000, 1000)
    marks, issues = read(tmp_path / "a.txt", "0 0.05 0.50 0.11 0.10", size=size)
    assert marks[0].box_xyxy_px == pytest.approx((0, 450, 105, 550))
    assert marks[0].box_xyxy_px[0] == 0
    assert not issues
    marks, issues = read(tmp_path / "a.txt", "0 0.05 0.50 0.12 0.10", size=size)
    assert (marks, [issue.code for issue in issues]) == ([], ["box-outside"])
    marks, issues = read(tmp_path / "a.txt", "0 0.050000 0.500000 0.110000 0.100000", size=size)
    assert (marks, [issue.code for issue in issues]) == ([], ["box-outside"])


def test_each_axis_has_its_own_slack(tmp_path):
    text = "0 0.5 0.05 0.10 0.11\n0 0.05 0.5 0.11 0.10\n"
    marks, issues = read(tmp_path / "a.txt", text, size=(100, 4000))
    assert [mark.where for mark in marks] == ["a.txt line 1", "a.txt line 2"]
    assert not issues


def test_boxes_without_area_and_polygons_outside(tmp_path):
    text = "0 0.5 0.5 0.0 0.1\n0 0.1 0.1 0.1 0.1 0.1 0.1\n0 0.1 0.1 1.4 0.1 0.4 0.5\n"
    marks, issues = read(tmp_path / "a.txt", text)
    assert marks == []
    assert [issue.code for issue in issues] == ["box-without-area", "box-without-area", "box-outside"]


def test_an_empty_file_means_no_objects(tmp_path):
    marks, issues = read(tmp_path / "a.txt", "\n")
    assert (marks, [(i.code, i.severity) for i in issues]) == ([], [("empty-label-file", Severity.INFO)])


def test_classes_without_a_name_and_options(tmp_path):
    marks, issues = read(tmp_path / "a.txt", "7 0.5 0.5 0.1 0.1", names={"0": "pituitary"})
    assert (marks, [issue.code for issue in issues]) == ([], ["unknown-label"])
    with pytest.raises(UsageError, match="no option"):
        read(tmp_path / "a.txt", "", options={"normalised": False})


@pytest.mark.parametrize("raw", [b"0 0.5\xff", b"0 0.5\x00", "0 0.5 0.5 0.1 0.1".encode("utf-16")])
def test_what_is_no_text_names_the_encoding(tmp_path, raw):
    with pytest.raises(UnreadableError) as error:
        read(tmp_path / "a.txt", raw)
    assert error.value.code == "encoding"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=80), st.text("0123456789.eE+- \nnaif", max_size=120).map(str.encode)))
def test_random_files_give_issues_or_our_errors(tmp_path, content):
    marks, refused = [], "encoding"
    try:
        marks, _ = read(tmp_path / "a.txt", content)
    except DataError as error:
        refused = error.code
    assert refused == "encoding"
    for mark in marks:
        x0, y0, x1, y1 = mark.box_xyxy_px or (0, 0, 1, 1)
        assert 0 <= x0 < x1 <= SIZE[1]
        assert 0 <= y0 < y1 <= SIZE[0]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    x=st.lists(st.integers(0, 640), min_size=2, max_size=2, unique=True).map(sorted),
    y=st.lists(st.integers(0, 480), min_size=2, max_size=2, unique=True).map(sorted),
    digits=st.integers(2, 6),
)
def test_a_rounded_box_comes_back_within_its_rounding(tmp_path, x, y, digits):
    box = (float(x[0]), float(y[0]), float(x[1]), float(y[1]))
    shares = [f"{share:.{digits}f}" for share in box_to_yolo(box, (480, 640))]
    marks, issues = read(tmp_path / "a.txt", " ".join(["0", *shares]), size=(480, 640))
    if float(shares[2]) == 0 or float(shares[3]) == 0:
        assert [issue.code for issue in issues] == ["box-without-area"]
        return
    assert not issues
    assert marks[0].box_xyxy_px == pytest.approx(box, abs=0.75 * 640 * 10.0**-digits + 1e-6)


def test_brain_tumor_yolo_whole(real_data):
    issues: list[Issue] = []
    names = {"0": "pituitary", "1": "meningioma", "2": "glioma"}
    folder = real_data / "brain_tumor_yolo/dataset-brain-tumor/categorized"
    for kind, name in names.items():
        paths = sorted((folder / kind).glob("*.txt"))
        assert len(paths) == 50
        for path in paths:
            target = LabelFile(path=path.name, format="yolo", names=names)
            marks = yolo.marks(path, target, size_hw_px=(512, 512), report=issues.append)
            assert [mark.label for mark in marks] == [name]
    assert issues == []
