"""Identifiers planted straight into a finished release: the table says which place is caught as what."""

from __future__ import annotations

import json
import shutil
import struct
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from medloom.builders.duplicates.certificate import certify
from medloom.builders.duplicates.find import PAIRS
from medloom.builders.shards import ShardWriter
from medloom.cards.card.card import card
from medloom.cards.gates.gate import gate
from medloom.cards.gates.justify import justify
from medloom.cards.gates.privacy import privacy
from medloom.cards.gates.verdict import MOST_PLACES, Level, Verdict
from medloom.generation.asking.ask import ask
from medloom.schema.release import Release
from medloom.schema.shard import pairs

NAME = "DOE^JANE"
Plant = Callable[[Path], None]
Edit = Callable[[str, bytes, dict[str, Any]], tuple[str, bytes, Any]]


@pytest.fixture(scope="module")
def asked(twins, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The twins with descriptions asked of them."""
    folder = tmp_path_factory.mktemp("privacy") / "release"
    shutil.copytree(twins.release, folder)
    ask(folder, "medtrinity")
    return folder


@pytest.fixture
def copy(asked: Path, tmp_path: Path) -> Path:
    shutil.copytree(asked, tmp_path / "release")
    return tmp_path / "release"


def shard_of(release: Path) -> Path:
    return sorted((release / "data" / "owned").rglob("*.tar"))[0]


def edited(edit: Edit) -> Plant:
    """Writes a shard anew, its first sample changed."""

    def plant(release: Path) -> None:
        path = shard_of(release)
        samples = [(key, image, orjson.loads(record)) for key, image, record, _ in pairs(path)]
        samples[0] = edit(*samples[0])
        with ShardWriter(path, path.with_suffix(".part")) as writer:
            for key, image, record in samples:
                writer.add(key, image, record if isinstance(record, bytes) else orjson.dumps(record))
            writer.finish()

    return plant


def field(path: str, value: Any) -> Plant:
    """Sets a field of the first record."""

    def edit(key: str, image: bytes, record: dict[str, Any]) -> tuple[str, bytes, Any]:
        *folders, name = path.split(".")
        inner = record
        for folder in folders:
            inner = inner[folder]
        inner[name] = value
        return key, image, record

    return edited(edit)


def chunk(name: bytes) -> Plant:
    body = b"Patient\0" + NAME.encode()
    block = struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    return edited(lambda key, image, record: (key, image[:33] + block + image[33:], record))


def behind_picture(key: str, image: bytes, record: dict[str, Any]) -> tuple[str, bytes, Any]:
    return key, image + NAME.encode(), record


def renamed(key: str, image: bytes, record: dict[str, Any]) -> tuple[str, bytes, Any]:
    return "owned-DOE^JANE", image, record


def text(value: str) -> dict[str, str]:
    return {"kind": "report", "language": "en", "origin": "owner", "text": value}


def annotation(**more: Any) -> dict[str, Any]:
    return {
        "id": "a0", "label": "lesion", "label_id": "medloom:lesion", "granularity": "box", "box_xyxy_px": [1.0, 1.0, 5.0, 5.0],
        "rle": None, "points": [], "area_px": 16.0, "laterality": None, "observer": None, "origin": "human", "tool": None,
        **more,
    }  # fmt: skip


def tar_owner(release: Path) -> None:
    path = shard_of(release)
    with tarfile.open(path) as tar:
        members = [(member, tar.extractfile(member).read()) for member in tar]  # type: ignore[union-attr]
    import io

    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for member, body in members:
            member.uname = "jane"
            tar.addfile(member, io.BytesIO(body))


def behind_tar(release: Path) -> None:
    with shard_of(release).open("ab") as stream:
        stream.write(NAME.encode())


def cell(path: str, column: str, value: Any) -> Plant:
    """Sets the first cell of a column."""

    def plant(release: Path) -> None:
        place = sorted(release.glob(path))[0]
        table = pq.read_table(place)
        values = table[column].to_pylist()
        changed = pa.array([value, *values[1:]], table.schema.field(column).type)
        pq.write_table(table.set_column(table.schema.get_field_index(column), column, changed), place)

    return plant


def column(release: Path) -> None:
    place = release / "index" / "owned" / "samples.parquet"
    table = pq.read_table(place)
    pq.write_table(table.append_column("patient_name", [[NAME] * len(table)]), place)


def metadata(release: Path) -> None:
    place = release / "index" / "owned" / "samples.parquet"
    table = pq.read_table(place)
    pq.write_table(table.replace_schema_metadata({"patient": NAME}), place)


def option(release: Path) -> None:
    place = sorted(release.glob("questions/*/owned/**/*.parquet"))[0]
    table = pq.read_table(place)
    values = table["options"].to_pylist()
    values[0] = [{"letter": "A", "text": NAME, "label_id": None}]
    kind = table.schema.field("options").type
    pq.write_table(table.set_column(table.schema.get_field_index("options"), "options", pa.array(values, kind)), place)


def in_json(path: str, change: Callable[[dict[str, Any]], None]) -> Plant:
    def plant(release: Path) -> None:
        data = json.loads((release / path).read_text())
        change(data)
        (release / path).write_text(json.dumps(data))

    return plant


def written(path: str, body: str | bytes) -> Plant:
    def plant(release: Path) -> None:
        place = release / path
        place.parent.mkdir(parents=True, exist_ok=True)
        known = place.read_bytes() if place.exists() else b""
        place.write_bytes(known + (body.encode() if isinstance(body, str) else body))

    return plant


def moved(old: str, new: str) -> Plant:
    return lambda release: (release / old).rename(release / new) and None


TEXT, FACT, FIELD = "identifier-in-text", "header-fact", "unknown-field"
BESIDE, CHUNKS = "picture-carries-more", ("tEXt", "zTXt", "iTXt", "eXIf", "tIME", "prVt")
PLANTED: dict[str, tuple[Plant, str]] = {
    "record: report with a date": (field("texts", [text("Follow-up of 03.02.1970, stable.")]), TEXT),
    "record: report with a spoken date": (field("texts", [text("Seen on 3 February 1970.")]), TEXT),
    "record: report with a name": (field("texts", [text("Patient: Doe, Jane. Unremarkable.")]), TEXT),
    "record: report with a doctor": (field("texts", [text("Reported by Dr. House.")]), TEXT),
    "record: report with a number": (field("texts", [text("Accession number A-4711999.")]), TEXT),
    "record: report with a UID": (field("texts", [text("see 1.2.826.0.1.3680043.8.498.4711")]), TEXT),
    "record: report with a telephone": (field("texts", [text("call +49 761 270 1234")]), TEXT),
    "record: report with an e-mail": (field("texts", [text("write to jane@clinic.example")]), TEXT),
    "record: report with an old age": (field("texts", [text("A 93-year-old woman.")]), TEXT),
    "record: kind of a text": (field("texts", [text("") | {"kind": NAME}]), TEXT),
    "record: group": (field("group", NAME), TEXT),
    "record: group without a form": (field("group", "jane"), FACT),
    "record: collection": (field("collection", "/Users/jane/ct"), TEXT),
    "record: citation": (field("citation", "Patient: Doe, Jane"), TEXT),
    "record: original split": (field("original_split", "/mnt/pacs/train"), TEXT),
    "record: view": (field("acquisition.view", NAME), TEXT),
    "record: stain": (field("acquisition.stain", NAME), TEXT),
    "record: sex": (field("subject.sex", "Jane"), FACT),
    "record: age": (field("subject.age_years", 104.0), FACT),
    "record: digest of the raw file": (field("provenance.raw_sha256", "DOE_JANE.dcm"), FACT),
    "record: raw format": (field("provenance.raw_format", "dicom of 19700203"), TEXT),
    "record: decoder": (field("provenance.decoder", "pydicom 19700203"), TEXT),
    "record: axis": (field("provenance.axis", "jane"), FACT),
    "record: window's name": (field("provenance.window_name", "19700203"), TEXT),
    "record: transformations": (field("provenance.transformations", ["from /data/jane/x.dcm"]), TEXT),
    "record: transformations without a form": (field("provenance.transformations", ["Jane's windows"]), FACT),
    "record: reason for burned-in text": (field("provenance.burned_in_reason", f"shows {NAME}"), TEXT),
    "record: observer": (field("annotations", [annotation(observer="Dr. Jane Doe")]), TEXT),
    "record: observer without a title": (field("annotations", [annotation(observer="JDoe")]), FACT),
    "record: tool": (field("annotations", [annotation(tool="C:\\Users\\jane\\tool.exe")]), TEXT),
    "record: label's id": (field("annotations", [annotation(label_id="patient:4711999")]), FACT),
    "record: unknown field": (field("patient_name", "jane"), FIELD),
    "record: unknown inner field": (field("provenance.StudyDate", "jane"), FIELD),
    "record: words behind it": (edited(lambda key, image, record: (key, image, orjson.dumps(record) + b" ")), FIELD),
    **{f"picture: PNG chunk {name}": (chunk(name.encode()), BESIDE) for name in CHUNKS},
    "picture: bytes behind it": (edited(behind_picture), "picture-carries-more"),
    "picture: no picture": (edited(lambda key, image, record: (key, NAME.encode(), record)), "picture-carries-more"),
    "tar: member's name": (edited(renamed), "identifier-in-name"),
    "tar: owner": (tar_owner, "archive-carries-more"),
    "tar: bytes behind the end": (behind_tar, "archive-carries-more"),
    "index: cell": (cell("index/owned/samples.parquet", "licence", NAME), TEXT),
    "index: group": (cell("index/owned/samples.parquet", "group", "jane"), FACT),
    "index: decoder": (cell("index/owned/samples.parquet", "provenance_decoder", "from 19700203"), TEXT),
    "index: list": (cell("index/owned/samples.parquet", "provenance_transformations", [NAME]), TEXT),
    "index: shard": (cell("index/owned/samples.parquet", "shard", "/Users/jane/a.tar"), TEXT),
    "index: column": (column, FIELD),
    "index: metadata": (metadata, FIELD),
    "questions: question": (cell("questions/*/owned/**/*.parquet", "question", f"What has {NAME}?"), TEXT),
    "questions: answer": (cell("questions/*/owned/**/*.parquet", "answer", "Seen on 1970-02-03."), TEXT),
    "questions: option": (option, TEXT),
    "questions: id": (cell("questions/*/owned/**/*.parquet", "id", "q-19700203"), TEXT),
    "questions: maker": (in_json("questions/medtrinity/suite.json", lambda data: data.update(maker=NAME)), TEXT),
    "recipe: oddity": (in_json("recipes/owned.json", lambda data: data["facts"]["oddities"].append("born 19700203")), TEXT),
    "recipe: path": (in_json("recipes/owned.json", lambda data: data["options"].update(raw="/Users/jane/owned")), TEXT),
    "recipe: citation": (in_json("recipes/owned.json", lambda data: data["facts"].update(citation=NAME)), TEXT),
    "recipe: name of a field": (in_json("recipes/owned.json", lambda data: data["issues"].update({NAME: 1})), TEXT),
    "README": (written("README.md", "\nThanks to the patient born on 3 February 1970.\n"), TEXT),
    "README: path": (written("README.md", "\nbuilt in /Users/jane/releases\n"), TEXT),
    "README: host": (written("README.md", "\nsee http://pacs.hospital.local/x\n"), TEXT),
    "card: picture": (written("card/samples.png", NAME), "picture-carries-more"),
    "card: drawing": (written("card/plot.svg", "<svg><dc:date>2026-03-02T10:00:00</dc:date></svg>"), TEXT),
    "file: name with a date": (written("card/plot 1970-02-03.svg", "<svg/>"), "identifier-in-name"),
    "file: name of a person": (written("card/DOE^JANE.md", "nothing"), "identifier-in-name"),
    "file: name with a number": (moved("recipes/owned.json", "recipes/MRN4711999.json"), "identifier-in-name"),
    "file: of another kind": (written("data/owned/notes.docx", b"\0\1\2"), "opaque-file"),
    "file: JSON that is none": (written("questions/medtrinity/suite.json", "{"), "opaque-file"),
}  # fmt: skip


def refused(release: Path) -> list[Verdict]:
    return [one for one in privacy(Release.open(release)) if one.level is Level.REFUSE]


def test_the_release_itself_passes(asked: Path):
    assert refused(asked) == []


@pytest.mark.parametrize("place", PLANTED)
def test_what_is_planted_is_refused(copy: Path, place: str):
    plant, code = PLANTED[place]
    plant(copy)
    found = refused(copy)
    assert code in {one.code for one in found}
    for one in found:
        assert one.where
        assert len(one.where) <= MOST_PLACES
        assert NAME not in f"{one.found} {one.where}" or "name" in place


SUSPECTED: dict[str, Plant] = {
    "given name": field("texts", [text("Jane Doe has no findings.")]),
    "month": field("texts", [text("Since February 1970.")]),
    "long number": field("texts", [text("reference 81726354")]),
}


@pytest.mark.parametrize("place", SUSPECTED)
def test_a_suspicion_warns(copy: Path, place: str):
    SUSPECTED[place](copy)
    (found,) = [one for one in privacy(Release.open(copy)) if one.code == "perhaps-an-identifier"]
    assert found.level is Level.WARN
    assert found.source == "owned"
    assert found.count == 1


def test_authors_words_pass_where_they_stand_and_where_cards_repeat_them(copy: Path):
    def cite(data: dict[str, Any]) -> None:
        data["facts"]["citation"] = "@misc{x, author = {Jane Doe}, note = {read on 2024-05-06, jane@example.org}}"
        data["facts"]["licence_evidence"] = "LICENSE, read on 6 May 2024"

    in_json("recipes/owned.json", cite)(copy)
    written("README.md", "\nRead on 6 May 2024: jane@example.org, Jane Doe.\n")(copy)
    assert {one.code for one in privacy(Release.open(copy)) if one.level is not Level.PASS} == set()
    written("README.md", "\nRead on 7 May 2024.\n")(copy)
    assert [one.code for one in refused(copy)] == [TEXT]


def test_many_findings_are_counted_and_the_first_are_listed(copy: Path):
    path = sorted(copy.glob("questions/*/owned/**/*.parquet"))[0]
    table = pq.read_table(path)
    values = [f"Seen on 1970-02-{1 + place % 28:02}, case {place}." for place in range(len(table))]
    pq.write_table(table.set_column(table.schema.get_field_index("question"), "question", pa.array(values)), path)
    (found,) = refused(copy)
    assert found.count == len(table)
    assert len(found.where) == min(MOST_PLACES, len(table))


def test_a_certificate_adds_nothing(copy: Path):
    before = privacy(Release.open(copy))
    certify(Release.open(copy), PAIRS.empty_table(), search={"parameters": {}, "counts": {}})
    assert privacy(Release.open(copy)) == before
    path = copy / "certificate/groups.parquet"
    groups = pq.read_table(path)
    pq.write_table(groups.set_column(0, "group", pa.array(["A. Doe", *groups["group"].to_pylist()[1:]])), path)
    assert {one.code for one in refused(copy)} == {"header-fact"}


def test_a_card_adds_nothing(copy: Path):
    before = privacy(Release.open(copy))
    card(Release.open(copy))
    path = copy / "croissant.json"
    described = json.loads(path.read_text())
    described["distribution"][-1]["contentSize"] = "2447360 B"
    path.write_text(json.dumps(described))
    assert privacy(Release.open(copy)) == before


@pytest.mark.parametrize("workers", [2])
def test_workers_change_nothing_and_progress_is_told(copy: Path, workers: int):
    field("texts", [text("Seen on 1970-02-03.")])(copy)
    told: list[tuple[int, int]] = []
    pooled = privacy(Release.open(copy), workers=workers, progress=lambda done, total: told.append((done, total)))
    assert pooled == privacy(Release.open(copy))
    assert told[-1][0] == told[-1][1] > 0
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_reason_lets_a_finding_pass_and_is_recorded(copy: Path):
    field("texts", [text("Seen on 1970-02-03.")])(copy)
    report = gate(Release.open(copy), gates=["privacy"])
    assert not report.passed
    report = justify(report, ["identifier-in-text:owned=the day is invented, as 2024-05-06 was"])
    assert report.passed
    assert gate(Release.open(copy), gates=["privacy"]).passed
