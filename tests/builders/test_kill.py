"""Builds killed at random moments and started again end with the same bytes, and leave nobody running."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from medloom.schema.check_release import check

KILLS = 20
DRIVER = """
import sys
from pathlib import Path
from medloom.builders.build import Options, build

if __name__ == "__main__":
    build(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), options=Options(workers=2, shard_bytes=200_000))
"""


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def alive(marker: str) -> list[int]:
    """Processes whose environment holds the marker, zombies aside."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and marker.encode() in (entry / "environ").read_bytes():
                state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
                found += [int(entry.name)] * (state != "Z")
        except OSError:
            continue
    return found


def start(driver: Path, arguments: list[str], marker: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "MEDLOOM_TEST_MARKER": marker}
    return subprocess.Popen([sys.executable, str(driver), *arguments], env=environment)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="needs /proc to see who is alive")
@pytest.mark.parametrize("name", ["bccd", "brain_tumor_mri", "phantom"])
def test_twenty_kills_change_no_byte(name: str, raw_root, tmp_path: Path):
    raw, driver = raw_root(name), tmp_path / "driver.py"
    driver.write_text(DRIVER)
    began = time.monotonic()
    assert start(driver, [name, str(raw), str(tmp_path / "whole")], "whole").wait() == 0
    quickest = time.monotonic() - began
    release, rng = tmp_path / "killed", random.Random(name)
    killed = 0
    for attempt in range(8 * KILLS):
        marker = f"medloom-kill-{name}-{tmp_path.name}-{attempt}"
        began = time.monotonic()
        process = start(driver, [name, str(raw), str(release)], marker)
        try:
            process.wait(timeout=rng.uniform(0.2, 1.0) * quickest)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
            no_one_left(marker)
        assert not [path for path in release.rglob("*") if ".tmp" in path.name]
        if killed == KILLS:
            break
        if process.returncode == 0:
            quickest = min(quickest, time.monotonic() - began)
            start_over(release)
    assert killed == KILLS
    assert start(driver, [name, str(raw), str(release)], "last").wait() == 0
    assert contents(release) == contents(tmp_path / "whole")
    assert check(release)["faults"] == []


def no_one_left(marker: str) -> None:
    deadline = time.monotonic() + 5
    while alive(marker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert alive(marker) == []


def start_over(release: Path) -> None:
    """Forget that the build ended, as --fresh would, but keep the release: it is then replaced in place."""
    import shutil

    shutil.rmtree(release.with_name(f"{release.name}.work"))
