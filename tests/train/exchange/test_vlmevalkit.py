"""The TSV for VLMEvalKit: what its loader needs, and the kit itself where it is installed."""

from __future__ import annotations

import base64
import csv
import io
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from medloom.schema.errors import UnreadableError, UsageError
from medloom.schema.prompt_drawing import drawn
from medloom.schema.question import Kind, Option
from medloom.train.answers.vlmevalkit import vlmevalkit
from medloom.train.asked import Asked, ReleaseAsked
from medloom.train.exchange.export import How, export_questions
from medloom.train.exchange.gmai_tsv import TsvAsked
from medloom.train.exchange.vlmevalkit import MISSING, TRAPS, check_name

GMAI = ["category", "clinical VQA task", "department", "perceptual granularity", "modality", "original task", "split"]


@dataclass(frozen=True)
class Changed:
    """Questions of which the first is changed."""

    asked: ReleaseAsked
    fields: dict[str, Any]
    name: str = "changed"

    def __len__(self) -> int:
        return len(self.asked)

    def __getitem__(self, place: int) -> Asked:
        one = self.asked[place]
        return one if place else Asked(replace(one.question, **self.fields), one.picture, one.record)

    def questions(self):
        first, *rest = self.asked.questions()
        return [replace(first, **self.fields), *rest]

    def taken(self, places):
        raise AssertionError("an export takes all")


def shown(asked: Asked) -> np.ndarray:
    prompts = asked.question.prompts
    return np.asarray(drawn(asked.picture, prompts, asked.record) if prompts else asked.picture)


