"""Votes: the majority per field, what has none, and files that can't be counted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medloom.schema.clinical_tasks import CLINICAL_TASKS
from medloom.schema.departments import DEPARTMENTS
from medloom.schema.errors import UsageError
from medloom.schema.labels import Override
from medloom.schema.labels.overrides import read as read_overrides
from medloom.schema.labels.overrides import text_of
from medloom.schema.labels.table import COLUMNS, Entry, LabelTable
from medloom.schema.labels.votes import Verdict, Vote, agreement, count, read

HEMATOLOGY, LABORATORY, PULMONARY, INFECTIOUS = (DEPARTMENTS.find(code).name for code in ("H", "LMP", "PM", "ID"))
CELLS, DISEASES = (CLINICAL_TASKS.find(code).name for code in ("CR", "DD"))
TABLE = LabelTable(
    [
        Entry("pneumonia", aliases=("lung inflammation",), departments=(PULMONARY, INFECTIOUS), clinical_task=DISEASES),
        Entry("white blood cell", aliases=("WBC",), departments=(HEMATOLOGY,), clinical_task=CELLS, note="ours"),
    ],
    where="small.csv",
    descriptors={},
)
HEADER = "label,annotator,departments,clinical_task\n"


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., Path]:
    """Write rows under the header; the path."""

    def write(*rows: str, header: str = HEADER) -> Path:
        path = tmp_path / "votes.csv"
        path.write_text(header + "".join(f"{row}\n" for row in rows), encoding="utf-8")
        return path

    return write


def verdict(*departments: str, tasks: tuple[str, ...] = (), label: str = "pneumonia") -> Verdict:
    """Of annotators who name these departments ("PM; ID") in turn."""
    votes = [
        Vote(label, f"a{n}", tuple(DEPARTMENTS.find(one.strip()).name for one in said.split(";")), (*tasks, *["None"] * 9)[n])
        for n, said in enumerate(departments)
    ]
    [found] = count(votes, TABLE)
    return found


@pytest.mark.parametrize(
    ("said", "departments"),
    [
        (("PM", "PM", "ID"), ("PM",)),
        (("PM; ID", "ID; PM", "ID"), ("ID", "PM")),
        (("PM; ID", "ID; PM", "PM; ID; H"), ("PM", "ID")),
        (("PM", "ID", "H"), ()),
        (("None", "None", "PM"), ("None",)),
        (("PM; ID", "PM; ID", "ID; PM", "ID; PM"), ("PM", "ID")),
        (("H; LMP", "H; LMP", "LMP; H", "LMP; H"), ("H", "LMP")),
        (("PM", "PM", "ID", "ID"), ()),
        (("H; PM", "PM; H", "LMP; PM"), ("PM", "H")),
    ],
)
def test_departments_that_more_than_half_named(said: tuple[str, ...], departments: tuple[str, ...]):
    assert verdict(*said).departments == tuple(DEPARTMENTS.find(code).name for code in departments)


@pytest.mark.parametrize(
    ("tasks", "found"), [((CELLS, CELLS, DISEASES), CELLS), ((CELLS, DISEASES, "None"), None), (("None",) * 3, "None")]
)
def test_the_clinical_task_that_more_than_half_named(tasks: tuple[str, ...], found: str | None):
    assert verdict("PM", "PM", "PM", tasks=tasks).clinical_task == found


def test_what_changes_and_what_stands():
    found = verdict("ID", "ID", "ID", tasks=(CELLS, DISEASES, "None"))
    assert found.changes == {"departments": ((PULMONARY, INFECTIOUS), (INFECTIOUS,))}
    assert found.unresolved == ("clinical_task",)
    assert found.tally("clinical_task") == {CELLS: 1, DISEASES: 1, "None": 1}
    assert found.tally("departments") == {INFECTIOUS: 3}
    same = verdict("PM; ID", "PM; ID", "PM; ID", tasks=(DISEASES,) * 3)
    assert (same.changes, same.unresolved) == ({}, ())


def test_agreement_is_the_share_of_unanimous_labels():
    same = verdict("PM; ID", "PM; ID", "PM; ID", tasks=(DISEASES,) * 3)
    other_primary = verdict("PM; ID", "PM; ID", "ID; PM", tasks=(DISEASES,) * 3)
    assert agreement([same, other_primary]) == {"departments": 0.5, "clinical_task": 1.0, "both": 0.5}
    assert agreement([]) == {"departments": None, "clinical_task": None, "both": None}


CODES = st.sampled_from(["PM", "ID", "H", "LMP"])
SAID = st.lists(st.lists(CODES, min_size=1, max_size=3, unique=True).map("; ".join), min_size=3, max_size=6)


@given(SAID, st.randoms())
def test_majorities_follow_from_counts_alone(said: list[str], random):
    found = verdict(*said).departments
    named = {code: sum(code in one.split("; ") for one in said) for code in ("PM", "ID", "H", "LMP")}
    assert set(found) == {DEPARTMENTS.find(code).name for code, votes in named.items() if votes > len(said) / 2}
    shuffled = [*said]
    random.shuffle(shuffled)
    assert verdict(*shuffled).departments == found


ROWS = ("pneumonia,Ada,PM; ID,DD", "lung inflammation,Ben,Pulmonary Medicine,disease diagnosis", "Pneumonia,Cleo,ID,DD")


def test_words_of_a_file_are_any_words_of_the_vocabularies(file: Callable[..., Path]):
    votes, faults = read(file(*ROWS), TABLE)
    assert faults == []
    assert {vote.label for vote in votes} == {"pneumonia"}
    assert [vote.departments for vote in votes] == [(PULMONARY, INFECTIOUS), (PULMONARY,), (INFECTIOUS,)]
    assert {vote.clinical_task for vote in votes} == {DISEASES}


@pytest.mark.parametrize(
    ("header", "rows"),
    [
        (
            "Label;Annotator;Departments;Clinical task\n",
            [row.replace(",", "|").replace(";", ",").replace("|", ";") for row in ROWS],
        ),
        ("\ufeff" + HEADER, ROWS),
        ("note,clinical_task,departments,annotator,label\n", [",".join(["x", *reversed(row.split(","))]) for row in ROWS]),
        (HEADER, ("", ROWS[0], ",,,", *ROWS[1:])),
    ],
)
def test_tables_as_spreadsheets_save_them(file: Callable[..., Path], header: str, rows: list[str]):
    if header.startswith("Label;"):
        rows = [row.replace("PM, ID", '"PM; ID"') for row in rows]
    votes, faults = read(file(*rows, header=header), TABLE)
    assert faults == []
    assert (votes[0].annotator, votes[0].departments) == ("Ada", (PULMONARY, INFECTIOUS))


@pytest.mark.parametrize(
    ("rows", "code", "text"),
    [
        ((*ROWS, "pneumonia,ada,PM,DD"), "voted-twice", "row 5: a second vote of 'ada' on 'pneumonia'"),
        ((*ROWS, "lung inflammation,Ada,PM,DD"), "voted-twice", "row 5"),
        (ROWS[:2], "too-few-votes", "'pneumonia': 2 annotators; expected at least 3"),
        ((), "no-votes", "no votes"),
        ((*ROWS, "pneumona,Dan,PM,DD"), "unknown-label", "row 5: label 'pneumona'; expected"),
        ((*ROWS, "pneumona,Dan,PM,DD"), "unknown-label", "perhaps 'pneumonia'"),
        ((*ROWS, "pneumonia,Dan,Cardio,DD"), "unknown-word", "row 5: department 'Cardio'; expected"),
        ((*ROWS, "pneumonia,Dan,PM,Diagnosis of Disease"), "unknown-word", "clinical task 'Diagnosis of Disease'"),
        ((*ROWS, "pneumonia,,PM,DD"), "empty-cell", "row 5: no annotator"),
        ((*ROWS, "pneumonia,Dan,,DD"), "empty-cell", "row 5: no departments"),
        ((*ROWS, "pneumonia,Dan"), "empty-cell", "row 5: no departments"),
        ((*ROWS, "pneumonia,Dan,;,DD"), "bad-departments", "row 5: departments ';'"),
        ((*ROWS, "pneumonia,Dan,PM; PM,DD"), "bad-departments", "row 5"),
        ((*ROWS, "pneumonia,Dan,PM; None,DD"), "bad-departments", "`None` alone"),
    ],
)
def test_faults_name_their_row(file: Callable[..., Path], rows: tuple[str, ...], code: str, text: str):
    _, faults = read(file(*rows), TABLE)
    assert {fault.code for fault in faults} == {code}
    assert text in str(faults[0])


def test_every_fault_is_told(file: Callable[..., Path]):
    _, faults = read(file("zork,Ada,PM,DD", "pneumonia,Ben,Zork,Zork", "pneumonia,,PM,DD"), TABLE)
    assert [fault.code for fault in faults] == ["unknown-label", "unknown-word", "unknown-word", "empty-cell"]


def test_a_label_of_a_sources_own_may_be_voted_on(file: Callable[..., Path]):
    path = file("Zork,Ada,PM,DD", "zork,Ben,PM,DD", "zork,Cleo,PM,CR")
    votes, faults = read(path, TABLE, own={"zork"})
    assert faults == []
    [found] = count(votes, TABLE)
    assert found.changes == {"departments": (None, (PULMONARY,)), "clinical_task": (None, DISEASES)}


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"label,annotator,departments\n", "no column clinical_task"),
        (b"", "no column label, annotator"),
        (b"label,annotator,departments,clinical_task\na,b,c,d,e\n", "row 2: 5 cells for 4 columns"),
        (b"label,annotator,departments,clinical_task\n\xff\xfe\n", "no UTF-8"),
        (b'label,annotator,departments,clinical_task\n"a,b\n', "line"),
    ],
)
def test_files_that_are_no_such_table(tmp_path: Path, content: bytes, text: str):
    path = tmp_path / "votes.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=text):
        read(path, TABLE)


def test_an_absent_file(tmp_path: Path):
    with pytest.raises(UsageError, match="No such file"):
        read(tmp_path / "none.csv", TABLE)


def test_overrides_hold_what_changes_and_come_back(tmp_path: Path):
    changed = verdict("ID; PM", "ID", "ID; PM", tasks=(DISEASES,) * 3)
    nothing = verdict("H", "H", "H", tasks=(CELLS,) * 3, label="white blood cell")
    own = verdict("None", "None", "PM", tasks=(CELLS, DISEASES, "None"), label="zork, blue")
    path = tmp_path / "overrides.csv"
    path.write_text(text_of([own, nothing, changed]), encoding="utf-8")
    assert path.read_text(encoding="utf-8").splitlines() == [
        ",".join(COLUMNS),
        "pneumonia,,,lung inflammation,ID; PM,,vote of 3",
        '"zork, blue",,,,None,,vote of 3',
    ]
    overrides, sha256 = read_overrides(path, TABLE)
    assert overrides == {"pneumonia": Override((INFECTIOUS, PULMONARY)), "zork, blue": Override(("None",))}
    assert len(sha256) == 64


@given(SAID, st.lists(st.sampled_from([CELLS, DISEASES, "None"]), min_size=6, max_size=6))
def test_any_verdict_comes_back_from_its_file(tmp_path_factory: pytest.TempPathFactory, said: list[str], tasks: list[str]):
    found = verdict(*said, tasks=tuple(tasks))
    path = tmp_path_factory.mktemp("o") / "overrides.csv"
    path.write_text(text_of([found]), encoding="utf-8")
    new = {field: value for field, (_, value) in found.changes.items()}
    assert read_overrides(path, TABLE)[0] == ({"pneumonia": Override(**new)} if new else {})


@pytest.mark.parametrize(
    ("row", "text"),
    [
        (",,,,PM,DD,", "row 2 \\(\\): no name"),
        ("pneumonia,,,,Zork,DD,", "row 2 \\(pneumonia\\): department 'Zork'"),
        ("pneumonia,,,,PM,Zork,", "clinical task 'Zork'"),
        ("pneumonia,,,,PM; PM,DD,", "expected each once"),
        ("pneumonia,,,,,,", "neither departments nor clinical_task"),
        ("pneumonia,D011014,,,PM,DD,", "mesh 'D011014'; expected 'an empty cell'"),
        ("pneumonia,,disease,,PM,DD,", "parent 'disease'"),
        ("pneumonia,,,,PM,DD,\nlung inflammation,,,,PM,DD,", "row 3 .*'pneumonia' stands twice"),
    ],
)
def test_override_files_that_cannot_be_obeyed(tmp_path: Path, row: str, text: str):
    path = tmp_path / "overrides.csv"
    path.write_text(",".join(COLUMNS) + f"\n{row}\n", encoding="utf-8")
    with pytest.raises(UsageError, match=text):
        read_overrides(path, TABLE)
