"""What docs and cards say of loading from the Hub runs: the blocks marked for it, with the demo's release behind `org/name`."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hub import Hub
from hub_holding import hold

import medloom
from medloom.builders.build import Options, build
from medloom.cards.card.card import card
from medloom.generation.asking.ask import ask
from medloom.schema.release import Release

ROOT = Path(medloom.__file__).parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
REPO = "org/name"


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


MARKED = [(page, code) for page in PAGES for code in blocks(page.read_text(encoding="utf-8"), "python hub")]


@dataclass(frozen=True)
class Published:
    """A Hub with the demo's release in it, and the release."""

    hub: Hub
    release: Release

    def run(self, code: str, folder: Path) -> str:
        """What a block prints, in an empty folder; the Hub's address stands for huggingface.co."""
        environment = self.hub.environment(folder / "home") | {"PYTHONWARNINGS": "error"}
        command = [sys.executable, "-c", code.replace("https://huggingface.co", self.hub.url)]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory, raw_root: Callable[[str], Path]) -> Iterator[Published]:
    folder = tmp_path_factory.mktemp("published")
    build("phantom", raw_root("phantom"), folder / "demo", options=Options())
    ask(folder / "demo", "medmat")
    release = Release.open(folder / "demo")
    card(release, repo=REPO)
    with Hub(folder / "hub") as hub:
        hold(hub, REPO, release.root)
        yield Published(hub, release)


def runnable(code: str) -> bool:
    """Addresses are opened by curl."""
    return "webdataset" not in code or shutil.which("curl") is not None


@pytest.mark.parametrize(("page", "code"), MARKED, ids=lambda one: one.stem if isinstance(one, Path) else "")
def test_blocks_for_the_hub_run(published: Published, tmp_path: Path, page: Path, code: str):
    if not runnable(code):
        pytest.skip("curl is absent, by which webdataset opens addresses")
    assert REPO in code
    assert published.run(code, tmp_path)


def test_the_readme_and_the_page_on_loading_have_such_blocks():
    assert {page.name for page, _ in MARKED} >= {"README.md", "loading.md"}


def test_the_cards_own_blocks_run(published: Published, tmp_path: Path):
    """All that the published README shows, as a stranger pastes it."""
    shown = blocks((published.release.root / "README.md").read_text(encoding="utf-8"), "python")
    ways = {way for way in ("load_dataset(", "medloom.load(", "WebDataset(") for code in shown if way in code}
    assert ways == {"load_dataset(", "medloom.load(", "WebDataset("}
    for code in filter(runnable, shown):
        assert REPO in code
        published.run(code, tmp_path)
