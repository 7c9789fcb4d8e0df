"""A withdrawal that is killed leaves the old release, the new one, or one that the same call completes."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from medloom.builders.build import Options, build
from medloom.builders.cut import cut
from medloom.builders.withdrawing.withdraw import withdraw
from medloom.schema.check_release import check
from medloom.schema.release import Release

DRIVER = """
import os, signal, sys
from medloom.builders import shards
from medloom.builders.withdrawing.withdraw import withdraw

HERE = "killed-here"
left = int(sys.argv[2])
counting = left > 0
left = abs(left)

def step(*_):
    global left
    left -= counting
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

def hook(event, arguments):
    global counting
    if event in ("os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.link", "shutil.rmtree") and HERE in str(arguments[0]):
        step()
    counting |= event == "os.rename" and "moves.json" in str(arguments[0])

sys.addaudithook(hook)
add = shards.ShardWriter.add
shards.ShardWriter.add = lambda *told, **more: (step(), add(*told, **more))[1]
withdraw(sys.argv[1], keys=sys.argv[3:], reason="test")
"""


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(scope="module")
def small(built: Callable[[str], tuple[Path, dict]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("small") / "release"
    keys = pq.read_table(Release(built("phantom")[0]).index_path("phantom"), columns=["key"]).slice(0, 60)
    cut(built("phantom")[0], keys, out, why={"where": "true"}, shard_bytes=60_000)
    return out


def driven(folder: Path, root: Path, *, steps: int, keys: list[str]) -> int:
    """Exit code of a withdrawal that kills itself after so many steps; below 0 they count from when it is committed."""
    (folder / "driver.py").write_text(DRIVER)
    command = [sys.executable, folder / "driver.py", root, str(steps), *keys]
    return subprocess.run(command, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}).returncode


@pytest.mark.slow
def test_kills_at_any_step_leave_what_a_rerun_completes(small: Path, tmp_path: Path):
    whole, root, rng = tmp_path / "whole", tmp_path / "killed-here", random.Random(3)
    rows = pq.read_table(Release(small).index_path("phantom"), columns=["key", "shard"]).to_pylist()
    shards = sorted({row["shard"] for row in rows})
    keys = [row["key"] for row in rows if row["shard"] == shards[0]] + [row["key"] for row in rows[::7]]
    shutil.copytree(small, whole)
    withdraw(whole, keys=keys, reason="test")
    old, new = contents(small), contents(whole)
    states, killed = set(), 0
    for number in range(8):
        shutil.rmtree(root, ignore_errors=True)
        shutil.copytree(small, root)
        code = driven(tmp_path, root, steps=rng.randint(1, 60) if number % 2 else -rng.randint(1, 12), keys=keys)
        assert code in (0, -signal.SIGKILL)
        killed += code != 0
        now = contents(root)
        assert all(now[path] in (old.get(path), new.get(path)) for path in now)
        states.add("old" if now == old else "new" if now == new else "between")
        withdraw(root, keys=keys, reason="test")
        assert contents(root) == new
        assert not (tmp_path / "killed-here.work/.withdraw").exists()
    assert killed >= 3
    assert {"old", "between"} <= states
    assert check(root)["faults"] == []


def test_a_build_completes_what_was_killed_on_its_way_in(tiny, tmp_path: Path):
    root = tmp_path / "killed-here"
    build(tiny.spec, tiny.raw, root, options=Options())
    keys = pq.read_table(Release(root).index_path("tiny"), columns=["key"])["key"].to_pylist()[:2]
    old = contents(root)
    assert driven(tmp_path, root, steps=-3, keys=keys) == -signal.SIGKILL
    assert contents(root) != old
    assert (tmp_path / "killed-here.work/.withdraw/moves.json").exists()
    build(tiny.spec, tiny.raw, root, options=Options())
    assert check(root)["faults"] == []
    assert not set(keys) & {one.name.split(".")[0] for path in root.glob("data/**/*.tar") for one in _members(path)}


def _members(path: Path):
    import tarfile

    with tarfile.open(path) as tar:
        return tar.getmembers()
