from __future__ import annotations

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medloom.builders.formats import voc
from medloom.builders.unit import LabelFile
from medloom.schema.errors import DataError, Issue, Severity, UnreadableError, UsageError
from medloom.schema.region import box_to_voc

SIZE = (480, 640)
BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;">]><annotation>&y;</annotation>'
EXTERNAL = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><annotation>&x;</annotation>'
PARAMETER = '<!DOCTYPE a [<!ENTITY % x SYSTEM "http://127.0.0.1/x.dtd"> %x;]><annotation/>'


def read(path: Path, content: str | bytes, **target) -> tuple[list, list[Issue]]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    issues: list[Issue] = []
    label_file = LabelFile(path=path.name, format="voc", **target)
    return voc.marks(path, label_file, size_hw_px=SIZE, report=issues.append), issues


def document(*boxes: tuple, size: str = "") -> str:
    objects = "".join(
        f"<object><name>RBC</name><difficult>1</difficult><bndbox><xmin>{a}</xmin><ymin>{b}</ymin><xmax>{c}</xmax>"
        f"<ymax>{d}</ymax></bndbox><part><name>x</name><bndbox><xmin>9</xmin></bndbox></part></object>"
        for a, b, c, d in boxes
    )
    return f"<annotation>{size}{objects}</annotation>"


def test_the_standard_form_counts_from_one_and_includes_the_last_pixel(tmp_path):
    marks, issues = read(tmp_path / "a.xml", document((1, 1, 640, 480), (216, 359, 316.5, 464)))
    assert [mark.box_xyxy_px for mark in marks] == [(0, 0, 640, 480), (215, 358, 316.5, 464)]
    assert [mark.where for mark in marks] == ["a.xml object 1", "a.xml object 2"]
    assert not issues


@pytest.mark.parametrize(
    ("options", "box"),
    [
        ({"one_based": False}, (10, 20, 31, 41)),
        ({"inclusive": False}, (9, 19, 29, 39)),
        ({"one_based": False, "inclusive": False}, (10, 20, 30, 40)),
    ],
)
def test_other_dialects_are_options(tmp_path, options, box):
    marks, _ = read(tmp_path / "a.xml", document((10, 20, 30, 40)), options=options)
    assert marks[0].box_xyxy_px == box


def test_an_unknown_option_is_the_callers_fault(tmp_path):
    with pytest.raises(UsageError, match="onebased"):
        read(tmp_path / "a.xml", document(), options={"onebased": False})


def test_bad_boxes_are_reported_with_file_object_and_label(tmp_path):
    boxes = [(240, 60, 240, 98), (30, 20, 10, 40), ("x", 1, 2, 3), (600, 1, 700, 9), ("nan", 1, 2, 3), (5, 5, 9, 9)]
    marks, issues = read(tmp_path / "a.xml", document(*boxes), options={"inclusive": False})
    assert len(marks) == 1
    codes = ["box-without-area", "box-without-area", "bad-region", "box-outside", "bad-region"]
    assert [issue.code for issue in issues] == codes
    first = "a.xml object 1 RBC: box (239, 59, 239, 97) has no width; expected x0 < x1 and y0 < y1 in px; "
    assert str(issues[0]) == first + "it was left out"


def test_objects_without_box_or_name_are_reported(tmp_path):
    text = "<annotation><object><name>RBC</name></object><object><bndbox/></object></annotation>"
    marks, issues = read(tmp_path / "a.xml", text)
    assert marks == []
    assert [(issue.code, issue.found) for issue in issues] == [
        ("bad-region", "no <bndbox>"),
        ("missing-label", "no <name>"),
    ]


def test_another_size_is_worth_a_note(tmp_path):
    size = "<size><width>480</width><height>640</height></size>"
    marks, issues = read(tmp_path / "a.xml", document((1, 1, 2, 2), size=size))
    assert len(marks) == 1
    assert [(issue.code, issue.severity) for issue in issues] == [("size-differs", Severity.INFO)]
    assert "480×640" in issues[0].found
    same = "<size><width>640</width><height>480</height></size>"
    assert read(tmp_path / "a.xml", document((1, 1, 2, 2), size=same))[1] == []


def test_names_map_words_and_report_the_others(tmp_path):
    text = document((1, 1, 2, 2)) + "\n"
    assert read(tmp_path / "a.xml", text, names={"RBC": "red"})[0][0].label == "red"
    marks, issues = read(tmp_path / "a.xml", text, names={"WBC": "white"})
    assert (marks, [issue.code for issue in issues]) == ([], ["unknown-label"])


