"""The verbs that train: what `--help` teaches, what a dry run tells, one JSON document, and a run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from tiny_models import tiny
from typer.testing import CliRunner

from medloom.cli import app, main
from medloom.generation.asking.ask import ask
from medloom.train.data.arguments import DataArguments
from medloom.train.fitting.medical_arguments import MedicalArguments
from medloom.train.fitting.reward_arguments import RewardArguments

ON_CPU = ["--use_cpu", "true", "--bf16", "false", "--report_to", "none", "--activation_checkpointing", "false"]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, built: Callable[[str], tuple[Path, dict[str, Any]]]) -> Path:
    """A folder with the release `drawn` and the model `tiny`."""
    folder = tmp_path_factory.mktemp("train")
    shutil.copytree(built("phantom")[0], folder / "drawn")
    ask(folder / "drawn", "medmat")
    tiny("llava", folder / "tiny", ["Which of these is visible on this image? A. B. C."])
    return folder


def medloom(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-m", "medloom", "train", *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=300)


@pytest.mark.parametrize("verb", ["sft", "grpo"])
def test_help_explains_every_option_of_ours(verb: str):
    kinds: list[Any] = [DataArguments, MedicalArguments, *([RewardArguments] if verb == "grpo" else [])]
    found = CliRunner().invoke(app, ["train", verb, "--help"], env={"COLUMNS": "400"})
    assert found.exit_code == 0
    taught = " ".join(found.stdout.split())
    own = [field for kind in kinds for field in fields(kind)]
    assert [one.name for one in own if f"--{one.name}" not in taught or one.metadata["help"] not in taught] == []
    assert "--answer_tokens: The longest answer to a held-out question, in tokens. Default: 128." in taught
    assert "medloom train" in taught.split("Examples:")[1]


def test_help_and_recipes_load_no_torch():
    run = "try: main(sys.argv[1:])\nexcept SystemExit: assert 'torch' not in sys.modules"
    code = f"import sys; from medloom.cli import main\n{run}"
    for words in (["train", "sft", "--help"], ["train", "recipes"]):
        subprocess.run([sys.executable, "-c", code, *words], check=True, capture_output=True)


def test_recipes_are_listed_and_printed():
    listed = json.loads(CliRunner().invoke(app, ["train", "recipes", "--json"]).stdout)["recipes"]
    assert {"llava-1.5", "med-mat-llava-1.5", "grpo-qwen2.5-vl"} <= {one["name"] for one in listed}
    printed = CliRunner().invoke(app, ["train", "recipes", "smolvlm"]).stdout
    assert "model_name_or_path: HuggingFaceTB/SmolVLM2-2.2B-Instruct" in printed


def test_a_dry_run_tells_the_plan_and_writes_nothing(place: Path):
    told = ["--model_name_or_path", "tiny", "--data", "drawn:medmat", "--output_dir", "dry", *ON_CPU]
    plan = json.loads(medloom("sft", "--config", "llava-1.5", *told, "--dry-run", "--json", cwd=place).stdout)
    [one] = plan["sets"]
    assert (one["release"], one["suite"], one["rows"]) == ("drawn", "medmat", plan["rows_per_epoch"])
    assert plan["rows_per_step"] == 16
    assert plan["steps_per_epoch"] == plan["rows_per_epoch"] // 16
    assert plan["settings"]["lora_r"] == 128
    assert "Answer with the letter" in plan["first"]["text"]
    assert plan["first"]["pictures_hw_px"][0][0] > 0
    assert not (place / "dry").exists()
    shown = medloom("sft", "--config", "llava-1.5", *told, "--dry-run", cwd=place).stdout
    assert "drawn:medmat train" in shown
    assert "<|im_start|>user" in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--freeze", "vision_towr"], "freeze: no module 'vision_towr'"),
        (["--use_peft", "--lora_target_modules", "q_prj"], "lora_target_modules q_prj: no such module"),
        (["--patience", "2"], "patience 2 without a measure"),
        (["--held_out", "drawn:medmat"], "held_out without eval_strategy"),
        (["--metric_for_best_model", "eval_acuracy"], "eval_accuracy"),
        (["--load_in_4bit"], "load_in_4bit without use_peft"),
        (["--per_device_train_batch_size", "5000"], "5000 in a step"),
        (["--push_to_hub", "--hub_strategy", "checkpoint"], "hub_strategy checkpoint"),
        (["grpo", "--rewards", "rigth"], "reward 'rigth'"),
        (["grpo", "--reward_weights", "1"], "1 reward_weights for 2 rewards"),
        (["grpo", "--data", "drawn:medmat", "--streaming"], "streaming with rewards"),
    ],
)
def test_a_dry_run_makes_the_checks_of_a_run(
    place: Path, words: list[str], said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(place)
    verb, *more = words if words[0] == "grpo" else ["sft", *words]
    told = ["--model_name_or_path", "tiny", "--data", "drawn:medmat", "--output_dir", "dry", *ON_CPU]
    with pytest.raises(SystemExit) as end:
        main(["train", verb, *told, *more, "--dry-run"])
    assert end.value.code == 2
    assert said in capsys.readouterr().err


def test_a_run_and_its_json(place: Path):
    told = ["--model_name_or_path", "tiny", "--data", "drawn:medmat", "--output_dir", "run", *ON_CPU]
    short = ["--max_steps", "1", "--per_device_train_batch_size", "2", "--save_strategy", "no", "--logging_steps", "1"]
    done = medloom("sft", *told, *short, "--json", cwd=place)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["model"] == "run/model"
    assert (place / "run" / "README.md").is_file()
    pushed = medloom("push", "run", "--repo", "org/name", "--json", cwd=place)
    assert pushed.returncode in (1, 2), "neither a token nor the Hub is there"
    assert json.loads(pushed.stdout)["error"]["kind"] in {"UsageError", "PublishError"}


def test_wrong_words_are_told(place: Path):
    done = medloom("sft", "--lerning_rate", "1", "--json", cwd=place)
    assert done.returncode == 2
    assert "learning_rate" in json.loads(done.stdout)["error"]["message"]
    done = medloom("grpo", "--config", "no-such-recipe", cwd=place)
    assert done.returncode == 2
    assert "expected one of" in done.stderr
