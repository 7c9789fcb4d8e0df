"""The explorer's first view of 100 000 samples, against a plain page that shows as many pictures of the same kind.

Each load is that of a fresh browser context. The explorer's first view is there when its filters have their counts and all
pictures of the first page are drawn; the plain page's when its last picture is decoded.
"""

from __future__ import annotations

import runpy
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from medloom.builders.build import Options, build
from medloom.builders.catalog import load
from medloom.cards.explorer.index import index_pack
from medloom.cards.explorer.rows import Rows
from medloom.cards.explorer.server import application
from medloom.cards.explorer.sights import Sights
from medloom.cards.explorer.told import Told
from medloom.cards.explorer.written import write
from medloom.schema.release import Release

SAMPLES, SOURCES, PICTURES, REPEATS = 100_000, 12, 60, 7
_TESTS = Path(__file__).parents[1] / "tests"
PLAIN = """<!doctype html><html lang="en"><meta charset="utf-8"><title>plain</title><link rel="icon" href="data:,">
<body>{pictures}<script src="said.js"></script></body></html>"""
SAID = """addEventListener("load", () => Promise.all([...document.images].map((one) => one.decode())).then(() => {
  performance.mark("first-view"); document.documentElement.dataset.view = "drawn"; }));"""
FILTER = """async () => {
  const [{ columns }, filter] = [await import("./pack.js"), await import("./filter.js")];
  const index = filter.prepared(await columns("data/index.pack"));
  const chosen = { label: new Set([index.words.label.indexOf("kidney")]), split: new Set([0]) };
  const began = performance.now();
  const found = filter.search(index, chosen);
  filter.inTurns(index, found.rows);
  filter.grown(index, chosen, found.byModality);
  return performance.now() - began;
}"""


def first_view(folder: Path) -> list[dict[str, Any]]:
    """Served and written, each in turn with the plain page behind the same kind of server."""
    browser = runpy.run_path(str(_TESTS / "servers/browser.py"))
    if browser["executable"]() is None:
        return [{"what": "explorer", "ratio": float("nan"), "note": "no Chromium on the PATH: set MEDLOOM_CHROMIUM to one"}]
    rows = _release(folder)
    sights = Sights(rows)
    _plain(folder / "plain", sights)
    began = time.perf_counter()
    done = write(sights, Told(rows), folder / "site", images=False, workers=2)
    seconds = time.perf_counter() - began
    results = []
    with browser["chromium"]() as chromium, browser["plain_files"](folder / "plain") as plain:
        with browser["serving"](application(sights, Told(rows))) as address:
            results.append(_against(chromium, "served", address, plain=plain))
            results += _then(chromium, address)
        with browser["plain_files"](folder / "site") as address:
            results.append(_against(chromium, "written", address, plain=plain))
    results[0]["note"] += f"; index {len(index_pack(sights, Told(rows))) / 1e6:.2f} MB"
    results[-1]["note"] += f"; {done.files:,} files, {done.bytes / 1e6:.0f} MB in {seconds:.0f} s"
    shutil.rmtree(folder / "site")
    return results


def _release(folder: Path) -> Rows:
    raw = folder / "raw"
    raw.mkdir()
    draw: Callable[[Path], Any] | None = load("phantom").draw
    assert draw is not None
    draw(raw)
    build("phantom", raw, folder / "small", options=Options())
    multiplied = runpy.run_path(str(_TESTS / "drawn/drawn_release.py"))["multiplied"]
    return Rows.of(multiplied(Release.open(folder / "small"), folder / "many", samples=SAMPLES, sources=SOURCES))


def _plain(folder: Path, sights: Sights) -> None:
    folder.mkdir()
    step = SAMPLES // PICTURES
    for number in range(PICTURES):
        body = sights.thumb(number * step)
        assert body is not None
        (folder / f"{number}.jpg").write_bytes(body)
    pictures = "".join(f'<img src="{number}.jpg" alt="" width="160">' for number in range(PICTURES))
    (folder / "index.html").write_text(PLAIN.format(pictures=pictures))
    (folder / "said.js").write_text(SAID)


def _against(chromium: Any, how: str, address: str, *, plain: str) -> dict[str, Any]:
    """Median milliseconds of the first view over those of the plain page, in turn, after one load that warms the server."""
    pairs = [(_seen(chromium, plain), _seen(chromium, address)) for _ in range(REPEATS + 1)][1:]
    theirs, ours = (median(pair[place] for pair in pairs) for place in (0, 1))
    what = f"explore {SAMPLES:,} samples, {how}: first view / plain page"
    return {
        "what": what,
        "ratio": ours / theirs,
        "note": f"{PICTURES} pictures, {ours:.0f} and {theirs:.0f} ms; expected under 2",
    }


def _seen(chromium: Any, address: str) -> float:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(address, wait_until="commit")
    page.wait_for_selector("html[data-view=drawn]")
    found = page.evaluate("performance.getEntriesByName('first-view')[0].startTime")
    context.close()
    return found


def _then(chromium: Any, address: str) -> list[dict[str, Any]]:
    """For information: what comes after, in milliseconds, over the first view's."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector("html[data-tree=drawn]")
    tree, first = (
        page.evaluate(code) for code in ("performance.now()", "performance.getEntriesByName('first-view')[0].startTime")
    )
    filtering = median(page.evaluate(FILTER) for _ in range(REPEATS))
    context.close()
    return [
        {"what": "explore: sunburst drawn / first view", "ratio": tree / first, "note": f"{tree:.0f} ms, for information"},
        {
            "what": "explore: filter, counts, order and tree / first view",
            "ratio": filtering / first,
            "note": f"{filtering:.0f} ms",
        },
    ]
