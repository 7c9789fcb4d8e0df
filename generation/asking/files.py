"""The files of a suite: where they lie, how they get there, and how one `ask` keeps another out."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...schema import disk
from ...schema.disk import read_json, write_json
from ...schema.errors import UsageError
from ...schema.question_set import FOLDER, INFO, MADE_FROM, REVIEW
from ...schema.release import work_folder
from .counts import counted


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
        return work_folder(self.release) / FOLDER / self.suite

    @property
    def report(self) -> Path:
        """What was left out, with examples."""
        return self.work.with_name(f"{self.suite}-report.json")

    @property
    def answers(self) -> Path:
        """Whole questions of withheld splits."""
        return (self.private or work_folder(self.release) / "answers") / self.suite

    def forget_work(self) -> None:
        """Remove what isn't needed any more, at once for whoever comes after a kill."""
        old = self.work.with_name(f".{self.suite}.done")
        shutil.rmtree(old, ignore_errors=True)
        self.work.rename(old)
        shutil.rmtree(old)


def stand(places: Places, plan: dict[str, Any]) -> bool:
    """Whether the questions of a plan are there, whole, and withheld answers where they belong."""
    folders = [places.out, *([places.answers] if plan["withheld"] else [])]
    return all(_holds(folder, plan) for folder in folders)


def move(places: Places, plan: dict[str, Any], told: Sequence[dict[str, Any]]) -> None:
    """Put what is staged in its place: withheld answers, then the questions with what is told of each file."""
    if plan["withheld"]:
        private = [{**one, **one["answers"]} for one in told if one["answers"] is not None]
        count = {"questions": sum(one["questions"] for one in private)}
        write_json(places.work / "answers" / INFO, plan | count | _files(private))
        _swap(places.work / "answers", places.answers, aside=places.answers.parent)
    staged = places.work / "staged"
    write_json(staged / INFO, plan | counted(told) | _files(told))
    if (places.out / REVIEW).is_file():  # people's work: kept as it is, even where it is no JSON any more
        shutil.copyfile(places.out / REVIEW, staged / REVIEW)
    _swap(staged, places.out, aside=places.work.parent)


def _files(told: Sequence[dict[str, Any]]) -> dict[str, Any]:
    names = ("path", "shard", "samples", "questions", "bytes", "sha256")
    return {"files": [{name: one[name] for name in names} for one in told]}


def _holds(folder: Path, plan: dict[str, Any]) -> bool:
    """Whether a folder holds what a plan says, whole."""
    info = read_json(folder / INFO)
    if not isinstance(info, dict) or any(info.get(name) != plan[name] for name in MADE_FROM):
        return False
    files = {folder / one["path"]: one["bytes"] for one in info["files"] if one["questions"]}
    return all(path.is_file() and path.stat().st_size == size for path, size in files.items())


def _swap(staged: Path, out: Path, *, aside: Path) -> None:
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


def alone(places: Places) -> AbstractContextManager[None]:
    """Hold the suite for one `ask`."""
    return disk.alone(places.work.with_name(f"{places.suite}.lock"), busy=f"{places.out}: it is being asked already")
