"""From a raw root to a source's share of a release: read, plan, deal, put in place.

Every stage leaves whole files in the work folder and is skipped where they stand, so a build that was killed goes on where it
stopped and ends with the same bytes. The result doesn't depend on the number of workers.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from enum import Enum
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from ..schema.disk import read_json, write_json
from ..schema.errors import Issue, TooManyBadUnits
from ..schema.release import Release
from ..schema.withdrawn import Withdrawn, withdrawn_of
from . import catalog
from .chunk import Chunk, Job, read_chunk, read_without_crashers, write_units
from .deal import deal, hands, plan
from .deidentify import salt_of
from .engine import Crashed, Engine
from .parts import chunks_of, summary_of
from .pieces import Staging, join_index, write_all
from .raw import Raw
from .recipe import recipe_of
from .report import Tally
from .shards import TARGET_BYTES
from .source import Facts, Source
from .unit import Unit
from .verify import require
from .voted import Voted, meaning_sha256, voted
from .withdrawing.journal import complete
from .workspace import Workspace, listing_digest, locked, versions

CHUNK_UNITS = 32
CHUNK_BYTES = 32 << 20
"""Half the size of the usual plan: small sources still spread over several workers."""

Progress = Callable[[str, int, int, int], None]
"""Called with the stage (`list`, `read`, `deal`), done, total (0 while unknown) and samples so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user may choose of a build; the command line describes each."""

    workers: int = 1
    limit: int | None = None
    fresh: bool = False
    max_bad_share: float | None = None
    salt_file: Path | None = None
    labels: Path | None = None
    """Departments and clinical tasks that a vote overrides; a file of `medloom labels vote --out`."""
    reading: dict[str, Any] = field(default_factory=dict)
    """Fields of Reading that override the source's."""
    shard_bytes: int = TARGET_BYTES


def build(spec: str, raw_root: Path, release: Path, *, options: Options, progress: Progress | None = None) -> dict[str, Any]:
    """Build one source into a release; the build report.

    Raises:
        RawRootError: the raw root lacks what the source expects.
        ResumeError: an unfinished build differs.
        TooManyBadUnits: more units failed than allowed; the release is as it was.
    """
    source = catalog.load(spec)
    workspace = Workspace(release.absolute(), source.facts.name)
    with locked(workspace.release):
        complete(workspace.release)
        tally = Tally()
        raw = Raw(raw_root, unpack_to=workspace.unpacked, report=tally.add)
        require(source, raw)
        known = voted(source, options.labels)
        fingerprint = _fingerprint(spec, source, raw, options=options, known=known)
        workspace.prepare(fingerprint, fresh=options.fresh)
        if (workspace.root / "done.json").exists():
            finished = _finished(workspace)
            if finished is not None:
                return finished
            workspace.prepare(fingerprint, fresh=True)
        with Engine(options.workers) as engine:
            return _Build(spec, source, raw, workspace, options, known, tally, engine, progress or (lambda *_: None)).run()


def dry_run(spec: str, raw_root: Path, *, options: Options) -> dict[str, Any]:
    """What a build would read, without decoding anything; archives are unpacked aside and removed."""
    source = catalog.load(spec)
    tally = Tally()
    for issue in voted(source, options.labels).issues:
        tally.add(issue)
    units = raw_bytes = 0
    splits: Counter[str] = Counter()
    groups: set[str] = set()
    with tempfile.TemporaryDirectory() as folder:
        raw = Raw(raw_root, unpack_to=Path(folder), report=tally.add)
        layout = require(source, raw)
        for unit, size in _units(source, raw, tally, options.limit):
            units, raw_bytes = units + 1, raw_bytes + size
            splits[unit.split or "hashed"] += 1
            groups.add(unit.group or unit.name)
    counts = {"units": units, "groups": len(groups), "raw_bytes": raw_bytes, "splits": dict(sorted(splits.items()))}
    return {"source": source.facts.name, "layout": layout, "dry_run": True, **counts, "issues": tally.rows()}


