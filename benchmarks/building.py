"""Build throughput against the frozen bare loop and the usual script, and what a second worker gives."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import bare, usual
from benchmarks.synthetic import draw_photographs, draw_volumes, write_source
from medloom.builders.build import Options, build

REPEATS = 3


def throughput(folder: Path) -> list[dict[str, Any]]:
    """Ratios above 1 mean that the build is the faster one; each pair is timed in turn, the median ratio counts."""
    ct = draw_volumes(folder / "ct", count=4, slices=64)
    jpeg = draw_photographs(folder / "jpeg", count=1500)
    ct_source, jpeg_source = write_source(folder, "volumes"), write_source(folder, "photographs")
    tar, loose = folder / "bare.tar", folder / "usual"
    floor, usually = "expected at least 0.8", "expected at least 8"
    return [
        _against("CT volumes: build / bare loop", partial(bare.volumes, ct, tar), _builder(ct_source, ct), floor),
        _against(
            "JPEG with boxes: build / bare loop", partial(bare.photographs, jpeg, tar), _builder(jpeg_source, jpeg), floor
        ),
        _against("CT volumes: build / usual script, RGB", partial(usual.volumes, ct, loose), _builder(ct_source, ct), usually),
        _against(
            "CT volumes: build / usual script, grey", partial(usual.volumes, ct, loose, mode="L"), _builder(ct_source, ct)
        ),
    ]


def scaling(folder: Path) -> list[dict[str, Any]]:
    """Two workers against one, worker processes' own start included."""
    ct = draw_volumes(folder / "ct-many", count=144, slices=64)
    jpeg = draw_photographs(folder / "jpeg-many", count=6000)
    ct_source, jpeg_source = write_source(folder, "volumes"), write_source(folder, "photographs")
    note = "expected at least 1.8"
    return [
        _against("CT volumes: two workers / one", _builder(ct_source, ct), _builder(ct_source, ct, workers=2), note),
        _against(
            "JPEG with boxes: two workers / one", _builder(jpeg_source, jpeg), _builder(jpeg_source, jpeg, workers=2), note
        ),
    ]


def _against(what: str, slow: Callable[[], Any], fast: Callable[[], Any], note: str = "") -> dict[str, Any]:
    """Time of the first over time of the second, in turn since the machine is shared; the median of several."""
    return {"what": what, "ratio": median(_seconds(slow) / _seconds(fast) for _ in range(REPEATS)), "note": note}


def _builder(source: Path, raw: Path, *, workers: int = 1) -> Callable[[], None]:
    return partial(_build, source, raw, source.parent, workers)


def _seconds(action: Callable[[], Any]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _build(source: Path, raw: Path, folder: Path, workers: int) -> None:
    out = folder / "release"
    for stale in (out, out.with_name("release.work")):
        shutil.rmtree(stale, ignore_errors=True)
    build(str(source), raw, out, options=Options(workers=workers))
