"""The facts that may leave a DICOM header, and nothing else: an allow-list.

Every word that leaves stands in a table here or in a vocabulary of ours; the header only chooses among them. Names,
dates, UIDs, descriptions and private elements have no way out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...schema.errors import DataError
from ...schema.sample import Acquisition, BurnedIn, Subject
from ...schema.triplet import MODALITIES, from_dicom
from ..picture import HeaderFacts
from .dicom_header import items, numbers, text, texts
from .dicom_plane import plane_of
from .dicom_words import BURNED_IN_WORDS, CONVERSIONS, HINTS, NO_AGENT, STAINS, USING_SUBSTANCE, VIEW_CODES, VIEWS

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
OLDEST_YEARS = 90.0
"""Ages from here on are pooled, after HIPAA's safe harbour (45 CFR 164.514(b)(2))."""
YEARS_PER = {"D": 1 / 365.25, "W": 7 / 365.25, "M": 1 / 12, "Y": 1.0}
MAX_YEARS = 125.0
"""An age above is a placeholder such as 999Y, and says nothing."""
SEXES = {"F": "female", "M": "male", "O": "other"}
OUR_PICTURES = {"ES": "endoscopy frames", "XC": "photographs", "OT": "pictures of unstated kind"}
HINT_SOURCES = ("SeriesDescription", "ProtocolName", "SequenceName", "PulseSequenceName", "ImageType")


def header_facts(dataset: Dataset) -> HeaderFacts:
    """Modality, subject, acquisition and burned-in text, as far as the header states them in words that we know."""
    modality = _modality(dataset)
    burned_in, reason = _burned_in(dataset)
    contrast = _contrast(dataset)
    return HeaderFacts(
        modality=modality,
        modality_detail=_detail(dataset, modality, contrast),
        subject=Subject(age_years=age_years(text(dataset, "PatientAge")), sex=SEXES.get(text(dataset, "PatientSex"))),
        acquisition=Acquisition(
            plane=_plane(dataset),
            view=_view(dataset),
            contrast=contrast,
            stain=_stain(dataset),
            um_per_px=_um_per_px(dataset, modality),
        ),
        burned_in=burned_in,
        burned_in_reason=reason,
    )


def age_years(age: str) -> float | None:
    """An age string such as 033Y, 006M or 012D in years, 90 and over as 90; None for anything else."""
    match = re.fullmatch(r"(\d{1,3})([DWMY])", age)
    if match is None:
        return None
    years = int(match[1]) * YEARS_PER[match[2]]
    return None if years > MAX_YEARS else min(round(years, 3), OLDEST_YEARS)


def _modality(dataset: Dataset) -> str | None:
    code = text(dataset, "Modality")
    try:
        return from_dicom(code).code if code else None
    except DataError:
        return None


def _detail(dataset: Dataset, modality: str | None, contrast: str | None) -> str | None:
    """A code below the modality, where a word of the closed list stands in the header's own names of the sequence."""
    if modality is None:
        return None
    words = " ".join(" ".join(texts(dataset, keyword)) for keyword in HINT_SOURCES).replace("_", " ")
    for code, pattern in HINTS:
        if MODALITIES.is_a(code, modality) and code != modality and pattern.search(words):
            return "T1ce" if code == "T1" and contrast == "yes" else code
    if modality == "MRI" and "EP" in texts(dataset, "ScanningSequence"):
        return "EPI"
    return None


def _plane(dataset: Dataset) -> str | None:
    """Of cross-sections only: a scout or a projection has an orientation, but shows no plane."""
    kind = texts(dataset, "ImageType")
    return None if {"LOCALIZER", "PROJECTION IMAGE"}.intersection(kind) else plane_of(dataset)


def _view(dataset: Dataset) -> str | None:
    position = text(dataset, "ViewPosition").upper()
    if position in VIEWS:
        return position
    codes = (text(item, "CodeValue") for item in items(dataset, "ViewCodeSequence"))
    return next((VIEW_CODES[code] for code in codes if code in VIEW_CODES), None)


def _contrast(dataset: Dataset) -> str | None:
    """Whether an agent was given: `yes` or `no`; None where the header is silent. What was given isn't told."""
    agent = text(dataset, "ContrastBolusAgent").casefold()
    if agent:
        return "no" if agent in NO_AGENT else "yes"
    given = items(dataset, "ContrastBolusAgentSequence") or items(dataset, "ContrastBolusUsageSequence")
    return "yes" if given else None


def _stain(dataset: Dataset) -> str | None:
    """The stains of the closed list that the specimen's preparation names, `H&E` for that pair."""
    found = {STAINS[code] for code in _substances(dataset) if code in STAINS}
    if {"haematoxylin", "eosin"} <= found:
        found = (found - {"haematoxylin", "eosin"}) | {"H&E"}
    return " + ".join(sorted(found)) or None


def _substances(dataset: Dataset):
    """Code values of the substances that were used to prepare the specimen."""
    for specimen in items(dataset, "SpecimenDescriptionSequence"):
        for step in items(specimen, "SpecimenPreparationSequence"):
            for content in items(step, "SpecimenPreparationStepContentItemSequence"):
                concepts = items(content, "ConceptNameCodeSequence")
                if any(text(concept, "CodeValue") in USING_SUBSTANCE for concept in concepts):
                    yield from (text(code, "CodeValue") for code in items(content, "ConceptCodeSequence"))


def _um_per_px(dataset: Dataset, modality: str | None) -> float | None:
    """Micrometres per pixel of a microscopy image."""
    if modality is None or not MODALITIES.is_a(modality, "Mic"):
        return None
    groups = items(dataset, "SharedFunctionalGroupsSequence")
    measures = [one for group in groups for one in items(group, "PixelMeasuresSequence")]
    spacing = next((numbers(one, "PixelSpacing", count=2) for one in (*measures, dataset)), None)
    return round(spacing[0] * 1000, 6) if spacing and spacing[0] > 0 else None


def _burned_in(dataset: Dataset) -> tuple[BurnedIn, str | None]:
    stated = text(dataset, "BurnedInAnnotation").upper()
    if stated == "YES":
        return BurnedIn.YES, "the header says that text is burned in"
    if stated == "NO":
        return BurnedIn.NO, "the header says that no text is burned in"
    reason = _suspicion(dataset)
    return (BurnedIn.SUSPECTED, reason) if reason else (BurnedIn.NO, None)


def _suspicion(dataset: Dataset) -> str | None:
    modality = text(dataset, "Modality").upper()
    if modality == "US" or modality == "IVUS":
        return "ultrasound screens show text, and the header doesn't deny it"
    sop_class = text(dataset, "SOPClassUID")
    if sop_class == SECONDARY_CAPTURE or sop_class.startswith(SECONDARY_CAPTURE + "."):
        return "a secondary capture, and the header doesn't deny burned-in text"
    if text(dataset, "ConversionType").upper() in CONVERSIONS:
        return "converted from film, video, screen or paper"
    if any(word in BURNED_IN_WORDS for word in (value.upper() for value in texts(dataset, "ImageType"))):
        return "a picture of a screen"
    if modality in OUR_PICTURES:
        return f"{OUR_PICTURES[modality]} may show text, and the header doesn't deny it"
    if not modality and not sop_class:
        return "the header doesn't say what the picture is"
    return None