@dataclass(slots=True)
class _Build:
    spec: str
    source: Source
    raw: Raw
    workspace: Workspace
    options: Options
    known: Voted
    tally: Tally
    engine: Engine
    progress: Progress
    started: float = field(default_factory=time.monotonic)

    @property
    def facts(self) -> Facts:
        return self.source.facts

    def run(self) -> dict[str, Any]:
        listed = self._list()
        read = self._read(listed)
        self._stop_if_too_bad(read)
        self._forget_what_was_withdrawn()
        staged = read_json(self.workspace.root / "staged.json") or self._stage(listed, read)
        self._put_in_place(staged)
        report = self._report(staged)
        write_json(self.workspace.report, report)
        write_json(self.workspace.root / "done.json", staged["recipe"]["content_sha256"])
        self.workspace.clear()
        return report

    def _list(self) -> dict[str, Any]:
        """Write the source's units to disk in chunks, once."""
        mark = self.workspace.units / "done.json"
        if read_json(mark) is None:
            self.raw.unpack()
            for issue in self.known.issues:
                self.tally.add(issue)
            chunks, units = 0, 0
            found = _units(self.source, self.raw, self.tally, self.options.limit)
            for chunk in chunks_of(found, max_units=CHUNK_UNITS, max_bytes=CHUNK_BYTES):
                write_units(self.workspace.units, chunks, chunk)
                chunks, units = chunks + 1, units + len(chunk)
                self.progress("list", units, 0, 0)
            write_json(mark, {"chunks": chunks, "units": units, "issues": self.tally.rows()})
        self.tally = Tally()
        return read_json(mark)

    def _read(self, listed: dict[str, Any]) -> dict[str, int]:
        salt = salt_of(self.facts, self.options.salt_file)
        reading = replace(self.source.reading, **self.options.reading)
        job = Job(self.spec, self.raw.root, self.workspace, salt, reading, self.known.overrides)
        summaries = {n: summary_of(self.workspace.parts, n) for n in range(listed["chunks"])}
        missing = [Chunk(job, number) for number, summary in summaries.items() if summary is None]
        done, samples = (sum(one[name] for one in summaries.values() if one is not None) for name in ("units", "samples"))
        for result in self.engine.run(read_chunk, missing):
            if isinstance(result, Crashed):
                result = read_without_crashers(result.task)
            summaries[result["number"]] = result
            done, samples = done + result["units"], samples + result["samples"]
            self.progress("read", done, listed["units"], samples)
        whole = [summary for summary in summaries.values() if summary is not None]
        self.tally.merge(row for summary in (listed, *whole) for row in summary["issues"])
        return {name: sum(summary[name] for summary in whole) for name in ("units", "failed", "samples")}

    def _stop_if_too_bad(self, read: dict[str, int]) -> None:
        allowed = self.facts.max_bad_share if self.options.max_bad_share is None else self.options.max_bad_share
        share = read["failed"] / max(1, read["units"])
        if share <= allowed:
            return
        counts = {**read, "left_out": read["failed"]}
        write_json(self.workspace.report, {**self._heading(), "counts": counts, "issues": self.tally.rows()})
        raise TooManyBadUnits(
            f"{self.facts.name}: {read['failed']} of {read['units']} units can't be used ({share:.1%}); expected at most "
            f"{allowed:.1%}; see {self.workspace.report}, mend the raw files or pass --max-bad-share"
        )

    def _forget_what_was_withdrawn(self) -> None:
        """Stage anew where something was withdrawn from the release since a build was killed."""
        mark, known = self.workspace.root / "withdrawn.json", self.withdrawn.as_json()
        if (read_json(mark) or []) != known:
            (self.workspace.root / "staged.json").unlink(missing_ok=True)
            shutil.rmtree(self.workspace.staged, ignore_errors=True)
        write_json(mark, known)

    @property
    def withdrawn(self) -> Withdrawn:
        """What was withdrawn of this source from the release before."""
        return withdrawn_of(self.workspace.release).of([self.facts.name])

    def _stage(self, listed: dict[str, Any], read: dict[str, int]) -> dict[str, Any]:
        """Shards, index and recipe of the source in `staged/`."""
        staging = Staging(self.workspace.staged, self.workspace.staged / "pieces")
        places = {"parts": self.workspace.parts, "staging": staging}
        rows, fate, repeated = plan(self.workspace.parts, range(listed["chunks"]), self.withdrawn)
        for key in repeated:
            found, expected = f"key {key} of several pictures", "one picture of each unit, frame and slice"
            self.tally.add(Issue("duplicate-id", key, found, expected, "the first stands"))
        dealt = list(hands(rows, fate, source=self.facts.name, target_bytes=self.options.shard_bytes, **places))
        done = write_all(deal, dealt, engine=self.engine, tell=partial(self.progress, "deal"))
        self.engine.close()
        index = join_index(staging, range(len(dealt)), source=self.facts.name)
        reasons = Counter(str(reason) for reason in fate.reason if reason)
        recipe = recipe_of(
            self.source,
            fingerprint=read_json(self.workspace.root / "plan.json"),
            salt=salt_of(self.facts, self.options.salt_file),
            counts={**read, "excluded": dict(sorted(reasons.items()))},
            shards=sorted((one for one in done if one["path"]), key=lambda one: one["path"]),
            index=index,
            issues=self.tally.rows(),
        )
        staged = {"recipe": recipe, "issues": self.tally.rows()}
        write_json(self.workspace.root / "staged.json", staged)
        return staged

    def _put_in_place(self, staged: dict[str, Any]) -> None:
        """Move the staged folders into the release; every step may be repeated after a kill."""
        release = Release(self.workspace.release)
        for part in ("data", "index"):
            ready, final = self.workspace.staged / part / self.facts.name, release.root / part / self.facts.name
            if ready.exists():
                shutil.rmtree(final, ignore_errors=True)
                final.parent.mkdir(parents=True, exist_ok=True)
                ready.rename(final)
            elif not staged["recipe"]["shards"] and part == "data":
                shutil.rmtree(final, ignore_errors=True)
        release.root.joinpath("recipes").mkdir(parents=True, exist_ok=True)
        temporary = self.workspace.root / "recipe.tmp"
        write_json(temporary, staged["recipe"])
        temporary.replace(release.recipe_path(self.facts.name))
        release.write_readme(self.workspace.root / "README.tmp")

    def _heading(self) -> dict[str, Any]:
        labels = str(self.options.labels) if self.options.labels else None
        return {
            "source": self.facts.name,
            "release": str(self.workspace.release),
            "raw_root": str(self.raw.root),
            "options": {**asdict(self.options), "salt_file": bool(self.options.salt_file), "labels": labels},
            "versions": versions(),
            "seconds": round(time.monotonic() - self.started, 3),
        }

    def _report(self, staged: dict[str, Any]) -> dict[str, Any]:
        recipe = staged["recipe"]
        outcome = {"counts": recipe["counts"], "splits": recipe["splits"], "subsets": recipe["subsets"]}
        return {**self._heading(), **outcome, "issues": staged["issues"]}


