"""A release of two sources with questions, a Hub on loopback, and a client that publishes in processes of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hub import Hub
from hub_client import Client
from PIL import Image

from medloom.builders.build import Options, build
from medloom.generation.asking.ask import ask
from medloom.schema.release import Release

SOURCE = """
from medloom.builders.source import Access, Expect, Facts, Layout, Source
from medloom.builders.unit import Finding, Unit
from medloom.schema.labels import Label
from medloom.schema.triplet import Triplet

FACTS = Facts(
    name="{name}", title="{name}", homepage="https://example.org", licence="{licence}", licence_evidence="drawn by the test",
    citation="@misc{{{name}}}", cite="https://example.org", access=Access.GENERATED,
    triplet=Triplet("Mic", "cell", "cell-type"), clinical_task="Cell Recognition", department="Hematology",
    group_kind="image", closed_sets={{"kind": ("red", "white")}},
)
LABELS = {{"red": Label("red blood cell", mesh="D004912"), "white": Label("white blood cell", mesh="D007962")}}

def read(raw):
    for image in raw.glob("*/*.png"):
        yield Unit(files=(image,), reader="raster", findings=(Finding(image.split("/")[0]),))

SOURCE = Source(
    facts=FACTS, labels=LABELS, read=read,
    layouts=(Layout(name="folders", expects=(Expect(pattern="*/*.png", what="pictures"),)),),
)
"""
OPEN, SHARED_ALIKE = "open_cells", "shared_cells"
LICENCES = {OPEN: "CC0-1.0", SHARED_ALIKE: "CC-BY-NC-SA-4.0"}


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    with Hub(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="session")
def _client(hub: Hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(hub, tmp_path_factory.mktemp("client"))
    yield client
    client.close()


@pytest.fixture
def client(hub: Hub, _client: Client) -> Iterator[Client]:
    yield _client
    hub.accept()


@pytest.fixture(scope="session")
def _cells(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cells")
    for number, name in enumerate(LICENCES):
        add_source(folder, folder / "release", name, seed=number)
    ask(folder / "release", "medmat")
    return folder


@pytest.fixture(scope="session")
def cells(_cells: Path) -> Release:
    """Two sources under two licences, several shards each, and a suite of questions. Copy it before changing it."""
    return Release.open(_cells / "release")


@pytest.fixture
def own_cells(_cells: Path, tmp_path: Path) -> Callable[..., Release]:
    """A function that gives a copy of `cells` to change, or one with other pictures in a source, or without it."""

    def copied(*, changed: str | None = None, without: str | None = None) -> Release:
        variant, release = _cells / f"changed-{changed}-without-{without}" / "release", tmp_path / "own" / "release"
        for number, name in enumerate(LICENCES) if not variant.exists() else ():
            if name != without:
                add_source(_cells, variant, name, seed=100 + number if name == changed else number)
        ask(variant, "medmat")
        shutil.rmtree(release.parent, ignore_errors=True)
        shutil.copytree(variant, release)
        return Release.open(release)

    return copied


def add_source(folder: Path, release: Path, name: str, *, seed: int) -> None:
    """Build a source of drawn pictures into a release; another seed draws others of the same names."""
    raw, spec = folder / f"raw-{name}-{seed}", folder / f"{name}.py"
    spec.write_text(SOURCE.format(name=name, licence=LICENCES[name]))
    random = np.random.default_rng(seed)
    if not raw.exists():
        for kind in ("red", "white"):
            (raw / kind).mkdir(parents=True)
            for number in range(25):
                Image.fromarray(random.integers(0, 255, (24, 31, 3), np.uint8)).save(raw / kind / f"cell {number:02d}.png")
    build(str(spec), raw, release, options=Options(shard_bytes=40_000))
