"""Fixtures for every room: where the real sources lie, if anywhere."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image


def data_root() -> Path | None:
    """The folder with one subfolder per real source: `MEDLOOM_DATA`, else `../shared/data` beside the checkout."""
    named = os.environ.get("MEDLOOM_DATA")
    root = Path(named) if named else Path(__file__).parents[2] / "shared" / "data"
    return root if root.is_dir() else None


@pytest.fixture(scope="session")
def real_data() -> Path:
    root = data_root()
    if root is None:
        pytest.skip("real sources absent: set MEDLOOM_DATA to the folder that holds them")
    return root


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh cache of `datasets` for every test, so that none reads what another left."""
    import datasets.config

    cache = tmp_path_factory.mktemp("hf-cache")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", cache)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


TINY_SOURCE = """
from medloom.builders.source import Access, Expect, Facts, Layout, Source
from medloom.builders.unit import Finding, Unit
from medloom.schema.labels import Label
from medloom.schema.triplet import Triplet

FACTS = Facts(
    name="tiny", title="Tiny", homepage="https://example.org", licence="CC0-1.0", licence_evidence="drawn by the test",
    citation="@misc{tiny}", cite="https://example.org", access=Access.GENERATED, triplet=Triplet("Mic", "cell", "cell-type"),
    clinical_task="Cell Recognition", department="Hematology", group_kind="image", closed_sets={"kind": ("red", "white")},
)
LABELS = {"red": Label("red blood cell", mesh="D004912"), "white": Label("white blood cell", mesh="D007962")}

def read(raw):
    for image in raw.glob("*/*.png", "*/*.jpg"):
        yield Unit(files=(image,), reader="raster", findings=(Finding(image.split("/")[0]),))

SOURCE = Source(
    facts=FACTS, labels=LABELS, read=read,
    layouts=(Layout(name="folders", expects=(Expect(pattern="*/*.[pj][np]g", what="pictures"),)),),
)
"""


@dataclass(frozen=True)
class Tiny:
    """A source of drawn pictures in two class folders, its builder file, and where a release may go."""

    spec: str
    raw: Path
    folder: Path

    @property
    def release(self) -> Path:
        return self.folder / "release"


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    random = np.random.default_rng(7)
    for kind in ("red", "white"):
        (tmp_path / "raw" / kind).mkdir(parents=True)
        for number in range(40):
            picture = random.integers(0, 255, (24 + number % 3, 31, 3), np.uint8)
            suffix = "png" if number % 2 else "jpg"
            Image.fromarray(picture).save(tmp_path / "raw" / kind / f"cell {number:02d}.{suffix}")
    spec = tmp_path / "tiny.py"
    spec.write_text(TINY_SOURCE)
    return Tiny(str(spec), tmp_path / "raw", tmp_path)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """One folder for the whole run, whatever the number of test workers."""
    base = tmp_path_factory.getbasetemp()
    return base if worker_id == "master" else base.parent


@pytest.fixture(scope="session")
def raw_root(shared_folder: Path) -> Callable[[str], Path]:
    """The raw root of a catalogued source: drawn once, or among the real sources; else the test is skipped."""
    from filelock import FileLock

    from medloom.builders.catalog import load

    def one(name: str) -> Path:
        draw, root = load(name).draw, data_root()
        if draw is None:
            if root is None or not (root / name).is_dir():
                pytest.skip(f"{name}: raw root absent: set MEDLOOM_DATA to the folder that holds it")
            return root / name
        drawn = shared_folder / "drawn" / name
        drawn.parent.mkdir(exist_ok=True)
        with FileLock(drawn.with_suffix(".lock")):
            if not drawn.exists():
                drawn.mkdir()
                draw(drawn)
        return drawn

    return one


@pytest.fixture(scope="session")
def built(shared_folder: Path, raw_root: Callable[[str], Path]) -> Callable[[str], tuple[Path, dict[str, Any]]]:
    """Release and report of a catalogued source, built once for all tests of the run."""
    from filelock import FileLock

    from medloom.builders.build import Options, build

    def one(name: str) -> tuple[Path, dict[str, Any]]:
        raw, folder = raw_root(name), shared_folder / "built" / name
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / "lock"):
            return folder / "release", build(name, raw, folder / "release", options=Options())

    return one


TWIN_SOURCE = """
from medloom.builders.source import Access, Expect, Facts, Layout, Source
from medloom.builders.unit import Unit
from medloom.schema.triplet import Triplet

FACTS = Facts(
    name="{name}", title="{name}", homepage="https://example.org", licence="CC0-1.0", licence_evidence="drawn by the test",
    citation="@misc{{{name}}}", cite="https://example.org", access=Access.GENERATED, group_kind="patient",
    triplet=Triplet("Mic", "cell", "unlabelled"), clinical_task="None", department="Hematology",
)

def read(raw):
    for image in raw.glob("*/*.png", "*/*.jpg"):
        split, name = image.split("/")
        yield Unit(files=(image,), reader="raster", group=name.split("-")[0], split=split if split != "all" else None)

SOURCE = Source(
    facts=FACTS, labels={{}}, read=read, layouts=(Layout(name="flat", expects=(Expect(pattern="*/*", what="pictures"),)),),
)
"""


@dataclass(frozen=True)
class Twins:
    """A release of two sources that share pictures. Copy it before changing it.

    `owned` has 20 patients in its owner's train and test; `dealt` has 25, dealt by a hash: 10 with JPEG copies of owned
    pictures, 5 with exact ones, 5 of their own, and 5 with JPEG copies of those. A blank picture is in both.
    """

    release: Path
    pictures: list[np.ndarray]
    """25 grey pictures, 80×96 uint8: 20 of `owned`, then the 5 that only `dealt` has."""


@pytest.fixture(scope="session")
def twins(tmp_path_factory: pytest.TempPathFactory) -> Twins:
    import cv2

    from medloom.builders.build import Options, build

    folder, random = tmp_path_factory.mktemp("twins"), np.random.default_rng(11)
    coarse, fine = random.normal(size=(25, 10, 12)), random.normal(size=(25, 40, 48))
    layers = [cv2.resize(layer, (96, 80), interpolation=cv2.INTER_CUBIC) for layer in coarse]
    layers = [layer + 0.5 * cv2.resize(detail, (96, 80)) for layer, detail in zip(layers, fine, strict=True)]
    pictures = [np.clip(128 + 45 * layer, 0, 255).astype(np.uint8) for layer in layers]
    for name in ("owned/train", "owned/test", "dealt/all"):
        (folder / name).mkdir(parents=True)
    blank = np.full((80, 96), 7, np.uint8)
    for number, picture in enumerate([*pictures[:20], blank]):
        Image.fromarray(picture).save(folder / "owned" / ("train" if number % 2 else "test") / f"p{number:02d}-0.png")
    for number, picture in enumerate([*pictures, *pictures[20:], blank]):
        near = number < 10 or 25 <= number < 30
        path = folder / "dealt" / "all" / f"q{number:02d}-{number % 3}.{'jpg' if near else 'png'}"
        kept = number < 15 or number >= 20
        if kept:
            Image.fromarray(picture).save(path, **({"quality": 80} if near else {}))
    for name in ("owned", "dealt"):
        (folder / f"{name}.py").write_text(TWIN_SOURCE.format(name=name))
        build(str(folder / f"{name}.py"), folder / name, folder / "release", options=Options())
    return Twins(folder / "release", pictures)
