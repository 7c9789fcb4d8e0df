"""How close a reply in words is to a reference: plain functions on two texts.

Words are those of `answers/text.py` (`tokens`: lower case, no articles and punctuation, numbers as digits), so that they are
counted alike in every measure; of BLEU and ROUGE the libraries' own arithmetic is kept (sacrebleu, rouge-score).

exact         the same words in the same order
token_recall  share of the reference's tokens that the reply has, each as often as both have it: what LLaVA-Med (arXiv
              2306.00890) calls recall of open answers
token_f1      harmonic mean of that and of the share of the reply's tokens that the reference has (as SQuAD's F1)
bleu_1 … _4   sacrebleu's sentence BLEU up to that order, orders that are longer than the reply left out, exponential
              smoothing, 0 to 1
rouge_l       F-measure of the longest common subsequence, without stemming

A reply without a word scores 0, unless the reference has none either: then exact and the token measures are 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from ...generation.telling.alignment import ATTRIBUTES, MOST, Judge, alignment
from ...schema.errors import UsageError
from ..answers.status import Status
from ..answers.text import normal, read_closed, tokens

if TYPE_CHECKING:
    from rouge_score.rouge_scorer import RougeScorer
    from sacrebleu.metrics.bleu import BLEU

ORDERS = (1, 2, 3, 4)


def closed_accuracy(reply: str | None, reference: str, *, words: Sequence[str] = ("yes", "no")) -> float:
    """1 where the reply says the reference's word, else 0; what can't be read is wrong.

    Raises:
        UsageError: the reference is none of the words.
    """
    if normal(reference) not in {normal(word) for word in words}:
        raise UsageError(f"reference {reference!r}; expected one of {', '.join(words)}")
    said = read_closed(reply, words=words)
    return float(said.status is Status.ANSWERED and normal(said.text) == normal(reference))


def exact(reply: str, reference: str) -> float:
    """1 where both have the same words in the same order, else 0."""
    return float(tokens(reply) == tokens(reference))


def token_precision(reply: str, reference: str) -> float:
    """Share of the reply's tokens that the reference has."""
    return token_recall(reference, reply)


def token_recall(reply: str, reference: str) -> float:
    """Share of the reference's tokens that the reply has."""
    ours, theirs = Counter(tokens(reply)), Counter(tokens(reference))
    return (ours & theirs).total() / theirs.total() if theirs else float(not ours)


def token_f1(reply: str, reference: str) -> float:
    """Twice the shared tokens over all of both."""
    ours, theirs = Counter(tokens(reply)), Counter(tokens(reference))
    both = ours.total() + theirs.total()
    return 2 * (ours & theirs).total() / both if both else 1.0


def bleu(reply: str, reference: str, *, order: int = 4) -> float:
    """Sentence BLEU up to an order of 1 to 4, 0 to 1; 0 where either has no word.

    Raises:
        UsageError: sacrebleu isn't installed.
    """
    ours, theirs = normal(reply), normal(reference)
    return min(1.0, _bleu(order).sentence_score(ours, [theirs]).score / 100) if ours and theirs else 0.0


def corpus_bleu(replies: Sequence[str], references: Sequence[str], *, order: int = 4) -> float:
    """BLEU of many replies with one reference each, counts added up before they are divided, 0 to 1.

    Raises:
        UsageError: as many replies as references are needed, one or more; or sacrebleu isn't installed.
    """
    if not replies or len(replies) != len(references):
        raise UsageError(f"{len(replies)} replies, {len(references)} references; expected as many of each, one or more")
    scorer = _bleu(order, whole=True)
    found = scorer.corpus_score([normal(one) for one in replies], [[normal(one) for one in references]])
    return min(1.0, found.score / 100)


def rouge_l(reply: str, reference: str) -> float:
    """F-measure of the longest common subsequence of words, 0 to 1; 0 where either has no word.

    Raises:
        UsageError: rouge-score isn't installed.
    """
    return float(_rouge().score(reference, reply)["rougeL"].fmeasure)


def open_measures(reply: str, reference: str) -> dict[str, float]:
    """Exact match, token recall and F1, BLEU-1 to -4 and ROUGE-L of a reply, by the names of the module's table.

    Raises:
        UsageError: sacrebleu or rouge-score isn't installed.
    """
    shares = {one.__name__: one(reply, reference) for one in (exact, token_recall, token_f1, rouge_l)}
    return shares | {f"bleu_{order}": bleu(reply, reference, order=order) for order in ORDERS}


def description_measures(reply: str, reference: str, *, judge: Judge | None = None) -> dict[str, float | None]:
    """The measures of an open answer, and the five attributes of MedTrinity's check, each 0 to 1, with their share of all.

    An attribute of which the reference says nothing is None; see `generation/telling/alignment.py`. A reply without a
    word has 0 in every attribute that the reference speaks of.

    Raises:
        UsageError: as for `open_measures`, or the judge gave no valid score.
    """
    found = alignment(reply, reference, judge=judge)
    scores = {
        f"alignment_{name}": None if found.scores[name] is None else (found.scores[name] or 0) / MOST for name in ATTRIBUTES
    }
    return {**open_measures(reply, reference), "alignment": found.share, **scores}


class _Words:
    """What rouge-score takes for a tokenizer."""

    def tokenize(self, text: str) -> list[str]:
        return tokens(text)


@cache
def _bleu(order: int, *, whole: bool = False) -> BLEU:
    if order not in ORDERS:
        raise UsageError(f"BLEU of order {order}; expected 1 to {ORDERS[-1]}")
    try:
        from sacrebleu.metrics.bleu import BLEU
    except ImportError as error:
        raise UsageError(f"{error}; expected the extra `train`; `pip install 'medloom[train]'`") from error
    return BLEU(tokenize="none", max_ngram_order=order, effective_order=not whole)


@cache
def _rouge() -> RougeScorer:
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError as error:
        raise UsageError(f"{error}; expected the extra `train`; `pip install 'medloom[train]'`") from error
    return RougeScorer(["rougeL"], use_stemmer=False, tokenizer=_Words())
