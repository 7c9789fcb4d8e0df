"""What will change in a release, staged whole beside it, and moved in so that a kill leaves nothing that can't be completed.

    RELEASE.work/.withdraw/release/…    new files by their paths in the release
    RELEASE.work/.withdraw/work/…       new files by their paths in RELEASE.work (withheld answers)
    RELEASE.work/.withdraw/moves.json   what is moved and removed; there once everything is staged

Without `moves.json` the release is as it was, and what is staged is forgotten. With it the release is complete once every
move was made, by whoever comes next: another `withdraw`, or a build.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...schema.disk import read_json, write_json
from ...schema.release import Release
from ...schema.withdrawn import FILE

RELEASE, WORK = "release", "work"
_README = f"{RELEASE}/README.md"


@dataclass(frozen=True, slots=True)
class Journal:
    """The staged change of one release."""

    release: Release

    @property
    def folder(self) -> Path:
        """Beside the work folders of builds; no source begins with a dot."""
        return self.release.work / ".withdraw"

    @property
    def staged(self) -> Release:
        """The files of the release as they will be: new ones, and links to those that others are made from."""
        return Release(self.folder / RELEASE)

    def begin(self) -> None:
        """Forget what was staged and never committed."""
        shutil.rmtree(self.folder, ignore_errors=True)
        (self.folder / RELEASE).mkdir(parents=True)

    def link(self, path: str) -> None:
        """Lay a file of the release beside the staged ones, as it is."""
        source, target = self.release.root / path, self.folder / RELEASE / path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(source, target)
        except OSError:  # a disk without links
            shutil.copyfile(source, target)

    def commit(self, remove: list[str], **told: Any) -> None:
        """From here on the change will happen; `remove` names files as `release/…` or `work/…`."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        changed = [path.relative_to(self.folder).as_posix() for path in files if not self._is_link(path)]
        changed.sort(key=lambda path: (path != f"{RELEASE}/{FILE}", path == _README, path))
        write_json(self.folder / "moves.json", {"replace": changed, "remove": sorted(remove), **told})

    def pending(self) -> dict[str, Any] | None:
        """What was committed and may not be done yet."""
        return read_json(self.folder / "moves.json")

    def complete(self) -> dict[str, Any] | None:
        """Make every move that wasn't made yet; what was committed, None where nothing was."""
        moves = self.pending()
        if moves is None:
            return None
        for path in moves["replace"]:
            staged, target = self.folder / path, self._target(path)
            if staged.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                staged.replace(target)
        for path in moves["remove"]:
            self._target(path).unlink(missing_ok=True)
            _prune(self._target(path).parent, (self.release.root, self.release.work))
        for source, (old, new) in moves["done"].items():
            mark = self.release.work / source / "done.json"
            if read_json(mark) == old:  # a finished build of the source stays finished
                write_json(mark, new)
        return moves

    def forget(self) -> None:
        """Remove what isn't needed any more, the list of moves first."""
        (self.folder / "moves.json").unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _target(self, path: str) -> Path:
        place, rest = path.split("/", 1)
        return (self.release.root if place == RELEASE else self.release.work) / rest

    def _is_link(self, path: Path) -> bool:
        target = self._target(path.relative_to(self.folder).as_posix())
        return target.exists() and target.samefile(path)


def complete(root: Path) -> None:
    """Complete a withdrawal from the release at a folder that was killed on its way in."""
    journal = Journal(Release(root.resolve()))
    journal.complete()
    journal.forget()


def _prune(folder: Path, stop: tuple[Path, ...]) -> None:
    """Remove folders that became empty."""
    while folder not in stop and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
