"""Cases that look unlike each other and come from many places: farthest-first traversal, strata served in turn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

WORDS = 4
"""A perceptual hash of 256 bits as four words of 64."""
_FARTHEST = 64 * WORDS
_TURNS = 2**20


@dataclass(frozen=True)
class Candidates:
    """Candidates in the order that breaks ties; all arrays have one entry per candidate."""

    bits: np.ndarray
    """uint64, (candidates, 4): the perceptual hash."""
    cluster: np.ndarray
    tier: np.ndarray
    """0 for those to take first, 1 for the others."""
    stratum: np.ndarray

    def __len__(self) -> int:
        return len(self.cluster)

    def at(self, places: np.ndarray) -> Candidates:
        """The candidates at these places."""
        return Candidates(self.bits[places], self.cluster[places], self.tier[places], self.stratum[places])


def bits(hashes: list[str | None]) -> np.ndarray:
    """Perceptual hashes of 64 hex digits as uint64 (hashes, 4); one that is missing is all zeros."""
    whole = "".join(one if one and len(one) == 16 * WORDS else "0" * 16 * WORDS for one in hashes)
    return np.frombuffer(bytes.fromhex(whole), ">u8").astype(np.uint64).reshape(-1, WORDS)


def choose(candidates: Candidates, count: int) -> np.ndarray:
    """The places of up to `count` candidates in the order in which they were chosen.

    Each next one has, in this order of weight: the cluster used least, the first tier, the stratum served least, the largest
    Hamming distance to the nearest one that is chosen already, the first place.
    """
    cluster, stratum = (np.unique(one, return_inverse=True)[1] for one in (candidates.cluster, candidates.stratum))
    used, served = (np.zeros(one.max(initial=0) + 1, np.int64) for one in (cluster, stratum))
    distance = np.full(len(candidates), _FARTHEST, np.int64)
    chosen: list[int] = []
    for _ in range(min(count, len(candidates))):
        cost = ((used[cluster] * 2 + candidates.tier) * _TURNS + served[stratum]) * (_FARTHEST + 1) + _FARTHEST - distance
        cost[chosen] = np.iinfo(np.int64).max
        best = int(np.argmin(cost))
        chosen.append(best)
        used[cluster[best]] += 1
        served[stratum[best]] += 1
        distance = np.minimum(distance, hamming(candidates.bits, candidates.bits[best]))
    return np.array(chosen, np.int64)


def hamming(several: np.ndarray, one: np.ndarray) -> np.ndarray:
    """Bits in which each of several hashes differs from one, int64."""
    return np.bitwise_count(several ^ one).sum(axis=1, dtype=np.int64)
