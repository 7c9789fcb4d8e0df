"""`--push_to_hub`: rights and settings are looked at before the first step, and a whole run is pushed once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hub import Hub
from runs import Run
from several_runs import THEN

from medloom.schema.errors import PublishError, UsageError
from medloom.train import grpo, sft

REPO = "somebody/tiny-vlm"
QUIET = ("--use_cpu", "true", "--bf16", "false", "--report_to", "none", "--activation_checkpointing", "false")
SHORT = ("--save_strategy", "no")


@pytest.fixture
def held(asked_phantom: Path, tmp_path: Path) -> Path:
    """The release, were its owner to forbid that pixels are passed on."""
    folder = tmp_path / "held"
    shutil.copytree(asked_phantom, folder)
    path = folder / "recipes" / "phantom.json"
    recipe = json.loads(path.read_text())
    recipe["facts"]["rights"]["pixels"]["allowed"] = False
    path.write_text(json.dumps(recipe))
    return folder


def pushed(release: Path, model: Path, run: Path) -> list[str]:
    told = ["--data", f"{release}:medmat", "--model_name_or_path", str(model), "--output_dir", str(run)]
    return [*told, "--max_steps", "2", "--per_device_train_batch_size", "8", "--push_to_hub", "true", "--hub_model_id", REPO]


@pytest.mark.parametrize("method", [sft, grpo])
def test_data_that_may_not_be_passed_on_are_refused_before_training(
    method: Any, held: Path, tiny_model: Callable[[str], Path], tmp_path: Path
):
    told = [*pushed(held, tiny_model("llava"), tmp_path / "run"), *QUIET]
    with pytest.raises(UsageError, match=r"phantom \(.*\): pixels; expected rights"):
        method.fit(method.parse(told))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ((), "no token; expected HF_TOKEN or a login"),
        (("--hub_strategy", "checkpoint"), "hub_strategy checkpoint; expected end"),
        (("--hub_revision", "draft"), "hub_revision draft; expected none"),
    ],
)
def test_what_a_push_lacks_is_told_before_training(
    more: tuple[str, ...],
    said: str,
    asked_phantom: Path,
    tiny_model: Callable[[str], Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-login"))
    with pytest.raises(UsageError, match=said):
        sft.fit(sft.parse([*pushed(asked_phantom, tiny_model("llava"), tmp_path / "run"), *QUIET, *more]))
    assert not (tmp_path / "run").exists()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    with Hub(tmp_path / "hub") as hub:
        for name, value in hub.environment(tmp_path / "home").items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
        yield hub


def statuses(hub: Hub, path: str) -> list[int]:
    return [one.status for one in hub.requests if path in one.path]


@pytest.mark.slow
def test_two_processes_push_once(hub: Hub, held: Path, tiny_model: Callable[[str], Path], tmp_path: Path):
    run = Run([*pushed(held, tiny_model("llava"), tmp_path / "run"), *SHORT, "--push_reason", "they agreed"], 2)
    assert run.wait() == [0, 0]
    assert statuses(hub, "/commit/") == [200]
    assert statuses(hub, "/repos/create") == [200, 409], "before the training, and before the push"
    files = hub.repository(REPO, "models").at("main").files
    assert "they agreed" in hub.content(files["README.md"]).decode()
    assert hub.content(files["model.safetensors"]) == (run.folder / "model" / "model.safetensors").read_bytes()


@pytest.mark.slow
def test_a_run_that_the_hub_refused_is_pushed_by_the_same_command(
    hub: Hub, asked_phantom: Path, tiny_model: Callable[[str], Path], tmp_path: Path
):
    """It isn't trained again; and without `--push_to_hub` it isn't pushed again."""
    hub.refuse(403, when=lambda call: "/commit/" in call.path, times=1)
    argv = [*pushed(asked_phantom, tiny_model("llava"), tmp_path / "run"), THEN, *SHORT, THEN, *SHORT]
    assert Run([*argv, THEN, *SHORT, "--push_to_hub", "false"], main="several_runs").wait() == [0]
    codes = json.loads((tmp_path / "codes-0.json").read_text())
    assert codes == [PublishError.exit_code, 0, 0]
    assert statuses(hub, "/commit/") == [403, 200]
    said = (tmp_path / "run-0.said").read_text()
    assert said.count("'train_runtime'") == 1
    assert f"PublishError: {REPO}: 403" in said
    files = hub.repository(REPO, "models").at("main").files
    assert {"README.md", "config.yaml", "metrics.json", "model.safetensors"} <= set(files)
    assert not [name for name in files if name.startswith(("checkpoint", "logs"))]