@pytest.fixture(scope="session")
def exported(choices: ReleaseAsked, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("kit") / "kit"
    export_questions(choices, "vlmevalkit", out)
    return out


def test_what_pandas_reads_is_what_was_asked(exported: Path, choices: ReleaseAsked):
    table = pd.read_csv(exported / "medloom_questions.tsv", sep="\t")
    asked = [one for one in choices.questions() if one.kind is Kind.SINGLE_CHOICE]
    assert list(table["index"]) == list(range(len(asked)))
    assert set(GMAI) <= set(table.columns)
    assert not table[["image", "image_path", "question", "A", "B", "answer", *GMAI]].isna().any().any()
    for row, question in zip(table.to_dict("records"), asked, strict=True):
        options = {letter: row[letter] for letter in "ABCDEF" if isinstance(row.get(letter), str)}
        assert options == {one.letter: one.text for one in question.options}
        assert row["answer"] == question.letters[0]
        assert row["category"] == options[row["answer"]]
        assert row["perceptual granularity"] in {"Image Level", "Box Level", "Mask Level", "Contour Level"}
        assert row["question id"] == question.id


def test_a_picture_is_given_once_and_named_as_png(exported: Path, choices: ReleaseAsked):
    table = pd.read_csv(exported / "medloom_questions.tsv", sep="\t")
    held = {str(row["index"]): row["image"] for row in table.to_dict("records")}
    assert table["image_path"].str.endswith(".png").all()
    whole = {index for index, image in held.items() if len(image) > 64}
    assert len({held[index] for index in whole}) == len(whole)
    places = [place for place, one in enumerate(choices.questions()) if one.kind is Kind.SINGLE_CHOICE]
    for index in range(0, len(places), 7):
        image = held[str(index)]
        data = base64.b64decode(image if str(index) in whole else held[image])
        with Image.open(io.BytesIO(data)) as opened:
            assert opened.format == "PNG"
            assert np.array_equal(np.asarray(opened.convert("RGB")), shown(choices[places[index]]))


def test_pictures_as_files_lie_where_the_paths_say(choices: ReleaseAsked, tmp_path: Path):
    result = export_questions(choices, "vlmevalkit", tmp_path / "kit", how=How(name="mine", files=True))
    table = pd.read_csv(tmp_path / "kit" / "mine.tsv", sep="\t")
    assert "image" not in table.columns
    assert all((tmp_path / "kit" / path).is_file() for path in table["image_path"])
    assert result["pictures"] == table["image_path"].nunique() == len(list((tmp_path / "kit/images/mine").iterdir()))


@pytest.mark.parametrize("text", sorted(MISSING - {""}))
def test_an_option_that_pandas_takes_for_nothing_is_left_out(choices: ReleaseAsked, tmp_path: Path, text: str):
    assert pd.isna(pd.read_csv(io.StringIO(f"a\tb\n{text}\tx\n"), sep="\t")["a"][0])
    some = choices.taken([place for place, one in enumerate(choices.questions()) if one.kind is Kind.SINGLE_CHOICE][:2])
    changed = Changed(some, {"options": (Option("A", text), Option("B", "liver")), "letters": ("B",)})
    result = export_questions(changed, "vlmevalkit", tmp_path / "kit")
    assert result["questions"] == 1
    assert result["left_out"] == {"an option that pandas reads as an empty cell": 1}


def test_words_with_tabs_and_quotes_come_back_in_one_line(choices: ReleaseAsked, tmp_path: Path):
    some = choices.taken([next(place for place, one in enumerate(choices.questions()) if one.kind is Kind.SINGLE_CHOICE)])
    export_questions(Changed(some, {"question": 'What is "this",\n\ton the picture?'}), "vlmevalkit", tmp_path / "kit")
    assert TsvAsked.open(tmp_path / "kit/medloom_questions.tsv").questions()[0].question == 'What is "this", on the picture?'


@pytest.mark.parametrize("trap", TRAPS)
def test_names_that_the_kit_takes_for_other_sets_are_refused(trap: str):
    with pytest.raises(UsageError, match=trap):
        check_name(f"my-{trap.upper()}-set")


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a b"])
def test_names_that_are_no_file_names_are_refused(name: str):
    with pytest.raises(UsageError, match="letters, digits"):
        check_name(name)


def test_withheld_answers_and_several_answers_are_counted(choices: ReleaseAsked, tmp_path: Path):
    several = sum(one.kind is Kind.MULTIPLE_CHOICE for one in choices.questions())
    result = export_questions(Changed(choices, {"answer": None, "letters": ()}), "vlmevalkit", tmp_path / "kit")
    assert result["left_out"]["its answer is withheld"] == 1
    assert result["left_out"].get("multiple_choice: the kit scores single choice only", 0) == several
    assert result["questions"] == len(choices) - 1 - several


def test_the_tsv_is_read_back_as_the_questions_it_holds(exported: Path, choices: ReleaseAsked):
    back = TsvAsked.open(exported / "medloom_questions.tsv")
    places = [place for place, one in enumerate(choices.questions()) if one.kind is Kind.SINGLE_CHOICE]
    assert len(back) == len(places)
    for at in range(0, len(places), 5):
        mine, theirs = back[at], choices[places[at]]
        for name in ("question", "letters", "clinical_task", "department", "granularity", "modality"):
            assert getattr(mine.question, name) == getattr(theirs.question, name), name
        assert [one.text for one in mine.question.options] == [one.text for one in theirs.question.options]
        assert np.array_equal(np.asarray(mine.picture), shown(theirs))
    taken = back.taken([3, 1])
    assert [one.id for one in taken.questions()] == [back.questions()[3].id, back.questions()[1].id]


def test_a_second_question_about_what_is_shown_refers_to_the_first(choices: ReleaseAsked, tmp_path: Path):
    place = next(place for place, one in enumerate(choices.questions()) if one.kind is Kind.SINGLE_CHOICE)
    result = export_questions(choices.taken([place, place]), "vlmevalkit", tmp_path / "kit")
    table = pd.read_csv(tmp_path / "kit/medloom_questions.tsv", sep="\t")
    assert (result["pictures"], table["image"][1], set(table["image_path"])) == (1, "0", {"0000000.png"})
    back = TsvAsked.open(tmp_path / "kit/medloom_questions.tsv")
    assert [row.holder for row in back.rows] == [None, 0]
    assert np.array_equal(np.asarray(back[1].picture), np.asarray(back[0].picture))
    assert back[1].record["group"] == back[0].record["group"]


def tsv(path: Path, rows: list[list[str]]) -> Path:
    with path.open("w", newline="") as stream:
        csv.writer(stream, delimiter="\t").writerows(rows)
    return path


PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"
HEAD = ["index", "image", "question", "A", "B", "answer"]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([["index", "question", "A", "B"]], "image or image_path"),
        ([["image", "question", "A", "B"]], "expected index"),
        ([HEAD, ["0", PIXEL, "q", "x", "y", "C"]], "answer 'C'"),
        ([HEAD, ["0", PIXEL, "q", "x", "", "A"]], "1 options"),
        ([HEAD, ["0", "7", "q", "x", "y", "A"]], "image '7'"),
        ([HEAD, ["0", PIXEL, "q", "x", "y", "A"], ["0", PIXEL, "q", "x", "y", "A"]], "index '0' again"),
        ([HEAD, ["0", PIXEL, "q"]], "3 cells"),
    ],
)
def test_a_broken_tsv_is_told_by_its_row(tmp_path: Path, rows: list[list[str]], told: str):
    with pytest.raises(UsageError, match=told):
        TsvAsked.open(tsv(tmp_path / "set.tsv", rows))


