"""What an evaluation asks, and in which parts: all that its predictions follow from, so that a rerun can go on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ... import __version__
from ...schema.disk import read_json
from ...schema.errors import ResumeError, UsageError
from ..asked import AskedSet
from ..conversation import Style
from ..predicting.backend import Backend
from ..prediction import PLAIN
from .shots import Shots
from .shown import digest_of
from .variants import Variant

PLAN = "plan.json"


@dataclass(frozen=True, slots=True)
class Part:
    """Questions that are asked in one call and kept in one file."""

    variant: str
    start: int
    stop: int
    """Places in the list of questions, half-open."""

    @property
    def file(self) -> str:
        """Its name under `parts/`."""
        return f"{(self.variant or 'plain').replace(':', '-')}-{self.start:08d}.parquet"


@dataclass(frozen=True, slots=True)
class Plan:
    """What is asked."""

    settings: Mapping[str, Any]
    """As `plan.json` holds them."""

    @classmethod
    def of(
        cls,
        asked: AskedSet,
        backend: Backend,
        *,
        style: Style,
        variants: Sequence[Variant],
        shots: Shots | None,
        seed: int,
    ) -> Plan:
        """The plan of an evaluation."""
        settings = {
            "medloom": __version__,
            "asked": _without_path(asked.name),
            "questions": len(asked),
            "digest": digest_of(asked.questions()),
            "backend": dict(backend.settings),
            "at_once": backend.at_once,
            "style": asdict(style),
            "variants": [one.id for one in variants],
            "shots": None if shots is None else shots.told,
            "seed": seed,
            "pillow": version("pillow"),
        }
        return cls(json.loads(json.dumps(settings)))

    @classmethod
    def read(cls, out: Path) -> Plan:
        """The plan of an evaluation that was run.

        Raises:
            UsageError: there is none.
        """
        settings = read_json(out / PLAN)
        if not isinstance(settings, dict):
            raise UsageError(f"{out}: no {PLAN} that can be read; expected the folder of an evaluation")
        return cls(settings)

    def parts(self) -> Iterator[Part]:
        """All parts, the questions as they stand first."""
        count, step = self.settings["questions"], self.settings["at_once"]
        for variant in (PLAIN, *self.settings["variants"]):
            for start in range(0, count, step):
                yield Part(variant, start, min(count, start + step))

    def check_same(self, out: Path) -> bool:
        """Whether a folder holds predictions of this very plan; False where it holds none.

        Raises:
            ResumeError: it holds those of another one.
        """
        before = read_json(out / PLAN)
        if before is None:
            return False
        changed = sorted(name for name in {*before, *self.settings} if before.get(name) != self.settings.get(name))
        if changed:
            told = "; ".join(f"{name} was {_short(before.get(name))}, is {_short(self.settings.get(name))}" for name in changed)
            raise ResumeError(f"{out}: {told}; expected the same; take another folder, or --fresh to begin anew")
        return True

    @property
    def style(self) -> Style:
        """How questions are put."""
        return Style(**self.settings["style"])


def _without_path(name: str) -> str:
    """A set's name, with the folder of its release by that folder's own name alone."""
    place, colon, rest = name.partition(":")
    return f"{Path(place).resolve().name}{colon}{rest}" if Path(place).is_dir() else name


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:117]}..."
