"""The questions of a suite over a whole release, beside its shards.

Pools are read once from the index, then shards are asked one by one, by any number of workers, into
`RELEASE.work/questions/<suite>/`; when all are there they are moved into `questions/<suite>/` at once. What was killed goes
on where it stopped. The bytes follow from the release's contents, the suite, the seed, the limit and the versions alone.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ... import __version__
from ...builders.engine import Crashed, Engine
from ...schema.disk import read_json, write_json
from ...schema.errors import ReleaseError
from ...schema.question_set import FIELDS, MADE_FROM, QuestionSet
from ...schema.release import Release
from ...schema.sample import SCHEMA_VERSION
from ..pools import pools_of
from ..review.reviewed import Rejected
from ..suite import Suite, read
from ..wording import sha256_of_texts
from .counts import counted, examples
from .files import Places, alone, move, stand
from .shard import Task, ask_shard, count_shard
from .withhold import splits

Progress = Callable[[str, int, int, int], None]
"""Called with the stage (`ask`), shards done, shards in all and samples so far."""
SAMPLED = 64
"""Samples of a shard that a dry run asks about."""


def ask(
    release: Path | str,
    suite: str,
    *,
    seed: int = 0,
    workers: int = 1,
    limit: int | None = None,
    withhold: Sequence[str] = (),
    answers: Path | str | None = None,
    without: Path | str | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Write the suite's questions into the release; what it holds now.

    `suite` is a built-in name or a YAML file; `limit` keeps only so many samples of every shard. Answers of the splits in
    `withhold` are left out of the release and written, with their whole questions, to `answers/<suite>/`, by default
    `RELEASE.work/answers/<suite>/`. Questions that the review at `without` rejects are left out too. Where the same
    questions are there already nothing is done, unless `fresh`.

    Raises:
        UsageError: no such suite, rule, option or split, or a place for answers inside the release.
        ReleaseError: the release isn't what its recipes and index say.
    """
    opened, made = Release.open(release), read(suite)
    rejected = Rejected() if without is None else Rejected.read(Path(without))
    plan = _plan(opened, made, seed=seed, limit=limit, withhold=splits(withhold), rejected=rejected)
    places = Places(opened.root, made.name, None if answers is None else Path(answers).resolve())
    shared = {"rejected": rejected, "workers": workers, "progress": progress or (lambda *_: None)}
    asked = _Ask(opened, made, plan, places, **shared)
    began = time.monotonic()
    with alone(places):
        stands = not fresh and not places.work.exists() and asked.stands()
        if not stands:
            asked.run(fresh=fresh)
    return asked.report() | {"made": not stands, "seconds": round(time.monotonic() - began, 3)}


def estimate(
    release: Path | str,
    suite: str,
    *,
    seed: int = 0,
    workers: int = 1,
    sampled: int = SAMPLED,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """What `ask` would make, counted on the first samples of every shard; nothing is written.

    `questions` is what was counted, `estimated_questions` what that means for the whole release.
    """
    opened, made = Release.open(release), read(suite)
    plan = _plan(opened, made, seed=seed, limit=sampled, withhold=(), rejected=Rejected())
    tasks = _tasks(opened, made, plan, staging=Path(), rejected=Rejected())
    told = list(_mapped(count_shard, tasks, workers=workers, progress=progress or (lambda *_: None)))
    samples = {shard["path"]: shard["samples"] for recipe in opened.recipes() for shard in recipe["shards"]}
    share = [(sum(count for *_, count in one["table"]), samples[one["shard"]] / max(1, one["samples"])) for one in told]
    whole = round(sum(count * weight for count, weight in share))
    asked = sum(one["samples"] for one in told)
    return {"release": str(opened.root), **plan, **counted(told), "samples": asked, "estimated_questions": whole}


@dataclass(frozen=True, slots=True)
class _Ask:
    release: Release
    suite: Suite
    plan: dict[str, Any]
    places: Places
    rejected: Rejected = field(kw_only=True)
    workers: int = field(kw_only=True)
    progress: Progress = field(kw_only=True)

    def stands(self) -> bool:
        """Whether the same questions are there, whole, and their answers where they belong."""
        return stand(self.places, self.plan)

    def run(self, *, fresh: bool) -> None:
        """Ask about every shard and move the whole into place."""
        work = self.places.work
        if fresh or read_json(work / "plan.json") != self.plan:
            shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True, exist_ok=True)
        write_json(work / "plan.json", self.plan)
        tasks = _tasks(self.release, self.suite, self.plan, staging=work, rejected=self.rejected)
        told = sorted(_mapped(ask_shard, tasks, workers=self.workers, progress=self.progress), key=lambda one: one["path"])
        if _sources(self.release) != self.plan["sources"]:
            raise ReleaseError(f"{self.release.root} was rebuilt while it was read; expected it to rest; ask again")
        move(self.places, self.plan, told)
        write_json(self.places.report, self.report() | {"examples": examples(told)})
        self.release.write_readme(work / "README.tmp")
        self.places.forget_work()

    def report(self) -> dict[str, Any]:
        """What the release holds of the suite, and what was left out."""
        info = QuestionSet(self.release.root, self.suite.name).info
        shown = read_json(self.places.report) or {}
        told = {name: info[name] for name in FIELDS if name != "files"} | {"files": len(info["files"])}
        private = str(self.places.answers) if info["withheld"] else None
        return {"release": str(self.release.root), **told, "answers": private, "examples": shown.get("examples", [])}


def _plan(
    release: Release,
    suite: Suite,
    *,
    seed: int,
    limit: int | None,
    withhold: Sequence[str],
    rejected: Rejected,
) -> dict[str, Any]:
    """All that the questions follow from."""
    versions = {"medloom": __version__, "schema": SCHEMA_VERSION, "pyarrow": version("pyarrow")}
    values = (
        suite.plain,
        suite.digest,
        seed,
        limit,
        list(withhold),
        sha256_of_texts(),
        versions,
        _sources(release),
        rejected.digest,
    )
    return json.loads(json.dumps(dict(zip(MADE_FROM, values, strict=True))))


def _tasks(release: Release, suite: Suite, plan: dict[str, Any], *, staging: Path, rejected: Rejected) -> Iterator[Task]:
    pools = pools_of(release)
    for recipe in release.recipes():
        for shard in recipe["shards"]:
            yield Task(
                release=release.root,
                shard=shard["path"],
                source=recipe["facts"]["name"],
                suite=suite,
                pools=pools,
                seed=plan["seed"],
                limit=plan["limit"],
                withheld=shard["split"] in plan["withheld"],
                staging=staging,
                rejected=rejected,
            )


def _mapped(
    function: Callable[[Task], dict[str, Any]], tasks: Iterable[Task], *, workers: int, progress: Progress
) -> Iterator[dict[str, Any]]:
    every, samples = list(tasks), 0
    with Engine(min(workers, max(1, len(every)))) as engine:
        for done, told in enumerate(engine.run(function, every), start=1):
            if isinstance(told, Crashed):
                raise ReleaseError(f"{told.task.shard}: two workers died over it; expected records to read; try one worker")
            samples += told["samples"]
            progress("ask", done, len(every), samples)
            yield told


def _sources(release: Release) -> dict[str, str]:
    return {recipe["facts"]["name"]: recipe["content_sha256"] for recipe in release.recipes()}
