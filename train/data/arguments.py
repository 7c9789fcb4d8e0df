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
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from ...schema.errors import UsageError
from ...schema.sample import SPLITS
from ..conversation import MASKS, PROMPTS, Style
from ..coordinates import dialect

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
        of = str(self.release)
        release, _, suite = (of, "", str(self.suite)) if self.suite else of.rpartition(":")
        named = bool(release and suite) and "/" not in suite
        _check(named, f"release {of!r} without a suite", "RELEASE:SUITE, such as demo:gmai; `medloom ask` makes suites")
        _check(not self.select or isinstance(self.select, Mapping), f"select {self.select!r} of {of}", "such as {modality: CT}")
        kinds = (self.kinds,) if isinstance(self.kinds, str) else tuple(self.kinds or ())
        told = {"release": release, "suite": suite, "kinds": kinds, "select": dict(self.select or {})}
        told |= {"weight": _number(self.weight, "weight", of=of), "limit": _count(self.limit, "limit", of=of)}
        for name, value in told.items():
            object.__setattr__(self, name, value)
        _check(self.split in SPLITS, f"split {self.split!r} of {of}", f"one of {', '.join(SPLITS)}")
        _check(_above_zero(self.weight), f"weight {self.weight:g} of {of}", "a number above 0")


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
        object.__setattr__(self, "share", _number(self.share, "share", of=self.path))
        object.__setattr__(self, "limit", _count(self.limit, "limit", of=self.path))
        _check(self.form in FORMS, f"form {self.form!r} of {self.path}", f"one of {', '.join(FORMS)}")
        _check(0 < self.share < 1, f"share {self.share:g} of {self.path}", "more than 0 and less than 1")


@dataclass(frozen=True)
class DataArguments:
    """All that a run reads, and how questions are put."""

    data: list[Part] = field(
        default_factory=list,
        metadata={
            "help": "What to train on: one RELEASE:SUITE or more; in YAML also with "
            "split, config, select, kinds, weight and limit of each."
        },
    )
    general: list[General] = field(
        default_factory=list,
        metadata={"help": "General conversations to mix in: a path; in YAML images, form, share, limit."},
    )
    held_out: list[Part] = field(
        default_factory=list,
        metadata={"help": "What to evaluate on at eval_strategy; as data, mostly of split validation."},
    )
    streaming: bool = field(default=False, metadata={"help": "Read in lanes, one for each rank and worker, epoch after epoch."})
    block: int = field(
        default=1, metadata={"help": "So many neighbouring rows stay together: fewer reads of a remote release."}
    )
    dialect: str | None = field(default=None, metadata={"help": "How places are written; none is that of the model's family."})
    prompts: str = field(
        default="drawn", metadata={"help": "How boxes and points of a question are shown: drawn, text or both."}
    )
    masks: str = field(default="polygon", metadata={"help": "How an answer gives a mask: polygon or box."})
    instruction: bool = field(default=True, metadata={"help": "Whether questions say how to answer."})
    system: str | None = field(default=None, metadata={"help": "Text of a system turn."})

    def __post_init__(self):
        for name, kind in (("data", Part), ("general", General), ("held_out", Part)):
            object.__setattr__(self, name, [_of(kind, one, name) for one in _several(getattr(self, name))])
        shares = sum(one.share for one in self.general)
        _check(shares < 1, f"shares of general sets that sum to {shares:g}", "less than 1, so that room is left for data")
        _check(self.block >= 1, f"block {self.block}", "1 or more rows")
        _check(self.prompts in PROMPTS, f"prompts {self.prompts!r}", f"one of {', '.join(PROMPTS)}")
        _check(self.masks in MASKS, f"masks {self.masks!r}", f"one of {', '.join(MASKS)}")
        if self.dialect is not None:
            dialect(self.dialect)

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
    _check(isinstance(given, Mapping), f"{name}: {given!r}", f"words, or a mapping with {known[0]}")
    first, wrong = known[0], sorted(set(given).difference(known))
    _check(not wrong, f"{name}: unknown {', '.join(wrong)}", f"some of {', '.join(known)}")
    _check(first in given, f"{name}: {given} without {first}", f"{first}, and what else is to be said")
    return kind(**given)


def _several(given: Any) -> list[Any]:
    """What was given, where a list is meant: one thing is a list of one."""
    return [given] if isinstance(given, str | Mapping | Part | General) else list(given or ())


def _number(given: Any, name: str, *, of: str) -> float:
    """A number of YAML, which takes `1e-1` for a word."""
    try:
        return float("no" if isinstance(given, bool) else given)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} {given!r} of {of}; expected a number") from error


def _count(given: Any, name: str, *, of: str) -> int | None:
    if given is None:
        return None
    count = _number(given, name, of=of)
    _check(count >= 1 and count.is_integer(), f"{name} {given} of {of}", "a whole number of 1 or more, or none")
    return int(count)


def _above_zero(number: float) -> bool:
    return number > 0 and math.isfinite(number)


def _check(right: bool, found: str, expected: str) -> None:
    if not right:
        raise UsageError(f"{found}; expected {expected}; docs/training.md has examples")
