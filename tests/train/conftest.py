"""For tests that load the PyTorch stack: one thread, no telemetry, and that stack's own warnings let pass."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

THEIRS = (
    "ignore::DeprecationWarning:(torch|transformers|trl|peft|accelerate|tensorboard|sacrebleu|torchmetrics)(\\..*)?",
    "ignore::FutureWarning:(torch|transformers|trl|peft|accelerate|tensorboard|torchmetrics)(\\..*)?",
    "ignore::UserWarning:(torch|transformers|trl|peft|accelerate)(\\..*)?",
)
"""Raised in a module of theirs; what ours raise stays an error."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Called for the tests of this folder alone."""
    for theirs in THEIRS:
        item.add_marker(pytest.mark.filterwarnings(theirs))


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Two cores are shared by two test workers; and sums are the same on every machine."""
    import sys

    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(1)


SUITES = ("gmai", "medmat", "mimoseg")
"""Whose words tiny models know."""


@pytest.fixture(scope="session")
def asked_phantom(shared_folder: Path, built: Callable[[str], tuple[Path, dict[str, Any]]]) -> Path:
    """The phantom's release with four suites of questions; not to be changed."""
    from medloom.generation.asking.ask import ask

    release, _ = built("phantom")
    folder = shared_folder / "asked-phantom"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / "lock"):
        if not (folder / "done").exists():
            shutil.copytree(release, folder / "release", dirs_exist_ok=True)
            for suite in (*SUITES, "medtrinity"):
                ask(folder / "release", suite)
            (folder / "done").touch()
    return folder / "release"


@pytest.fixture(scope="session")
def tiny_model(shared_folder: Path, asked_phantom: Path) -> Callable[[str], Path]:
    """The folder of a family's tiny model, whose tokens fit the phantom's questions; made once for all tests of the run."""
    from tiny_models import tiny

    from medloom.train.asked import ReleaseAsked

    def words() -> list[str]:
        asked = [ReleaseAsked.open(asked_phantom, suite=suite, split="train").questions() for suite in SUITES]
        every = [one for some in asked for one in some]
        return [
            text for one in every for text in (one.question, one.instruction, one.answer or "", *(o.text for o in one.options))
        ]

    def one(family: str) -> Path:
        folder = shared_folder / "tiny-models" / family
        folder.parent.mkdir(exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not (folder / "config.json").exists():
                tiny(family, folder.with_suffix(".tmp"), words()).rename(folder)
        return folder

    return one


@pytest.fixture(scope="session")
def organs(shared_folder: Path, asked_phantom: Path) -> Path:
    """The phantom with suites of choices between two organs (`learning.py`); not to be changed."""
    from learning import with_organs

    folder = shared_folder / "organs"
    folder.mkdir(exist_ok=True)
    with FileLock(folder / "lock"):
        if not (folder / "release").exists():
            with_organs(asked_phantom, folder)
    return folder / "release"


@pytest.fixture
def organs_hub(organs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Hub on loopback that holds it, and the environment that leads there."""
    from hub import Hub
    from hub_holding import hold
    from learning import REPO

    with Hub(tmp_path / "hub") as hub:
        hold(hub, REPO, organs)
        for name, value in hub.environment(tmp_path / "home").items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        yield
