"""The licence gate: verdicts per source and subject, modes, families of licences, overrides."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from drawn_rights import copied, right, state, throughout

from medloom.cards.gates.gate import gate
from medloom.cards.gates.justify import justify
from medloom.cards.gates.licence import families, licence, proposals, proposed
from medloom.cards.gates.verdict import Level, Verdict
from medloom.schema.errors import UsageError
from medloom.schema.gate_overrides import overrides_of
from medloom.schema.published import Mode
from medloom.schema.release import Release


@pytest.fixture
def release(twins, tmp_path: Path) -> Release:
    """Two sources, `owned` and `dealt`, whose terms tests change."""
    own = copied(twins.release, tmp_path / "release")
    for source in own.sources:
        state(own, source, licence="CC-BY-4.0", rights=throughout("CC-BY-4.0"))
    return own


def codes(release: Release, *levels: Level, **options) -> set[tuple[str | None, str]]:
    return {(one.source, one.code) for one in licence(release, **options) if one.level in levels}


def of(release: Release, code: str, source: str | None = "owned", **options) -> Verdict:
    (found,) = [one for one in licence(release, **options) if (one.code, one.source) == (code, source)]
    return found


def test_open_sources_pass_with_a_reason_for_every_subject(release: Release):
    assert {one.level for one in licence(release)} == {Level.PASS}
    subjects = {"pixels-granted", "annotations-granted", "derived-text-withheld", "processing-granted"}
    assert {one.code for one in licence(release) if one.source == "owned"} == subjects
    assert "CC-BY-4.0" in of(release, "pixels-granted").found
    assert "attribution" in of(release, "pixels-granted").found
    assert "LICENSE, read 2026-03-01" in of(release, "pixels-granted").found


@pytest.mark.parametrize(
    ("stated", "said"),
    [("CC-BY-ND-4.0", "not granted"), ("unstated", "unknown (no licence is stated"), ("LicenseRef-x", "unknown")],
)
def test_what_isnt_granted_refuses_with_its_reason(release: Release, stated: str, said: str):
    state(release, "owned", licence=stated, rights=throughout(stated))
    found = of(release, "pixels-not-granted")
    assert (found.level, found.count) == (Level.REFUSE, 21)
    assert said in found.found
    assert "--mode owned=recipe" in found.next
    assert of(release, "processing-not-granted").level is Level.WARN


def test_pixels_alone_withheld_leave_annotations(release: Release):
    state(release, "owned", rights={"pixels": right("LicenseRef-x"), "annotations": right("CC-BY-4.0")})
    assert codes(release, Level.REFUSE) == {("owned", "pixels-not-granted"), (None, "mixed-licences")}
    assert "--mode owned=annotations" in of(release, "pixels-not-granted").next
    assert codes(release, Level.REFUSE, modes={"owned": Mode.ANNOTATIONS}) == set()
    assert of(release, "pixels-withheld", modes={"owned": Mode.ANNOTATIONS}).level is Level.PASS
    assert proposals(release) == {"dealt": Mode.FULL, "owned": Mode.ANNOTATIONS}


def test_a_recipe_alone_needs_no_right(release: Release):
    state(release, "owned", licence="unstated", rights={})
    assert codes(release, Level.REFUSE, modes={"owned": Mode.RECIPE}) == set()
    assert proposed(release.recipe("owned") or {}) is Mode.RECIPE
    assert families(release, modes={"owned": Mode.RECIPE}) == {"attribution": ["dealt", "owned"]}


def test_samples_narrower_than_their_source_are_named(release: Release):
    state(release, "owned", samples=["CC-BY-ND-4.0", "CC-BY-ND-4.0"])
    found = of(release, "pixels-not-granted")
    keys = pq.read_table(release.index_path("owned"), columns=["key"])["key"].to_pylist()
    assert (found.count, set(found.where)) == (2, set(keys[:2]))
    assert "licence NOT IN ('CC-BY-ND-4.0')" in found.next
    assert proposals(release)["owned"] is Mode.RECIPE


def test_samples_may_carry_what_their_source_leaves_open(release: Release):
    state(release, "owned", licence="LicenseRef-per-image", samples=["CC-BY-4.0"] * 11 + ["CC0-1.0"] * 10, rights={})
    assert codes(release, Level.REFUSE) == set()
    assert proposals(release)["owned"] is Mode.FULL
    assert proposed(release.recipe("owned") or {}) is Mode.RECIPE


def test_what_licences_ask_is_said(release: Release):
    state(release, "owned", licence="CC-BY-NC-SA-4.0", rights=throughout("CC-BY-NC-SA-4.0"))
    assert codes(release, Level.WARN) == {("owned", "non-commercial"), ("owned", "share-alike")}


def test_words_that_nobody_has_read_and_doors_are_said(release: Release):
    state(release, "owned", access="registration", rights=throughout("CC-BY-4.0", read_on=None))
    assert codes(release, Level.WARN) == {("owned", "evidence-unread"), ("owned", "access-registration")}


def test_credentials_refuse_what_no_right_grants_by_name(release: Release):
    state(release, "owned", access="credentialed", rights={"annotations": right("CC-BY-4.0")})
    assert codes(release, Level.REFUSE) == {("owned", "pixels-not-granted")}
    assert proposals(release)["owned"] is Mode.ANNOTATIONS
    assert ("owned", "access-credentialed") in codes(release, Level.WARN)


def test_licences_that_cant_stand_together_are_refused_and_parted(release: Release):
    state(release, "owned", licence="CC-BY-SA-4.0", rights=throughout("CC-BY-SA-4.0"))
    found = of(release, "mixed-licences", None)
    assert (found.level, found.count) == (Level.REFUSE, 2)
    assert found.found == "attribution (dealt); CC-BY-SA-4.0 (owned)"
    assert "--split-by-licence" in found.next
    assert families(release) == {"attribution": ["dealt"], "CC-BY-SA-4.0": ["owned"]}


def test_names_alone_may_stand_beside_names_alone(release: Release):
    state(release, "owned", licence="MIT", rights=throughout("MIT"))
    assert families(release) == {"attribution": ["dealt", "owned"]}
    assert of(release, "one-family-of-licences", None).level is Level.PASS


def test_attribution_inside_a_narrow_source_goes_with_the_narrow_licence(release: Release):
    state(release, "owned", licence="LicenseRef-per-image", samples=["CC-BY-4.0"] * 5 + ["CC-BY-NC-4.0"] * 16, rights={})
    assert families(release) == {"attribution": ["dealt"], "CC-BY-NC-4.0": ["owned"]}


def test_a_source_that_is_mixed_in_itself_is_refused_wherever_it_goes(release: Release):
    state(release, "owned", licence="LicenseRef-per-image", samples=["CC-BY-SA-4.0"] * 5 + ["CC-BY-NC-4.0"] * 16, rights={})
    assert of(release, "mixed-licences").level is Level.REFUSE
    assert "CC-BY-NC-4.0 + CC-BY-SA-4.0" in families(release)


def test_a_licenceref_that_is_allowed_is_a_family_of_its_own(release: Release):
    state(release, "owned", licence="LicenseRef-free", rights=throughout("LicenseRef-free", allowed=True))
    assert families(release) == {"attribution": ["dealt"], "LicenseRef-free": ["owned"]}
    assert proposals(release)["owned"] is Mode.FULL


def test_reasons_let_refused_verdicts_pass_and_are_recorded(release: Release):
    state(release, "owned", licence="unstated", rights=throughout("unstated"))
    report = gate(release, gates=["licence"])
    assert not report.passed
    words = [f"{code}:owned=a letter" for code in ("pixels-not-granted", "annotations-not-granted")]
    passed = justify(report, [*words, "mixed-licences=a letter, too"])
    assert passed.passed
    assert passed.as_json()["counts"] | {"pass": 0, "warn": 0} == {
        "pass": 0,
        "warn": 0,
        "refuse": 3,
        "overridden": 3,
        "refused": 0,
    }
    assert [(one.code, one.source) for one in overrides_of(release.root)] == [
        ("annotations-not-granted", "owned"),
        ("mixed-licences", None),
        ("pixels-not-granted", "owned"),
    ]
    assert gate(release, gates=["licence"]).passed


@pytest.mark.parametrize("words", ["pixels-not-granted", "pixels-not-granted=", "=x", "pixels-not-granted:owned=x", "no=x"])
def test_a_reason_must_be_words_about_something_found(release: Release, words: str):
    with pytest.raises(UsageError, match="override"):
        justify(gate(release, gates=["licence"]), [words])
    assert overrides_of(release.root) == []


def test_unknown_gates_and_sources_are_named(release: Release):
    with pytest.raises(UsageError, match="gate 'taste' is unknown; expected one of licence, privacy, integrity"):
        gate(release, gates=["taste"])
    with pytest.raises(UsageError, match="source 'nobody' is unknown; expected one of dealt, owned"):
        gate(release, gates=["licence"], modes={"nobody": Mode.FULL})
