"""An experiment over drawn worlds: related data helps, unrelated doesn't, and in the control world nothing does.

One direction and two seeds; `python -m benchmarks compositional` has the whole table over five.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from compositional_world import World, released
from world_learner import learner, settings

from medloom.train.experiments.plan import Options, plan_cg
from medloom.train.experiments.report import report
from medloom.train.experiments.run import carry_out

pytestmark = pytest.mark.slow
TARGET = "x-ray-lung-fracture"
SEEDS = 2


def experiment(folder: Path, *, control: bool) -> dict[str, dict[str, Any]]:
    """Comparisons of the target by name or direction: two fractures of other places, and unrelated data."""
    tasks = ("cancer-classification", "fracture")
    world = World(train=130, test=160, modalities=("X-ray", "CT"), areas=("lung", "brain"), tasks=tasks, control=control)
    release = released(world, folder)
    given = settings(learner(release, folder / "m"), steps=50) | {"per_device_train_batch_size": 4}
    groups = ("combinations", "data")
    options = Options(targets=(TARGET,), seeds=SEEDS, budget=60, directions=("fixed-task",), groups=groups, settings=given)
    plan = plan_cg(release, options)
    carry_out(plan.told, release, folder / "out", only=_needed(plan.told))
    [found] = report(plan.told, folder / "out")["targets"]
    return {row["direction"] or row["name"]: row for row in found["comparisons"]}


def _needed(told: dict[str, Any]) -> list[str]:
    """Runs of the combinations, of unrelated data, and the untrained one."""
    rows = [row for row in told["targets"][0]["comparisons"] if row["group"] == "combinations" or row["name"] == "unrelated"]
    return sorted({name for row in rows for name in (*row["runs"], *row["against"])})


def test_related_data_helps_and_unrelated_does_not(tmp_path: Path):
    found = experiment(tmp_path, control=False)
    related, unrelated = found["fixed-task"], found["unrelated"]
    assert related["arm"]["mean"] > 0.8
    assert related["low"] > 0
    assert len(related["arm"]["by_seed"]) == SEEDS
    assert unrelated["condition_against"] == "chance"
    assert unrelated["verdict"] != "doesn't hold"
    assert unrelated["arm"]["mean"] < 0.7


def test_where_labels_mean_nothing_nothing_helps(tmp_path: Path):
    found = experiment(tmp_path, control=True)
    assert found["fixed-task"]["verdict"] != "holds"
    assert found["fixed-task"]["p_holm"] > 0.05
    assert found["unrelated"]["verdict"] != "doesn't hold"
