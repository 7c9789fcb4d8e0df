"""Identifiers planted wherever raw files can hold them: none reaches a release, or the gate refuses it.

One source of seven kinds of files, each with a name, a birthday, a record number, a UID and an address in every field that
its format has for words: DICOM, NIfTI, NRRD, TIFF, PNG, JPEG and a table.
"""

from __future__ import annotations

import struct
import tarfile
import zlib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import nibabel
import nrrd
import numpy as np
import pyarrow.parquet as pq
import pydicom
import pytest
import tifffile
from PIL import Image, ImageDraw, ImageFont
from pydicom import Dataset, FileMetaDataset, uid
from pydicom.datadict import DicomDictionary

from medloom.builders.build import Options, build
from medloom.cards.gates.privacy import privacy
from medloom.cards.gates.verdict import Level
from medloom.schema.release import Release

NAME, DAY, RECORD, UID = "DOE^JANE", "19700203", "MRN4711999", "1.2.826.0.1.3680043.8.498.4711"
MAIL = "jane.doe@clinic.example"
EVERYTHING = f"{NAME} {DAY} {RECORD} {UID} {MAIL}"
CANARIES = (b"DOE", b"JANE", b"jane", DAY.encode(), b"4711", b"clinic.example")

SOURCE = """
import csv
from medloom.builders.source import Access, Expect, Facts, Layout, Source
from medloom.builders.unit import Unit
from medloom.schema.triplet import Triplet

FACTS = Facts(
    name="planted", title="Planted", homepage="https://example.org", licence="CC0-1.0", licence_evidence="drawn by the test",
    citation="@misc{planted}", cite="https://example.org", access=Access.GENERATED, group_kind="patient",
    triplet=Triplet("MRI", "abdomen", "unlabelled"), clinical_task="None", department="None",
)
READERS = {"dcm": "dicom", "nii": "volume", "nrrd": "volume", "tif": "tiff", "png": "raster", "jpg": "raster"}

def read(raw):
    with raw.path("patients.csv").open() as stream:
        patients = {row["file"]: row["patient"] for row in csv.DictReader(stream)}
    for name in raw.glob("*/*.*"):
        yield Unit(files=(name,), reader=READERS[name.rsplit(".", 1)[1]], group=patients[name])

SOURCE = Source(
    facts=FACTS, labels={}, read=read, layouts=(Layout(name="flat", expects=(Expect(pattern="*/*", what="pictures"),)),),
)
"""


def texture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (40, 48), np.uint8)


def draw_dicom(path: Path, pixels: np.ndarray | None = None, **more) -> None:
    """A file with a canary in every text, name, date and UID of the dictionary, in sequences, private tags and an overlay."""
    data, pixels = Dataset(), texture(1) if pixels is None else pixels
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
    words = dict.fromkeys(("LO", "SH", "LT", "ST", "UT", "UC", "PN", "AE"), NAME) | {
        "DA": DAY,
        "DT": f"{DAY}112233",
        "AS": "099Y",
    }
    for tag, (vr, _, _, retired, keyword) in DicomDictionary.items():
        if vr in words and keyword and not retired and 0x0008 <= tag >> 16 < 0x6000:
            setattr(data, keyword, words[vr])
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "SOPInstanceUID", "DeviceUID"):
        setattr(data, keyword, UID)
    inner = Dataset()
    inner.PatientName, inner.OtherPatientIDs, inner.InstitutionAddress = NAME, RECORD, MAIL
    inner.RequestAttributesSequence = [Dataset()]
    inner.RequestAttributesSequence[0].RequestingPhysician = NAME
    data.RequestAttributesSequence = data.OtherPatientIDsSequence = [inner]
    data.private_block(0x0009, f"{NAME} BLOCK", create=True).add_new(0x01, "LT", EVERYTHING)
    data.add_new(0x60000010, "US", 40)
    data.add_new(0x60000011, "US", 48)
    data.add_new(0x60000022, "LT", EVERYTHING)
    data.add_new(0x60003000, "OW", EVERYTHING.encode().ljust(240, b" "))
    data.SOPClassUID, data.Modality = "1.2.840.10008.5.1.4.1.1.4", "MR"
    data.Rows, data.Columns = pixels.shape
    data.SamplesPerPixel, data.PhotometricInterpretation, data.PixelRepresentation = 1, "MONOCHROME2", 0
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelData = 7, pixels.tobytes()
    data["PixelData"].VR = "OB"
    for keyword in (
        "ImageType",
        "PixelSpacing",
        "RescaleSlope",
        "ConversionType",
        "SpecificCharacterSet",
        "PatientSex",
        "ViewPosition",
    ):
        if keyword in data:
            delattr(data, keyword)
    for keyword, value in more.items():
        setattr(data, keyword, value)
    data.file_meta.MediaStorageSOPClassUID, data.file_meta.MediaStorageSOPInstanceUID = data.SOPClassUID, UID
    data.save_as(path, enforce_file_format=True)


