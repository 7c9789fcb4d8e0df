from __future__ import annotations

import json
import math
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medloom.builders.formats.json_records import load, records
from medloom.builders.raw import Raw
from medloom.schema.errors import Issue, MedLoomError, RawRootError, UnreadableError


def read(root, content: str | bytes, *, name: str = "a.json", **options) -> tuple[list, list[Issue]]:
    (root / name).write_bytes(content.encode() if isinstance(content, str) else content)
    issues: list[Issue] = []
    options.setdefault("fields", ("id",))
    return list(records(Raw(root, report=issues.append), name, **options)), issues


def test_a_list_of_objects(tmp_path):
    found, issues = read(tmp_path, '[{"id": 1, "x": [2]}, {"x": 3}, 4, {"id": null}]')
    assert [(dict(row), row.where) for row in found] == [
        ({"id": 1, "x": [2]}, "a.json record 1"),
        ({"id": None}, "a.json record 4"),
    ]
    assert [(issue.code, issue.where, issue.found) for issue in issues] == [
        ("bad-row", "a.json record 2", "no id"),
        ("bad-row", "a.json record 3", "int"),
    ]


def test_an_object_of_objects(tmp_path):
    found, issues = read(tmp_path, b'\xef\xbb\xbf{"s": {"a": {"x": 1}, "b": {"id": "own"}, "c": 2}}', inside="s", key="id")
    assert [(row["id"], row.where) for row in found] == [("a", "a.json 'a'"), ("own", "a.json 'b'")]
    assert [(issue.code, issue.where) for issue in issues] == [("bad-row", "a.json 'c'")]


@pytest.mark.parametrize(("text", "inside"), [("1", None), ('{"x": 1}', "s"), ("[]", "s"), ('{"s": 1}', "s")])
def test_no_records_where_they_are_said_to_be(tmp_path, text, inside):
    with pytest.raises(RawRootError, match="expected records"):
        read(tmp_path, text, inside=inside)


def test_one_object_per_line(tmp_path):
    text = b'\xef\xbb\xbf{"id": 1}\n\n{"id": \n{"x": 1}\n{"id": "\xff"}\n{"id": NaN}\r\n'
    found, issues = read(tmp_path, text, name="a.jsonl")
    assert [row.where for row in found] == ["a.jsonl line 1", "a.jsonl line 6"]
    assert math.isnan(found[1]["id"])
    assert [(issue.code, issue.where) for issue in issues] == [
        ("bad-row", "a.jsonl line 3"),
        ("bad-row", "a.jsonl line 4"),
        ("bad-row", "a.jsonl line 5"),
    ]


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "unreadable"),
        (b"[1, 2", "unreadable"),
        (b"[NaN, ", "unreadable"),
        (b"[" * 200_000, "unreadable"),
        (b"[NaN, " + b"[" * 200_000, "unreadable"),
        (b'["caf\xe9"]', "encoding"),
        ('["ä"]'.encode("utf-16"), "encoding"),
    ],
)
def test_broken_documents_are_unreadable(tmp_path, raw, code):
    (tmp_path / "a.json").write_bytes(raw)
    with pytest.raises(UnreadableError, match=r"a\.json") as error:
        load(Raw(tmp_path), "a.json")
    assert error.value.code == code


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=60), st.text('[]{}":, NaIinfty0123.e-', max_size=60).map(str.encode)), st.booleans())
def test_random_bytes_give_rows_issues_or_our_errors(tmp_path, content, by_line):
    found = []
    try:
        found, _ = read(tmp_path, content, name="a.jsonl" if by_line else "a.json")
    except MedLoomError as error:
        found = [{"id": error.kind}]
    assert all("id" in row for row in found)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.integers(-9, 9) | st.text())))
def test_both_forms_hold_the_same_records(tmp_path, items):
    listed, _ = read(tmp_path, json.dumps(items), fields=())
    by_line, _ = read(tmp_path, "\n".join(map(json.dumps, items)), name="a.jsonl", fields=())
    assert [dict(row) for row in listed] == [dict(row) for row in by_line] == items


def test_real_artefacts_of_ham10000(real_data):
    """The table is whole, the files are not: 51 records, 18 images, no PSD file."""
    issues: list[Issue] = []
    raw = Raw(real_data / "ham10000_artefacts", report=issues.append)
    fields = ("class", "original_file", "psd_file")
    found = list(records(raw, "artefacts/meta.json", fields=fields, inside="artefacts"))
    assert (len(found), issues) == (51, [])
    assert Counter(row["class"] for row in found) == {"marking": 20, "ruler": 20, "bubble": 11}
    assert sum(raw.has(f"artefacts/{row['original_file']}") for row in found) == 18
    assert not any(raw.has(f"artefacts/{row['psd_file']}") for row in found)
