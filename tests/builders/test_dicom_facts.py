"""Facts of DICOM headers: every rule of the allow-list, and canaries that must never get out."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import DataElement, Dataset, Sequence, config, dcmread
from pydicom.data import get_testdata_file

from medloom.builders.formats import dicom
from medloom.builders.formats.dicom_facts import age_years, header_facts
from medloom.builders.source import Reading
from medloom.schema.errors import Issue
from medloom.schema.sample import BurnedIn
from medloom.schema.triplet import MODALITIES

CANARY = "CANARY7F3A"
TEXT = frozenset({"AE", "AS", "CS", "DA", "DT", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"})
BUNDLED = ("CT_small.dcm", "MR_small.dcm", "examples_overlay.dcm", "SC_rgb_jpeg_dcmtk.dcm", "examples_palette.dcm")


def _header(**elements: object) -> Dataset:
    header = Dataset()
    for keyword, value in elements.items():
        setattr(header, keyword, value)
    return header


def _bundled(name: str) -> Dataset:
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dcmread(path)


@pytest.mark.parametrize(
    ("age", "years"),
    [
        ("033Y", 33.0),
        ("006M", 0.5),
        ("052W", pytest.approx(52 * 7 / 365.25, abs=1e-3)),
        ("010D", pytest.approx(10 / 365.25, abs=1e-3)),
        ("089Y", 89.0),
        ("090Y", 90.0),
        ("104Y", 90.0),
        ("999M", pytest.approx(83.25)),
        ("000Y", 0.0),
        ("999Y", None),
        ("33", None),
        ("Y033", None),
        ("", None),
        ("-12Y", None),
    ],
)
def test_ages_come_in_years_and_are_pooled_from_90_on(age: str, years: float | None):
    assert age_years(age) == years


@given(st.text(max_size=8))
def test_no_text_makes_an_age_beyond_90(age: str):
    years = age_years(age)
    assert years is None or 0 <= years <= 90


def test_a_birth_date_gives_no_age():
    assert header_facts(_header(PatientBirthDate="19500101", StudyDate="20200101")).subject.age_years is None


@pytest.mark.parametrize(("code", "sex"), [("F", "female"), ("M", "male"), ("O", "other"), ("", None), ("X", None)])
def test_sex(code: str, sex: str | None):
    assert header_facts(_header(PatientSex=code)).subject.sex == sex


@pytest.mark.parametrize(
    ("code", "modality"), [("CT", "CT"), ("MR", "MRI"), ("PT", "PET"), ("DX", "X-ray"), ("SEG", None), ("", None)]
)
def test_modality_goes_through_the_vocabulary(code: str, modality: str | None):
    assert header_facts(_header(Modality=code)).modality == modality


@pytest.mark.parametrize(
    ("elements", "detail"),
    [
        ({"SeriesDescription": "AX T2 FLAIR"}, "FLAIR"),
        ({"SeriesDescription": "t2_tse_tra"}, "T2"),
        ({"SeriesDescription": "Mr T1 Smith"}, "T1"),
        ({"SeriesDescription": "T1 post", "ContrastBolusAgent": "Gadovist 7 ml"}, "T1ce"),
        ({"ProtocolName": "ep2d_diff_ADC"}, "ADC"),
        ({"ScanningSequence": "EP"}, "EPI"),
        ({"SeriesDescription": "localizer for Mrs Adcock"}, None),
        ({"SeriesDescription": "CTA head"}, None),
    ],
)
def test_sequence_hints_are_chosen_from_a_closed_list(elements: dict[str, str], detail: str | None):
    assert header_facts(_header(Modality="MR", **elements)).modality_detail == detail


def test_a_hint_of_another_modality_does_not_count():
    assert header_facts(_header(Modality="CT", SeriesDescription="CTA T1 of aorta")).modality_detail == "CTA"
    assert header_facts(_header(Modality="US", SeriesDescription="T1")).modality_detail is None


@given(st.text(max_size=30))
def test_a_hint_is_always_a_code_of_the_vocabulary(description: str):
    detail = header_facts(_header(Modality="MR", SeriesDescription=description.replace("\\", ""))).modality_detail
    assert detail is None or MODALITIES.is_a(detail, "MRI")


@pytest.mark.parametrize(("agent", "given_"), [("Omnipaque 300", "yes"), ("NONE", "no"), ("no contrast", "no"), ("", None)])
def test_contrast_says_whether_and_never_what(agent: str, given_: str | None):
    assert header_facts(_header(Modality="CT", ContrastBolusAgent=agent)).acquisition.contrast == given_


def test_views_come_from_codes_or_defined_terms():
    assert header_facts(_header(ViewPosition="PA")).acquisition.view == "PA"
    assert header_facts(_header(ViewPosition="AS DR WHO SAID")).acquisition.view is None
    coded = _header(Modality="MG", ViewCodeSequence=Sequence([_header(CodeValue="399368009")]))
    assert header_facts(coded).acquisition.view == "MLO"


@pytest.mark.parametrize(
    ("orientation", "plane"),
    [
        ([1, 0, 0, 0, 1, 0], "axial"),
        ([1, 0, 0, 0, 0, -1], "coronal"),
        ([0, 1, 0, 0, 0, -1], "sagittal"),
        ([1, 0, 0, 0, 0.948, -0.317], "axial"),
        ([1, 0, 0, 1, 0, 0], None),
    ],
)
def test_planes(orientation: list[float], plane: str | None):
    assert header_facts(_header(ImageOrientationPatient=orientation)).acquisition.plane == plane


def test_a_scout_shows_no_plane():
    scout = _header(ImageOrientationPatient=[0, 1, 0, 0, 0, -1], ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    assert header_facts(scout).acquisition.plane is None


@pytest.mark.parametrize(
    ("elements", "burned_in"),
    [
        ({"Modality": "CT", "BurnedInAnnotation": "YES"}, BurnedIn.YES),
        ({"Modality": "US", "BurnedInAnnotation": "NO"}, BurnedIn.NO),
        ({"Modality": "US"}, BurnedIn.SUSPECTED),
        ({"Modality": "ES"}, BurnedIn.SUSPECTED),
        ({"Modality": "XC"}, BurnedIn.SUSPECTED),
        ({"Modality": "OT"}, BurnedIn.SUSPECTED),
        ({"Modality": "CT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}, BurnedIn.SUSPECTED),
        ({"Modality": "CT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.7.4"}, BurnedIn.SUSPECTED),
        ({"Modality": "CR", "ConversionType": "DF"}, BurnedIn.SUSPECTED),
        ({"Modality": "CT", "ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, BurnedIn.SUSPECTED),
        ({"Modality": "CT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}, BurnedIn.NO),
    ],
)
def test_burned_in_text(elements: dict[str, object], burned_in: BurnedIn):
    facts = header_facts(_header(**elements))
    assert facts.burned_in is burned_in
    silent = burned_in is BurnedIn.NO and "BurnedInAnnotation" not in elements
    assert (facts.burned_in_reason is None) == silent


def test_stain_and_resolution_of_a_real_slide(real_data: Path):
    facts = header_facts(dcmread(real_data / "highdicom_sm_seg/data/test_files/sm_image.dcm"))
    assert (facts.modality, facts.acquisition.stain) == ("Mic", "H&E")
    assert facts.acquisition.um_per_px == pytest.approx(0.499)


def test_real_siemens_header(real_data: Path):
    first = next((real_data / "dcm_qa_siemens/In/Orientation/ax/axasc35").glob("MR*"))
    facts = header_facts(dcmread(first))
    assert (facts.modality, facts.modality_detail, facts.acquisition.plane) == ("MRI", "EPI", "axial")
    assert (facts.subject.age_years, facts.subject.sex) == (33.0, "male")


def _places(dataset: Dataset) -> Iterator[tuple[Dataset, DataElement]]:
    """Every element that holds text, with the item that it stands in."""
    for element in list(dataset):
        if element.VR == "SQ":
            for item in element.value:
                yield from _places(item)
        elif element.VR in TEXT and element.tag.group != 0x0028:
            yield dataset, element


def _planted(dataset: Dataset, *, appended: bool) -> Dataset:
    """A copy whose every text is a canary, or ends with one; with private elements and a nested sequence on top."""
    planted = copy.deepcopy(dataset)
    for item, element in _places(planted):
        value = f"{element.value} {CANARY}" if appended else CANARY
        item[element.tag] = DataElement(element.tag, element.VR, value, validation_mode=config.IGNORE)
    block = planted.private_block(0x0019, CANARY, create=True)
    block.add_new(0x0A, "LO", CANARY)
    block.add_new(0x0B, "UN", CANARY.encode())
    nested = _header(PatientComments=CANARY, OtherPatientNames=CANARY, ContrastBolusAgent=CANARY)
    for keyword in ("RequestAttributesSequence", "ViewCodeSequence", "SpecimenDescriptionSequence"):
        setattr(planted, keyword, Sequence([copy.deepcopy(nested)]))
    for keyword in ("PatientName", "PatientID", "StudyDescription", "SeriesDescription", "PatientComments", "StationName"):
        setattr(planted, keyword, CANARY)
    return planted


@pytest.mark.parametrize("appended", [False, True])
@pytest.mark.parametrize("name", BUNDLED)
def test_no_canary_gets_into_the_facts(name: str, appended: bool):
    planted = _planted(_bundled(name), appended=appended)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert str(planted).count(CANARY) > 20
        assert CANARY not in repr(header_facts(planted))


def test_no_canary_gets_out_of_the_reader(tmp_path: Path):
    planted = _planted(_bundled("CT_small.dcm"), appended=False)
    for keyword in ("SOPClassUID", "Modality", "ImageType"):
        planted[keyword] = _bundled("CT_small.dcm")[keyword]
    path = tmp_path / "planted.dcm"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        planted.save_as(path)
    issues: list[Issue] = []
    (picture,) = dicom.read([path], reading=Reading(), report=issues.append)
    picture.sop_instance = None  # matched inside the worker, documented never to leave it
    assert CANARY.encode() in path.read_bytes()
    assert CANARY not in repr(picture)
    assert CANARY not in repr(issues)


def test_each_text_by_itself_gets_nothing_out():
    original = _bundled("examples_overlay.dcm")
    expected = repr(header_facts(original))
    assert "MRI" in expected
    for index in range(len(list(_places(original)))):
        planted = copy.deepcopy(original)
        item, element = list(_places(planted))[index]
        item[element.tag] = DataElement(element.tag, element.VR, CANARY, validation_mode=config.IGNORE)
        assert CANARY not in repr(header_facts(planted))
