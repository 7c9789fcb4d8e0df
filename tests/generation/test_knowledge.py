"""The knowledge file: every fact has a label, an id and a text that doesn't tell the label; the loader bites."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import pytest

from medloom.builders import catalog
from medloom.generation.pools import kin
from medloom.generation.telling.knowledge import ASKED, KINDS, SORTS, knowledge, leak, read
from medloom.generation.validators.naming import labels, named
from medloom.generation.wording import wordings
from medloom.schema.errors import UsageError
from medloom.schema.labels.table import table
from medloom.schema.triplet import MODALITIES

GOOD = """
liver:
  sort: organ
  facts:
    - {id: liver-bile, kind: function, text: makes bile}
"""
COMMON = """liver; kidney; spleen; pancreas; stomach; gallbladder; heart; lung; aorta; trachea; esophagus; urinary bladder;
prostate; uterus; brain; thyroid gland; spine; femur; rib; optic disc; retinal vessels; pulmonary nodule; pleural effusion;
pneumothorax; pneumonia; glioma; meningioma; melanoma; colonic polyp; red blood cell; white blood cell; platelet; cell nucleus;
fracture; kidney stone; ischemic stroke; intracranial hemorrhage; diabetic retinopathy; hippocampus; thalamus; polyp; tumor"""
ADVERBS = ("often", "classically", "mostly", "typically", "still")
GENERIC = frozenset(
    [
        "cell",
        "lesion",
        "vessel",
        "vessels",
        "structure",
        "plane",
        "border",
        "fold",
        "lung",
        "brain",
        "disease",
        "tissue",
        "bone",
        "nerve",
    ]
)
"""Last words of names that tell little: "cell" of "red blood cell"."""


def written(text: str, folder: Path) -> Path:
    path = folder / "knowledge.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_all_labels_of_the_catalogue_and_the_common_ones_are_known() -> None:
    known = {label.id: label.name for name in catalog.names() for label in catalog.load(name).labels.values() if label}
    known |= {table().id_of(name): name for name in re.split(r";\s+", COMMON)}
    assert sorted(name for label_id, name in known.items() if label_id not in knowledge()) == []
    assert len(known) > 100
    assert len(knowledge()) > 200


def test_facts_are_of_every_kind_and_sort_and_each_asked_one_has_wordings() -> None:
    facts = [fact for one in knowledge().values() for fact in one.facts]
    assert {fact.kind for fact in facts} == {*KINDS}
    assert {one.sort for one in knowledge().values()} == {*SORTS}
    assert len({fact.id for fact in facts}) == len(facts) > 400
    assert all(len(wordings("reasoning", kind)) >= 6 for kind in (*ASKED, "find", "find-all"))
    assert all(code in MODALITIES for fact in facts for code in fact.modalities)


def test_no_asked_text_names_its_label_by_any_of_its_words() -> None:
    for one in knowledge().values():
        for fact in one.facts:
            if fact.asked:
                assert one.label_id not in named(fact.text), fact.id
                assert leak(fact.text, table()[one.label]) is None, fact.id


def test_no_asked_text_holds_the_head_of_its_labels_name() -> None:
    for one in knowledge().values():
        heads = {re.findall(r"\w+", word.partition(" of ")[0])[-1].lower() for word in table()[one.label].words} - GENERIC
        for fact in one.facts:
            told = set(re.findall(r"[a-z]+", fact.text.lower())) & heads
            assert not (fact.asked and told), (fact.id, told)


def test_no_asked_text_names_something_wider_in_the_labels_own_words() -> None:
    for one in knowledge().values():
        own = set(one.label.split())
        for fact in one.facts:
            kindred = [mention for mention in labels().within(fact.text) if kin(mention.meant, one.label_id)]
            names = [entry.name for entry in table() if table().id_of(entry.name) in {mention.meant for mention in kindred}]
            assert not (fact.asked and any(set(name.split()) <= own for name in names)), (fact.id, names)


def test_texts_are_predicates() -> None:
    """A verb in the third person, or plural where the name is one, so that they go on from the label."""
    for one in knowledge().values():
        for fact in one.facts:
            first = next(word for word in fact.text.replace(",", "").split() if word not in ADVERBS)
            single = first.endswith("s") or first in {"can", "may", "was", "left"}
            assert single != one.plural, fact.id
            assert not re.search(r"[;]|\.\s|\s\s", fact.text), fact.id


def test_no_text_stands_at_two_labels_that_may_be_told_apart() -> None:
    facts = [(one.label_id, fact) for one in knowledge().values() for fact in one.facts if fact.asked]
    for (a, first), (b, second) in combinations(facts, 2):
        assert a == b or first.text != second.text, (first.id, second.id)


def test_facts_of_one_modality_are_asked_on_it_and_below_it() -> None:
    spine = knowledge()[table().id_of("spine")]
    assert "spine-ct" in {fact.id for fact in spine.asked("CTA")}
    assert "spine-ct" not in {fact.id for fact in spine.asked("T2")}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("liver:", "livver:", "'livver'"),
        ("sort: organ", "sort: thing", "sort 'thing'"),
        ("sort: organ", "colour: red\n  sort: organ", "expected sort and facts"),
        ("kind: function", "kind: use", "kind 'use'"),
        ("id: liver-bile", "id: bile", "begin with liver-"),
        ("makes bile", "makes bile in the liver", "holds 'liver'"),
        ("makes bile", "has two livers beside it", "holds 'liver'"),
        ("makes bile", "makes bile.", "without a full stop"),
        ("makes bile", "Makes bile", "lower case"),
        ("text: makes bile}", "text: makes bile, on: [CT]}", "expected id, kind and text"),
        ("text: makes bile}", "text: makes bile, also: [livver]}", "livver"),
        ("makes bile}", "makes bile}\n    - {id: liver-bile, kind: trait, text: is large}", "stands twice"),
        ("  facts:\n    - {id: liver-bile, kind: function, text: makes bile}", "  facts: []", "expected a list"),
    ],
)
def test_the_loader_refuses(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert len(read(written(GOOD, tmp_path))) == 1
    with pytest.raises(UsageError, match=re.escape(said)):
        read(written(GOOD.replace(old, new), tmp_path))


@pytest.mark.parametrize("text", ["- liver", "liver: [", "liver: 3"])
def test_the_loader_refuses_what_is_no_knowledge(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected"):
        read(written(text, tmp_path))
