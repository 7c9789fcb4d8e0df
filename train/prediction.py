"""A prediction: what a model replied to a question under a variant; the rows of `predictions.parquet`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

PLAIN = ""
"""The variant of a question as it stands."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one request."""

    text: str | None
    """None where nothing came: `error` says why."""
    finish: str | None = None
    """`stop` or `length`, where the backend tells."""
    error: str | None = None
    prompt_tokens: int | None = None
    reply_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Prediction:
    """A reply and what it answers."""

    id: str
    """The question's."""
    variant: str
    """`PLAIN`, or what was changed: `window:lung`, `colour:2`, `order:1`, `moved`, `absent`, …"""
    text: str | None
    finish: str | None = None
    error: str | None = None
    prompt_tokens: int | None = None
    reply_tokens: int | None = None


def schema() -> pa.Schema:
    """The columns of a file of predictions."""
    import pyarrow as pa

    kinds = {"prompt_tokens": pa.int64(), "reply_tokens": pa.int64()}
    return pa.schema([(field.name, kinds.get(field.name, pa.string())) for field in fields(Prediction)])


def table(predictions: Sequence[Prediction]) -> pa.Table:
    """Predictions as an Arrow table."""
    import pyarrow as pa

    columns = list(zip(*(astuple(one) for one in predictions), strict=True)) or [()] * len(schema())
    return pa.table([pa.array(column, field.type) for field, column in zip(schema(), columns, strict=True)], schema=schema())


def predictions_of(rows: pa.Table) -> list[Prediction]:
    """The predictions that a file's table holds."""
    return [Prediction(**row) for row in rows.to_pylist()]
