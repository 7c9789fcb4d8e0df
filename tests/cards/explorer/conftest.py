"""A release with questions and withheld answers, and the explorer's view of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from browser import chromium, executable, serving

from medloom.cards.explorer.rows import Rows
from medloom.cards.explorer.server import application
from medloom.cards.explorer.sights import Sights
from medloom.cards.explorer.told import Told
from medloom.cli import main
from medloom.schema.release import Release


@pytest.fixture(scope="session")
def demo(built: Callable[[str], tuple[Path, Any]], tmp_path_factory: pytest.TempPathFactory) -> Release:
    """The phantom with two suites; answers of the test split are withheld in one of them. Don't change it."""
    folder = tmp_path_factory.mktemp("explorer")
    shutil.copytree(built("phantom")[0], folder / "demo")
    for options in (
        ("--suite", "medmat"),
        ("--suite", "mimoseg", "--withhold-answers", "test", "--answers", f"{folder}/private"),
    ):
        with pytest.raises(SystemExit) as left:
            main(["ask", str(folder / "demo"), "--workers", "1", *options])
        assert left.value.code == 0
    return Release.open(folder / "demo")


@pytest.fixture(scope="session")
def rows(demo: Release) -> Rows:
    return Rows.of(demo)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if executable() is None:
        pytest.skip("no Chromium on the PATH: set MEDLOOM_CHROMIUM to one")
    pytest.importorskip("playwright", reason="playwright isn't installed")
    with chromium() as one:
        yield one


@pytest.fixture(scope="session")
def address(rows: Rows) -> Iterator[str]:
    with serving(application(Sights(rows), Told(rows))) as one:
        yield one


@pytest.fixture
def tab(browser: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page whose console must stay free of errors, and which must ask no other host for anything."""
    faults: list[str] = []
    with ExitStack() as left:

        def open_(address: str, *, place: str = "", drawn: bool = True, **options: Any) -> Any:
            context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
            left.callback(context.close)
            page = context.new_page()
            page.on("console", lambda said: faults.append(said.text) if said.type in ("error", "warning") else None)
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.on(
                "request", lambda asked: None if asked.url.startswith((address, "blob:", "data:")) else faults.append(asked.url)
            )
            page.goto(address + place)
            if drawn:
                page.wait_for_selector("html[data-view=drawn]")
            return page

        yield open_
        assert faults == []
