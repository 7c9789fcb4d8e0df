"""A whole experiment over drawn worlds: related data helps, unrelated doesn't, and in the control world nothing does."""

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
SEEDS = 5


def experiment(folder: Path, *, control: bool, directions: tuple[str, ...]) -> dict[str, Any]:
    """The target's report after everything has run."""
    tasks = ("cancer-classification", "fracture")
    world = World(train=260, test=200, modalities=("X-ray", "CT"), areas=("lung", "brain"), tasks=tasks, control=control)
    release = released(world, folder)
    given = settings(learner(release, folder / "m"), steps=70)
    options = Options(
        targets=(TARGET,),
        seeds=SEEDS,
        budget=100,
        directions=directions,
        groups=("combinations", "data"),
        settings=given,
    )
    plan = plan_cg(release, options)
    carry_out(plan.told, release, folder / "out", only=_needed(plan.told))
    [found] = report(plan.told, folder / "out")["targets"]
    assert all(row["arm"]["mean"] <= 1 for row in found["comparisons"])
    return found


def _needed(told: dict[str, Any]) -> list[str]:
    """Runs of the combinations, of unrelated data, and the untrained one."""
    rows = [row for row in told["targets"][0]["comparisons"] if row["group"] == "combinations" or row["name"] == "unrelated"]
    return sorted({name for row in rows for name in (*row["runs"], *row["against"])})


def row_of(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(row for row in found["comparisons"] if name in (row["direction"], row["name"]))


def test_related_data_helps_and_unrelated_does_not(tmp_path: Path):
    found = experiment(tmp_path, control=False, directions=("fixed-task", "fixed-area"))
    for direction in ("fixed-task", "fixed-area"):
        row = row_of(found, direction)
        assert row["verdict"] == "holds"
        assert row["difference"] > 0
        assert row["p_holm"] < 0.05
        assert len(row["arm"]["by_seed"]) == SEEDS
    assert row_of(found, "fixed-task")["arm"]["mean"] > 0.9
    unrelated = row_of(found, "unrelated")
    assert unrelated["condition_against"] == "chance"
    assert unrelated["verdict"] != "doesn't hold"
    assert unrelated["high"] < 0.2


def test_where_labels_mean_nothing_nothing_helps(tmp_path: Path):
    found = experiment(tmp_path, control=True, directions=("fixed-task",))
    row = row_of(found, "fixed-task")
    assert row["verdict"] != "holds"
    assert row["p_holm"] > 0.05
    assert row_of(found, "unrelated")["verdict"] != "doesn't hold"
