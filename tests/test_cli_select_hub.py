"""Verbs that ask the index alone say of a repository what they say of its folder, and read no shard."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hub import Hub
from hub_holding import hold

CALLS = (
    ("tree", "--depth", "2"),
    ("select", "--modality", "CT"),
    ("select", "--protocol", "gmai"),
    ("cite",),
    ("cite", "--split", "test"),
)


@pytest.fixture(scope="module")
def medloom(tmp_path_factory: pytest.TempPathFactory, built: Callable[[str], tuple[Path, Any]]) -> Any:
    """A function that calls a verb with `org/name` for the repository, or without for its folder; what it prints."""
    home = tmp_path_factory.mktemp("select-hub")
    with Hub(home / "hub") as hub:
        hold(hub, "org/name", built("phantom")[0])

        def call(verb: str, place: str | Path, *options: str | Path) -> tuple[int, str, str]:
            command = [sys.executable, "-m", "medloom", verb, str(place), *map(str, options)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, env=hub.environment(home / "home"))
            return done.returncode, done.stdout, done.stderr

        yield call
        assert [one.path for one in hub.requests if one.path.endswith(".tar")] == []


@pytest.mark.parametrize("call", CALLS, ids=" ".join)
def test_a_repository_is_asked_as_its_folder_is(medloom: Any, built: Callable[[str], tuple[Path, Any]], call: tuple[str, ...]):
    answers = []
    for place in (built("phantom")[0], "org/name"):
        code, said, error = medloom(call[0], place, *call[1:], "--json")
        assert code == 0, error
        answers.append({name: value for name, value in json.loads(said).items() if name != "release"})
    assert answers[0] == answers[1]


def test_a_new_release_needs_the_shards_here(medloom: Any, tmp_path: Path):
    code, _, error = medloom("select", "org/name", "--modality", "CT", "--out", tmp_path / "ct")
    assert (code, (tmp_path / "ct").exists()) == (2, False)
    assert "--out copies shards; expected a release folder" in error
