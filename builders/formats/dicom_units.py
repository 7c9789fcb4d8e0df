"""Folders of DICOM to units, as every DICOM source needs them: images with the labels that refer to them, and owners.

Sources add what no header says honestly: areas, tasks, and what the words of the labels mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...schema.errors import Issue, Severity
from ..raw import Raw
from ..unit import SegObject, StructureSet, Target, Unit
from .dicom_series import Series, referencing, series


def units(raw: Raw, *patterns: str) -> Iterator[Unit]:
    """One unit per image series or slide, sorted by its first file, with the SEGs and RTSTRUCTs that refer to it.

    A label whose images aren't here is an issue `no-image`; a label with the SOP instance of another one is its copy, an
    issue `duplicate-id`. The group is the patient where the header names one, else the study, else the file.
    """
    found = referencing(series(raw, *patterns))
    for label in found.orphans:
        expected, step = "the images that it refers to", "it was left out"
        raw.report(Issue("no-image", label.files[0], "labels without their images", expected, step))
    copies: set[str] = set()
    for image, labels in found.pairs:
        group, kind = owner(image)
        targets = tuple(target(label) for label in _without_copies(labels, raw, told=copies))
        yield Unit(files=image.files, reader="dicom", group=group, group_kind=kind, targets=targets)


def owner(image: Series) -> tuple[str, str]:
    """Group and kind of group: what of patient, study and file is the widest that the header names."""
    if image.patient_id:
        return image.patient_id, "patient"
    return (image.study_uid, "study") if image.study_uid else ("", "image")


def target(label: Series) -> Target:
    """The label as a unit's target."""
    return SegObject(path=label.files[0]) if label.kind == "seg" else StructureSet(path=label.files[0])


def _without_copies(labels: Sequence[Series], raw: Raw, *, told: set[str]) -> list[Series]:
    """The labels without second copies; `told` holds those that were reported already."""
    first: dict[str, str] = {}
    kept = []
    for label in labels:
        path, instance = label.files[0], label.sop_instances[0]
        if not instance or first.setdefault(instance, path) == path:
            kept.append(label)
        elif path not in told:
            told.add(path)
            found, expected = f"the SOP instance of {first[instance]}", "a label object of its own"
            raw.report(Issue("duplicate-id", path, found, expected, "it was left out", Severity.INFO))
    return kept
