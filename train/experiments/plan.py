"""A plan: which models are trained on what, and tested on what; a pure function of a release and the options.

A run's id is the digest of all that it follows from, so runs that several comparisons need are trained once, and a plan made
again over the same release has the same ids. What a run is trained on is told by cells, counts and a digest of keys; the keys
themselves are drawn again when it runs.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ...generation.chance import Chance
from ...schema.errors import UsageError
from ...schema.question_set import QuestionSet
from ...schema.release import Release
from ...schema.systems import medmat
from .combinations import Combination, directions, related
from .conditions import GROUPS, UNTRAINED, Comparison, Condition, Trial, comparisons, feasible
from .drawing import Drawn, Guard, drawn, overlap
from .elements import ELEMENTS
from .holdings import Added, Holding, Holdings, counts, holdings

VERSION = 1
OWN = ("data", "held_out", "general", "output_dir", "seed", "data_seed", "config")
"""Settings of training that a plan decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a user may choose."""

    suite: str = "medmat"
    targets: tuple[str, ...] = ()
    """Subsets by slug or Med-MAT number."""
    groups: tuple[str, ...] = GROUPS[:3]
    directions: tuple[str, ...] = ()
    """Of combinations; all without."""
    most: int = 2
    """Cells of a combination: with 3, three that give one element each."""
    budget: int | None = None
    """Training samples; without, as many as all conditions of a comparison can have."""
    sizes: tuple[int, ...] = ()
    seeds: int = 5
    split: str = "test"
    questions: int | None = None
    """At most so many of the target's questions are put."""
    unrelated: str = "strict"
    """`strict`: unrelated data shares no element; `fixed`: it may share what a combination keeps fixed."""
    added: Added | None = None
    regions: str | None = None
    """Another suite, whose subsets with boxes and masks take part."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Of training, as `medloom train sft --config` takes them; the model among them."""


@dataclass(frozen=True, slots=True)
class Run:
    """One training and one test."""

    id: str
    target: str
    condition: str
    seed: int | None
    """Of data and training; None for the untrained model."""
    parts: tuple[Drawn, ...]

    @property
    def samples(self) -> int:
        """How many it trains on."""
        return sum(len(one.keys) for one in self.parts)


@dataclass(frozen=True, eq=False)
class Plan:
    """Runs, and what is compared; `told` is the file's content."""

    options: Options
    held: Holdings
    runs: Mapping[str, Run]
    told: dict[str, Any]


def plan_cg(release: Release | str | Path, options: Options) -> Plan:
    """The plan of compositional-generalization experiments over a release.

    Raises:
        UsageError: an option that can't be used, or a target that the release hasn't.
        ReleaseError: no release there, or its index or questions can't be read.
    """
    opened = release if isinstance(release, Release) else Release.open(release)
    _check(options)
    held = holdings(opened, options.suite, split=options.split, regions=options.regions, added=options.added)
    runs: dict[str, Run] = {}
    targets = [_target(held, word, options) for word in options.targets]
    told = [_trial_told(_trial(held, one, options), held, options, runs) for one in targets]
    return Plan(options, held, runs, _told(opened, held, options, told, runs))


def write(plan: Plan, path: Path) -> None:
    """The plan as a JSON or YAML file, by the name's ending."""
    text = json.dumps(plan.told, indent=1, ensure_ascii=False) + "\n"
    if path.suffix in (".yaml", ".yml"):
        text = yaml.safe_dump(plan.told, sort_keys=False, allow_unicode=True, width=120)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def read(path: Path) -> dict[str, Any]:
    """What a plan's file says.

    Raises:
        UsageError: it is no plan.
    """
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: {str(error).splitlines()[0]}; expected a plan of `medloom experiment plan`") from error
    if not isinstance(found, dict) or found.get("plan") != "cg" or found.get("version") != VERSION:
        raise UsageError(f"{path}: no plan of version {VERSION}; expected one of `medloom experiment plan cg`")
    return found