def _units(source: Source, raw: Raw, tally: Tally, limit: int | None) -> Iterator[tuple[Unit, int]]:
    """Units with the bytes of their raw files; a second unit of the same name is an issue."""
    seen: set[str] = set()
    for unit in islice(source.read(raw), limit):
        if unit.name in seen:
            expected = "one unit of each id"
            tally.add(Issue("duplicate-id", unit.name, "a second unit of this id", expected, "the first stands"))
            continue
        seen.add(unit.name)
        yield unit, sum(raw.size(file) for file in unit.paths() if raw.has(file))


def _fingerprint(spec: str, source: Source, raw: Raw, *, options: Options, known: Voted) -> dict[str, Any]:
    salt = salt_of(source.facts, options.salt_file)
    reading = {name: _plain(value) for name, value in asdict(replace(source.reading, **options.reading)).items()}
    chosen = {"limit": options.limit, "shard_bytes": options.shard_bytes, "salt_sha256": salt.sha256, "reading": reading}
    digests = {"sha256": catalog.file_digest(spec), "labels_sha256": meaning_sha256(source)}
    return {
        "source": {"name": source.facts.name, **digests},
        "options": chosen | {"labels": known.row()},
        "raw_files": {"count": len(raw.sizes), "bytes": sum(raw.sizes.values()), "listing_sha256": listing_digest(raw)},
        "versions": versions(),
    }


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return value.value if isinstance(value, Enum) else value


def _finished(workspace: Workspace) -> dict[str, Any] | None:
    """The report of a finished build, None where the release no longer holds what it made."""
    recipe = Release(workspace.release).recipe(workspace.source)
    if recipe is None or recipe["content_sha256"] != read_json(workspace.root / "done.json"):
        return None
    sizes = {workspace.release / shard["path"]: shard["bytes"] for shard in recipe["shards"]}
    stands = all(path.exists() and path.stat().st_size == size for path, size in sizes.items())
    workspace.clear()
    return read_json(workspace.report) if stands else None
