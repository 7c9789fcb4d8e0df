"""A tiny model of random weights learns boxes and organs from a release on a Hub; the best of its weights are kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from learning import configured, learns_boxes, learns_organs
from runs import Run

FAMILIES = ("llava", "idefics3")
"""The others that the same is asked of stand in `tests/train/vision/`."""


@pytest.mark.slow
@pytest.mark.usefixtures("organs_hub")
@pytest.mark.parametrize("family", FAMILIES)
def test_boxes_are_learnt_from_a_release_on_the_hub(family: str, tiny_model: Callable[[str], Path], tmp_path: Path):
    learns_boxes(tiny_model(family), tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("organs_hub")
@pytest.mark.parametrize(("family", "steps"), [("llava", 200), ("idefics3", 100)])
def test_organs_are_learnt_from_a_release_on_the_hub(
    family: str, steps: int, organs: Path, tiny_model: Callable[[str], Path], tmp_path: Path
):
    learns_organs(organs, tiny_model(family), tmp_path, steps=steps)


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
