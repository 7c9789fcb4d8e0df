"""A cut that is killed leaves nothing under a final name, and goes on when it is asked for again."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medloom.builders.cut import cut
from medloom.schema.release import Release
from medloom.schema.sample import SPLITS

SMALL = 40_000
"""Bytes of a shard that make several of every split."""
WHY = {"protocol": "by group"}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def by_group(root: Path) -> pa.Table:
    """All samples, with splits dealt anew to whole groups."""
    rows = pq.read_table(Release(root).index_path("phantom"), columns=["key", "split", "group"]).to_pylist()
    places = {group: place for place, group in enumerate(sorted({row["group"] for row in rows}))}
    standing = [row for row in rows if row["split"] != "excluded"]
    splits = [SPLITS[places[row["group"]] % 3] for row in standing]
    return pa.table({"key": [row["key"] for row in standing], "split": splits})


@pytest.fixture(scope="module")
def original(built: Callable[[str], tuple[Path, dict]]) -> Path:
    return built("phantom")[0]


DRIVER = """
import os, signal, sys
from pathlib import Path
import pyarrow as pa
from medloom.builders import shards
from medloom.builders.cut import cut

original, out, workers, deadline, shards_until = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
left = deadline

def step(*_):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

def hook(event, arguments):
    if event in ("os.rename", "os.mkdir", "os.rmdir", "shutil.rmtree") and "cut-here" in str(arguments[0]):
        step()

def progress(stage, done, total, samples):
    if done == shards_until:
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    if deadline:
        sys.addaudithook(hook)
        add = shards.ShardWriter.add
        shards.ShardWriter.add = lambda *told: (step(), add(*told))[1]
    keys = Path(sys.argv[6]).read_text().split()
    table = pa.table({"key": keys[::2], "split": keys[1::2]})
    cut(original, table, out, why={"protocol": "by group"}, workers=workers, shard_bytes=40_000, progress=progress)
"""


def driven(folder: Path, original: Path, out: Path, *, workers: int = 1, steps: int = 0, shards: int = 0) -> int:
    """Exit code of a cut that kills itself after so many steps (renames, folders, samples) or shards."""
    (folder / "driver.py").write_text(DRIVER)
    chosen = by_group(original).to_pylist()
    (folder / "keys").write_text("\n".join(f"{row['key']} {row['split']}" for row in chosen))
    numbers = map(str, (workers, steps, shards))
    arguments = [sys.executable, folder / "driver.py", original, out, *numbers, folder / "keys"]
    return subprocess.run(arguments, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"}).returncode


def test_kills_at_any_step_change_no_byte(original: Path, tmp_path: Path):
    out, rng = tmp_path / "cut-here", random.Random(5)
    cut(original, by_group(original), tmp_path / "whole", why=WHY, shard_bytes=SMALL)
    codes = []
    while not codes or codes[-1] != 0:
        codes.append(driven(tmp_path, original, out, steps=rng.randint(30, 90)))
        assert codes[-1] in (0, -signal.SIGKILL)
        assert len(codes) < 40
        if out.exists():
            assert contents(out) == contents(tmp_path / "whole")
    assert codes.count(-signal.SIGKILL) >= 2
    assert contents(out) == contents(tmp_path / "whole")
    assert not (tmp_path / "cut-here.work/.cut").exists()


def test_a_kill_of_the_driver_and_another_choice(original: Path, tmp_path: Path):
    out = tmp_path / "out"
    assert driven(tmp_path, original, out, workers=2, shards=3) == -signal.SIGKILL
    assert not out.exists()
    assert list((tmp_path / "out.work/.cut/release").rglob("*.tar"))
    other = by_group(original).slice(0, 20).select(["key"])
    cut(original, other, out, why=WHY)
    cut(original, other, tmp_path / "whole", why=WHY)
    assert contents(out) == contents(tmp_path / "whole")
