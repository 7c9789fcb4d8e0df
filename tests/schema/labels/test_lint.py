"""What is said of label names, against a small table, and that the sources' own names are clean."""

from __future__ import annotations

import pytest

from medloom.builders import catalog
from medloom.builders.label_use import of_source, own_names
from medloom.schema.labels import table as built_in
from medloom.schema.labels.lint import CODES, Remark, Used, lint, stated
from medloom.schema.labels.mesh import Descriptor
from medloom.schema.labels.table import Entry, LabelTable

TABLE = LabelTable(
    [
        Entry("brain tumor", "D001932"),
        Entry("glioma", "D005910", parent="brain tumor"),
        Entry("kidney", "D007668", aliases=("ren",)),
        Entry("left ventricle"),
        Entry("meningioma", "D008579", parent="brain tumor"),
        Entry("red blood cell", "D004912", aliases=("RBC", "erythrocyte")),
        Entry("white blood cell", "D007962", aliases=("leukocyte",)),
    ],
    where="small.csv",
    descriptors={
        one.id: one
        for one in (
            Descriptor("D001932", "Brain Neoplasms", (), 2017),
            Descriptor("D004912", "Erythrocytes", (), 2017),
            Descriptor("D005910", "Glioma", (), 2017),
            Descriptor("D007668", "Kidney", (), 2017),
            Descriptor("D007962", "Leukocytes", (), 2017),
            Descriptor("D008579", "Meningioma", (), 2017),
        )
    },
)


def used(name: str, **known) -> Used:
    return Used(source="mine", name=name, **known)


def said(*labels: Used) -> list[tuple[str, str | None]]:
    return [(remark.code, remark.closest) for remark in lint(labels, TABLE)]


@pytest.mark.parametrize(
    ("name", "code", "closest"),
    [
        ("RBC", "alias", "red blood cell"),
        ("Erythrocytes", "alias", "red blood cell"),
        ("Red-Blood Cell", "spelling", "red blood cell"),
        ("leucocyte", "near-synonym", "white blood cell"),
        ("tumours of the brain", "near-synonym", "brain tumor"),
        ("cerebral tumour", "near-synonym", "brain tumor"),
        ("menigioma", "near-synonym", "meningioma"),
        ("left kidney", "side-in-name", "kidney"),
        ("both kidneys", "side-in-name", "kidney"),
        ("right zork", "side-in-name", None),
        ("wbc", "abbreviation", "white blood cell"),
        ("MGUS", "abbreviation", None),
        ("white blood cells clump", "unknown-label", "white blood cell"),
        ("zork", "unknown-label", None),
    ],
)
def test_a_name_and_what_to_write_instead(name: str, code: str, closest: str | None):
    [remark] = lint([used(name)], TABLE)
    assert (remark.code, remark.label, remark.closest) == (code, name, closest)
    assert closest is None or repr(closest) in remark.write


@pytest.mark.parametrize("name", ["red blood cell", "kidney", "left ventricle", "brain tumor"])
def test_canonical_names_need_no_word(name: str):
    assert said(used(name)) == []


def test_a_name_of_ones_own_passes_where_its_place_is_stated():
    assert said(used("zork", placed=True)) == []
    assert said(used("menigioma", placed=True)) == [("near-synonym", "meningioma")]


@pytest.mark.parametrize(
    ("label", "code", "closest"),
    [
        (used("zork", mesh="D005910", placed=True), "mesh-of-another", "glioma"),
        (used("glioma", mesh="D008579"), "mesh-of-another", "meningioma"),
        (used("glioma", mesh="D999999"), "mesh-differs", "glioma"),
        (used("zork", id="mesh:D005910", placed=True), "mesh-of-another", "glioma"),
        (used("glioma", id="medloom:glioma"), "mesh-differs", "glioma"),
    ],
)
def test_descriptors_of_others(label: Used, code: str, closest: str):
    assert (code, closest) in said(label)


def test_a_descriptor_that_agrees_is_fine():
    assert said(used("glioma", mesh="D005910", id="mesh:D005910"), used("zork", mesh="D000001", placed=True)) == []


def test_two_names_of_the_sources_own_that_are_one():
    first, second = used("frob of zork", placed=True), used("zork frobs", placed=True)
    [remark] = lint([first, second], TABLE)
    assert (remark.code, remark.label) == ("two-names", "zork frobs")
    assert "'frob of zork'" in remark.found
    assert said(first, Used(source="other", name="zork frobs", placed=True)) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [("stage T2", "stage T3"), ("grade I", "grade II"), ("upper zork", "lower zork"), ("glioma", "meningioma")],
)
def test_raw_words_under_one_name_that_look_like_two_things(first: str, second: str):
    [remark] = lint([used("brain tumor", raw=first), used("brain tumor", raw=second)], TABLE)
    assert remark.code == "two-things"
    assert repr(first) in remark.found
    assert repr(second) in remark.found


@pytest.mark.parametrize(
    ("first", "second"), [("tumour 1", "tumour 2"), ("glioma", "brain tumor"), ("gli", "men"), ("RBC", "Erythrocytes")]
)
def test_raw_words_under_one_name_that_are_one_thing(first: str, second: str):
    assert said(used("brain tumor", raw=first), used("brain tumor", raw=second)) == []


def test_words_told_apart_by_a_field_of_the_label_are_fine():
    upper, lower = used("kidney", raw="upper kidney", task="a"), used("kidney", raw="lower kidney", task="b")
    assert said(upper, lower) == []
    assert (
        said(used("kidney", raw="left kidney", laterality="left"), used("kidney", raw="right kidney", laterality="right")) == []
    )


def test_a_side_that_got_lost():
    assert said(used("kidney", raw="Left_Kidney")) == [("side-lost", None)]
    assert said(used("left ventricle", raw="left ventricle of the heart")) == []


def test_labels_are_read_as_a_file_writes_them():
    text = """
WORD = "computed"
LABELS = {
    "RBC": Label("RBC", "D004912"),
    "k": labels.Label(name="left kidney", laterality="left"),
    "c": Label(WORD),
    "n": Lable("no label"),
}
"""
    assert [(one.name, one.mesh, one.laterality) for one in stated(text, "mine")] == [
        ("RBC", "D004912", None),
        ("left kidney", None, "left"),
    ]
    assert stated("no python (", "mine") == []


def test_remarks_come_once_sorted_and_as_plain_data():
    remarks = lint([used("zork"), used("RBC"), used("RBC")], TABLE)
    assert [remark.label for remark in remarks] == ["RBC", "zork"]
    assert set(remarks[0].row()) == {"code", "source", "label", "found", "write", "closest"}
    assert all(isinstance(remark, Remark) and remark.code in CODES for remark in remarks)


@pytest.mark.parametrize("name", catalog.names())
def test_the_catalogued_sources_are_clean(name: str):
    assert lint(of_source(name), built_in.table()) == []


def test_names_of_a_sources_own(tmp_path):
    text = (catalog.file_of("bccd") or tmp_path).read_text(encoding="utf-8")
    assert own_names(["bccd"]) == set()
    assert '"RBC": Label("red blood cell")' in text