def draw_nifti(path: Path) -> None:
    volume = np.random.default_rng(2).integers(0, 900, (20, 24, 6), np.int16)
    image = nibabel.Nifti1Image(volume, np.diag([2, 2, 3, 1]))
    header = image.header
    header["descrip"], header["aux_file"], header["intent_name"], header["db_name"] = NAME, f"{NAME}.txt", RECORD, "JANE DOE"
    for code in ("comment", "dicom", "afni"):
        header.extensions.append(nibabel.nifti1.Nifti1Extension(code, EVERYTHING.encode()))
    nibabel.save(image, path)


def draw_png(path: Path) -> None:
    Image.fromarray(texture(4)).save(path)
    plain = path.read_bytes()
    chunks = {b"tEXt": b"Author\0", b"zTXt": None, b"iTXt": b"Author\0\0\0\0\0", b"prVt": b"", b"eXIf": b"MM\0*\0\0\0\x08\0\0"}
    packed = b""
    for name, head in chunks.items():
        body = b"Comment\0\0" + zlib.compress(EVERYTHING.encode()) if head is None else head + EVERYTHING.encode()
        packed += struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    path.write_bytes(plain[:33] + packed + plain[33:] + EVERYTHING.encode())


def draw_jpeg(path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x013B], exif[0x0132] = EVERYTHING, NAME, "1970:02:03 11:22:33"
    Image.fromarray(texture(5)).save(path, exif=exif, comment=EVERYTHING.encode())
    plain = path.read_bytes()
    xmp = b"http://ns.adobe.com/xap/1.0/\0" + EVERYTHING.encode()
    path.write_bytes(plain[:2] + struct.pack(">BBH", 0xFF, 0xE1, len(xmp) + 2) + xmp + plain[2:] + EVERYTHING.encode())


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("planted") / "raw"
    inner = folder / "DOE^JANE 19700203"
    inner.mkdir(parents=True)
    draw_dicom(inner / "DOE^JANE MRN4711999.dcm")
    draw_nifti(inner / "jane_doe.nii")
    header = {"DOE^JANE": EVERYTHING, "birthday": DAY, "content": NAME}
    nrrd.write(str(inner / "jane.nrrd"), np.random.default_rng(3).integers(0, 900, (20, 24, 5), np.int16), header)
    tags = [(700, 7, len(EVERYTHING), EVERYTHING.encode(), True), (65000, 2, 0, EVERYTHING, True), (315, 2, 0, NAME, True)]
    words = {"description": EVERYTHING, "software": NAME, "datetime": "1970:02:03 11:22:33"}
    tifffile.imwrite(inner / "jane.tif", texture(6), extratags=tags, metadata=None, **words)
    draw_png(inner / "jane.png")
    draw_jpeg(inner / "jane.jpg")
    table = ["file,patient,birthday,note"]
    table += [f'{path.relative_to(folder).as_posix()},{NAME},{DAY},"{EVERYTHING}"' for path in sorted(inner.iterdir())]
    (folder / "patients.csv").write_text("\n".join(table))
    return folder


@pytest.fixture(scope="module")
def release(raw: Path) -> Path:
    spec = raw.parent / "planted.py"
    spec.write_text(SOURCE)
    build(str(spec), raw, raw.parent / "release", options=Options())
    return raw.parent / "release"


def bytes_of(release: Path) -> Iterator[tuple[str, bytes]]:
    """Place and bytes of everything in a release, compressed tables as text."""
    for path in sorted(release.rglob("*")):
        name = path.relative_to(release).as_posix()
        yield name, name.encode()
        if path.suffix == ".parquet":
            yield name, str(pq.read_table(path).to_pydict()).encode() + str(pq.read_schema(path).metadata).encode()
        elif path.is_file():
            yield name, path.read_bytes()


