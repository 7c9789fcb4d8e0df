"""The canonical table: every word finds its label, families agree with MeSH, and what contradicts is refused by row."""

from __future__ import annotations

import csv
import random
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medloom.schema.clinical_tasks import CLINICAL_TASKS
from medloom.schema.departments import DEPARTMENTS
from medloom.schema.errors import UsageError
from medloom.schema.labels.mesh import Descriptor, mesh
from medloom.schema.labels.table import BUILT_IN, Entry, LabelTable, read, table
from medloom.schema.vocabulary import slug

REFERENCE = Path(__file__).parents[4] / "shared" / "reference"
HEAD = "name,mesh,parent,aliases,departments,clinical_task,note\n"
BRITISH = re.compile(r"tumour|aemia|oedema|haem|oeso|leuk?coc|colour|fibre|centre|ischaem|caec|naev")
PLACED = "H,CR,"


def written(folder: Path, *rows: str) -> Path:
    path = folder / "labels.csv"
    path.write_text(HEAD + "".join(f"{row}\n" for row in rows))
    return path


# the built-in table


def test_every_label_has_departments_and_a_clinical_task_or_none():
    for entry in table():
        assert entry.departments
        assert all(DEPARTMENTS.find(one).name == one for one in entry.departments)
        assert CLINICAL_TASKS.find(entry.clinical_task).name == entry.clinical_task


def test_names_are_lower_case_american_and_without_side():
    for entry in table():
        assert entry.name == " ".join(entry.name.lower().split())
        assert not re.search(r"\b(left|right)\b", entry.name)
        assert not BRITISH.search(entry.name), entry.name


def test_ids_are_one_per_name():
    ids = {table().id_of(entry.name): entry.name for entry in table()}
    assert len(ids) == len(table())
    assert set(ids) >= {f"mesh:{one}" for one in mesh()}


@given(st.data())
def test_every_word_finds_its_label_in_any_spelling(data: st.DataObject):
    entry = data.draw(st.sampled_from(list(table())))
    words = [*entry.words, table().id_of(entry.name)]
    if table().id_of(entry.name) == f"mesh:{entry.mesh}":
        words += [entry.mesh, *mesh()[entry.mesh].words]
    word = data.draw(st.sampled_from(words))
    spelt = "".join(data.draw(st.sampled_from((one.lower(), one.upper()))) for one in word)
    joined = data.draw(st.sampled_from((" ", "_", "-", "  "))).join(re.split(r"[ _-]", spelt))
    assert table().find(joined) is entry


@pytest.mark.parametrize("word", ["", " ", "no such thing", "lefts", "mesh:D999999"])
def test_other_words_find_nothing(word: str):
    assert table().find(word) is None
    assert table().sided(word) is None


def test_a_plural_is_found_by_its_singular():
    assert table().find("Kidneys") is table()["kidney"]
    assert table().find("platelets") is table()["platelet"]


def test_parents_agree_with_mesh_or_a_note_says_why_not():
    odd = []
    for entry in table():
        above = [table()[name].mesh for name in table().ancestors(entry.name)]
        nearest = next((one for one in above if one), None)
        if entry.mesh is None or nearest is None or not mesh()[entry.mesh].tree_numbers:
            continue
        if not mesh()[entry.mesh].lies_under(mesh()[nearest]) and not entry.note:
            odd.append(entry.name)
    assert odd == []


def test_a_descriptor_is_shared_only_by_parent_and_child():
    holders: dict[str, list[Entry]] = {}
    for entry in table():
        if entry.mesh:
            holders.setdefault(entry.mesh, []).append(entry)
    shared = [pair for pair in holders.values() if len(pair) > 1]
    assert shared
    for one, other in shared:
        assert one.parent == other.name or other.parent == one.name


def test_families():
    small = LabelTable([Entry("a"), Entry("b", parent="a"), Entry("c", parent="b"), Entry("d", parent="a")])
    assert small.children("a") == ("b", "d")
    assert small.descendants("a") == ("b", "c", "d")
    assert small.ancestors("c") == ("b", "a")
    assert (small.children("c"), small.ancestors("a")) == ((), ())
    with pytest.raises(UsageError, match=r"label 'e' is no name of labels.csv"):
        small.children("e")


def test_an_unknown_name_is_told_with_the_closest():
    with pytest.raises(UsageError, match=r"'spleem' is no name of labels.csv; expected 'spleen'"):
        table()["spleem"]


# editing


