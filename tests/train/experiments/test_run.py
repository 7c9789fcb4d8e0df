"""Runs of a plan: finished ones stay, interrupted ones go on, and a report says what it can."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from compositional_world import World, released
from world_learner import learner, settings

from medloom.schema.errors import UsageError
from medloom.train.experiments.plan import Options, Plan, plan_cg
from medloom.train.experiments.report import report
from medloom.train.experiments.run import How, carry_out, finished, state

TARGET = "x-ray-lung-fracture"


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Plan, Path]:
    """A plan of few steps over a small world, and its release."""
    import torch

    torch.set_num_threads(1)  # before the fixture of every test does, since runs are compared to the bit
    folder = tmp_path_factory.mktemp("runs")
    world = World(
        train=24, test=12, modalities=("X-ray", "CT"), areas=("lung", "brain"), tasks=("fracture", "level-identification")
    )
    release = released(world, folder)
    given = settings(learner(release, folder / "m"), steps=1)
    options = Options(
        targets=(TARGET,),
        seeds=1,
        budget=6,
        sizes=(2,),
        groups=("combinations", "sizes"),
        directions=("fixed-task",),
        settings=given,
    )
    return plan_cg(release, options), release


@pytest.fixture(scope="module")
def done(planned: tuple[Plan, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all its runs."""
    out = tmp_path_factory.mktemp("out")
    plan, release = planned
    said: list[tuple[str, int, int, int]] = []
    found = carry_out(plan.told, release, out, progress=lambda *one: said.append(one))
    assert found == {"runs": len(plan.runs), "finished": len(plan.runs), "left": []}
    assert [one[1] for one in said] == list(range(len(plan.runs) + 1))
    return out


def test_a_run_says_what_it_trained_on_and_leaves_no_weights(planned, done):
    plan, _ = planned
    for run in plan.runs.values():
        folder = done / "runs" / run.id
        assert not [*folder.glob("training/**/*.safetensors")]
        assert bool(run.parts) == (folder / "settings.yaml").is_file()


def test_finished_runs_are_not_repeated(planned, done):
    plan, release = planned
    before = {path: path.stat().st_mtime_ns for path in done.glob("runs/*/run.json")}
    carry_out(plan.told, release, done)
    assert {path: path.stat().st_mtime_ns for path in done.glob("runs/*/run.json")} == before


def test_what_was_interrupted_goes_on(planned, done, tmp_path):
    """A run whose evaluation was cut off, and one that hadn't begun, end with the scores they had."""
    plan, release = planned
    shutil.copytree(done, tmp_path / "out")
    cut, gone = list(plan.runs)[:2]
    (tmp_path / "out/runs" / cut / "run.json").unlink()
    shutil.rmtree(tmp_path / "out/runs" / cut / "training")
    shutil.rmtree(tmp_path / "out/runs" / gone)
    assert state(plan.told, tmp_path / "out")["left"] == [cut, gone]
    carry_out(plan.told, release, tmp_path / "out")
    for name in (cut, gone):
        assert (tmp_path / "out/runs" / name / "run.json").read_text() == (done / "runs" / name / "run.json").read_text()


def test_one_run_alone(planned, tmp_path):
    plan, release = planned
    name = next(run.id for run in plan.runs.values() if not run.parts)
    found = carry_out(plan.told, release, tmp_path, only=[name[:10]])
    assert found["finished"] == 1
    assert finished(tmp_path, name)
    with pytest.raises(UsageError, match="isn't in the plan"):
        carry_out(plan.told, release, tmp_path, only=["nothing"])


def test_a_folder_belongs_to_one_plan(planned, done):
    plan, release = planned
    with pytest.raises(UsageError, match="another plan"):
        carry_out({**plan.told, "notes": ["other"]}, release, done)


def test_the_report_has_a_row_for_each_comparison_and_draws_curves(planned, done):
    plan, _ = planned
    found = report(plan.told, done)
    [target] = found["targets"]
    assert len(target["comparisons"]) == len(plan.told["targets"][0]["comparisons"])
    assert json.loads((done / "report.json").read_text()) == found
    text = (done / "report.md").read_text()
    assert f"| fixed-task | x-ray-brain-fracture + ct-lung-fracture | {TARGET} | 6 |" in text
    with (done / f"curves-{TARGET}.csv").open(newline="") as lines:
        points = list(csv.DictReader(lines))
    assert {(one["series"], int(one["samples"])) for one in points} == {
        (series, size) for series in ("target", "target and related", "all related", "unrelated") for size in (2,)
    }
    assert (done / f"curves-{TARGET}.png").read_bytes().startswith(b"\x89PNG")


def test_comparisons_wait_for_their_runs(planned, done, tmp_path):
    plan, _ = planned
    shutil.copytree(done, tmp_path / "out")
    row = plan.told["targets"][0]["comparisons"][0]
    (tmp_path / "out/runs" / row["runs"][0] / "run.json").unlink()
    found = report(plan.told, tmp_path / "out")
    assert found["targets"][0]["waiting"][0]["runs"] == [row["runs"][0]]
    assert "aren't finished" in (tmp_path / "out/report.md").read_text()


def test_a_report_needs_a_run(planned, tmp_path):
    with pytest.raises(UsageError, match="no finished run"):
        report(planned[0].told, tmp_path)


@pytest.mark.slow
def test_two_processes_train_and_test_one_run(planned, tmp_path):
    plan, release = planned
    name = next(run.id for run in plan.runs.values() if run.parts)
    carry_out(plan.told, release, tmp_path, only=[name], how=How(processes=2))
    assert finished(tmp_path, name)
