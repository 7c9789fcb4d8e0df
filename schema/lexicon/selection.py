"""Selections: lazy questions to the index whose answers stream."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..published import Mode, mode_of
from ..release import Release
from . import conditions, database, tree
from .asked import Asked, Holdings, Words, asked

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

PLACE = ("key", "shard", "image_offset", "image_size", "json_offset", "json_size")
"""Columns that say where a sample lies."""
BATCH = 1 << 16
_ORDER = "source, shard, image_offset, key"


@dataclass(frozen=True)
class Lexicon:
    """The index of a release, ready to be asked."""

    release: Release
    threads: int | None = None
    """As many as the machine has, up to four, unless given."""
    memory: str = "1GB"
    """What questions may hold at once; the rest goes to the system's temp folder."""
    within: tuple[str, ...] | None = None
    """Only samples of these sources, where given; the index of others isn't read, but where words or sub-queries need it."""

    @classmethod
    def open(cls, release: Release | Path | str, *, threads: int | None = None, memory: str = "1GB") -> Lexicon:
        """The lexicon of a release.

        Raises:
            ReleaseError: no release there.
        """
        return cls(release if isinstance(release, Release) else Release.open(release), threads, memory)

    @property
    def sources(self) -> Sequence[str]:
        """The sources whose samples it finds, sorted."""
        return self.indexed if self.within is None else self.within

    @cached_property
    def indexed(self) -> list[str]:
        """The sources that the release has an index of, sorted: all but those of which it holds keys alone."""
        return [one for one in self.release.sources if mode_of(self.release.recipe(one) or {}) is not Mode.RECIPE]

    def select(
        self,
        *,
        modality: Words = None,
        area: Words = None,
        task: Words = None,
        subset: Words = None,
        clinical_task: Words = None,
        department: Words = None,
        granularity: Words = None,
        label: Words = None,
        state: Words = None,
        source: Words = None,
        split: Words = None,
        where: str | None = None,
    ) -> Selection:
        """The samples that meet every condition; of several words of one field, any.

        Words are codes, names or aliases of ours or of any of the four systems, and what stands below a word counts.
        Area, task, subset, clinical_task, department, granularity, label and state hold together on one label state or
        annotation. A label is meant as present unless `state` says otherwise. `where` is a condition in DuckDB's SQL over
        the columns of the samples table; sub-queries may ask `samples` and `annotations`. Excluded samples, which have no
        pixels, come only with `split="excluded"`.

        Raises:
            UsageError: a word that nothing knows, or a condition that DuckDB refuses.
            ReleaseError: the index can't be read.
        """
        given = {"modality": modality, "area": area, "task": task, "subset": subset, "clinical_task": clinical_task}
        given |= {"department": department, "granularity": granularity, "label": label, "state": state}
        return self.of({**given, "source": source, "split": split}, where=where)

    def of(self, words: Mapping[str, Words], *, where: str | None = None) -> Selection:
        """`select` with the words in a mapping."""
        if where is not None:
            around = database.may_look_around(where)
            tables = database.TABLES if around else ("samples",)
            with self.seeing(self.indexed if around else self.sources, tables=tables) as cursor:
                database.condition(cursor, where)
        return Selection(self, asked(words, Holdings(lambda: self.release.sources, self._labels), where=where))

    def alone(self, words: Mapping[str, Words], *, where: str | None = None) -> dict[str, int]:
        """How many samples each condition finds by itself: which of them empties a selection."""
        found = {name: self.of({name: some}).count() for name, some in words.items() if some is not None}
        return found if where is None else {**found, "where": self.of({}, where=where).count()}

    @contextmanager
    def seeing(self, sources: Sequence[str], *, tables: Sequence[str] = database.TABLES) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for which `samples` and `annotations`, or only some tables, are those of some sources."""
        cursor = database.see(self._connection, self.release, sources, tables=tables)
        try:
            yield cursor
        finally:
            cursor.close()

    @cached_property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        return database.connect(self.release, threads=self.threads, memory=self.memory)

    def _labels(self) -> list[str]:
        """Every label that the release states, in whatever state."""
        with self.seeing(self.indexed, tables=("annotations",)) as cursor:
            return [name for (name,) in cursor.execute("SELECT DISTINCT label FROM annotations").fetchall()]


@dataclass(frozen=True)
class Selection:
    """Samples of a release that meet conditions; nothing is read before it is asked."""

    lexicon: Lexicon
    asked: Asked
    shards: tuple[str, ...] | None = None
    """Only samples of these shards, where given: a config of the release."""

    def within(self, shards: Sequence[str]) -> Selection:
        """Those of them that lie in some shards."""
        return replace(self, shards=tuple(shards))

    @property
    def is_whole(self) -> bool:
        """Whether nothing was asked for: every sample but the excluded ones."""
        return self.asked == Asked() and self.shards is None

    def count(self) -> int:
        """How many samples."""
        return sum(row[0] for row in self.answers(f"SELECT count(*) FROM ({self.query})"))

    def counts(self, *levels: str) -> dict[tuple[str | None, ...], int]:
        """Distinct samples by the values of some levels, such as `("split", "source")`, in the order of the values.

        Raises:
            UsageError: a level that there isn't.
        """
        counter: Counter[tuple[str | None, ...]] = Counter()
        for depth, *values, count in tree.rows(self, levels):
            if depth == len(levels):
                counter[tuple(values)] += count
        return dict(sorted(counter.items(), key=lambda item: tuple((value is None, value or "") for value in item[0])))

    def tree(self, levels: Sequence[str] = tree.DEFAULT) -> tree.Branch:
        """The lexical tree of the selection, with distinct samples at every branch.

        Raises:
            UsageError: a level that there isn't, or that the index doesn't keep of excluded samples.
        """
        return tree.grown(tree.rows(self, levels), levels)

    def keys(self) -> Iterator[str]:
        """Keys in the order of the shards."""
        for batch in self.batches(("key",)):
            yield from batch.column(0).to_pylist()

    def rows(self, columns: Sequence[str] = PLACE) -> pa.Table:
        """Columns of the samples table, in the order of the shards."""
        import pyarrow as pa

        return pa.Table.from_batches(self.batches(columns), self._schema(columns))

    def batches(self, columns: Sequence[str] = PLACE) -> Iterator[pa.RecordBatch]:
        """`rows` as they come: memory doesn't grow with the selection.

        Raises:
            UsageError: a column that the samples table hasn't.
        """
        schema = self._schema(columns)
        names = ", ".join(f'"{name}"' for name in columns)
        tables = ("samples",) if self._by_lists and not database.may_look_around(self.asked.where) else database.TABLES
        for cursor in self._scopes(alone=self._by_lists, tables=tables):
            with _told(self, cursor):
                for batch in cursor.sql(f"SELECT {names} FROM ({self.query}) ORDER BY {_ORDER}").to_arrow_reader(BATCH):
                    yield batch.cast(schema)

    @property
    def query(self) -> str:
        """SQL for every column of the samples that fit, over the tables of the index."""
        found = conditions.chosen(self.asked)
        if self.lexicon.within is not None and database.may_look_around(self.asked.where):
            found = f"{found} AND {conditions.any_of('source', frozenset(self.lexicon.within))}"
        if self.shards is None:
            return found
        return f"{found} AND {conditions.any_of('shard', frozenset(self.shards))}"

    def answers(self, query: str, *, alone: bool | None = None) -> Iterator[tuple]:
        """Rows of a query, asked of all sources at once if `alone` is true, else of each by itself.

        Keys never stand in two sources, so distinct samples add up; joins and distinct counts of one source fit into
        memory where those of all don't.
        """
        for cursor in self._scopes(alone=self._by_lists if alone is None else alone):
            with _told(self, cursor):
                yield from cursor.execute(query).fetchall()

    @property
    def _by_lists(self) -> bool:
        return conditions.lists_answer((), self.asked)

    def _scopes(self, *, alone: bool, tables: Sequence[str] = database.TABLES) -> Iterator[duckdb.DuckDBPyConnection]:
        """Cursors, in the order of the sources."""
        every = self.lexicon.sources
        wanted = [source for source in every if source in self.asked.sample.get("source", every)]
        if database.may_look_around(self.asked.where):
            scopes = [self.lexicon.indexed]
        else:
            scopes = [wanted] if alone else [[source] for source in wanted]
        for sources in scopes:
            with self.lexicon.seeing(sources, tables=tables) as cursor:
                yield cursor

    def _schema(self, columns: Sequence[str]) -> pa.Schema:
        import pyarrow as pa

        from ..index import SAMPLES

        unknown = [name for name in columns if name not in SAMPLES.names]
        if unknown:
            raise UsageError(f"column {unknown[0]!r}; expected one of {', '.join(SAMPLES.names)}")
        return pa.schema([SAMPLES.field(name) for name in columns])


@contextmanager
def _told(selection: Selection, cursor: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Faults of DuckDB while it reads, as ours: of the memory given, of the user's condition, else of the index."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        if isinstance(error, duckdb.OutOfMemoryException):
            memory = selection.lexicon.memory
            raise UsageError(
                f"{memory} of memory is too little; expected more; give Lexicon.open fewer threads or memory=…"
            ) from error
        if selection.asked.where is not None and isinstance(error, (duckdb.DataError, duckdb.ProgrammingError)):
            raise database.wrong(selection.asked.where, error, cursor) from error
        raise database.unreadable(selection.lexicon.release, error) from error
