"""What a tiny model can learn of the phantom within a test: where things are, and which of two organs a slice shows."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from runs import Run

from medloom.generation.asking.ask import ask
from medloom.train.asked import ReleaseAsked

REPO = "org/phantom"
SUITES = [f"organs-{number}" for number in range(8)]


def with_organs(release: Path, folder: Path) -> Path:
    """A copy with eight more suites of choices between two organs of the abdomen."""
    shutil.copytree(release, folder / "release")
    for name in SUITES:
        told = {"name": name, "version": "1", "title": name, "rules": [{"rule": "subset-choice", "most_options": 2}]}
        (folder / f"{name}.yaml").write_text(json.dumps(told))
        ask(folder / "release", str(folder / f"{name}.yaml"))
    return folder / "release"


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


def learns_boxes(model: Path, folder: Path, *, answer_tokens: int = 48) -> None:
    """Assert that the model learns from questions on the Hub to box the organs of a CT slice; its best weights are kept."""
    steady = {"lr_scheduler_type": "constant_with_warmup", "answer_tokens": answer_tokens}
    given = configured(folder, max_steps=240, eval_steps=80, save_steps=80, **steady)
    run = Run([*given, "--model_name_or_path", str(model)])
    assert run.wait() == [0]
    ious = [one["eval_box_iou"] for one in run.course if "eval_box_iou" in one]
    assert len(ious) == 3
    assert max(ious) > ious[0] + 0.2
    assert sum(run.losses[-10:]) < 0.2 * sum(run.losses[:10])
    last = json.loads((run.folder / "metrics.json").read_text())["last"]
    assert last["eval_box_iou"] == max(ious)
    assert last["eval_answered"] > 0.8
    assert last["eval_cut_off"] < 0.2


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


def learns_organs(release: Path, model: Path, folder: Path, *, steps: int) -> None:
    """Assert that the model, trained on questions on the Hub, tells which of two organs held-out slices show."""
    parts = {"data": in_alphabetical_order(release, "train"), "held_out": in_alphabetical_order(release, "test")}
    half = {"max_steps": steps, "eval_steps": steps // 2, "save_steps": steps // 2, "metric_for_best_model": "accuracy"}
    run = Run([*configured(folder, answer_tokens=3, **parts, **half), "--model_name_or_path", str(model)])
    assert run.wait() == [0]
    last = json.loads((run.folder / "metrics.json").read_text())["last"]
    assert last["eval_accuracy"] > 0.9
    assert (last["eval_answered"], last["eval_cut_off"]) == (1, 0)
    assert sum(run.losses[-10:]) < 0.2 * sum(run.losses[:10])
