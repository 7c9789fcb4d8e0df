"""Whose pictures may be shown, and whose data may go to another machine."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from drawn_rights import copied, right, state

from medloom.schema.gate_overrides import Override, record_overrides
from medloom.schema.picture_rights import PictureRights, hidden, licences_of, may_show, shareable, words
from medloom.schema.processing_rights import kept_here
from medloom.schema.release import Release


@pytest.fixture
def release(twins, tmp_path: Path) -> Release:
    return copied(twins.release, tmp_path / "release")


def test_everything_may_be_shown_that_may_be_passed_on(release: Release):
    assert shareable(release) == {"dealt", "owned"}
    assert may_show(release, "owned", "CC0-1.0")
    assert not may_show(release, "nobody", "CC0-1.0")
    assert hidden(release).sources == hidden(release).keys == frozenset()


def test_samples_with_a_narrower_licence_are_hidden_alone(release: Release):
    state(release, "owned", licence="CC-BY-4.0", samples=["CC-BY-ND-4.0", "unstated"])
    keys = pq.read_table(release.index_path("owned"), columns=["key"])["key"].to_pylist()
    unseen = hidden(release)
    assert (unseen.sources, unseen.keys) == (frozenset(), frozenset(keys[:2]))
    assert [unseen.holds("owned", key) for key in keys[:3]] == [True, True, False]
    assert shareable(release) == {"dealt"}
    assert licences_of(release, "owned") == {"CC-BY-4.0": len(keys) - 2, "CC-BY-ND-4.0": 1, "unstated": 1}


def test_samples_may_be_wider_than_their_source(release: Release):
    state(release, "owned", licence="LicenseRef-per-image", samples=["CC-BY-4.0"])
    rights = PictureRights.of(release)
    assert rights.may_show("owned", "CC-BY-4.0")
    assert not rights.may_show("owned", "LicenseRef-per-image")
    assert rights.withheld([("owned", "CC-BY-4.0"), ("owned", "unstated"), ("dealt", "CC0-1.0")]) == {"owned": 1}


def test_pixels_apart_from_annotations(release: Release):
    state(release, "owned", rights={"pixels": right("LicenseRef-view-only", allowed=False)})
    assert hidden(release).sources == {"owned"}


@pytest.mark.parametrize("source", ["owned", None])
def test_a_reason_lifts_it(release: Release, source: str | None):
    state(release, "owned", licence="unstated")
    record_overrides(release.root, [Override(gate="licence", code="pixels-not-granted", source=source, reason="a letter")])
    assert shareable(release) == {"dealt", "owned"}
    assert kept_here(release).keys() == {"owned"}


def test_what_another_machine_may_not_read(release: Release):
    assert kept_here(release) == {}
    state(release, "owned", rights={"processing": right("CC-BY-4.0", allowed=False)})
    state(release, "dealt", access="credentialed", rights={"processing": right("CC-BY-4.0")})
    assert kept_here(release) == {
        "dealt": "access is credentialed",
        "owned": "nobody grants processing by others (CC-BY-4.0)",
    }
    record_overrides(release.root, [Override(gate="licence", code="processing-not-granted", source=None, reason="agreed")])
    assert kept_here(release) == {}


def test_one_narrow_sample_keeps_its_source_here(release: Release):
    state(release, "owned", licence="MIT", samples=["LicenseRef-ask-first"])
    assert kept_here(release) == {"owned": "nobody grants processing by others (LicenseRef-ask-first)"}


def test_the_sentence_counts():
    assert words({"a": 1}).startswith("1 picture was left out")
    assert words({"a": 1200, "b": 3}) == (
        "1,203 pictures were left out whose pixels nobody may pass on, as far as is known (a 1,200, b 3); "
        "--all-pictures shows them"
    )
