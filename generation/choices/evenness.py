"""Keeps labels from being the answer more often than others, so that knowing what is common answers nothing.

In the splits named, a label of whole images is passed over with such a chance that all labels asked about side by side are
right about as often as the rarest; of regions, it is pairs of labels that are evened out. How often labels could be asked
about is known from the release's index, so no question needs another.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ...schema.errors import UsageError
from ...schema.sample import SPLITS
from ..case import Asking, Case
from ..chance import Chance
from ..pools import Named, Pool, Pools
from .contrast import Seen

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

    def admits(self, case: Case, right: str, wrong: str, *, task: str, kind: str, chance: Chance) -> bool:
        """Whether a label that isn't on the image may be wrong for a region now.

        Of two labels, one is the answer beside the other about as often as the other way round.
        """
        split = case.record["split"]
        if split not in self.splits:
            return True
        pairs = self.pools.pointed.get((case.modality, task, kind, split), {})
        return chance.unit() * pairs.get((right, wrong), 0) < pairs.get((wrong, right), 0)

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
