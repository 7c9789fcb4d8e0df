"""What TRL's trainers lack here: exact resume in every family, checkpoints that are whole, evaluation by answers. Loads TRL.

A checkpoint's weights are loaded by `from_pretrained`: a trainer's own loading compares names as they stand on disk with those
in memory, which differ in some families (LLaVA, Gemma 3, InternVL, Qwen2.5-VL), and goes on with what it had
(https://github.com/huggingface/transformers/issues/43701).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.trainer_utils import PREFIX_CHECKPOINT_DIR, rotate_checkpoints
from trl.trainer.sft_trainer import SFTTrainer

from .checkpoints import seal

Answered = Callable[[Any], Mapping[str, float]]
"""A trainer → measures of what its model answers, the same on every process."""


@dataclass
class Plan:
    """What a run adds to TRL's settings."""

    fingerprint: Mapping[str, Any]
    order: Any = None
    """The sampler of a map-style run; None when the data come in order by themselves."""
    answered: Answered | None = None
    streams_from: Path | None = None
    """The checkpoint after which the stream of a resumed run begins."""
    measured: dict[str, float] = field(default_factory=dict)
    """The last measures."""


class Fitting:
    """Stands before one of TRL's trainers."""

    def __init__(self, *args: Any, plan: Plan, **kwargs: Any):
        self.plan = plan
        self._randomness_from = plan.streams_from
        super().__init__(*args, **kwargs)

    def create_model_card(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the run folder has its own card."""

    def get_batch_samples(self, *args: Any, **kwargs: Any) -> Any:
        """As transformers does; a stream that begins in the middle has drawn a seed for itself by now, which is undone."""
        found = super().get_batch_samples(*args, **kwargs)  # type: ignore[misc]
        if self._randomness_from is not None:
            self._load_rng_state(str(self._randomness_from))  # type: ignore[attr-defined]
            self._randomness_from = None
        return found

    def evaluation_loop(self, *args: Any, **kwargs: Any) -> Any:
        """As transformers does, with the measures of the answers beside the loss; training's random numbers stay untouched."""
        with torch.random.fork_rng(_devices()):
            found = super().evaluation_loop(*args, **kwargs)  # type: ignore[misc]
            if self.plan.answered is not None:
                prefix = kwargs.get("metric_key_prefix", "eval")
                measures = {f"{prefix}_{name}": value for name, value in self.plan.answered(self).items()}
                found.metrics.update(measures)
        self.plan.measured = dict(found.metrics)
        return found

    def _load_from_checkpoint(self, resume_from_checkpoint: str, model: Any = None) -> None:
        if self._loads_itself(model):
            super()._load_from_checkpoint(resume_from_checkpoint, model)  # type: ignore[misc]
        else:
            restore(self.model, Path(resume_from_checkpoint))  # type: ignore[attr-defined]

    def _load_best_model(self) -> None:
        if self._loads_itself():
            super()._load_best_model()  # type: ignore[misc]
        else:
            restore(self.model, Path(self.state.best_model_checkpoint))  # type: ignore[attr-defined]

    def _loads_itself(self, model: Any = None) -> bool:
        """Whether upstream's loading is right: of adapters, and of what FSDP and DeepSpeed wrote in names of their own."""
        sharded = self.is_fsdp_enabled or self.is_deepspeed_enabled  # type: ignore[attr-defined]
        return sharded or not isinstance(model or self.model, PreTrainedModel)  # type: ignore[attr-defined]

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        """As transformers does; an older one goes only after this one is whole."""
        args: Any = self.args  # type: ignore[attr-defined]
        with _set(args, "save_total_limit", None):
            super()._save_checkpoint(model, trial)  # type: ignore[misc]
        self.accelerator.wait_for_everyone()  # type: ignore[attr-defined]
        state: Any = self.state  # type: ignore[attr-defined]
        if args.should_save:
            seal(Path(args.output_dir) / f"{PREFIX_CHECKPOINT_DIR}-{state.global_step}", self.plan.fingerprint)
            rotate_checkpoints(args.output_dir, args.save_total_limit, state.best_model_checkpoint)


class SftTrainer(Fitting, SFTTrainer):
    """TRL's `SFTTrainer`, with rows in the mixture's order, and an `eval_loss` that no number of processes changes.

    It is the mean over all tokens of the held-out answers. Upstream's is a mean over batches, whose last is filled up with
    rows of the first where several processes share them.
    """

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        return self.plan.order if self.plan.order is not None else super()._get_train_sampler(train_dataset)

    def evaluation_loop(self, *args: Any, **kwargs: Any) -> Any:
        """As transformers does, but for the loss."""
        kept: list[Any] = []

        def keep(_: Any, __: Any, told: Any) -> None:
            if getattr(told, "log_probs", None) is not None:
                each = -told.log_probs.detach().double().sum(-1), told.label_mask.sum(-1)
                kept.append(self.accelerator.gather_for_metrics(each))  # of every row once

        model: Any = self.model
        handle = model.register_forward_hook(keep) if self._means_tokens() else None
        try:
            found = super().evaluation_loop(*args, **kwargs)
        finally:
            if handle is not None:
                handle.remove()
        if kept:
            sums, tokens = (float(torch.cat(some).sum()) for some in zip(*kept, strict=True))
            found.metrics[f"{kwargs.get('metric_key_prefix', 'eval')}_loss"] = sums / max(tokens, 1)
        return found

    def _means_tokens(self) -> bool:
        args: Any = self.args
        return args.loss_type == "nll" and self.label_smoother is None and self.compute_loss_func is None


def restore(model: PreTrainedModel, folder: Path) -> None:
    """Put the weights of a folder into a model of the same make, every one of them."""
    widest = max((one.dtype for one in model.parameters()), key=lambda kind: torch.finfo(kind).bits)
    saved = type(model).from_pretrained(folder, dtype=widest)
    model.load_state_dict(saved.state_dict(), strict=True)


def _devices() -> list[int]:
    return [torch.cuda.current_device()] if torch.cuda.is_available() else []


@contextmanager
def _set(owner: Any, name: str, value: Any) -> Iterator[None]:
    before = getattr(owner, name)
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, before)
