"""What a judge adds to the scoring of a reply, and what it has no say in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from region_questions import SIZE, annotation, choice, question, record, square

from medloom.schema.question import Prompt, Question
from medloom.train.answers.choice import Choice, read_choice
from medloom.train.answers.judge import Compared, Judged
from medloom.train.answers.status import Status
from medloom.train.coordinates import dialect
from medloom.train.coordinates.place import Frame
from medloom.train.prediction import Prediction
from medloom.train.scoring.score import score

OF = record(annotation("a0", mask=square(6, 4, 30, 20)))


@dataclass
class Scripted:
    """A judge that says what it is told to, and keeps what it was asked."""

    letters: tuple[str, ...] = ()
    is_same: bool | None = True
    asked: list[tuple[str, ...]] = field(default_factory=list)

    def choice(self, reply: str | None, question: Question) -> Judged:
        read = read_choice(reply, question)
        if read.rule != "nothing-read":
            return Judged(read)
        self.asked.append((reply or "",))
        return Judged(Choice(self.letters, "judge", Status.ANSWERED) if self.letters else read)

    def same(self, reply: str, reference: str, *, asked: str) -> Compared:
        self.asked.append((reply, reference, asked))
        return Compared(self.is_same)


@pytest.fixture
def scored() -> Callable:
    def one(asked: Question, text: str | None, judge: Scripted | None):
        reply = Prediction(asked.id, "", text, error=None if text is not None else "timeout")
        return score(asked, OF, reply, dialect=dialect("thousandths"), frame=Frame.of(SIZE), judge=judge)

    return one


def test_a_choice_that_no_rule_reads_is_the_judges(scored: Callable):
    asked, judge = choice("single_choice", "B"), Scripted(("B",))
    found = scored(asked, "The brighter of the two.", judge)
    assert (found.measures, found.said, found.parsed_by, found.status) == ({"accuracy": 1.0}, "B", "judge", "answered")
    assert judge.asked == [("The brighter of the two.",)]
    assert scored(asked, "C", judge).measures == {"accuracy": 0.0}
    assert len(judge.asked) == 1, "what a rule reads isn't asked"
    assert scored(asked, "The brighter of the two.", Scripted()).status == "unparsed"
    assert scored(asked, "The brighter of the two.", None).measures == {"accuracy": 0.0}


def test_a_judge_may_choose_several_where_several_may_be_right(scored: Callable):
    found = scored(choice("multiple_choice", "AB"), "The first two of them.", Scripted(("A", "B")))
    assert (found.measures["exact_mcq"], found.parsed_by) == (1.0, "judge")


def prompted(**fields) -> Question:
    shown = (Prompt("box", "a0", (6.0, 4.0, 30.0, 20.0)),)
    return question("prompted", prompts=shown, answer="It makes bile.", question="What does it do?", **fields)


@pytest.mark.parametrize(("says", "worth"), [(True, 1.0), (False, 0.0), (None, None)])
def test_an_open_answer_is_the_same_or_not(scored: Callable, says: bool | None, worth: float | None):
    judge = Scripted(is_same=says)
    assert scored(prompted(), "Bile comes from it.", judge).measures["judged_same"] == worth
    assert judge.asked == [("Bile comes from it.", "It makes bile.", "What does it do?")]


def test_places_are_taken_out_of_what_the_judge_compares(scored: Callable):
    judge = Scripted()
    scored(prompted(), "Bile comes from it [100, 100, 500, 500].", judge)
    assert "[" not in judge.asked[0][0]


def test_refusals_empty_replies_descriptions_and_yes_or_no_are_no_matter_for_a_judge(scored: Callable):
    judge = Scripted()
    assert "judged_same" not in scored(prompted(), None, judge).measures
    assert "judged_same" not in scored(prompted(), "", judge).measures
    described = question("description", answer="A CT slice of the liver.", granularity="image")
    assert "judged_same" not in scored(described, "A CT slice.", judge).measures
    assert scored(question("localization", answer="yes"), "Yes.", judge).measures == {"closed_accuracy": 1.0}
    assert judge.asked == []
    assert scored(prompted(), "I cannot tell.", judge).measures["judged_same"] == 0.0, "a refusal is worth nothing"
    assert scored(question("localization", answer="In the left lobe."), "On the left.", judge).measures["judged_same"] == 1.0


def test_without_a_judge_nothing_is_said_of_it(scored: Callable):
    assert "judged_same" not in scored(prompted(), "Bile comes from it.", None).measures
