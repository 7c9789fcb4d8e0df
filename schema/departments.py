"""The hospital departments of GMAI-MMBench: 18 after the Mayo Clinic's list, and "None" for labels of no department.

`code` is GMAI's abbreviation; records hold the `name`. `DEPARTMENTS.find` takes both.
"""

from __future__ import annotations

from .vocabulary import Term, Vocabulary

DEPARTMENTS = Vocabulary(
    "department",
    (
        Term("CS", "Cardiovascular Surgery"),
        Term("D", "Dermatology"),
        Term("E", "Endocrinology"),
        Term("GH", "Gastroenterology and Hepatology"),
        Term("GS", "General Surgery"),
        Term("H", "Hematology"),
        Term("ID", "Infectious Diseases"),
        Term("LMP", "Laboratory Medicine and Pathology"),
        Term("NH", "Nephrology and Hypertension"),
        Term("N", "Neurosurgery"),
        Term("OG", "Obstetrics and Gynecology"),
        Term("OM", "Oncology (Medical)"),
        Term("O", "Ophthalmology"),
        Term("OS", "Orthopedic Surgery"),
        Term("ENT/HNS", "Otolaryngology (ENT)/Head and Neck Surgery"),
        Term("PM", "Pulmonary Medicine"),
        Term("SM", "Sports Medicine"),
        Term("U", "Urology"),
        Term("N/A", "None", aliases=("None (Attributes that do not belong to any department)",)),
    ),
)
