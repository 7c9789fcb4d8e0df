"""A model of transformers that answers here, batch after batch, with left padding and greedy decoding.

A prompt is made as TRL makes it in training: chat template, then the processor without a second beginning of sequence.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...schema.errors import UsageError
from ..prediction import Reply
from .backend import SeenSize, Turns
from .model_files import ModelFiles, not_loaded

if TYPE_CHECKING:
    import torch

_FAULTS = (OSError, ValueError, ImportError, AttributeError, TypeError, KeyError, RuntimeError)
"""What transformers raises for folders that hold no such model, or only half of one."""
BATCHES_AT_ONCE = 8
"""Batches of one call; questions of like length share a batch."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoding:
    """How a reply is made; the likeliest token each time, unless a temperature is given."""

    max_new_tokens: int = 256
    temperature: float = 0.0
    seed: int = 0
    """Of sampling."""


@dataclass(slots=True)
class TransformersBackend:
    """See `Backend`."""

    model: Any
    processor: Any
    batch_size: int
    decoding: Decoding
    settings: Mapping[str, Any]
    seen_size: SeenSize | None
    _ends: frozenset[int] = field(init=False)

    def __post_init__(self) -> None:
        self._ends = _ends(self.model, self.processor)

    @classmethod
    def open(
        cls,
        model: str | Path,
        *,
        base: str | None = None,
        revision: str | None = None,
        batch_size: int = 8,
        decoding: Decoding | None = None,
        dtype: str = "auto",
        device: str | None = None,
        attention: str | None = None,
        trust_remote_code: bool = False,
    ) -> TransformersBackend:
        """A model of the Hub, of a folder, of a LoRA adapter's folder (on its base) or of a run of `medloom train`.

        `device` is cpu, cuda, …, or `auto`, which deals one model to all devices; by default the GPU of this process's
        place among those of the machine, else the CPU.

        Raises:
            UsageError: a folder without a model, or a model that can't be loaded.
        """
        from safetensors import SafetensorError
        from transformers import AutoModelForImageTextToText, AutoProcessor

        files = ModelFiles.of(model, base=base, revision=revision)
        more: dict[str, Any] = {"revision": revision} if revision else {}
        more |= {"trust_remote_code": True} if trust_remote_code else {}
        where = device or _device()
        how = {"attn_implementation": attention} if attention else {}
        how |= {"device_map": "auto"} if where == "auto" else {}
        try:
            loaded: Any = AutoModelForImageTextToText.from_pretrained(files.model, dtype=dtype, **how, **more)
            own = more if files.processor == files.model else {}
            processor = AutoProcessor.from_pretrained(files.processor, **own)
            if files.adapter is not None:
                from peft import PeftModel

                loaded = PeftModel.from_pretrained(loaded, files.adapter)
        except (*_FAULTS, SafetensorError) as error:
            raise not_loaded(str(model), error) from error
        if getattr(processor, "chat_template", None) is None:
            raise UsageError(f"{model}: its processor has no chat template; expected a model that is made for conversations")
        if where != "auto":
            loaded = _moved(loaded, where)
        told = {**files.told, "dtype": str(loaded.dtype).removeprefix("torch."), "attention": attention}
        return cls.of(loaded, processor, batch_size=batch_size, decoding=decoding or Decoding(), told=told)

    @classmethod
    def of(
        cls,
        model: Any,
        processor: Any,
        *,
        batch_size: int = 8,
        decoding: Decoding | None = None,
        told: Mapping[str, Any] | None = None,
    ) -> TransformersBackend:
        """A model and processor that are loaded already; `told` is what results say of them."""
        from ..coordinates.seen import seen_size

        how = decoding or Decoding()
        tokenizer = getattr(processor, "tokenizer", processor)
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        versions = {name: version(name) for name in ("transformers", "torch")}
        settings = {
            "backend": "transformers",
            **(told or {}),
            "family": model.config.model_type,
            "batch_size": batch_size,
            "max_new_tokens": how.max_new_tokens,
            "temperature": how.temperature,
            "decoding_seed": how.seed if how.temperature else None,
            "versions": versions,
        }
        return cls(model.eval(), processor, batch_size, how, settings, seen_size(processor))

    @property
    def at_once(self) -> int:
        """See `Backend`."""
        return BATCHES_AT_ONCE * self.batch_size

    def replies(self, turns: Sequence[Turns]) -> list[Reply]:
        """See `Backend`."""
        prompts = [self._prompt(one) for one in turns]
        order = sorted(range(len(turns)), key=lambda place: (len(turns[place].pictures), len(prompts[place]), place))
        found: dict[int, Reply] = {}
        for start in range(0, len(order), self.batch_size):
            places = order[start : start + self.batch_size]
            batch = self._batch([prompts[one] for one in places], [list(turns[one].pictures) for one in places])
            found.update(zip(places, self._answered(batch), strict=True))
        return [found[place] for place in range(len(turns))]

    def _prompt(self, turns: Turns) -> str:
        """The text that the processor is given; messages are copied, since templates may change them."""
        messages = [{**one, "content": [dict(part) for part in one["content"]]} for one in turns.messages]
        return self.processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)

    def _batch(self, texts: list[str], pictures: list[list[Any]]) -> dict[str, torch.Tensor]:
        images = pictures if any(pictures) else None
        options = {"padding": True, "padding_side": "left", "return_tensors": "pt", "add_special_tokens": False}
        made = self.processor(images=images, text=texts, **options)
        made.pop("labels", None)  # PaliGemma's processor gives some
        return made.to(self.model.device)

    def _answered(self, batch: dict[str, Any]) -> list[Reply]:
        import torch

        if self.decoding.temperature:
            torch.manual_seed(self.decoding.seed)
            sampling: dict[str, Any] = {"do_sample": True, "temperature": self.decoding.temperature}
        else:
            sampling = {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
        tokenizer = getattr(self.processor, "tokenizer", self.processor)
        for name in ("pixel_values", "pixel_values_videos"):
            if name in batch:
                batch[name] = batch[name].to(self.model.dtype)
        with torch.inference_mode():
            found = self.model.generate(
                **batch,
                **sampling,
                num_beams=1,
                max_new_tokens=self.decoding.max_new_tokens,
                pad_token_id=tokenizer.pad_token_id,
                eos_token_id=sorted(self._ends),
            )
        told = batch["attention_mask"].sum(dim=1).tolist()
        ids = found[:, batch["input_ids"].shape[1] :].tolist()
        return [self._reply(one, tokenizer, prompt_tokens=count) for one, count in zip(ids, told, strict=True)]

    def _reply(self, ids: list[int], tokenizer: Any, *, prompt_tokens: int) -> Reply:
        """Text up to the end; special tokens stay, since some families write places with them."""
        end = next((place for place, one in enumerate(ids) if one in self._ends), None)
        said = ids if end is None else ids[:end]
        text = tokenizer.decode(said, skip_special_tokens=False, clean_up_tokenization_spaces=False)
        finish = "length" if end is None else "stop"
        return Reply(text.strip(), finish, None, prompt_tokens=prompt_tokens, reply_tokens=len(said))


def _ends(model: Any, processor: Any) -> frozenset[int]:
    """Ids of the tokens that end a reply, after the model's own configuration, the tokenizer, and its padding."""
    stated = getattr(model.generation_config, "eos_token_id", None)
    tokenizer = getattr(processor, "tokenizer", processor)
    every = [*(stated if isinstance(stated, list) else [stated]), tokenizer.eos_token_id, tokenizer.pad_token_id]
    return frozenset(one for one in every if one is not None)


def _moved(model: Any, where: str) -> Any:
    try:
        return model.to(where)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built for GPUs
        expected = "cpu, or a GPU that torch sees, with room for the model"
        raise UsageError(f"device {where}: {str(error).splitlines()[0]}; expected {expected}") from error


def _device() -> str:
    import torch

    if not torch.cuda.is_available():
        return "cpu"
    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
