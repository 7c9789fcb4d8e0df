"""What was published of a source that is to be rebuilt: its recipe, and keys, splits and pixel hashes of its samples."""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ... import __version__
from ...builders.deidentify import file_sha256
from ...schema.embedded import EMBEDDED
from ...schema.errors import ReleaseError, UsageError
from ...schema.published import ENTRY, KEYS, Mode, keys_path, mode_of, shards_of
from ...schema.release import Release, index_name
from ...schema.sample import SCHEMA_VERSION

_PLACED = ("shard", "json_offset", "json_size")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A source as a release publishes it."""

    release: Release
    recipe: dict[str, Any]
    """As published, with the entry that says how much that is."""

    @classmethod
    def of(cls, place: Path | str, source: str) -> Wanted:
        """What a folder or repository publishes of a source.

        Raises:
            UsageError: the release doesn't hold it, its recipe is newer or older than this version can read, or its shards
                hold questions.
            ReleaseError: there is no release.
        """
        release = Release.open(place)
        recipe = release.recipe(source)
        if recipe is None:
            raise UsageError(f"source {source!r} isn't in {place}; expected one of {', '.join(release.sources)}")
        _refuse_other_versions(source, recipe)
        if EMBEDDED in recipe:
            raise UsageError(
                f"{source}: the shards of {place} hold questions; expected plain ones; rebuild from the release that was asked"
            )
        return cls(release, recipe)

    @property
    def source(self) -> str:
        """The source's name."""
        return self.recipe["facts"]["name"]

    @property
    def mode(self) -> Mode:
        """How much of it is published."""
        return mode_of(self.recipe)

    @property
    def plain(self) -> dict[str, Any]:
        """The recipe of the whole source, as the release had it that was published."""
        return {name: value for name, value in self.recipe.items() if name != ENTRY}

    @property
    def original(self) -> dict[str, Any]:
        """What the build that made the samples says of itself: of a cut, the recipe that it was cut from."""
        recipe = self.recipe
        while "cut" in recipe:
            recipe = recipe["cut"]["of"]
        return recipe

    def fetch(self) -> None:
        """Fetch tables and tars of this source alone, and see that they are what the recipe says.

        Raises:
            ReleaseError: the Hub refuses, or a file is another one.
        """
        name, published = self.source, self.recipe.get(ENTRY, {})
        files = {index_name(name, table): digest for table, digest in self.recipe["index"].items()}
        if self.mode is Mode.RECIPE:
            files = {keys_path(name): published["keys"]}
        if self.mode is Mode.ANNOTATIONS:
            files |= {shard["path"]: shard["sha256"] for shard in published["shards"]}
        self.release.fetch(list(files))
        for path, digest in files.items():
            verify(self.release.root / path, digest)

    def samples(self) -> pa.Table:
        """A row per sample that a split holds, in the order of shards and keys.

        Columns: key, split, pixel_sha256, perceptual_hash; unless only the recipe is published also shard (the path of the
        whole one), json_offset and json_size.
        """
        if self.mode is Mode.RECIPE:
            table = pq.read_table(self.release.root / keys_path(self.source))
            return table.filter(pc.not_equal(table["split"], "excluded"))
        table = pq.read_table(self._index("samples"), columns=[*KEYS.values(), *_PLACED])
        return table.rename_columns([*KEYS, *_PLACED]).filter(pc.is_valid(table["shard"]))

    def excluded(self) -> pa.Table | None:
        """The index rows of samples that no split holds; None where the index isn't published."""
        if self.mode is Mode.RECIPE:
            return None
        table = pq.read_table(self._index("samples"))
        return table.filter(pc.is_null(table["shard"]))

    def index(self) -> Iterator[tuple[str, Path]]:
        """Name and file of each published table of the index."""
        if self.mode is not Mode.RECIPE:
            yield from ((table, self._index(table)) for table in self.recipe["index"])

    def records(self, shard: str) -> Path | None:
        """The tar with the records of a shard, where pixels are withheld."""
        if self.mode is not Mode.ANNOTATIONS:
            return None
        whole = [one["path"] for one in self.recipe["shards"]]
        return self.release.root / shards_of(self.recipe)[whole.index(shard)]["path"]

    def _index(self, table: str) -> Path:
        return self.release.index_path(self.source, table)


def verify(path: Path, digest: str) -> None:
    """See that a file is the one that a digest stands for.

    Raises:
        ReleaseError: it is absent or another one.
    """
    if not path.is_file():
        raise ReleaseError(f"{path}: no such file; expected what the recipe lists; get the published release again")
    if (found := file_sha256(path)) != digest:
        raise ReleaseError(f"{path}: SHA-256 {found[:16]}…; expected {digest[:16]}… as published; get the release again")


def _refuse_other_versions(source: str, recipe: dict[str, Any]) -> None:
    """A newer version may write other bytes; another schema has other records."""
    made = recipe["versions"]
    cut = recipe["cut"]["versions"] if "cut" in recipe else made
    for name, own in (("schema", SCHEMA_VERSION), ("medloom", __version__)):
        newest = max(made[name], cut[name], key=_numbers)
        if _numbers(newest) > _numbers(own):
            raise UsageError(
                f"{source}: its recipe is of {name} {newest}; expected at most {own}; upgrade medloom to rebuild it"
            )
    if _numbers(made["schema"]) < _numbers(SCHEMA_VERSION):
        found = f"its recipe is of schema {made['schema']}"
        raise UsageError(f"{source}: {found}; expected {SCHEMA_VERSION}; rebuild it with medloom {made['medloom']}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall(r"\d+", version)[:3])
