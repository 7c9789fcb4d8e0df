"""An export's folder: written beside its name, and given that name when all of it is there."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...schema.errors import UsageError
from ..asked import Asked

if TYPE_CHECKING:
    from PIL.Image import Image

Progress = Callable[[int, int], None]
"""Told how many are done, of how many."""


def silent(done: int, total: int) -> None:
    """Progress that nobody watches."""


@dataclass
class Folder:
    """What an export writes, and what it leaves out and why."""

    root: Path
    left_out: Counter[str] = field(default_factory=Counter)
    pictures: dict[tuple[Any, ...], str] = field(default_factory=dict)
    """What a picture shows → its path, so that questions about the same one share a file."""

    def picture(self, asked: Asked, picture: Image, *, stem: str, under: str = "images") -> str:
        """The path, from the root, of what the question shows as PNG; `stem` names a new one."""
        shown = (asked.question.key, asked.question.prompts)
        if shown not in self.pictures:
            path = f"{under}/{stem}.png"
            save_png(picture, self.root / path)
            self.pictures[shown] = path
        return self.pictures[shown]


def save_png(picture: Image, path: Path) -> None:
    """The picture as PNG under a name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, "PNG", compress_level=1)


@contextmanager
def written(out: Path, *, fresh: bool) -> Iterator[Folder]:
    """A folder beside `out` that becomes it at the end; nothing stays of it after a fault.

    Raises:
        UsageError: `out` is there already, and not to be made anew; or it is something that no export replaces.
    """
    out = _replaceable(out, fresh=fresh)
    part = out.with_name(f".{out.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        yield Folder(part)
        _replace(part, out)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _replaceable(out: Path, *, fresh: bool) -> Path:
    whole = out.resolve()
    if whole.exists() and not whole.is_dir():
        raise UsageError(f"{out} is a file; expected a new folder")
    if Path.cwd().is_relative_to(whole):
        raise UsageError(f"{out} is or holds the folder you are in; expected a new folder; give another --out")
    if not whole.is_dir() or not any(whole.iterdir()):
        return whole
    if not fresh:
        raise UsageError(f"{out} isn't empty; expected a new folder; --fresh replaces it")
    if (whole / "recipes").is_dir() and (whole / "index").is_dir():
        raise UsageError(f"{out} is a release, which --fresh doesn't replace; expected a new folder; give another --out")
    return whole


def _replace(part: Path, out: Path) -> None:
    old = out.with_name(f".{out.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    part.rename(out)
    shutil.rmtree(old, ignore_errors=True)
