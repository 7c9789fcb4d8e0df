"""Question files changed in any way have exactly the fault of that change."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medloom.schema import question
from medloom.schema.check_questions import about, faults_of
from medloom.schema.release import Release

Row = dict[str, Any]
Change = Callable[[list[Row]], None]


@pytest.fixture
def asked(many_asked: Path, tmp_path: Path) -> Path:
    shutil.copytree(many_asked, tmp_path / "release")
    return tmp_path / "release"


def faults(release: Path) -> list[tuple[str, str]]:
    """Code and what was found of every fault."""
    return [(one.code, one.found) for one in faults_of(Release(release))]


def codes(release: Path) -> set[str]:
    return {code for code, _ in faults(release)}


def info_of(release: Path) -> dict[str, Any]:
    return json.loads((release / "questions/toys/suite.json").read_text())


def write_info(release: Path, info: dict[str, Any]) -> None:
    (release / "questions/toys/suite.json").write_text(json.dumps(info))


def rewrite(release: Path, change: Change, *, split: str = "train", columns: pa.Schema | None = None) -> None:
    """Change the rows of the split's first file, with a digest and row count that agree."""
    info = info_of(release)
    stated = next(one for one in info["files"] if split in one["path"] and one["questions"] > 3)
    path = release / "questions/toys" / stated["path"]
    rows = pq.read_table(path).to_pylist()
    before = len(rows)
    change(rows)
    pq.write_table(pa.Table.from_pylist(rows, schema=columns or question.schema()), path)
    stated |= {"questions": len(rows), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    info["questions"] += len(rows) - before
    for counts in info["counts"].values():
        counts[next(iter(counts))] += len(rows) - before
    info["table"][0]["questions"] += len(rows) - before
    write_info(release, info)


def of_kind(rows: list[Row], kind: str) -> Row:
    return next(row for row in rows if row["kind"] == kind)


def test_a_sound_question_set_has_no_fault(asked: Path):
    assert faults(asked) == []
    assert about(Release(asked)) == {"toys": info_of(asked)["questions"]}
    rewrite(asked, lambda rows: None)
    assert faults(asked) == []


def edit(kind: str, /, **values: Any) -> Change:
    return lambda rows: of_kind(rows, kind).update(values)


def swap_keys(rows: list[Row]) -> None:
    rows.reverse()


def stranger(rows: list[Row]) -> None:
    rows[0]["key"] = "phantom-0000000000000000"


def twice(rows: list[Row]) -> None:
    rows.insert(0, dict(rows[0]))


def same_options(rows: list[Row]) -> None:
    options = of_kind(rows, "single_choice")["options"]
    options[1]["text"] = options[0]["text"].upper()


def unlettered(rows: list[Row]) -> None:
    of_kind(rows, "single_choice")["options"][0]["letter"] = "Z"


def far_span(rows: list[Row]) -> None:
    of_kind(rows, "referring")["spans"][0]["end"] = 999


def strange_prompt(rows: list[Row]) -> None:
    of_kind(rows, "referring")["prompts"][0]["annotation"] = "a99"


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (edit("single_choice", letters=[]), "right letters []"),
        (edit("single_choice", letters=["A", "B"]), "right letters ['A', 'B']"),
        (edit("single_choice", letters=["E"]), "right letters ['E']"),
        (edit("single_choice", answer=None), "no answer"),
        (edit("single_choice", options=[], letters=[]), "0 options"),
        (edit("referring", kind="guess"), "kind 'guess'"),
        (edit("referring", targets=["a77"]), "annotations a77"),
        (edit("referring", split="test"), "split 'test'"),
        (edit("referring", source="other"), "source 'other'"),
        (edit("referring", suite="other"), "suite 'other'"),
        (strange_prompt, "annotations a99"),
        (far_span, "span 0 to 999"),
        (same_options, "options ["),
        (unlettered, "letters ['Z'"),
        (twice, "an id that stands twice"),
    ],
)
def test_a_question_that_is_wrong(asked: Path, change: Change, found: str):
    rewrite(asked, change)
    told = faults(asked)
    assert {code for code, _ in told} == {"bad-question"}
    assert any(said.startswith(found) for _, said in told), told


@pytest.mark.parametrize("change", [swap_keys, stranger])
def test_keys_that_are_out_of_order_or_unknown(asked: Path, change: Change):
    rewrite(asked, change)
    assert codes(asked) == {"key-order"}


@pytest.mark.parametrize(
    "change",
    [
        edit("referring", answer="lung"),
        edit("single_choice", letters=["A"]),
        edit("referring", labels=["mesh:D008168"]),
        edit("referring", targets=["a0"]),
        lambda rows: of_kind(rows, "single_choice")["options"][0].update(label_id="mesh:D008168"),
    ],
)
def test_an_answer_that_should_be_withheld(asked: Path, change: Change):
    rewrite(asked, change, split="validation")
    assert codes(asked) == {"bad-question"}
    assert all(said.endswith("of a withheld answer") for _, said in faults(asked))


def test_other_columns(asked: Path):
    columns = question.schema()
    rewrite(asked, lambda rows: None, columns=columns.remove(columns.get_field_index("wording")))
    assert codes(asked) == {"bad-questions"}


def test_a_file_that_is_another_cut_short_or_lost(asked: Path):
    path = next(path for path in sorted((asked / "questions/toys").rglob("*.parquet")))
    data = path.read_bytes()
    path.write_bytes(data + b"x")
    assert "digest-differs" in codes(asked)
    path.write_bytes(data[: len(data) // 2])
    assert codes(asked) == {"digest-differs", "bad-questions"}
    path.unlink()
    assert codes(asked) == {"missing-questions"}


def test_files_that_no_suite_lists(asked: Path):
    for name in ("toys/phantom/extra.parquet", "other/train-00000-of-00001.parquet", "notes.txt"):
        (asked / "questions" / name).parent.mkdir(exist_ok=True)
        (asked / "questions" / name).write_bytes(b"x")
    assert [code for code, _ in faults(asked)] == ["stray-file"] * 3


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda info: info.pop("seed"), "bad-suite"),
        (lambda info: info.update(files=None), "bad-suite"),
        (lambda info: info["suite"].update(title="Another"), "digest-differs"),
        (lambda info: info.update(questions=info["questions"] + 1), "count-differs"),
        (lambda info: info["counts"]["kind"].update(referring=1), "count-differs"),
        (lambda info: info["table"].pop(), "count-differs"),
        (lambda info: info["sources"].update(phantom="0" * 64), "stale-questions"),
        (lambda info: info["sources"].update(gone="0" * 64), "stale-questions"),
    ],
)
def test_what_suite_json_says_must_hold(asked: Path, change: Callable[[dict[str, Any]], Any], code: str):
    info = info_of(asked)
    change(info)
    write_info(asked, info)
    assert codes(asked) == {code}


def test_a_shard_that_suite_json_leaves_out(asked: Path):
    info = info_of(asked)
    info["files"].pop()
    write_info(asked, info)
    assert codes(asked) == {"missing-questions", "stray-file", "count-differs"}


def test_questions_of_a_shard_that_is_gone(asked: Path):
    info = info_of(asked)
    stated = next(one for one in info["files"] if one["questions"])
    info["files"].append({**stated, "shard": "data/gone/train-00000-of-00001.tar", "questions": 0})
    write_info(asked, info)
    assert codes(asked) == {"stale-questions"}


def test_suite_json_that_is_no_json(asked: Path):
    (asked / "questions/toys/suite.json").write_text("{")
    assert codes(asked) == {"bad-suite"}
    assert about(Release(asked)) == {}
