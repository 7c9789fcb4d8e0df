"""Whether a card still tells the truth: the digest of everything it was made from stands in the README's YAML.

A card is made from recipes (which hold the digests of shards and index), question sets, certificate, overrides and
tombstones. Any command that changes one of them, or writes the README anew, leaves a digest that differs or none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from . import certificate, gate_overrides, question_set, withdrawn
from .errors import Issue

KEY = "medloom_card"
"""The YAML's entry."""
DATASHEET, CROISSANT, LICENCES, FOLDER = "DATASHEET.md", "croissant.json", "LICENSE.md", "card"
FILES = (DATASHEET, CROISSANT, LICENCES)
PICTURES = ("samples", "modality", "area", "task", "department", "granularity")
"""Names of the PNG files in `card/`."""
_MADE_FROM = (
    "recipes/*.json",
    f"{question_set.FOLDER}/*/{question_set.INFO}",
    f"{certificate.FOLDER}/{certificate.JSON}",
    gate_overrides.FILE,
    withdrawn.FILE,
)


def digest_of(root: Path) -> str:
    """SHA-256 over everything that a card of the release is made from, by path."""
    whole = hashlib.sha256()
    for pattern in _MADE_FROM:
        for path in sorted(root.glob(pattern)):
            whole.update(f"{path.relative_to(root).as_posix()} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def paths() -> set[str]:
    """The card's files beside the README, relative to the release."""
    return {*FILES, *(f"{FOLDER}/{name}.png" for name in PICTURES)}


def faults_of(root: Path, header: Mapping[str, Any]) -> Iterator[Issue]:
    """A fault where the release has a card that tells of something else; `header` is the README's YAML."""
    there = sorted(path for path in paths() if (root / path).exists())
    stated = header.get(KEY)
    if stated is None and not there:
        return
    wanted = digest_of(root)
    if stated != wanted:
        found = f"{', '.join(there)} beside a README without a card" if stated is None else f"a card of {str(stated)[:16]}…"
        yield Issue("stale-card", "README.md", found, f"a card of {wanted[:16]}…, as the release is now", "`medloom card`")
