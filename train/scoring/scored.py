"""One scored reply: what was asked, what was read in the reply, and how good that is; the rows of `scored.parquet`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from ...schema.question import Question


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A question's place in the lexical tree, and the measures of one reply to it."""

    id: str
    """The question's."""
    variant: str
    """See `Prediction.variant`."""
    key: str
    """The sample's."""
    group: str
    """What is drawn as a whole when intervals are made: the record's group, else the key."""
    source: str
    kind: str
    rule: str
    perspective: int | None
    granularity: str
    modality: str
    area: str
    task: str
    subset: str
    clinical_task: str
    department: str
    labels: tuple[str, ...]
    """Ids of the labels that the answer is about."""
    status: str
    """One of `answers.status.Status`."""
    said: str
    """What was read in the reply, in few words: letters, names, the number of regions."""
    parsed_by: str
    """The rule that read it, or that says why nothing was read."""
    measures: Mapping[str, float | None]
    """By the names of `measures.py`; None where this question can't have the measure."""
    tallies: Mapping[str, float] = field(default_factory=dict)
    """Counts and areas that are summed over questions before they are divided: see `measures.POOLED`."""
    chance: Mapping[str, float] = field(default_factory=dict)
    """What blind guessing is expected to get, for measures that have such a level."""
    human: Mapping[str, float] = field(default_factory=dict)
    """What the other observers of this image get, scored as though theirs were the reply."""


def placed(question: Question, record: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a `Scored` that say what was asked."""
    same = ("id", "key", "source", "rule", "perspective", "granularity", "modality", "area", "task", "subset")
    return {
        **{name: getattr(question, name) for name in (*same, "clinical_task", "department", "labels")},
        "kind": str(question.kind),
        "group": str(record.get("group") or question.key),
    }


def schema() -> pa.Schema:
    """The columns of a file of scored replies, in the order of the fields."""
    import pyarrow as pa

    numbers = pa.map_(pa.string(), pa.float64())
    kinds = {
        "perspective": pa.int64(),
        "labels": pa.list_(pa.string()),
        **dict.fromkeys(_NUMBERS, numbers),
    }
    return pa.schema([(one.name, kinds.get(one.name, pa.string())) for one in fields(Scored)])


def table(scored: Sequence[Scored]) -> pa.Table:
    """Scored replies as an Arrow table; the numbers of a map stand in the order of their names."""
    import pyarrow as pa

    return pa.table([pa.array([_plain(one, kind.name) for one in scored], kind.type) for kind in schema()], schema=schema())


def scored_of(rows: pa.Table) -> list[Scored]:
    """The scored replies that a file's table holds."""
    return [_scored(row) for row in rows.to_pylist()]


_NUMBERS = ("measures", "tallies", "chance", "human")


def _plain(one: Scored, name: str) -> Any:
    value = getattr(one, name)
    return sorted(value.items()) if name in _NUMBERS else value


def _scored(row: dict[str, Any]) -> Scored:
    numbers = {name: dict(row[name]) for name in _NUMBERS}
    return Scored(**{**row, **numbers, "labels": tuple(row["labels"])})
