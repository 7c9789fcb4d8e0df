"""`medloom export` as people and scripts meet it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medloom.cli import main
from medloom.generation.asking.ask import ask


def called(*arguments: Any) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    assert isinstance(left.value.code, int)
    return left.value.code


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory, built: Callable[[str], tuple[Path, Any]]) -> Path:
    folder = tmp_path_factory.mktemp("exported") / "release"
    shutil.copytree(built("phantom")[0], folder)
    ask(folder, "gmai", limit=6)
    return folder


def test_json_says_what_was_written(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    out = tmp_path / "kit"
    assert called("export", "vlmevalkit", release, "--suite", "gmai", "--split", "train", "--out", out, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["form"], told["out"], told["file"]) == ("vlmevalkit", "kit", "medloom_questions.tsv")
    assert told["questions"] == len((out / told["file"]).read_text().splitlines()) - 1 > 0


def test_people_read_a_line_and_what_was_left_out(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert called("export", "sa-med2d", release, "--out", tmp_path / "out") == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "masks" in shown
    assert "left out:" in shown
    assert "a box, which is no mask" in shown


def test_a_part_is_exported(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    part = ["--select", "modality=CT", "--split", "test"]
    assert called("export", "coco", release, *part, "--out", tmp_path / "out", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    images = json.loads((tmp_path / "out" / told["file"]).read_text())["images"]
    assert {(one["modality"], one["split"]) for one in images} == {("CT", "test")}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["vlmevalkit"], "no --suite for vlmevalkit"),
        (["coco", "--suite", "gmai"], "holds no questions"),
        (["vlmevalkit", "--suite", "gmai", "--name", "MMBench_mine"], "mmbench"),
        (["vlmevalkit", "--suite", "other"], "suite 'other'"),
        (["llava", "--suite", "gmai", "--dialect", "klingon"], "klingon"),
        (["coco", "--select", "moon=CT"], "--select 'moon=CT'"),
    ],
)
def test_wrong_use_is_told_and_leaves_nothing(
    release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
):
    form, *more = arguments
    assert called("export", form, release, *more, "--out", tmp_path / "out") == 2
    assert told in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("coco", "--kind", "grounding"), "--kind for coco"),
        (("llava", "--suite", "gmai", "--picture-files"), "--picture-files for llava"),
        (("llama-factory", "--suite", "gmai", "--split", "train", "--name", "a/b"), "since it names a file"),
        (("llava", "--suite", "gmai", "--kind", "riddle"), "expected one of single_choice"),
        (("llava", "--suite", "gmai", "--split", "train", "--kind", "grounding"), "in train of kinds grounding"),
    ],
)
def test_words_that_would_change_nothing_or_find_nothing_are_told(
    release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
):
    assert called("export", words[0], release, *words[1:], "--out", tmp_path / "out") == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_no_release_is_replaced(release: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    assert called("export", "coco", release, "--out", release, "--fresh") == 2
    assert "is a release" in capsys.readouterr().err
    monkeypatch.chdir(release)
    assert called("export", "coco", ".", "--out", ".", "--fresh") == 2
    assert "the folder you are in" in capsys.readouterr().err
    assert (release / "README.md").is_file()


def test_a_full_disk_is_one_line_and_leaves_nothing(release: Path, tmp_path: Path):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))"
    code = f"{limit}; from medloom.cli import main; main()"
    words = ["export", "coco", str(release), "--out", str(tmp_path / "out")]
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code, *words], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith("expected room; make some and run it again")
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
