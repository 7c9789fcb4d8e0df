"""A task folder for lmms-eval: the task's YAML, its functions, and a Parquet file with pictures.

`lmms-eval --include_path OUT --tasks NAME --model …` runs it; the functions need nothing of MedLoom. Paths of the data are
relative to the YAML, which lmms-eval resolves for its local loaders (`load_yaml_config` in lmms-eval 0.7.3).
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ...schema.errors import UsageError
from ...schema.question import Kind
from ..asked import Asked, AskedSet
from ..conversation import Style, turns
from .folder import Folder, Progress, silent

if TYPE_CHECKING:
    import pyarrow as pa

KINDS = (Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE)
FUNCTIONS = Path(__file__).with_name("lmms_task.py")
"""Copied into the folder as `utils.py`."""
MEASURES = ("accuracy", "exact_match", "precision", "recall")
ROWS_AT_ONCE = 64
_NAME = re.compile(r"[a-z0-9][a-z0-9_]*")
_FACTS = ("modality", "area", "task", "subset", "clinical_task", "department", "granularity", "source", "split")


def export(asked: AskedSet, folder: Folder, *, name: str, progress: Progress = silent) -> dict[str, Any]:
    """Counts, once `NAME.yaml`, `utils.py` and `NAME.parquet` are in the folder.

    Raises:
        UsageError: a name that is none for a task, or no choice with an answer.
    """
    import pyarrow.parquet as pq

    if not _NAME.fullmatch(name):
        raise UsageError(f"name {name!r}; expected lower-case letters, digits and _ only, as tasks of lmms-eval are named")
    questions = asked.questions()
    for question in questions:
        if question.kind not in KINDS:
            folder.left_out[f"{question.kind}: the task's measures are of choices"] += 1
        elif not question.letters:
            folder.left_out["its answer is withheld"] += 1
    kept = [place for place, question in enumerate(questions) if question.kind in KINDS and question.letters]
    if not kept:
        raise UsageError(f"{asked.name}: no choice with an answer; expected one or more ({dict(folder.left_out)})")
    with pq.ParquetWriter(folder.root / f"{name}.parquet", _schema()) as file:
        for table in _tables(asked, kept, progress=progress):
            file.write_table(table)
    (folder.root / "utils.py").write_bytes(FUNCTIONS.read_bytes())
    (folder.root / f"{name}.yaml").write_text(_yaml(name), encoding="utf-8")
    return {"questions": len(kept), "file": f"{name}.yaml"}


def _tables(asked: AskedSet, kept: list[int], *, progress: Progress) -> Iterator[pa.Table]:
    import pyarrow as pa

    for start in range(0, len(kept), ROWS_AT_ONCE):
        rows = [_row(asked[place]) for place in kept[start : start + ROWS_AT_ONCE]]
        yield pa.Table.from_pylist(rows, schema=_schema())
        progress(start + len(rows), len(kept))


def _schema() -> pa.Schema:
    """Columns, with what makes `datasets` read the picture as one."""
    from datasets import Features, Image, List, Value

    text = ("question_id", "key", "kind", "question", "answer", *_FACTS)
    kinds = {name: Value("string") for name in text} | {"letters": List(Value("string")), "options": List(Value("string"))}
    schema: pa.Schema = Features({"image": Image(), **kinds}).arrow_schema
    return schema


def _row(asked: Asked) -> dict[str, Any]:
    given, question = turns(asked, Style()), asked.question
    words = next(block["text"] for block in given.messages[-1]["content"] if block["type"] == "text")
    buffer = io.BytesIO()
    given.pictures[0].save(buffer, "PNG", compress_level=1)
    facts = {name: getattr(question, name) for name in _FACTS}
    return {
        "image": {"bytes": buffer.getvalue(), "path": None},
        "question_id": question.id,
        "key": question.key,
        "kind": str(question.kind),
        "question": words,
        "answer": ",".join(question.letters),
        "letters": list(question.letters),
        "options": [option.text for option in question.options],
        **facts,
    }


def _yaml(name: str) -> str:
    """The task as lmms-eval reads it; its tag `!function` is none that a YAML writer knows."""
    head = {
        "dataset_path": "parquet",
        "dataset_kwargs": {"data_files": {"test": f"{name}.parquet"}},
        "task": name,
        "test_split": "test",
        "output_type": "generate_until",
    }
    functions = ("doc_to_visual", "doc_to_text")
    tail = {
        "generation_kwargs": {"max_new_tokens": 64, "temperature": 0, "do_sample": False},
        "metadata": {"version": 0.0, "exported_by": "medloom"},
    }
    lines = [yaml.safe_dump(head, sort_keys=False).rstrip(), *(f"{one}: !function utils.{one}" for one in functions)]
    lines += ['doc_to_target: "answer"', "process_results: !function utils.process_results", "metric_list:"]
    for measure in MEASURES:
        lines += [f"  - metric: {measure}", "    aggregation: !function utils.mean", "    higher_is_better: true"]
    return "\n".join([*lines, yaml.safe_dump(tail, sort_keys=False)])
