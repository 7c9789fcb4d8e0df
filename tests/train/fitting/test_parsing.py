"""Settings from YAML and the command line: what wins, what is ours, and how faults are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from medloom.schema.errors import UsageError
from medloom.train.sft import parse

CPU = ["--use_cpu", "true", "--bf16", "false"]


def configured(folder: Path, text: str) -> list[str]:
    path = folder / "run.yaml"
    path.write_text(text)
    return ["--config", str(path), "--output_dir", str(folder / "run"), *CPU]


def test_the_command_line_wins_over_the_file_over_our_defaults(tmp_path: Path):
    text = (
        "data: [{release: r, suite: gmai, weight: 0.5}]\nlearning_rate: 2e-5\nseed: 3\nfreeze: [vision_tower]\nmax_length: 64\n"
    )
    found = parse([*configured(tmp_path, text), "--seed", "4", "--patience=2", "--no_instruction"])
    assert (found.training.learning_rate, found.training.seed, found.training.max_length) == (2e-5, 4, 64)
    assert (found.medical.freeze, found.medical.patience, found.data.instruction) == (["vision_tower"], 2, False)
    assert (found.data.data[0].release, found.data.data[0].suite, found.data.data[0].weight) == ("r", "gmai", 0.5)


def test_defaults_that_suit_pictures(tmp_path: Path):
    found = parse(["--data", "r:gmai", "--output_dir", str(tmp_path), *CPU])
    assert found.training.max_length is None
    assert found.training.remove_unused_columns is False
    assert found.training.report_to == ["tensorboard"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("learning_rat: 1", "the configuration has 'learning_rat'; .* did you mean learning_rate"),
        ("zzzz: 1", "has 'zzzz'.*--help"),
        ("- a", "no mapping"),
        ("a: [", "expected a YAML file"),
        ("eval_strategy: sometimes", "sometimes"),
        ("patience: 0", "patience 0"),
        ("data: [{release: r, suite: s, wieght: 1}]", "wieght"),
        ("load_in_4bit: true\nload_in_8bit: true", "4 bit"),
    ],
)
def test_faults_of_a_file_are_told(tmp_path: Path, text: str, said: str):
    with pytest.raises(UsageError, match=said):
        parse(configured(tmp_path, text))


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--lora_rr", "4"], "the command line has 'lora_rr'.*lora_r"),
        (["--seed", "many"], "seed"),
        (["--config", "/nowhere/run.yaml"], "expected a YAML file"),
    ],
)
def test_faults_of_a_command_line_are_told(argv: list[str], said: str):
    with pytest.raises(UsageError, match=said):
        parse([*argv, *CPU])


def test_a_configuration_has_to_be_named():
    with pytest.raises(UsageError, match="--config without a file"):
        parse([*CPU, "--config"])
