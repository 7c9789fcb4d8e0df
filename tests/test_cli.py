"""The command line as people and scripts meet it: exit codes, clean stdout, clear faults, and help that is instant."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import load_dataset
from PIL import Image
from typer.main import get_command
from typer.testing import CliRunner

import medloom
from medloom.cli import app, main


def leaves(command: Any, *above: str) -> list[str]:
    """Every verb that does something, such as "build" or "labels vote"."""
    below = getattr(command, "commands", None)
    return [" ".join(above)] if below is None else [leaf for name in below for leaf in leaves(below[name], *above, name)]


VERBS = leaves(get_command(app))


def run(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "medloom", *arguments], capture_output=True, text=True, timeout=300, **options)


def called(*arguments: str) -> int:
    """The exit code of the command line in this very process."""
    with pytest.raises(SystemExit) as left:
        main(list(arguments))
    assert isinstance(left.value.code, int)
    return left.value.code


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Images in class folders, and the builder that a look at them wrote."""
    root = tmp_path_factory.mktemp("mine")
    rng = np.random.default_rng(3)
    for word in ("cyst", "stone"):
        (root / "raw" / word).mkdir(parents=True)
        for number in range(6):
            Image.fromarray(rng.integers(0, 255, (30, 40), np.uint8)).save(root / "raw" / word / f"{number}.png")
    assert run("new-source", "mine", "--infer", "raw", "--modality", "US", "--area", "kidney", cwd=root).returncode == 0
    return root


