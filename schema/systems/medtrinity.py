"""MedTrinity-25M: its 76 sources with modality, structures, quantity, and which annotations each brings.

`medtrinity_sources.csv` holds the table as printed; a few flags and names of the scan were restored by hand. Quantities sum
to 25,011,312 where the paper says 25,001,668. Rows whose name contradicts what is printed stand in `DOUBTFUL`, uncorrected.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..triplet import AREAS, MODALITIES
from .table import distinct, rows

DOUBTFUL: dict[str, str] = {
    "CholecSeg8k": "gallbladder surgery, printed as the colon",
    "CT2USforKidneySeg": "ultrasound of the kidney, printed as the breast",
    "DeepLesion": "lesions of the whole body, printed as the lung",
    "ISPY2": "magnetic resonance, printed as CT",
    "Nerve-Ultrasound-Seg": "nerves of the neck, printed as the breast",
    "padchest": "X-ray, printed as CT",
    "Retinal OCT Images": "optical coherence tomography, printed as fundus",
}
"""Rows that we doubt, and why: our reading; `SOURCES` holds them as printed."""


@dataclass(frozen=True)
class TrinitySource:
    """One row of the table."""

    dataset: str
    modalities: tuple[str, ...]
    """Words as printed."""
    structures: tuple[str, ...]
    """Words as printed, without "etc."."""
    open_ended: bool
    """Whether the printed structures end in "etc."."""
    quantity: int
    """Images."""
    text: bool
    disease_type: bool
    box: bool
    mask: bool

    @property
    def modality_codes(self) -> tuple[str, ...]:
        """Codes of `MODALITIES`, in the order of the words."""
        return tuple(MODALITIES.find(word).code for word in self.modalities)

    @property
    def area_codes(self) -> tuple[str, ...]:
        """Codes of `AREAS`, in the order of the words, each once."""
        return tuple(dict.fromkeys(AREAS.find(word).code for word in self.structures))


def _words(cell: str) -> list[str]:
    return [word for part in re.split(r",|\.(?=etc)", cell) if (word := part.strip())]


def _source(row: dict[str, str]) -> TrinitySource:
    structures = _words(row["structures"])
    return TrinitySource(
        dataset=row["dataset"],
        modalities=tuple(_words(row["modality"])),
        structures=tuple(word for word in structures if word != "etc."),
        open_ended="etc." in structures,
        quantity=int(row["quantity"]),
        text=row["text"] == "yes",
        disease_type=row["disease_type"] == "yes",
        box=row["bbox"] == "yes",
        mask=row["mask"] == "yes",
    )


SOURCES: tuple[TrinitySource, ...] = tuple(_source(row) for row in rows("medtrinity_sources.csv"))


MODALITY_WORDS: tuple[str, ...] = distinct(word for one in SOURCES for word in one.modalities)
"""The 10 printed words."""

STRUCTURE_WORDS: tuple[str, ...] = distinct(word for one in SOURCES for word in one.structures)
"""The printed structures; several are one area (kidney and renal)."""

STRUCTURE_AREAS: dict[str, str] = {word: AREAS.find(word).code for word in STRUCTURE_WORDS}
"""Printed structure → code of `AREAS`."""
