"""Families whose processors need torchvision: they learn, whole or in part, and go on exactly after a kill."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tiny_models import WITH_TORCHVISION

pytest.importorskip("torchvision", reason="torchvision is absent; `make tests` runs this folder with it", exc_type=ImportError)

from runs import goes_on_as_if_nothing_happened


@pytest.mark.slow
@pytest.mark.parametrize("family", WITH_TORCHVISION)
def test_killed_and_resumed(family: str, asked_phantom: Path, tiny_model: Callable[[str], Path], tmp_path: Path):
    frozen = "visual" if family.startswith("qwen") else "connector" if family == "smolvlm" else "multi_modal_projector"
    argv = ["--data", f"{asked_phantom}:medmat", "--model_name_or_path", str(tiny_model(family)), "--freeze", frozen]
    argv += ["--per_device_train_batch_size", "4", "--learning_rate", "3e-3", "--max_steps", "12", "--save_steps", "3"]
    run = goes_on_as_if_nothing_happened(argv, tmp_path, dies_at=9)
    assert sum(run.losses[-3:]) < 0.8 * sum(run.losses[:3])
