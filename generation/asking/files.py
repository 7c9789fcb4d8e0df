"""The files of a suite: where they lie, how they get there, and how one `ask` keeps another out."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...schema.errors import UsageError
from ...schema.question_set import FOLDER, INFO, MADE_FROM


@dataclass(frozen=True, slots=True)
class Places:
    """Where the questions of a suite lie: in the release, on the way there, and their withheld answers."""

    release: Path
    suite: str
    private: Path | None

    def __post_init__(self) -> None:
        if self.private is not None and (self.private == self.release or self.release in self.private.parents):
            raise UsageError(f"answers at {self.private}, inside the release; expected a private folder outside of it")

    @property
    def out(self) -> Path:
        """`questions/<suite>/` of the release."""
        return self.release / FOLDER / self.suite

    @property
    def work(self) -> Path:
        """What isn't whole yet."""
        return self._beside / FOLDER / self.suite

    @property
    def report(self) -> Path:
        """What was left out, with examples."""
        return self.work.with_name(f"{self.suite}-report.json")

    @property
    def answers(self) -> Path:
        """Whole questions of withheld splits."""
        return (self.private or self._beside / "answers") / self.suite

    @property
    def _beside(self) -> Path:
        return self.release.with_name(f"{self.release.name}.work")

    def forget_work(self) -> None:
        """Remove what isn't needed any more, at once for whoever comes after a kill."""
        old = self.work.with_name(f".{self.suite}.done")
        shutil.rmtree(old, ignore_errors=True)
        self.work.rename(old)
        shutil.rmtree(old)


def holds(folder: Path, plan: dict[str, Any]) -> bool:
    """Whether a folder holds what a plan says, whole."""
    info = read_json(folder / INFO)
    if not isinstance(info, dict) or any(info.get(name) != plan[name] for name in MADE_FROM):
        return False
    files = {folder / one["path"]: one["bytes"] for one in info["files"] if one["questions"]}
    return all(path.is_file() and path.stat().st_size == size for path, size in files.items())


def swap(staged: Path, out: Path, *, aside: Path) -> None:
    """Put a copy of a folder in place of what may be there, by way of a folder on the disk of `out`."""
    fresh, old = (aside / f".{out.name}.{word}" for word in ("new", "old"))
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(staged, fresh, copy_function=_link_or_copy)
    if out.exists():
        out.rename(old)
    fresh.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def _link_or_copy(source: str, target: str) -> None:
    try:
        Path(target).hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def read_json(path: Path) -> Any:
    """The JSON of a file, None where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None


def write_json(path: Path, value: Any) -> None:
    """The value as indented JSON under its name, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(path)


@contextmanager
def alone(places: Places) -> Iterator[None]:
    """Hold the suite for one `ask`."""
    places.work.parent.mkdir(parents=True, exist_ok=True)
    with (places.work.parent / f"{places.suite}.lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            found = f"{places.out}: it is being asked already"
            raise UsageError(f"{found}; expected one at a time; wait or end it") from error
        yield
