"""The tally: exact counts, the first of each code, and the same rows whatever the order."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from medloom.builders.report import FIRST, Tally
from medloom.schema.errors import Issue, Severity

ISSUES = st.lists(
    st.builds(
        Issue,
        code=st.sampled_from(["unreadable", "box-outside"]),
        where=st.integers(0, 99).map(lambda number: f"{number:03d}.png"),
        found=st.sampled_from(["a", "b"]),
        expected=st.just("c"),
        next=st.just("d"),
        severity=st.sampled_from([Severity.WARNING]),
    ),
    max_size=90,
)


def tally_of(issues: list[Issue]) -> Tally:
    tally = Tally()
    for issue in issues:
        tally.add(issue)
    return tally


@given(ISSUES, st.randoms(use_true_random=False), st.integers(1, 5))
def test_order_and_division_change_nothing(issues: list[Issue], random, workers: int):
    rows = tally_of(issues).rows()
    shuffled = list(issues)
    random.shuffle(shuffled)
    assert tally_of(shuffled).rows() == rows
    merged = Tally()
    for worker in range(workers):
        merged.merge(tally_of(shuffled[worker::workers]).rows())
    assert merged.rows() == rows


@given(ISSUES)
def test_counts_are_exact_and_the_first_are_the_earliest(issues: list[Issue]):
    for row in tally_of(issues).rows():
        of_code = [issue for issue in issues if issue.code == row["code"]]
        assert row["count"] == len(of_code)
        wheres = sorted((issue.where, issue.found) for issue in of_code)[:FIRST]
        assert [(one["where"], one["found"]) for one in row["first"]] == wheres


def test_memory_is_bounded():
    tally = tally_of([Issue("x", f"{number:06d}", "a", "b", "c") for number in range(5000, 0, -1)])
    assert len(tally.first["x"]) <= 2 * FIRST
    assert tally.rows()[0]["first"][0]["where"] == "000001"
    assert tally.rows()[0]["count"] == 5000


def test_rows_are_plain_data():
    tally = tally_of([Issue("x", "a.png", "found", "expected", "next", Severity.ERROR)])
    tally.add(Issue("x", "b.png", "found", "expected", "next", Severity.ERROR), count=3)
    first = [{"where": f"{name}.png", "found": "found", "expected": "expected", "next": "next"} for name in "ab"]
    assert tally.rows() == [{"code": "x", "severity": "error", "count": 4, "first": first}]


def test_places_begin_with_the_unit_once():
    tally = Tally()
    report = tally.within("set/a 1.png")
    issue = Issue("x", "", "found", "expected", "next")
    for where in ("", "line 3", "a.xml line 3"):
        report(replace(issue, where=where))
    Tally.within(tally, "set/b.png")(replace(issue, where="b.png frame 2"))
    assert [one["where"] for one in tally.rows()[0]["first"]] == [
        "set/a 1.png",
        "set/a 1.png a.xml line 3",
        "set/a 1.png line 3",
        "set/b.png frame 2",
    ]
