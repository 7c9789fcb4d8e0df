"""Errors and samples: what they carry survives a pickle, since workers send them."""

from __future__ import annotations

import pickle

import pytest

from medloom.schema.errors import (
    DataError,
    Issue,
    MedLoomError,
    RawRootError,
    RegionError,
    ReleaseError,
    ResumeError,
    Severity,
    TooManyBadUnits,
    UnreadableError,
    UsageError,
)
from medloom.schema.sample import SPLITS, BurnedIn, Origin, Sample, State


@pytest.mark.parametrize(
    ("kind", "code"),
    [(UsageError, 2), (RawRootError, 2), (ResumeError, 2), (ReleaseError, 1), (TooManyBadUnits, 3), (DataError, 1)],
)
def test_exit_codes_follow_the_drawing(kind: type[MedLoomError], code: int):
    assert kind.exit_code == code
    assert issubclass(kind, MedLoomError)


@pytest.mark.parametrize("kind", [DataError, UnreadableError, RegionError])
def test_an_error_comes_back_whole_from_a_worker(kind: type[DataError]):
    error = kind("a box", expected="an area", where="x.xml line 3", code="box-without-area")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), again.issue()) == (kind, str(error), error.issue())


def test_an_error_becomes_an_issue_at_the_place_that_the_caller_knows():
    issue = RegionError("a box", expected="an area", where="line 3").issue("x.xml", severity=Severity.WARNING)
    assert issue == Issue("bad-region", "x.xml line 3", "a box", "an area", "it was left out", Severity.WARNING)
    assert str(issue) == "x.xml line 3: a box; expected an area; it was left out"


def test_kinds_are_class_names():
    assert UsageError("x").kind == "UsageError"
    assert UnreadableError("x", expected="y").code == "unreadable"


def test_words_of_the_contract():
    assert SPLITS == ("train", "validation", "test")
    assert [str(state) for state in State] == ["present", "absent", "uncertain", "not_assessed"]
    assert [str(origin) for origin in Origin] == ["human", "model", "derived", "unknown"]
    assert [str(state) for state in BurnedIn] == ["no", "suspected", "yes"]
    assert next(iter(Sample.__dataclass_fields__)) == "split"
