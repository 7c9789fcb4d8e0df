"""Plans over a drawn world: what may train, what tests, and that a plan is a pure function."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from compositional_world import World, released

from medloom.schema.errors import UsageError
from medloom.schema.index import SAMPLES
from medloom.schema.release import Release
from medloom.train.experiments.drawing import Guard, drawn
from medloom.train.experiments.holdings import Added, holdings
from medloom.train.experiments.plan import GROUPS, Options, again, plan_cg, read, write

TARGET = "x-ray-lung-fracture"
AGES = {"children": "subject_age_years < 18", "adults": "subject_age_years >= 18"}


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    small = World(train=40, test=16, modalities=("X-ray", "CT"), areas=("lung", "brain"))
    return released(small, tmp_path_factory.mktemp("world"))


def keys_of(plan, condition: str) -> list[set[str]]:
    return [{key for part in run.parts for key in part.keys} for run in plan.runs.values() if run.condition == condition]


def rows(release: Path) -> dict[str, dict]:
    return {one["key"]: one for one in pq.read_table(Release.open(release).index_path("world")).to_pylist()}


def test_every_related_combination_of_the_world_is_planned(release: Path):
    """Of 2×2×3 cells: for every other task one that gives the place, and so on; counted by hand."""
    made = plan_cg(release, Options(targets=(TARGET,), seeds=2))
    counts: dict[str, int] = defaultdict(int)
    for one in made.told["targets"][0]["combinations"]:
        counts[one["direction"]] += 1
    assert counts == {
        "fixed-modality": 2,
        "fixed-area": 2,
        "fixed-task": 1,
        "modality-area-pair": 2,
        "modality-task-pair": 2,
        "area-task-pair": 2,
    }
    assert made.told["targets"][0]["unrelated"] == ["ct-brain-cancer-classification", "ct-brain-level-identification"]


def test_conditions_of_a_comparison_have_one_budget(release: Path):
    made = plan_cg(release, Options(targets=(TARGET,), seeds=2, groups=GROUPS, sizes=(4, 8)))
    samples = {one["id"]: one["samples"] for one in made.told["runs"]}
    for row in made.told["targets"][0]["comparisons"]:
        sizes = {samples[name] for name in row["runs"]}
        assert sizes == {row["samples"]}
        if row["group"] in ("combinations", "without") or row["name"] in ("all", "all related"):
            assert {samples[name] for name in row["against"]} == sizes
    budgets = {row["samples"] for row in made.told["targets"][0]["comparisons"] if row["group"] == "without"}
    assert len(budgets) == 1


def test_unrelated_data_is_trained_once_for_all_that_need_it(release: Path):
    made = plan_cg(release, Options(targets=(TARGET,), seeds=3, budget=20))
    assert made.told["conditions"]["unrelated"] == 3
    assert made.told["conditions"]["untrained"] == 1


def test_no_run_trains_on_what_tests_or_on_the_target_unless_it_says_so(release: Path):
    made = plan_cg(release, Options(targets=(TARGET,), seeds=2, groups=GROUPS, sizes=(4,)))
    index = rows(release)
    tests = set(made.held.every[TARGET].tests.values())
    groups = {index[key]["group"] for key in tests}
    for run in made.runs.values():
        keys = {key for part in run.parts for key in part.keys}
        assert {index[key]["split"] for key in keys} <= {"train"}
        assert not groups & {index[key]["group"] for key in keys}
        own = [key for key in keys if TARGET in index[key]["subsets"]]
        assert bool(own) == (run.condition in ("target", "target and related", "single task", "multi-task"))


def test_a_group_that_tests_trains_nowhere_though_its_source_put_it_there(release: Path, tmp_path: Path):
    """A patient of the target's test who also has training pictures of a related subset: as an index may have it."""
    import shutil

    shutil.copytree(release, tmp_path / "release")
    opened = Release.open(tmp_path / "release")
    tests = set(holdings(opened, "medmat").every[TARGET].tests.values())
    path = opened.index_path("world")
    table = pq.read_table(path)
    every = table.to_pylist()
    patient = next(one["group"] for one in every if one["key"] in tests)
    moved = {one["key"] for one in every if one["split"] == "train" and "ct-lung-fracture" in one["subsets"]}
    moved = set(sorted(moved)[:5])
    groups = pa.array([patient if one["key"] in moved else one["group"] for one in every], pa.string())
    place = SAMPLES.names.index("group")
    pq.write_table(table.set_column(place, SAMPLES.field("group"), groups), path)
    made = plan_cg(tmp_path / "release", Options(targets=(TARGET,), seeds=1))
    used = {key for run in made.runs.values() for part in run.parts for key in part.keys}
    assert used
    assert not used & moved
    with pytest.raises(UsageError, match="other runs than the plan"):
        again(plan_cg(release, Options(targets=(TARGET,), seeds=1)).told, tmp_path / "release")


