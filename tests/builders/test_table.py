from __future__ import annotations

import csv
import io
import zipfile
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medloom.builders.formats.table import Row, findings_from_columns, findings_from_list, rows, unique
from medloom.builders.raw import Raw
from medloom.builders.unit import Finding
from medloom.schema.errors import DataError, Issue, RawRootError, Severity, UnreadableError
from medloom.schema.sample import State


def read(root: Path, content: str | bytes, *, name: str = "t.csv", **options) -> tuple[list[Row], list[Issue]]:
    (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
    issues: list[Issue] = []
    options.setdefault("columns", ("id",))
    return list(rows(Raw(root, report=issues.append), name, **options)), issues


def workbook(*table: tuple, title: str = "Sheet") -> bytes:
    book, stream = openpyxl.Workbook(), io.BytesIO()
    book.active.title = title
    for row in table:
        book.active.append(row)
    book.save(stream)
    return stream.getvalue()


def test_rows_are_mappings_that_know_where_they_stand(tmp_path):
    found, issues = read(tmp_path, '\ufeffid , note\n1, "a"\n\n2,"b, c\nd"\n,\n3,\n')
    assert [dict(row) for row in found[1:]] == [{"id": "2", "note": "b, c\nd"}, {"id": "3", "note": ""}]
    assert [row.where for row in found] == ["t.csv row 2", "t.csv row 4", "t.csv row 6"]
    assert (len(found[0]), "note" in found[0], found[0].get("x", "-")) == (2, True, "-")
    assert not issues


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_the_one_that_makes_the_columns(tmp_path, delimiter):
    text = delimiter.join(("id", '"a,b;c"', "x")) + "\n" + delimiter.join("123")
    assert [dict(row) for row in read(tmp_path, text, columns=("x", "id"))[0]] == [{"id": "1", "a,b;c": "2", "x": "3"}]
    assert len(read(tmp_path, text, columns=(), delimiter=delimiter)[0][0]) == 3


def test_a_tsv_without_columns_asked_for_is_tab_separated(tmp_path):
    assert dict(read(tmp_path, "a,b\tc\n1\t2", name="t.tsv", columns=())[0][0]) == {"a,b": "1", "c": "2"}


def test_missing_columns_raise_at_once_and_list_what_there_is(tmp_path):
    (tmp_path / "t.csv").write_text("id,view\n1,PA")
    with pytest.raises(RawRootError, match=r"t\.csv row 1: no column 'age'; found id, view; expected id, age"):
        rows(Raw(tmp_path), "t.csv", columns=("id", "age"))
    with pytest.raises(RawRootError, match="found none"):
        read(tmp_path, "")
    with pytest.raises(RawRootError, match="not in the raw root"):
        rows(Raw(tmp_path), "u.csv", columns=("id",))


def test_columns_without_a_name_of_their_own_are_called_after_their_place(tmp_path):
    found, issues = read(tmp_path, "id,,id,column-2,\n1,2,3,4,5")
    assert list(found[0]) == ["id", "column-2-again", "id-column-3", "column-2", "column-5"]
    assert list(found[0].values()) == list("12345")
    assert [(issue.code, issue.severity) for issue in issues] == [("column-name", Severity.INFO)] * 3


def test_ragged_rows_and_nul_are_reported_by_row(tmp_path):
    found, issues = read(tmp_path, "id,x\n1\n2,3,4\n5,6,,\n7,\0\n8,9\n")
    assert [row["id"] for row in found] == ["5", "8"]
    assert [(issue.code, issue.where, issue.found) for issue in issues] == [
        ("bad-row", "t.csv row 2", "1 cells"),
        ("bad-row", "t.csv row 3", "3 cells"),
        ("bad-row", "t.csv row 5", "a NUL byte"),
    ]


def test_a_quote_that_is_never_closed_does_not_swallow_rows_unseen(tmp_path):
    found, issues = read(tmp_path, 'id,x\n1,2\n3,"4\n5,6\n')
    assert [row["id"] for row in found] == ["1"]
    assert [(issue.code, issue.where) for issue in issues] == [("bad-row", "t.csv row 3")]
    assert issues[0].found.startswith("lines 3 to 4")


def test_a_huge_field_is_reported_and_reading_goes_on(tmp_path):
    limit = csv.field_size_limit()
    found, issues = read(tmp_path, f"id,x\n1,{'a' * (limit + 1)}\n2,b\n")
    assert ([row["id"] for row in found], [issue.code for issue in issues]) == (["2"], ["bad-row"])
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize("before", [0, 10, 5000, 200_000])
def test_a_byte_of_another_encoding_is_named_with_its_place(tmp_path, before):
    raw = b"id,x\n" + b"1,a\n" * before + b"1,caf\xe9\n"
    with pytest.raises(UnreadableError, match=f"byte 0xe9 at {len(raw) - 2}; expected utf-8-sig") as error:
        read(tmp_path, raw)
    assert error.value.code == "encoding"
    assert "cp1252" in error.value.next
    found, _ = read(tmp_path, raw, encoding="cp1252")
    assert found[-1]["x"] == "café"


def test_utf_16_is_told_apart_and_read_when_named(tmp_path):
    for encoding in ("utf-16", "utf-16-le"):
        raw = "id,x\n1,ä\n".encode(encoding)
        with pytest.raises(UnreadableError) as error:
            read(tmp_path, raw) if encoding != "utf-16" else read(tmp_path, raw[2:])
        assert error.value.code == "encoding"
        assert read(tmp_path, raw, encoding=encoding)[0][0]["x"] == "ä"
    with pytest.raises(UnreadableError, match="one that Python knows"):
        read(tmp_path, "id\n1", encoding="klingon")


def test_excel_cells_come_as_text(tmp_path):
    table = (("id", "when", "at", "ok", "share", None), (1, date(2020, 1, 2), datetime(2020, 1, 2, 3), True, 0.5))
    found, issues = read(tmp_path, workbook(*table, (), (None, None), ("b", None)), name="t.xlsx")
    assert [row.where for row in found] == ["t.xlsx row 2", "t.xlsx row 5"]
    expected = {"id": "1", "when": "2020-01-02", "at": "2020-01-02T03:00:00", "ok": "TRUE", "share": "0.5"}
    assert {key: found[0][key] for key in expected} == expected
    assert found[1]["share"] == ""
    assert {issue.code for issue in issues} <= {"column-name"}


def test_excel_sheets_are_named(tmp_path):
    raw = workbook(("id",), (1,), title="labels")
    assert [row["id"] for row in read(tmp_path, raw, name="t.xlsx", sheet="labels")[0]] == ["1"]
    with pytest.raises(RawRootError, match="found \\['labels'\\]"):
        read(tmp_path, raw, name="t.xlsx", sheet="other")


def rewrite(raw: bytes, change) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return out.getvalue()


def test_excel_that_lies_about_its_size(tmp_path):
    raw = workbook(("id", "x"), (1, 2), (3, 4))

    def shrink(name: str, text: bytes) -> bytes:
        return text.replace(b'ref="A1:B3"', b'ref="A1:A1"') if name.endswith("sheet1.xml") else text

    def far(name: str, text: bytes) -> bytes:
        return text.replace(b'r="3"', b'r="999999999999"').replace(b'"A3"', b'"A999999999999"')

    assert rewrite(raw, shrink) != rewrite(raw, lambda name, text: text)
    assert [row["x"] for row in read(tmp_path, rewrite(raw, shrink), name="t.xlsx")[0]] == ["2", "4"]
    found, issues = read(tmp_path, rewrite(raw, far), name="t.xlsx")
    assert [row["id"] for row in found] == ["1"]
    assert [(issue.code, issue.where) for issue in issues] == [("bad-row", "t.xlsx row 1048576")]


def test_an_excel_bomb_is_not_opened(tmp_path):
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", b"<a/>")
    raw = bytearray(bomb.getvalue())
    at = raw.rindex(b"PK\x01\x02") + 24
    raw[at : at + 4] = (0xFFFFFF00).to_bytes(4, "little")
    with pytest.raises(UnreadableError) as error:
        read(tmp_path, bytes(raw), name="t.xlsx")
    assert error.value.code == "absurd-size"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200), st.sampled_from(["utf-8-sig", "latin-1", "utf-16"]), st.booleans())
