"""Who is in which split, and who is left out so that nothing crosses.

- An owner's test set stands. Where a group lies in several of the owner's splits, test beats validation beats train; the
  losing samples become `excluded` with the reason `group-in-<split>`.
- Samples without an owner's split, in a source that has one, belong to train.
- Without any owner's split: SHA-256 of collection and group, with a fixed seed, deals 80 : 10 : 10; under ten groups all is
  train. The salt plays no part, so a private salt doesn't move a split.
- Of identical pixels in several splits the winner's stand and the others become `excluded`, reason `pixels-in-<split>`.
  Blank pictures never count as identical.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from ..schema.sample import SPLITS

SEED = "medloom-split-1"
MIN_GROUPS = 10
EXCLUDED = "excluded"
_TRAIN_SHARE, _VALIDATION_SHARE = 0.8, 0.9
_TRAIN, _VALIDATION, _TEST = range(len(SPLITS))


@dataclass(frozen=True, slots=True)
class Fate:
    """Split and reason of every sample, in the order in which they were given."""

    split: np.ndarray
    """Strings: train, validation, test or excluded."""
    reason: np.ndarray
    """Empty, or why it was excluded."""


def share_of(collection: str, group: str) -> float:
    """Where a group falls on [0, 1); `group` is the owner's own id."""
    digest = hashlib.sha256("\0".join((SEED, collection, group)).encode(errors="surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def decide(*, groups: np.ndarray, shares: np.ndarray, original: np.ndarray, pixels: np.ndarray, blank: np.ndarray) -> Fate:
    """The fate of every sample of a source, whatever their order.

    All arrays have one entry per sample: pseudonym of the group, its share, the owner's split ("" for none), pixel hash,
    and whether the picture is too blank to compare.
    """
    _, member = np.unique(groups, return_inverse=True)
    rank = _owners(original) if (original != "").any() else _hashed(member, shares)
    reason = np.full(len(groups), "", dtype="<U24")
    best = highest(member, rank)
    _exclude(reason, rank < best, best, kind="group")
    _, twin = np.unique(pixels, return_inverse=True)
    standing = np.where((reason == "") & ~blank, rank, -1)
    best = highest(twin, standing)
    _exclude(reason, (standing >= 0) & (rank < best), best, kind="pixels")
    split = np.where(reason == "", np.array(SPLITS)[rank], EXCLUDED)
    return Fate(split, reason)


def _owners(original: np.ndarray) -> np.ndarray:
    rank = np.full(len(original), _TRAIN)
    rank[original == SPLITS[_VALIDATION]] = _VALIDATION
    rank[original == SPLITS[_TEST]] = _TEST
    return rank


def _hashed(member: np.ndarray, shares: np.ndarray) -> np.ndarray:
    if not len(member) or member.max() + 1 < MIN_GROUPS:
        return np.full(len(member), _TRAIN)
    return (shares >= _TRAIN_SHARE).astype(int) + (shares >= _VALIDATION_SHARE).astype(int)


def highest(member: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """For each sample the highest rank among its fellow members (integers); -1 is the lowest there is."""
    best = np.full(member.max() + 1 if len(member) else 0, -1)
    np.maximum.at(best, member, rank)
    return best[member]


def _exclude(reason: np.ndarray, losers: np.ndarray, best: np.ndarray, *, kind: str) -> None:
    for winner, name in enumerate(SPLITS):
        reason[losers & (best == winner)] = f"{kind}-in-{name}"
