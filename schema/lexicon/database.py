"""An in-memory DuckDB over the index of a release, that can read nothing else and write nothing at all."""

# pyright: reportUnknownMemberType=false

from __future__ import annotations

import os
import re
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ReleaseError, UsageError
from ..release import Release, index_name

if TYPE_CHECKING:
    import duckdb

TABLES = ("samples", "annotations")
MOST_THREADS = 4
"""Unless more are asked for: every thread needs some 128 MB of its own."""
_SUBQUERY = re.compile(r"\b(select|from|values|table)\b", re.IGNORECASE)


def connect(release: Release, *, threads: int | None, memory: str) -> duckdb.DuckDBPyConnection:
    """A connection with access to the index files alone; what doesn't fit into `memory` goes to the system's temp folder.

    What a repository's cache doesn't hold yet is fetched when it is to be seen.
    """
    import duckdb

    files = [str(release.root / index_name(source, name)) for name in TABLES for source in release.sources]
    settings: dict[str, Any] = {"memory_limit": memory, "autoload_known_extensions": False, "python_enable_replacements": False}
    settings["temp_directory"] = str(Path(tempfile.gettempdir()) / f"medloom-{os.getpid()}-{uuid.uuid4().hex}")
    settings["threads"] = threads or min(os.cpu_count() or 1, MOST_THREADS)
    connection = duckdb.connect(config=settings)
    connection.execute(f"SET allowed_paths = {_strings(files)}")
    if release.source is not None:
        connection.execute(f"SET allowed_directories = {_strings([str(release.source.blobs)])}")
    connection.execute("SET enable_progress_bar = false")  # DuckDB would print it on stdout
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def see(
    connection: duckdb.DuckDBPyConnection, release: Release, sources: Sequence[str], *, tables: Sequence[str] = TABLES
) -> duckdb.DuckDBPyConnection:
    """A cursor for which `samples` and `annotations`, or only one of the tables, are those of some sources.

    Raises:
        ReleaseError: a source has no index, it can't be read, or its files disagree.
    """
    import duckdb

    release.fetch([index_name(source, name) for name in tables for source in sources])
    cursor = connection.cursor()
    for name in tables:
        files = [str(_file(release, source, name)) for source in sources]
        try:
            if files:
                cursor.execute(f"CREATE TEMP VIEW {name} AS SELECT * FROM read_parquet({_strings(files)})")
            else:
                _see_nothing(cursor, name)
        except duckdb.Error as error:
            raise ReleaseError(
                f"{release.root}: {_said(error)}; expected an index that can be read; see `medloom check`"
            ) from error
    return cursor


def condition(cursor: duckdb.DuckDBPyConnection, where: str) -> str:
    """A user's condition over the samples table, proven to be one expression and nothing more.

    Raises:
        UsageError: it is none, or names what isn't there; DuckDB's own words, and the columns there are.
    """
    import duckdb

    try:
        duckdb.SQLExpression(where)
        [kind] = cursor.sql(f"SELECT ({where}\n) FROM samples WHERE ({where}\n)").types
    except (duckdb.Error, ValueError) as error:
        raise wrong(where, error, cursor) from error
    if str(kind) != "BOOLEAN":
        raise wrong(where, f"its value is {kind}; expected a condition that is true or false", cursor)
    return where


def wrong(where: str, fault: Exception | str, cursor: duckdb.DuckDBPyConnection) -> UsageError:
    """What to raise for a condition that DuckDB refuses."""
    columns = ", ".join(row[0] for row in cursor.execute("DESCRIBE samples").fetchall())
    return UsageError(f"where {where!r}: {_said(fault)}; the columns are {columns}")


def unreadable(release: Release, fault: Exception) -> ReleaseError:
    """What to raise for an index that DuckDB can't read."""
    return ReleaseError(f"{release.root}: {_said(fault)}; expected an index that can be read; `medloom check` says more")


def may_look_around(where: str | None) -> bool:
    """Whether a condition may hold a sub-query, and so needs to see all sources at once."""
    return where is not None and _SUBQUERY.search(where) is not None


def _see_nothing(cursor: duckdb.DuckDBPyConnection, name: str) -> None:
    """A release without sources has both tables, empty."""
    from ..index import ANNOTATIONS, SAMPLES

    cursor.register(name, (SAMPLES if name == "samples" else ANNOTATIONS).empty_table())


def _file(release: Release, source: str, name: str) -> Path:
    path = release.root / index_name(source, name)
    if not path.is_file():
        raise ReleaseError(f"{path}: no such file; expected the index of {source}; rebuild it")
    return path


def _strings(values: Sequence[str]) -> str:
    return "[" + ", ".join("'" + value.replace("'", "''") + "'" for value in values) + "]"


def _said(fault: Exception | str) -> str:
    """The first line of DuckDB's message, and its suggestion."""
    lines = [line.strip() for line in str(fault).splitlines() if line.strip() and not line.startswith(("LINE ", " "))]
    return "; ".join(lines) or type(fault).__name__
