"""`--push_to_hub` and the settings beside it: what is checked before the first step, and the push after the last.

A finished run is pushed once, whole and with its card; checkpoints and logs never are.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ...schema.errors import UsageError
from ..data.arguments import Part
from ..data.parts import PartRows
from .data_rights import SourceUse, sources_of
from .push import check_rights, push, ready
from .run_folder import RunFolder

ONCE = ("end", "every_save")
"""Values of `hub_strategy` that are as good as another: TRL's default, and what happens here."""


def check_push(settings: Any, parts: Iterable[Part | PartRows]) -> None:
    """Come back where the run may be pushed, with its repository made where it wasn't there.

    Raises:
        PublishError: the Hub can't be reached or refuses.
        UsageError: rights that nobody grants and no push_reason, no token, a bad name, or settings that aren't kept here.
    """
    sources = sources_of(parts)
    check_allowed(settings, sources)
    ready(sources, _repo(settings.training), **_how(settings))


def check_allowed(settings: Any, sources: Iterable[SourceUse]) -> None:
    """Come back where settings and rights let the run be pushed; the Hub isn't asked.

    Raises:
        UsageError: rights that nobody grants and no push_reason, or settings that aren't kept here.
    """
    training = settings.training
    strategy = getattr(training.hub_strategy, "value", training.hub_strategy)
    if strategy not in ONCE:
        raise UsageError(f"hub_strategy {strategy}; expected end: a finished run is pushed, checkpoints never are")
    if training.hub_revision:
        raise UsageError(f"hub_revision {training.hub_revision}; expected none: a run is pushed to main")
    check_rights(sources, settings.medical.push_reason)


def pushed(settings: Any, run: RunFolder) -> None:
    """Push a finished run; its commit's address goes to the standard error.

    Raises:
        PublishError, UsageError: as `push` does; the run is whole all the same.
    """
    sys.stderr.write(f"{push(run, _repo(settings.training), **_how(settings))}\n")


def _repo(training: Any) -> str:
    """org/name, or a name alone, which the Hub completes with the token's owner."""
    return training.hub_model_id or Path(training.output_dir).resolve().name


def _how(settings: Any) -> dict[str, Any]:
    training = settings.training
    return {"private": training.hub_private_repo, "reason": settings.medical.push_reason, "token": training.hub_token}
