"""The datasheet: seven sections, gaps that say what is wanted, and what people wrote stays, wherever they wrote it."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from medloom.cards.card.card import card
from medloom.cards.card.datasheet import GAP, _blocks, _by_people

SECTIONS = (
    "Motivation",
    "Composition",
    "Collection",
    "Preprocessing, cleaning, labelling",
    "Uses",
    "Distribution",
    "Maintenance",
)
FUNDING = "### Who paid for it?\n\n"


def edited(changed, old: str, new: str) -> str:
    """The sheet made again after somebody replaced words in it."""
    path = changed.root / "DATASHEET.md"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    card(changed.release)
    return path.read_text(encoding="utf-8")


def test_it_has_the_seven_sections_and_every_question_is_answered_or_asks(carded) -> None:
    text = carded.text("DATASHEET.md")
    assert re.findall(r"^## \d\. (.*)$", text, re.MULTILINE) == list(SECTIONS)
    questions = [block for block in _blocks(text) if block.heading.startswith("### ")]
    assert len(questions) > 35
    assert [block.name for block in questions if not block.body] == []
    assert carded.told["gaps"] == text.count(GAP) > 10


def test_answers_in_gaps_and_changed_facts_survive(changed) -> None:
    gap = next(iter(re.findall(rf"{re.escape(FUNDING)}(⟨.*⟩)", changed.text("DATASHEET.md"))))
    text = edited(changed, gap, "A grant.\n\n#### Which\n\nNumber 12 | 34.")
    assert f"{FUNDING}A grant.\n\n#### Which\n\nNumber 12 | 34.\n" in text
    text = edited(changed, "Medical images show wounds, organs and disease.", "No: all is drawn.")
    assert "No: all is drawn." in text
    assert "A grant." in text
    again = card(changed.release)
    assert again["kept"] == ["composition-distress", "motivation-funding"]
    assert again["gaps"] == changed.told["gaps"] - 1
    assert changed.text("DATASHEET.md") == text


def test_facts_that_nobody_touched_follow_the_release(changed) -> None:
    path = changed.root / "DATASHEET.md"
    edited(changed, "⟨to be filled in by the maintainer: the day of first publication⟩", "A Monday.")
    recipe = changed.release.recipe_path("phantom")
    recipe.write_text(recipe.read_text().replace('"medloom": "', '"medloom": "9.'))
    card(changed.release)
    assert "MedLoom 9." in path.read_text(encoding="utf-8")
    assert "A Monday." in path.read_text(encoding="utf-8")


def test_an_emptied_answer_comes_back(changed) -> None:
    text = edited(changed, "Medical images show wounds, organs and disease.", "")
    assert "Medical images show wounds, organs and disease." in text


def test_words_under_a_question_that_is_no_longer_asked_move_to_the_end(changed) -> None:
    old = "<!-- medloom:uses-old 0123456789abcdef -->\n### An old question?\n\nAn answer of ours.\n\n<!-- medloom:uses-not "
    text = edited(changed, "<!-- medloom:uses-not ", old)
    assert text.rstrip().endswith("An answer of ours.")
    assert "Notes that people wrote" in text
    card(changed.release)
    assert changed.text("DATASHEET.md") == text


def test_a_sheet_of_somebody_elses_is_kept_whole(changed) -> None:
    path = changed.root / "DATASHEET.md"
    path.write_text("# My datasheet\n\nMade by hand.\n", encoding="utf-8")
    card(changed.release)
    assert "# My datasheet\n\nMade by hand." in path.read_text(encoding="utf-8")


@given(st.text(st.characters(codec="utf-8", exclude_characters="<>\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"), min_size=1))
def test_any_words_of_people_are_found_again(words: str) -> None:
    sheet = f"<!-- medloom:a 0123456789abcdef -->\n### A?\n\nx {words}\n\n<!-- medloom:b 0123456789abcdef -->\n### B?\n"
    assert _by_people(sheet)["a"] == f"x {words}".strip()
