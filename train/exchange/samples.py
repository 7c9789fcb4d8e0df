"""Samples of a release with their stored bytes, for exports that aren't about questions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from ...schema.errors import UsageError
from ...schema.load import select_rows
from ...schema.release import Release, content_version, shards_of

Row = tuple[Mapping[str, Any], bytes]


@dataclass(frozen=True)
class Samples:
    """Records and pictures in the order of the shards; each is read when it is reached."""

    name: str
    version: str
    release: Release
    places: list[dict[str, Any]]

    @classmethod
    def open(
        cls, release: str | Path, *, config: str = "default", split: str | None = None, select: Mapping[str, Any] | None = None
    ) -> Samples:
        """The samples that the selection keeps, of one split or of all.

        Raises:
            ReleaseError: no release there, or the Hub can't be reached or refuses.
            UsageError: a config, split or word that isn't there, withheld pictures among them, or nothing is left.
        """
        opened = Release.open(release)
        configs = opened.configs()
        if config not in configs:
            raise UsageError(f"config {config!r}; expected one of {sorted(configs)}")
        places = select_rows(opened, config, select or {}).to_pylist()
        places = [place for place in places if split is None or place["split"] == split]
        if not places:
            raise UsageError(f"{release}: no sample of {config}, split {split}, is left; expected one or more")
        if any(place["image_offset"] is None for place in places):
            raise UsageError(f"{release}: pictures are withheld; expected a release with pixels; `medloom rebuild` makes one")
        version = content_version(shards_of(configs[config]))
        return cls(opened.root.name if opened.source is None else str(opened.source), version, opened, places)

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[Row]:
        shards = self.release.bytes
        for place in self.places:
            spans = [(place[f"{one}_offset"], place[f"{one}_size"]) for one in ("image", "json")]
            picture, record = shards.read(place["shard"], spans)
            yield orjson.loads(record), picture
