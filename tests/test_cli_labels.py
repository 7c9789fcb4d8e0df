"""`medloom labels` as people and scripts meet it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medloom.builders.build import Options, build
from medloom.cli import main
from medloom.schema.labels.lint import CODES
from medloom.schema.labels.table import table

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run the command line here; exit code, stdout and stderr."""

    def one(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as left:
            main(["labels", *map(str, arguments)])
        found = capsys.readouterr()
        assert isinstance(left.value.code, int)
        return left.value.code, found.out, found.err

    return one


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    """Three annotators on three labels: one changes, one is confirmed, one has no majority for its departments."""
    old = table()["platelet"]
    rows = ["label,annotator,departments,clinical_task"]
    for number, name in enumerate(("Ada", "Ben", "Cleo")):
        rows.append(f'WBC,{name},"{("ID", "ID; H", "ID; H")[number]}",CR')
        rows.append(f'platelet,{name},"{"; ".join(old.departments)}",{old.clinical_task}')
        rows.append(f"RBC,{name},{('PM', 'U', 'O')[number]},CR")
    path = tmp_path / "votes.csv"
    path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    return path


def rewritten(path: Path, old: str, new: str) -> Path:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return path


def test_the_table_is_listed(call: Call):
    code, out, _ = call("list", "--json")
    rows = {row["name"]: row for row in json.loads(out)}
    assert (code, len(rows)) == (0, len(table()))
    assert rows["white blood cell"]["id"] == "mesh:D007962"
    code, out, _ = call("list")
    assert code == 0
    assert f"{len(table()):,} labels" in out


@pytest.mark.parametrize("word", ["Leucocyte", "D007962", "Leukocytes", "mesh:D007962"])
def test_any_word_of_a_label_shows_it_in_the_tree(call: Call, word: str):
    code, out, _ = call("list", word, "--json")
    found = json.loads(out)
    assert (code, found["name"], found["mesh_term"]) == (0, "white blood cell", "Leukocytes")
    assert "lymphocyte" in found["children"]
    assert found["ancestors"] == list(table().ancestors("white blood cell"))
    code, out, _ = call("list", word)
    assert "lymphocyte" in out
    assert "Hematology" in out


def test_a_deep_label_shows_its_ancestors(call: Call):
    deep = max(table(), key=lambda entry: len(table().ancestors(entry.name)))
    _, out, _ = call("list", deep.name)
    lines = [line.strip() for line in out.splitlines()]
    places = [lines.index(name) for name in reversed(table().ancestors(deep.name))]
    assert len(places) >= 2
    assert places == sorted(places)


def test_an_unknown_word_is_answered_with_a_close_one(call: Call):
    code, _, err = call("list", "melenoma")
    assert code == 2
    assert "did you mean 'melanoma'?" in err
    code, _, err = call("list", "xyzzy")
    assert code == 2
    assert "`medloom labels list` shows all" in err


def test_a_vote_tells_what_changes_and_what_has_no_majority(call: Call, votes: Path):
    code, out, _ = call("vote", votes, "--json")
    found = json.loads(out)
    assert code == 0
    departments = [one for one in found["changes"] if one["field"] == "departments"]
    assert [(one["label"], one["new"]) for one in departments] == [("white blood cell", ["Infectious Diseases", "Hematology"])]
    assert departments[0]["old"] == list(table()["white blood cell"].departments)
    assert departments[0]["votes"] == {"Infectious Diseases; Hematology": 2, "Infectious Diseases": 1}
    assert [(one["label"], one["stands"]) for one in found["unresolved"]] == [
        ("red blood cell", list(table()["red blood cell"].departments))
    ]
    assert (found["labels"], found["votes"], found["annotators"]) == (3, 9, ["Ada", "Ben", "Cleo"])
    assert found["agreement"] == {"departments": 0.3333, "clinical_task": 1.0, "both": 0.3333}
    code, out, _ = call("vote", votes)
    assert code == 0
    assert "no majority" in out
    assert "Infectious Diseases; Hematology" in out


def test_a_vote_leaves_a_file_that_a_build_obeys(call: Call, votes: Path, tiny):
    out = votes.with_name("overrides.csv")
    code, said, _ = call("vote", votes, "--out", out)
    assert code == 0
    assert f"medloom build … --labels {out}" in said
    assert len(out.read_text(encoding="utf-8").splitlines()) == 2
    with pytest.raises(SystemExit) as left:
        main(["build", tiny.spec, "--raw", str(tiny.raw), "--out", str(tiny.release), "--labels", str(out), "--workers", "1"])
    assert left.value.code == 0
    recipe: dict[str, Any] = json.loads((tiny.release / "recipes" / "tiny.json").read_text(encoding="utf-8"))
    [row] = recipe["options"]["labels"]["rows"]
    assert (row["name"], row["departments"]) == ("white blood cell", ["Infectious Diseases", "Hematology"])


def test_a_file_that_stands_is_kept(call: Call, votes: Path):
    out = votes.with_name("overrides.csv")
    out.write_text("edited by hand", encoding="utf-8")
    code, _, err = call("vote", votes, "--out", out)
    assert code == 2
    assert "stands already" in err
    assert out.read_text(encoding="utf-8") == "edited by hand"
    assert call("vote", votes, "--out", votes / "no" / "folder.csv")[0] == 2


def test_faults_are_all_named_and_nothing_is_written(call: Call, votes: Path):
    rewritten(rewritten(votes, "platelet,Ada", "plattelet,Ada"), "RBC,Ben", "RBC,Ada")
    out = votes.with_name("overrides.csv")
    code, said, _ = call("vote", votes, "--out", out, "--json")
    found = json.loads(said)
    assert code == 2
    assert {fault["code"] for fault in found["faults"]} == {"unknown-label", "voted-twice"}
    assert found["error"]["kind"] == "UsageError"
    assert not out.exists()
    code, said, _ = call("vote", votes)
    assert code == 2
    assert "perhaps 'platelet'" in said


def test_a_source_of_ones_own_brings_its_labels(call: Call, votes: Path, tiny):
    spec = rewritten(Path(tiny.spec), '"white": Label("white blood cell", mesh="D007962")', '"white": Label("zork")')
    rewritten(votes, "WBC", "Zork")
    assert call("vote", votes)[0] == 2
    code, out, _ = call("vote", votes, "--source", spec, "--json")
    assert code == 0
    assert {one["label"] for one in json.loads(out)["changes"]} >= {"zork"}


def test_all_catalogued_sources_are_clean(call: Call):
    code, out, _ = call("lint")
    assert code == 0
    assert "no remark" in out


def test_lint_tells_what_to_write(call: Call, tiny):
    spec = rewritten(Path(tiny.spec), 'Label("red blood cell", mesh="D004912")', 'Label("melenoma")')
    code, out, _ = call("lint", spec, "--json")
    found = json.loads(out)
    assert (code, found["sources"]) == (1, ["tiny"])
    [remark] = found["remarks"]
    assert (remark["code"], remark["closest"], remark["write"]) == ("near-synonym", "melanoma", "Label('melanoma')")
    code, out, _ = call("lint", spec)
    assert code == 1
    assert "Label('melanoma')" in out
    assert call("lint", spec, "--ignore", "near-synonym")[0] == 0


def test_lint_tells_of_a_descriptor_that_keeps_a_file_from_loading(call: Call, tiny):
    spec = rewritten(Path(tiny.spec), 'Label("red blood cell", mesh="D004912")', 'Label("zork", mesh="D004912")')
    code, out, _ = call("lint", spec, "--json")
    assert code == 1
    assert [one["code"] for one in json.loads(out)["remarks"]] == ["mesh-of-another"]


def test_lint_reads_the_index_of_a_release(call: Call, tiny):
    rewritten(Path(tiny.spec), 'Label("red blood cell", mesh="D004912")', 'Label("melenoma")')
    build(tiny.spec, tiny.raw, tiny.release, options=Options(limit=50))
    code, out, _ = call("lint", "--release", tiny.release, "--json")
    found = json.loads(out)
    assert (code, found["labels"]) == (1, 2)
    assert [(one["code"], one["label"]) for one in found["remarks"]] == [("near-synonym", "melenoma")]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("lint", "--ignore", "zork"), f"expected one of {', '.join(CODES)}"),
        (("lint", "no_such_source"), "no source 'no_such_source'"),
        (("lint", "--release", "nowhere"), "expected a release folder"),
        (("vote", "nowhere.csv"), "No such file"),
        (("vote",), "Missing argument"),
    ],
)
def test_wrong_use_is_one_clear_line(call: Call, arguments: tuple[str, ...], said: str):
    code, _, err = call(*arguments)
    assert code in (1, 2)
    assert said in err
    assert err.startswith("medloom: ")
