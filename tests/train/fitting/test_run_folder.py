"""The folder of a run, its card, and its way to the Hub."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hub import Hub

from medloom.schema.errors import PublishError, UsageError
from medloom.schema.gate_overrides import Override, record_overrides
from medloom.train.conversation import Style
from medloom.train.data.arguments import DataArguments, Part
from medloom.train.data.mixture import Mixture
from medloom.train.fitting.data_rights import SourceUse, sources_of
from medloom.train.fitting.environment import environment
from medloom.train.fitting.push import check_rights, stage
from medloom.train.fitting.run_folder import RunFolder
from medloom.train.fitting.told_settings import relative, told


@pytest.fixture(scope="module")
def release(asked_phantom: Path) -> Path:
    return asked_phantom


def settings(release: Path, output: Path, **more: Any) -> tuple[Any, ...]:
    from trl import ModelConfig, SFTConfig

    data = DataArguments(data=[Part(str(release), "medmat", select={"modality": "CT"})])
    how = {"output_dir": str(output), "use_cpu": True, "bf16": False, "max_length": None, "report_to": "none"}
    model = ModelConfig(model_name_or_path=str(output.parent / "tiny-llava"))
    return data, SFTConfig(**how | more), model


@pytest.fixture
def begun(release: Path, tmp_path: Path) -> RunFolder:
    return _begun(release, tmp_path / "run")


def _begun(release: Path, output: Path) -> RunFolder:
    data, config, model = settings(release, output, hub_token="very-secret")
    mixture = Mixture.open(data, style=Style("llava"), seed=0)
    facts: dict[str, Any] = {"method": "sft", "settings": (data, config, model), "data": mixture.fingerprint()}
    return RunFolder.begin(output, **facts, parts=mixture.sets, base=str(model.model_name_or_path))


def finished(run: RunFolder) -> RunFolder:
    """With what a trainer would leave there."""

    def write(folder: Path) -> None:
        (folder / "config.json").write_text(json.dumps({"model_type": "llava", "_name_or_path": "/Users/joe/base"}))
        (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "/Users/joe/base", "r": 4}))
        (folder / "model.safetensors").write_bytes(b"weights")
        (folder / "training_args.bin").write_bytes(b"/Users/joe")

    run.save(write)
    history = [{"loss": 2.0, "step": 1}, {"eval_accuracy": 0.5, "step": 1}, {"total_flos": 3.0, "step": 2}]
    measured = {"eval_accuracy": 0.75, "eval_box_iou": 0.5}
    run.finish(metrics={**measured, "eval_runtime": 3.0, "eval_entropy": 1.5, "eval_num_tokens": 9.0}, history=history)
    return run


def test_a_run_tells_settings_data_and_machine_without_naming_it(begun: RunFolder, tmp_path: Path):
    assert begun.config["data"] == [{"release": "release", "suite": "medmat", "select": {"modality": "CT"}}]
    assert begun.config["model_name_or_path"] == "tiny-llava"
    [one] = begun.data["train"]["sets"]
    assert one["rows"] > 0
    assert [source["source"] for source in begun.data["sources"]] == ["phantom"]
    assert set(begun.environment["libraries"]) >= {"torch", "trl", "transformers", "datasets", "medloom"}
    import getpass
    import socket

    for path in finished(begun).root.iterdir():
        if path.is_file():
            text = path.read_text(encoding="utf-8")
            for told_not in (str(tmp_path), "very-secret", socket.gethostname(), "/Users/", "/tmp/", str(Path.cwd())):
                assert told_not not in text, (path.name, told_not)
            user = getpass.getuser()
            assert user == "root" or user not in text


def test_the_config_is_read_again_as_the_same_settings(release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from trl import ModelConfig, SFTConfig, TrlParser

    monkeypatch.chdir(tmp_path)
    given = settings(Path("drawn"), Path("run"), learning_rate=3e-4, eval_strategy="steps", eval_steps=3, pad_to_multiple_of=8)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(told(given)))
    parser = TrlParser((DataArguments, SFTConfig, ModelConfig))
    again = parser.parse_args_and_config(["--config", "config.yaml"])
    assert again[0] == given[0]
    assert again[1].to_dict() == given[1].to_dict()
    assert again[2] == given[2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/Users/joe/models/llava", "llava"),
        ("~/models/llava", "llava"),
        ("file:///data/x.json", "x.json"),
        (r"C:\models\llava", "llava"),
        ("org/name", "org/name"),
        ("runs/one", "runs/one"),
        ("a/b and c/d", "a/b and c/d"),
        ("can't open /Users/joe/x.json: gone", "can't open x.json: gone"),
        ("constant", "constant"),
        ("1/2", "1/2"),
        (str(Path.cwd() / "runs" / "one"), str(Path("runs") / "one")),
    ],
)
def test_paths_are_told_from_here_or_by_their_last_name(text: str, expected: str):
    assert relative(text) == expected


def test_the_environment_has_no_name_of_a_machine():
    import socket

    assert socket.gethostname() not in json.dumps(environment())


def test_the_card_is_one_that_the_hub_reads(begun: RunFolder):
    from huggingface_hub import ModelCard

    card = ModelCard((finished(begun).root / "README.md").read_text(encoding="utf-8"))
    assert card.data.library_name == "transformers"
    assert card.data.pipeline_tag == "image-text-to-text"
    assert card.data.license == "other"
    assert [(one.metric_type, one.metric_value) for one in card.data.eval_results or ()] == [
        ("accuracy", 0.75),
        ("box_iou", 0.5),
    ]
    text = card.text
    assert "For research only" in text
    assert "@misc{medloom_phantom" in text
    assert "Creative Commons Zero" in text
    assert "modality: CT" in text
    assert "runtime" not in text
    assert "num_tokens" not in text
    assert "in the dialect of the base model's family" in text
    assert "None" not in text.split("## Settings")[0]


def test_the_base_models_licence_stands_where_its_card_states_one(release: Path, tmp_path: Path):
    from huggingface_hub import ModelCard

    base = tmp_path / "tiny-llava"
    base.mkdir()
    (base / "README.md").write_text("---\nlicense: apache-2.0\n---\n")
    run = finished(_begun(release, tmp_path / "run"))
    assert ModelCard((run.root / "README.md").read_text()).data.license == "apache-2.0"


def test_no_model_has_its_name_before_it_is_whole(begun: RunFolder):
    def broken(folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begun.save(broken)
    assert not begun.model.exists()
    finished(begun)
    with pytest.raises(KeyboardInterrupt):
        begun.save(broken)
    assert (begun.model / "model.safetensors").read_bytes() == b"weights"
    begun.save(lambda folder: (folder / "model.safetensors").write_bytes(b"newer"))
    assert (begun.model / "model.safetensors").read_bytes() == b"newer"
    assert begun.save(broken, replaces=False) == begun.model


def test_a_folder_that_is_no_run_is_told(tmp_path: Path):
    with pytest.raises(UsageError, match=r"no config\.yaml"):
        RunFolder.open(tmp_path)


def rights(release: Path) -> list[SourceUse]:
    rows: Any = Mixture.open(settings(release, release)[0], style=Style("llava"), seed=0).sets
    return sources_of(rows)


def test_a_model_of_free_data_may_be_passed_on(release: Path):
    [one] = rights(release)
    assert one.licences == ("CC0-1.0",)
    assert one.refused == ()
    check_rights([one])


def test_a_model_of_data_without_rights_needs_a_reason(release: Path, tmp_path: Path):
    [free] = rights(release)
    held = replace(free, source="held", licences=("CC-BY-NC-ND-4.0",), refused=("pixels",), noncommercial=True)
    with pytest.raises(UsageError, match=r"held \(CC-BY-NC-ND-4.0\): pixels; expected rights"):
        check_rights([free, held])
    check_rights([free, held], "written consent")
    check_rights([free, replace(held, overridden="written consent")])


def test_rights_follow_recipes_and_recorded_reasons(release: Path, tmp_path: Path):
    copy = tmp_path / "drawn"
    shutil.copytree(release, copy)
    path = copy / "recipes" / "phantom.json"
    recipe = json.loads(path.read_text())
    recipe["facts"]["rights"]["pixels"]["allowed"] = False
    path.write_text(json.dumps(recipe))
    [one] = rights(copy)
    assert one.refused == ("pixels",)
    assert one.overridden is None
    reason = Override(gate="licence", code="pixels-not-granted", source="phantom", reason="we drew it")
    record_overrides(copy, [reason])
    assert rights(copy)[0].overridden == "we drew it"


def test_what_is_pushed_names_no_place_and_holds_no_pickle(begun: RunFolder, tmp_path: Path):
    place = tmp_path / "staged"
    place.mkdir()
    stage(finished(begun), place, repo="org/model")
    names = {path.name for path in place.iterdir()}
    model = {"config.json", "adapter_config.json", "model.safetensors"}
    assert names == model | {"config.yaml", "data.json", "environment.json", "metrics.json", "README.md"}
    assert json.loads((place / "adapter_config.json").read_text()) == {"base_model_name_or_path": "base", "r": 4}
    assert 'from_pretrained("org/model")' in (place / "README.md").read_text()


PUSH = """
import sys
from medloom.schema.errors import MedLoomError
from medloom.train.fitting.push import push
from medloom.train.fitting.run_folder import RunFolder
try:
    print(push(RunFolder.open(sys.argv[1]), sys.argv[2], private=True))