def test_empty_files_and_absent_files(tmp_path):
    marks, issues = read(tmp_path / "a.xml", b"\xef\xbb\xbf \n")
    assert (marks, [(i.code, i.severity) for i in issues]) == ([], [("empty-label-file", Severity.WARNING)])
    marks, issues = read(tmp_path / "a.xml", "<annotation/>")
    assert (marks, [(i.code, i.severity) for i in issues]) == ([], [("empty-label-file", Severity.INFO)])
    with pytest.raises(UnreadableError, match="no such file") as absent:
        voc.marks(tmp_path / "b.xml", LabelFile(path="b.xml", format="voc"), size_hw_px=SIZE, report=issues.append)
    assert absent.value.code == "missing-label"


@pytest.mark.parametrize("text", [BOMB, EXTERNAL, PARAMETER, "<a>" * 40])
def test_xml_that_would_expand_or_fetch_is_refused(tmp_path, text):
    with pytest.raises(UnreadableError) as refused:
        read(tmp_path / "a.xml", text)
    assert refused.value.code == "unsafe-xml"


@pytest.mark.parametrize("text", ["<annotation>", "<svg/>", "not xml", '<?xml version="1.0" encoding="hex"?><a/>'])
def test_what_is_no_annotation_is_unreadable(tmp_path, text):
    with pytest.raises(UnreadableError, match=r"a\.xml"):
        read(tmp_path / "a.xml", text)


def test_a_file_of_absurd_size_is_not_read(tmp_path):
    path = tmp_path / "a.xml"
    with path.open("wb") as sparse:
        sparse.truncate(65 << 20)
    with pytest.raises(UnreadableError) as refused:
        voc.marks(path, LabelFile(path="a.xml", format="voc"), size_hw_px=SIZE, report=[].append)
    assert refused.value.code == "absurd-size"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60), st.integers(0, 200), st.booleans())
def test_broken_bytes_give_issues_or_our_errors(tmp_path, noise, at, cut):
    good = document((1, 1, 20, 20), ("1e9999", "-0", 3, 4)).encode()
    content = good[:at] + noise + (b"" if cut else good[at:])
    marks, codes = [], {"unreadable", "unsafe-xml"}
    try:
        marks, issues = read(tmp_path / "a.xml", content)
        codes = {issue.code for issue in issues}
    except DataError as error:
        codes &= {error.code}
    assert marks or codes
    assert all(mark.box_xyxy_px is not None for mark in marks)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    x=st.tuples(st.integers(0, 639), st.integers(0, 639)),
    y=st.tuples(st.integers(0, 479), st.integers(0, 479)),
    one_based=st.booleans(),
)
def test_boxes_come_back_as_they_were_written(tmp_path, x, y, one_based):
    box = (float(min(x)), float(min(y)), float(max(x) + 1), float(max(y) + 1))
    text = document(box_to_voc(box, one_based=one_based))
    marks, issues = read(tmp_path / "a.xml", text, options={"one_based": one_based})
    assert ([mark.box_xyxy_px for mark in marks], issues) == ([box], [])


def test_bccd_whole(real_data):
    """Its boxes run from 1 to 640 and 480: a drawing tool's corners, of which two have no area."""
    issues: list[Issue] = []
    options = {"one_based": False, "inclusive": False}
    labels: Counter[str] = Counter()
    corners, flat = [], []
    for path in sorted((real_data / "bccd/BCCD/Annotations").glob("*.xml")):
        target = LabelFile(path=path.name, format="voc", options=options)
        marks = voc.marks(path, target, size_hw_px=SIZE, report=issues.append)
        labels.update(mark.label for mark in marks)
        corners += [mark.box_xyxy_px for mark in marks]
        for index, item in enumerate(ElementTree.parse(path).getroot().findall("object"), start=1):
            if item.findtext("bndbox/xmin") == item.findtext("bndbox/xmax"):
                flat.append(f"{path.name} object {index} RBC")
    assert labels == {"RBC": 4153, "WBC": 372, "Platelets": 361}
    assert flat == ["BloodImage_00338.xml object 13 RBC", "BloodImage_00343.xml object 4 RBC"]
    assert [(issue.code, issue.where) for issue in issues] == [("box-without-area", where) for where in flat]
    assert min(min(box) for box in corners) == 1
    assert max(box[2] for box in corners) == 640
    assert max(box[3] for box in corners) == 480