@pytest.fixture(scope="module")
def release(folder: Path) -> Path:
    done = run("build", "./mine.py", "--raw", "raw", "--out", "release", "--workers", "1", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "release"


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_every_verb_teaches_by_example(verb: str):
    shown = CliRunner().invoke(app, [*verb.split(), "--help"], env={"COLUMNS": "160"})
    assert shown.exit_code == 0
    assert f"medloom {verb}" in shown.output
    assert "--json" in shown.output


def test_help_and_version_import_no_heavy_library():
    heavy = ("numpy", "datasets", "torch", "pyarrow", "PIL", "pydicom", "rich.progress", "yaml")
    script = (
        "import sys\nfrom medloom.cli import main\n"
        "try:\n    main([sys.argv[1]])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    for option in ("--help", "--version"):
        done = subprocess.run([sys.executable, "-c", script, option], capture_output=True, text=True, check=True)
        assert done.stderr.strip() == "[]"


def test_version_is_the_packages():
    assert run("--version").stdout.strip() == f"medloom {medloom.__version__}"


def test_sources_are_listed_with_what_they_hold(capsys: pytest.CaptureFixture[str]):
    assert called("sources", "--json") == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert set(rows["phantom"]) == {"name", "title", "modality", "area", "task", "licence", "access", "group_kind"}
    assert called("sources") == 0
    assert "phantom" in capsys.readouterr().out


def test_verify_names_what_is_missing(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    mine = str(folder / "mine.py")
    assert called("verify", mine, "--raw", str(folder / "raw")) == 0
    capsys.readouterr()
    assert called("verify", mine, "--raw", str(tmp_path), "--json") == 2
    found = json.loads(capsys.readouterr().out)
    assert found["error"]["kind"] == "RawRootError"
    assert "**/*.png: 0 files; expected at least 1 (images)" in found["error"]["message"]
    assert called("verify", mine, "--raw", str(tmp_path)) == 2
    assert "missing **/*.png" in capsys.readouterr().out


def test_verify_names_missing_columns(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert called("new-source", "mine", "--layout", "csv", "--out", str(tmp_path / "mine.py")) == 0
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "labels.csv").write_text("image,wrong\n")
    Image.new("L", (4, 4)).save(tmp_path / "raw" / "a.png")
    capsys.readouterr()
    assert called("verify", str(tmp_path / "mine.py"), "--raw", str(tmp_path / "raw")) == 2
    assert "labels.csv: columns ['image', 'wrong']; expected also ['label']" in capsys.readouterr().out


def test_a_build_loads(release: Path):
    splits = load_dataset(str(release))
    assert sum(len(split) for split in splits.values()) == 12


def test_json_is_alone_on_stdout_and_progress_on_stderr(folder: Path, tmp_path: Path):
    done = run("build", "mine.py", "--raw", "raw", "--out", str(tmp_path / "r"), "--json", "--workers", "1", cwd=folder)
    assert done.returncode == 0
    document = json.loads(done.stdout)
    [report] = document["sources"]
    assert report["counts"]["samples"] == 12
    assert report == json.loads((tmp_path / "r.work" / "mine" / "build-report.json").read_text())
    assert "mine: read 12/12" in done.stderr


def test_a_build_again_says_the_same(folder: Path, release: Path):
    again = run("build", "mine.py", "--raw", "raw", "--out", "release", "--workers", "1", "--json", cwd=folder)
    assert json.loads(again.stdout)["sources"][0]["counts"]["samples"] == 12


def test_a_dry_run_writes_nothing(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    mine, raw, out = str(folder / "mine.py"), str(folder / "raw"), tmp_path / "r"
    assert called("build", mine, "--raw", raw, "--out", str(out), "--dry-run", "--json") == 0
    [found] = json.loads(capsys.readouterr().out)["sources"]
    assert (found["units"], found["dry_run"]) == (12, True)
    assert called("build", mine, "--raw", raw, "--out", str(out), "--dry-run") == 0
    assert "12 units" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_several_sources_lie_in_subfolders(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    text = (folder / "mine.py").read_text()
    (tmp_path / "other.py").write_text(text.replace('name="mine"', 'name="other"'))
    for name in ("mine", "other"):
        (tmp_path / "raws" / name).mkdir(parents=True)
        for path in sorted((folder / "raw").rglob("*.png"))[:: 2 if name == "other" else 1]:
            target = tmp_path / "raws" / name / path.relative_to(folder / "raw")
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(path.read_bytes())
    both = (str(folder / "mine.py"), str(tmp_path / "other.py"))
    out = tmp_path / "release"
    assert called("build", *both, "--raw", str(tmp_path / "raws"), "--out", str(out), "--workers", "1", "--limit", "4") == 0
    printed = capsys.readouterr().out
    assert "mine: 4 samples" in printed
    assert "other: 4 samples" in printed
    assert len(load_dataset(str(out), "other")["train"]) == 4


def test_other_options_need_fresh(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    call = ("build", str(folder / "mine.py"), "--raw", str(folder / "raw"), "--out", str(tmp_path / "r"), "--workers", "1")
    assert called(*call) == 0
    capsys.readouterr()
    assert called(*call, "--limit", "3", "--json") == 2
    found = capsys.readouterr()
    assert json.loads(found.out)["error"]["kind"] == "ResumeError"
    assert "options.limit" in found.err
    assert called(*call, "--limit", "3", "--fresh") == 0


def test_too_many_bad_files_stop_a_build_with_3(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    raw = tmp_path / "raw" / "cyst"
    raw.mkdir(parents=True)
    for number in range(4):
        (raw / f"{number}.png").write_bytes(b"no picture")
    call = ("build", str(folder / "mine.py"), "--raw", str(tmp_path / "raw"), "--out", str(tmp_path / "r"), "--workers", "1")
    assert called(*call, "--json") == 3
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "TooManyBadUnits"
    assert not (tmp_path / "r" / "README.md").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("build",), "Missing argument"),
        (("verify", "nothing_like_it", "--raw", "."), "no source 'nothing_like_it'"),
        (("build", "phantom", "--raw", "x", "--out", "y", "--window", "5,1"), "--window '5,1'"),
        (("build", "phantom", "--raw", "x", "--out", "y", "--axes", "up"), "--axes 'up'"),
        (("build", "phantom", "--raw", "x", "--out", "y", "--max-bad-share", "2"), "'--max-bad-share'"),
        (("new-source", "x"), "neither --layout nor --infer"),
        (("new-source", "Not Snake", "--layout", "csv"), "snake_case"),
        (("new-source", "mine", "--layout", "csv", "--modality", "telepathy"), "modality 'telepathy' is unknown"),
        (("no-verb",), "No such command"),
    ],
)
def test_wrong_use_is_one_clear_line_and_2(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]):
    assert called(*arguments) == 2
    found = capsys.readouterr()
    assert said in found.err
    assert found.err.startswith("medloom: ")
    assert len(found.err.splitlines()) == 1
    assert called(*arguments, "--json") == 2
    document = json.loads(capsys.readouterr().out)
    assert document["error"]["kind"] == "UsageError"
    assert said in document["error"]["message"]


def test_a_window_may_be_numbers():
    from medloom.builders.choices import reading_choices

    chosen = reading_choices(window="-1000,400", axes="axial, coronal", every_nth=None, png_encoder="pillow")
    assert (chosen["window"].low, chosen["window"].high) == (-1000.0, 400.0)
    assert chosen["axes"] == ("axial", "coronal")
    assert set(chosen) == {"window", "axes", "png_encoder"}
    assert reading_choices(window="lung")["window"].low == -1350.0


def test_check_proves_a_release_and_finds_damage(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    import shutil

    assert called("check", str(release), "--json") == 0
    assert json.loads(capsys.readouterr().out)["samples"] == 12
    copy = tmp_path / "copy"
    shutil.copytree(release, copy)
    shard = next(copy.rglob("*.tar"))
    content = bytearray(shard.read_bytes())
    content[700] ^= 0xFF
    shard.write_bytes(content)
    assert called("check", str(copy)) == 1
    assert "faults" in capsys.readouterr().out
    assert called("check", str(copy), "--json") == 1
    assert json.loads(capsys.readouterr().out)["fault_count"] >= 1
    assert called("check", str(tmp_path), "--json") == 1
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "ReleaseError"


def test_show_summarizes_and_draws(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    sheet = tmp_path / "deep" / "sheet.png"
    ask = ("show", str(release), "--sheet", str(sheet), "--columns", "3", "--count", "6", "--json")
    assert called(*ask) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["sheet"], found["withheld"]) == (None, {"mine": 12})  # nobody has stated its licence
    assert called(*ask, "--all-pictures") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["labels"] == {"cyst": 6, "stone": 6}
    assert found["modalities"] == {"US": 12}
    with Image.open(sheet) as image:
        assert image.width == 3 * 268 + 12
    assert called("show", str(release), "--label", "cyst", "--count", "2", "--all-pictures") == 0
    assert str(release.with_name("release.work") / "contact-sheet.png") in capsys.readouterr().out
    assert called("show", str(release), "--split", "train", "--modality", "CT", "--json") == 0
    assert json.loads(capsys.readouterr().out)["sheet"] is None
    assert called("show", str(release), "--modality", "telepathy") == 2


def test_show_prints_one_record_whole(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    key = load_dataset(str(release), split="train")[0]["__key__"]
    sheet = str(tmp_path / "one.png")
    assert called("show", str(release), key, "--sheet", sheet, "--json") == 0
    assert json.loads(capsys.readouterr().out)["record"]["key"] == key
    assert called("show", str(release), key, "--sheet", sheet) == 0
    assert "provenance" in capsys.readouterr().out
    assert called("show", str(release), key + "0") == 2
    assert f"did you mean {key}?" in capsys.readouterr().err


def test_new_source_shows_its_evidence(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "again.py"
    assert called("new-source", "again", "--infer", str(folder / "raw"), "--out", str(file), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["layout"], found["labels"]) == ("class-folders", {"cyst": "cyst", "stone": "stone"})
    assert {row["what"] for row in found["evidence"]} >= {"layout", "label", "split", "group"}
    assert called("new-source", "again", "--infer", str(folder / "raw"), "--out", str(file)) == 2
    assert "stands already" in capsys.readouterr().err


def test_demo_needs_nothing_and_ends_with_a_proven_release(tmp_path: Path):
    done = run("demo", "--out", str(tmp_path / "demo"), "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["report"]["counts"]["samples"] >= 50
    assert document["check"]["fault_count"] == 0
    with Image.open(document["sheet"]) as sheet:
        assert sheet.size[0] > 1000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["demo", "demo.work"]


@pytest.mark.skipif(os.name == "nt", reason="signals as POSIX has them")
def _heed_interrupts() -> None:
    """A shell's job in the background ignores them, and so would what it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_leaves_130_and_says_how_to_go_on(tmp_path: Path):
    slow = "import time\nfrom pathlib import Path\n\nPath('begun').touch()\ntime.sleep(60)\n"
    (tmp_path / "slow.py").write_text(slow)
    (tmp_path / "raw").mkdir()
    command = [sys.executable, "-m", "medloom", "verify", "slow.py", "--raw", "raw", "--json"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=tmp_path, preexec_fn=_heed_interrupts, **pipes) as process:
        while not (tmp_path / "begun").exists():
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "run the same command again to go on" in err
    assert json.loads(out)["error"]["kind"] == "Interrupted"
