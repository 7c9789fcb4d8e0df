"""The question: one row of a question set, and the Parquet columns that hold it.

Questions lie beside the shards and point into them: `key` names the sample, `targets`, prompts and spans name annotations of
its record (`a0`, `a1`, …). Nothing here is drawn on a picture; a prompt is drawn when a question is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from itertools import accumulate, chain, islice
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


class Kind(StrEnum):
    """What a question asks for, and in what form."""

    SINGLE_CHOICE = "single_choice"
    MULTIPLE_CHOICE = "multiple_choice"
    DETECTION = "detection"
    """A name; the answer is its boxes and their count."""
    LOCALIZATION = "localization"
    """A name; the answer says in words where it lies and how large it is."""
    GROUNDING = "grounding"
    """Names; the answer is their masks (MIMOSeg's perspective I)."""
    REFERRING = "referring"
    """A box or points on the picture; the answer is the mask and its name (perspective II)."""
    REASONING = "reasoning"
    """A need or function that names nothing; the answer is masks (perspective III)."""
    PROMPTED = "prompted"
    """A box or points and a question of knowledge about what is there (perspective IV)."""
    DESCRIPTION = "description"
    """The whole picture, its regions and how they relate, in words (MedTrinity's multigranular text)."""


@dataclass(frozen=True, slots=True)
class Option:
    """One option of a choice."""

    letter: str
    text: str
    label_id: str | None = None
    """The label it names; None for options that aren't labels."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """What is pointed at; drawn at use, in pixels of the stored image (frame: see `region.py`)."""

    kind: str
    """box, mask, contour or point."""
    annotation: str
    """The annotation that it shows: a mask or contour is drawn from that one's run lengths."""
    box_xyxy_px: tuple[float, ...] | None = None
    """Four numbers for a box, with its jitter where there is one."""
    points_xy_px: tuple[tuple[float, ...], ...] = ()
    """Pairs of numbers for points."""


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the answer's text and what it speaks of."""

    start: int
    end: int
    """Characters, half-open."""
    annotations: tuple[str, ...] = ()
    level: str | None = None
    """Of a description: global, region or relation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question about one sample, with its answer."""

    id: str
    """`q-` and 16 hex digits, from suite, rule, key and place alone."""
    key: str
    split: str
    suite: str
    kind: Kind
    rule: str
    """The rule of the suite that made it."""
    perspective: int | None = None
    """1 to 4, after MIMOSeg."""
    source: str
    modality: str
    """Code of the sample's modality, or of its detail where there is one."""
    area: str
    task: str
    subset: str
    clinical_task: str
    department: str
    """The primary one."""
    granularity: str
    """image, box, mask, contour or point."""
    question: str
    instruction: str = ""
    """How to answer: the letter only, all letters, …; kept apart from the question so that a user may word it anew."""
    options: tuple[Option, ...] = ()
    answer: str | None = None
    """The answer in words, or its letters; None where it is withheld."""
    letters: tuple[str, ...] = ()
    """The right letters, in order; empty where there are no options or they are withheld."""
    labels: tuple[str, ...] = ()
    """Ids of the labels that the answer is about; empty where that would tell a withheld answer."""
    targets: tuple[str, ...] = ()
    """Ids of the annotations that are the answer: their boxes, masks or points."""
    prompts: tuple[Prompt, ...] = ()
    spans: tuple[Span, ...] = ()
    wording: str = ""
    """Id of the wording it was made from."""
    flags: tuple[str, ...] = ()
    """Such as `derived-box`, `mixed-in`, `model-made`."""
    maker: str = "rule"
    """`rule`, or the model's name."""
    provenance: str | None = None
    """Of model-made questions: JSON with prompt digest, model, time, seed, passages; None for rules."""


def schema() -> pa.Schema:
    """The columns of a question file, in the order of the fields."""
    import pyarrow as pa

    words = pa.list_(pa.string())
    option = pa.struct([("letter", pa.string()), ("text", pa.string()), ("label_id", pa.string())])
    numbers = pa.list_(pa.float64())
    prompt = pa.struct(
        [("kind", pa.string()), ("annotation", pa.string()), ("box_xyxy_px", numbers), ("points_xy_px", pa.list_(numbers))]
    )
    span = pa.struct([("start", pa.int64()), ("end", pa.int64()), ("annotations", words), ("level", pa.string())])
    kinds = {
        "perspective": pa.int64(),
        "options": pa.list_(option),
        "prompts": pa.list_(prompt),
        "spans": pa.list_(span),
        **dict.fromkeys(_WORDS, words),
    }
    return pa.schema([(name, kinds.get(name, pa.string())) for name in NAMES])


def row(question: Question) -> tuple[Any, ...]:
    """The question's fields as plain data, in the order of `schema()`."""
    values = list(_ALL(question))
    for place, plain in _PLAIN_AT:
        if values[place]:
            values[place] = plain(values[place])
    return tuple(values)


def question_of(data: dict[str, Any]) -> Question:
    """The question that a row of a file (as a dict) holds."""
    parts = {
        "kind": Kind(data["kind"]),
        "options": tuple(Option(**one) for one in data["options"]),
        "prompts": tuple(prompt_of(one) for one in data["prompts"]),
        "spans": tuple(Span(one["start"], one["end"], tuple(one["annotations"]), one["level"]) for one in data["spans"]),
        **{name: tuple(data[name]) for name in _WORDS},
    }
    return Question(**{name: parts.get(name, data[name]) for name in NAMES})


def questions_of(table: pa.Table) -> list[Question]:
    """The questions that a table holds, whatever columns stand beside theirs: as `question_of` of its rows, but by columns."""
    found = []
    for batch in table.select(NAMES).combine_chunks().to_batches():
        columns = map(_values, batch.columns, NAMES)
        found += [Question(**dict(zip(NAMES, values, strict=True))) for values in zip(*columns, strict=True)]
    return found


def prompt_of(data: dict[str, Any]) -> Prompt:
    """The prompt that a question's row holds."""
    box = data["box_xyxy_px"]
    return Prompt(
        data["kind"],
        data["annotation"],
        None if box is None else tuple(box),
        tuple(tuple(point) for point in data["points_xy_px"]),
    )


def table(rows: Iterable[tuple[Any, ...]]) -> pa.Table:
    """Rows as an Arrow table."""
    import pyarrow as pa

    columns = list(zip(*rows, strict=True)) or [()] * len(NAMES)
    return pa.table([pa.array(column, field.type) for field, column in zip(schema(), columns, strict=True)], schema=schema())


def table_of(questions: Sequence[Question]) -> pa.Table:
    """Questions as an Arrow table: as `table` of their rows, but column by column."""
    import pyarrow as pa

    kinds = schema()
    columns = [_column(list(map(attrgetter(field.name), questions)), field) for field in kinds]
    return pa.table(columns, schema=kinds)


def _column(values: list[Any], field: pa.Field) -> pa.Array:
    import pyarrow as pa

    if field.name not in _PLAIN:
        return pa.array(values, field.type)
    parts = list(chain.from_iterable(values))
    struct: pa.StructType = field.type.value_type  # pyright: ignore[reportAssignmentType]
    inner = [pa.array(list(map(attrgetter(one.name), parts)), one.type) for one in struct]
    ends = pa.array(accumulate(map(len, values), initial=0), pa.int32())
    return pa.ListArray.from_arrays(ends, pa.StructArray.from_arrays(inner, fields=list(struct)), type=field.type)


def _values(column: Any, name: str) -> list[Any]:
    """A column's values (of an Arrow array) as the fields of questions."""
    if name in _PLAIN:
        parts = map(_PARTS[name], *(one.to_pylist() for one in column.flatten().flatten()))
        return [tuple(islice(parts, count)) for count in column.value_lengths().to_pylist()]
    values = column.to_pylist()
    if name == "kind":
        return list(map(Kind, values))
    return list(map(tuple, values)) if name in _WORDS else values


NAMES = tuple(field.name for field in fields(Question))
_PLAIN = {
    "options": lambda options: [{"letter": one.letter, "text": one.text, "label_id": one.label_id} for one in options],
    "prompts": lambda prompts: [
        {"kind": one.kind, "annotation": one.annotation, "box_xyxy_px": one.box_xyxy_px, "points_xy_px": one.points_xy_px}
        for one in prompts
    ],
    "spans": lambda spans: [
        {"start": one.start, "end": one.end, "annotations": one.annotations, "level": one.level} for one in spans
    ],
}
_PARTS: dict[str, Callable[..., Any]] = {
    "options": Option,
    "prompts": lambda kind, annotation, box, points: Prompt(
        kind, annotation, None if box is None else tuple(box), tuple(map(tuple, points))
    ),
    "spans": lambda start, end, annotations, level: Span(start, end, tuple(annotations), level),
}
_WORDS = ("letters", "labels", "targets", "flags")
"""Fields that are lists of texts."""
_PLAIN_AT = tuple((NAMES.index(name), plain) for name, plain in _PLAIN.items())
_ALL = attrgetter(*NAMES)
