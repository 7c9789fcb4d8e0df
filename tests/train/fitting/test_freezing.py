"""Parts that don't learn, by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from medloom.schema.errors import UsageError
from medloom.train.fitting.freezing import freeze


@pytest.fixture
def model(tiny_model: Callable[[str], Path]):
    from transformers import AutoModelForImageTextToText

    return AutoModelForImageTextToText.from_pretrained(tiny_model("llava"))


@pytest.mark.parametrize(
    ("names", "frozen"),
    [
        (["vision_tower"], "model.vision_tower."),
        (["vision_tower.encoder", "lm_head"], ("model.vision_tower.encoder.", "lm_head.")),
        (["language_model.layers.0"], "model.language_model.layers.0."),
        (["language_model.layers.*"], "model.language_model.layers."),
        (["multi_*"], "model.multi_modal_projector."),
        ([], ()),
    ],
)
def test_names_and_patterns(model, names: list[str], frozen: str | tuple[str, ...]):
    count = freeze(model, names)
    still = {name for name, one in model.named_parameters() if not one.requires_grad}
    meant = {name for name, _ in model.named_parameters() if name.startswith(frozen)}
    assert still == meant
    assert count == sum(one.numel() for one in model.parameters() if not one.requires_grad)


def test_a_name_that_nothing_has(model):
    with pytest.raises(UsageError, match=r"no module 'vision_towers'; expected some of .*model\.vision_tower"):
        freeze(model, ["lm_head", "vision_towers"])


def test_nothing_left(model):
    with pytest.raises(UsageError, match="nothing that learns"):
        freeze(model, ["model", "lm_head"])
