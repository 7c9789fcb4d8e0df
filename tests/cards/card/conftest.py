"""Releases with a card: the drawn phantom with questions, and three real sources under licences that differ."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from medloom.builders.build import Options, build
from medloom.cards.card.card import card
from medloom.generation.asking.ask import ask
from medloom.schema.release import Release


@dataclass(frozen=True)
class Carded:
    """A release, and what `card` said of it. Copy it before changing it."""

    release: Release
    told: dict[str, Any]

    @property
    def root(self) -> Path:
        return self.release.root

    def text(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def carded(built: Callable[[str], tuple[Path, dict[str, Any]]], tmp_path_factory: pytest.TempPathFactory) -> Carded:
    root = tmp_path_factory.mktemp("carded") / "release"
    shutil.copytree(built("phantom")[0], root)
    ask(root, "medmat", workers=1)
    release = Release.open(root)
    return Carded(release, card(release, pretty_name="Phantoms | drawn <by> us"))


@pytest.fixture
def changed(carded: Carded, tmp_path: Path) -> Carded:
    """A copy for one test."""
    shutil.copytree(carded.root, tmp_path / "release")
    return Carded(Release.open(tmp_path / "release"), carded.told)


@pytest.fixture(scope="session")
def mixed(raw_root: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Carded:
    """Ten units each of three real sources: MIT, licences image by image, and terms that grant nothing."""
    root = tmp_path_factory.mktemp("mixed") / "release"
    for name in ("bccd", "covid_chestxray_boxes", "kvasir_seg_mini"):
        build(name, raw_root(name), root, options=Options(limit=10))
    return Carded(Release.open(root), card(Release.open(root), repo="some-lab/three-small-sources"))
