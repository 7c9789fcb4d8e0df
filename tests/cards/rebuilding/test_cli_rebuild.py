"""`medloom rebuild` at the command line, from a folder and from a Hub on loopback."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hub import Hub
from hub_client import Client
from published_cells import NAMES, Published, change_picture

from medloom.cli import main
from medloom.schema.check_release import check
from medloom.schema.published import Mode

LEFT, RIGHT = NAMES


def command(own: Published, place: str, out: Path, *more: str) -> list[str]:
    named = ["--source", LEFT, "--raw", str(own.raw(LEFT)), "--builder", str(own.builder(LEFT)), "--workers", "1"]
    return ["rebuild", place, *named, "--out", str(out), *more]


def ran(arguments: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0)


def test_a_rebuild_is_told_at_the_terminal_and_as_json(own: Published, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    staged = own.staged(tmp_path / "staged", Mode.ANNOTATIONS)
    assert ran(command(own, str(staged.root), tmp_path / "out")) == 0
    said = capsys.readouterr().out
    assert "shards equal, byte for byte; your own build gives the published release" in said
    assert "installed in" in said
    assert ran(command(own, str(staged.root), tmp_path / "out", "--json")) == 0
    assert json.loads(capsys.readouterr().out)["already"] is True
    assert ran(command(own, str(staged.root), tmp_path / "out")) == 0
    assert "nothing to do" in capsys.readouterr().out


def test_differences_end_with_exit_code_4(own: Published, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    staged = own.staged(tmp_path / "staged", Mode.ANNOTATIONS)
    change_picture(own.raw(LEFT) / "red" / "04-9.png")
    assert ran(command(own, str(staged.root), tmp_path / "out", "--json")) == 4
    told = json.loads(capsys.readouterr().out)
    assert told["error"]["kind"] == "RebuildDiffers"
    (one,) = told["differences"]
    assert ran(command(own, str(staged.root), tmp_path / "out")) == 4
    said = capsys.readouterr()
    assert one["key"] in said.out
    assert str(one["distance"]) in said.out
    assert "nothing was installed" in said.out
    assert "pass --keep-differing" in said.err
    (own.raw(LEFT) / "red" / "04-9.png").unlink()
    assert ran(command(own, str(staged.root), tmp_path / "out", "--json")) == 2
    assert json.loads(capsys.readouterr().out)["error"]["kind"] == "RawRootError"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("labels", ["own", "published"])
def test_from_a_hub_only_what_belongs_to_the_source_is_fetched(own: Published, tmp_path: Path, labels: str):
    """A source without pixels by its records, an open one by ranges of its shards."""
    mode = Mode.ANNOTATIONS if labels == "own" else Mode.FULL
    staged, out = own.staged(tmp_path / "staged", mode), tmp_path / "out"
    if labels == "published":
        builder = own.builder(LEFT)
        builder.write_text(builder.read_text().replace('{"kind": ("red", "white")}', "{}"))
    with Hub(tmp_path / "hub") as hub:
        (tmp_path / "client").mkdir()
        client = Client(hub, tmp_path / "client")
        try:
            assert client.upload(staged.root, "org/cells").code == 0
        finally:
            client.close()
        since, environment = len(hub.requests), hub.environment(tmp_path / "stranger")
        arguments = [sys.executable, "-m", "medloom", *command(own, "org/cells", out, "--json")]
        done = subprocess.run(arguments, env=environment, capture_output=True, text=True, timeout=200, check=False)
        asked = [call.path for call in hub.requests[since:]]
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["of"].split("@")[0], result["installed"], result["suites"]) == ("org/cells", True, ["medmat"])
    assert result["reproduced"] is (labels == "own")
    assert check(out)["faults"] == []
    assert [path for path in asked if RIGHT in path and "recipes/" not in path] == []
    for part in (f"data/{LEFT}", f"index/{LEFT}", f"questions/medmat/{LEFT}"):
        for path in (own.whole.root / part).rglob("*"):
            assert path.is_dir() or path.read_bytes() == (out / path.relative_to(own.whole.root)).read_bytes()
