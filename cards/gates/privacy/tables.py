"""Parquet tables of a release: index, keys, question sets, certificate. Each distinct string is read once per batch."""

# pyright: reportAttributeAccessIssue=false
# (the functions of pyarrow.compute are made when it is imported)

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ....schema import certificate, index, published, question
from .allowed import string_told, without_version
from .findings import Finding
from .questions import question_string_told
from .texts import told

_BATCH = 1 << 14
_OWN_METADATA = frozenset({b"ARROW:schema", b"huggingface", b"pandas"})
_DECODER = "provenance_decoder"


def columns_of(path: str) -> frozenset[str]:
    """The columns that a table of a release may have, by its path; none where a release has no such table."""
    folder, _, rest = path.partition("/")
    name = rest.rsplit("/", 1)[-1].removesuffix(".parquet")
    if folder == "questions":
        return frozenset(question.schema().names)
    if folder == certificate.FOLDER:
        return frozenset(certificate.SCHEMAS[name].names) if name in certificate.SCHEMAS else frozenset()
    tables = {"samples": index.SAMPLES.names, "annotations": index.ANNOTATIONS.names, "keys": list(published.KEYS)}
    return frozenset(tables.get(name, ())) if folder == "index" else frozenset()


def table_told(root: Path, path: str, *, versions: Mapping[str, str]) -> Iterator[Finding]:
    """Findings in a table: columns that aren't of a schema, words of its metadata, strings of its cells."""
    try:
        with pq.ParquetFile(root / path) as table:
            yield from _schema(table, path)
            for batch in table.iter_batches(_BATCH):
                for name, column in zip(batch.schema.names, batch.columns, strict=True):
                    read = _reader(path, name, versions)
                    yield from _column(column, name, path=path, keys=_keys(batch), read=read)
    except (OSError, pa.ArrowException):
        yield Finding("opaque-file", "a table that can't be read", path)


Reader = Callable[[str, str, str], Iterator[Finding]]


def _reader(path: str, column: str, versions: Mapping[str, str]) -> Reader:
    """Findings in one string, by its field, itself and its place."""
    if path.startswith("questions/"):
        return question_string_told
    if path.startswith(f"{certificate.FOLDER}/") and column == "group":
        return lambda _, text, where: string_told("group_a", text, where)  # a digest, as in its table of edges
    if column == _DECODER:
        return lambda field, text, where: string_told(field, without_version(text, versions), where)
    return string_told


def _schema(table: pq.ParquetFile, path: str) -> Iterator[Finding]:
    schema, known = table.schema_arrow, columns_of(path)
    for name in schema.names:
        if name not in known:
            yield Finding("unknown-field", "a column that is no release's", path)
            yield from told(name, f"{path} columns")
    stated = dict(table.metadata.metadata or {}) | (schema.metadata or {})
    for field in schema:
        stated |= {key: value for key, value in (field.metadata or {}).items() if not key.startswith(b"PARQUET:")}
    for key, value in stated.items():
        if key not in _OWN_METADATA:
            yield Finding("unknown-field", "metadata of a table", path)
        words = "" if key == b"ARROW:schema" else f"{key.decode(errors='replace')} {value.decode(errors='replace')}"
        yield from told(words, f"{path} metadata")


def _column(array: pa.Array, name: str, *, path: str, keys: list[str] | None, read: Reader) -> Iterator[Finding]:
    for field, values in _leaves(array, name):
        for text in pc.unique(values).to_pylist():
            if text is None:
                continue
            found = list(read(field, text, ""))
            if found:
                place = _row(array, text, keys)
                yield from (Finding(one.code, one.what, f"{path} {place}{field}{one.where}") for one in found)


def _leaves(array: pa.Array, name: str) -> Iterator[tuple[str, pa.Array]]:
    """Field and strings of every string column in a nested one."""
    if isinstance(array, pa.DictionaryArray):
        yield from _leaves(array.dictionary, name)
    elif pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        yield name, array
    elif pa.types.is_binary(array.type) or pa.types.is_large_binary(array.type):
        yield name, pa.array([None if one is None else one.as_py().decode("latin-1") for one in array], pa.string())
    elif pa.types.is_struct(array.type):
        for place, field in enumerate(array.type):
            yield from _leaves(array.field(place), f"{name}.{field.name}")
    elif pa.types.is_list(array.type) or pa.types.is_large_list(array.type) or pa.types.is_fixed_size_list(array.type):
        yield from _leaves(array.flatten(), f"{name}[]")


def _keys(batch: pa.RecordBatch) -> list[str] | None:
    return batch.column("key").to_pylist() if "key" in batch.schema.names else None


def _row(array: pa.Array, text: str, keys: list[str] | None) -> str:
    """The key of the first row that holds a text."""
    if keys is None:
        return ""
    return next((f"{key} " for key, row in zip(keys, array.to_pylist(), strict=True) if _holds(row, text)), "")


def _holds(row: Any, text: str) -> bool:
    if isinstance(row, dict):
        return any(_holds(one, text) for one in row.values())
    return any(_holds(one, text) for one in row) if isinstance(row, list) else row == text
