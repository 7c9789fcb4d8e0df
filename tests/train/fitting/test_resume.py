"""A run that was killed goes on as if nothing had happened, in every family, however it reads and trains."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from runs import Run, goes_on_as_if_nothing_happened
from tiny_models import WITHOUT_TORCHVISION

LORA = ("--use_peft", "true", "--lora_modules_to_save", "lm_head", "embed_tokens")


def argv(release: Path, model: Path, *more: str, steps: int = 12) -> list[str]:
    batch = ("--per_device_train_batch_size", "4", "--learning_rate", "3e-3", "--max_steps", str(steps), "--save_steps", "3")
    return ["--data", f"{release}:medmat", "--model_name_or_path", str(model), *batch, "--save_total_limit", "2", *more]


def part(release: Path) -> dict[str, str]:
    return {"release": str(release), "suite": "medmat"}


@pytest.mark.slow
@pytest.mark.parametrize("family", WITHOUT_TORCHVISION)
def test_killed_and_resumed(family: str, asked_phantom: Path, tiny_model: Callable[[str], Path], tmp_path: Path):
    run = goes_on_as_if_nothing_happened(argv(asked_phantom, tiny_model(family)), tmp_path, dies_at=9)
    assert len(run.losses) == 12
    assert sum(run.losses[-3:]) < 0.8 * sum(run.losses[:3])


@pytest.mark.slow
@pytest.mark.parametrize("more", [("--gradient_accumulation_steps", "2"), LORA], ids=["full", "lora"])
def test_streaming_killed_and_resumed(
    more: tuple[str, ...], asked_phantom: Path, tiny_model: Callable[[str], Path], tmp_path: Path
):
    """LoRA has dropout, so that random numbers count."""
    given = argv(asked_phantom, tiny_model("llava"), "--streaming", "true", *more)
    goes_on_as_if_nothing_happened(given, tmp_path, dies_at=9)


@pytest.mark.slow
def test_two_processes_killed_in_their_second_epoch(asked_phantom: Path, tiny_model: Callable[[str], Path], tmp_path: Path):
    """And they take the steps that one process takes with twice the batch, and measure the same loss of held-out answers."""
    (tmp_path / "held-out.yaml").write_text(json.dumps({"held_out": [{**part(asked_phantom), "split": "test", "limit": 23}]}))
    held_out = ("--config", str(tmp_path / "held-out.yaml"), "--answers", "false", "--per_device_eval_batch_size", "5")
    evaluated = (*held_out, "--eval_strategy", "steps", "--eval_steps", "24")
    given = argv(asked_phantom, tiny_model("llava"), *evaluated, steps=24)
    two = goes_on_as_if_nothing_happened(given, tmp_path, dies_at=21, world=2)
    one = Run([*given, "--per_device_train_batch_size", "8", "--output_dir", str(tmp_path / "one")])
    assert one.wait() == [0]
    assert one.losses == pytest.approx(two.losses, abs=1e-4)
    [of_one], [of_two] = ([told["eval_loss"] for told in run.course if "eval_loss" in told] for run in (one, two))
    assert of_one == pytest.approx(of_two, abs=1e-4)
