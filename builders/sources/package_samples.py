"""Image files that ship inside the Python packages pydicom and nibabel, for their own tests: DICOM and NIfTI, all unlabelled.

    pydicom/data/test_files/JPEG2000-embedded-sequence-delimiter.dcm   four of its encoded bytes are overwritten
    nibabel/tests/data/anatomical.nii                                  33×41×25 voxels of a head

Many are broken or odd on purpose: slices of one object in eight encodings, pictures of 3×3 px, files without pixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fnmatch import fnmatch
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from ...schema.triplet import Triplet
from ..formats import dicom_units
from ..raw import Raw
from ..source import Access, Expect, Facts, Layout, Source
from ..unit import Unit

FACTS = Facts(
    name="package_samples",
    title="Test images inside the pydicom and nibabel packages",
    homepage="https://github.com/pydicom/pydicom",
    licence="MIT",
    licence_evidence="Both packages state MIT for all that they hold (LICENSE, COPYING). pydicom's README.txt gives the two "
    "files that come from GDCM a licence of the BSD kind, which they bear here; of the others it says 'I believe there is no "
    "restriction on using any of these files in this manner'. The terms of their first owners (NEMA, vendors, pcir.org, a "
    "TCGA slide) aren't quoted.",
    citation="@software{pydicom,\n  author = {Mason, Darcy and others},\n"
    "  title = {pydicom: an open source {DICOM} library},\n  url = {https://github.com/pydicom/pydicom},\n"
    "  doi = {10.5281/zenodo.1291985}\n}\n"
    "@software{nibabel,\n  author = {Brett, Matthew and Markiewicz, Christopher J. and Hanke, Michael and others},\n"
    "  title = {nipy/nibabel},\n  url = {https://github.com/nipy/nibabel},\n  doi = {10.5281/zenodo.591597}\n}",
    cite="doi:10.5281/zenodo.1291985; doi:10.5281/zenodo.591597",
    access=Access.GENERATED,
    triplet=Triplet("unspecified", "unspecified", "unlabelled"),
    clinical_task="None",
    department="None",
    group_kind="volume",
    collection="dicom_test_files",
    oddities=(
        "Gathered to break readers, not to show disease: no labels, tiny or cropped pictures, test patterns, bars of colour.",
        "What is there depends on the installed versions of the two packages; the recipe names the files' digests.",
        "Of several encodings of one DICOM object the first by name is kept; pictures that are the same under other UIDs stay "
        "in one split.",
        "693_J2KI.dcm is left out: it names a patient of CQ500, whose owners' terms are non-commercial (CC BY-NC-SA 4.0).",
        "Patient ids in the headers are the test authors' (`ID1` stands for every bar of colour), not persons.",
        "Ultrasound and secondary captures have text in their pixels.",
        "The heads of nibabel aren't said to be of one person; those that its scripts bring into one space are one group.",
    ),
    # Measured with pydicom 3.0.2 and nibabel 5.4.2: 8 of 95 units are broken on purpose, 8.4 %.
    max_bad_share=0.12,
)

FOLDERS = {
    "pydicom": ("data/test_files", "data/charset_files"),
    "nibabel": ("tests/data", "nicom/tests/data"),
}
"""Package → its folders of samples."""
IMAGES = ("*.dcm", "*.nii", "*.nii.gz", "*/dicomdirtests/[0-9]*/*")
NO_IMAGES = ("*.dconn.nii", "*/693_J2KI.dcm")
"""A matrix of connections in NIfTI's clothes, and the file under other terms."""
LICENCES = {"GDCMJ2K_TextGBR.dcm": "BSD-3-Clause", "examples_overlay.dcm": "BSD-3-Clause"}
HEADS = ("anatomical", "functional", "reoriented_anat_moved", "resampled_anat_moved")
"""NIfTI files of one space, of which one script of the package makes another."""
EPI = ("example4d", "example_nifti2")


def read(raw: Raw) -> Iterator[Unit]:
    """One unit per NIfTI file and per DICOM series."""
    yield from sorted((*_volumes(raw), *_series(raw)), key=lambda unit: unit.files[0])


def _volumes(raw: Raw) -> Iterator[Unit]:
    for path in raw.glob("**/*.nii", "**/*.nii.gz"):
        stem = PurePosixPath(path).name.partition(".")[0]
        group = HEADS[0] if stem in HEADS else EPI[0] if stem in EPI else ""
        triplet = Triplet("MRI", "brain", "unlabelled") if group else None
        yield Unit(files=(path,), reader="volume", group=group, triplet=triplet)


def _series(raw: Raw) -> Iterator[Unit]:
    for unit in dicom_units.units(raw, "**/*.dcm", "**/dicomdirtests/**/*"):
        yield replace(unit, licence=LICENCES.get(PurePosixPath(unit.files[0]).name))


def draw(root: Path) -> None:
    """Copy every sample image of the installed packages, under package and folder."""
    for package, folders in FOLDERS.items():
        for folder in folders:
            for path, file in _walk(files(package).joinpath(folder), f"{package}/{folder}"):
                if _is_image(path):
                    target = root / path
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(file.read_bytes())


def _is_image(path: str) -> bool:
    return any(fnmatch(path, one) for one in IMAGES) and not any(fnmatch(path, one) for one in NO_IMAGES)


def _walk(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    """Path and file of everything below, if anything is."""
    for entry in folder.iterdir() if folder.is_dir() else ():
        below = f"{path}/{entry.name}"
        if entry.is_dir():
            yield from _walk(entry, below)
        else:
            yield below, entry


SOURCE = Source(
    facts=FACTS,
    labels={},
    read=read,
    layouts=(
        Layout(
            name="as shipped",
            expects=(
                Expect(pattern="pydicom/data/test_files/*.dcm", what="samples of an installed pydicom", at_least=20),
                Expect(pattern="nibabel/tests/data/*.nii*", what="samples of an installed nibabel", at_least=2),
            ),
        ),
    ),
    draw=draw,
)
