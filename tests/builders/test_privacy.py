"""Nothing identifying of a DICOM source stands anywhere in its release, and this test would see it if it did."""

from __future__ import annotations

import re
import struct
import tarfile
import warnings
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pydicom
import pytest
from pydicom.datadict import DicomDictionary

from medloom.builders import catalog
from medloom.builders.build import Options, build
from medloom.builders.formats.jpeg import inspect
from medloom.builders.raw import Raw
from medloom.schema.shard import pairs

DICOM_SOURCES = [
    "dcm_qa_ct", "dcm_qa_siemens", "dcmqi_seg", "highdicom_sm_seg", "package_samples", "phantom", "pydicom_data",
    "rt_utils_rtstruct",
]  # fmt: skip
TEXT = {"LO", "SH", "LT", "ST", "UT", "UC", "AE", "UR", "PN"}
DATED = {"DA", "DT"}
SHORTEST = 5
STANDARD_UIDS = "1.2.840.10008."
DIGEST = re.compile(r"(?<![0-9a-f])(?:[0-9a-f]{16}|[0-9a-f]{64})(?![0-9a-f])")


def header_values(root: Path) -> Iterator[str]:
    """Every person name, date, identifier and text in the headers of a folder's DICOM files, nested ones too."""
    for path in sorted(root.rglob("*")):
        if path.is_file():
            try:
                with warnings.catch_warnings(action="ignore"):
                    dataset = pydicom.dcmread(path, force=True, stop_before_pixels=True)
                    yield from (value for element in dataset.iterall() for value in texts(element))
            except Exception:  # noqa: BLE001 - a file that isn't DICOM has no header
                continue


def texts(element: pydicom.DataElement) -> Iterator[str]:
    if element.VR == "SQ" or element.value is None:
        return
    values = element.value if element.VM > 1 else [element.value]
    for value in values:
        text = str(value).strip()
        own_uid = element.VR == "UI" and not text.startswith(STANDARD_UIDS)
        if len(text) >= SHORTEST and (element.VR in TEXT | DATED or own_uid):
            yield text


def raw_names(root: Path) -> Iterator[str]:
    """Paths of raw files, and their names where these say more than a number or a word of the format."""
    yield str(root)
    for relative in Raw(root).sizes:
        if "/" in relative:
            yield relative
        if not Path(relative).name.isdecimal():
            yield Path(relative).name


def words_of(release: Path) -> Iterator[tuple[str, str]]:
    """Place and text of everything readable in a release; digests and run lengths are left out."""
    for path in sorted(release.rglob("*")):
        name = path.relative_to(release).as_posix()
        if path.suffix == ".tar":
            with tarfile.open(path) as tar:
                yield name, " ".join(f"{m.name} {m.uname} {m.gname} {m.linkname} {m.pax_headers}" for m in tar)
            yield from ((f"{name} {key}", record_words(record)) for key, _, record, _ in pairs(path))
        elif path.suffix == ".parquet":
            columns = pq.read_table(path).to_pydict()
            yield name, " ".join(str(cell) for cells in columns.values() for cell in cells)
            metadata = pq.read_schema(path).metadata or {}
            yield name, " ".join(f"{key!r} {value!r}" for key, value in metadata.items() if key != b"ARROW:schema")
        elif path.is_file():
            yield name, path.read_text(encoding="utf-8")


def record_words(record: bytes) -> str:
    fields = orjson.loads(record)
    for annotation in fields["annotations"]:
        annotation["rle"] = None
    return orjson.dumps(fields).decode()


def leaks(release: Path, values: set[str]) -> list[tuple[str, str]]:
    """Place and value of each of the values that stands in the release as a word of its own."""
    found = []
    for place, text in words_of(release):
        kept = DIGEST.sub(" ", text).casefold()
        found += [(place, value) for value in values if value.casefold() in kept and stands_alone(value.casefold(), kept)]
    return found


def stands_alone(value: str, text: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(value)}(?![\w.])", text) is not None


def own_words(name: str) -> str:
    """What the source's own table of facts and labels says, in its author's words and not the header's."""
    source = catalog.load(name)
    labels = sorted({label.name for label in source.labels.values() if label is not None})
    return " ".join(map(str, (source.facts, *source.layouts, *labels))).casefold()


@pytest.mark.parametrize("name", DICOM_SOURCES)
def test_no_header_value_leaves(name: str, built, raw_root):
    release, _ = built(name)
    root = raw_root(name)
    own = own_words(name)
    values = {value for value in (*header_values(root), *raw_names(root)) if not stands_alone(value.casefold(), own)}
    assert len(values) > 20
    assert leaks(release, {value for value in values if value.casefold() not in HARMLESS}) == []


