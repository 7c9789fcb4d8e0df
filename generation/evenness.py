"""Keeps labels from being the answer more often than others, so that knowing what is common answers nothing.

In the splits named, a label is passed over with such a chance that all labels asked about side by side are right about as
often as the rarest. How often each could be asked about is known from the release's index, so no question needs another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..schema.errors import UsageError
from ..schema.sample import SPLITS
from .case import Asking, Case
from .chance import Chance
from .contrast import Seen
from .pools import Named, Pool, Pools

_UNSEEN = Seen(0, 0, 0)


@dataclass(frozen=True, eq=False)
class Evenness:
    """What to pass over in some splits; nothing in the others."""

    pools: Pools
    splits: frozenset[str]
    _counts: dict[tuple[str, ...], Mapping[str, int]] = field(default_factory=dict)

    def skips(self, case: Case, label_id: str, pool: Pool, *, place: str, chance: Chance) -> bool:
        """Whether a label of the whole image isn't asked about now; `place` names the pool within its source."""
        split, source = case.record["split"], case.record["source"]
        if split not in self.splits:
            return False
        known = (source, split, place)
        if known not in self._counts:
            seen = self._seen(case)
            self._counts[known] = {one.id: seen.get(one.id, _UNSEEN).faced for one in pool}
        return _skipped(label_id, self._counts[known], chance)

    def skips_region(self, case: Case, label_id: str, *, task: str, given: Sequence[str], chance: Chance) -> bool:
        """Whether a label isn't asked about by a region now; `given` are the granularities that share its pool."""
        split = case.record["split"]
        if split not in self.splits:
            return False
        known = (case.modality, task, split, *given)
        if known not in self._counts:
            places = [(case.modality, task, one, split) for one in given]
            self._counts[known] = sum((Counter(self.pools.pointed.get(place, {})) for place in places), Counter[str]())
        return _skipped(label_id, self._counts[known], chance)

    def shown(self, case: Case, labels: Sequence[Named], *, right: bool, chance: Chance) -> list[Named]:
        """The labels to show among several right ones, so that each that is shown is as often right as wrong."""
        if case.record["split"] not in self.splits:
            return list(labels)
        seen = self._seen(case)
        return [one for one in labels if _as_often(seen.get(one.id, _UNSEEN), right, chance)]

    def _seen(self, case: Case) -> Mapping[str, Seen]:
        contrast = self.pools.contrasts.get(case.record["source"])
        return contrast.seen.get(case.record["split"], {}) if contrast else {}


def evenness(asking: Asking, pools: Pools, splits: Sequence[str]) -> Evenness:
    """What keeps a rule even in some splits.

    Raises:
        UsageError: A split that there isn't, or a word instead of a list.
    """
    if isinstance(splits, str) or not set(splits) <= set(SPLITS):
        raise UsageError(f"{asking.rule}: even {splits!r}; expected a list with some of {', '.join(SPLITS)}")
    return Evenness(pools, frozenset(splits))


def _skipped(label_id: str, counts: Mapping[str, int], chance: Chance) -> bool:
    own = counts.get(label_id, 0)
    return own > 0 and chance.unit() * own >= min(filter(None, counts.values()))


def _as_often(seen: Seen, right: bool, chance: Chance) -> bool:
    this, other = (seen.present, seen.absent) if right else (seen.absent, seen.present)
    return chance.unit() * this < other
