"""The text-only baseline: planted biases are found, and where there are none, none is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medloom.generation.baseline.guesses import GUESSERS
from medloom.generation.baseline.report import report
from medloom.generation.baseline.significance import at_least, holm
from medloom.generation.chance import Chance
from medloom.schema.errors import UsageError
from medloom.schema.question import Kind, Option, Question, row, table

WORDS = ("glioma", "meningioma", "pituitary tumor", "metastasis", "abscess", "multiple sclerosis")
ASKED = ("What does this image show?", "Which of these is seen here?", "Choose what fits the picture.")
LETTERS = "ABCDEF"


def question(number: int, texts: list[str], right: list[int], *, asked: str, suite: str = "toy") -> Question:
    letters = tuple(LETTERS[place] for place in right)
    return Question(
        id=f"q-{Chance('id', suite, number).bits64():016x}", key=f"toy-{Chance('key', number).bits64():016x}",
        split=("train", "validation", "test", "train")[number % 4], suite=suite,
        kind=Kind.SINGLE_CHOICE if len(right) == 1 else Kind.MULTIPLE_CHOICE, rule="toy", source="toy", modality="MRI",
        area="brain", task="t", subset="mri-brain-t", clinical_task="Disease Diagnosis", department="Neurosurgery",
        granularity="image", question=asked, options=tuple(map(Option, LETTERS, texts)),
        answer=", ".join(letters), letters=letters,
    )  # fmt: skip


def fair(number: int, chance: Chance, **more: Any) -> Question:
    """Four of six words in drawn order, any of them right."""
    return question(number, chance.some(WORDS, 4), [chance.below(4)], asked=chance.one(ASKED), **more)


def several(number: int, chance: Chance) -> Question:
    """Two of four are right."""
    texts = chance.some(WORDS, 4)
    return question(number, texts, sorted(chance.some(range(4), 2)), asked=chance.one(ASKED))


def long_right(number: int, chance: Chance) -> Question:
    one = fair(number, chance)
    sure = max(one.options, key=lambda option: len(option.text))
    return replace(one, letters=(sure.letter,)) if chance.unit() < 0.3 else one


def short_right(number: int, chance: Chance) -> Question:
    one = fair(number, chance)
    sure = min(one.options, key=lambda option: len(option.text))
    return replace(one, letters=(sure.letter,)) if chance.unit() < 0.3 else one


def first_right(number: int, chance: Chance) -> Question:
    one = fair(number, chance)
    return replace(one, letters=("A",)) if chance.unit() < 0.3 else one


def often_glioma(number: int, chance: Chance) -> Question:
    one = fair(number, chance)
    sure = [option.letter for option in one.options if option.text == "glioma"]
    return replace(one, letters=tuple(sure)) if sure and chance.unit() < 0.4 else one


def telling(number: int, chance: Chance) -> Question:
    """The wording goes with the answer."""
    one = fair(number, chance)
    truth = one.options[LETTERS.index(one.letters[0])].text
    return replace(one, question=ASKED[WORDS.index(truth) % 3]) if chance.unit() < 0.5 else one


Maker = Callable[[int, Chance], Question]


def written(folder: Path, make: Maker, count: int, *, seed: int = 0) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table(row(make(number, Chance(seed, number))) for number in range(count)), folder / "toy.parquet")
    return folder


@pytest.mark.parametrize(
    ("make", "guesser"),
    [
        (long_right, "longest"),
        (short_right, "shortest"),
        (first_right, "position"),
        (often_glioma, "majority"),
        (telling, "wording"),
    ],
)
def test_a_planted_bias_is_found_by_its_guesser(make: Maker, guesser: str, tmp_path: Path):
    found = report([written(tmp_path, make, 2400)])
    toy = found["suites"]["toy"]
    assert toy["guessers"][guesser]["above_chance"]
    assert not found["passed"]
    assert toy["chance"] == pytest.approx(0.25)
    assert (toy["questions"], toy["learned"], toy["tried"]) == (2400, 1200, 1200)


@pytest.mark.parametrize("make", [fair, several])
def test_fair_sets_pass_in_nineteen_of_twenty_families(make: Maker, tmp_path: Path):
    passed = [report([written(tmp_path / str(seed), make, 200, seed=seed)])["passed"] for seed in range(30)]
    assert passed.count(False) <= 4  # of a binomial with 30 trials at 0.05, more come in one of 60


def test_guessing_several_is_chance_over_the_ways_to_choose(tmp_path: Path):
    assert report([written(tmp_path, several, 200)])["suites"]["toy"]["chance"] == pytest.approx(1 / 6)


def test_common_labels_are_out_of_play_in_balanced_sets(tmp_path: Path):
    def two_options(number: int, chance: Chance) -> Question:
        texts = chance.shuffled(["glioma", "no brain tumor"])
        return question(number, texts, [texts.index("glioma" if chance.unit() < 0.8 else "no brain tumor")], asked=ASKED[0])

    folder = written(tmp_path, two_options, 1000)
    plain, balanced = report([folder]), report([folder], balanced=True)
    assert plain["suites"]["toy"]["guessers"]["majority"]["accuracy"] > 0.7
    assert balanced["passed"]
    assert 0 < balanced["suites"]["toy"]["tried"] < 300
    assert balanced["suites"]["toy"]["guessers"]["majority"]["accuracy"] == 0.5


def test_one_split_alone_is_learned_and_tried_in_halves(tmp_path: Path):
    folder = written(tmp_path, lambda number, chance: replace(first_right(number, chance), split="train"), 1200)
    toy = report([folder])["suites"]["toy"]
    assert toy["parts"] == "two halves in turn"
    assert toy["tried"] == 1200
    assert toy["guessers"]["position"]["above_chance"]


def test_a_crossed_report_tries_every_question(tmp_path: Path):
    found = report([written(tmp_path, fair, 400)], crossed=True)["suites"]["toy"]
    assert (found["questions"], found["tried"]) == (400, 400)
    assert found["parts"] == "two halves in turn"


def test_questions_that_fall_together_count_as_fewer_trials(tmp_path: Path):
    """Eight equal questions of each sample: a set of 600 says as much as 75."""

    def eightfold(number: int, chance: Chance) -> Question:
        one = fair(number // 8, Chance("eightfold", number // 8))
        return replace(one, id=f"q-{chance.bits64():016x}")

    toy = report([written(tmp_path, eightfold, 1200)])["suites"]["toy"]
    assert toy["tried"] == 600
    assert all(40 <= one["trials"] <= 150 for one in toy["guessers"].values())
    alone = report([written(tmp_path / "alone", fair, 1200)])["suites"]["toy"]
    assert all(one["trials"] > 550 for one in alone["guessers"].values())


@pytest.mark.parametrize("size", [1, 6])
def test_fair_sets_pass_however_their_questions_hang_together(size: int, tmp_path: Path):
    def together(number: int, chance: Chance, *, seed: int) -> Question:
        one = fair(number // size, Chance("together", seed, number // size))
        return replace(one, id=f"q-{chance.bits64():016x}")

    reports = [
        report([written(tmp_path / str(seed), partial(together, seed=seed), 60 * size, seed=seed)]) for seed in range(30)
    ]
    assert [one["passed"] for one in reports].count(False) <= 4


def test_what_has_nothing_to_guess_stays_out(tmp_path: Path):
    def make(number: int, chance: Chance) -> Question:
        one = fair(number, chance)
        others = (
            replace(one, letters=(), answer=None),
            replace(one, flags=("mixed-in",)),
            replace(one, kind=Kind.DETECTION, options=(), letters=()),
            one,
        )
        return others[number % 5 % 4]

    folder = written(tmp_path, make, 500)
    assert report([folder])["suites"]["toy"]["questions"] == 100
    with pytest.raises(UsageError, match="no choice with its answer"):
        report([written(tmp_path / "none", lambda number, chance: make(5 * number, chance), 20)])
    with pytest.raises(UsageError, match="no question files"):
        report([tmp_path / "empty"])


def test_suites_share_one_correction(tmp_path: Path):
    written(tmp_path / "one", first_right, 1200)
    written(tmp_path / "two", lambda number, chance: fair(number, chance, suite="other"), 400)
    found = report([tmp_path])
    assert list(found["suites"]) == ["other", "toy"]
    assert found["tests"] == 2 * len(GUESSERS)
    raw = [one["p"] for suite in found["suites"].values() for one in suite["guessers"].values()]
    assert [one["adjusted"] for suite in found["suites"].values() for one in suite["guessers"].values()] == holm(raw)
    toy = found["suites"]["toy"]["guessers"]
    assert [name for name, one in toy.items() if one["above_chance"]] == ["position"]


def test_the_same_files_give_the_same_report(tmp_path: Path):
    folder = written(tmp_path, fair, 300)
    assert report([folder]) == report([folder / "toy.parquet"])


@settings(deadline=None)
@given(trials=st.integers(1, 400), share=st.floats(0, 1), chance=st.floats(0.02, 0.98))
def test_the_tail_is_scipys(trials: int, share: float, chance: float):
    stats = pytest.importorskip("scipy.stats")
    hits = round(share * trials)
    assert at_least(hits, trials, chance) == pytest.approx(stats.binom.sf(hits - 1, trials, chance), rel=1e-9, abs=1e-290)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_closed_bonferroni_test(values: list[float]):
    """A probability's adjusted value is the largest that any family with it gives its smallest one."""
    for place, adjusted in enumerate(holm(values)):
        others = [other for at, other in enumerate(values) if at != place]
        families = [(values[place], *some) for size in range(len(values)) for some in combinations(others, size)]
        assert adjusted == pytest.approx(max(min(1.0, len(one) * min(one)) for one in families))


def test_mixed_chances_are_never_made_more_surprising_than_they_are():
    """The exact tail of trials with chances of 1/2 and 1/4, against that of their mean."""
    exact = [1.0]
    for chance in [0.5] * 20 + [0.25] * 30:
        exact = [a * (1 - chance) + b * chance for a, b in zip([*exact, 0.0], [0.0, *exact], strict=True)]
    mean = (20 * 0.5 + 30 * 0.25) / 50
    assert all(at_least(hits, 50, mean) >= sum(exact[hits:]) for hits in range(19, 51))