def test_a_copy_reads_back_as_the_table(tmp_path: Path):
    copy = tmp_path / "mine.csv"
    copy.write_bytes(BUILT_IN.read_bytes())
    assert list(read(copy)) == list(table())


def test_a_copy_saved_by_a_spreadsheet_reads_back(tmp_path: Path):
    copy = tmp_path / "mine.csv"
    copy.write_bytes(b"\xef\xbb\xbf" + BUILT_IN.read_bytes().replace(b"\n", b"\r\n"))
    assert list(read(copy)) == list(table())


def test_a_mesh_file_beside_the_copy_is_its_own(tmp_path: Path):
    (tmp_path / "mesh.csv").write_text('descriptor,term,tree_numbers,since\nD000001,"Thing, Small",A01,2017\n')
    mine = read(written(tmp_path, f"small thing,D000001,,,{PLACED}"))
    assert mine.find("Thing, Small") is mine["small thing"]
    assert mine.descriptors["D000001"].since == 2017


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (["b,,,x,H,CR,", "a,,,,H,CR,"], r"labels.csv row 3: 'a' after 'b'; expected names in order; sort"),
        (["a,,,,H,CR,", "a,,,,H,CR,"], r"labels.csv row 3: 'a' after 'a'; .*keep one"),
        (["a,,,x,H,CR,", "b,,,X,H,CR,"], r"row 3 \(b\): 'X' is also a word of labels.csv row 2 \(a\); .*one label per word"),
        (["a b,,,,H,CR,", "a-b,,,,H,CR,"], r"'a-b' is also a word of .*row 2 \(a b\)"),
        (["a (b),,,,H,CR,", "a b,,,,H,CR,"], r"row 3 \(a b\): 'medloom:a-b' is also a word of .*row 2"),
        (["lungs,,,,PM,OR-T,", "my lung,D008168,,lungs,PM,OR-T,"], r"row 3 \(my lung\): 'lungs' is also a word of"),
        (["a,,,lung,PM,OR-T,", "b,D008168,,,PM,OR-T,"], r"row 3 \(b\): 'Lung' is also a word of .*row 2 \(a\)"),
        (["a,,,--,H,CR,"], r"row 2 \(a\): the word '--' says nothing"),
        (["a,,b,,H,CR,"], r"row 2 \(a\): parent 'b'; expected a name of the table; add its row"),
        (["a,,b,,H,CR,", "b,,a,,H,CR,"], r"row 2 \(a\): 'a' is its own ancestor; expected a tree"),
        (["a,,a,,H,CR,"], r"row 2 \(a\): 'a' is its own ancestor"),
        (["a,D999999,,,H,CR,"], r"row 2 \(a\): mesh 'D999999'; expected a descriptor of mesh.csv"),
        (["a,D008168,,,H,CR,", "b,D008168,,,H,CR,"], r"row 3 \(b\): D008168 is also that of \['a'\]; .*parent and one child"),
        (
            ["a,D008168,,,H,CR,", "b,D008168,a,,H,CR,", "c,D008168,a,,H,CR,"],
            r"row 4 \(c\): D008168 is also that of \['a', 'b'\]",
        ),
        (["a,D008168,,,H,CR,", "b,,a,,H,CR,", "c,D008168,b,,H,CR,"], r"row 4 \(c\): D008168 is also that of \['a'\]"),
        (["a,,,,Witchcraft,CR,"], r"row 2 \(a\): department 'Witchcraft' is unknown; .*correct the cell"),
        (["a,,,,H,Guessing,"], r"row 2 \(a\): clinical task 'Guessing' is unknown"),
        (["a,,,,H; None,CR,"], r"row 2 \(a\): departments 'H; None'; expected each once, or `None` alone"),
        (["a,,,,H; Hematology,CR,"], r"departments 'H; Hematology'; expected each once"),
        (["a,,,,,CR,"], r"row 2 \(a\): no departments; expected one, or `None`"),
        (["a,,,,H,,"], r"row 2 \(a\): no clinical_task"),
        ([",,,,H,CR,"], r"row 2 \(\): no name"),
        (["a,,,,H,CR,", ",,,,,,", "b,,,,H,CR,"], r"row 3: it is empty; expected rows without gaps"),
        (["a,,,,H,CR,note, with a comma"], r"row 2: 8 cells for 7 columns; .*quote"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(rows: list[str], message: str, tmp_path: Path):
    with pytest.raises(UsageError, match=message):
        read(written(tmp_path, *rows))


def test_a_missing_column_or_file_is_refused(tmp_path: Path):
    path = tmp_path / "labels.csv"
    path.write_text("name,mesh\na,\n")
    with pytest.raises(UsageError, match="no column parent, aliases, departments, clinical_task, note"):
        read(path)
    with pytest.raises(UsageError, match="expected a CSV file"):
        read(tmp_path / "absent.csv")


def test_the_child_that_shares_comes_before_or_after_its_parent():
    lung = {"D000001": Descriptor("D000001", "Lung Neoplasms", ("C08",), 2017)}
    for parent, child in (("a", "b"), ("b", "a")):
        pair = sorted([Entry(parent, "D000001"), Entry(child, "D000001", parent=parent)], key=lambda entry: entry.name)
        small = LabelTable(pair, descriptors=lung)
        assert (small.id_of(parent), small.id_of(child)) == ("mesh:D000001", f"medloom:{child}")
        assert small.find("lung neoplasms") is small[parent]


def test_a_child_may_be_named_as_the_shared_term():
    lung = {"D000001": Descriptor("D000001", "Lung Cancer", ("C08",), 2017)}
    small = LabelTable([Entry("lung cancer", "D000001", "lung tumor"), Entry("lung tumor", "D000001")], descriptors=lung)
    assert small.find("lung cancer") is small["lung cancer"]
    assert small.find("D000001") is small["lung tumor"]


@given(st.sets(st.from_regex(r"[a-z]{2,9}( [a-z]{2,9})?", fullmatch=True), min_size=1, max_size=12), st.randoms())
def test_any_sorted_names_make_a_table_and_any_other_order_is_refused(names: set[str], order: random.Random):
    unique = {slug(name).replace("-", ""): name for name in sorted(names)}
    entries = [Entry(name) for name in sorted(unique.values())]
    small = LabelTable(entries)
    assert [small.find(entry.name.upper()) for entry in small] == entries
    shuffled = list(entries)
    order.shuffle(shuffled)
    if shuffled != entries:
        with pytest.raises(UsageError, match="expected names in order"):
            LabelTable(shuffled)


def test_two_thousand_labels_are_no_other_table():
    more = [replace(entry, name=f"{entry.name} {n}", mesh=None, parent=None, aliases=()) for entry in table() for n in range(4)]
    whole = LabelTable(sorted((*table(), *more), key=lambda entry: entry.name))
    assert len(whole) == 5 * len(table()) > 2000
    assert whole.find("Kidney 3") is whole["kidney 3"]


# words of the field


def test_words_of_mimoseg_are_known_but_for_those_that_say_too_little():
    sources = REFERENCE / "mimoseg_sources.csv"
    if not sources.exists():
        pytest.skip("the list of MIMOSeg's sources is absent: it lies in ../shared/reference beside the checkout")
    with sources.open(newline="", encoding="utf-8") as stream:
        words = {word.strip() for row in csv.DictReader(stream) for word in row["labels"].split(",")}
    unknown = {word for word in words if table().sided(word) is None}
    assert unknown == {"Shaft", "Wrist", "Ventricle", "etc."}


@pytest.mark.parametrize(
    ("word", "name", "side"),
    [
        ("kidney_right", "kidney", "right"),
        ("adrenal_gland_left", "adrenal gland", "left"),
        ("portal_vein_and_splenic_vein", "portal and splenic vein", None),
        ("postcava", "inferior vena cava", None),
        ("small_bowel", "small intestine", None),
        ("lung_upper_lobe_left", "upper lobe of lung", "left"),
        ("heart_atrium_left", "heart atrium", "left"),
        ("Left Ventricle", "heart ventricle", "left"),
        ("heart_myocardium", "myocardium", None),
        ("hip_left", "hip bone", "left"),
        ("clavicula_right", "clavicle", "right"),
        ("gluteus_maximus_left", "gluteus maximus", "left"),
        ("autochthon_left", "paraspinal muscle", "left"),
        ("iliac_artery_left", "iliac artery", "left"),
        ("Urinary Bladder", "urinary bladder", None),
        ("Pneumonia, Viral", "viral pneumonia", None),
        ("Optic Disk", "optic disc", None),
        ("Brain Neoplasms", "brain tumor", None),
        ("leucocyte", "white blood cell", None),
    ],
)
def test_words_of_common_sets_are_known(word: str, name: str, side: str | None):
    assert table().sided(word) == (table()[name], side)
