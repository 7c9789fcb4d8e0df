"""A vocabulary refuses what can't be a tree of distinct words, and finds every spelling of the words it has."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from medloom.schema.clinical_tasks import CLINICAL_TASKS
from medloom.schema.departments import DEPARTMENTS
from medloom.schema.errors import UsageError
from medloom.schema.granularity import GRANULARITIES
from medloom.schema.triplet import AREAS, MODALITIES, TASKS
from medloom.schema.vocabulary import Term, Vocabulary, fold, slug

ALL = (MODALITIES, AREAS, TASKS, DEPARTMENTS, CLINICAL_TASKS, GRANULARITIES)

COLOURS = Vocabulary(
    "colour",
    (
        Term("navy", "Navy blue", "blue", ("dark-blue",)),
        Term("blue", "Blue"),
        Term("ink", "Ink", "navy"),
        Term("sky", "Sky blue", "blue"),
        Term("red", "Red"),
    ),
)


def codes(terms: tuple[Term, ...]) -> list[str]:
    return [term.code for term in terms]


def test_the_tree_is_walked_up_and_down():
    assert codes(COLOURS.ancestors("ink")) == ["navy", "blue"]
    assert COLOURS.ancestors("red") == ()
    assert COLOURS.root("ink").code == "blue"
    assert COLOURS.root("red").code == "red"
    assert codes(COLOURS.children("blue")) == ["navy", "sky"]
    assert codes(COLOURS.descendants("blue")) == ["navy", "ink", "sky"]
    assert COLOURS.descendants("red") == ()


def test_is_a_holds_upwards_and_for_itself_alone():
    assert COLOURS.is_a("ink", "blue")
    assert COLOURS.is_a("ink", "ink")
    assert not COLOURS.is_a("blue", "ink")
    assert not COLOURS.is_a("ink", "red")


def test_a_vocabulary_is_a_container_of_codes():
    assert "navy" in COLOURS
    assert "Navy blue" not in COLOURS
    assert None not in COLOURS
    assert len(COLOURS) == 5
    assert COLOURS.codes == ("navy", "blue", "ink", "sky", "red")
    assert [term.code for term in COLOURS] == list(COLOURS.codes)
    assert repr(COLOURS) == "Vocabulary('colour', 5 terms)"


@pytest.mark.parametrize("word", ["navy", "NAVY", "Navy blue", "navy_blue", " navyBlue ", "dark blue", "Dark\u2013Blue"])
def test_spelling_is_forgiven(word: str):
    assert COLOURS.find(word).code == "navy"


@pytest.mark.parametrize("word", ["navvy", "dark bleu"])
def test_an_unknown_word_is_answered_with_the_closest(word: str):
    with pytest.raises(UsageError, match=rf"colour '{word}' is unknown; expected perhaps 'navy' \(Navy blue\)"):
        COLOURS.find(word)


def test_a_word_like_no_other_is_answered_with_the_roots():
    with pytest.raises(UsageError, match="expected one of blue, red, or a term below them"):
        COLOURS.find("zzzzzz")
    with pytest.raises(UsageError, match=r"expected one of image, box, mask, contour, point$"):
        GRANULARITIES.find("zzzzzz")


def test_a_word_that_is_no_code_is_answered_with_its_code():
    with pytest.raises(UsageError, match="colour 'Navy blue' is no code; expected its code, 'navy'"):
        COLOURS["Navy blue"]
    with pytest.raises(UsageError, match="modality 'CTTA' is no code; expected perhaps 'CTA'"):
        MODALITIES["CTTA"]


@pytest.mark.parametrize("walk", [COLOURS.ancestors, COLOURS.root, COLOURS.children, COLOURS.descendants])
def test_walking_from_an_unknown_code_raises(walk):
    with pytest.raises(UsageError, match="'green' is no code"):
        walk("green")


def test_is_a_with_an_unknown_code_raises_on_either_side():
    with pytest.raises(UsageError, match="'green' is no code"):
        COLOURS.is_a("green", "blue")
    with pytest.raises(UsageError, match="'green' is no code"):
        COLOURS.is_a("blue", "green")


@pytest.mark.parametrize(
    ("terms", "fault"),
    [
        ((Term("a", "A"), Term("a", "Another")), "code 'a' stands twice"),
        ((Term("a", "A", "b"),), "parent 'b' is no code"),
        ((Term("a", "A", "a"),), "'a' is its own ancestor"),
        ((Term("a", "A", "b"), Term("b", "B", "c"), Term("c", "C", "a")), "is its own ancestor"),
        ((Term("a", "A"), Term("b", "B", "c"), Term("c", "C", "b")), "is its own ancestor"),
        ((Term("x", "X-ray"), Term("y", "x_RAY")), "word 'x_RAY' means both 'x' and 'y'"),
        ((Term("x", "X", aliases=("z",)), Term("y", "Y", aliases=("Z ",))), "word 'Z ' means both 'x' and 'y'"),
        ((Term("x", "X", aliases=("- _",)),), "says nothing"),
    ],
)
def test_construction_refuses(terms: tuple[Term, ...], fault: str):
    with pytest.raises(UsageError, match=re.escape(fault)):
        Vocabulary("letter", terms)


def test_a_word_repeated_within_one_term_is_no_fault():
    assert Vocabulary("letter", (Term("a", "A", aliases=("a",)),)).find("A").code == "a"


@pytest.mark.parametrize("vocabulary", ALL, ids=lambda vocabulary: vocabulary.kind)
def test_every_word_finds_its_own_term_in_any_spelling(vocabulary: Vocabulary):
    for term in vocabulary:
        for word in term.words:
            for spelling in (word, word.upper(), word.lower(), word.replace(" ", "_"), word.replace("-", " ")):
                assert vocabulary.find(spelling) is term


@pytest.mark.parametrize("vocabulary", ALL, ids=lambda vocabulary: vocabulary.kind)
def test_trees_agree_with_themselves(vocabulary: Vocabulary):
    for term in vocabulary:
        assert vocabulary[term.code] is term
        assert all(vocabulary.is_a(below.code, term.code) for below in vocabulary.descendants(term.code))
        assert vocabulary.root(term.code).parent is None
    below_roots = [term for term in vocabulary if term.parent is None]
    assert len(vocabulary) == sum(1 + len(vocabulary.descendants(root.code)) for root in below_roots)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("COVID-19", "covid-19"),
        ("X-ray", "x-ray"),
        ("Head & Neck, left", "head-neck-left"),
        ("1.2.840.5", "1-2-840-5"),
        ("Ménière", "meniere"),
        ("weiß", "weiss"),
    ],
)
def test_slugs_as_written_by_hand(text: str, expected: str):
    assert slug(text) == expected


@given(st.text())
@example("İ.ı")
@example("Ⅷ½")
def test_a_slug_is_kebab_ascii_and_stays_as_it_is(text: str):
    try:
        made = slug(text)
    except UsageError:
        assume(False)
        raise
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", made)
    assert slug(made) == made


@given(st.text(alphabet=st.characters(codec="ascii", categories=["P", "S", "Zs"])))
def test_a_text_without_letter_or_digit_has_no_slug(text: str):
    with pytest.raises(UsageError, match="no ASCII letter or digit"):
        slug(text)


@given(st.text())
def test_folding_twice_changes_nothing_more_on_plain_words(text: str):
    assert fold(fold(text)) == fold(text)


MODALITY_WORDS = {fold(word) for term in MODALITIES for word in term.words}


@given(st.text() | st.sampled_from(sorted(MODALITY_WORDS)))
@example("t 1-W")
def test_find_gives_a_term_that_has_the_word_or_raises(word: str):
    if fold(word) in MODALITY_WORDS:
        assert fold(word) in {fold(known) for known in MODALITIES.find(word).words}
    else:
        with pytest.raises(UsageError, match=re.escape(f"modality {word!r} is unknown; expected ")):
            MODALITIES.find(word)
