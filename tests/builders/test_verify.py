"""Whether a raw root is what a source expects: counts, columns, archives, and what the nearest layout lacks."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from medloom.builders.catalog import load
from medloom.builders.raw import Raw
from medloom.builders.source import Expect, Layout, Source
from medloom.builders.verify import require, verify
from medloom.schema.errors import RawRootError

IMAGES = Expect(pattern="images/*.png", what="images", at_least=2)
TABLE = Expect(pattern="*.csv", what="labels", columns=("image", "label"))


@pytest.fixture
def source(tiny) -> Source:
    layouts = (
        Layout(name="flat", expects=(IMAGES, TABLE)),
        Layout(name="packed", expects=(Expect(pattern="all/*", what="all"),)),
    )
    return replace(load(tiny.spec), layouts=layouts)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "images").mkdir(parents=True)
    for name in "ab":
        (folder / f"images/{name}.png").write_bytes(b"x")
    (folder / "labels.csv").write_text("image,label\na,1\n")
    return folder


def test_a_complete_root(source: Source, root: Path):
    found = verify(source, Raw(root))
    assert (found["source"], found["layout"], found["files"], found["bytes"]) == ("tiny", "flat", 3, 18)
    assert found["layouts"]["flat"] == [
        {"pattern": "images/*.png", "met": True, "message": "images/*.png: 2 files (images)"},
        {"pattern": "*.csv", "met": True, "message": "*.csv: 1 files (labels)"},
    ]
    assert require(source, Raw(root)) == "flat"


def test_too_few_files(source: Source, root: Path):
    (root / "images/b.png").unlink()
    message = r"tiny: .*isn't the layout 'flat': images/\*\.png: 1 files; expected at least 2 \(images\); get it from https"
    with pytest.raises(RawRootError, match=message):
        require(source, Raw(root))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_columns_of_tables(source: Source, root: Path, separator: str, ending: str):
    (root / "labels.csv").write_bytes(f'\ufeff image {separator}label{separator}"x{separator}y"{ending}'.encode())
    assert verify(source, Raw(root))["layout"] == "flat"
    (root / "labels.csv").write_text(separator.join(["image", "class"]) + ending)
    with pytest.raises(RawRootError, match=r"columns \['image', 'class'\]; expected also \['label'\]"):
        require(source, Raw(root))


def test_an_empty_table(source: Source, root: Path):
    (root / "labels.csv").write_bytes(b"")
    with pytest.raises(RawRootError, match=r"expected also \['image', 'label'\]"):
        require(source, Raw(root))


def test_a_table_in_another_encoding(source: Source, root: Path):
    (root / "labels.csv").write_bytes("image,größe\n".encode("latin-1"))
    with pytest.raises(RawRootError, match=r"labels\.csv: byte 8 is not UTF-8.*save the file as UTF-8"):
        verify(source, Raw(root))


def with_excel(source: Source) -> Source:
    expect = replace(TABLE, pattern="*.xlsx")
    return replace(source, layouts=(Layout(name="excel", expects=(expect,)),))


def test_columns_of_excel(source: Source, root: Path):
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["image", None, " label "])
    book.save(root / "labels.xlsx")
    assert verify(with_excel(source), Raw(root))["layout"] == "excel"


@pytest.mark.parametrize("data", [b"", b"no workbook", b"PK\x03\x04 no workbook"])
def test_an_excel_file_that_is_none(source: Source, root: Path, data: bytes):
    (root / "labels.xlsx").write_bytes(data)
    with pytest.raises(RawRootError, match=r"labels\.xlsx: .*expected a table"):
        verify(with_excel(source), Raw(root))


@pytest.mark.parametrize("columns", ["image,label", "image,class"])
def test_columns_of_a_table_inside_an_archive(source: Source, root: Path, columns: str, tmp_path: Path):
    with zipfile.ZipFile(root / "all.zip", "w") as made:
        made.writestr("labels.csv", f"{columns}\na,1\n")
    inside = replace(source, layouts=(Layout(name="packed", expects=(replace(TABLE, pattern="all/*.csv"),)),))
    found = verify(inside, Raw(root, unpack_to=tmp_path / "unpacked"))
    assert (found["layout"] == "packed") is (columns == "image,label")
    assert not (tmp_path / "unpacked").exists()
    assert verify(inside, Raw(root)) == found


def test_the_first_complete_layout_is_named_and_the_nearest_one_explained(source: Source, root: Path):
    with zipfile.ZipFile(root / "all.zip", "w") as made:
        made.writestr("a.png", "x")
    assert verify(source, Raw(root))["layout"] == "flat"
    (root / "labels.csv").unlink()
    assert verify(source, Raw(root))["layout"] == "packed"
    (root / "all.zip").unlink()
    with pytest.raises(RawRootError, match=r"layout 'flat': \*\.csv: 0 files"):
        require(source, Raw(root))
