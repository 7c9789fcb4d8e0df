"""The whole table of a compositional-generalization experiment over a drawn world, and over its control.

A tiny model of random weights, five seeds; ratios are accuracies after training on related data over those of Baseline+.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from medloom.train.experiments.conditions import GROUPS
from medloom.train.experiments.plan import Options, plan_cg
from medloom.train.experiments.report import report
from medloom.train.experiments.run import carry_out

SEEDS, STEPS, BUDGET = 5, 100, 150
SIZES = (20, 60)
TARGET = "x-ray-lung-fracture"


def table(folder: Path) -> list[dict[str, Any]]:
    """Every comparison of both worlds."""
    import torch

    sys.path[:0] = [str(Path(__file__).parents[1] / "tests" / "drawn")]
    torch.set_num_threads(1)
    return [row for control in (False, True) for row in _rows(folder / f"world-{control}", control=control)]


def _rows(folder: Path, *, control: bool) -> list[dict[str, Any]]:
    from compositional_world import World, released
    from world_learner import learner, settings

    world = World(train=360, test=200, modalities=("X-ray", "CT"), areas=("lung", "brain"), control=control)
    release = released(world, folder)
    given = settings(learner(release, folder / "model"), steps=STEPS)
    groups = GROUPS[:2] if control else GROUPS[:4]
    options = Options(targets=(TARGET,), seeds=SEEDS, budget=BUDGET, sizes=SIZES, groups=groups, settings=given)
    plan = plan_cg(release, options)
    carry_out(plan.told, release, folder / "out")
    [found] = report(plan.told, folder / "out")["targets"]
    return [_row(one, "control: " if control else "") for one in found["comparisons"]]


def _row(one: dict[str, Any], world: str) -> dict[str, Any]:
    arm, against = one["arm"], one["against"]
    figures = f"{100 * arm['mean']:.0f} against {100 * against['mean']:.0f} %, p {one['p_holm']:.2g}"
    what = f"{world}{one['direction'] or one['group']}: {one['name'].replace('-classification', '')}"
    said = f"{one['expects']} expected: {one['verdict']}"
    return {"what": what[:58], "ratio": arm["mean"] / max(against["mean"], 0.01), "note": f"{figures}; {said}", **one}
