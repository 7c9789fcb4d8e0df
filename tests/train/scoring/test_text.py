"""Measures of words against the libraries' own and by hand."""

from __future__ import annotations

import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st
from rouge_score import rouge_scorer

from medloom.schema.errors import UsageError
from medloom.train.scoring.text import (
    bleu,
    closed_accuracy,
    corpus_bleu,
    description_measures,
    exact,
    open_measures,
    rouge_l,
    token_f1,
    token_precision,
    token_recall,
)

WORDS = ["left", "right", "lung", "mass", "small", "large", "seen", "in", "upper", "lobe", "with", "3", "nodules", "no"]
sentence = st.lists(st.sampled_from(WORDS), min_size=1, max_size=15).map(" ".join)


@given(sentence, sentence)
def test_bleu_and_rouge_are_the_libraries(reply: str, reference: str):
    metric = sacrebleu.BLEU(tokenize="none", effective_order=True)
    assert bleu(reply, reference) == pytest.approx(metric.sentence_score(reply, [reference]).score / 100)
    theirs = rouge_scorer.RougeScorer(["rougeL"]).score(reference, reply)["rougeL"].fmeasure
    assert rouge_l(reply, reference) == pytest.approx(theirs)


@given(st.lists(st.tuples(sentence, sentence), min_size=1, max_size=6))
def test_corpus_bleu_is_the_librarys(pairs: list[tuple[str, str]]):
    replies, references = map(list, zip(*pairs, strict=True))
    theirs = sacrebleu.corpus_bleu(replies, [references], tokenize="none").score / 100
    assert corpus_bleu(replies, references) == pytest.approx(theirs)


@given(sentence, sentence)
def test_tokens_are_counted_as_often_as_both_have_them(reply: str, reference: str):
    recall, precision = token_recall(reply, reference), token_precision(reply, reference)
    left = reply.split()
    hits = sum(one in left and left.remove(one) is None for one in reference.split())
    assert recall == pytest.approx(hits / len(reference.split()))
    assert precision == pytest.approx(hits / len(reply.split()))
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0
    assert token_f1(reply, reference) == pytest.approx(f1)


@given(st.text(), st.text())
def test_all_measures_of_any_texts_lie_in_0_to_1(reply: str, reference: str):
    assert all(0 <= one <= 1 for one in open_measures(reply, reference).values())


@pytest.mark.parametrize("text", ["yes", "a mass in the left lung", "肺炎", "Größe 3 µm", "3"])
def test_the_same_text_scores_1(text: str):
    assert open_measures(text.upper(), text) == pytest.approx(dict.fromkeys(open_measures(text, text), 1.0))


def test_empty_texts():
    assert set(open_measures("", "mass").values()) == {0.0}
    assert set(open_measures("mass", "").values()) == {0.0}
    assert (exact("", ""), token_recall("", ""), token_f1("", "?"), bleu("", ""), rouge_l("", "")) == (1, 1, 1, 0, 0)


def test_articles_case_and_number_words_play_no_part():
    assert exact("The three Nodules.", "3 nodules") == 1
    assert exact("nodules 3", "3 nodules") == 0
    assert token_recall("nodules, and 3 of them", "three nodules") == 1


def test_closed_answers():
    assert closed_accuracy("Yes, it is.", "yes") == 1
    assert closed_accuracy("There is no mass.", "No") == 1
    assert closed_accuracy("I can't tell.", "no") == closed_accuracy(None, "no") == closed_accuracy("Yes and no", "yes") == 0
    assert closed_accuracy("axial", "Axial", words=("axial", "coronal")) == 1
    with pytest.raises(UsageError, match="expected one of yes, no"):
        closed_accuracy("yes", "maybe")


def test_calls_that_make_no_sense():
    with pytest.raises(UsageError, match="as many of each"):
        corpus_bleu(["a"], [])
    with pytest.raises(UsageError, match="order 5"):
        bleu("a b", "a b", order=5)


def test_descriptions_have_the_five_attributes():
    reference = "This CT slice shows the liver and the spleen. The liver is bright."
    same = description_measures(reference, reference)
    assert same["alignment"] == same["alignment_modality"] == same["alignment_structures"] == 1
    other = description_measures("This MRI slice shows the heart.", reference)
    assert other["alignment_structures"] == 0
    assert (other["alignment_modality"] or 0) < 1
    assert description_measures("", reference)["alignment"] == 0
    judged = description_measures(reference, reference, judge=lambda attribute, *_: 1)
    assert judged["alignment_relation"] == 0.5
