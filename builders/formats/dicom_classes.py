"""What kind of object a DICOM file is, by its SOP class."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .dicom_header import text, texts

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

STORAGE = "1.2.840.10008.5.1.4.1.1."
SEGMENTATIONS = frozenset({STORAGE + "66.4", STORAGE + "66.7"})
STRUCTURE_SETS = frozenset({STORAGE + "481.3"})
SLIDES = frozenset({STORAGE + "77.1.6"})
MAPS = {STORAGE + "30": "a parametric map", STORAGE + "481.2": "a dose grid"}
"""Objects with pixels that are no images, but can be read as volumes by themselves."""
UNSHOWN_SLIDES = {"LABEL": "the photograph of a slide's label", "OVERVIEW": "the photograph of a whole slide"}
"""Flavours of slide images that show the label, and so may show names."""
PIXELLESS = "an object without pixels"
_OTHERS = {
    "1.2.840.10008.1.3.10": "a directory of files",
    STORAGE + "66": "raw data",
    STORAGE + "67": "a real-world value map",
    STORAGE + "91.1": "slide annotations",
    STORAGE + "104.1": "an encapsulated document",
    STORAGE + "481.5": "a radiotherapy plan",
    STORAGE + "481.8": "a radiotherapy plan",
}
_FAMILIES = (
    (STORAGE + "88.", "a structured report"),
    (STORAGE + "11.", "a presentation state"),
    (STORAGE + "9.", "a waveform"),
    (STORAGE + "66.", "a registration, surface or label object"),
    (STORAGE + "104.", "an encapsulated document"),
    (STORAGE + "481.", "a radiotherapy object"),
)
_RADIOTHERAPY_IMAGE = STORAGE + "481.1"


def kind_of(dataset: Dataset) -> str:
    """image, seg, rtstruct, slide or other."""
    sop_class = text(dataset, "SOPClassUID")
    if sop_class in SEGMENTATIONS:
        return "seg"
    if sop_class in STRUCTURE_SETS:
        return "rtstruct"
    if what_else(dataset) is not None:
        return "other"
    return "slide" if sop_class in SLIDES else "image"


def what_else(dataset: Dataset) -> str | None:
    """What an object is that is neither image nor segmentation, in our words; None for those."""
    sop_class = text(dataset, "SOPClassUID") or text(getattr(dataset, "file_meta", dataset), "MediaStorageSOPClassUID")
    if sop_class in SEGMENTATIONS | STRUCTURE_SETS or sop_class == _RADIOTHERAPY_IMAGE:
        return None
    if sop_class in SLIDES:
        return next((UNSHOWN_SLIDES[word] for word in texts(dataset, "ImageType") if word in UNSHOWN_SLIDES), None)
    known = MAPS.get(sop_class) or _OTHERS.get(sop_class)
    family = next((words for prefix, words in _FAMILIES if sop_class.startswith(prefix)), None)
    if known or family:
        return known or family
    return None if "Rows" in dataset and "Columns" in dataset else PIXELLESS


def is_localizer(dataset: Dataset) -> bool:
    """Whether the image is a scout on which others were planned."""
    return "LOCALIZER" in {word.upper() for word in texts(dataset, "ImageType")}
