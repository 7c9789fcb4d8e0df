"""medloom experiment on the command line: plans, scripts and what is said; training stands in tests/train/experiments."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from compositional_world import World, released

from medloom.cli import main

TARGET = "x-ray-lung-fracture"


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = World(train=20, test=8, modalities=("X-ray", "CT"), areas=("lung", "brain"))
    return released(world, tmp_path_factory.mktemp("cli"))


def call(*arguments: str | Path, code: int = 0) -> None:
    with pytest.raises(SystemExit) as left:
        main([str(one) for one in arguments])
    assert left.value.code == code


def told(capsys: pytest.CaptureFixture[str], *arguments: str | Path, code: int = 0) -> Any:
    capsys.readouterr()
    call(*arguments, "--json", code=code)
    return json.loads(capsys.readouterr().out)


@pytest.fixture
def planned(release: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    (tmp_path / "sft.yaml").write_text(yaml.safe_dump({"model_name_or_path": "some-model", "max_steps": 3}))
    path = tmp_path / "plan.json"
    given = ("--target", TARGET, "--config", tmp_path / "sft.yaml", "--seeds", 2, "--budget", 4)
    call("experiment", "plan", "cg", release, *map(str, given), "--out", path)
    assert "fixed-modality" in capsys.readouterr().out
    return path


def test_a_plan_holds_options_and_settings(release, planned):
    plan = json.loads(planned.read_text())
    assert plan["options"]["settings"] == {"model_name_or_path": "some-model", "max_steps": 3}
    assert [one["target"] for one in plan["targets"]] == [TARGET]
    assert plan["release"] == release.name


def test_options_reach_the_plan(release, capsys):
    words = ("--direction", "fixed-task", "--group", "combinations", "--seeds", "1", "--questions", "3", "--elements", "3")
    found = told(capsys, "experiment", "plan", "cg", release, "--target", TARGET, *words)
    [target] = found["targets"]
    assert {row["direction"] for row in target["comparisons"]} == {"fixed-task"}
    assert target["questions"] == 3
    assert len(found["runs"]) == 3


def test_sizes_are_a_group_of_their_own(release, capsys):
    found = told(capsys, "experiment", "plan", "cg", release, "--target", TARGET, "--sizes", "2,4", "--seeds", "1")
    assert {row["size"] for row in found["targets"][0]["comparisons"] if row["group"] == "sizes"} == {2, 4}


def test_populations_are_given_by_conditions(release, capsys):
    words = ("--population", "children=subject_age_years < 40", "--population", "adults=subject_age_years >= 40")
    found = told(capsys, "experiment", "plan", "cg", release, "--target", TARGET, *words, "--seeds", "1")
    assert found["targets"][0]["target"] == f"{TARGET}+children"


def test_a_dry_run_tells_what_is_left(release, planned, tmp_path, capsys):
    found = told(capsys, "experiment", "run", planned, release, "--out", tmp_path / "out", "--dry-run")
    assert found["finished"] == 0
    assert len(found["left"]) == found["runs"] > 0
    assert not (tmp_path / "out").exists()


def test_slurm_scripts_name_no_path_of_this_machine(release, planned, tmp_path, capsys):
    words = ("--slurm", tmp_path / "jobs", "--launch", "torchrun:4")
    found = told(capsys, "experiment", "run", planned, release, "--out", tmp_path / "out", *words)
    script = (tmp_path / "jobs/experiment.sbatch").read_text()
    assert (tmp_path / "jobs/runs.txt").read_text().split() == found["left"]
    assert f"#SBATCH --array=1-{len(found['left'])}" in script
    assert "--launch torchrun:4" in script
    assert not re.search(r"(?<![\w.$}])/(?!bin/bash)\w+/", script)
    assert str(tmp_path) not in script


def test_the_scripts_run_what_they_say(release, planned, tmp_path, capsys):
    """Runs the script with a `medloom` that prints what it is called with."""
    import os
    import subprocess

    told(capsys, "experiment", "run", planned, release, "--out", tmp_path / "out", "--slurm", tmp_path / "jobs")
    (tmp_path / "medloom").write_text('#!/bin/bash\necho "$@"\n')
    (tmp_path / "medloom").chmod(0o755)
    own = {"MEDLOOM_PLAN": "p.json", "MEDLOOM_RELEASE": "r", "MEDLOOM_OUT": "o", "SLURM_ARRAY_TASK_ID": "2"}
    own |= {"MEDLOOM_RUNS": str(tmp_path / "jobs/runs.txt"), "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(["bash", tmp_path / "jobs/experiment.sbatch"], env=os.environ | own, capture_output=True, text=True)
    second = (tmp_path / "jobs/runs.txt").read_text().split()[1]
    assert done.stdout.split() == ["experiment", "run", "p.json", "r", "--out", "o", "--only", second]


def test_the_papers_rows(capsys):
    found = told(capsys, "experiment", "published")
    assert (len(found["rows"]), found["found"]) == (43, 43)
    call("experiment", "published")
    assert "43 of 43 rows found" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("plan", "cg", "RELEASE", "--target", TARGET), "needs a place"),
        (("plan", "cg", "RELEASE", "--target", TARGET, "--json", "--sizes", "a"), "expected whole numbers"),
        (("plan", "cg", "RELEASE", "--target", TARGET, "--json", "--population", "children=1"), "expected two or more"),
        (("plan", "cg", "RELEASE", "--target", TARGET, "--json", "--label", "fracture", "--population", "a=b"), "one added"),
        (("plan", "cg", "RELEASE", "--target", "ct-heart-fracture", "--json"), "isn't in the release"),
        (("run", "README.md", "RELEASE", "--out", "o"), "expected a plan"),
        (("run", "PLAN", "RELEASE", "--out", "o", "--launch", "mpirun:2"), "expected torchrun:N"),
        (("report", "nowhere"), "expected a plan"),
    ],
)
def test_wrong_calls_say_what_was_expected(release, planned, capsys, words, says):
    places = {"RELEASE": release, "PLAN": planned}
    call("experiment", *(places.get(word, word) for word in words), code=2)
    assert says in capsys.readouterr().err