HARMLESS = {
    "unknown", "other", "phantom", "axial", "image", "brain", "liver", "slice", "spine", "contrast", "train", "abdomen",
    "manual", "lossless", "human", "model", "percentile", "window", "volume", "label", "range", "chest", "frame", "medloom",
    "minimum", "segmentation", "tissue", "source", "shoulder", "slicereditor", "highdicom", version("highdicom"), "00000",
}  # fmt: skip
"""Words of the release's own vocabulary, of its libraries and of one segmenting tool, that headers use too."""


@pytest.mark.parametrize("name", DICOM_SOURCES)
def test_images_carry_nothing_but_pixels(name: str, built):
    release, _ = built(name)
    for path in release.rglob("*.tar"):
        for _, image, _, _ in pairs(path):
            if image.startswith(b"\x89PNG"):
                assert chunk_names(image) == [b"IHDR", b"IDAT", b"IEND"]
            else:
                assert inspect(image).metadata == ()


def chunk_names(png: bytes) -> list[bytes]:
    names, place = [], 8
    while place < len(png):
        (size,) = struct.unpack(">I", png[place : place + 4])
        names.append(png[place + 4 : place + 8])
        place += 12 + size
    return names


@pytest.fixture
def canaries(raw_root, tmp_path: Path) -> Path:
    """A copy of a CT source with a canary in every text and date that the DICOM dictionary knows, and in a sequence."""
    root, planted = raw_root("dcm_qa_ct"), tmp_path / "planted"
    for relative in Raw(root).sizes:
        path = planted / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((root / relative).read_bytes())
        if relative.startswith("In/GE/"):
            dataset = pydicom.dcmread(path)
            plant(dataset)
            dataset.save_as(path)
    return planted


def plant(dataset: pydicom.Dataset) -> None:
    values = dict.fromkeys(TEXT, "CANARY^TEXT") | {"UR": "urn:canary"} | {"DA": "19700203", "DT": "19700203112233"}
    for tag, (vr, _, _, retired, keyword) in DicomDictionary.items():
        if vr in values and keyword and not retired and tag >> 16 >= 0x0008:
            setattr(dataset, keyword, values[vr])
    inner = pydicom.Dataset()
    inner.PatientName, inner.InstitutionName = "CANARY^INNER", "CANARY HOSPITAL"
    dataset.RequestAttributesSequence = [inner]
    dataset.PatientBirthDate, dataset.PatientAge = "19100203", "104Y"
    block = dataset.private_block(0x0009, "CANARY BLOCK", create=True)
    block.add_new(0x01, "LO", "CANARY PRIVATE")


def test_planted_canaries_stay_behind(canaries: Path, tmp_path: Path):
    build("dcm_qa_ct", canaries, tmp_path / "release", options=Options())
    assert sum(1 for _ in (tmp_path / "release").rglob("*.tar")) > 0
    for place, text in words_of(tmp_path / "release"):
        assert "canary" not in text.casefold(), place
    assert leaks(tmp_path / "release", {"19700203", "19100203", "104Y", "104.0"}) == []


@pytest.mark.parametrize("place", ["README.md", "recipes/rt_utils_rtstruct.json"])
def test_a_planted_leak_is_seen(place: str, built, raw_root, tmp_path: Path):
    release, _ = built("rt_utils_rtstruct")
    copy = tmp_path / "copy"
    for path in release.rglob("*"):
        if path.is_file():
            target = copy / path.relative_to(release)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    uid = next(value for value in header_values(raw_root("rt_utils_rtstruct")) if value.count(".") > 5)
    assert leaks(copy, {uid}) == []
    (copy / place).write_text((copy / place).read_text() + f"\n{uid}\n")
    assert leaks(copy, {uid}) == [(place, uid)]


def test_a_leak_in_a_record_or_cell_is_seen(built, tmp_path: Path):
    release, _ = built("rt_utils_rtstruct")
    place = next(release.rglob("samples.parquet")).relative_to(release)
    table = pq.read_table(release / place)
    leaky = table.set_column(table.schema.get_field_index("licence"), "licence", [["Doe^Jane"] * len(table)])
    (tmp_path / place).parent.mkdir(parents=True)
    pq.write_table(leaky, tmp_path / place)
    assert leaks(tmp_path, {"Doe^Jane"}) == [(place.as_posix(), "Doe^Jane")]
