"""The corpus of replies: what is read in each, by which rule, and where VLMEvalKit's rules read something else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from medloom.schema.question import Kind, Question
from medloom.train.answers.choice import read_choice
from medloom.train.answers.status import Status
from medloom.train.answers.vlmevalkit import WRONG, vlmevalkit

REPLIES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("corpus.yaml").read_text(encoding="utf-8"))["replies"]
RULES = {
    *("letter", "letters", "text", "synonym", "texts", "stated", "stated-text", "leading", "enumerated", "leading-text"),
    *("marked", "lone", "contained-text", "answer-tag", "boxed", "json", "refusal", "none-fits", "not-there", "several"),
    *("hedged", "contradictory", "no-such-option", "echo", "nothing-read", "no-text", "only-reasoning", "no-reply"),
}
READ_OTHERWISE = {
    "A pleural effusion.": "A",  # the article
    "B cell": "B",  # a letter within the option's text
    "B cells": "B",
    "The answer is B cell.": "B",
    "B. cereus": "B",
    "C. difficile": "C",
    "<|channel|>analysis<|message|>Maybe A.<|end|><|start|>assistant<|channel|>final<|message|>C<|return|>": "A",
}
"""Replies in which VLMEvalKit reads another letter than we do."""


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: repr(reply["said"])[:60])
def test_a_reply_is_read_by_its_rule(reply: dict[str, Any], questions: Mapping[str, Question]):
    found = read_choice(reply["said"], questions[reply["asked"]])
    assert (found.letters, found.rule) == (tuple(reply.get("letters", "")), reply["rule"])
    assert found.status == reply.get("status", Status.ANSWERED)
    assert bool(found.letters) == (found.status is Status.ANSWERED)


def test_the_corpus_is_large_and_knows_every_rule_and_status():
    assert len(REPLIES) >= 250
    assert len({(one["asked"], one["said"]) for one in REPLIES}) == len(REPLIES)
    rules = {one["rule"] for one in REPLIES}
    assert rules == RULES
    assert {one.get("status", "answered") for one in REPLIES} == set(Status)


def test_where_vlmevalkit_reads_otherwise(questions: Mapping[str, Question]):
    """Of single choices: what both read is the same but for a stated list; what it alone reads isn't an answer."""
    pairs = [(one["said"], _theirs(one, questions), one.get("letters")) for one in REPLIES if _single(one, questions)]
    assert {said: theirs for said, theirs, ours in pairs if theirs and ours and theirs != ours} == READ_OTHERWISE
    alone = {said for said, theirs, ours in pairs if theirs and not ours}
    assert {"Not A", "It is not B.", "A large mass", "Vitamin D", "There is no pneumonia in the image."} <= alone
    found = Counter((theirs is not None, ours is not None) for _, theirs, ours in pairs)
    assert found[False, True] > 80, "replies that only ours reads"
    assert found[True, False] == len(alone) < found[False, True]


def _single(reply: dict[str, Any], questions: Mapping[str, Question]) -> bool:
    return reply["said"] is not None and questions[reply["asked"]].kind is Kind.SINGLE_CHOICE


def _theirs(reply: dict[str, Any], questions: Mapping[str, Question]) -> str | None:
    read = vlmevalkit(reply["said"], questions[reply["asked"]].options)
    return None if read == WRONG else read
