"""Which names are the same words otherwise written, and which only look like it."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medloom.schema.labels.spelling import STAGES, Spelling, alike, contrary, forms, key, misspelled, opposed, side_of
from medloom.schema.labels.table import table

SAME = [
    ("white bloodcell", "white blood cell", "spaces or hyphens"),
    ("micro-calcification", "microcalcification", "spaces or hyphens"),
    ("Crohn's disease", "crohn disease", "spaces or hyphens"),
    ("haemorrhage", "hemorrhage", "British spelling"),
    ("oesophagus", "esophagus", "British spelling"),
    ("leucocyte", "leukocyte", "British spelling"),
    ("coeliac disease", "celiac disease", "British spelling"),
    ("optic disk", "optic disc", "British spelling"),
    ("labelled cell", "labeled cell", "British spelling"),
    ("liver tumour", "liver tumor", "British spelling"),
    ("metastases", "metastasis", "plural"),
    ("naevi", "nevus", "plural"),
    ("vertebrae", "vertebra", "plural"),
    ("fibres", "fiber", "plural"),
    ("carcinomata", "carcinoma", "plural"),
    ("biopsies", "biopsy", "plural"),
    ("renal cyst", "kidney cyst", "an adjective of the organ"),
    ("pulmonary nodules", "lung nodule", "an adjective of the organ"),
    ("tumour of the brain", "brain tumor", "word order"),
    ("calcification of aortic valve", "aortic valve calcification", "word order"),
    ("nuclei of cells", "cell nucleus", "word order"),
    ("melenoma", "melanoma", "a letter"),
    ("pnuemonia", "pneumonia", "a letter"),
    ("dermatofibrona", "dermatofibroma", "a letter"),
    ("mennigioma of the spine", "spinal menigioma", "a letter"),
    ("menningioma", "meningioma", "a letter"),
    ("cirrosis", "cirrhosis", "a letter"),
    ("tendonitis", "tendinitis", "a letter"),
]
DIFFERENT = [
    ("hypochromia", "hyperchromia"),
    ("hypoplasia", "hyperplasia"),
    ("macrocyte", "microcyte"),
    ("internal globus pallidus", "external globus pallidus"),
    ("T2", "T3"),
    ("stage T2 tumor", "stage T3 tumor"),
    ("grade 1", "grade 2"),
    ("influenza a", "influenza b"),
    ("vertebra C3", "vertebra C4"),
    ("mild retinopathy", "severe retinopathy"),
    ("upper lobe", "lower lobe"),
    ("left lung", "right lung"),
    ("no brain tumor", "brain tumor"),
    ("with contrast", "without contrast"),
    ("atypical nevus", "typical nevus"),
    ("afferent", "efferent"),
    ("abduction", "adduction"),
    ("intracranial", "extracranial"),
    ("ileum", "ilium"),
    ("ureter", "urethra"),
    ("perineal", "peroneal"),
    ("metacarpal", "metatarsal"),
    ("bronchial cyst", "branchial cyst"),
    ("papillary muscle", "pupillary muscle"),
    ("microcytic anemia", "microcystic anemia"),
    ("hepatoma", "hematoma"),
    ("myoma", "myxoma"),
    ("chondroma", "chordoma"),
    ("dysphagia", "dysphasia"),
    ("pleural", "plural"),
    ("spondylosis", "spondylitis"),
    ("lymphocyte", "lymphoblast"),
    ("myelocyte", "metamyelocyte"),
    ("ovalocyte", "elliptocyte"),
    ("kidney", "kidney cyst"),
    ("liver tumor", "liver lesion"),
]


@pytest.mark.parametrize(("one", "other", "how"), SAME)
def test_the_same_words_otherwise_written(one: str, other: str, how: str):
    assert alike(one, other) == alike(other, one) == how


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_a_few_letters_may_mean_another_thing(one: str, other: str):
    assert alike(one, other) is None
    assert alike(other, one) is None


def test_no_two_labels_of_the_table_are_taken_for_one():
    words = [(word, entry.name) for entry in table() for word in entry.words]
    assert len(words) > 500
    confused = [(one, other) for (one, mine), (other, yours) in combinations(words, 2) if mine != yours and alike(one, other)]
    assert confused == []


@pytest.mark.parametrize(
    ("one", "other", "words"),
    [
        ("stage T2", "stage T3", {"t2", "t3"}),
        ("T1", "T2", {"t1", "t2"}),
        ("grade II glioma", "grade III glioma", {"ii", "iii"}),
        ("upper lobe of lung", "lung, lower lobe", {"upper", "lower"}),
        ("benign tumour", "malignant tumor", {"benign", "malignant"}),
    ],
)
def test_grades_and_opposites_tell_names_apart(one: str, other: str, words: set[str]):
    found = opposed(one, other)
    assert found is not None
    assert set(found) == words


@pytest.mark.parametrize(
    ("one", "other"), [("lesion 1", "lesion 2"), ("frame 12", "frame 13"), ("upper lobe", "upper lip"), ("lung", "lung")]
)
def test_counters_and_other_words_are_no_opposites(one: str, other: str):
    assert opposed(one, other) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("hypochromic cell", "hyperchromic cell"), ("typical nevus", "atypical nevus"), ("mild edema", "severe oedema")],
)
def test_contraries_are_never_the_closest_name(one: str, other: str):
    assert contrary(one, other)
    assert contrary(other, one)
    assert Spelling([(other, other)]).closest(one) is None
    assert Spelling([(other, other), (one + " body", "meant")]).closest(one) == "meant"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("left kidney", ("kidney", "left")),
        ("Kidney, right", ("kidney", "right")),
        ("both lungs", ("lungs", "both")),
        ("bilateral effusion", ("effusion", "both")),
        ("left", None),
        ("left or right lung", None),
        ("cleft lip", None),
    ],
)
def test_sides_inside_names(name: str, found: tuple[str, str] | None):
    assert side_of(name) == found


def test_near_names_its_canonical_name_and_the_word_that_is_close():
    spelling = Spelling([("white blood cell", "white blood cell"), ("leukocyte", "white blood cell")])
    near = spelling.near("Leucocytes")
    assert near is not None
    assert (near.name, near.word, near.how) == ("white blood cell", "leukocyte", "plural")
    assert spelling.near("red blood cell") is None
    assert spelling.abbreviated("WBC") == "white blood cell"
    assert spelling.abbreviated("w") is None


@given(st.text(max_size=30))
def test_any_text_has_its_forms_and_is_alike_itself(text: str):
    assert len(forms(text)) == len(STAGES)
    assert alike(text, text) == (STAGES[0] if forms(text)[0] else None)


@given(st.permutations(["acute", "fungal", "pneumonia", "in", "lungs"]))
def test_the_order_of_words_changes_no_key(words: list[str]):
    assert key(" ".join(words)) == key("acute fungal pneumonia in lung")


@given(st.text("abcdefgh", min_size=1, max_size=12), st.text("abcdefgh", min_size=1, max_size=12))
def test_being_misspelled_is_mutual(one: str, other: str):
    assert misspelled(one, other) == misspelled(other, one)