def again(told: Mapping[str, Any], release: str | Path | None = None) -> Plan:
    """The plan of a file with the keys of its runs, drawn again.

    Raises:
        UsageError: the release gives other runs than it did.
        ReleaseError: it isn't there.
    """
    given = dict(told["options"])
    added = Added(**given["added"]) if given["added"] else None
    lists = {name: tuple(given[name]) for name in ("targets", "groups", "directions", "sizes")}
    made = plan_cg(release or told["release"], Options(**{**given, **lists, "added": added}))
    if [one["id"] for one in made.told["runs"]] != [one["id"] for one in told["runs"]]:
        found = f"{release or told['release']} gives other runs than the plan has"
        raise UsageError(f"{found}; expected the release that it was made of; plan again")
    return made


def _check(options: Options) -> None:
    if strange := [name for name in options.groups if name not in GROUPS]:
        raise UsageError(f"group {strange[0]!r}; expected some of {', '.join(GROUPS)}")
    known = directions((*ELEMENTS, *([options.added.element] if options.added else [])))
    if strange := [name for name in options.directions if name not in known]:
        raise UsageError(f"direction {strange[0]!r}; expected some of {', '.join(known)}")
    if "sizes" in options.groups and not options.sizes:
        raise UsageError("group sizes without sizes; expected --sizes such as 100,300,1000")
    if not options.targets or options.seeds < 1 or options.most not in (2, 3) or options.unrelated not in ("strict", "fixed"):
        found = f"targets {list(options.targets)}, seeds {options.seeds}, most {options.most}, unrelated {options.unrelated!r}"
        raise UsageError(f"{found}; expected a target, 1 seed or more, 2 or 3 cells, and strict or fixed")
    if own := [name for name in options.settings if name in OWN]:
        raise UsageError(f"settings hold {', '.join(own)}; expected none of those, since the plan decides them")


def _target(held: Holdings, word: str, options: Options) -> Holding:
    slug = medmat.find(word).slug if medmat.number_of(word) else word.strip().casefold()
    name = f"{slug}+{options.added.value}" if options.added else slug
    if name not in held.every:
        known = [one for one, some in held.every.items() if some.tests]
        raise UsageError(f"target {name!r} isn't in the release's {options.suite}; expected one of {', '.join(known[:12])}")
    if not held.every[name].tests:
        raise UsageError(f"target {name!r} has no questions in {options.split}; expected some to test with")
    return held.every[name]


def _trial(held: Holdings, target: Holding, options: Options) -> Trial:
    found = related(target.cell, held.cells, most=options.most)
    wanted = [one for one in found if not options.directions or one.direction in options.directions]
    population = target.cell.added.get("population")
    guard = Guard(target.test_clusters, held.kept_apart, population)
    share = options.unrelated == "fixed"
    return Trial(target.cell, held.every, wanted, guard, options.budget, options.sizes, share)


def _trial_told(trial: Trial, held: Holdings, options: Options, runs: dict[str, Run]) -> dict[str, Any]:
    """The comparisons of a target as data; its runs are added to `runs`."""
    ids = _questions(trial.every[trial.target.name], options)
    maker = _Maker(trial, held, options, _digest(ids), runs)
    rows, left_out, combined = [], [], []
    for one in comparisons(trial, options.groups):
        faults = [why for condition in (one.arm, one.against) if (why := feasible(trial, condition))]
        if faults:
            left_out.append({"group": one.group, "name": one.name, "why": faults[0]})
        else:
            rows.append(maker.row(one))
    combined = [_combined(one) for one in trial.combined]
    triplet = trial.target.triplet
    return {
        "target": trial.target.name,
        "triplet": {"modality": triplet.modality, "area": triplet.area, "task": triplet.task, **trial.target.added},
        "questions": len(ids),
        "questions_sha256": _digest(ids),
        "untrained": maker.run(Condition(UNTRAINED), None),
        "combinations": combined,
        "unrelated": list(trial.unrelated()),
        "comparisons": rows,
        "left_out": left_out,
    }


