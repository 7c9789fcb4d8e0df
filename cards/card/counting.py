"""Counts over the index of a release, by DuckDB: whatever the number of samples, only the answers reach Python."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...schema.index import ANNOTATIONS, SAMPLES
from ...schema.release import Release
from ...schema.sample import SPLITS

if TYPE_CHECKING:
    import duckdb

MEMORY = "1GB"
THREADS = 4
MOST_LABELS = 30
_COLUMNS = {"modality": "[modality]", "area": "areas", "task": "tasks", "department": "departments"}
_COLUMNS["granularity"] = "granularities"
_STANDING = "split IN ('train', 'validation', 'test')"
PLACE = ("key", "shard", "image_offset", "image_size", "json_offset", "json_size", "source", "licence", "group", "annotations")
"""What is told of a sample that may be shown."""
_NUMBERS = """
    count(*) AS samples,
    count(*) FILTER (annotations > 0) AS annotated,
    coalesce(sum(texts), 0)::BIGINT AS texts,
    count(*) FILTER (len(labels_present) > 1) AS several_labels,
    count(*) FILTER (labels > 0) AS labelled,
    count(*) FILTER (provenance_low_information) AS low_information,
    count(*) FILTER (provenance_burned_in <> 'no') AS burned_in,
    count(subject_age_years) AS with_age,
    min(subject_age_years) AS age_min,
    max(subject_age_years) AS age_max,
    count(subject_sex) AS with_sex,
    count(*) FILTER (subject_sex = 'female') AS female,
    count(*) FILTER (subject_sex = 'male') AS male,
    count(DISTINCT (collection, "group")) AS groups,
    min(width_px) AS width_min, max(width_px) AS width_max,
    min(height_px) AS height_min, max(height_px) AS height_max
"""


@dataclass(frozen=True, slots=True)
class Counting:
    """The index as two tables, `samples` and `annotations`, of all sources that have one."""

    connection: duckdb.DuckDBPyConnection
    indexed: Mapping[str, Path]
    """Source → its samples table, of those that have one."""

    @classmethod
    @contextmanager
    def over(cls, release: Release) -> Iterator[Counting]:
        """The tables of a release, for as long as they are needed; what doesn't fit into memory goes to the temp folder."""
        import duckdb

        with tempfile.TemporaryDirectory(prefix="medloom-") as folder:
            threads = min(os.cpu_count() or 1, THREADS)
            settings: dict[str, Any] = {"memory_limit": MEMORY, "temp_directory": folder, "threads": threads}
            with duckdb.connect(config=settings) as connection:
                connection.execute("SET enable_progress_bar = false")
                indexed = {name: path for name in release.sources if (path := release.index_path(name)).is_file()}
                for table, schema in (("samples", SAMPLES), ("annotations", ANNOTATIONS)):
                    _see(connection, table, [release.index_path(name, table) for name in indexed], empty=schema.empty_table())
                yield cls(connection, indexed)

    def by(self, what: str) -> list[tuple[str, str, int]]:
        """Code, split and samples of one of the distributions; samples with several codes count under each."""
        codes = f"SELECT unnest({_COLUMNS[what]}) AS code, split FROM samples WHERE {_STANDING}"
        return self._rows(f"SELECT code, split, count(*) FROM ({codes}) GROUP BY ALL ORDER BY ALL")

    def labels(self, most: int = MOST_LABELS) -> list[tuple[str, int]]:
        """Canonical names and the samples on which they are present, most first."""
        found = f"SELECT unnest(labels_present) AS label FROM samples WHERE {_STANDING}"
        return self._rows(f"SELECT label, count(*) AS n FROM ({found}) GROUP BY label ORDER BY n DESC, label LIMIT {most}")

    def numbers(self) -> dict[str, Any]:
        """Counts over all samples that stand in a split; `states`, `annotations`, `origins` and `formats` count by name."""
        cursor = self.connection.execute(f"SELECT {_NUMBERS} FROM samples WHERE {_STANDING}")
        names = [column[0] for column in cursor.description or ()]
        numbers = dict(zip(names, cursor.fetchone() or (), strict=True))
        regions = f"FROM annotations WHERE annotation IS NOT NULL AND {_STANDING}"
        return numbers | {
            "labels": self._one(f"SELECT count(DISTINCT label) FROM annotations WHERE {_STANDING}"),
            "states": self._pairs(f"SELECT state, count(*) FROM annotations WHERE annotation IS NULL AND {_STANDING}"),
            "annotations": self._pairs(f"SELECT granularity, count(*) {regions}"),
            "origins": self._pairs(f"SELECT origin, count(*) {regions}"),
            "observers": self._one(f"SELECT count(DISTINCT observer) {regions}"),
            "formats": self._pairs(f"SELECT image_format, count(*) FROM samples WHERE {_STANDING}"),
        }

    def source(self, name: str) -> dict[str, Any] | None:
        """What the index says of one source, by the field names of `SourceFacts`; None where it has no index."""
        if name not in self.indexed:
            return None
        table = f"FROM read_parquet({_string(self.indexed[name])})"
        standing = f"{table} WHERE {_STANDING}"
        splits = self._pairs(f"SELECT split, count(*) {standing}")
        return {
            "splits": {split: splits[split] for split in SPLITS if split in splits},
            "excluded": self._pairs(f"SELECT exclusion, count(*) {table} WHERE exclusion IS NOT NULL"),
            "licences": self._pairs(f"SELECT licence, count(*) {standing}"),
            "groups": self._one(f'SELECT count(DISTINCT (collection, "group")) {standing}'),
            "group_kinds": self._pairs(f"SELECT group_kind, count(*) {standing}"),
            "given_splits": self._one(f"SELECT count(original_split) {standing}"),
        }

    def piles(self, sources: Collection[str], *, most: int) -> Iterator[tuple[tuple[Any, ...], int, list[dict[str, Any]]]]:
        """Per source, licence and subsets: how many samples, and the places of `most` that show them best.

        Annotated samples with something to see come first, one by one in the order of a hash over the key, so that
        neighbouring slices don't stand side by side.
        """
        place = ", ".join(f'"{name}" := "{name}"' for name in PLACE)
        order = "(annotations = 0, provenance_low_information, md5(key))"
        for source in sorted(self.indexed.keys() & set(sources)):
            yield from (
                ((source, licence, *subsets), count, places)
                for licence, subsets, count, places in self._rows(
                    f"SELECT licence, subsets, count(*), min_by(struct_pack({place}), {order}, {most})"
                    f" FROM read_parquet({_string(self.indexed[source])}) WHERE {_STANDING} GROUP BY ALL ORDER BY ALL"
                )
            )

    def _pairs(self, query: str) -> dict[str, int]:
        return dict(self._rows(f"{query} GROUP BY 1 ORDER BY 1"))

    def _one(self, query: str) -> Any:
        return self._rows(query)[0][0]

    def _rows(self, query: str) -> list[Any]:
        return self.connection.execute(query).fetchall()


def _see(connection: duckdb.DuckDBPyConnection, table: str, paths: list[Path], *, empty: Any) -> None:
    if not paths:
        connection.register(table, empty)
        return
    files = ", ".join(map(_string, paths))
    connection.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet([{files}])")


def _string(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
