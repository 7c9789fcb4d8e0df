"""The calls that vLLM gets, against a stand-in that takes only what its documentation of `LLM` and `LLM.chat` names."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from medloom.schema.errors import UsageError
from medloom.train.predicting.backend import Turns
from medloom.train.predicting.transformers_backend import Decoding
from medloom.train.predicting.vllm_backend import VllmBackend


@dataclass
class SamplingParams:
    temperature: float
    max_tokens: int
    seed: int | None
    skip_special_tokens: bool


@dataclass
class LoRARequest:
    lora_name: str
    lora_int_id: int
    lora_path: str


class LLM:
    made: dict[str, Any]

    def __init__(
        self,
        model: str,
        *,
        tokenizer: str | None = None,
        revision: str | None = None,
        dtype: str = "auto",
        seed: int | None = None,
        tensor_parallel_size: int = 1,
        max_model_len: int | None = None,
        gpu_memory_utilization: float = 0.9,
        limit_mm_per_prompt: dict[str, int] | None = None,
        trust_remote_code: bool = False,
        enable_lora: bool = False,
        max_lora_rank: int = 16,
    ):
        LLM.made = {name: value for name, value in locals().items() if name != "self"}

    def chat(
        self,
        messages: list[list[dict[str, Any]]],
        sampling_params: SamplingParams,
        use_tqdm: bool = True,
        lora_request: LoRARequest | None = None,
    ) -> list[Any]:
        assert isinstance(sampling_params, SamplingParams)
        assert not use_tqdm
        return [self._answered(one, sampling_params, lora_request) for one in messages]

    def _answered(self, messages: list[dict[str, Any]], sampling: SamplingParams, lora: LoRARequest | None) -> Any:
        parts = [part for one in messages for part in one["content"]]
        pictures = [part["image_pil"] for part in parts if part["type"] == "image_pil"]
        assert all(isinstance(one, Image.Image) for one in pictures)
        assert {part["type"] for part in parts} <= {"image_pil", "text"}
        text = f" {len(pictures)} pictures, {lora.lora_name if lora else 'no adapter'} "
        said = SimpleNamespace(text=text, finish_reason="stop", token_ids=[1, 2, 3])
        return SimpleNamespace(outputs=[said], prompt_token_ids=[0] * len(parts))


@pytest.fixture
def vllm(monkeypatch: pytest.MonkeyPatch) -> None:
    module, lora, request = ModuleType("vllm"), ModuleType("vllm.lora"), ModuleType("vllm.lora.request")
    module.LLM, module.SamplingParams, request.LoRARequest = LLM, SamplingParams, LoRARequest  # type: ignore[attr-defined]
    for name, one in {"vllm": module, "vllm.lora": lora, "vllm.lora.request": request}.items():
        monkeypatch.setitem(sys.modules, name, one)
    known = importlib.metadata.version
    monkeypatch.setattr(
        "medloom.train.predicting.vllm_backend.version", lambda name: "0.11.0" if name == "vllm" else known(name)
    )


def test_turns_become_chats_with_their_own_pictures(vllm, model: Callable[[str], Path], some: list[Turns]):
    backend = VllmBackend.open(model("llava"), decoding=Decoding(max_new_tokens=9, seed=4), most_pictures=3)
    replies = backend.replies(some)
    assert [one.text for one in replies] == ["1 pictures, no adapter"] * 8 + ["3 pictures, no adapter"]
    assert (replies[0].finish, replies[0].reply_tokens, replies[0].prompt_tokens) == ("stop", 3, 2)
    assert LLM.made["limit_mm_per_prompt"] == {"image": 3}
    assert (LLM.made["seed"], LLM.made["enable_lora"]) == (4, False)
    assert backend.sampling == SamplingParams(0.0, 9, 4, False)
    assert backend.settings["backend"] == "vllm"
    assert backend.seen_size is not None


def test_an_adapter_goes_along_with_each_request(vllm, model: Callable[[str], Path], some: list[Turns], tmp_path: Path):
    (tmp_path / "adapter_config.json").write_text(f'{{"base_model_name_or_path": "{model("llava")}", "r": 64}}')
    backend = VllmBackend.open(tmp_path)
    assert {one.text for one in backend.replies(some[:2])} == {"1 pictures, adapter"}
    assert LLM.made["model"] == str(model("llava"))
    assert (LLM.made["enable_lora"], LLM.made["max_lora_rank"]) == (True, 64)
    assert backend.adapter.lora_path == str(tmp_path)


@pytest.mark.skipif("vllm" in sys.modules, reason="vllm is here")
def test_without_vllm_the_extra_is_named(model: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "vllm", None)
    with pytest.raises(UsageError, match="expected the extra `vllm`"):
        VllmBackend.open(model("llava"))
