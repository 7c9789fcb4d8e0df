"""Build throughput against the frozen bare loop and the usual script, and what a second worker gives."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
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
    jpeg = draw_photographs(folder / "jpeg", count=600)
    ct_source, jpeg_source = write_source(folder, "volumes"), write_source(folder, "photographs")
    rows = []
    for what, raw, source, loop in (
        ("CT volumes: build / bare loop", ct, ct_source, bare.volumes),
        ("JPEG with boxes: build / bare loop", jpeg, jpeg_source, bare.photographs),
    ):
        ratios = [
            _ratio(lambda: loop(raw, folder / "bare.tar"), lambda: _build(source, raw, folder, 1)) for _ in range(REPEATS)
        ]
        rows.append({"what": what, "ratio": median(ratios), "note": "expected at least 0.8"})
    for mode, note in (("RGB", "expected at least 8"), ("L", "grey PNG")):
        ratio = _ratio(lambda: usual.volumes(ct, folder / "usual", mode=mode), lambda: _build(ct_source, ct, folder, 1))
        rows.append({"what": f"CT volumes: build / usual script ({mode})", "ratio": ratio, "note": note})
    return rows


def scaling(folder: Path) -> list[dict[str, Any]]:
    """Two workers against one."""
    ct = draw_volumes(folder / "ct-many", count=12, slices=64)
    jpeg = draw_photographs(folder / "jpeg-many", count=4000)
    return [
        {
            "what": f"{kind}: two workers / one",
            "ratio": _ratio(lambda: _build(s, r, folder, 1), lambda: _build(s, r, folder, 2)),
        }
        | {"note": "expected at least 1.8"}
        for kind, s, r in (
            ("CT volumes", write_source(folder, "volumes"), ct),
            ("JPEG with boxes", write_source(folder, "photographs"), jpeg),
        )
    ]


def _ratio(slow: Callable[[], Any], fast: Callable[[], Any]) -> float:
    """Time of the first over time of the second, in turn: the machine is shared."""
    first, second = _seconds(slow), _seconds(fast)
    return first / second


def _seconds(action: Callable[[], Any]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def _build(source: Path, raw: Path, folder: Path, workers: int) -> None:
    out = folder / "release"
    for stale in (out, out.with_name("release.work")):
        shutil.rmtree(stale, ignore_errors=True)
    build(str(source), raw, out, options=Options(workers=workers))
