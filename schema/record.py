"""A sample as JSON, and the same fields declared to `datasets`.

The dataclasses of `sample.py` are the one list of fields. JSON is written field by field in their order, every field
always present, floats as floats, so that streaming (which casts nothing) and map-style reading agree.
"""

from __future__ import annotations

import types
import typing
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, get_type_hints

import orjson

from .errors import ReleaseError
from .sample import SPLITS, Sample

if TYPE_CHECKING:
    from datasets import Features


def to_json(sample: Sample) -> bytes:
    """The record as compact UTF-8 JSON."""
    return orjson.dumps(sample)


def with_split(record: bytes, split: str, *, was: str = "") -> bytes:
    """The record with another split than the one it has (`was`, empty before a plan); the rest keeps its bytes."""
    head = _head(was)
    if not record.startswith(head) or split not in SPLITS:
        raise ReleaseError(f"record begins {record[:24]!r}, split {split!r}; expected {head!r} and one of {SPLITS}")
    return _head(split) + record[len(head) :]


def _head(split: str) -> bytes:
    """How a record begins: `split` is its first field, so that it can be replaced without a parser."""
    return b'{"split":"%s",' % split.encode()


def from_json(record: bytes | dict[str, Any]) -> Sample:
    """The sample that a record holds.

    Raises:
        ReleaseError: a field is missing, unknown, or of another type.
    """
    try:
        data = orjson.loads(record) if isinstance(record, bytes | str) else record
    except orjson.JSONDecodeError as error:
        raise ReleaseError(f"record is no JSON: {error}; expected the fields of schema/sample.py") from error
    return _parse(Sample, data, "record")


@cache
def features() -> Features:
    """Columns of a shard as `datasets` sees them: image, json, __key__ and __url__."""
    from datasets import Features, Image, Value

    return Features(
        {
            "image": Image(),
            "json": _feature(Sample),
            "__key__": Value("string"),
            "__url__": Value("string"),
        }
    )


def _feature(hint: Any) -> Any:
    from datasets import List, Value

    kind, inner = _shape(hint)
    if kind == "list":
        return List(_feature(inner))
    if kind == "struct":
        return {name: _feature(field) for name, field in _hints(inner).items()}
    return Value({str: "string", float: "float64", int: "int64", bool: "bool"}[inner])


@cache
def _hints(cls: type) -> dict[str, Any]:
    hints = get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls)}


def _shape(hint: Any) -> tuple[str, Any]:
    """`list`, `struct` or `value`, and what is inside; None is allowed everywhere and so says nothing."""
    if isinstance(hint, types.UnionType):
        hint = next(option for option in typing.get_args(hint) if option is not type(None))
    if typing.get_origin(hint) is tuple:
        return "list", typing.get_args(hint)[0]
    if is_dataclass(hint):
        return "struct", hint
    return "value", str if issubclass(hint, StrEnum) else hint


def _length(hint: Any) -> int | None:
    """How many values a tuple has; None for any number."""
    options = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    items = next(typing.get_args(option) for option in options if typing.get_origin(option) is tuple)
    return None if items[-1] is Ellipsis else len(items)


def _optional(hint: Any) -> bool:
    return isinstance(hint, types.UnionType) and type(None) in typing.get_args(hint)


def _parse(hint: Any, value: Any, where: str) -> Any:
    if value is None and _optional(hint):
        return None
    kind, inner = _shape(hint)
    if kind == "struct":
        return _parse_struct(inner, value, where)
    if kind == "list":
        if not isinstance(value, list | tuple):
            raise _wrong(where, value, "a list")
        length = _length(hint)
        if length not in (None, len(value)):
            raise _wrong(where, value, f"{length} values")
        return tuple(_parse(inner, item, f"{where}[{place}]") for place, item in enumerate(value))
    if type(value) is not inner:
        raise _wrong(where, value, inner.__name__)
    enum = next((option for option in (hint, *typing.get_args(hint)) if _is_enum(option)), None)
    if enum is None:
        return value
    try:
        return enum(value)
    except ValueError as error:
        raise _wrong(where, value, f"one of {[str(member) for member in enum]}") from error


def _parse_struct(cls: type, value: Any, where: str) -> Any:
    hints = _hints(cls)
    if not isinstance(value, dict) or value.keys() != hints.keys():
        found = sorted(set(value) ^ set(hints)) if isinstance(value, dict) else value
        raise ReleaseError(f"{where}: missing or unknown fields {found}; expected exactly {list(hints)}")
    return cls(**{name: _parse(hint, value[name], f"{where}.{name}") for name, hint in hints.items()})


def _is_enum(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, StrEnum)


def _wrong(where: str, value: Any, expected: str) -> ReleaseError:
    return ReleaseError(f"{where}: {value!r:.80}; expected {expected}; rebuild the source")
