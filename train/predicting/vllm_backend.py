"""A model that vLLM runs here: one process, which deals its work to the GPUs itself.

Written after vLLM's documentation of `LLM.chat` (pictures as `image_pil` parts), and tested against a stand-in that checks the
calls; see docs/evaluating.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ...schema.errors import UsageError
from ..prediction import Reply
from .backend import SeenSize, Turns
from .model_files import ModelFiles
from .transformers_backend import Decoding

REQUESTS_AT_ONCE = 512
"""vLLM schedules them; more would only hold more pictures in memory."""
_ADAPTER_NUMBER = 1


@dataclass(slots=True)
class VllmBackend:
    """See `Backend`."""

    engine: Any
    sampling: Any
    adapter: Any
    settings: Mapping[str, Any]
    seen_size: SeenSize | None
    at_once: int = REQUESTS_AT_ONCE

    @classmethod
    def open(
        cls,
        model: str | Path,
        *,
        base: str | None = None,
        revision: str | None = None,
        decoding: Decoding | None = None,
        dtype: str = "auto",
        most_pictures: int = 1,
        tensor_parallel: int = 1,
        max_model_len: int | None = None,
        memory_share: float = 0.9,
        trust_remote_code: bool = False,
    ) -> VllmBackend:
        """A model or adapter as `TransformersBackend.open` takes it; `most_pictures` is the most that one request shows.

        Raises:
            UsageError: vLLM isn't installed, or a folder holds no model.
        """
        try:
            from vllm import LLM, SamplingParams  # pyright: ignore[reportMissingImports]
            from vllm.lora.request import LoRARequest  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise UsageError(f"{error}; expected the extra `vllm`; `pip install 'medloom[vllm]'` where a GPU is") from error
        from transformers import AutoProcessor

        from ..coordinates.seen import seen_size

        files, how = ModelFiles.of(model, base=base, revision=revision), decoding or Decoding()
        engine = LLM(
            model=files.model,
            tokenizer=files.processor,
            revision=revision,
            dtype=dtype,
            seed=how.seed,
            tensor_parallel_size=tensor_parallel,
            max_model_len=max_model_len,
            gpu_memory_utilization=memory_share,
            limit_mm_per_prompt={"image": most_pictures},
            trust_remote_code=trust_remote_code,
            enable_lora=files.adapter is not None,
            **({"max_lora_rank": _rank(Path(files.adapter))} if files.adapter else {}),
        )
        sampling = SamplingParams(
            temperature=how.temperature, max_tokens=how.max_new_tokens, seed=how.seed, skip_special_tokens=False
        )
        adapter = LoRARequest("adapter", _ADAPTER_NUMBER, files.adapter) if files.adapter else None
        settings = {
            "backend": "vllm",
            **files.told,
            "dtype": dtype,
            "tensor_parallel": tensor_parallel,
            "max_new_tokens": how.max_new_tokens,
            "temperature": how.temperature,
            "decoding_seed": how.seed,
            "versions": {"vllm": version("vllm")},
        }
        return cls(engine, sampling, adapter, settings, seen_size(AutoProcessor.from_pretrained(files.processor)))

    def replies(self, turns: Sequence[Turns]) -> list[Reply]:
        """See `Backend`."""
        chats = [_chat(one) for one in turns]
        found = self.engine.chat(chats, self.sampling, use_tqdm=False, lora_request=self.adapter)
        return [_reply(one) for one in found]


def _chat(turns: Turns) -> list[dict[str, Any]]:
    pictures = iter(turns.pictures)
    return [{"role": one["role"], "content": [_part(part, pictures) for part in one["content"]]} for one in turns.messages]


def _part(part: Mapping[str, Any], pictures: Any) -> dict[str, Any]:
    return {"type": "image_pil", "image_pil": next(pictures)} if part["type"] == "image" else dict(part)


def _reply(found: Any) -> Reply:
    said = found.outputs[0]
    asked = None if found.prompt_token_ids is None else len(found.prompt_token_ids)
    return Reply(said.text.strip(), said.finish_reason, prompt_tokens=asked, reply_tokens=len(said.token_ids))


def _rank(adapter: Path) -> int:
    """The rank that vLLM has to keep room for."""
    from ...schema.disk import read_json
    from .model_files import ADAPTER

    return int(read_json(adapter / ADAPTER).get("r", 16))
