"""Contents of shards by the byte ranges of the index; the one place where the explorer reads shards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...schema.errors import ReleaseError
from ...schema.release import Release


def contents(release: Release, places: Sequence[Mapping[str, Any]], kind: str) -> list[bytes]:
    """The members of samples, in the given order; `kind` is `image` or `json`.

    Raises:
        ReleaseError: a shard isn't there, or is shorter than the index says.
    """
    found: dict[str, bytes] = {}
    for shard in dict.fromkeys(place["shard"] for place in places):
        here = [place for place in places if place["shard"] == shard]
        spans = [(place[f"{kind}_offset"], place[f"{kind}_size"]) for place in here]
        found |= dict(zip((place["key"] for place in here), _read(release, shard, spans), strict=True))
    return [found[place["key"]] for place in places]


def _read(release: Release, shard: str, spans: Sequence[tuple[int, int]]) -> list[bytes]:
    path: Path = release.root / shard
    try:
        with path.open("rb") as stream:
            bodies = [(stream.seek(offset), stream.read(size))[1] for offset, size in spans]
    except OSError as error:
        raise ReleaseError(f"{path}: {error.strerror}; expected a shard that the index names; see `medloom check`") from error
    if any(len(body) != size for body, (_, size) in zip(bodies, spans, strict=True)):
        raise ReleaseError(f"{path}: ends early; expected what the index names; see `medloom check`")
    return bodies
