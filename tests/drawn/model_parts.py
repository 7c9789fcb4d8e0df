"""The parts of each family by the names that docs/training.md gives, and what a recipe would train of a tiny model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DOCS = Path(__file__).parents[2] / "docs" / "training.md"
FAMILIES = {
    "LLaVA": "llava",
    "Gemma 3": "gemma3",
    "InternVL": "internvl",
    "Qwen2.5-VL": "qwen2_5_vl",
    "Qwen3-VL": "qwen3_vl",
    "Idefics3": "idefics3",
    "SmolVLM": "smolvlm",
}


@dataclass(frozen=True)
class Parts:
    """Names for `--freeze`."""

    eye: Sequence[str]
    bridge: Sequence[str]
    mind: Sequence[str]


def parts() -> dict[str, Parts]:
    """Family → its parts, from the table of the docs."""
    found = {}
    for line in DOCS.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and set(families := cells[0].split(", ")) <= set(FAMILIES):
            told = Parts(*(re.findall(r"`([^`]+)`", cell) for cell in cells[1:]))
            found |= {FAMILIES[family]: told for family in families}
    return found


def layers(model: Any, mind: Sequence[str]) -> set[str]:
    """All linear layers of the text model, by their names in the model."""
    from torch import nn

    [name] = mind
    return {one for one, module in model.named_modules() if f".{name}." in one and isinstance(module, nn.Linear)}


def adapted(model: Any, adapter: Any) -> set[str]:
    """The layers that a LoRA adapter adds to, by their names in the model; all that learns is of these layers."""
    from peft import get_peft_model

    whole = get_peft_model(model, adapter)
    prefix = "base_model.model."
    hit = {name.removeprefix(prefix) for name, module in whole.named_modules() if hasattr(module, "lora_A")}
    learns = {name for name, weights in whole.named_parameters() if weights.requires_grad}
    assert {re.sub(r"\.lora_[AB]\..*", "", name.removeprefix(prefix)) for name in learns} == hit
    return hit


def frozen(model: Any, names: Iterable[str]) -> set[str]:
    """The parameters of a model that freezing some parts takes from what learns, which are put back."""
    from medloom.train.fitting.freezing import freeze

    freeze(model, list(names))
    still = {name for name, weights in model.named_parameters() if not weights.requires_grad}
    model.requires_grad_(True)
    return still
