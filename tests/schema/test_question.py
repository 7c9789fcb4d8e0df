"""Questions as rows and as columns, and back."""

from __future__ import annotations

from io import BytesIO

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from medloom.schema.question import (
    Kind,
    Option,
    Prompt,
    Question,
    Span,
    question_of,
    questions_of,
    row,
    schema,
    table,
    table_of,
)

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
SOME = st.lists(WORDS, max_size=3).map(tuple)
NUMBERS = st.floats(allow_nan=False)
OPTIONS = st.builds(Option, WORDS, WORDS, st.none() | WORDS)
POINTS = st.lists(st.tuples(NUMBERS, NUMBERS), max_size=3).map(tuple)
PROMPTS = st.builds(Prompt, WORDS, WORDS, st.none() | st.tuples(*[NUMBERS] * 4), POINTS)
PLACES = st.integers(0, 1 << 40)
SPANS = st.builds(Span, PLACES, PLACES, SOME, st.none() | WORDS)
QUESTIONS = st.builds(
    Question,
    kind=st.sampled_from(Kind),
    perspective=st.none() | st.integers(1, 4),
    options=st.lists(OPTIONS, max_size=3).map(tuple),
    letters=SOME,
    labels=SOME,
    targets=SOME,
    prompts=st.lists(PROMPTS, max_size=3).map(tuple),
    spans=st.lists(SPANS, max_size=3).map(tuple),
    flags=SOME,
    **dict.fromkeys(("id", "key", "split", "suite", "rule", "source", "modality", "area", "task", "subset"), WORDS),
    **dict.fromkeys(("clinical_task", "department", "granularity", "question", "instruction", "wording", "maker"), WORDS),
    **dict.fromkeys(("answer", "provenance"), st.none() | WORDS),
)


@given(st.lists(QUESTIONS, max_size=4))
def test_columns_are_those_of_the_rows_to_the_byte(questions: list[Question]):
    made, expected = table_of(questions), table(map(row, questions))
    made.validate(full=True)
    assert made.schema == schema()
    assert made.equals(expected)
    assert _file(made) == _file(expected)


@given(st.lists(QUESTIONS, max_size=4))
def test_questions_come_back_as_they_were(questions: list[Question]):
    assert [question_of(one) for one in table_of(questions).to_pylist()] == questions


@settings(max_examples=25, deadline=None)
@given(st.lists(QUESTIONS, max_size=3), st.data())
def test_columns_of_any_rows_are_questions_as_rows_are(questions: list[Question], data: st.DataObject):
    """Rows as a file's batches and a selection give them: in chunks, from the middle on, some twice, a column beside."""
    made = pa.concat_tables([table_of(questions), table_of(questions[1:])])
    made = made.append_column("_place", pa.array(range(made.num_rows), pa.int64()))
    rows = made.slice(data.draw(st.integers(0, made.num_rows)))
    wanted = data.draw(st.lists(st.integers(0, rows.num_rows - 1), max_size=4)) if rows.num_rows else []
    for some in (made, rows, rows.take(pa.array(wanted, pa.int64()))):
        assert questions_of(some) == [question_of(one) for one in some.to_pylist()]


def _file(made) -> bytes:
    body = BytesIO()
    pq.write_table(made, body, compression="zstd")
    return body.getvalue()
