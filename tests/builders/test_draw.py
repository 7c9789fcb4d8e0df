"""Raw roots that a source fills itself: whole or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from medloom.builders import catalog
from medloom.builders.draw import draw, needs_drawing
from medloom.schema.errors import UsageError


def test_an_empty_folder_is_filled_and_a_full_one_left_alone(tmp_path: Path):
    source = replace(catalog.load("phantom"), draw=lambda folder: folder.joinpath("a.png").write_bytes(b"x") and None)
    raw = tmp_path / "deep" / "raw"
    assert needs_drawing(source, raw)
    raw.mkdir(parents=True)
    assert needs_drawing(source, raw)
    draw(source, raw)
    assert [path.name for path in raw.iterdir()] == ["a.png"]
    assert not needs_drawing(source, raw)


def test_a_drawing_that_fails_leaves_nothing_under_the_final_name(tmp_path: Path):
    def half(folder: Path) -> None:
        (folder / "a.png").write_bytes(b"x")
        raise KeyboardInterrupt

    source = replace(catalog.load("phantom"), draw=half)
    with pytest.raises(KeyboardInterrupt):
        draw(source, tmp_path / "raw")
    assert not (tmp_path / "raw").exists()
    assert needs_drawing(source, tmp_path / "raw")


def test_an_owners_files_can_not_be_drawn(tmp_path: Path):
    source = catalog.load("bccd")
    assert not needs_drawing(source, tmp_path / "raw")
    with pytest.raises(UsageError, match="bccd can't be drawn; get it from https"):
        draw(source, tmp_path / "raw")
