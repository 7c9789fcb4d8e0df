"""Recipes are read by the real parser and name modules that are there; accelerate takes the configs; two processes train."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from model_parts import adapted, frozen, layers, parts
from tiny_models import bare, tiny

from medloom.generation.asking.ask import ask
from medloom.schema.errors import UsageError
from medloom.train import grpo, sft
from medloom.train.coordinates import DIALECTS, of_family
from medloom.train.fitting.recipes import FOLDER, found, recipe, recipes

FAMILIES = {
    "llava-1.5": "llava",
    "qwen2.5-vl": "qwen2_5_vl",
    "qwen3-vl": "qwen3_vl",
    "internvl3": "internvl",
    "gemma-3": "gemma3",
    "idefics3": "idefics3",
    "smolvlm": "smolvlm",
}
CONFIGS = FOLDER.with_name("configs")
NAMES = [one["name"] for one in recipes()]
ON_CPU = ["--use_cpu", "true", "--bf16", "false"]


def family_of(name: str) -> str:
    return next(family for start, family in FAMILIES.items() if start in name)


def test_there_is_a_recipe_for_every_family():
    assert {family_of(name) for name in NAMES} == set(FAMILIES.values())
    assert "med-mat-llava-1.5" in NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_recipe_is_read_by_the_parser_and_its_family_is_known(name: str):
    module: Any = grpo if name.startswith("grpo") else sft
    settings = module.parse(["--config", str(recipe(name)), *ON_CPU, "--data", "release:suite"])
    given = yaml.safe_load(recipe(name).read_text(encoding="utf-8"))
    assert settings.model.model_name_or_path == given["model_name_or_path"]
    assert settings.training.learning_rate == given["learning_rate"]
    assert bool(settings.model.use_peft) == given.get("use_peft", False)
    assert getattr(settings.training, "max_length", None) is None
    assert of_family(family_of(name)) in DIALECTS


@pytest.mark.parametrize("name", [one for one in NAMES if "med-mat" not in one])
def test_a_recipes_adapter_is_on_the_text_models_linear_layers_and_nowhere_else(name: str):
    from medloom.train.fitting.loading import adapter_of

    module: Any = grpo if name.startswith("grpo") else sft
    settings = module.parse(["--config", str(recipe(name)), *ON_CPU, "--data", "release:suite"])
    model = bare(family_of(name))
    meant = layers(model, parts()[family_of(name)].mind)
    assert len(meant) == 2 * 7, "two layers of seven"
    assert adapted(model, adapter_of(settings.model, settings.medical.freeze)) == meant


@pytest.mark.parametrize("family", sorted(set(FAMILIES.values())))
def test_parts_are_frozen_by_the_names_that_the_docs_give(family: str):
    """Each part is another, and together they are all but the head; adapters leave out what is frozen."""
    from trl.trainer.model_config import ModelConfig

    from medloom.train.fitting.loading import adapter_of

    model, told = bare(family), parts()[family]
    head = {name for name, _ in model.named_parameters() if name.startswith("lm_head.")}
    found = [frozen(model, names) for names in (told.eye, told.bridge, told.mind)]
    assert all(found)
    assert sum(map(len, found)) == len(set().union(*found))
    assert set().union(*found, head) == {name for name, _ in model.named_parameters()}
    meant = layers(model, told.mind)
    assert adapted(model, adapter_of(ModelConfig(use_peft=True), [*told.eye, *told.bridge])) == meant


def test_the_papers_recipe_freezes_the_eye():
    settings = sft.parse(["--config", str(recipe("med-mat-llava-1.5")), *ON_CPU, "--data", "release:suite"])
    assert settings.medical.freeze == list(parts()["llava"].eye)


def test_what_is_uncertain_of_the_paper_is_marked():
    text = recipe("med-mat-llava-1.5").read_text(encoding="utf-8")
    assert text.count("unverified") >= 5
    settings = yaml.safe_load(text)
    assert settings["per_device_train_batch_size"] * 8 == 32
    assert (settings["learning_rate"], settings["num_train_epochs"]) == (5e-6, 5)


def test_a_name_or_a_file_stands_for_a_config(tmp_path: Path):
    own = tmp_path / "own.yaml"
    own.write_text("{}")
    assert found(str(own)) == own
    assert found("smolvlm") == recipe("smolvlm.yaml") == FOLDER / "smolvlm.yaml"
    assert [found(name) for name in NAMES] == [FOLDER / f"{name}.yaml" for name in NAMES]
    with pytest.raises(UsageError, match=r"recipe 'smolvln'; expected one of .*smolvlm"):
        found("smolvln")
    with pytest.raises(UsageError, match=r"nowhere\.yaml: no such file"):
        found("nowhere.yaml")


@pytest.mark.parametrize("name", ["ddp", "fsdp2", "zero3"])
def test_accelerate_takes_the_config(name: str):
    from accelerate.commands.config.config_args import load_config_from_file
    from accelerate.utils import DistributedType

    path = CONFIGS / f"{name}.yaml"
    config: Any = load_config_from_file(str(path))
    kinds = {"ddp": DistributedType.MULTI_GPU, "fsdp2": DistributedType.FSDP, "zero3": DistributedType.DEEPSPEED}
    assert config.distributed_type == kinds[name]
    assert config.num_processes == 8
    given = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {field: getattr(config, field) for field in given if field != "distributed_type"} == {
        field: value for field, value in given.items() if field != "distributed_type"
    }


def test_the_fields_of_shards_are_accelerates_own():
    from accelerate.commands.launch import launch_command_parser

    options = {option.removeprefix("--") for action in launch_command_parser()._actions for option in action.option_strings}
    for name, group in (("fsdp2", "fsdp_config"), ("zero3", "deepspeed_config")):
        fields = yaml.safe_load((CONFIGS / f"{name}.yaml").read_text(encoding="utf-8"))[group]
        assert sorted(set(fields) - options - {"deepspeed_multinode_launcher"}) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ddp", "fsdp2"])
def test_two_processes_train(name: str, built: Callable[[str], tuple[Path, dict[str, Any]]], tmp_path: Path):
    """On processors accelerate shards nothing, so `fsdp2` proves no more here than that its config starts a run."""
    release = tmp_path / "drawn"
    shutil.copytree(built("phantom")[0], release)
    ask(release, "medmat")
    base = tiny("llava", tmp_path / "base", ["words"])
    launch = [str(Path(sys.executable).with_name("accelerate")), "launch", "--config_file", str(CONFIGS / f"{name}.yaml")]
    launch += ["--num_processes", "2", "--mixed_precision", "no", "--main_process_port", "0", "--module", "medloom.train.sft"]
    told = ["--model_name_or_path", str(base), "--data", f"{release}:medmat", "--output_dir", str(tmp_path / "run"), *ON_CPU]
    short = ["--max_steps", "2", "--per_device_train_batch_size", "2", "--save_strategy", "no", "--report_to", "none"]
    environment = os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    command = [*launch, *told, *short, "--logging_steps", "1", "--activation_checkpointing", "false"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=tmp_path, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert json.loads((tmp_path / "run" / "environment.json").read_text())["processes"] == 2
    course = json.loads((tmp_path / "run" / "metrics.json").read_text())["course"]
    assert [one["step"] for one in course if "loss" in one] == [1, 2]
    assert (tmp_path / "run" / "model" / "model.safetensors").is_file()
