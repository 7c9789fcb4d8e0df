"""The drawn phantoms with two suites of questions, and a second copy whose test answers lie apart."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from medloom.generation.asking.ask import ask
from medloom.train.asked import ReleaseAsked


@dataclass(frozen=True)
class Phantoms:
    """`release` holds all answers; of `hidden` those of the test split lie in `answers`."""

    release: Path
    hidden: Path
    answers: Path

    def asked(self, suite: str = "gmai", *, split: str = "test", **more: Any) -> ReleaseAsked:
        return ReleaseAsked.open(self.release, suite=suite, split=split, **more)


def asked_phantoms(folder: Path, built: Path) -> Phantoms:
    """Made once in a folder that several test workers share."""
    folder.mkdir(exist_ok=True)
    made = Phantoms(folder / "release", folder / "hidden", folder / "answers")
    with FileLock(folder / "lock"):
        if not made.hidden.exists():
            shutil.copytree(built, made.release)
            for suite in ("gmai", "mimoseg"):
                ask(made.release, suite)
            shutil.copytree(built, folder / "copy")
            ask(folder / "copy", "gmai", withhold=["test"], answers=made.answers)
            (folder / "copy").rename(made.hidden)
    return made