def test_random_bytes_give_rows_issues_or_our_errors(tmp_path, noise, encoding, headed):
    content = "id,x\n".encode(encoding) + noise if headed else noise
    found = []
    try:
        found, _ = read(tmp_path, content, encoding=encoding)
    except (DataError, RawRootError) as error:
        found = [{"id": str(error)}]
    assert all("id" in row for row in found)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 6000), st.binary(min_size=1, max_size=12), st.booleans())
def test_damaged_workbooks_give_rows_or_our_errors(tmp_path, at, noise, inside):
    raw = workbook(("id", "x"), (1, "a"), ("b", 2.5))
    if inside:
        damaged = rewrite(raw, lambda _, text: text[: at % len(text)] + noise + text[at % len(text) + len(noise) :])
    else:
        at %= len(raw)
        damaged = raw[:at] + noise + raw[at + len(noise) :]
    found = []
    try:
        found, _ = read(tmp_path, damaged, name="t.xlsx")
    except (DataError, RawRootError) as error:
        found = [{"id": str(error)}]
    assert all("id" in row for row in found)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), min_size=3, max_size=3)))
def test_what_csv_writes_comes_back(tmp_path, table):
    stream = io.StringIO(newline="")
    csv.writer(stream).writerows([["id", "x", "y"], *table])
    found, issues = read(tmp_path, stream.getvalue())
    expected = [[cell.strip() for cell in row] for row in table]
    assert [list(row.values()) for row in found] == [row for row in expected if any(row)]
    assert not issues


