"""What a training run reads, in the form that TRL's parser takes from YAML and the command line.

    data:
    - {release: org/name, suite: gmai, select: {modality: CT}, weight: 0.5}
    - {release: my-release, suite: mimoseg, kinds: [grounding]}
    general:
    - {path: llava.json, images: pictures, share: 0.1}
    held_out:
    - {release: org/name, suite: gmai, split: validation, limit: 200}

On the command line, `--data RELEASE:SUITE` and `--general PATH` stand for the short forms.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

from ...schema.errors import UsageError
from ...schema.sample import SPLITS
from ..conversation import Style

FORMS = ("llava", "messages", "prompt_completion")
"""LLaVA's JSON; columns `messages` and `images`; columns `prompt`, `completion` and `images`."""


@dataclass(frozen=True)
class Part:
    """Questions of a suite of a release, as `medloom.load` selects them."""

    release: str
    """A folder, or `org/name`, `org/name@revision`; with `:SUITE` behind it where no suite is given apart."""
    suite: str = ""
    split: str = "train"
    config: str = "default"
    select: dict[str, Any] = field(default_factory=dict)
    """As `medloom.load` takes it: modality, area, task, subset, department, …, and `where`."""
    kinds: tuple[str, ...] = ()
    """Of `schema/question.py`; all without."""
    weight: float = 1.0
    """How often an epoch takes each row: below 1 another seeded share every epoch, above 1 rows are repeated."""
    limit: int | None = None
    """So many rows drawn by the seed; a larger limit takes the same and more."""

    def __post_init__(self):
        if not self.suite:
            release, _, suite = self.release.rpartition(":")
            object.__setattr__(self, "release", release)
            object.__setattr__(self, "suite", suite)
        kinds = (self.kinds,) if isinstance(self.kinds, str) else tuple(self.kinds or ())
        object.__setattr__(self, "kinds", kinds)
        object.__setattr__(self, "select", dict(self.select or {}))
        _check(bool(self.release and self.suite), f"release {self.release!r}, suite {self.suite!r}", "both, or RELEASE:SUITE")
        _check(self.split in SPLITS, f"split {self.split!r} of {self.release}", f"one of {', '.join(SPLITS)}")
        _check(_above_zero(self.weight), f"weight {self.weight} of {self.release}", "a number above 0")
        _check(self.limit is None or self.limit > 0, f"limit {self.limit} of {self.release}", "1 or more, or none")


@dataclass(frozen=True)
class General:
    """A set of conversations from elsewhere, mixed in so that the model keeps its general skills."""

    path: str
    """A JSON, JSONL or Parquet file, a folder of them, or a dataset repository."""
    images: str | None = None
    """Folder that the names of pictures are relative to; that of the file without."""
    form: str = "llava"
    """One of `FORMS`."""
    split: str | None = None
    """Of a repository; `train` without."""
    share: float = 0.1
    """Of all rows of an epoch."""
    limit: int | None = None
    """So many rows drawn by the seed; a larger limit takes the same and more."""

    def __post_init__(self):
        _check(self.form in FORMS, f"form {self.form!r} of {self.path}", f"one of {', '.join(FORMS)}")
        _check(0 < self.share < 1, f"share {self.share} of {self.path}", "more than 0 and less than 1")
        _check(self.limit is None or self.limit > 0, f"limit {self.limit} of {self.path}", "1 or more, or none")


@dataclass(frozen=True)
class DataArguments:
    """All that a run reads, and how questions are put."""

    data: list[Part] = field(
        default_factory=list, metadata={"help": "What to train on: RELEASE:SUITE, or in YAML the fields of a part."}
    )
    general: list[General] = field(
        default_factory=list, metadata={"help": "General conversations to mix in: a path, or in YAML more about it."}
    )
    held_out: list[Part] = field(
        default_factory=list, metadata={"help": "What to evaluate on while training; as data, mostly of split validation."}
    )
    streaming: bool = field(default=False, metadata={"help": "Read in lanes, one for each rank and worker, epoch after epoch."})
    block: int = field(
        default=1, metadata={"help": "So many neighbouring rows stay together: fewer reads of a remote release."}
    )
    dialect: str | None = field(default=None, metadata={"help": "How places are written; that of the model's family without."})
    prompts: str = field(
        default="drawn", metadata={"help": "How boxes and points of a question are shown: drawn, text or both."}
    )
    masks: str = field(default="polygon", metadata={"help": "How an answer gives a mask: polygon or box."})
    instruction: bool = field(default=True, metadata={"help": "Whether questions say how to answer."})
    system: str | None = field(default=None, metadata={"help": "Text of a system turn."})

    def __post_init__(self):
        for name, kind in (("data", Part), ("general", General), ("held_out", Part)):
            object.__setattr__(self, name, [_of(kind, one, name) for one in getattr(self, name) or ()])
        shares = sum(one.share for one in self.general)
        _check(shares < 1, f"shares of general sets that sum to {shares:g}", "less than 1, so that room is left for data")
        _check(self.block >= 1, f"block {self.block}", "1 or more rows")

    def style(self, dialect: str) -> Style:
        """How questions are put, in the dialect asked for here, or else in the one given (that of the model's family)."""
        return Style(self.dialect or dialect, self.prompts, self.masks, self.instruction, self.system)


def _of(kind: type[Any], given: Any, name: str) -> Any:
    """A part of what YAML, the command line or a caller gave."""
    if isinstance(given, kind):
        return given
    if isinstance(given, str):
        return kind(given)
    known = [one.name for one in fields(kind)]
    first, wrong = known[0], sorted(set(given).difference(known))
    _check(not wrong, f"{name}: unknown {', '.join(wrong)}", f"some of {', '.join(known)}")
    _check(first in given, f"{name}: {given} without {first}", f"{first}, and what else is to be said")
    return kind(**given)


def _above_zero(number: float) -> bool:
    return number > 0 and math.isfinite(number)


def _check(right: bool, found: str, expected: str) -> None:
    if not right:
        raise UsageError(f"{found}; expected {expected}; see train/data/arguments.py")
