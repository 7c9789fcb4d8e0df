"""The folder of a run: what it was asked, on which data, under what; and at the end its scores and its card.

    config.yaml        settings that differ from the defaults, as resolved; `--config` reads it again
    data.json          digests, counts and selections of what was trained on and held out; sources with their licences
    environment.json   versions of libraries, processors, accelerators
    metrics.json       the last scores and the whole course of training
    README.md          the model card
    model/             weights and processor: the best, else the last
    checkpoint-*/      what a resumed run starts from
    logs/              for TensorBoard

No file of these holds a host's or user's name, or an absolute path, and none has its name before it is whole. Checkpoints
and logs are the libraries' own: they stay here when the run is pushed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ...schema.disk import read_json, write_json, write_text
from ...schema.errors import UsageError
from .base_licence import base_licence
from .data_rights import SourceUse, sources_of
from .environment import environment
from .told_settings import plain, told

if TYPE_CHECKING:
    from ..data.arguments import Part
    from ..data.parts import PartRows

CONFIG, DATA, ENVIRONMENT, METRICS, CARD = "config.yaml", "data.json", "environment.json", "metrics.json", "README.md"
MODEL, LOGS = "model", "logs"
_COURSE = ("total_flos",)
"""Entries of the course that say nothing of the model."""


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run's folder. Only the first process of a run writes there."""

    root: Path

    @classmethod
    def open(cls, root: Path | str) -> RunFolder:
        """The folder of a run that was begun.

        Raises:
            UsageError: it is none.
        """
        path = Path(root)
        if not (path / CONFIG).is_file():
            raise UsageError(f"{root}: no {CONFIG}; expected the folder of a run; `medloom train` makes one (--output_dir)")
        return cls(path)

    @classmethod
    def begin(
        cls,
        root: Path | str,
        *,
        method: str,
        settings: Sequence[Any],
        data: Mapping[str, Any],
        held_out: Mapping[str, Any] | None = None,
        parts: Sequence[Part | PartRows] = (),
        base: str,
    ) -> RunFolder:
        """The folder with what is known before the first step.

        Args:
            root: Where it goes.
            method: sft or grpo.
            settings: The dataclasses that the parser gave, resolved.
            data: The fingerprint of what is trained on (`data/mixture.py`).
            held_out: That of what is held out.
            parts: What of it comes of releases; its sources and their licences are looked up.
            base: Name or folder of the model that training starts from.

        Raises:
            ReleaseError: a release can't be read.
        """
        run = cls(Path(root))
        run.root.mkdir(parents=True, exist_ok=True)
        text = yaml.safe_dump(told(settings), sort_keys=False, allow_unicode=True, width=120)
        write_text(run.root / CONFIG, [text])
        facts = {
            "method": method,
            "base": plain(base),
            "base_licence": base_licence(base),
            "train": plain(data),
            "held_out": plain(held_out) if held_out else None,
            "sources": [one.as_json() for one in sources_of(parts)],
        }
        write_json(run.root / DATA, facts)
        write_json(run.root / ENVIRONMENT, environment())
        return run

    def finish(self, *, metrics: Mapping[str, float], history: Sequence[Mapping[str, Any]]) -> None:
        """Write the scores and the card.

        Args:
            metrics: The last ones, of what was held out where something was.
            history: What the trainer logged (`trainer.state.log_history`).
        """
        from .model_card import model_card

        course = [{name: value for name, value in one.items() if name not in _COURSE} for one in history]
        write_json(self.root / METRICS, {"last": plain(dict(metrics)), "course": plain(course)})
        write_text(self.root / CARD, [model_card(self)])

    def save(self, write: Callable[[Path], object], *, replaces: bool = True) -> Path:
        """Where the model lies, after `write` put it into a folder that got its name when it was whole.

        Args:
            write: Given an empty folder; such as `trainer.save_model`.
            replaces: Whether an earlier model gives way; else it stays, and nothing is written.
        """
        model, temporary, earlier = self.model, self.root / f".{MODEL}.tmp", self.root / f".{MODEL}.old"
        if model.exists() and not replaces:
            return model
        for path in (temporary, earlier):
            shutil.rmtree(path, ignore_errors=True)
        temporary.mkdir(parents=True)
        write(temporary)
        if model.exists():
            model.replace(earlier)
        temporary.replace(model)
        shutil.rmtree(earlier, ignore_errors=True)
        return model

    @property
    def model(self) -> Path:
        """Where weights and processor lie."""
        return self.root / MODEL

    @property
    def config(self) -> dict[str, Any]:
        """What `config.yaml` says."""
        return yaml.safe_load((self.root / CONFIG).read_text(encoding="utf-8")) or {}

    @property
    def data(self) -> dict[str, Any]:
        """What `data.json` says."""
        return read_json(self.root / DATA) or {}

    @property
    def environment(self) -> dict[str, Any]:
        """What `environment.json` says."""
        return read_json(self.root / ENVIRONMENT) or {}

    @property
    def metrics(self) -> dict[str, Any]:
        """What `metrics.json` says: `last` and `course`; both empty before the end."""
        return read_json(self.root / METRICS) or {"last": {}, "course": []}

    @property
    def sources(self) -> list[SourceUse]:
        """The sources of its data, with their rights."""
        listed = self.data.get("sources", [])
        return [SourceUse(**{**one, "licences": tuple(one["licences"]), "refused": tuple(one["refused"])}) for one in listed]


def is_first_process() -> bool:
    """Whether this process writes for all of a run."""
    return os.environ.get("RANK", "0") == "0"
