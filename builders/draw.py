"""Raw roots that a source makes itself: drawn phantoms, and files that ship inside installed packages."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..schema.errors import UsageError
from .source import Source


def needs_drawing(source: Source, raw_root: Path) -> bool:
    """Whether the source can fill the folder, and the folder is absent or empty."""
    return source.draw is not None and not (raw_root.is_dir() and any(raw_root.iterdir()))


def draw(source: Source, raw_root: Path) -> None:
    """Fill the raw root, whole or not at all.

    Raises:
        UsageError: the source's files come from its owner.
    """
    if source.draw is None:
        raise UsageError(f"{source.facts.name} can't be drawn; get it from {source.facts.homepage}")
    half = raw_root.with_name(f".{raw_root.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(parents=True)
    source.draw(half)
    if raw_root.is_dir():
        raw_root.rmdir()
    half.rename(raw_root)
