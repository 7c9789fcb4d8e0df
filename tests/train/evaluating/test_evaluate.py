"""An evaluation from questions to numbers: exact for known replies, resumable, and scored anew without the model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from scripted_models import Scripted, always, blind, perfect

from medloom.schema.errors import ResumeError, UsageError
from medloom.train.conversation import Style
from medloom.train.evaluating import parts
from medloom.train.evaluating.asked_here import questions, sampled, shots_from
from medloom.train.evaluating.evaluate import evaluate, rescore
from medloom.train.evaluating.plan import Part
from medloom.train.evaluating.shots import Shots
from medloom.train.evaluating.truth import answered
from medloom.train.evaluating.variants import VARIANTS, Aim, of_aim
from medloom.train.predicting.backend import Turns
from medloom.train.prediction import Prediction, Reply
from medloom.train.scoring.scored import scored_of

STYLE = Style()
FAST: dict[str, Any] = {"resamples": 50, "report": False}


def test_who_knows_everything_is_right_everywhere(some, tmp_path: Path):
    found = evaluate(some, perfect(some, STYLE, variants=VARIANTS), out=tmp_path, variants=VARIANTS, **FAST)
    assert found["questions"] == 40
    assert found["scores"]["n"] == 40
    measures = found["scores"]["measures"]
    assert {measures[name]["value"] for name in ("accuracy", "exact_mcq", "acc_mcq", "recall_mcq")} == {1.0}
    assert found["scores"]["statuses"] == {"answered": 40}
    assert found["error_kinds"]["all"] == {"right": 40}
    for id in of_aim(Aim.ROBUSTNESS):
        told = found["variants"][id]
        assert told["n"] + told["not_applicable"] == 40
        assert {told[name]["value"] for name in ("right", "plain_right")} == {1.0}, id
        assert told["flips"]["value"] == 0.0, id
    moved = found["variants"]["moved"]
    assert moved["n"] > 5
    assert (moved["follows"]["value"], moved["stays"]["value"]) == (1.0, 0.0)
    assert found["variants"]["window:narrow"]["windows"] == {"-160…240 → -60…140 HU": 40}


def test_who_looks_away_stays_when_prompts_move_and_flips_when_options_do(some, tmp_path: Path):
    found = evaluate(some, blind(some, STYLE, variants=VARIANTS), out=tmp_path, variants=VARIANTS, **FAST)
    moved, order = found["variants"]["moved"], found["variants"]["order:1"]
    assert (moved["follows"]["value"], moved["stays"]["value"]) == (0.0, 1.0)
    assert moved["stays_of_right"]["n"] == moved["n"]
    assert order["plain_right"]["value"] == 1.0
    assert order["flips"]["value"] == order["right_to_wrong"]["value"] == 1.0 - order["right"]["value"] > 0.5


def test_who_always_says_a_gets_what_a_is_worth(some, tmp_path: Path):
    found = evaluate(some, always("A"), out=tmp_path, variants=("order:1",), **FAST)
    single = [one for one in some.questions() if one.kind == "single_choice"]
    several = [one for one in some.questions() if one.kind == "multiple_choice"]
    measures = found["scores"]["measures"]
    assert measures["accuracy"]["value"] == pytest.approx(sum(one.letters == ("A",) for one in single) / len(single))
    assert measures["recall_mcq"]["value"] == pytest.approx(
        sum(("A" in one.letters) / len(one.letters) for one in several) / len(several)
    )
    right = sum(one.letters == ("A",) for one in some.questions())
    assert found["error_kinds"]["all"] == {"right": right, "wrong: can't tell": 40 - right}


def test_who_refuses_is_never_right_and_counted_as_such(some, tmp_path: Path):
    found = evaluate(some, always("I'm sorry, but I can't help with medical images."), out=tmp_path, **FAST)
    assert found["scores"]["measures"]["accuracy"]["value"] == 0.0
    assert found["scores"]["statuses"] == {"refused": 40}
    assert found["error_kinds"]["all"] == {"refusal": 40}
    assert found["replies"]["failed"] == 0


def test_files_agree_with_what_comes_back(some, tmp_path: Path):
    found = evaluate(some, always("A"), out=tmp_path, variants=("order:1",), **FAST)
    assert json.loads((tmp_path / "results.json").read_text()) == json.loads(json.dumps(found))
    rows = scored_of(pq.read_table(tmp_path / "scored.parquet"))
    predictions = pq.read_table(tmp_path / "predictions.parquet").to_pylist()
    ids = [one.id for one in some.questions()]
    assert [one["id"] for one in predictions] == [*ids, *ids]
    assert {one["text"] for one in predictions} == {"A"}
    assert len(rows) == 80
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] != ".") == [
        "examples.json", "plan.json", "predictions.parquet", "results.json", "scored.parquet", "seen-sizes.json",
    ]  # fmt: skip
    assert found["settings"]["backend"]["model"] == "always A"
    assert str(tmp_path) not in (tmp_path / "results.json").read_text()


class Dying(Scripted):
    """Gone after so many calls."""

    left = 2

    def replies(self, turns: Sequence[Turns]) -> list[Reply]:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        return super().replies(turns)


def test_an_interrupted_run_goes_on_and_asks_nothing_twice(some, tmp_path: Path):
    whole = evaluate(some, always("A"), out=tmp_path / "whole", variants=("order:1",), **FAST)
    dying = Dying(lambda _: "A", name="always A")
    with pytest.raises(KeyboardInterrupt):
        evaluate(some, dying, out=tmp_path / "cut", variants=("order:1",), **FAST)
    again = always("A")
    assert evaluate(some, again, out=tmp_path / "cut", variants=("order:1",), **FAST) == whole
    assert len(dying.asked) == 2 * dying.at_once
    assert len(dying.asked) + len(again.asked) == 80
    for name in ("predictions.parquet", "scored.parquet", "results.json"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    evaluate(some, again, out=tmp_path / "cut", variants=("order:1",), **FAST)
    assert len(dying.asked) + len(again.asked) == 80


def test_another_run_is_refused_unless_it_begins_anew(some, tmp_path: Path):
    evaluate(some, always("A"), out=tmp_path, **FAST)
    with pytest.raises(ResumeError, match=r"backend was .*always A.* is .*always B"):
        evaluate(some, always("B"), out=tmp_path, **FAST)
    with pytest.raises(ResumeError, match="digest"):
        evaluate(some.taken(range(39)), always("A"), out=tmp_path, **FAST)
    found = evaluate(some, always("B"), out=tmp_path, fresh=True, **FAST)
    assert {one["text"] for one in pq.read_table(tmp_path / "predictions.parquet").to_pylist()} == {"B"}
    assert found["settings"]["backend"]["model"] == "always B"


def test_what_got_no_reply_is_asked_again_and_nothing_else(some, tmp_path: Path):
    flaky = Scripted(lambda turns: None if len(flaky.asked) == 20 else "A", name="flaky")
    found = evaluate(some, flaky, out=tmp_path, **FAST)
    assert (found["replies"]["failed"], found["replies"]["errors"]) == (1, {"timeout": 1})
    assert found["scores"]["statuses"] == {"answered": 39, "failed": 1}
    before = len(flaky.asked)
    found = evaluate(some, flaky, out=tmp_path, **FAST)
    assert found["replies"]["failed"] == 0
    assert len(flaky.asked) - before == flaky.at_once
    assert not (tmp_path / parts.FOLDER).exists()


def test_predictions_are_scored_again_without_the_model(some, tmp_path: Path):
    found = evaluate(some, always("A"), out=tmp_path, variants=("order:1", "moved"), **FAST)
    (tmp_path / "results.json").unlink()
    (tmp_path / "scored.parquet").unlink()
    assert rescore(some, tmp_path, **FAST) == found
    with pytest.raises(UsageError, match="expected only those of"):
        rescore(some.taken(range(10)), tmp_path)
    with pytest.raises(UsageError, match=r"no plan.json"):
        rescore(some, tmp_path / "nothing")
    (tmp_path / parts.PREDICTIONS).write_bytes(b"PAR1")
    with pytest.raises(UsageError, match="can't be read"):
        rescore(some, tmp_path)


def test_half_a_part_is_no_part(tmp_path: Path):
    part = Part("", 0, 1)
    parts.write(tmp_path, part, [Prediction("q", "", "A")], {})
    assert parts.done(tmp_path, part)
    path = tmp_path / parts.FOLDER / part.file
    path.write_bytes(path.read_bytes()[:-40])
    assert not parts.done(tmp_path, part)


def test_withheld_answers(phantoms, tmp_path: Path):
    asked = questions(phantoms.hidden, suite="gmai", split="test", limit=30)
    with pytest.raises(UsageError, match="answers of 30 questions are withheld"):
        evaluate(asked, always("A"), out=tmp_path, **FAST)
    found = evaluate(asked, always("A"), out=tmp_path, predict_only=True, **FAST)
    assert not found["scored"]
    assert not (tmp_path / "scored.parquet").exists()
    joined = answered(asked, phantoms.answers)
    hidden = rescore(joined, tmp_path, **FAST)
    plain = questions(phantoms.release, suite="gmai", split="test").questions()
    ids = [one.id for one in plain]
    known = phantoms.asked().taken([ids.index(one.id) for one in asked.questions()])
    shown = evaluate(known, always("A"), out=tmp_path / "known", **FAST)
    assert hidden["scores"]["measures"] == shown["scores"]["measures"]
    with pytest.raises(UsageError, match="no answer to 30 of 30"):
        answered(asked, tmp_path)


def test_a_sample_is_drawn_by_seed_and_grows(phantoms):
    ids = [one.id for one in phantoms.asked().questions()]
    ten, twenty, other = (sampled(ids, count, seed=seed) for count, seed in ((10, 0), (20, 0), (10, 1)))
    assert ten == sorted(ten)
    assert set(ten) < set(twenty)
    assert ten != other
    assert {ids[place] for place in sampled(ids[::-1], 10, seed=0)} != {ids[place] for place in other}
    assert {ids[::-1][place] for place in sampled(ids[::-1], 10, seed=0)} == {ids[place] for place in ten}


def test_examples_are_alike_and_of_other_groups(phantoms, some):
    shots = Shots(phantoms.asked(split="train"), 3)
    for place in range(0, len(some), 4):
        one = some[place]
        examples = shots.of(one)
        assert [shot.question.id for shot in examples] == [shot.question.id for shot in shots.of(one)]
        assert {shot.question.subset for shot in examples} <= {one.question.subset}
        assert {shot.question.rule for shot in examples} <= {one.question.rule}
        groups = [shot.record["group"] for shot in examples]
        assert len(set(groups)) == len(groups)
        assert one.record["group"] not in groups
    assert len(shots.of(some[0])) == 3


def test_examples_of_the_same_split_leave_out_the_group_and_the_command_refuses_them(phantoms, some):
    same = Shots(phantoms.asked(), 50)
    for place in (0, 20):
        assert some[place].record["group"] not in [shot.record["group"] for shot in same.of(some[place])]
    with pytest.raises(UsageError, match="which is asked about"):
        shots_from(some, phantoms.release, split="test", count=1, seed=0, suite="gmai")


def test_examples_stand_before_the_question_with_their_answers(phantoms, some, tmp_path: Path):
    seen: list[Turns] = []
    model = Scripted(lambda turns: (seen.append(turns), "A")[1])
    evaluate(some.taken(range(4)), model, out=tmp_path, shots=Shots(phantoms.asked(split="train"), 2), **FAST)
    for one in seen:
        roles = [message["role"] for message in one.messages]
        assert roles == ["user", "assistant"] * (len(one.pictures) - 1) + ["user"]
    assert max(len(one.pictures) for one in seen) == 3


def test_nothing_to_ask_and_unknown_variants(some, tmp_path: Path):
    with pytest.raises(UsageError, match="no questions"):
        evaluate(some.taken([]), always("A"), out=tmp_path)
    with pytest.raises(UsageError, match="variants upside-down; expected some of window:narrow"):
        evaluate(some, always("A"), out=tmp_path, variants=("upside-down",))
