"""Citations: BibTeX, licences and obligations of a release or of any part of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from drawn_rights import copied, right, state

from medloom.builders.catalog import load, names
from medloom.cards.living.bibtex import bibliography, entries, key_of
from medloom.cards.living.cite import cite
from medloom.schema.lexicon import Lexicon
from medloom.schema.release import Release

BOOK = "@article{smith2020,\n  title = {Cells},\n  year = {2020}\n}"


@pytest.fixture
def release(twins, tmp_path: Path) -> Release:
    return copied(twins.release, tmp_path / "release")


def facts(name: str, citation: str, **more: str) -> dict[str, Any]:
    return {
        "name": name,
        "title": name.title(),
        "cite": "doi:10.1/x",
        "homepage": "https://example.org",
        "citation": citation,
    } | more


def test_a_work_that_two_sources_cite_comes_once_however_it_is_laid_out():
    text = bibliography([facts("a", BOOK), facts("b", BOOK.replace("\n  ", " ")), facts("c", "@misc{other,\n title={x}}")])
    assert text.count("smith2020") == 1
    assert [key_of(part) for part in text.split("\n\n")] == ["smith2020", "other"]


def test_two_works_under_one_key_stay_two():
    another = BOOK.replace("Cells", "Bones")
    text = bibliography([facts("a", BOOK), facts("b", another), facts("c", another)])
    assert [key_of(part) for part in text.split("\n\n")] == ["smith2020", "smith2020-b", "smith2020-c"]
    assert "{smith2020-b," in text


def test_a_source_without_bibtex_gets_an_entry_of_its_address():
    (made,) = entries(facts("a", "unstated"))
    assert made == "@misc{a,\n  title = {A},\n  howpublished = {\\url{https://example.org}}\n}"
    assert entries(facts("a", "@misc{tiny}")) == ["@misc{tiny,\n}"]


@pytest.mark.parametrize("name", names())
def test_bibtex_of_every_source_is_balanced_and_kept(name: str):
    stated = load(name).facts
    found = entries({"name": name, "citation": stated.citation, "title": "", "cite": "", "homepage": ""})
    assert len(found) == stated.citation.count("\n@") + 1
    assert all(one.count("{") == one.count("}") and one.startswith("@") for one in found)
    assert len({key_of(one) for one in found}) == len(found)


def test_the_whole_release_with_counts_licences_and_obligations(release: Release):
    state(release, "owned", licence="CC-BY-NC-SA-4.0", samples=["CC-BY-4.0"])
    found = cite(release)
    assert found["samples"] == 47
    assert [(one["source"], one["samples"]) for one in found["sources"]] == [("dealt", 26), ("owned", 21)]
    held = {one["licence"]: (one["sources"], one["obligations"]) for one in found["licences"]}
    assert held == {
        "CC-BY-NC-SA-4.0": ({"owned": 20}, ["attribution", "non-commercial", "share-alike"]),
        "CC-BY-4.0": ({"owned": 1}, ["attribution"]),
        "CC0-1.0": ({"dealt": 26}, []),
    }
    assert [one["obligation"] for one in found["obligations"]] == ["attribution", "non-commercial", "share-alike"]
    assert "https://creativecommons.org/licenses/by-nc-sa/4.0/" in " ".join(found["attribution"])
    assert "@misc{owned" in found["bibtex"]


def test_a_part_owes_what_its_own_samples_owe(release: Release):
    state(release, "owned", licence="CC-BY-NC-SA-4.0", samples=["CC-BY-4.0"])
    lexicon = Lexicon.open(release)
    found = cite(release, lexicon.select(source="dealt"))
    assert ([one["source"] for one in found["sources"]], found["obligations"]) == (["dealt"], [])
    found = cite(release, lexicon.select(where="licence = 'CC-BY-4.0'"))
    assert (found["samples"], [one["obligation"] for one in found["obligations"]]) == (1, ["attribution"])
    assert cite(release, lexicon.select(where="width_px > 9999"))["sources"] == []


def test_annotations_and_texts_owe_what_they_owe_apart(release: Release):
    state(release, "owned", licence="MIT", rights={"annotations": right("CC-BY-SA-4.0"), "processing": right("unstated")})
    (owned,) = [one for one in cite(release)["sources"] if one["source"] == "owned"]
    assert {row["licence"]: row["of"] for row in owned["licences"]} == {
        "MIT": ["pixels", "derived_text"],
        "CC-BY-SA-4.0": ["annotations"],
    }


def test_what_nobody_knows_is_said(release: Release):
    state(release, "owned", licence="LicenseRef-x", rights={"pixels": right("LicenseRef-x", allowed=True)})
    (owned,) = [one for one in cite(release)["sources"] if one["source"] == "owned"]
    assert {tuple(row["of"]): row["obligations"] for row in owned["licences"]} == {
        ("pixels",): ["attribution"],
        ("annotations", "derived_text"): ["unknown", "attribution"],
    }
