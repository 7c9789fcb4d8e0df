"""Overrides: the reasons that lie in a release."""

from __future__ import annotations

from pathlib import Path

import pytest

from medloom.schema.errors import ReleaseError
from medloom.schema.gate_overrides import FILE, Override, overrides_of, reason_of, record_overrides


def override(code: str, source: str | None = None, reason: str = "a letter") -> Override:
    return Override(gate="licence", code=code, source=source, reason=reason)


def test_reasons_are_kept_sorted_and_the_same_ones_make_the_same_file(tmp_path: Path):
    assert overrides_of(tmp_path) == []
    first = [override("b", "y"), override("a"), override("b", "x")]
    record_overrides(tmp_path, first)
    text = (tmp_path / FILE).read_bytes()
    record_overrides(tmp_path, reversed(first))
    assert (tmp_path / FILE).read_bytes() == text
    assert [(one.code, one.source) for one in overrides_of(tmp_path)] == [("a", None), ("b", "x"), ("b", "y")]


def test_a_later_reason_for_the_same_takes_the_place_of_the_earlier(tmp_path: Path):
    record_overrides(tmp_path, [override("a", "x", "a letter"), override("a", "y", "a call")])
    assert record_overrides(tmp_path, [override("a", "x", "a contract")]) == [
        override("a", "x", "a contract"),
        override("a", "y", "a call"),
    ]


def test_a_reason_for_a_source_goes_before_one_for_all():
    given = [override("a", None, "for all"), override("a", "x", "for x")]
    assert reason_of(given, gate="licence", code="a", source="x") == "for x"
    assert reason_of(given, gate="licence", code="a", source="y") == "for all"
    assert reason_of(given, gate="privacy", code="a", source="x") is None
    assert reason_of([given[1]], gate="licence", code="a", source=None) is None


@pytest.mark.parametrize("text", ["[", "{}", '[{"gate": "licence"}]', '["a"]', "[1]"])
def test_a_file_of_another_form_is_named(tmp_path: Path, text: str):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(ReleaseError, match=r"overrides\.json.*expected a list"):
        overrides_of(tmp_path)
