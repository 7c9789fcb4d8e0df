"""Which rewards a run of reinforcement takes, in the form that TRL's parser takes from YAML and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ...schema.errors import UsageError

WEIGHTS = {"right": 1.0, "form": 0.2}
"""Of the rewards that are taken where none are named."""


@dataclass(frozen=True)
class RewardArguments:
    """Rewards by name (`fitting/rewards.py`); TRL's `reward_weights` weighs them."""

    rewards: list[str] = field(
        default_factory=lambda: list(WEIGHTS),
        metadata={"help": "right, letters, precision, recall, f1, iou, form; weighed by reward_weights."},
    )

    def __post_init__(self):
        from .rewards import REWARDS

        object.__setattr__(self, "rewards", list(self.rewards or WEIGHTS))
        if wrong := [name for name in self.rewards if name not in REWARDS]:
            raise UsageError(f"reward {wrong[0]!r}; expected one of {', '.join(REWARDS)}")

    def weights(self, given: Sequence[float] | None) -> list[float]:
        """The weights given, else our own, and 1 for rewards that have none.

        Raises:
            UsageError: as many as rewards aren't given.
        """
        if given is None:
            return [WEIGHTS.get(name, 1.0) for name in self.rewards]
        if len(given) != len(self.rewards):
            found = f"{len(given)} reward_weights for {len(self.rewards)} rewards ({', '.join(self.rewards)})"
            raise UsageError(f"{found}; expected one each")
        return list(given)
