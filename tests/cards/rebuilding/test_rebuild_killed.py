"""A rebuild that is killed at any step leaves nothing half-written under a final name, and the same command completes it."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from published_cells import NAMES, Published

from medloom.schema.check_release import check
from medloom.schema.published import Mode

LEFT, RIGHT = NAMES
DRIVER = """
import os, signal, sys
from pathlib import Path
from medloom.builders import shards
from medloom.cards.rebuilding.choices import Choices
from medloom.cards.rebuilding.rebuild import rebuild

place, source, raw, out, builder, left = sys.argv[1:]
left = int(left)

def step(*_):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

def hook(event, arguments):
    if event in ("os.rename", "os.mkdir", "os.rmdir", "os.link", "shutil.copyfile") and "made-here" in str(arguments[0]):
        step()

if __name__ == "__main__":
    sys.addaudithook(hook)
    add = shards.ShardWriter.add
    shards.ShardWriter.add = lambda *told, **more: (step(), add(*told, **more))[1]
    rebuild(place, source, Path(raw), Path(out), choices=Choices(builder=Path(builder)))
"""


def driven(made: Published, place: Path, out: Path, *, steps: int) -> int:
    """Exit code of a rebuild that kills itself after so many renames, folders, links and samples."""
    driver = made.folder / "driver.py"
    driver.write_text(DRIVER)
    arguments = [sys.executable, driver, place, LEFT, made.raw(LEFT), out, made.builder(LEFT), str(steps)]
    return subprocess.run(arguments, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}).returncode


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.mark.slow
@pytest.mark.parametrize("labels", ["published", "own"])
def test_kills_at_random_steps_change_no_byte(own: Published, tmp_path: Path, labels: str):
    """In both ways: with the published records around own pictures, and where the own build is the release already."""
    staged, out, rng = own.staged(tmp_path / "staged", Mode.ANNOTATIONS), tmp_path / "made-here", random.Random(7)
    if labels == "published":
        builder = own.builder(LEFT)
        builder.write_text(builder.read_text().replace('{"kind": ("red", "white")}', "{}"))
    own.rebuilt(staged, RIGHT, out)
    shutil.rmtree(tmp_path / "made-here.work")
    known, codes = set(contents(own.whole.root)), []
    while not codes or codes[-1] != 0:
        codes.append(driven(own, staged.root, out, steps=rng.randint(20, 110)))
        assert codes[-1] in (0, -signal.SIGKILL)
        assert len(codes) < 40
        assert {path for path in contents(out) if not Path(path).name.startswith(".")} <= known
    assert codes.count(-signal.SIGKILL) >= 2
    assert contents(out) == contents(own.whole.root)
    assert check(out)["faults"] == []