def test_the_childrens_set_stays_out_of_its_adult_subset(release: Path):
    added = Added("population", "children", AGES)
    made = plan_cg(release, Options(targets=(TARGET,), seeds=2, added=added, budget=10))
    index = rows(release)
    assert made.told["targets"][0]["triplet"]["population"] == "children"
    assert {index[key]["subject_age_years"] < 18 for key in made.held.every[f"{TARGET}+children"].tests.values()} == {True}
    adults = [part for run in made.runs.values() for part in run.parts if part.cell == f"{TARGET}+adults"]
    assert adults
    assert all(index[key]["subject_age_years"] >= 18 for part in adults for key in part.keys)


def test_a_population_may_be_a_whole_source_whatever_ages_say(release: Path):
    """The first condition wins: a child's set that is declared by its source isn't an adult's where both hold."""
    both = {"children": "key < 'world-8'", "adults": "subject_age_years >= 0"}
    held = holdings(Release.open(release), "medmat", added=Added("population", "children", both))
    for name, one in held.every.items():
        assert {key < "world-8" for key in one.keys.tolist()} <= {name.endswith("+children")}


def test_a_plan_is_a_pure_function_and_can_be_read_again(release: Path, tmp_path: Path):
    options = Options(targets=(TARGET,), seeds=2, budget=12, settings={"model_name_or_path": "m"})
    made = plan_cg(release, options)
    for name in ("plan.json", "plan.yaml"):
        write(made, tmp_path / name)
        assert read(tmp_path / name) == made.told
        assert again(read(tmp_path / name), release).runs == made.runs
    assert json.loads((tmp_path / "plan.json").read_text()) == made.told
    assert str(release.parent) not in (tmp_path / "plan.json").read_text()


def test_settings_and_seeds_are_part_of_a_runs_id(release: Path):
    def ids(**settings) -> set[str]:
        return set(plan_cg(release, Options(targets=(TARGET,), seeds=1, budget=12, settings=settings)).runs)

    assert ids(max_steps=1) == ids(max_steps=1)
    assert not ids(max_steps=1) & ids(max_steps=2)


def test_draws_are_nested_even_and_seeded(release: Path):
    held = holdings(Release.open(release), "medmat")
    some = [held.every["ct-lung-fracture"], held.every["x-ray-brain-fracture"]]
    guard = Guard(frozenset())
    few, many = ([set(one.keys) for one in drawn(some, count, guard=guard, seed=3)] for count in (8, 20))
    assert [len(one) for one in few] == [4, 4]
    assert all(one <= other for one, other in zip(few, many, strict=True))
    assert [set(one.keys) for one in drawn(some, 8, guard=guard, seed=4)] != few
    for one, keys in zip(some, many, strict=True):
        labels = one.stratum[np.isin(one.keys, list(keys))]
        assert np.unique(labels, return_counts=True)[1].tolist() == [5, 5]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"targets": ("ct-heart-fracture",)}, "isn't in the release"),
        ({"targets": (TARGET,), "groups": ("curves",)}, "expected some of combinations"),
        ({"targets": (TARGET,), "groups": ("sizes",)}, "expected --sizes"),
        ({"targets": (TARGET,), "directions": ("fixed-place",)}, "expected some of"),
        ({"targets": (TARGET,), "regions": "medmat"}, "asks nothing of detection"),
        ({"targets": (TARGET,), "settings": {"seed": 1}}, "the plan decides"),
        ({"targets": ()}, "expected a target"),
    ],
)
def test_what_cannot_be_planned_is_said(release: Path, wrong, says):
    with pytest.raises(UsageError, match=says):
        plan_cg(release, Options(**wrong))


def test_what_the_data_cannot_give_is_left_out_with_its_reason(release: Path):
    made = plan_cg(release, Options(targets=(TARGET,), seeds=1, budget=10_000))
    assert made.told["targets"][0]["comparisons"] == []
    assert all("may train; expected 10000" in one["why"] for one in made.told["targets"][0]["left_out"])


def test_without_a_related_cell_unrelated_data_is_still_tried(release: Path):
    made = plan_cg(release, Options(targets=(TARGET,), seeds=1, directions=("three-elements",)))
    [target] = made.told["targets"]
    assert [row["name"] for row in target["comparisons"]] == ["unrelated"]
    assert {one["why"] for one in target["left_out"]} == {"no cell of this release is what it needs"}


def test_subsets_with_boxes_and_masks_take_part_as_cells_of_their_own(asked_phantom: Path):
    held = holdings(Release.open(asked_phantom), "medmat", regions="mimoseg")
    outlined = held.every["ct-abdomen-organ-segmentation@regions"]
    assert (outlined.suite, outlined.cell.asks) == ("mimoseg", "regions")
    assert {"detection", "grounding"} <= set(outlined.kinds)
    assert len(outlined) > 0
