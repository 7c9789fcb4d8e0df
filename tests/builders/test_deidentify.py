"""Pseudonyms and digests: stable, keyed, and without a trace of the name."""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medloom.builders.catalog import load
from medloom.builders.deidentify import MIN_SALT_BYTES, Salt, file_sha256, files_sha256, key_of, pseudonym, salt_of
from medloom.builders.source import Facts
from medloom.schema.errors import UsageError

PUBLIC = Salt(b"bccd", public=True)


def facts(name: str) -> Facts:
    return load(name).facts


def test_a_public_salt_is_the_name_of_the_collection_or_else_of_the_source():
    assert salt_of(facts("bccd")) == PUBLIC
    assert salt_of(facts("pydicom_data")) == salt_of(facts("highdicom_sm_seg")) == Salt(b"dicom_test_files", public=True)


def test_a_salt_file_is_private_and_only_its_digest_may_be_told(tmp_path: Path):
    (tmp_path / "salt").write_bytes(b"0123456789abcdef")
    salt = salt_of(facts("bccd"), tmp_path / "salt")
    assert salt == Salt(b"0123456789abcdef", public=False)
    assert salt.sha256 == hashlib.sha256(b"0123456789abcdef").hexdigest()


@pytest.mark.parametrize("size", [0, 1, MIN_SALT_BYTES - 1])
def test_a_short_salt_is_refused(tmp_path: Path, size: int):
    (tmp_path / "salt").write_bytes(b"x" * size)
    with pytest.raises(UsageError, match=rf"{size} bytes; expected at least 16 secret bytes"):
        salt_of(facts("bccd"), tmp_path / "salt")


@pytest.mark.parametrize("name", ["absent", "."])
def test_a_salt_that_is_no_file(tmp_path: Path, name: str):
    with pytest.raises(UsageError, match="no such file"):
        salt_of(facts("bccd"), tmp_path / name)


def test_a_pseudonym_is_16_digits_of_hmac_sha256():
    wanted = hmac.new(b"bccd", b"group\0patient 7", hashlib.sha256).hexdigest()[:16]
    assert pseudonym(PUBLIC, "group", "patient 7") == wanted


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0")), min_size=1, max_size=4))
def test_pseudonyms_are_of_any_text(parts: list[str]):
    assert pseudonym(PUBLIC, *parts) == pseudonym(PUBLIC, *parts)
    assert pseudonym(PUBLIC, *parts) != pseudonym(Salt(b"other", public=False), *parts)
    assert pseudonym(PUBLIC, *parts) != pseudonym(PUBLIC, *parts, "")
    assert int(pseudonym(PUBLIC, *parts), 16) >= 0


def test_names_that_are_no_utf8_have_a_pseudonym():
    assert pseudonym(PUBLIC, "caf\udce9") == hmac.new(b"bccd", b"caf\xe9", hashlib.sha256).hexdigest()[:16]


def test_a_key_has_no_dot():
    key = key_of("my.source", PUBLIC, ("a.b.png", "slice", "3"))
    assert key.startswith("my_source-")
    assert "." not in key
    assert key != key_of("my.source", PUBLIC, ("a.b.png", "slice", "4"))


def test_a_series_has_the_digest_of_its_files_in_any_order(tmp_path: Path):
    for name in "abc":
        (tmp_path / name).write_text(name)
    paths = [tmp_path / name for name in "abc"]
    assert files_sha256(paths[:1]) == file_sha256(paths[0]) == hashlib.sha256(b"a").hexdigest()
    assert files_sha256(paths) == files_sha256(paths[::-1]) != files_sha256(paths[:2])
