"""The help of verbs that train: our settings as their dataclasses tell them, read when help is asked for and not before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from typing import Any

import typer.core

PLACE = "OUR SETTINGS"
"""Line of a verb's docstring where they are put."""


class SftCommand(typer.core.TyperCommand):
    """A command whose help tells what a run of `train sft` can be told."""

    own: tuple[str, ...] = ()
    """Groups of settings besides those of `train sft`."""

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """See click."""
        self.help = (self.help or "").replace(PLACE, "\n".join(settings(*self.own)))
        super().format_help(ctx, formatter)


class GrpoCommand(SftCommand):
    """The same of `train grpo`."""

    own = ("rewards",)


def settings(*also: str) -> Iterator[str]:
    """Lines of a Markdown list for each group."""
    from ..train.data.arguments import DataArguments
    from ..train.fitting.medical_arguments import MedicalArguments
    from ..train.fitting.reward_arguments import RewardArguments

    groups: list[tuple[str, Any]] = [("Data, and how questions are put", DataArguments), ("The run", MedicalArguments)]
    groups += [("Rewards", RewardArguments)] if "rewards" in also else []
    for title, kind in groups:
        yield from (f"**{title}**", "")
        yield from map(line, fields(kind))
        yield ""


def line(field: Field[Any]) -> str:
    """A setting: its name, what it does, and what it is without."""
    usual = field.default if field.default_factory is MISSING else field.default_factory()
    off = f" (`--no_{field.name}`)" if usual is True else ""
    return f"- `--{field.name}`{off}: {field.metadata['help']} Default: {_said(usual)}."


def _said(usual: Any) -> str:
    if isinstance(usual, bool):
        return "on" if usual else "off"
    if isinstance(usual, list):
        return " ".join(usual) or "none"
    return "none" if usual is None else str(usual)
