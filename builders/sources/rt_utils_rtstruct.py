"""rt-utils: the test files of a library for RTSTRUCT, contours on two CT slices of a phantom.

    mock_data/rt.dcm: ROI-1 with two contours on ct_1.dcm, a square of 24 mm and a hole inside it

A second structure set was drawn on three slices, of which the third isn't here; it stands in three files under one UID:
empty/dummy_rt.dcm, mock_data/invalid_reference_rt.dcm (the same bytes) and mock_data/non_existent_reference_rt.dcm (the
same contours, but its list of images is gone). The first is read, the others are copies.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ...schema.labels import Label
from ...schema.rights import Evidence, throughout
from ...schema.triplet import Triplet
from ..formats import dicom_units
from ..raw import Raw
from ..source import Access, Expect, Facts, Layout, Source
from ..unit import Unit

FACTS = Facts(
    name="rt_utils_rtstruct",
    title="rt-utils: test objects with RTSTRUCT contours",
    homepage="https://github.com/qurit/rt-utils",
    licence="MIT",
    licence_evidence="LICENSE of the repository: MIT, copyright 2021 Qurit.",
    rights=throughout(
        "MIT",
        Evidence(
            address="LICENSE",
            words="LICENSE is the MIT text, copyright 2021 Qurit; the objects are a phantom and noise.",
            read_on="2026-11-21",
        ),
    ),
    citation="@misc{rtutils,\n  author = {{Qurit}},\n  title = {RT-Utils},\n  year = {2021},\n"
    "  howpublished = {\\url{https://github.com/qurit/rt-utils}}\n}",
    cite="https://github.com/qurit/rt-utils",
    access=Access.OPEN,
    triplet=Triplet("CT", "phantom", "other"),
    clinical_task="None",
    department="None",
    group_kind="patient",
    oddities=(
        "No patients: a phantom of water in a shell, and slices of noise in a slanted orientation.",
        "The regions are drawn anywhere in the phantom and named by number; the numbers of two structure sets don't agree.",
        "The larger structure set was drawn on three slices of which two are here; its own list names five.",
        "oriented_data/0.dcm and one_slice_data/0.dcm are the same file; the slices of noise state another study each.",
    ),
)

REGION = Label("drawn region of a phantom")
LABELS = {f"ROI-{number}": REGION for number in (1, 2, 3, 4)}


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per series; slices without a patient are one series of noise, cut in pieces by its headers."""
    for unit in dicom_units.units(raw, "**/*.dcm"):
        if unit.group_kind == "patient":
            yield unit
        else:
            noise = Triplet("CT", "phantom", "unlabelled")
            yield replace(unit, group="noise", group_kind="volume", triplet=noise)


SOURCE = Source(
    facts=FACTS,
    labels=LABELS,
    read=read,
    layouts=(
        Layout(
            name="the repository",
            expects=(
                Expect(pattern="**/mock_data/ct_*.dcm", what="slices of the phantom", at_least=2),
                Expect(pattern="**/mock_data/*rt.dcm", what="structure sets"),
            ),
        ),
    ),
)
