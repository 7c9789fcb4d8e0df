"""Validators on what the rules make of real sources: nothing fires, and what is broken afterwards is caught."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import pytest

from medloom.generation import suite as suites
from medloom.generation.case import Case
from medloom.generation.pools import Pools, pools_of
from medloom.generation.rules import ready
from medloom.generation.validators import validate
from medloom.schema.question import Kind, Question
from medloom.schema.release import Release

SOURCES = ("phantom", "bccd", "covid_chestxray_boxes", "msd_hippocampus")
SUITES = ("medmat", "gmai", "mimoseg", "medtrinity")
SILENT = {("bccd", "medmat"), ("covid_chestxray_boxes", "medmat"), ("covid_chestxray_boxes", "gmai")}
"""Where no wrong option is known to be wrong."""
CHOICES = (Kind.SINGLE_CHOICE, Kind.MULTIPLE_CHOICE)
MOST = 60
"""Samples per source, taken at equal distances."""


@dataclass(frozen=True)
class Asked:
    question: Question
    case: Case
    pools: Pools

    def codes(self, **changes: Any) -> set[str]:
        """Codes of the faults of the question, changed."""
        return {fault.code for fault in validate(replace(self.question, **changes), self.case, self.pools)}


def cases(root: Path) -> Iterator[Case]:
    for shard in sorted(root.glob("data/**/*.tar")):
        with tarfile.open(shard) as tar:
            for member in tar:
                if member.name.endswith(".json"):
                    file = tar.extractfile(member)
                    assert file is not None
                    yield Case(orjson.loads(file.read()))


@pytest.fixture(scope="session")
def asked(built: Callable[[str], tuple[Path, dict[str, Any]]]) -> Callable[[str, str], list[Asked]]:
    """All questions of a suite over samples of a source."""

    @cache
    def opened(source: str) -> tuple[Pools, list[Case]]:
        root = built(source)[0]
        every = list(cases(root))
        return pools_of(Release.open(root)), every[:: max(len(every) // MOST, 1)]

    @cache
    def one(source: str, name: str) -> list[Asked]:
        pools, some = opened(source)
        suite = suites.read(name)
        rules = ready(suite, pools)
        made = (
            (case, rules[spec.rule](case, suite.chance(spec.rule, case.key, seed=3))) for case in some for spec in suite.rules
        )
        return [Asked(question, case, pools) for case, questions in made for question in questions]

    return one


@pytest.fixture
def every(asked: Callable[[str, str], list[Asked]]) -> list[Asked]:
    """All questions of all suites over the source that is drawn, which needs no data."""
    return [one for name in SUITES for one in asked("phantom", name)]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("name", SUITES)
def test_nothing_fires_on_what_the_rules_make(source: str, name: str, asked: Callable[[str, str], list[Asked]]):
    found = asked(source, name)
    faults = [(one.question, fault) for one in found for fault in validate(one.question, one.case, one.pools)]
    assert faults == []
    assert found or (source, name) in SILENT


def test_another_sample_is_told_at_once(every: list[Asked]):
    for one, other in zip(every, every[1:] + every[:1], strict=True):
        if one.case is not other.case:
            assert "key-mismatch" in {fault.code for fault in validate(one.question, other.case, one.pools)}
    splits = {"train": "test", "validation": "train", "test": "validation"}
    assert all("split-mismatch" in one.codes(split=splits[one.question.split]) for one in every)


def test_a_moved_answer_is_never_true(every: list[Asked]):
    single = [one for one in every if one.question.kind is Kind.SINGLE_CHOICE and one.question.options[0].label_id]
    assert single
    for one in single:
        wrong = next(option.letter for option in one.question.options if option.letter not in one.question.letters)
        assert "answer-not-true" in one.codes(letters=(wrong,), answer=wrong)


def test_options_that_stand_twice_or_lose_their_letter_are_caught(every: list[Asked]):
    choices = [one for one in every if one.question.kind in CHOICES]
    assert choices
    for one in choices:
        options = one.question.options
        right = next(option for option in options if option.letter in one.question.letters)
        twice = (*options, replace(right, letter="ABCDEFGHI"[len(options)]))
        assert "options-synonymous" in one.codes(options=twice)
        assert "bad-letters" in one.codes(options=(*options[1:], options[0]))
        assert "answer-not-among-options" in one.codes(letters=("Z",), answer="Z")


def test_the_answer_in_the_stem_is_caught_wherever_it_must_not_stand(every: list[Asked]):
    hiding = {**dict.fromkeys(CHOICES, "answer-in-question"), Kind.REFERRING: "answer-in-question"}
    hiding |= {Kind.REASONING: "entity-named", Kind.PROMPTED: "entity-named"}
    kinds = set()
    for one in every:
        if one.question.kind not in hiding or (one.question.kind in CHOICES and one.question.options[0].label_id is None):
            continue
        kinds.add(one.question.kind)
        label = next(state["label"] for state in one.case.present if state["label_id"] in one.question.labels)
        assert hiding[one.question.kind] in one.codes(question=f"{one.question.question} The {label} is meant.")
    assert kinds == hiding.keys()


def test_prompts_off_their_region_are_caught(every: list[Asked]):
    height, width = 4000, 4000
    kinds = set()
    for one in every:
        for prompt in one.question.prompts:
            kinds.add(prompt.kind)
            if prompt.box_xyxy_px is not None:
                x0, y0, x1, y1 = prompt.box_xyxy_px
                assert "box-without-area" in one.codes(prompts=(replace(prompt, box_xyxy_px=(x0, y0, x0, y1)),))
                away = (x0 + width, y0 + height, x1 + width, y1 + height)
                assert {"prompt-outside", "prompt-off-region"} <= one.codes(prompts=(replace(prompt, box_xyxy_px=away),))
            if prompt.points_xy_px:
                assert "prompt-outside" in one.codes(prompts=(replace(prompt, points_xy_px=((width, height),)),))
                assert "prompt-empty" in one.codes(prompts=(replace(prompt, points_xy_px=()),))
            assert "unknown-target" in one.codes(prompts=(replace(prompt, annotation="a9999"),))
    assert kinds == {"box", "mask", "contour", "point"}


def test_spans_and_targets_that_slip_are_caught(every: list[Asked]):
    words = 0
    for one in every:
        if one.question.targets:
            assert "unknown-target" in one.codes(targets=(*one.question.targets, "a9999"))
        for span in one.question.spans:
            if span.level is None:
                words += 1
                assert "bad-span" in one.codes(spans=(replace(span, start=span.start + 1),))
                assert "bad-span" in one.codes(spans=(replace(span, end=span.end - 1),))
            assert "bad-span" in one.codes(spans=(replace(span, end=len(one.question.answer or "") + 1),))
    assert words


SWAPPED = {"left": "right", "right": "left", "upper": "lower", "lower": "upper"}


def test_places_turned_round_are_caught(every: list[Asked]):
    """Where an answer says upper, lower, left or right of the image, the opposite is told as wrong."""
    place = re.compile(r"\b(?:(upper|lower) (left|right|middle)|middle (left|right))\b")
    tried = 0
    for one in every:
        answer = one.question.answer or ""
        if one.question.kind not in (Kind.LOCALIZATION, Kind.DESCRIPTION) or len(place.findall(answer)) != 1:
            continue
        tried += 1
        turned = place.sub(lambda match: " ".join(SWAPPED.get(word, word) for word in match[0].split()), answer)
        assert "wrong-place" in one.codes(answer=turned)
    assert tried > 20


def test_shares_that_are_six_points_off_are_caught(every: list[Asked]):
    share = re.compile(r"(\d+(?:\.\d+)?)%")
    tried = 0
    for one in every:
        answer, kind = one.question.answer or "", one.question.kind
        if kind is not Kind.LOCALIZATION or len(share.findall(answer)) != 1:
            continue
        tried += 1
        off = share.sub(lambda match: f"{float(match[1]) + 6:.1f}%", answer)
        moved = len(off) - len(answer)
        at = answer.index("%")
        spans = tuple(
            replace(one, start=one.start + moved, end=one.end + moved) if one.start > at else one for one in one.question.spans
        )
        assert "wrong-share" in one.codes(answer=off, spans=spans)
    assert tried > 20


def test_the_wrong_modality_and_a_flag_that_is_gone_are_caught(every: list[Asked]):
    for one in every:
        other = "ultrasound image" if one.case.modality != "US" else "mammography image"
        assert "wrong-modality" in one.codes(question=f"{one.question.question} Look at the {other}.")
        if "derived-box" in one.question.flags:
            assert "derived-box-unflagged" in one.codes(flags=())
