"""`medloom gate` and `medloom cite` as people and scripts meet them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from drawn_rights import copied, right, state, throughout

from medloom.cli import main
from medloom.schema.release import Release


def called(*arguments: Any) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    assert isinstance(left.value.code, int)
    return left.value.code


@pytest.fixture
def release(twins: Any, tmp_path: Path) -> Release:
    own = copied(twins.release, tmp_path / "release")
    for source in own.sources:
        state(own, source, licence="CC-BY-4.0", rights=throughout("CC-BY-4.0"))
    return own


def test_a_release_that_may_go_out(release: Release, capsys: pytest.CaptureFixture[str]):
    assert called("gate", release.root, "--only", "licence") == 0
    assert "✓ it may go out" in capsys.readouterr().out
    assert called("gate", release.root, "--only", "licence", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["passed"] is True
    assert {one["gate"] for one in found["verdicts"]} == {"licence"}


def test_a_refused_release_says_what_helps_and_a_reason_lets_it_pass(release: Release, capsys: pytest.CaptureFixture[str]):
    state(release, "owned", samples=["LicenseRef-[bold]"])
    ask = ("gate", release.root, "--only", "licence")
    assert called(*ask) == 1
    out = capsys.readouterr().out
    assert "✗ pixels-not-granted" in out
    assert "LicenseRef-[bold]" in out
    assert "--override pixels-not-granted:owned=REASON" in out
    reasons = [
        f"--override={code}=the owner agreed"
        for code in ("pixels-not-granted:owned", "annotations-not-granted", "mixed-licences")
    ]
    assert called(*ask, *reasons) == 0
    out = capsys.readouterr().out
    assert "passes: the owner agreed" in out
    assert "3 with a reason in overrides.json" in out
    assert called(*ask) == 0


def test_modes_are_judged_instead_of_what_is_held(release: Release, capsys: pytest.CaptureFixture[str]):
    state(release, "owned", licence="unstated", rights={})
    ask = ("gate", release.root, "--only", "licence")
    assert called(*ask) == 1
    assert called(*ask, "--mode", "owned=recipe") == 0
    capsys.readouterr()
    assert called(*ask, "--mode", "owned=everything") == 2
    assert "expected SOURCE=MODE, with a mode of full, annotations, recipe" in capsys.readouterr().err
    assert called(*ask, "--override", "pixels-granted=x") == 2
    assert "the gates found no such thing" in capsys.readouterr().err


def test_integrity_through_the_command_line(release: Release, capsys: pytest.CaptureFixture[str]):
    assert called("gate", release.root, "--only", "integrity", "--json") == 1
    codes = {one["code"] for one in json.loads(capsys.readouterr().out)["verdicts"] if one["level"] == "refuse"}
    assert "digest-differs" in codes  # other licences were written into its index


def test_cite_prints_text_json_and_bibtex(release: Release, capsys: pytest.CaptureFixture[str]):
    state(release, "owned", licence="CC-BY-NC-4.0", rights=throughout("CC-BY-NC-4.0"))
    assert called("cite", release.root) == 0
    out = capsys.readouterr().out
    assert "non-commercial: no commercial use (owned)" in out
    assert called("cite", release.root, "--source", "dealt", "--bibtex") == 0
    assert capsys.readouterr().out == "@misc{dealt,\n}\n"
    assert called("cite", release.root, "--where", "licence = 'CC-BY-NC-4.0'", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["select"] == {"where": "licence = 'CC-BY-NC-4.0'"}
    assert [one["source"] for one in found["sources"]] == ["owned"]
    assert called("cite", release.root, "--where", "width_px > 9999") == 0
    assert "nothing to cite" in capsys.readouterr().out
    assert called("cite", release.root, "--bibtex", "--json") == 2


def test_pictures_that_may_not_be_shown_stay_off_sheets(release: Release, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    state(release, "owned", licence="CC0-1.0", rights={"pixels": right("CC0-1.0", allowed=False)})
    sheet, ask = tmp_path / "sheet.png", ("show", release.root, "--sheet", tmp_path / "sheet.png")
    assert called(*ask, "--source", "owned") == 0
    out = capsys.readouterr().out
    assert "no sample may be shown: no contact sheet" in out
    assert "21 pictures were left out" in out
    assert not sheet.exists()
    assert called(*ask, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["withheld"].keys(), sheet.exists()) == ({"owned"}, True)
    key = _keys(release, "owned")[0]
    sheet.unlink()
    assert called("show", release.root, key, "--sheet", sheet) == 0
    assert not sheet.exists()
    assert called("show", release.root, key, "--sheet", sheet, "--all-pictures", "--json") == 0
    assert sheet.exists()


def test_pictures_that_may_not_be_shown_stay_off_the_page_of_duplicates(release: Release, capsys: pytest.CaptureFixture[str]):
    state(release, "owned", licence="unstated", rights={})
    page = release.work / "duplicates" / "duplicates.html"
    called("duplicates", release.root, "--workers", "1", "--json")
    found = json.loads(capsys.readouterr().out)
    assert found["withheld"].keys() == {"owned"}
    without = page.read_text()
    assert "not shown" in without
    called("duplicates", release.root, "--workers", "1", "--all-pictures", "--json")
    assert json.loads(capsys.readouterr().out)["withheld"] == {}
    assert len(page.read_text()) > len(without)
    assert "not shown" not in page.read_text()


def _keys(release: Release, source: str) -> list[str]:
    import pyarrow.parquet as pq

    rows = pq.read_table(release.index_path(source), columns=["key", "exclusion"]).to_pylist()
    return [row["key"] for row in rows if row["exclusion"] is None]
