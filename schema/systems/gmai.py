"""GMAI-MMBench: its 38 modality names, and how many labels and cases it has per clinical task, department and granularity.

The counts are those of single choice. The paper lists no modalities: the 38 are the distinct names in the table of its
supplement, counted by us, and several mean one thing (T1 and T1 weighted; T1Gd, T1ce and Gadolinium). Mask and contour come
from the same labels, so the granularities sum to 25,831 cases and the other two tables to 20,244. Names are in
`schema/clinical_tasks.py`, `departments.py` and `granularity.py`.
"""

from __future__ import annotations

from typing import NamedTuple

from ..triplet import MODALITIES


class Count(NamedTuple):
    """How often a branch occurs in single choice."""

    labels: int
    cases: int


MODALITY_NAMES: tuple[str, ...] = (
    *("CT", "CTA", "X-ray", "UltraSound", "OCT", "Fundus Photography", "Endoscopy", "Dermoscopy", "Histopathology"),
    *("Microscopy", "Colposcopy", "Infrared Reflectance (IR) imaging", "Adaptive Optics Ophthalmoscopy"),
    "Texture Characterization of Bone Radiograph",
    *("MRI", "T1", "T1 weighted", "T2", "T2 weighted", "FLAIR", "T1Gd", "T1ce", "Gadolinium", "ADC", "DWI", "DTI", "SWI"),
    *("ASL", "PD", "MP-RAGE", "DCE", "LGE", "DE", "CMR", "Fat", "Water", "In-phase", "Opposed-phase"),
)
"""As printed; the 24 from MRI on are of magnetic resonance."""

MODALITY_CODES: dict[str, str] = {name: MODALITIES.find(name).code for name in MODALITY_NAMES}
"""Printed name → our code; 38 names, 33 codes."""

CLINICAL_TASK_COUNTS: dict[str, Count] = {
    "AR": Count(26, 780),
    "BVR": Count(15, 436),
    "B": Count(22, 655),
    "CR": Count(13, 383),
    "C": Count(38, 853),
    "DD": Count(364, 10167),
    "IQG": Count(10, 300),
    "MR": Count(26, 779),
    "M": Count(5, 150),
    "NT": Count(4, 120),
    "OR-A": Count(28, 838),
    "OR-HN": Count(16, 480),
    "OR-P": Count(9, 270),
    "OR-T": Count(17, 510),
    "SG": Count(64, 1678),
    "SAR": Count(23, 635),
    "SIR": Count(27, 790),
    "SWR": Count(14, 420),
}
"""By code of `CLINICAL_TASKS`."""

DEPARTMENT_COUNTS: dict[str, Count] = {
    "CS": Count(9, 270),
    "D": Count(30, 894),
    "E": Count(7, 210),
    "GH": Count(60, 1774),
    "GS": Count(68, 2009),
    "H": Count(80, 2112),
    "ID": Count(7, 180),
    "LMP": Count(45, 1259),
    "NH": Count(9, 270),
    "N": Count(9, 270),
    "OG": Count(14, 389),
    "OM": Count(51, 1399),
    "O": Count(97, 2232),
    "OS": Count(54, 1611),
    "ENT/HNS": Count(14, 420),
    "PM": Count(55, 1643),
    "SM": Count(64, 1919),
    "U": Count(33, 933),
    "N/A": Count(15, 450),
}
"""By code of `DEPARTMENTS`."""

GRANULARITY_COUNTS: dict[str, Count] = {
    "mask": Count(188, 5587),
    "contour": Count(188, 5587),
    "box": Count(59, 1715),
    "image": Count(474, 12942),
}
"""By code of `GRANULARITIES`; points are none of GMAI's."""
