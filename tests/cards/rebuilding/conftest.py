"""Two drawn sources in one release with questions; the raw roots of both lie beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from published_cells import Published, published_cells


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Published:
    return published_cells(tmp_path_factory.mktemp("published"))


@pytest.fixture
def own(published: Published, tmp_path: Path) -> Published:
    """A copy of `published` to change."""
    return published.copy(tmp_path / "own")
