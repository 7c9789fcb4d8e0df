"""Letters come back from whatever a model wraps them in, and never out of nothing."""

from __future__ import annotations

import re
import string
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from medloom.schema.errors import UsageError
from medloom.schema.question import Kind, Option, Question
from medloom.train.answers.choice import read_choice
from medloom.train.answers.status import Status

TEXTS = ["pneumonia", "pleural effusion", "lung mass", "fracture", "edema", "cardiomegaly", "E. coli", "B cell", "grade 2"]
TEMPLATES = (
    "{x}",
    "({x})",
    "{x}.",
    "{x})",
    "**{x}**",
    "`{x}`",
    "Answer: {x}",
    "**Answer:** {x}",
    "The answer is {x}.",
    "The correct answer is {x}.",
    "The correct answer is option {x}.",
    "The correct answer is ({x}).",
    "Option {x}",
    "Option {x} is correct.",
    "{x} is the correct answer.",
    "I would choose {x}.",
    "I think the answer is ({x}).",
    "Final answer: {x}",
    "So the answer is {x}, since nothing else fits.",
    "The best option is {x} because of the shape.",
    "\\boxed{{{x}}}",
    "<answer>{x}</answer>",
    '{{"answer": "{x}"}}',
    "<think>It may be anything.</think>\n{x}",
    "{x}<|im_end|>",
    "ASSISTANT: {x}",
    "答案是{x}。",
    "Die richtige Antwort ist {x}.",
    "La respuesta correcta es la {x}.",
    "{x}. {text}",
    "({x}) {text}",
    "**{x}. {text}**",
    "{x}) {text}.",
    "The correct answer is {x}. {text}.",
    "The correct answer is **{x}: {text}**",
    "Answer: {x}. {text}",
    "{x}\n\nThis follows from what is seen.",
    "It isn't obvious at first. Therefore, {x}.",
    "The answer is {text}.",
    "{text}",
    "{text}.",
    "Answer: {text}",
    "<answer>{text}</answer>",
    "\\boxed{{\\text{{{x}}}}}",
    "I'd go with {x}.",
    "My final answer is {x}",
    "{x}, because it fits best",
    "The shape fits ({x}) best of all.",
)
SEVERAL = (
    "{xs}",
    "Answer: {xs}",
    "The correct answers are {xs}.",
    "**{xs}**",
    "<answer>{xs}</answer>",
    "\\boxed{{{xs}}}",
    "Options {xs}",
    "The correct options are: {xs}",
    "I would choose {xs}.",
    "{texts}",
    "- {lines}",
    "{lettered}",
    "The correct answers are:\n{lettered}",
)
JUNK = [
    "lorem",
    "ipsum",
    "dolor",
    "sit",
    "amet",
    "consectetur",
    "adipiscing",
    "elit",
    "sed",
    "do",
    "eiusmod",
    "tempor",
    "the",
    "of",
    "and",
    "with",
    "radiograph",
    "image",
    "view",
    "7",
    "12",
    "%",
    "...",
    "\n",
]


def question(texts: list[str], *, several: bool = False) -> Question:
    options = tuple(Option(letter, text) for letter, text in zip(string.ascii_uppercase, texts, strict=False))
    plain = dict.fromkeys(("key", "split", "suite", "rule", "source", "modality", "area", "task", "subset"), "x")
    more = dict.fromkeys(("clinical_task", "department", "granularity"), "x")
    kind = Kind.MULTIPLE_CHOICE if several else Kind.SINGLE_CHOICE
    return Question(id="q-0000000000000000", kind=kind, question="What is seen here?", options=options, **plain, **more)


shuffled = st.permutations(TEXTS).flatmap(lambda every: st.integers(2, 8).map(lambda count: list(every[:count])))


@given(shuffled, st.sampled_from(TEMPLATES), st.data())
def test_the_letter_comes_back_from_every_template(texts: list[str], template: str, data: st.DataObject):
    option = data.draw(st.sampled_from(question(texts).options))
    read = read_choice(template.format(x=option.letter, text=option.text), question(texts))
    assert (read.letters, read.status) == ((option.letter,), Status.ANSWERED), read