@dataclass(frozen=True, eq=False)
class _Maker:
    trial: Trial
    held: Holdings
    options: Options
    tests: str
    runs: dict[str, Run]

    def row(self, one: Comparison) -> dict[str, Any]:
        """A comparison with the ids of its runs, by seed."""
        seeds = range(self.options.seeds)
        told = {"group": one.group, "name": one.name, "direction": one.direction, "parts": list(one.parts), "size": one.size}
        against = [self.run(one.against, seed) for seed in seeds]
        return told | {
            "expects": one.expects,
            "condition": one.arm.name,
            "condition_against": one.against.name,
            "samples": sum(budget for _, budget in one.arm.draws),
            "runs": [self.run(one.arm, seed) for seed in seeds],
            "against": against if one.against.draws else against[:1],
        }

    def run(self, condition: Condition, seed: int | None) -> str:
        """The id of a run, which is made where it isn't there yet."""
        if not condition.draws:
            seed = None
        every = dict(self.trial.every)
        parts: list[Drawn] = []
        for names, budget in condition.draws:
            some = [every[name] for name in names]
            parts += drawn(some, budget, guard=self.trial.guard, seed=seed or 0)
        if crossing := overlap(parts, every, self.trial.guard.clusters):
            raise AssertionError(f"{condition.name}: {crossing} samples share a group with the test")
        follows = [self.tests, seed, [(one.cell, one.suite, one.kinds, one.digest) for one in parts], self._follows()]
        name = hashlib.sha256(json.dumps(follows, sort_keys=True).encode()).hexdigest()[:12]
        self.runs.setdefault(name, Run(name, self.trial.target.name, condition.name, seed, tuple(parts)))
        return name

    def _follows(self) -> Any:
        return [dict(self.options.settings), self.options.suite, self.options.questions]


def _combined(one: Combination) -> dict[str, Any]:
    return {"direction": one.direction, "parts": list(one.parts), "gives": [list(some) for some in one.gives]}


def _questions(target: Holding, options: Options) -> list[str]:
    """Ids of the questions that are put, sorted; a smaller number is part of a larger one."""
    ids = sorted(target.tests)
    if options.questions is None or options.questions >= len(ids):
        return ids
    return sorted(sorted(ids, key=lambda one: (Chance("experiment", 0, one).bits64(), one))[: options.questions])


def _digest(ids: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()


def tests_of(plan: Plan, target: str) -> frozenset[str]:
    """Ids of the questions that a target is tested with."""
    return frozenset(_questions(plan.held.every[target], plan.options))


def _told(
    release: Release, held: Holdings, options: Options, targets: list[dict[str, Any]], runs: Mapping[str, Run]
) -> dict[str, Any]:
    suites = [options.suite, *([options.regions] if options.regions else [])]
    return json.loads(
        json.dumps(
            {
                "plan": "cg",
                "version": VERSION,
                "release": str(release.source or release.root.name),
                "content_sha256": {one["facts"]["name"]: one["content_sha256"] for one in release.recipes()},
                "suites": {name: QuestionSet.open(release.root, name).info["digest"] for name in suites},
                "options": asdict(options),
                "near_duplicates_heeded": held.linked,
                "cells": counts(held),
                "targets": targets,
                "conditions": dict(Counter(one.condition for one in runs.values())),
                "runs": [_run_told(one) for one in runs.values()],
                "notes": list(held.notes),
            }
        )
    )


def _run_told(one: Run) -> dict[str, Any]:
    parts = [
        {"cell": part.cell, "suite": part.suite, "kinds": part.kinds, "samples": len(part.keys), "keys_sha256": part.digest}
        for part in one.parts
    ]
    return {"id": one.id, "target": one.target, "condition": one.condition, "seed": one.seed, "samples": one.samples} | {
        "parts": parts
    }
