"""A tiny model of random weights learns the phantom's boxes from a release on a Hub; the best of its weights are kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hub import Hub
from hub_holding import hold
from runs import Run

from medloom.generation.asking.ask import ask
from medloom.train.asked import ReleaseAsked

REPO = "org/phantom"


SUITES = [f"organs-{number}" for number in range(8)]


@pytest.fixture(scope="module")
def release(asked_phantom: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The phantom with eight more suites of choices between two organs of the abdomen."""
    folder = tmp_path_factory.mktemp("organs")
    shutil.copytree(asked_phantom, folder / "release")
    for name in SUITES:
        told = {"name": name, "version": "1", "title": name, "rules": [{"rule": "subset-choice", "most_options": 2}]}
        (folder / f"{name}.yaml").write_text(json.dumps(told))
        ask(folder / "release", str(folder / f"{name}.yaml"))
    return folder / "release"


@pytest.fixture
def hub(release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub(tmp_path / "hub") as hub:
        hold(hub, REPO, release)
        for name, value in hub.environment(tmp_path / "home").items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        yield hub


def configured(folder: Path, *, release: str = REPO, **more: Any) -> list[str]:
    part = {"release": release, "suite": "mimoseg", "kinds": ["detection"], "select": {"modality": "CT", "area": "abdomen"}}
    held_out = {**part, "split": "test", "limit": 40}
    told = {
        "data": [part],
        "held_out": [held_out],
        "instruction": False,
        "answer_tokens": 48,
        "per_device_train_batch_size": 16,
        "per_device_eval_batch_size": 40,
        "learning_rate": 3e-3,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 20,
        "eval_strategy": "steps",
        "save_strategy": "steps",
        "load_best_model_at_end": True,
        "metric_for_best_model": "box_iou",
        **more,
    }
    (folder / "run.yaml").write_text(json.dumps(told))
    return ["--config", str(folder / "run.yaml"), "--output_dir", str(folder / "run")]


@pytest.mark.slow
@pytest.mark.usefixtures("hub")
def test_boxes_are_learnt_from_a_release_on_the_hub(tiny_model: Callable[[str], Path], tmp_path: Path):
    steady = {"lr_scheduler_type": "constant_with_warmup"}
    given = configured(tmp_path, max_steps=240, eval_steps=60, save_steps=60, **steady)
    run = Run([*given, "--model_name_or_path", str(tiny_model("llava"))])
    assert run.wait() == [0]
    ious = [one["eval_box_iou"] for one in run.course if "eval_box_iou" in one]
    assert len(ious) == 4
    assert max(ious) > ious[0] + 0.2
    losses = run.losses
    assert sum(losses[-10:]) < 0.2 * sum(losses[:10])
    last = json.loads((run.folder / "metrics.json").read_text())["last"]
    assert last["eval_box_iou"] == max(ious)


def in_alphabetical_order(release: Path, split: str) -> list[dict[str, Any]]:
    """Parts with the CT slices all of whose questions name their two options in the alphabet's order.

    A model this small doesn't learn within a test to look up which letter bears which word; to see the organ it does.
    """
    parts = []
    for suite in SUITES:
        asked: dict[str, list[bool]] = {}
        for one in ReleaseAsked.open(release, suite=suite, split=split, select={"modality": "CT"}).questions():
            words = [option.text for option in one.options]
            asked.setdefault(one.key, []).append(words == sorted(words))
        keys = ", ".join(f"'{key}'" for key, sorted_all in asked.items() if all(sorted_all))
        parts.append({"release": REPO, "suite": suite, "split": split, "select": {"where": f"key IN ({keys})"}})
    return parts


@pytest.mark.slow
@pytest.mark.usefixtures("hub")
def test_organs_are_learnt_from_a_release_on_the_hub(release: Path, tiny_model: Callable[[str], Path], tmp_path: Path):
    parts = {"data": in_alphabetical_order(release, "train"), "held_out": in_alphabetical_order(release, "test")}
    steps = {"max_steps": 200, "eval_steps": 50, "save_steps": 50, "metric_for_best_model": "accuracy"}
    run = Run([*configured(tmp_path, answer_tokens=3, **parts, **steps), "--model_name_or_path", str(tiny_model("llava"))])
    assert run.wait() == [0]
    last = json.loads((run.folder / "metrics.json").read_text())["last"]
    assert last["eval_accuracy"] > 0.9
    assert last["eval_answered"] == 1
    assert sum(run.losses[-10:]) < 0.2 * sum(run.losses[:10])


@pytest.mark.slow
def test_a_run_that_gets_worse_stops_and_keeps_its_best_weights(
    asked_phantom: Path, tiny_model: Callable[[str], Path], tmp_path: Path
):
    """A rate of learning that rises until the model forgets."""
    from safetensors.torch import load_file

    more = {"eval_steps": 2, "save_steps": 2, "learning_rate": 0.3, "lr_scheduler_type": "constant", "warmup_steps": 60}
    watched = {"metric_for_best_model": "loss", "answers": False, "patience": 2}
    given = configured(tmp_path, release=str(asked_phantom), max_steps=40, **watched, **more)
    run = Run([*given, "--model_name_or_path", str(tiny_model("llava"))])
    assert run.wait() == [0]
    scores = {one["step"]: one["eval_loss"] for one in run.course if "eval_loss" in one}
    best = min(scores, key=scores.__getitem__)
    assert max(scores) == best + 4 < 40
    kept, wanted = (load_file(run.folder / name / "model.safetensors") for name in ("model", f"checkpoint-{best}"))
    assert kept.keys() == wanted.keys()
    assert all((kept[name] == wanted[name]).all() for name in kept)
    final = load_file(run.folder / f"checkpoint-{max(scores)}" / "model.safetensors")
    assert any((kept[name] != final[name]).any() for name in kept)