except MedLoomError as error:
    print(f"{type(error).__name__}: {error}")
"""


def test_a_run_is_pushed_to_the_hub(begun: RunFolder, tmp_path: Path):
    run = finished(begun)
    with Hub(tmp_path / "hub") as hub:

        def pushed(repo: str, **how: Any) -> str:
            environment = hub.environment(tmp_path / "home", **how)
            command = [sys.executable, "-W", "ignore", "-c", PUSH, str(run.root), repo]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            return done.stdout.strip()

        assert "/commit/" in pushed("somebody/tiny")
        repository = hub.repository("somebody/tiny", "models")
        assert repository.private
        files = repository.at("main").files
        assert set(files) >= {"README.md", "model.safetensors", "config.yaml", "metrics.json"}
        assert "training_args.bin" not in files
        assert hub.content(files["model.safetensors"]) == b"weights"
        assert pushed("somebody/tiny", token=None).startswith("UsageError: no token")
        hub.refuse(403)
        assert pushed("somebody/other").startswith(f"{PublishError.__name__}: somebody/other: ")
    assert not list(run.root.glob(".push-*"))


def test_an_unfinished_run_isnt_pushed(begun: RunFolder):
    from medloom.train.fitting.push import push

    with pytest.raises(UsageError, match="no model or no card"):
        push(begun, "org/model")


def test_numbers_of_numpy_are_told(begun: RunFolder):
    begun.save(lambda folder: (folder / "model.safetensors").touch())
    begun.finish(metrics={"eval_accuracy": float(np.float32(0.5))}, history=[])
    assert begun.metrics["last"] == {"eval_accuracy": 0.5}
