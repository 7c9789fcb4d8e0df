"""One chunk of units to one part: the read stage's task, as workers run it."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..schema.errors import DataError, Issue, MedLoomError, Severity, UsageError
from ..schema.labels import Overrides
from . import catalog
from .deidentify import Salt
from .engine import Crashed, run
from .parts import PartWriter
from .raw import Raw
from .read import Encoded, samples_of
from .report import Tally
from .source import Reading
from .split import share_of
from .unit import Unit
from .workspace import Workspace


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker must know to read a chunk."""

    spec: str
    raw_root: Path
    workspace: Workspace
    salt: Salt
    reading: Reading
    overrides: Overrides = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One task of the read stage; `only` names the one unit to read alone, to find what crashes."""

    job: Job
    number: int
    skip: frozenset[str] = frozenset()
    only: str | None = None


def write_units(folder: Path, number: int, units: list[Unit]) -> None:
    """Put the units of a chunk where its reader looks for them."""
    _place(folder, number).write_bytes(pickle.dumps(units))


def read_chunk(chunk: Chunk) -> dict[str, Any]:
    """Read the units of a chunk into a part; its summary."""
    tally, failed = Tally(), 0
    units = _units(chunk)
    with PartWriter(chunk.job.workspace.parts, chunk.number) as part:
        for unit in units:
            mark = part.mark()
            try:
                for encoded, share in _samples(unit, chunk, tally):
                    part.add(encoded, share)
                continue
            except DataError as error:
                issue = error.issue()
            except MedLoomError:
                raise
            except Exception as error:  # noqa: BLE001 - a decoder may raise anything on broken bytes
                found = f"{type(error).__name__}: {error}"[:300]
                issue = Issue("unreadable", "", found, "a file that can be decoded", "it was left out", Severity.ERROR)
            part.back_to(mark)
            failed += 1
            tally.within(unit.name)(issue)
        summary = {"number": chunk.number, "units": len(units), "failed": failed, "issues": tally.rows()}
        if chunk.only is None:
            part.finish(summary)
    return summary | {"samples": len(part.rows)}


def read_without_crashers(chunk: Chunk) -> dict[str, Any]:
    """Read a chunk that killed its worker: each unit alone to find the culprits, then the others together."""
    probes = [replace(chunk, only=unit.name) for unit in _units(chunk)]
    crashed = frozenset(one.task.only for one in run(read_chunk, probes, workers=2) if isinstance(one, Crashed))
    again = next(run(read_chunk, [replace(chunk, skip=crashed)], workers=2))  # never here: it might end the driver
    if isinstance(again, Crashed):
        raise UsageError(
            f"reading {probes[0].only} and {len(probes) - 1} more units ends the worker, though each alone is read; expected "
            "memory for them; free some and go on with the same command"
        )
    return again


def _samples(unit: Unit, chunk: Chunk, tally: Tally) -> Iterator[tuple[Encoded, float]]:
    """Each sample, with where its group falls for hashed splits."""
    job = chunk.job
    if unit.name in chunk.skip:
        raise DataError("it ended the process that read it", expected="a file that can be decoded", code="crash")
    source = catalog.load(job.spec)
    raw = _opened(job.raw_root, job.workspace.unpacked)
    share = share_of(source.facts.collection or source.facts.name, unit.group or unit.name)
    report = tally.within(unit.name)
    for encoded in samples_of(
        unit, source, raw=raw, salt=job.salt, reading=job.reading, report=report, overrides=job.overrides
    ):
        yield encoded, share


def _units(chunk: Chunk) -> list[Unit]:
    units: list[Unit] = pickle.loads(_place(chunk.job.workspace.units, chunk.number).read_bytes())
    return [unit for unit in units if chunk.only in (None, unit.name)]


def _place(folder: Path, number: int) -> Path:
    return folder / f"{number:06d}.pickle"


@lru_cache(maxsize=4)
def _opened(root: Path, unpacked: Path) -> Raw:
    return Raw(root, unpack_to=unpacked)
