"""Files that are whole or absent, and locks that one holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from medloom.schema.disk import alone, read_json, write_json, write_text
from medloom.schema.errors import UsageError


@pytest.mark.parametrize("value", [{"a": [1, "größe", None]}, [], "caf\udce9"])
def test_json_comes_back(tmp_path: Path, value):
    write_json(tmp_path / "new" / "x.json", value)
    assert read_json(tmp_path / "new" / "x.json") == value
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["x.json"]
    (tmp_path / "new" / "x.json").read_text(encoding="utf-8")


def test_json_that_fails_leaves_the_old(tmp_path: Path):
    write_json(tmp_path / "x.json", 1)
    with pytest.raises(TypeError):
        write_json(tmp_path / "x.json", object())
    assert read_json(tmp_path / "x.json") == 1


@pytest.mark.parametrize("body", [None, b"", b"{", b"\xff\xfe"])
def test_what_is_no_json_is_none(tmp_path: Path, body: bytes | None):
    if body is not None:
        (tmp_path / "x.json").write_bytes(body)
    assert read_json(tmp_path / "x.json") is None


def test_text_that_breaks_off_leaves_the_old(tmp_path: Path):
    def pieces():
        yield "new"
        raise ValueError("no more")

    write_text(tmp_path / "x.txt", ["old\n", "caf\udce9"])
    with pytest.raises(ValueError, match="no more"):
        write_text(tmp_path / "x.txt", pieces())
    assert (tmp_path / "x.txt").read_bytes() == b"old\ncaf\\udce9"


def test_a_lock_is_held_by_one_until_it_is_let_go(tmp_path: Path):
    lock = tmp_path / "new" / "lock"
    with alone(lock, busy="it is busy"), pytest.raises(UsageError, match="it is busy; expected one at a time"):
        alone(lock, busy="it is busy").__enter__()
    with alone(lock, busy="it is busy"):
        assert lock.exists()
