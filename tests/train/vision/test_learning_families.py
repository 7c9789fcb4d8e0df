"""Families whose processors need torchvision learn boxes in their own coordinates, and organs, from a release on a Hub."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("torchvision", reason="torchvision is absent; `make tests` runs this folder with it", exc_type=ImportError)

from learning import learns_boxes, learns_organs

FAMILIES = ("qwen2_5_vl", "qwen3_vl")


@pytest.mark.slow
@pytest.mark.usefixtures("organs_hub")
@pytest.mark.parametrize("family", FAMILIES)
def test_boxes_are_learnt_in_the_familys_own_json(family: str, tiny_model: Callable[[str], Path], tmp_path: Path):
    learns_boxes(tiny_model(family), tmp_path, answer_tokens=200)


@pytest.mark.slow
@pytest.mark.usefixtures("organs_hub")
@pytest.mark.parametrize("family", FAMILIES)
def test_organs_are_learnt(family: str, organs: Path, tiny_model: Callable[[str], Path], tmp_path: Path):
    learns_organs(organs, tiny_model(family), tmp_path, steps=100)
