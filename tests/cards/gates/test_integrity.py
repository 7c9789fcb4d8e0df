"""The integrity gate: faults of the contract, copies across splits, what the Hub can hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from drawn_rights import copied

from medloom.builders.duplicates.certificate import certify
from medloom.builders.duplicates.find import within
from medloom.cards.gates import hub_limits
from medloom.cards.gates.integrity import integrity
from medloom.cards.gates.verdict import Level, Verdict
from medloom.schema.release import Release


@pytest.fixture
def release(twins, tmp_path: Path) -> Release:
    return copied(twins.release, tmp_path / "release")


def found(release: Release) -> dict[str, Verdict]:
    return {one.code: one for one in integrity(release)}


def test_a_whole_release_passes_but_for_copies_that_unrelated_sources_share(release: Release):
    verdicts = found(release)
    assert {code for code, one in verdicts.items() if one.level is Level.REFUSE} == set()
    assert verdicts["contract-stands"].count == 47
    across = verdicts["copies-across-sources"]
    assert across.level is Level.WARN
    assert "dealt and owned" in across.found
    assert 0 < across.count == len(across.where) <= 5
    assert verdicts["no-copies-across-splits"].level is Level.PASS
    assert verdicts["no-certificate"].level is Level.WARN
    assert verdicts["within-the-hubs-limits"].count == len([path for path in release.root.rglob("*") if path.is_file()])


def test_faults_are_gathered_by_code_and_source(release: Release):
    shards = sorted(release.root.glob("data/owned/**/*.tar"))
    shards[0].unlink()
    (release.root / "note.txt").write_text("hello")
    verdicts = found(release)
    assert (verdicts["missing-shard"].source, verdicts["missing-shard"].level) == ("owned", Level.REFUSE)
    assert verdicts["missing-shard"].where == (shards[0].relative_to(release.root).as_posix(),)
    assert "contract-stands" not in verdicts
    assert any("note.txt" in one.where for one in verdicts.values())


def test_a_certificate_speaks_for_near_copies_too(release: Release):
    pairs = within(release)
    certify(release, pairs.pairs, search={"parameters": pairs.parameters, "counts": pairs.counts})
    one = found(release)["copies-across-splits"]
    assert one.level is Level.REFUSE
    assert one.count > 0
    assert "near edges across" in one.found


def test_what_the_hub_cant_hold_is_refused(release: Release, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hub_limits, "ENTRIES_PER_FOLDER", 1)
    monkeypatch.setattr(hub_limits, "FILES", 3)
    monkeypatch.setattr(hub_limits, "FILE_BYTES", 20_000)
    monkeypatch.setattr(hub_limits, "LARGE_FILE_BYTES", 10)
    levels = {one.code: one.level for one in hub_limits.limits(release)}
    assert levels == {
        "folder-too-full": Level.REFUSE,
        "many-files": Level.WARN,
        "file-too-large": Level.REFUSE,
        "large-file": Level.WARN,
    }
