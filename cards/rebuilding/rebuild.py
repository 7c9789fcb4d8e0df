"""A published source rebuilt from its owner's download, proven equal, and put into a release.

Everything lies in `OUT.work/rebuild/<source>/` until it is whole:

    plan.json          what is rebuilt from which raw files; begun with it, started over where it differs
    built/             an own build with the published options, and its work folder beside it
    scraps/, staged/   the published shards made again, index and questions; `staged.json` marks that all are there
    differences.csv    samples that aren't as they were published
"""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...builders import catalog
from ...builders.build import Progress, build
from ...builders.pieces import Staging
from ...builders.raw import Raw
from ...builders.recipe import recipe_without
from ...builders.source import Source
from ...builders.verify import require
from ...builders.withdrawing.journal import complete
from ...builders.workspace import locked, versions
from ...schema.disk import read_json, write_json
from ...schema.errors import RawRootError, RebuildDiffers, UsageError
from ...schema.question_set import QuestionSet, names
from ...schema.release import Release, work_folder
from ...schema.withdrawn import Withdrawn, withdrawn_of, write_withdrawn
from .choices import Choices, options_of, source_of, warnings_of
from .compare import Compared, compare, told, write_differences
from .install import Infos, linked, put_in_place, questions_about, refuse_other_suites, stage_questions, stale_suites, suites_of
from .shards import write_index, write_shards
from .wanted import Wanted

REBUILT = "rebuilt"
"""Entry of a recipe whose contents aren't those that were published: of which, and how many samples differ."""
MOST = 100
"""Differences told at once; the file has all."""


