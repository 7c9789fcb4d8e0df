"""Peak memory of a build against the size of its source: driver and workers together, shared pages counted once (PSS)."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.synthetic import draw_photographs, draw_volumes, write_source

DRIVER = """
import sys
from pathlib import Path
from medloom.builders.build import Options, build

if __name__ == "__main__":
    build(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), options=Options(workers=2))
"""


def flatness(folder: Path) -> list[dict[str, Any]]:
    """Peak at 4 and 16 times the source over the peak at once the source, with two workers."""
    driver = folder / "driver.py"
    driver.write_text(DRIVER)
    rows = []
    for kind, draw, base in (("volumes", _volumes, 12), ("photographs", _photographs, 400)):
        source = write_source(folder, kind)
        peaks = {times: _peak(driver, source, draw(folder, base * times), folder) for times in (1, 4, 16)}
        for times in (4, 16):
            note = f"{peaks[1] >> 20} MiB at 1×; expected under 1.2"
            rows.append({"what": f"{kind}: peak memory at {times}× the source", "ratio": peaks[times] / peaks[1], "note": note})
    return rows


def _volumes(folder: Path, count: int) -> Path:
    return draw_volumes(folder / f"memory-ct-{count}", count=count, slices=24)


def _photographs(folder: Path, count: int) -> Path:
    return draw_photographs(folder / f"memory-jpeg-{count}", count=count)


def _peak(driver: Path, source: Path, raw: Path, folder: Path) -> int:
    """Highest PSS in bytes over a build, seen every 20 ms."""
    out = folder / "memory"
    process = subprocess.Popen([sys.executable, str(driver), str(source), str(raw), str(out)])
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(_pss, _family(process.pid))))
        time.sleep(0.02)
    if process.returncode:
        raise RuntimeError(f"the build ended with {process.returncode}")
    for stale in (out, out.with_name("memory.work"), raw):
        shutil.rmtree(stale)
    return peak


def _family(pid: int) -> list[int]:
    """The process and its descendants."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rsplit(")", 1)[1].split()[1])
    family = [pid]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return family


def _pss(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("Pss:")), 0)
