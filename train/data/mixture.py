"""All that a run trains on, as rows with numbers: what an epoch takes, in what order, and each row as a conversation.

Rows are numbered over all parts, then over the general sets. A row holds nothing until it is read; reading it reads its
picture by byte range. `order` is a pure function, so a run can begin anywhere without reading what lies before.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Protocol

from ...schema.errors import UsageError
from ..conversation import Style
from ..predicting.backend import SeenSize
from .arguments import DataArguments
from .general import GeneralRows
from .order import Places, Portion, draws, epoch_order
from .parts import PartRows


class Rows(Protocol):
    """Conversations of one set; it can be pickled, and workers get it for little."""

    def __len__(self) -> int: ...

    def conversations(self, numbers: Sequence[int]) -> list[dict[str, Any]]:
        """`prompt`, `completion` and `images` of some rows, in the order given."""
        ...

    def fingerprint(self) -> dict[str, Any]:
        """What the rows follow from, as JSON; without paths of this machine."""
        ...


@dataclass(frozen=True)
class Mixture:
    """Sets of conversations, how many rows of each an epoch takes, and the seed of their order."""

    sets: tuple[Rows, ...]
    portions: tuple[Portion, ...]
    seed: int
    block: int = 1

    @classmethod
    def open(cls, arguments: DataArguments, *, style: Style, seed: int, seen: SeenSize | None = None) -> Mixture:
        """The mixture that the arguments name, with questions put in a style (`arguments.style(…)`).

        Raises:
            ReleaseError: a release isn't there, or the Hub can't be reached or refuses.
            UsageError: nothing to train on, or an option, word or file that can't be used.
        """
        if not arguments.data and not arguments.general:
            raise UsageError("nothing to train on; expected `data` with one part or more; give --data RELEASE:SUITE")
        parts = [PartRows.open(part, style, seen=seen, seed=seed) for part in arguments.data]
        general = [GeneralRows.open(one, seed=seed) for one in arguments.general]
        weights = [(len(rows), part.weight) for rows, part in zip(parts, arguments.data, strict=True)]
        shares = [(len(rows), one.share) for rows, one in zip(general, arguments.general, strict=True)]
        return cls((*parts, *general), tuple(draws(weights, shares)), seed, arguments.block)

    def __len__(self) -> int:
        """Rows of an epoch, of which a share may be left out and others be repeated; `rows` counts what is there."""
        return sum(one.draws for one in self.portions)

    @property
    def rows(self) -> int:
        """How many rows there are to take from."""
        return sum(one.rows for one in self.portions)

    def order(self, epoch: int) -> Places:
        """Numbers of the rows that an epoch takes, in their order."""
        return epoch_order(self.portions, seed=self.seed, epoch=epoch, block=self.block)

    def row(self, place: int) -> dict[str, Any]:
        """The conversation of a row."""
        [found] = self.conversations([place])
        return found

    def conversations(self, places: Sequence[int]) -> list[dict[str, Any]]:
        """Conversations of some rows, in the order given; those of one set are read at once."""
        found: dict[int, list[dict[str, Any]]] = {}
        begins = list(accumulate((one.rows for one in self.portions), initial=0))
        whose = [bisect_right(begins, place) - 1 for place in places]
        for number in dict.fromkeys(whose):
            some = [place - begins[number] for place, one in zip(places, whose, strict=True) if one == number]
            found[number] = self.sets[number].conversations(some)
        dealt: dict[int, Iterator[dict[str, Any]]] = {number: iter(some) for number, some in found.items()}
        return [next(dealt[number]) for number in whose]

    def fingerprint(self) -> dict[str, Any]:
        """What the run reads and in what order, as JSON: two runs with the same one read the same rows alike."""
        first = self.order(0).astype("<i8").tobytes()
        return {
            "seed": self.seed,
            "block": self.block,
            "rows_per_epoch": len(self),
            "first_epoch_sha256": hashlib.sha256(first).hexdigest(),
            "sets": [
                one.fingerprint() | {"draws_per_epoch": portion.draws}
                for one, portion in zip(self.sets, self.portions, strict=True)
            ],
        }
