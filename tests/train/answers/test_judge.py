"""The judge is asked where no rule reads anything, and believed in its closed form alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from scripted_chat import Answer, Body, Scripted, fields, said

from medloom.generation.writing.answers import Answers
from medloom.generation.writing.endpoint import Client, Endpoint
from medloom.schema.question import Question
from medloom.train.answers.choice import Choice
from medloom.train.answers.judge import Compared, Judge
from medloom.train.answers.status import Status

OPTIONS = ["normal", "pneumonia", "pleural effusion"]


def judging(text: str) -> Callable[[Body, int], Answer]:
    return lambda body, before: Answer(text)


def client(server: Scripted, folder: Path) -> Client:
    return Client(Endpoint(base_url=server.url, model="small", attempts=1), Answers(folder / "answers.sqlite"))


def test_the_judge_reads_what_no_rule_reads(tmp_path: Path, choice: Callable[..., Question]):
    reply = "Fluid has gathered around the lung."
    with Scripted(judging('{"A": 0, "B": 0, "C": 1}')) as server, client(server, tmp_path) as asks:
        first = Judge(asks).choice(reply, choice(OPTIONS))
        assert Judge(asks).choice(reply, choice(OPTIONS)) == first
        assert len(server.bodies) == 1, "the second time it is answered from disk"
    assert first.choice == Choice(("C",), "judge", Status.ANSWERED)
    assert (first.model, len(first.digest or "")) == ("scripted-1", 64)
    assert fields(server.bodies[0]) == ["A", "B", "C"]
    assert "| Fluid has gathered" in said(server.bodies[0])
    assert "C. pleural effusion" in said(server.bodies[0])


@pytest.mark.parametrize("reply", ["B", "A or B", "I cannot tell.", "", None, "None of the above", "A, B"])
def test_where_a_rule_speaks_nobody_is_asked(reply: str | None, tmp_path: Path, choice: Callable[..., Question]):
    with Scripted(judging('{"A": 1, "B": 0, "C": 0}')) as server, client(server, tmp_path) as asks:
        found = Judge(asks).choice(reply, choice(OPTIONS))
        assert (found.model, found.digest, server.bodies) == (None, None, [])
        assert found.choice.rule != "judge"


@pytest.mark.parametrize(
    "text", ["C", "The reply means C.", '{"A": 0}', '{"A": 0, "B": 0, "C": 2}', '{"A": 0, "B": 0, "C": "yes"}', "[]", ""]
)
def test_a_judge_without_form_leaves_the_reply_unparsed(text: str, tmp_path: Path, choice: Callable[..., Question]):
    with Scripted(judging(text)) as server, client(server, tmp_path) as asks:
        found = Judge(asks).choice("Fluid has gathered.", choice(OPTIONS))
    assert found.choice == Choice((), "nothing-read", Status.UNPARSED)


def test_a_judge_counts_what_it_was_asked_and_what_came_of_it(tmp_path: Path, choice: Callable[..., Question]):
    def script(body: Body, before: int) -> Answer:
        return Answer(status=500) if "nowhere" in said(body) else Answer("C")

    with Scripted(script) as server, client(server, tmp_path) as asks:
        judge = Judge(asks)
        assert (judge.told["asked"], judge.told["unanswered"]) == (0, {})
        judge.choice("B", choice(OPTIONS))
        judge.choice("Fluid has gathered.", choice(OPTIONS))
        judge.same("nowhere", "here", asked="Where?")
    assert (judge.told["model"], judge.told["asked"]) == (judge.name, 2)
    assert sum(judge.told["unanswered"].values()) == 2


def test_a_judge_that_sees_nothing_or_two_chooses_nothing(tmp_path: Path, choice: Callable[..., Question]):
    with Scripted(judging('{"A": 0, "B": 0, "C": 0}')) as server, client(server, tmp_path) as asks:
        none = Judge(asks).choice("Fluid has gathered.", choice(OPTIONS))
    assert (none.choice.rule, none.model) == ("nothing-read", "scripted-1")
    with Scripted(judging('{"A": 0, "B": 1, "C": 1}')) as server, client(server, tmp_path / "two") as asks:
        two = Judge(asks).choice("Fluid has gathered.", choice(OPTIONS))
        both = Judge(asks).choice("Fluid has gathered.", choice(OPTIONS, several=True))
    assert (two.choice.letters, two.choice.rule) == ((), "several")
    assert both.choice == Choice(("B", "C"), "judge", Status.ANSWERED)


def test_an_open_answer_is_compared_with_its_reference(tmp_path: Path):
    def script(body: Body, before: int) -> Answer:
        return Answer(json.dumps({"same": int("Reply:\n| water on the lung" in said(body))}))

    with Scripted(script) as server, client(server, tmp_path) as asks:
        judge = Judge(asks)
        same = judge.same("water on the lung", "pleural effusion", asked="What is seen?")
        other = judge.same("a broken rib", "pleural effusion", asked="What is seen?")
    assert (same.same, other.same, same.model) == (True, False, "scripted-1")
    assert same.digest != other.digest
    with Scripted(judging("maybe")) as server, client(server, tmp_path / "bad") as asks:
        assert Judge(asks).same("x", "y", asked="z") == Compared(None)
