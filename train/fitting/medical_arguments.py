"""What a run is told beyond TRL's own settings, in the form that TRL's parser takes from YAML and the command line."""

from __future__ import annotations

from dataclasses import dataclass, field

from ...schema.errors import UsageError


@dataclass(frozen=True)
class MedicalArguments:
    """Frozen parts, evaluation by answers, what happens to an earlier run, and the push."""

    freeze: list[str] = field(
        default_factory=list,
        metadata={"help": "Modules that don't learn, by name or pattern: vision_tower, multi_modal_projector, *.layers.0."},
    )
    patience: int | None = field(
        default=None, metadata={"help": "Stop after so many evaluations without a better metric_for_best_model."}
    )
    answers: bool = field(
        default=True,
        metadata={"help": "Whether evaluation has the held-out questions answered; else the loss alone."},
    )
    answer_tokens: int = field(default=128, metadata={"help": "The longest answer to a held-out question, in tokens."})
    fresh: bool = field(default=False, metadata={"help": "Begin anew: an earlier run's checkpoints in output_dir are removed."})
    push_reason: str | None = field(
        default=None,
        metadata={"help": "Why --push_to_hub may pass the model on though some of its data may not be; stands on its card."},
    )

    def __post_init__(self):
        object.__setattr__(self, "freeze", list(self.freeze or ()))
        for name, value in (("patience", self.patience), ("answer_tokens", self.answer_tokens)):
            if value is not None and value < 1:
                raise UsageError(f"{name} {value}; expected 1 or more")
