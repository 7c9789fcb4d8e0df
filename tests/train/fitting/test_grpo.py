"""GRPO on tiny models: rewards rise, a resumed run takes the same steps, and what can't be rewarded is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import Any

import pytest
from tiny_models import tiny

from medloom.schema.errors import UsageError
from medloom.train import grpo, sft
from medloom.train.asked import ReleaseAsked
from medloom.train.conversation import Style, conversation
from medloom.train.data.arguments import DataArguments, Part
from medloom.train.fitting.run_folder import RunFolder

QUIET = ("--use_cpu", "true", "--bf16", "false", "--report_to", "none", "--disable_tqdm", "true", "--logging_steps", "1")
SHORT = ("--activation_checkpointing", "false", "--lr_scheduler_type", "constant")


@pytest.fixture(scope="module")
def release(asked_phantom: Path) -> Path:
    return asked_phantom


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory, release: Path) -> Callable[[str], Path]:
    """A tiny model that has seen letters as answers, so that sampling meets rewards."""
    made: dict[str, Path] = {}

    def one(family: str) -> Path:
        if family not in made:
            folder = tmp_path_factory.mktemp(family)
            asked = ReleaseAsked.open(release, suite="medmat", split="train")
            talks = [conversation(asked[place], Style()) for place in range(0, len(asked), 4)]
            turns = [turn for talk in talks for turn in talk["prompt"] + talk["completion"]]
            base = tiny(family, folder / "base", [part["text"] for turn in turns for part in turn["content"] if "text" in part])
            words = (
                "--max_steps",
                "15",
                "--learning_rate",
                "1e-2",
                "--per_device_train_batch_size",
                "8",
                "--save_strategy",
                "no",
            )
            told = ("--model_name_or_path", str(base), "--data", f"{release}:medmat", "--output_dir", str(folder / "sft"))
            made[family] = RunFolder.open(sft.fit(sft.parse([*told, *QUIET, *SHORT, *words]))).model
        return made[family]

    return one


def asked_of(model: Path, release: Path, output: Path, *more: str) -> list[str]:
    told = ("--model_name_or_path", str(model), "--data", f"{release}:medmat", "--output_dir", str(output))
    round_ = ("--per_device_train_batch_size", "16", "--num_generations", "4", "--max_completion_length", "4")
    return [*told, *QUIET, *SHORT, *round_, *more]


def course(folder: Path) -> list[dict[str, float]]:
    return [one for one in RunFolder.open(folder).metrics["course"] if "reward" in one]


@pytest.mark.slow
@pytest.mark.parametrize("family", ["llava", "idefics3"])
def test_the_reward_rises(family: str, taught: Callable[[str], Path], release: Path, tmp_path: Path):
    how = ("--max_steps", "12", "--learning_rate", "5e-3", "--save_strategy", "no", "--data_seed", "1")
    bold = ("--per_device_train_batch_size", "32", "--rewards", "form", "--reward_weights", "1")
    settings = grpo.parse([*asked_of(taught(family), release, tmp_path / "run"), *how, *bold])
    folder = grpo.fit(settings)
    rewards = [one["reward"] for one in course(folder)]
    assert mean(rewards[-4:]) > mean(rewards[:4]) + 0.05, rewards
    assert (folder / "model" / "model.safetensors").is_file()
    assert "reinforcement with verifiable rewards" in (folder / "README.md").read_text(encoding="utf-8")
    assert RunFolder.open(folder).config["rewards"] == ["form"]


def test_a_resumed_run_takes_the_steps_it_would_have_taken(taught: Callable[[str], Path], release: Path, tmp_path: Path):
    how = ("--max_steps", "4", "--save_steps", "2", "--learning_rate", "1e-3")
    whole = grpo.fit(grpo.parse([*asked_of(taught("llava"), release, tmp_path / "whole"), *how]))
    cut = tmp_path / "cut"
    shutil.copytree(whole, cut)
    for gone in ("checkpoint-4", "model"):
        shutil.rmtree(cut / gone)
    for gone in ("finished.json", "metrics.json", "README.md"):
        (cut / gone).unlink()
    again = grpo.fit(grpo.parse([*asked_of(taught("llava"), release, cut), *how]))

    def told(folder: Path) -> list[tuple[float, ...]]:
        return [tuple(one[name] for name in ("step", "loss", "grad_norm", "reward")) for one in course(folder)]

    assert [one[0] for one in told(whole)] == [1, 2, 3, 4]
    assert told(again) == told(whole)
    weights = "model/model.safetensors"
    assert (again / weights).read_bytes() == (whole / weights).read_bytes()


def test_what_has_no_reward_is_refused(taught: Callable[[str], Path], release: Path, tmp_path: Path):
    base = asked_of(taught("llava"), release, tmp_path / "run", "--max_steps", "1")
    words = ["--data", f"{release}:medtrinity"]
    with pytest.raises(UsageError, match="description, localization have no reward"):
        grpo.fit(grpo.parse([*base, *words]))
    for wrong, message in (
        (["--general", "some.json"], "general sets with rewards"),
        (["--streaming", "true"], "streaming with rewards"),
        (["--reward_weights", "1"], r"1 reward_weights for 2 rewards \(right, form\)"),
        (["--num_iterations", "2", "--save_steps", "3"], "save_steps 3 within a round of 2"),
        (["--rewards", "beauty"], "reward 'beauty'"),
    ):
        with pytest.raises(UsageError, match=message):
            grpo.fit(grpo.parse([*base, *wrong]))


def test_a_round_has_each_row_as_often_as_it_is_answered(release: Path):
    from medloom.train.fitting.rewarded import Rounds, opened

    data = DataArguments(data=[Part(str(release), "medmat")])
    mixture = opened(data, style=Style(), seed=0, seen=None)
    sampler = Rounds(mixture, questions=5, answers=3, uses=2)
    rows = list(sampler)
    assert len(rows) == len(sampler) == len(mixture) // 5 * 30
    assert rows[:15] == rows[15:30]
    first = rows[:15:3]
    assert rows[:15] == [row for row in first for _ in range(3)]
    every = [row for begin in range(0, len(rows), 30) for row in rows[begin : begin + 15 : 3]]
    assert len(set(every)) == len(every)
    sampler.set_epoch(1)
    assert list(sampler) != rows
    with pytest.raises(UsageError, match="questions in an epoch"):
        Rounds(mixture, questions=len(mixture) + 1, answers=2, uses=1)


def test_a_row_carries_its_truth(release: Path):
    from medloom.train.fitting.rewarded import mapped, opened
    from medloom.train.fitting.rewards import right, truth_of

    mixture = opened(DataArguments(data=[Part(str(release), "medmat")]), style=Style(), seed=0, seen=None)
    row: Any = mapped(mixture)[3]
    assert set(row) == {"prompt", "images", "truth"}
    truth = truth_of(row["truth"])
    assert right(truth.answer, truth) == 1.0
    assert row["prompt"][-1]["role"] == "user"
    assert truth.question.question in row["prompt"][-1]["content"][-1]["text"]
    assert json.loads(row["truth"])["question"]["id"] == truth.question.id