def test_rows_without_answers_and_with_line_ends_in_quotes_are_read(tmp_path: Path):
    path = tsv(tmp_path / "set.tsv", [HEAD, ["a", PIXEL, "one\ntwo", "x", "y", ""], ["b", PIXEL, "q", "x", "y", "b"]])
    asked = TsvAsked.open(path)
    assert [one.question for one in asked.questions()] == ["one\ntwo", "q"]
    assert [one.letters for one in asked.questions()] == [(), ("B",)]
    assert asked[1].picture.size == (1, 1)


@pytest.mark.parametrize("image", ["A" * 100, "?" * 100])
def test_a_picture_that_is_none_is_told_by_its_index(tmp_path: Path, image: str):
    asked = TsvAsked.open(tsv(tmp_path / "set.tsv", [HEAD, ["7", image, "q", "x", "y", "A"]]))
    with pytest.raises(UnreadableError, match="index 7"):
        asked[0]


def test_the_kit_itself_scores_it_as_our_reading_of_its_rules_does(exported: Path, monkeypatch: pytest.MonkeyPatch):
    if "vlmeval" not in sys.modules:
        pytest.importorskip("vlmeval", reason="VLMEvalKit isn't installed; its column rules are tested above")
    from vlmeval.dataset import build_dataset  # pyright: ignore[reportMissingImports]

    monkeypatch.setenv("LMUData", str(exported))
    built = build_dataset("medloom_questions")
    table = built.data.copy()
    forms = ["{l}", "({l})", "{l}. {t}", "The answer is {l}.", "{t}", "I cannot tell.", "A and B"]
    replies = [
        forms[place % len(forms)].format(l=row["answer"], t=row[row["answer"]])
        for place, row in enumerate(table.to_dict("records"))
    ]
    table["prediction"] = replies
    file = exported.parent / "replies.xlsx"
    table.drop(columns=["image"]).to_excel(file, index=False)
    scored = float(built.evaluate(str(file), model="exact_matching", nproc=1)["Overall"].iloc[0])
    asked = TsvAsked.open(exported / "medloom_questions.tsv").questions()
    ours = [vlmevalkit(reply, one.options) == one.letters[0] for reply, one in zip(replies, asked, strict=True)]
    assert scored == pytest.approx(sum(ours) / len(ours))


def test_a_quote_inside_a_plain_cell_opens_nothing(tmp_path: Path):
    lines = ["index\timage\tquestion\tA\tB\tanswer", '0\t1\ta 5" needle?\tyes\tno\tA', '1\t1\t"two ""\nlines"\tyes\tno\tB']
    (tmp_path / "set.tsv").write_text("\n".join(lines) + "\n")
    assert [one.question for one in TsvAsked.open(tmp_path / "set.tsv").questions()] == ['a 5" needle?', 'two "\nlines']


def test_a_tsv_in_another_encoding_is_told(tmp_path: Path):
    (tmp_path / "set.tsv").write_bytes("index\timage\tquestion\tA\tB\n0\taGk=\tgroß?\tyes\tno\n".encode("latin-1"))
    with pytest.raises(UsageError, match="no UTF-8"):
        TsvAsked.open(tmp_path / "set.tsv")
