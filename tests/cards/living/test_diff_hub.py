"""A diff of a folder and a repository, or of two revisions of one: the same changes, by byte ranges of records alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from hub import Hub
from hub_holding import hold

from medloom.cards.living.diff import diff
from medloom.schema.release import Release


def medloom(hub: Hub, home: Path, *arguments: str | Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "medloom", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=hub.environment(home))
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_changes_on_the_hub_are_those_of_the_folders(versions, tmp_path: Path):
    expected, _ = diff(Release.open(versions.old), Release.open(versions.new), out=tmp_path / "changes.parquet")
    with Hub(tmp_path / "hub") as hub:
        hold(hub, "org/old", versions.old)
        hold(hub, "org/new", versions.new)
        found = medloom(hub, tmp_path / "home", "diff", "org/old", "org/new", "--overlays", tmp_path / "page", "--most", "2")
        assert [one["changes"] for one in found["sources"]] == [one["changes"] for one in expected["sources"]]
        assert found["overlays"]["shown"] == 2
        assert len(list((tmp_path / "page").glob("*.png"))) == 2
        half = medloom(hub, tmp_path / "other-home", "diff", versions.old, "org/new")
        assert half["changes"] == expected["changes"]
        shards = [one for one in hub.requests if one.path.endswith(".tar") and one.status == 200 and one.method == "GET"]
        assert shards == []
        assert any(one.status == 206 for one in hub.requests)
        assert medloom(hub, tmp_path / "home", "diff", "org/old", versions.old)["different"] is False
