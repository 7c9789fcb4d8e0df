"""Canonical names that a look at a folder proposes, and what it says of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medloom.builders import scaffold
from medloom.builders.catalog import load
from medloom.builders.infer import infer
from medloom.builders.infer_names import canonical_names
from medloom.builders.label_use import of_source
from medloom.builders.proposal import Proposal, labels_from
from medloom.schema.labels.lint import lint
from medloom.schema.labels.table import table


def proposed(*words: str) -> Proposal:
    return canonical_names(Proposal(layout="csv", labels=labels_from(list(words))))


def seen(proposal: Proposal, what: str) -> list[str]:
    return [one.seen for one in proposal.evidence if one.what == what]


def test_words_of_the_table_get_its_names():
    found = proposed("WBC", "Leucocyte", "erythrocytes", "melanoma", "zork", "todo")
    assert found.labels == {
        "WBC": "white blood cell",
        "Leucocyte": "white blood cell",
        "erythrocytes": "red blood cell",
        "melanoma": "melanoma",
        "zork": "zork",
        "todo": None,
    }
    [told] = seen(found, "name")
    assert "'WBC': alias of 'white blood cell'" in told
    assert "'melanoma'" not in told


@pytest.mark.parametrize(("word", "side"), [("Left Kidney", "left"), ("kidney_right", "right")])
def test_sides_are_split_off(word: str, side: str):
    found = proposed(word)
    assert (found.labels, found.sides) == ({word: "kidney"}, {word: side})
    assert seen(found, "name") == [f"{word!r}: {side} 'kidney'"]


def test_what_only_looks_like_a_name_stays_and_is_told():
    found = proposed("melenoma")
    assert found.labels == {"melenoma": "melenoma"}
    assert seen(found, "perhaps") == ["'melenoma': differs from 'melanoma', a word of 'melanoma', by a letter"]


def test_nothing_to_tell_tells_nothing():
    for words in ((), ("melanoma", "zork")):
        assert proposed(*words).evidence == ()


def test_long_lists_of_evidence_are_cut():
    words = [alias for entry in table() for alias in entry.aliases][:40]
    [told] = seen(proposed(*words), "name")
    assert told.endswith("more")


def test_the_written_file_is_clean_and_bears_the_evidence(tmp_path: Path):
    for word in ("Left Lung", "WBC", "glioma"):
        (tmp_path / "raw" / word).mkdir(parents=True)
        for number in range(3):
            Image.fromarray(np.full((8, 8), 40 * number, np.uint8)).save(tmp_path / "raw" / word / f"{number}.png")
    proposal = infer(tmp_path / "raw")
    triplet = scaffold.triplet_of(modality="CT", area="lung", task=None, labelled=True)
    path = tmp_path / "mine.py"
    scaffold.write(path, scaffold.text("mine", proposal, triplet=triplet))
    text = path.read_text(encoding="utf-8")
    assert '"Left Lung": Label("lung", laterality="left")' in text
    assert "'WBC': alias of 'white blood cell'" in text
    assert {raw: label and (label.name, label.laterality) for raw, label in load(str(path)).labels.items()} == {
        "Left Lung": ("lung", "left"),
        "WBC": ("white blood cell", None),
        "glioma": ("glioma", None),
    }
    assert lint(of_source(str(path)), table()) == []