def test_the_first_row_of_a_name_is_kept(tmp_path):
    found, issues = read(tmp_path, "id,x\n1,a\n2,b\n1,c\n")
    assert [row["x"] for row in unique(found, "id", issues.append)] == ["a", "b"]
    assert [(issue.code, issue.where) for issue in issues] == [("duplicate-id", "t.csv row 4")]
    assert "first in t.csv row 2" in issues[0].found


def test_chexpert_columns_become_findings():
    cells = {"Edema": "1.0", "Mass": "0", "Nodule": "-1.0", "Hernia": "", "Fracture": " NaN ", "Cyst": "maybe"}
    issues: list[Issue] = []
    assert findings_from_columns(Row(cells, "t.csv row 2"), cells, report=issues.append) == (
        Finding("Edema", State.PRESENT),
        Finding("Mass", State.ABSENT),
        Finding("Nodule", State.UNCERTAIN),
    )
    assert [(issue.code, issue.where) for issue in issues] == [("unknown-label-value", "t.csv row 2")]
    assert issues[0].found == "Cyst 'maybe'"


def test_lists_become_findings():
    assert findings_from_list(" Mass|Effusion||Mass ") == (Finding("Mass"), Finding("Effusion"))
    assert findings_from_list("a; b", sep=";") == (Finding("a"), Finding("b"))
    assert findings_from_list("") == ()


def test_real_metadata_of_covid_chestxray(real_data):
    issues: list[Issue] = []
    raw = Raw(real_data / "covid_chestxray_boxes", report=issues.append)
    found = list(rows(raw, "metadata.csv", columns=("patientid", "filename", "finding")))
    assert len(found) == 758
    assert [(issue.code, issue.found) for issue in issues] == [("column-name", "column 29 has no name")]
    assert len([row for row in found if row["column-29"]]) == 5
    assert len(list(unique(found, "filename", issues.append))) == 758
    assert len(issues) == 1


def test_real_boxes_of_bccd(real_data):
    """The columns stand in the order xmin, xmax, ymin, ymax; names, not places, are what counts."""
    issues: list[Issue] = []
    columns = ("filename", "cell_type", "xmin", "xmax", "ymin", "ymax")
    found = list(rows(Raw(real_data / "bccd", report=issues.append), "test.csv", columns=columns))
    assert (len(found), issues) == (4888, [])
    assert [row.where for row in found if int(row["xmin"]) >= int(row["xmax"])] == [
        row.where for row in found if int(row["ymin"]) >= int(row["ymax"])
    ]
    assert sum(int(row["xmin"]) >= int(row["xmax"]) for row in found) == 2
