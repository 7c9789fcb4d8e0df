"""Comparisons: the same numbers in every file, pairs that are pairs, and no claim that the data don't carry."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from report_pages import Page, markdown_tables
from scored_runs import changed, folder, run

from medloom.generation.baseline.significance import holm
from medloom.schema.disk import write_json
from medloom.schema.errors import UsageError
from medloom.train.evaluating.report.compare import compare_runs
from medloom.train.evaluating.report.comparison import verdict
from medloom.train.scoring.comparison import compare
from medloom.train.scoring.scored import Scored

RESAMPLES = 199


def replies(wrong: int, *, statuses: dict[int, str] | None = None) -> list[Scored]:
    """60 replies of which every `wrong`-th is wrong, and their choices in another order."""
    plain = run([number % wrong != 1 for number in range(60)], statuses=statuses)
    choices = [one for one in plain if one.kind == "single_choice"]
    return [*plain, *changed(choices, "order:1", hits=lambda number: number % (wrong + 1) != 1)]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs")
    folder(path / "good", replies(9, statuses={4: "refused"}), model="tuned|<7b>")
    folder(path / "poor", replies(2))
    folder(path / "same", replies(9, statuses={4: "refused"}), model="twin")
    return path


@pytest.fixture(scope="module")
def two(root: Path) -> Path:
    compare_runs([root / "good", root / "poor"], root / "two", resamples=RESAMPLES)
    return root / "two"


def read(out: Path) -> tuple[dict[str, Any], Page, str]:
    found = json.loads((out / "comparison.json").read_text())
    return (
        found,
        Page((out / "comparison.html").read_text(encoding="utf-8")),
        (out / "comparison.md").read_text(encoding="utf-8"),
    )


def floats(value: Any) -> Iterator[float]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from floats(one)
    elif isinstance(value, float):
        yield value


def test_a_pair_is_what_scoring_says_of_it(two: Path):
    (pair,) = read(two)[0]["pairs"]
    good, poor = ([one for one in some if not one.variant] for some in (replies(9, statuses={4: "refused"}), replies(2)))
    expected = compare(good, poor, seed=0, resamples=RESAMPLES)
    for name, one in expected["measures"].items():
        told = pair["measures"][name]
        assert {key: told[key] for key in one} == one
    assert (pair["n"], pair["groups"]) == (60, 30)
    one = pair["measures"]["accuracy"]
    assert one["difference"] == pytest.approx(one["a"] - one["b"])
    assert one["mcnemar"]["only_a"] > one["mcnemar"]["only_b"]


def test_the_page_says_what_the_numbers_say(two: Path):
    found, page, text = read(two)
    (pair,) = found["pairs"]
    heads = {(one["kind of question"], one["measure"]): one for one in page.rows("Headline measures by kind of question")}
    assert set(heads) == {
        ("single choice", "accuracy"), ("multiple choice", "exact_mcq"), ("grounding", "mask_iou"), ("detection", "box_f1_50")
    }  # fmt: skip
    for (kind, measure), row in heads.items():
        one = pair["by"]["kind"][kind.replace(" ", "_")]["measures"][measure]
        assert row["n"] == str(one["n"])
        assert [row["good"], row["poor"], row["difference"]] == [
            f"{one['a']:.3f}", f"{one['b']:.3f}", f"{one['difference']:+.3f}"
        ]  # fmt: skip
        assert row["interval"] == f"{one['low']:+.3f} to {one['high']:+.3f}"
        assert (row["McNemar p"] == "–") == ("mcnemar" not in one)
    paired = pair["by"]["kind"]["single_choice"]["measures"]["accuracy"]["mcnemar"]
    assert heads["single choice", "accuracy"]["right in one only"] == f"{paired['only_a']} : {paired['only_b']}"
    assert heads["single choice", "accuracy"]["verdict"] == "good is better"
    every = {one["measure"] for one in page.rows("All measures, over all kinds")}
    assert every == set(pair["measures"])
    (order, *_) = page.rows("The same questions asked otherwise")
    assert (order["variant"], order["n"]) == ("order:1", str(pair["variants"]["order:1"]["measures"]["accuracy"]["n"]))
    assert [row["label"] for row in page.rows("By label") if row["measure"] == "accuracy"] == [
        "label no. 0 (label-0)", "label no. 1 (label-1)", "label no. 2 (label-2)", "label-3"
    ]  # fmt: skip
    known = {f"{abs(value):.3f}" for value in floats(found)}
    for said in ("\n".join(page.text), text):
        assert set(re.findall(r"(?<![\d.])\d\.\d{3}(?![\d.])", said)) <= known


def test_flips_stand_beside_each_other(two: Path):
    found, page, _ = read(two)
    table = page.rows("What changes did to each run by itself, with intervals of its own")
    rows = {one["share of replies that …"]: one for one in table}
    for number, name in enumerate(("good", "poor")):
        flips = found["runs"][number]["shares"]["order:1"]["flips"]
        assert rows["give another answer"][name] == f"{flips['value']:.3f} ({flips['low']:.3f} to {flips['high']:.3f}; n 24)"
    assert rows["give another answer"]["variant"] == "order:1"


def test_settings_statuses_and_names_are_told_and_nothing_gets_out_of_its_place(two: Path):
    found, page, text = read(two)
    assert found["settings_that_differ"] == {"backend.model": ["tuned|<7b>", "small"]}
    (setting,) = page.rows("Settings that differ")
    assert (setting["good"], setting["poor"]) == ("tuned|<7b>", "small")
    statuses = {one["run"]: one for one in page.rows("Statuses of the replies that are compared")}
    assert (statuses["good"]["refused"], statuses["poor"]["refused"]) == ("1", "0")
    assert all(len(row) == len(table[0]) for table in markdown_tables(text) for row in table)
    assert not {tag for tag, _ in page.tags} & {"script", "iframe", "object", "link", "form"}
    alts = [told["alt"] or "" for tag, told in page.tags if tag == "img"]
    assert len(alts) == 4
    assert all("over all" in alt and "(" in alt for alt in alts)
    for path in (two / "comparison-plots").glob("*.png"):
        assert f"(comparison-plots/{path.name})" in text
        assert path.with_suffix(".csv").is_file()


def test_the_same_runs_give_the_same_bytes_and_can_be_told_apart_from_no_twin(root: Path, two: Path, tmp_path: Path):
    compare_runs([root / "good", root / "poor"], tmp_path / "again", resamples=RESAMPLES)
    for name in ("comparison.json", "comparison.html", "comparison.md"):
        assert (tmp_path / "again" / name).read_bytes() == (two / name).read_bytes()
    found = compare_runs([root / "good", root / "same"], tmp_path / "twins", resamples=50)
    (pair,) = found["pairs"]
    assert {one["difference"] for one in pair["measures"].values()} == {0.0}
    assert {one["p"] for one in pair["measures"].values()} == {1.0}
    page = read(tmp_path / "twins")[1]
    assert {one["verdict"] for one in page.rows("All measures, over all kinds")} == {"can't be told apart"}


def test_three_runs_are_three_pairs_adjusted_together(root: Path, tmp_path: Path):
    found = compare_runs([root / "good", root / "poor", root / "same"], tmp_path, resamples=99)
    assert [(one["a"], one["b"]) for one in found["pairs"]] == [("good", "poor"), ("good", "same"), ("poor", "same")]
    tested = [one["measures"]["accuracy"] for one in found["pairs"]]
    assert [one["p_holm"] for one in tested] == holm([one["p"] for one in tested])
    words = [one["measures"]["accuracy"] for pair in found["pairs"] for one in pair["by"]["modality"].values()]
    assert [one["p_holm"] for one in words] == holm([one["p"] for one in words])
    assert len(words) == 9
    page = read(tmp_path)[1]
    assert [told["id"] for tag, told in page.tags if tag == "h2"] == ["runs", "pair-1", "pair-2", "pair-3", "how", "limits"]


def test_other_questions_are_refused_or_only_shared_ones_compared(root: Path, tmp_path: Path):
    folder(tmp_path / "part", [one for one in replies(2) if int(one.id[2:], 16) < 40], digest="e" * 64)
    runs = [root / "good", tmp_path / "part"]
    with pytest.raises(UsageError, match=r"good has 60, part 40, in both are 40.*--shared"):
        compare_runs(runs, tmp_path / "out", resamples=9)
    found = compare_runs(runs, tmp_path / "out", shared=True, resamples=9)
    assert (found["questions"], [one["left_out"]["n"] for one in found["runs"]]) == (40, [20, 0])
    assert found["runs"][0]["shares"] == {}
    _, page, text = read(tmp_path / "out")
    alone = page.rows("Questions that aren't in all runs: 20 of 20")
    assert {one["in the run"] for one in alone} == {"good"}
    assert "What changes did to each run" not in text
    assert "The runs weren't asked the same set" in text
    foreign = folder(tmp_path / "else", [replace(replies(2)[0], id="q-ffff")], digest="f" * 64)
    with pytest.raises(UsageError, match="no question is in all"):
        compare_runs([root / "good", foreign], tmp_path / "out", shared=True)


def test_what_cannot_be_compared(root: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="1 folders"):
        compare_runs([root / "good"], tmp_path)
    with pytest.raises(UsageError, match="different"):
        compare_runs([root / "good", root / "good"], tmp_path)
    with pytest.raises(UsageError, match=r"no results\.json"):
        compare_runs([root / "good", tmp_path], tmp_path / "out")
    moved = [replace(one, modality="US") if one.key == "k-3" else one for one in replies(2)]
    with pytest.raises(UsageError, match="q-0000000000000003: its modality in good isn't that in moved"):
        compare_runs([root / "good", folder(tmp_path / "moved", moved)], tmp_path / "out")
    unscored = folder(tmp_path / "unscored", replies(2))
    write_json(unscored / "results.json", json.loads((unscored / "results.json").read_text()) | {"scored": False})
    with pytest.raises(UsageError, match="nothing was scored"):
        compare_runs([root / "good", unscored], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_runs_of_one_name_are_told_apart_by_where_they_lie(tmp_path: Path):
    for place, wrong in (("a", 2), ("b", 3)):
        folder(tmp_path / place / "run", replies(wrong), resamples=0)
    found = compare_runs([tmp_path / "a" / "run", tmp_path / "b" / "run"], tmp_path / "out", resamples=9)
    assert [one["name"] for one in found["runs"]] == ["a/run", "b/run"]
    assert str(tmp_path) not in (tmp_path / "out" / "comparison.html").read_text()


@pytest.mark.parametrize(("groups", "least"), [(3, "0.250"), (30, "0.1")])
def test_few_groups_bound_the_probability_and_that_is_said(groups: int, least: str, tmp_path: Path):
    some = [[replace(one, group=f"g-{int(one.id[2:], 16) % groups}") for one in replies(wrong)] for wrong in (60, 2)]
    runs = [folder(tmp_path / name, one, resamples=0) for name, one in zip(("a", "b"), some, strict=True)]
    found = compare_runs(runs, tmp_path / "out", resamples=9)
    assert min(one["p"] for one in found["pairs"][0]["measures"].values()) >= 0.1
    assert f"of {groups} groups it can't be less than about {least}" in read(tmp_path / "out")[2]


@pytest.mark.parametrize(
    ("measure", "difference", "p", "expected"),
    [
        ("accuracy", 0.1, 0.01, "a is better"),
        ("accuracy", -0.1, 0.01, "b is better"),
        ("count_error", -0.1, 0.01, "a is better"),
        ("invention", 0.1, 0.01, "b is better"),
        ("accuracy", 0.1, 0.05, "can't be told apart"),
        ("accuracy", 0.0, 0.01, "can't be told apart"),
        ("accuracy", None, None, ""),
    ],
)
def test_verdicts_go_by_the_adjusted_probability(measure: str, difference: float | None, p: float | None, expected: str):
    assert verdict(measure, {"difference": difference, "p": 0.001 if p else None, "p_holm": p}, ("a", "b")) == expected
