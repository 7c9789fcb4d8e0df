"""Withdraw samples from a release that may have a card: the card shows pictures and counts, so it is made anew."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ...builders.withdrawing.withdraw import Progress
from ...builders.withdrawing.withdraw import withdraw as taken_out
from ...schema.release import Release


def withdraw(
    place: Path | str,
    *,
    keys: Iterable[str] = (),
    groups: Iterable[str] = (),
    reason: str,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """What was withdrawn; see `builders/withdrawing/withdraw.py`. A release without a card gets none."""
    named = {"keys": keys, "groups": groups, "reason": reason}
    return taken_out(place, **named, dry_run=dry_run, finish=_card, progress=progress)


def _card(release: Release) -> None:
    from ..card.card import card

    card(release)
