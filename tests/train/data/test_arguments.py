"""Arguments as TRL's parser gives them, and what of them can't be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from trl import GRPOConfig, ModelConfig, SFTConfig
from trl.scripts.utils import TrlParser

from medloom.schema.errors import UsageError
from medloom.train.conversation import Style
from medloom.train.data.arguments import DataArguments, General, Part

YAML = """
data:
- {release: org/name, suite: gmai, select: {modality: [CT, MR], where: "age > 3"}, kinds: [grounding], weight: 0.5}
- org/other@main:mimoseg
general:
- {path: llava.json, images: pictures}
held_out:
- {release: org/name, suite: gmai, split: validation, limit: 20}
prompts: both
streaming: true
"""


def parsed(*given: str, training: type[Any] = SFTConfig) -> DataArguments:
    usual = ["--output_dir", "none", "--use_cpu", "--bf16", "false", "--report_to", "none"]
    return TrlParser([DataArguments, training, ModelConfig]).parse_args_and_config([*given, *usual])[0]


@pytest.mark.parametrize("training", [SFTConfig, GRPOConfig])
def test_a_file_and_the_command_line(tmp_path: Path, training: type[Any]):
    (tmp_path / "run.yaml").write_text(YAML)
    found = parsed("--config", str(tmp_path / "run.yaml"), "--block", "8", "--no_instruction", training=training)
    assert found.data == [
        Part("org/name", "gmai", select={"modality": ["CT", "MR"], "where": "age > 3"}, kinds=("grounding",), weight=0.5),
        Part("org/other@main", "mimoseg"),
    ]
    assert found.general == [General("llava.json", "pictures")]
    assert found.held_out == [Part("org/name", "gmai", split="validation", limit=20)]
    assert (found.streaming, found.block) == (True, 8)
    assert found.style("qwen3_vl") == Style("qwen3_vl", "both", instruction=False)


def test_the_command_line_alone():
    found = parsed("--data", "here:gmai", "hf://datasets/org/name:medmat", "--general", "talk.json", "--dialect", "shikra")
    assert found.data == [Part("here", "gmai"), Part("hf://datasets/org/name", "medmat")]
    assert found.general == [General("talk.json")]
    assert found.style("llava").dialect == "shikra"


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({"data": ["release-alone"]}, "RELEASE:SUITE"),
        ({"data": ["hf://datasets/org/name"]}, "RELEASE:SUITE"),
        ({"data": [{"suite": "gmai"}]}, "without release"),
        ({"data": [3]}, "data: 3"),
        ({"data": [{"release": "r", "suite": "s", "select": "CT"}]}, "select 'CT' of r"),
        ({"data": [{"release": "r", "suite": "s", "limit": 2.5}]}, "limit 2.5 of r"),
        ({"prompts": "shown"}, "prompts 'shown'"),
        ({"masks": "oval"}, "masks 'oval'"),
        ({"dialect": "shikr"}, "shikra"),
        ({"data": [{"release": "r", "suite": "s", "wieght": 2}]}, "unknown wieght"),
        ({"data": [{"release": "r", "suite": "s", "split": "dev"}]}, "one of train, validation, test"),
        ({"data": [{"release": "r", "suite": "s", "weight": 0}]}, "weight 0"),
        ({"data": [{"release": "r", "suite": "s", "weight": float("inf")}]}, "weight inf"),
        ({"held_out": [{"release": "r", "suite": "s", "limit": 0}]}, "limit 0"),
        ({"general": [{"path": "p", "form": "sharegpt"}]}, "one of llava, messages, prompt_completion"),
        ({"general": [{"path": "p", "share": 1}]}, "share 1"),
        ({"general": [{"path": "p", "share": 0.5}, {"path": "q", "share": 0.6}]}, "sum to 1.1"),
        ({"block": 0}, "block 0"),
    ],
)
def test_what_can_t_be(given: dict[str, Any], found: str):
    with pytest.raises(UsageError) as told:
        DataArguments(**given)
    assert found in str(told.value)