@given(shuffled, st.sampled_from(SEVERAL), st.sampled_from([", ", ",", " and ", "; ", " & ", ", and "]), st.data())
def test_lists_come_back_from_every_template(texts: list[str], template: str, joint: str, data: st.DataObject):
    asked = question(texts, several=True)
    most = max(1, len(texts) - 1)
    chosen = sorted(data.draw(st.sets(st.sampled_from(range(len(texts))), min_size=1, max_size=most)))
    options = [asked.options[place] for place in chosen]
    read = read_choice(
        template.format(
            xs=joint.join(one.letter for one in options),
            texts=", ".join(one.text for one in options),
            lines="\n- ".join(one.text for one in options),
            lettered="\n".join(f"{one.letter}. {one.text}" for one in options),
        ),
        asked,
    )
    assert (read.letters, read.status) == (tuple(one.letter for one in options), Status.ANSWERED), read


@given(st.lists(st.sampled_from(JUNK), max_size=40).map(" ".join))
def test_words_without_letters_and_texts_give_no_letter(reply: str):
    read = read_choice(reply, question(["pneumonia", "pleural effusion", "lung mass"]))
    assert read.letters == ()
    assert read.status is not Status.ANSWERED


@given(st.text())
@example("{{{{")
@example("\\boxed{")
@example('{"answer": {"answer": {"answer": 1}}}')
@example("<answer></answer>")
@example("((((((((A" * 50)
def test_any_text_is_read_or_not_without_an_error(reply: str):
    asked = question(["pneumonia", "pleural effusion", "lung mass"])
    read = read_choice(reply, asked)
    assert set(read.letters) <= set("ABC")
    assert (read.status is Status.ANSWERED) == (len(read.letters) == 1)
    assert read_choice(reply, asked) == read


@given(st.text(alphabet="ABCabc ().,:;*\n\\{}<>or and", max_size=30))
def test_letters_of_single_choice_stand_in_the_reply(reply: str):
    read = read_choice(reply, question(["pneumonia", "pleural effusion", "lung mass"]))
    assert all(re.search(f"[{letter}{letter.lower()}]", reply) for letter in read.letters)


@given(shuffled)
def test_the_options_repeated_are_no_answer(texts: list[str]):
    for several in (False, True):
        asked = question(texts, several=several)
        listed = "\n".join(f"{one.letter}. {one.text}" for one in asked.options)
        for reply in (listed, f"{asked.question}\n{listed}", f"Options:\n{listed}\n"):
            read = read_choice(reply, asked)
            assert (read.letters, read.status) == ((), Status.UNPARSED), (reply, read)
        read = read_choice(f"Question: {asked.question}\nOptions:\n{listed}\nAnswer: B", asked)
        assert read.letters == ("B",)


@given(shuffled, st.data())
def test_a_letter_with_another_options_text_is_contradictory(texts: list[str], data: st.DataObject):
    asked = question(texts)
    one, other = data.draw(st.permutations(asked.options).map(lambda every: every[:2]))
    for template in ("{}. {}", "({}) {}", "The answer is {}. {}.", "Answer: {}) {}"):
        read = read_choice(template.format(one.letter, other.text), asked)
        assert (read.letters, read.rule) == ((), "contradictory"), (template, read)


def test_a_question_without_options_is_refused(asked: Callable[..., Question]):
    with pytest.raises(UsageError, match="no options"):
        read_choice("B", asked(Kind.DETECTION, "Where?"))


def test_options_of_the_same_words_are_told_apart_by_letter_alone(choice: Callable[..., Question]):
    same = choice(["left lung", "Left lung", "heart"])
    assert read_choice("left lung", same).status is Status.UNPARSED
    assert read_choice("B", same).letters == ("B",)


def test_a_long_loop_is_read_in_a_moment_and_by_the_same_rules(choice: Callable[..., Question]):
    asked = choice(["normal", "pneumonia"])
    assert read_choice("Answer: B\n" * 500, asked).letters == ("B",)
    assert read_choice("(A) (B) " * 500, asked).rule == "several"
    assert read_choice("no " * 3000, asked).letters == ()
