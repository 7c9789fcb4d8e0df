"""The selection of MeSH: as the library printed it, in its words and places, and files that can't be one."""

from __future__ import annotations

import csv
from collections import defaultdict
from pathlib import Path

import pytest

from medloom.schema.errors import UsageError
from medloom.schema.labels.mesh import Descriptor, mesh, read
from medloom.schema.labels.table import table

TREE = Path(__file__).parents[4] / "shared" / "reference" / "mesh_2017_tree.csv"
HEAD = "descriptor,term,tree_numbers,since\n"


@pytest.fixture(scope="module")
def tree_2017() -> dict[str, Descriptor]:
    if not TREE.exists():
        pytest.skip("the MeSH tree is absent: it lies in ../shared/reference beside the checkout")
    numbers, terms = defaultdict(list), {}
    with TREE.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            numbers[row["descriptor_ui"]].append(row["tree_number"])
            terms[row["descriptor_ui"]] = row["term"]
    return {one: Descriptor(one, terms[one], tuple(sorted(numbers[one])), 2017) for one in terms}


def test_rows_of_2017_are_the_librarys(tree_2017: dict[str, Descriptor]):
    rows = {one.id: one for one in mesh().values() if one.since == 2017}
    assert rows == {one: tree_2017[one] for one in rows}


def test_the_supplement_holds_only_what_2017_lacks(tree_2017: dict[str, Descriptor]):
    supplement = {one.id: one for one in mesh().values() if one.since != 2017}
    assert not set(supplement) & set(tree_2017)
    assert {one.term: (one.id, one.tree_numbers) for one in supplement.values()} == {"COVID-19": ("D000086382", ())}
    assert all(one.since > 2017 for one in supplement.values())


def test_only_descriptors_in_use_are_shipped():
    assert set(mesh()) == {entry.mesh for entry in table() if entry.mesh}


def test_an_inverted_term_is_found_in_both_orders():
    assert mesh()["D011024"].words == ("Pneumonia, Viral", "Viral Pneumonia")
    assert mesh()["D008168"].words == ("Lung",)


def test_places_in_the_tree():
    lung, lobe = Descriptor("D1", "a", ("A04.411", "B01"), 2017), Descriptor("D2", "b", ("A04.411.100",), 2017)
    assert lobe.lies_under(lung)
    assert lung.lies_under(lung)
    assert not lung.lies_under(lobe)
    assert not Descriptor("D3", "c", ("A04.4111",), 2017).lies_under(lung)
    assert not Descriptor("D4", "d", (), 2021).lies_under(lung)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("descriptor,term,since\n", "no column tree_numbers"),
        (HEAD + "D4912,Erythrocytes,A11.118,2017\n", r"row 2: .*'D4912'.*; expected an id like D004912"),
        (HEAD + "D004912,,A11.118,2017\n", r"row 2: .*expected an id like D004912, a term"),
        (HEAD + "D004912,Erythrocytes,11.118,2017\n", r"row 2: .*tree numbers like A15.145"),
        (HEAD + "D004912,Erythrocytes,A11.118,soon\n", r"row 2: .*and a year; correct the row"),
        (HEAD + "D004912,Erythrocytes,A11,2017\nD004912,Twice,A12,2017\n", r"row 3: D004912 after D004912; .*sort"),
        (HEAD + "D000086382,COVID-19,,2021\nD004912,Erythrocytes,A11,2017\n", r"row 3: D004912 after D086382"),
    ],
)
def test_a_file_that_cant_be_one_is_refused(text: str, message: str, tmp_path: Path):
    path = tmp_path / "mesh.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read(path)
