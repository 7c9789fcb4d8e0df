"""Contents of shards by the byte ranges of the index; the one place where the explorer reads shards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...schema.errors import ReleaseError
from ...schema.release import Release


def contents(release: Release, places: Sequence[Mapping[str, Any]], kind: str) -> list[bytes]:
    """The members of samples, in the given order; `kind` is `image` or `json`.

    Raises:
        ReleaseError: a shard can't be had, or is shorter than the index says.
    """
    found: dict[str, bytes] = {}
    for shard in dict.fromkeys(place["shard"] for place in places):
        here = [place for place in places if place["shard"] == shard]
        spans = [(place[f"{kind}_offset"], place[f"{kind}_size"]) for place in here]
        bodies = release.bytes.read(shard, spans)
        if any(len(body) != size for body, (_, size) in zip(bodies, spans, strict=True)):
            raise ReleaseError(f"{shard}: ends early; expected the ranges that the index names; see `medloom check`")
        found |= dict(zip((place["key"] for place in here), bodies, strict=True))
    return [found[place["key"]] for place in places]
