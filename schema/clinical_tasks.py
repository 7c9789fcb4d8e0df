"""The 18 clinical VQA tasks of GMAI-MMBench, and a "None" of ours for labels that serve none of them.

`code` is GMAI's abbreviation; records hold the `name`. `CLINICAL_TASKS.find` takes both.
"""

from __future__ import annotations

from .vocabulary import Term, Vocabulary

CLINICAL_TASKS = Vocabulary(
    "clinical task",
    (
        Term("AR", "Attribute Recognition"),
        Term("BVR", "Blood Vessels Recognition"),
        Term("B", "Bone"),
        Term("CR", "Cell Recognition"),
        Term("C", "Counting"),
        Term("DD", "Disease Diagnosis"),
        Term("IQG", "Image Quality Grading"),
        Term("MR", "Microorganism Recognition"),
        Term("M", "Muscle"),
        Term("NT", "Nervous Tissue"),
        Term("OR-A", "Organ Recognition - Abdomen"),
        Term("OR-HN", "Organ Recognition - Head and Neck"),
        Term("OR-P", "Organ Recognition - Pelvic"),
        Term("OR-T", "Organ Recognition - Thorax"),
        Term("SG", "Severity Grading"),
        Term("SAR", "Surgeon Action Recognition"),
        Term("SIR", "Surgical Instrument Recognition"),
        Term("SWR", "Surgical Workflow Recognition"),
        Term("N/A", "None", ours=True),
    ),
)