def rebuild(
    place: Path | str,
    source: str,
    raw: Path,
    out: Path,
    *,
    choices: Choices | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Rebuild a source that a folder or repository publishes into the release at `out`; what was proven and installed.

    Raises:
        UsageError: an unknown source, a newer recipe, another salt, or a release that can't take it.
        RawRootError: the raw root is another version of the dataset.
        RebuildDiffers: pixels or samples differ, and differing ones weren't asked for; the release is as it was.
        ReleaseError: what is published can't be read.
    """
    chosen, out = choices or Choices(), out.resolve()
    wanted = Wanted.of(place, source)
    if wanted.release.root == out or wanted.release.root in out.parents:
        raise UsageError(f"{out} is the release that is rebuilt, or lies inside it; expected a folder of its own; name another")
    with locked(out):
        complete(out)
        return _Rebuild(str(place), wanted, raw, out, chosen, progress or (lambda *_: None)).run()


@dataclass(slots=True)
class _Rebuild:
    place: str
    wanted: Wanted
    raw: Path
    out: Path
    choices: Choices
    progress: Progress
    began: float = field(default_factory=time.monotonic)

    @property
    def root(self) -> Path:
        return work_folder(self.out) / "rebuild" / self.wanted.source

    @property
    def built(self) -> Path:
        return self.root / "built"

    @property
    def staging(self) -> Staging:
        return Staging(self.root / "staged", self.root / "scraps")

    def run(self) -> dict[str, Any]:
        """Build, compare, write and install."""
        wanted, infos = self.wanted, suites_of(self.wanted)
        spec, source = source_of(wanted, self.choices)
        warnings = warnings_of(wanted, spec)
        if not self.choices.prove:
            refuse_other_suites(self.out, infos, source=wanted.source)
            self._refuse_withdrawn()
            if self._stands(infos):
                self._clear()
                return self._told({"already": True, "warnings": warnings}, installed=True)
        self._verify(source)
        self._prepare(spec)
        staged = read_json(self.root / "staged.json")
        if staged is None:
            staged = self._stage(spec, source, infos, warnings)
        if not self.choices.prove:
            infos = {name: info for name, info in infos.items() if name in staged["result"]["suites"]}
            put_in_place(wanted, Release(self.out), self.staging.release, recipe=staged["recipe"], infos=infos)
        self._clear()
        stale = [] if self.choices.prove else stale_suites(Release(self.out))
        return self._told({**staged["result"], "suites_stale": stale}, installed=not self.choices.prove)

    def _verify(self, source: Source) -> None:
        """See that the raw root holds the dataset that was published, as far as names and sizes tell."""
        raw, stated = Raw(self.raw), self.wanted.original["raw"]
        require(source, raw)
        count, size = len(raw.sizes), sum(raw.sizes.values())
        if (count, size) != (stated["count"], stated["bytes"]):
            raise RawRootError(
                f"{self.wanted.source}: {raw.root} has {count:,} files of {size:,} bytes; expected {stated['count']:,} of "
                f"{stated['bytes']:,}, as the recipe says; get the same version of the dataset from {source.facts.homepage}"
            )

    def _prepare(self, spec: str) -> None:
        """Begin, or go on with what the same rebuild left: raw files that were touched since are read again."""
        chosen = {name: getattr(self.choices, name) for name in ("labels", "salt_file")}
        plan = {
            "recipe": self.wanted.recipe,
            "raw": _stamps(self.raw),
            "builder_sha256": catalog.file_digest(spec),
            "files": {name: _digest(path) for name, path in chosen.items() if path is not None},
            "withdrawn": self._withdrawn().as_json(),
            "versions": versions(),
        }
        if read_json(self.root / "plan.json") != plan:
            shutil.rmtree(self.root, ignore_errors=True)
        how = {name: getattr(self.choices, name) for name in ("keep_differing", "prove")}
        if read_json(self.root / "how.json") != how:
            self._forget_staged()
        write_json(self.root / "plan.json", plan)
        write_json(self.root / "how.json", how)

    def _stage(self, spec: str, source: Source, infos: Infos, warnings: list[str]) -> dict[str, Any]:
        """Everything of the source, ready to be moved in."""
        report = self._build(spec, source)
        self.wanted.fetch()
        recipe, extras = Release(self.built).recipe(self.wanted.source) or {}, "cut" not in self.wanted.recipe
        index = Release(self.built).index_path(self.wanted.source)
        found = compare(self.wanted.samples(), index, shards=self.wanted.recipe["shards"], extras=extras)
        self._list(found)
        reproduced = recipe["content_sha256"] == self.wanted.recipe["content_sha256"]
        result = self._result(found, report) | {"warnings": warnings, "reproduced": reproduced}
        if found.differences and not self.choices.keep_differing:
            raise RebuildDiffers(self._differs(found), result=self._told(result, installed=False))
        made = self._as_built() if reproduced else self._written(found)
        equal = made["content_sha256"] == self.wanted.recipe["content_sha256"]
        suites = sorted(infos) if equal else []
        about = {suite for suite, info in infos.items() if questions_about(info, self.wanted.source)}
        result |= self._compared(made) | {"suites": suites, "suites_left_out": sorted(about - set(suites))}
        if not self.choices.prove:
            stage_questions(self.wanted, {name: infos[name] for name in suites}, self.staging.release)
        staged = {"recipe": made, "result": result}
        write_json(self.root / "staged.json", staged)
        return staged

    def _build(self, spec: str, source: Source) -> dict[str, Any]:
        """Build the source with the published options, without what was withdrawn; the build report."""
        self.built.mkdir(parents=True, exist_ok=True)
        write_withdrawn(self.built, self._withdrawn())
        options = options_of(self.wanted, source, self.choices, votes=self.root / "labels.csv")
        return build(spec, self.raw, self.built, options=options, progress=self.progress)

    def _as_built(self) -> dict[str, Any]:
        """The own build has the published digests, index and all: its files are the source."""
        name = self.wanted.source
        for part in ("data", "index"):
            for path in (self.built / part / name).rglob("*"):
                if path.is_file():
                    linked(path, self.staging.release / path.relative_to(self.built))
        return self.wanted.plain

    def _written(self, found: Compared) -> dict[str, Any]:
        """Published records around own images; the recipe of what came of it."""
        how = {"staging": self.staging, "workers": self.choices.workers, "progress": self.progress}
        shards = write_shards(self.wanted, found.rows, self.built, **how)
        if shards == self.wanted.recipe["shards"] and not found.differences and any(self.wanted.index()):
            for _, path in self.wanted.index():
                target = self.staging.release / path.relative_to(self.wanted.release.root)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
            return self.wanted.plain
        index = write_index(self.staging, len(shards), source=self.wanted.source, excluded=self._excluded())
        made = recipe_without(self.wanted.plain, shards=shards, index=index, rows=[])
        if made["content_sha256"] == self.wanted.recipe["content_sha256"]:
            return self.wanted.plain
        if "cut" in made:
            made["cut"] = made["cut"] | {"samples": sum(made["splits"].values())}
        return made | {REBUILT: {"of": self.wanted.recipe["content_sha256"], **found.counts}}

    def _excluded(self):
        """Index rows of excluded samples: the published ones, else those of the own build; a cut has none of its own."""
        if (published := self.wanted.excluded()) is not None:
            return published
        if "cut" in self.wanted.recipe:
            return None
        own = Wanted(Release(self.built), Release(self.built).recipe(self.wanted.source) or {})
        return own.excluded()

    def _withdrawn(self) -> Withdrawn:
        return withdrawn_of(self.wanted.release.root).of([self.wanted.source])

    def _refuse_withdrawn(self) -> None:
        """Refuse to bring back what was withdrawn from the release at `out` alone."""
        held = withdrawn_of(self.out).of([self.wanted.source]).tombstones
        own = [one for one in held if one not in self._withdrawn().tombstones]
        if own:
            found = f"{self.out} has withdrawn {len(own)} samples of {self.wanted.source} that {self.place} publishes"
            raise UsageError(f"{found}; expected none; rebuild into another folder, and withdraw them there")

    def _stands(self, infos: Infos) -> bool:
        """Whether the release holds the source as published already."""
        recipe = Release(self.out).recipe(self.wanted.source)
        asked = {suite: QuestionSet(self.out, suite).info["sources"] for suite in names(self.out)}
        lacking = [
            suite
            for suite, info in infos.items()
            if questions_about(info, self.wanted.source) and self.wanted.source not in asked.get(suite, {})
        ]
        if recipe is None or recipe != self.wanted.plain or lacking or (self.root / "staged.json").exists():
            return False
        sizes = {self.out / shard["path"]: shard["bytes"] for shard in recipe["shards"]}
        return all(path.is_file() and path.stat().st_size == size for path, size in sizes.items())

    def _result(self, found: Compared, report: Mapping[str, Any]) -> dict[str, Any]:
        counts = found.counts
        return {
            "samples": found.samples,
            "pixels_equal": found.samples - counts["differing"] - counts["missing"],
            **counts,
            "differences": list(told(found.differences[:MOST])),
            "issues": report["issues"],
        }

    def _compared(self, made: Mapping[str, Any]) -> dict[str, Any]:
        """How many shards came out byte for byte, and what stands for the contents."""
        known = {shard["path"]: shard["sha256"] for shard in self.wanted.recipe["shards"]}
        equal = sum(known.get(shard["path"]) == shard["sha256"] for shard in made["shards"])
        digests = {"content_sha256": made["content_sha256"], "published_content_sha256": self.wanted.recipe["content_sha256"]}
        return {"shards": len(known), "shards_equal": equal, "splits": made["splits"], **digests}

    def _list(self, found: Compared) -> None:
        listed = self.root / "differences.csv"
        listed.unlink(missing_ok=True)
        if found.differences:
            write_differences(listed, found.differences)

    def _differs(self, found: Compared) -> str:
        counts = ", ".join(f"{count:,} {kind}" for kind, count in found.counts.items() if count)
        found_all = f"{self.wanted.source}: of the samples that {self.raw} gives {counts}"
        expected = f"the {found.samples:,} that {self.place} publishes"
        listed = self.root / "differences.csv"
        return f"{found_all}; expected {expected}; see {listed}, get the raw files again, or pass --keep-differing"

    def _told(self, result: Mapping[str, Any], *, installed: bool) -> dict[str, Any]:
        heading = {
            "source": self.wanted.source,
            "of": self.place if self.wanted.release.source is None else str(self.wanted.release.source),
            "mode": str(self.wanted.mode),
            "raw_root": str(self.raw),
            "release": str(self.out),
            "installed": installed,
        }
        listed = self.root / "differences.csv"
        files = {"differences_file": str(listed) if result.get("differences") else None}
        return {**heading, "already": False, **result, **files, "seconds": round(time.monotonic() - self.began, 3)}

    def _forget_staged(self) -> None:
        (self.root / "staged.json").unlink(missing_ok=True)
        for folder in (self.staging.release, self.staging.scraps):
            shutil.rmtree(folder, ignore_errors=True)

    def _clear(self) -> None:
        """Remove what a finished rebuild doesn't need: all but the list of differences."""
        self._forget_staged()
        for folder in (self.built, work_folder(self.built)):
            shutil.rmtree(folder, ignore_errors=True)
        (self.root / "plan.json").unlink(missing_ok=True)


def _stamps(root: Path) -> str:
    """SHA-256 over path, size and time of change of every file below a folder."""
    lines = []
    for folder, _, files in os.walk(root):
        for name in files:
            path = Path(folder) / name
            if path.is_file():
                known = path.stat()
                lines.append(f"{path.relative_to(root)}\t{known.st_size}\t{known.st_mtime_ns}\n")
    return hashlib.sha256("".join(sorted(lines)).encode("utf-8", "surrogateescape")).hexdigest()


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
