"""Settings from YAML and the command line: what wins, what is ours, and how faults are told."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from medloom.schema.errors import UsageError
from medloom.train.data.arguments import General, Part
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
    ("argv", "on"),
    [([], True), (["--activation_checkpointing", "false"], False), (["--gradient_checkpointing", "false"], False)],
)
def test_no_setting_that_a_user_did_not_say_is_warned_of(tmp_path: Path, argv: list[str], on: bool):
    with warnings.catch_warnings():
        warnings.simplefilter("error" if "--gradient_checkpointing" not in argv else "ignore")
        found = parse([*configured(tmp_path, "seed: 1"), *argv])
    assert found.training.activation_checkpointing is found.training.gradient_checkpointing is on


@pytest.mark.parametrize(
    ("metric", "greater"),
    [
        ("eval_accuracy", True),
        ("eval_macro_accuracy", True),
        ("eval_mask_ciou", True),
        ("eval_loss", False),
        ("loss", False),
        ("invention", False),
        ("eval_invention", False),
        ("eval_macro_denial", False),
        ("eval_count_error", False),
    ],
)
def test_the_best_model_has_the_least_of_what_is_better_less(tmp_path: Path, metric: str, greater: bool):
    found = parse(configured(tmp_path, f"metric_for_best_model: {metric}"))
    assert found.training.greater_is_better is greater
    for told in ("true", "false"):
        found = parse(["--metric_for_best_model", metric, *configured(tmp_path, f"greater_is_better: {told}")])
        assert found.training.greater_is_better is (told == "true")


def test_one_thing_is_a_list_of_one(tmp_path: Path):
    text = "data: r:gmai\nheld_out: {release: r, suite: gmai, limit: 3}\ngeneral: a.json\nfreeze: vision_tower"
    found = parse(configured(tmp_path, text))
    assert (found.data.data, found.data.held_out) == ([Part("r", "gmai")], [Part("r", "gmai", limit=3)])
    assert (found.data.general, found.medical.freeze) == ([General("a.json")], ["vision_tower"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("learning_rat: 1", "the configuration has 'learning_rat'; .* did you mean learning_rate"),
        ("zzzz: 1", "has 'zzzz'.*--help"),
        ("- a", "no mapping"),
        ("a: [", "expected a YAML file"),
        ("a: 1\nb: c: d", r"run\.yaml, line 2, column 5: mapping values are not allowed here; expected a YAML file"),
        ("data: [{release: r, suite: s, weight: x}]", "weight 'x' of r; expected a number"),
        ("data: demo", "release 'demo' without a suite; expected RELEASE:SUITE"),
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
        (["r:gmai", "--seed", "1", "more"], "'r:gmai more' belongs to no option"),
        (["--config", "/nowhere/run.yaml"], "expected a YAML file"),
    ],
)
def test_faults_of_a_command_line_are_told(argv: list[str], said: str):
    with pytest.raises(UsageError, match=said):
        parse([*argv, *CPU])


def test_a_configuration_has_to_be_named():
    with pytest.raises(UsageError, match="--config without a file"):
        parse([*CPU, "--config"])
