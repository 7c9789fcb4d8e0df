"""A build that obeys a vote: what is overridden, what the plan and the recipe say of it, and what moves a plan."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from medloom.builders.build import Options, build, dry_run
from medloom.builders.catalog import load
from medloom.builders.voted import meaning_sha256, voted
from medloom.schema.errors import ResumeError, UsageError
from medloom.schema.labels.table import COLUMNS
from medloom.schema.release import Release

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write an override file of rows "name → departments → clinical task"; its path."""

    def one(*rows: tuple[str, str, str]) -> Path:
        path = tmp_path / "overrides.csv"
        lines = [",".join(COLUMNS), *(f'{name},,,,"{departments}",{task},a vote' for name, departments, task in rows)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    return one


def places(release: Path) -> dict[str, tuple[tuple[str, ...], str]]:
    """Label → departments and clinical task, as the index has them."""
    columns = ["label", "departments", "clinical_task"]
    rows = pq.read_table(Release.open(release).index_path("tiny", "annotations"), columns=columns).to_pylist()
    found = {(row["label"], tuple(row["departments"]), row["clinical_task"]) for row in rows}
    assert len(found) == len({label for label, _, _ in found})
    return {label: (departments, task) for label, departments, task in found}


def test_an_override_wins_over_the_source_and_the_table(tiny, write: Write):
    build(tiny.spec, tiny.raw, tiny.release, options=Options(workers=2))
    before = places(tiny.release)
    path = write(("WBC", "PM; H", ""), ("glioma", "N", "DD"))
    other = tiny.folder / "other"
    report = build(tiny.spec, tiny.raw, other, options=Options(workers=2, labels=path))
    after = places(other)
    assert after["white blood cell"] == (("Pulmonary Medicine", "Hematology"), before["white blood cell"][1])
    assert after["red blood cell"] == before["red blood cell"]
    assert report["options"]["labels"] == str(path)
    assert (other.with_name("other.work") / "tiny" / "build-report.json").exists()


def test_the_recipe_states_the_digest_and_the_rows_used(tiny, write: Write):
    path = write(("glioma", "N", "DD"), ("red blood cell", "LMP", "DD"))
    build(tiny.spec, tiny.raw, tiny.release, options=Options(labels=path))
    recipe = Release.open(tiny.release).recipe("tiny")
    assert recipe is not None
    rows = [
        {"name": "red blood cell", "departments": ["Laboratory Medicine and Pathology"], "clinical_task": "Disease Diagnosis"}
    ]
    assert recipe["options"]["labels"] == {"sha256": voted(load(tiny.spec), path).sha256, "rows": rows}
    assert str(path) not in json.dumps(recipe)
    build(tiny.spec, tiny.raw, tiny.release, options=Options(fresh=True))
    assert (Release.open(tiny.release).recipe("tiny") or {})["options"]["labels"] is None


def test_the_same_file_is_the_same_build_and_another_needs_fresh(tiny, write: Write):
    options = Options(labels=write(("RBC", "LMP", "")))
    first = build(tiny.spec, tiny.raw, tiny.release, options=options)
    assert build(tiny.spec, tiny.raw, tiny.release, options=options) == first
    write(("RBC", "H; LMP", ""))
    with pytest.raises(ResumeError, match=r"options\.labels\.rows.*--fresh"):
        build(tiny.spec, tiny.raw, tiny.release, options=options)
    with pytest.raises(ResumeError, match=r"options\.labels .*now null"):
        build(tiny.spec, tiny.raw, tiny.release, options=Options())


def test_a_row_for_a_label_that_nobody_has_is_told(tiny, write: Write):
    options = Options(labels=write(("zork", "LMP", "")), limit=3)
    [planned] = dry_run(tiny.spec, tiny.raw, options=options)["issues"]
    [issue] = build(tiny.spec, tiny.raw, tiny.release, options=options)["issues"]
    assert (issue["code"], issue["severity"], planned["first"]) == ("unknown-label", "info", issue["first"])
    assert issue["first"][0]["found"] == "label 'zork'"


def test_a_file_that_cannot_be_obeyed_stops_before_anything_is_written(tiny, write: Write):
    with pytest.raises(UsageError, match=r"overrides.csv row 2 \(RBC\): department 'Zork'"):
        build(tiny.spec, tiny.raw, tiny.release, options=Options(labels=write(("RBC", "Zork", ""))))
    assert not (tiny.release / "README.md").exists()


def test_what_labels_mean_is_part_of_the_plan(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    from medloom.schema.labels import label, table

    before = {name: meaning_sha256(load(name)) for name in ("bccd", "phantom")}
    lines = table.BUILT_IN.read_text(encoding="utf-8").replace("platelet,D001792,,", "platelet,,,")
    (tmp_path / "labels.csv").write_text(lines, encoding="utf-8")
    edited = table.read(tmp_path / "labels.csv")
    monkeypatch.setattr(label, "table", lambda: edited)
    label._id.cache_clear()
    after = {name: meaning_sha256(load(name)) for name in before}
    label._id.cache_clear()
    assert after["bccd"] != before["bccd"]
    assert after["phantom"] == before["phantom"]
