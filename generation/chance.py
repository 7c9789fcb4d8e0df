"""Chance that is the same on every machine: drawn from words (suite, seed, rule, key), never from a clock or an order."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from struct import Struct
from typing import TypeVar

T = TypeVar("T")
_NUMBERS = Struct(">8Q")
"""What one hash gives."""


class Chance:
    """A stream of draws that begins with some words. Two streams of other words have nothing to do with each other."""

    __slots__ = ("_left", "_seed", "_turn", "_words")

    def __init__(self, *words: str | int):
        self._words, self._seed, self._turn = words, b"", 0
        self._left: list[int] = []

    def bits64(self) -> int:
        """64 bits as a number."""
        return (self._left or self._more()).pop()

    def below(self, count: int) -> int:
        """A number from 0 to count - 1, all alike (the bias of 64 bits is below 1e-12 for any count of ours)."""
        return ((self._left or self._more()).pop() * count) >> 64

    def unit(self) -> float:
        """A number in [0, 1) with 53 bits."""
        return (self.bits64() >> 11) / (1 << 53)

    def between(self, low: float, high: float) -> float:
        """A number in [low, high)."""
        return low + (high - low) * self.unit()

    def one(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[self.below(len(items))]

    def some(self, items: Sequence[T], count: int) -> list[T]:
        """`count` different places of the items, in drawn order (Fisher and Yates, as far as needed)."""
        left = list(items)
        for place in range(count):
            other = place + self.below(len(left) - place)
            left[place], left[other] = left[other], left[place]
        return left[:count]

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """All items in drawn order."""
        return self.some(items, len(items))

    def _more(self) -> list[int]:
        """The numbers of the next hash, the first one last. Streams from which nothing is drawn cost no hash."""
        if not self._turn:
            self._seed = blake2b("\0".join(map(str, self._words)).encode(errors="surrogateescape"), digest_size=32).digest()
        block = blake2b(self._turn.to_bytes(8, "big"), key=self._seed).digest()
        self._turn += 1
        self._left = list(reversed(_NUMBERS.unpack(block)))
        return self._left
