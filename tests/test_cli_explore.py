"""`medloom explore` as people and scripts meet it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from medloom.cli import main
from medloom.schema.release import Release


def called(*arguments: Any) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    assert isinstance(left.value.code, int)
    return left.value.code


@pytest.fixture
def restricted(tiny: Any, tmp_path: Path) -> Path:
    """A release of pictures that nobody may pass on changed."""
    spec = Path(tiny.spec)
    spec.write_text(spec.read_text().replace("CC0-1.0", "CC-BY-ND-4.0"))
    assert called("build", spec, "--raw", tiny.raw, "--out", tmp_path / "release") == 0
    return tmp_path / "release"


def test_what_is_written_leaves_out_pictures_without_rights_and_says_so(
    restricted: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    capsys.readouterr()
    assert called("explore", restricted, "--static", tmp_path / "site") == 0
    said = capsys.readouterr().out
    assert "80 pictures were left out" in said
    assert "--all-pictures" in said
    assert not list((tmp_path / "site").glob("sprites/*"))
    assert not list((tmp_path / "site").glob("images/*"))
    assert len(list((tmp_path / "site").glob("records/*"))) == 5
    assert called("explore", restricted, "--static", tmp_path / "site", "--all-pictures", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["samples"], told["pictures"], told["withheld"]) == (80, 80, {})
    assert len(list((tmp_path / "site").glob("images/*"))) == 80
    assert called("explore", restricted, "--static", tmp_path / "site", "--all-pictures", "--thumbnails") == 0
    assert not (tmp_path / "site/images").exists()
    assert len(list((tmp_path / "site").glob("sprites/*"))) == 5


def test_a_folder_that_is_no_release_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert called("explore", tmp_path) == 1
    assert "medloom build" in capsys.readouterr().err


def test_it_serves_all_pictures_on_this_machine_until_interrupted(restricted: Path):
    command = [sys.executable, "-m", "medloom", "explore", str(restricted), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        told = json.loads("".join(iter(server.stdout.readline, "}\n")) + "}")
        assert (told["samples"], told["withheld"]) == (80, {})
        with urlopen(f"{told['address']}images/0") as answer:
            assert answer.headers["content-type"] in ("image/png", "image/jpeg")
        server.send_signal(signal.SIGINT)
        assert server.wait(timeout=30) == 0


def test_a_release_with_records_alone_shows_why_there_are_no_pictures(built: Callable[[str], tuple[Path, Any]], tmp_path: Path):
    from medloom.cards.explorer.rows import Rows
    from medloom.cards.explorer.sights import NOT_HELD, REASONS, Sights
    from medloom.cards.explorer.told import records
    from medloom.cards.publishing.stage import stage
    from medloom.schema.published import Mode

    shutil.copytree(built("phantom")[0], tmp_path / "whole")
    whole = Release.open(tmp_path / "whole")
    rows = Rows.of(stage(whole, tmp_path / "staged", modes={"phantom": Mode.ANNOTATIONS}))
    sights = Sights(rows, every=True)
    assert {list(REASONS)[code] for code in sights.reasons} == {NOT_HELD}
    assert sights.sheet(0) is None
    assert records(rows, 1) == records(Rows.of(whole), 1)
    bare = Rows.of(stage(whole, tmp_path / "bare", modes={"phantom": Mode.RECIPE}))
    assert (len(bare), bare.blocks) == (0, 0)


UPLOAD = """
import sys
from huggingface_hub import HfApi
api = HfApi()
api.create_repo("org/demo", repo_type="dataset", private=True)
api.upload_folder(repo_id="org/demo", repo_type="dataset", folder_path=sys.argv[1])
"""


def test_a_repository_is_shown_as_its_folder_is(built: Callable[[str], tuple[Path, Any]], tmp_path: Path):
    from hub import Hub

    with Hub(tmp_path / "hub") as hub:
        environment = hub.environment(tmp_path / "home")
        folder, site = str(built("phantom")[0]), str(tmp_path / "far")
        explore = ["-m", "medloom", "explore", "org/demo", "--static", site, "--json"]
        for command in (["-c", UPLOAD, folder], explore):
            done = subprocess.run([sys.executable, *command], env=environment, capture_output=True, text=True, cwd=tmp_path)
            assert done.returncode == 0, done.stderr
    assert called("explore", folder, "--static", tmp_path / "near") == 0
    for path in ("data/index.pack", "data/keys.pack", "records/2.pack", "sprites/1.jpg", "images/7"):
        assert (tmp_path / "far" / path).read_bytes() == (tmp_path / "near" / path).read_bytes(), path
    assert json.loads((tmp_path / "far/data/release.json").read_text())["name"].startswith("org/demo@")