def test_every_kind_of_file_was_built(release: Path):
    table = pq.read_table(release / "index" / "planted" / "samples.parquet")
    assert set(table["provenance_raw_format"].to_pylist()) == {"dicom", "nifti", "nrrd", "tiff", "png", "jpeg"}
    assert len(set(table["group"].to_pylist())) == 1


def test_the_canaries_are_in_the_raw_files(raw: Path):
    for path in raw.rglob("*.*"):
        if path.is_file() and path.suffix != ".csv":
            assert any(one in path.read_bytes() for one in (b"JANE", b"jane")), path.name


def test_no_planted_identifier_reaches_the_release(release: Path):
    for place, body in bytes_of(release):
        assert [one for one in CANARIES if one in body] == [], place


def test_the_gate_passes_it(release: Path):
    verdicts = privacy(Release.open(release))
    assert [one for one in verdicts if one.level is Level.REFUSE] == []


def burned(text: str) -> np.ndarray:
    picture = Image.new("L", (512, 320), 30)
    ImageDraw.Draw(picture).text((24, 20), text, fill=230, font=ImageFont.load_default(26))
    return np.asarray(picture)


def built_of(folder: Path, pixels: np.ndarray, **more) -> Release:
    (folder / "raw" / "a").mkdir(parents=True)
    draw_dicom(folder / "raw" / "a" / "x.dcm", pixels, **more)
    (folder / "raw" / "patients.csv").write_text("file,patient\na/x.dcm,1\n")
    (folder / "planted.py").write_text(SOURCE)
    build(str(folder / "planted.py"), folder / "raw", folder / "release", options=Options())
    return Release.open(folder / "release")


def test_pixels_whose_header_says_that_they_identify_are_refused(tmp_path: Path):
    verdicts = privacy(built_of(tmp_path, texture(1), BurnedInAnnotation="YES"))
    assert [one.code for one in verdicts if one.level is Level.REFUSE] == ["burned-in-stated"]


def test_a_secondary_capture_is_suspected(tmp_path: Path):
    verdicts = privacy(built_of(tmp_path, texture(1), SOPClassUID="1.2.840.10008.5.1.4.1.1.7"))
    (suspected,) = [one for one in verdicts if one.code == "burned-in-suspected"]
    assert suspected.level is Level.WARN
    assert suspected.count == 1


@pytest.mark.skipif(find_spec("rapidocr") is None, reason="needs the extra `ocr`")
@pytest.mark.parametrize(
    ("text", "code", "level"),
    [
        ("DOE^JANE", "burned-in-identifier", Level.REFUSE), ("1970-02-03", "burned-in-identifier", Level.REFUSE),
        ("MRN 4711999", "burned-in-identifier", Level.REFUSE), ("Doe, Jane", "burned-in-identifier", Level.REFUSE),
        ("03 FEB 1970", "burned-in-identifier", Level.REFUSE), ("portal venous phase", "burned-in-words", Level.WARN),
        ("L", "no-words-read", Level.PASS), ("10 cm", "no-words-read", Level.PASS), ("AP SUPINE", "no-words-read", Level.PASS),
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_text_detector_tells_identifiers_from_marks(tmp_path: Path, text: str, code: str, level: Level):
    verdicts = privacy(built_of(tmp_path, burned(text)), ocr=True)
    (read,) = [one for one in verdicts if one.code in ("burned-in-identifier", "burned-in-words", "no-words-read")]
    assert (read.code, read.level) == (code, level)
    assert "all 1 pictures" in read.found
    assert text not in f"{read.found} {read.where}" or len(text) < 3


def test_without_the_detector_the_call_says_what_to_install(release: Path, monkeypatch: pytest.MonkeyPatch):
    from medloom.cards.gates.privacy import ocr
    from medloom.schema.errors import UsageError

    monkeypatch.setattr(ocr, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"pip install 'medloom\[ocr\]'"):
        privacy(Release.open(release), ocr=True)


def test_tar_members_of_the_release_have_no_owner(release: Path):
    for path in release.rglob("*.tar"):
        with tarfile.open(path) as tar:
            assert {(one.uid, one.uname, one.gname, one.mtime) for one in tar} == {(0, "", "", 0)}


def test_the_dicom_files_really_hold_what_was_planted(raw: Path):
    data = pydicom.dcmread(next(raw.rglob("*.dcm")))
    texts = [str(one.value) for one in data.iterall() if one.VR in ("LO", "SH", "PN", "LT", "ST", "UT", "UC")]
    assert sum("JANE" in one for one in texts) > 500
