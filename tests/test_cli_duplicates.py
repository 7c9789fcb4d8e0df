"""The verbs about copies as people meet them: tables, files, pages, exit codes and what stays out of a release."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from medloom.cli import main
from medloom.schema.check_release import check
from medloom.schema.sample import SPLITS


def called(*arguments: Any) -> int:
    """The exit code of the command line in this very process."""
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    assert isinstance(left.value.code, int)
    return left.value.code


def document(capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, dict[str, Any]]:
    capsys.readouterr()
    code = called(*arguments, "--json")
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture
def release(twins: Any, tmp_path: Path) -> Path:
    root = tmp_path / "release"
    shutil.copytree(twins.release, root)
    return root


@pytest.fixture
def folder(twins: Any, tmp_path: Path) -> Path:
    """A training folder: an exact copy, a JPEG, a crop, something of its own, a text and a broken picture."""
    root = tmp_path / "mine"
    (root / "deep").mkdir(parents=True)
    Image.fromarray(twins.pictures[0]).save(root / "same.png")
    Image.fromarray(twins.pictures[2]).save(root / "deep" / "near.jpg", quality=60)
    Image.fromarray(twins.pictures[21][2:-2, 2:-2]).save(root / "deep" / "crop.bmp")
    Image.fromarray(np.random.default_rng(9).integers(0, 255, (64, 64), np.uint8)).save(root / "own.png")
    (root / "notes.txt").write_text("not a picture")
    (root / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    return root


def digest_of(root: Path) -> str:
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return hashlib.sha256(b"".join(str(path.relative_to(root)).encode() + path.read_bytes() for path in files)).hexdigest()


def test_pairs_are_counted_and_listed_beside_the_release(release: Path, capsys: pytest.CaptureFixture[str]):
    before = digest_of(release)
    code, found = document(capsys, "duplicates", release)
    assert code == 1
    pairs = found["pairs"]
    assert pairs["all"] == {"pairs": 20, "exact": 5, "near": 15}
    assert pairs["within_source"] == {"pairs": 5, "exact": 0, "near": 5}
    assert pairs["across_sources"] == {"pairs": 15, "exact": 5, "near": 10}
    assert pairs["across_splits"]["pairs"] == sum(row["pairs"] for row in pairs["between"] if row["a_split"] != row["b_split"])
    listed = json.loads(Path(found["report"]).read_text())
    assert len(listed["list"]) == 20
    assert pq.read_table(found["table"]).to_pylist() == listed["list"]
    assert digest_of(release) == before
    assert {Path(found[name]).parent for name in ("report", "table", "page")} == {
        release.parent / "release.work" / "duplicates"
    }


def test_the_page_shows_the_worst_first_and_says_what_it_holds(release: Path, capsys: pytest.CaptureFixture[str]):
    _, found = document(capsys, "duplicates", release, "--sheet", "4")
    text = Path(found["page"]).read_text()
    assert text.count("<figure>") == 4
    assert text.count("crosses splits</figcaption>") == 4 <= found["pairs"]["across_splits"]["pairs"]
    assert "no picture" not in text
    assert "licence" in text
    assert called("duplicates", release, "--sheet", "0") == 1
    shown = capsys.readouterr().out
    assert "duplicates.html" not in shown
    assert "pairs cross splits" in shown
    assert not (release.parent / "release.work" / "duplicates" / "duplicates.html").exists()


def test_apart_makes_a_release_in_which_nothing_crosses(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "apart"
    code, found = document(capsys, "duplicates", release, "--apart", "--out", out)
    assert code == 1, "the release that was looked at still has them"
    sides = found["sides"]
    assert sides["left_out"] > 0
    assert sum(sides["reasons"].values()) == sides["left_out"]
    assert set(sides["reasons"]) <= {f"near-duplicate-in-{split}" for split in SPLITS}
    assert len(pq.read_table(sides["changes"])) == sides["moved"] + sides["left_out"]
    assert check(out)["faults"] == []
    code, after = document(capsys, "duplicates", out)
    assert (code, after["pairs"]["across_splits"]["pairs"]) == (0, 0)
    owners = [pq.read_table(root / "index/owned/samples.parquet") for root in (release, out)]
    test = [{row["key"] for row in table.to_pylist() if row["split"] == "test"} for table in owners]
    assert test[0] == test[1], "an owner's test set stays what it is"
    assert called("certificate", out) == 0
    assert called("certificate", out, "--verify") == 0
    assert check(out)["faults"] == []
    assert "medloom duplicates RELEASE --apart --out DIR" in (out / "README.md").read_text()


@pytest.mark.parametrize("extra", [("--apart",), ("--out", "x"), ("--apart", "--out", "x", "--against", "y")])
def test_apart_and_out_go_together(release: Path, extra: tuple[str, ...], capsys: pytest.CaptureFixture[str]):
    assert called("duplicates", release, *extra) == 2
    assert "go together" in capsys.readouterr().err


def test_against_a_folder(release: Path, folder: Path, capsys: pytest.CaptureFixture[str]):
    code, found = document(capsys, "duplicates", release, "--against", folder)
    assert code == 1
    listed = json.loads(Path(found["report"]).read_text())["list"]
    assert {(row["b_key"], row["kind"]) for row in listed} >= {
        ("same.png", "exact"),
        ("deep/near.jpg", "near"),
        ("deep/crop.bmp", "near"),
    }
    assert "own.png" not in {row["b_key"] for row in listed}
    assert [issue["where"] for issue in found["issues"]] == ["broken.png"]
    assert "deep/near.jpg (folder)" in Path(found["page"]).read_text()
    assert called("duplicates", release, "--against", folder) == 1
    assert "held there" in capsys.readouterr().out


def test_against_itself_everything_is_held(release: Path, twins: Any, capsys: pytest.CaptureFixture[str]):
    code, found = document(capsys, "duplicates", release, "--against", twins.release, "--sheet", "2")
    assert (code, found["pairs"]["all"]["exact"] >= 45) == (1, True)
    assert "no picture" not in Path(found["page"]).read_text()


def test_against_a_folder_that_holds_nothing(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    other = tmp_path / "other"
    other.mkdir()
    assert called("duplicates", release, "--against", other) == 2
    assert "no image" in capsys.readouterr().err
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (50, 50), np.uint8)).save(other / "a.png")
    assert called("duplicates", release, "--against", other) == 0
    assert "nothing is held there" in capsys.readouterr().out


def test_a_certificate_is_published_and_proven(release: Path, capsys: pytest.CaptureFixture[str]):
    code, stated = document(capsys, "certificate", release)
    assert (code, stated["verdict"]["crosses"]) == (1, True)
    assert stated["search"]["parameters"]["max_bits"] > 0
    assert sorted(path.name for path in (release / "certificate").iterdir()) == [
        "certificate.json",
        "edges.parquet",
        "groups.parquet",
    ]
    code, proven = document(capsys, "certificate", release, "--verify")
    assert (code, {fault["code"] for fault in proven["faults"]}) == (1, {"edge-crosses-splits"})
    assert called("certificate", release) == 1
    assert "duplicates cross splits" in capsys.readouterr().out
    assert called("certificate", release, "--verify") == 1
    assert "it doesn't stand" in capsys.readouterr().out
    assert called("certificate", release.parent, "--verify") == 1
    assert "no certificate/certificate.json" in capsys.readouterr().err


def test_a_sketch_tells_what_a_folder_holds(release: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    path = tmp_path / "deep" / "sketch.parquet"
    code, made = document(capsys, "sketch", release, "--out", path, "--title", "Twins 1")
    assert (code, made["header"]["count"], made["header"]["of"]["title"]) == (0, 47, "Twins 1")
    assert not (release.parent / "release.work").exists(), "a release's hashes stand in its index"
    code, found = document(capsys, "contaminated", folder, "--sketch", path)
    assert code == 1
    assert found["own"] == {"pictures": 4, "low_information": 0, "exact": 1, "near": 2}
    assert {row["name"] for row in found["pairs"]} == {"same.png", "deep/near.jpg", "deep/crop.bmp"}
    assert set(found["certainty"]) == {"exact", "near"}
    assert [issue["where"] for issue in found["issues"]] == ["broken.png"]
    assert called("contaminated", folder, "--sketch", path) == 1
    shown = capsys.readouterr().out
    assert "pictures of the sketch are held" in shown
    assert "hashes alone" in shown


@pytest.mark.parametrize("of", ["release", "folder"])
def test_a_sketch_with_crops_meets_own_crops(
    release: Path, twins: Any, tmp_path: Path, of: str, capsys: pytest.CaptureFixture[str]
):
    mine, whole = tmp_path / "mine", tmp_path / "whole"
    for folder in (mine, whole):
        folder.mkdir()
    for number, picture in enumerate(twins.pictures[:20]):
        Image.fromarray(picture).save(whole / f"{number:02d}.png")
        Image.fromarray(picture[4:-4, 5:-5]).save(mine / f"{number:02d}.jpg", quality=80)
    held, words, headers = {}, {}, {}
    for name, option in (("plain", ()), ("crops", ("--crops",))):
        path = tmp_path / f"{name}.parquet"
        code, made = document(capsys, "sketch", release if of == "release" else whole, "--out", path, *option)
        assert code == 0
        headers[name] = made["header"]
        _, found = document(capsys, "contaminated", mine, "--sketch", path)
        held[name], words[name] = {row["name"] for row in found["pairs"]}, found["certainty"]["near"]
    assert len(held["plain"]) < 10
    assert held["crops"] == {f"{number:02d}.jpg" for number in range(20)}
    assert headers["crops"]["count"] == headers["plain"]["count"]
    assert ["windows" in headers[name] for name in ("plain", "crops")] == [False, True]
    assert "--crops" in words["plain"]
    assert "--crops" not in words["crops"]
    assert (release.parent / "release.work" / "duplicates").exists() == (of == "release"), "thumbnails are kept"


@pytest.mark.parametrize("suffix", ["csv", "json"])
def test_pairs_go_to_a_file(release: Path, folder: Path, tmp_path: Path, suffix: str, capsys: pytest.CaptureFixture[str]):
    assert called("sketch", release, "--out", tmp_path / "s.parquet") == 0
    out = tmp_path / "lists" / f"pairs.{suffix}"
    call = ("contaminated", folder, "--sketch", tmp_path / "s.parquet", "--split", "test", "--out", out)
    _, found = document(capsys, *call)
    rows = list(csv.DictReader(out.read_text().splitlines())) if suffix == "csv" else json.loads(out.read_text())
    assert [(row["name"], int(row["row"])) for row in rows] == [(row["name"], row["row"]) for row in found["pairs"]]
    assert {row["split"] for row in rows} == {"test"}


def test_a_release_may_be_the_training_set_or_a_folder_the_benchmark(
    release: Path, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    code, made = document(capsys, "sketch", folder, "--out", tmp_path / "s.parquet")
    assert (code, made["header"]["count"], made["header"]["of"]) == (0, 4, {"kind": "folder"})
    assert len(made["issues"]) == 1
    code, found = document(capsys, "contaminated", release, "--sketch", tmp_path / "s.parquet")
    assert code == 1
    assert {"exact": 1, "near": 2}.items() <= found["sketch"].items()
    assert called("sketch", folder, "--out", tmp_path / "s.parquet") == 0
    assert "whoever holds a picture can tell" in capsys.readouterr().out


def test_nothing_held_is_0(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    other = tmp_path / "other"
    other.mkdir()
    Image.fromarray(np.random.default_rng(2).integers(0, 255, (50, 50, 3), np.uint8)).save(other / "a.png")
    assert called("sketch", folder, "--out", tmp_path / "s.parquet") == 0
    assert called("contaminated", other, "--sketch", tmp_path / "s.parquet") == 0
    assert "nothing of the sketch was found" in capsys.readouterr().out


def test_a_folder_of_which_nothing_can_be_read_is_refused(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert called("sketch", folder, "--out", tmp_path / "s.parquet") == 0
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.png").write_bytes(b"nothing")
    assert called("contaminated", other, "--sketch", tmp_path / "s.parquet") == 2
    assert "1 images, none of which can be read" in capsys.readouterr().err
    assert called("contaminated", folder, "--sketch", folder / "own.png") == 2
    assert called("contaminated", folder, "--sketch", tmp_path / "s.parquet", "--out", "x.txt") == 2
    assert "ends in .csv or .json" in capsys.readouterr().err
