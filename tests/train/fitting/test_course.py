"""Settings that would end a run after hours of training are refused before its first step."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from medloom.schema.errors import UsageError
from medloom.train.fitting.course import checked
from medloom.train.fitting.watched import tells_of_the_model


def settings(**more: Any) -> SimpleNamespace:
    evaluated = SimpleNamespace(value="steps")
    return SimpleNamespace(**{"eval_strategy": evaluated, "metric_for_best_model": None, "report_to": [], **more})


def medical(**more: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"patience": None, "answers": True, **more})


@pytest.mark.parametrize(
    "name", [None, "loss", "eval_loss", "eval_macro_accuracy", "box_iou", "mask_ciou", "eval_rewards/right/mean"]
)
def test_measures_that_evaluation_gives_can_be_watched(name: str | None):
    checked(medical(), settings(metric_for_best_model=name), held_out=["one"])


def test_a_measure_that_is_none_is_told_with_near_ones():
    with pytest.raises(UsageError, match=r"such as .*eval_accuracy"):
        checked(medical(patience=2), settings(metric_for_best_model="eval_acuracy"), held_out=["one"])


def test_a_measure_of_answers_needs_answers():
    with pytest.raises(UsageError, match="without answers; expected eval_loss"):
        checked(medical(answers=False), settings(metric_for_best_model="eval_macro_accuracy"), held_out=["one"])
    checked(medical(answers=False), settings(metric_for_best_model="eval_loss"), held_out=["one"])


def test_only_what_tells_of_the_model_is_told_of_it():
    names = ("eval_accuracy", "eval_macro_box_iou", "eval_mask_ciou", "eval_answered", "eval_loss")
    others = ("eval_num_tokens", "eval_entropy", "eval_runtime", "eval_mean_token_accuracy", "eval_rewards/right/mean", "epoch")
    assert [name for name in (*names, *others) if tells_of_the_model(name)] == list(names)


def test_a_logger_that_is_not_installed_is_told_with_its_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"train,tracking"):
        checked(medical(), settings(report_to=["wandb"]), held_out=["one"])
