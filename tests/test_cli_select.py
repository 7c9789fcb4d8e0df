"""`medloom tree` and `medloom select` as people and scripts meet them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasets import load_dataset

from medloom.cli import main
from medloom.schema.check_release import check
from medloom.schema.release import Release
from medloom.schema.shard import pairs


def called(*arguments: Any) -> int:
    """The exit code of the command line in this very process."""
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    assert isinstance(left.value.code, int)
    return left.value.code


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    def document(*arguments: Any) -> dict[str, Any]:
        capsys.readouterr()
        assert called(*arguments, "--json") == 0
        return json.loads(capsys.readouterr().out)

    return document


@pytest.fixture(scope="module")
def release(built: Callable[[str], tuple[Path, Any]]) -> Path:
    return built("phantom")[0]


@pytest.fixture(scope="module")
def records(release: Path) -> dict[str, dict[str, Any]]:
    return {key: json.loads(record) for path in release.rglob("*.tar") for key, _, record, _ in pairs(path)}


def with_lung_masks(record: dict[str, Any]) -> bool:
    departments = {one["label"]: one["departments"] for one in record["labels"]}
    marks = [one["label"] for one in record["annotations"] if one["granularity"] == "mask"]
    return record["modality"] == "CT" and any("Pulmonary Medicine" in departments[label] for label in marks)


LUNG_MASKS = ("--modality", "CT", "--department", "Pulmonary Medicine", "--granularity", "mask")


def test_counts_are_those_of_the_records(release: Path, records: dict, ask: Callable):
    found = ask("select", release, *LUNG_MASKS)
    wanted = [record for record in records.values() if with_lung_masks(record)]
    assert found["samples"] == len(wanted) > 0
    assert found["select"] == {"modality": ["CT"], "department": ["Pulmonary Medicine"], "granularity": ["mask"]}
    for row in found["counts"]:
        assert row["samples"] == sum(record["split"] == row["split"] for record in wanted)


def test_counts_for_people(release: Path, capsys: pytest.CaptureFixture[str]):
    assert called("select", release, *LUNG_MASKS, "--split", "train") == 0
    shown = capsys.readouterr()
    assert "phantom" in shown.out
    assert "samples" in shown.out
    assert shown.err == ""


def test_keys_to_a_file_and_to_stdout(release: Path, records: dict, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "deep" / "keys.txt"
    assert called("select", release, *LUNG_MASKS, "--keys", file) == 0
    assert str(file) in capsys.readouterr().out
    assert called("select", release, *LUNG_MASKS, "--keys", "-") == 0
    keys = file.read_text(encoding="utf-8").splitlines()
    assert capsys.readouterr().out.splitlines() == keys
    assert sorted(keys) == sorted(key for key, record in records.items() if with_lung_masks(record))
    assert [path.name for path in file.parent.iterdir()] == ["keys.txt"]


def test_a_new_release_holds_the_very_bytes(release: Path, records: dict, tmp_path: Path, ask: Callable):
    found = ask("select", release, *LUNG_MASKS, "--out", tmp_path / "lung", "--workers", "1")
    assert found["cut"]["samples"] == found["samples"]
    assert check(tmp_path / "lung")["faults"] == []
    originals = {key: (image, record) for path in release.rglob("*.tar") for key, image, record, _ in pairs(path)}
    copies = {key: (image, record) for path in (tmp_path / "lung").rglob("*.tar") for key, image, record, _ in pairs(path)}
    assert copies == {key: originals[key] for key, record in records.items() if with_lung_masks(record)}
    assert sum(map(len, load_dataset(str(tmp_path / "lung")).values())) == len(copies)
    assert (
        "RELEASE --department 'Pulmonary Medicine' --granularity mask --modality CT --out DIR"
        in (tmp_path / "lung/README.md").read_text()
    )


def test_a_protocol_splits_and_its_release_follows(release: Path, tmp_path: Path, ask: Callable):
    keys = tmp_path / "keys.tsv"
    call = ("select", release, "--protocol", "medmat", "--cap", "20", "--modality", "CT", "--seed", "3")
    found = ask(*call, "--out", tmp_path / "medmat", "--workers", "1", "--keys", keys)
    assert found["protocol"]["options"] == {"name": "medmat", "seed": 3, "cap": 20, "min_test_per_label": 1}
    assert found["protocol"]["digest"] == ask(*call)["protocol"]["digest"]
    splits = dict(line.split("\t") for line in keys.read_text(encoding="utf-8").splitlines())
    loaded = load_dataset(str(tmp_path / "medmat"))
    assert splits == {row["__key__"]: name for name, rows in loaded.items() for row in rows.select_columns("__key__")}
    assert found["samples"] == len(splits) == sum(found["protocol"]["splits"].values())
    assert check(tmp_path / "medmat")["faults"] == []
    assert Release.open(tmp_path / "medmat").recipes()[0]["cut"]["why"]["protocol"] == "medmat"


def test_a_protocol_for_people(release: Path, capsys: pytest.CaptureFixture[str]):
    assert called("select", release, "--protocol", "gmai", "--cases", "3", "--label", "liver") == 0
    shown = capsys.readouterr().out
    assert "Organ Recognition - Abdomen" in shown
    assert "gmai (seed 0, cases 3, min_cases 1)" in shown


def test_linked_groups_need_a_certificate(release: Path, tmp_path: Path, ask: Callable, capsys: pytest.CaptureFixture[str]):
    assert called("select", release, *LUNG_MASKS, "--out", tmp_path / "lung", "--workers", "1") == 0
    capsys.readouterr()
    assert called("select", tmp_path / "lung", "--protocol", "mimoseg", "--linked") == 2
    assert "expected a certificate; `medloom certificate` writes it" in capsys.readouterr().err
    assert called("certificate", tmp_path / "lung", "--workers", "1") in (0, 1)
    assert called("check", tmp_path / "lung") == 0
    found = ask("select", tmp_path / "lung", "--protocol", "mimoseg", "--linked")
    clusters = {row["split"]: row["clusters"] for row in found["protocol"]["table"]}
    alone = {
        row["split"]: row["clusters"] for row in ask("select", tmp_path / "lung", "--protocol", "mimoseg")["protocol"]["table"]
    }
    assert sum(clusters.values()) <= sum(alone.values())


def test_a_tree_of_what_was_chosen(release: Path, records: dict, ask: Callable):
    found = ask("tree", release, "--by", "modality,label", *LUNG_MASKS)
    assert found["levels"] == ["modality", "label"]
    [modality] = found["tree"]["children"]
    assert (modality["level"], modality["value"], modality["count"]) == ("modality", "CT", found["tree"]["count"])
    lungs = [one for one in modality["children"] if one["value"] == "lung"]
    marked = [
        record
        for record in records.values()
        if any(one["label"] == "lung" and one["granularity"] == "mask" for one in record["annotations"])
    ]
    assert [one["count"] for one in lungs] == [len(marked)]


def test_a_tree_for_people(release: Path, capsys: pytest.CaptureFixture[str]):
    assert called("tree", release, "--depth", "2") == 0
    shown = capsys.readouterr().out
    assert "modality › clinical task" in shown
    assert "Organ Recognition - Abdomen" in shown
    assert "Gastroenterology" not in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--department", "ENT/HNS"), "no sample has department 'ENT/HNS'"),
        (("--where", "false", "--label", "liver"), "no sample has where 'false'"),
        (("--label", "liver", "--granularity", "box"), "no sample meets all of these; each alone is met by granularity "),
    ],
)
def test_nothing_found_is_a_count_of_0_and_a_hint(
    release: Path, words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
):
    for verb in ("select", "tree"):
        assert called(verb, release, *words) == 0
        shown = capsys.readouterr()
        assert "0 samples" in shown.out
        assert said in shown.err
        assert len(shown.err.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("select", "--modality", "telepathy"), "modality 'telepathy' is unknown"),
        (("select", "--where", "colour = 1"), "where 'colour = 1': Binder Error"),
        (("select", "--cap", "3"), "--cap without --protocol"),
        (("select", "--seed", "3"), "--seed without --protocol"),
        (("select", "--linked"), "--linked without --protocol"),
        (("select", "--protocol", "gmai", "--cap", "3"), "protocol gmai: option cap; expected cases, min_cases"),
        (("select", "--protocol", "mine"), "'mine' is not one of"),
        (("select", "--label", "liver", "--granularity", "box", "--out", "cut"), "no sample is chosen"),
        (("tree", "--by", "modality,colour"), "level 'colour'; expected one of"),
    ],
)
def test_wrong_use_is_one_line_and_2(release: Path, arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]):
    assert called(arguments[0], release, *arguments[1:]) == 2
    assert said in capsys.readouterr().err


def test_one_stdout_for_one_thing(release: Path, capsys: pytest.CaptureFixture[str]):
    assert called("select", release, "--keys", "-", "--json") == 2
    assert "both ask for stdout" in json.loads(capsys.readouterr().out)["error"]["message"]
