"""A sample against the contract: what its record says must be possible, and true of its image."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
from PIL import Image

from .clinical_tasks import CLINICAL_TASKS
from .departments import DEPARTMENTS
from .errors import Issue, MedLoomError, RegionError
from .pixels import low_information, pixel_sha256, thumbnail
from .region import check_box, check_point, check_rle, rle_area, rle_box
from .sample import SCHEMA_VERSION, SPLITS, Annotation, Sample, State
from .triplet import MODALITIES, Triplet

GROUP_KINDS = ("patient", "study", "volume", "video", "slide", "image")
SEXES = (None, "female", "male", "other")
FORMATS = {"PNG": "png", "JPEG": "jpeg", "WEBP": "webp"}
ALLOWED_METADATA = {
    "jfif",
    "jfif_version",
    "jfif_unit",
    "jfif_density",
    "dpi",
    "adobe",
    "adobe_transform",
    "progression",
    "progressive",
}
"""What Pillow reports of a picture that carries no words: JFIF and Adobe technical headers."""
ALLOWED_SEGMENTS = {"APP0 segment", "APP14 segment"}
"""JFIF and Adobe, which decide the colours."""
_TOLERANCE_PX = 1e-6


def check_sample(sample: Sample, where: str) -> Iterator[Issue]:
    """Faults of a record by itself."""
    for fault in (*_identity(sample), *_vocabularies(sample), *_labels(sample)):
        yield Issue(fault[0], where, fault[1], fault[2], "rebuild the source")
    for annotation in sample.annotations:
        yield from _annotation(annotation, sample, f"{where} {annotation.id}")


def check_image(sample: Sample, image: bytes, where: str) -> Iterator[Issue]:
    """Faults of an image against its record: format, size, pixel hash, and metadata that should have been left behind."""
    try:
        with Image.open(io.BytesIO(image)) as picture:
            pixels, kind = np.asarray(picture), FORMATS.get(str(picture.format))
            carried = _metadata(picture)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        yield Issue("unreadable", where, f"{error}", "an image that decodes", "rebuild the source")
        return
    facts = {
        "image-format": (kind, sample.image_format),
        "image-size": (pixels.shape[:2], sample.size_hw_px),
        "image-channels": ((*pixels.shape, 1)[2], sample.channels),
        "pixel-hash": (pixel_sha256(pixels), sample.provenance.pixel_sha256),
        "low-information": (low_information(thumbnail(pixels)), sample.provenance.low_information),
        "image-metadata": (carried, set()),
    }
    for code, (found, expected) in facts.items():
        if found != expected:
            yield Issue(code, where, f"{found}", f"{expected}", "rebuild the source")


def _metadata(picture: Image.Image) -> set[str]:
    """What the file carries beside pixels; `applist` has a JPEG's segments, also those that Pillow can't name."""
    segments = {f"{name} segment" for name, _ in getattr(picture, "applist", ())} - ALLOWED_SEGMENTS
    return {str(name) for name in picture.info} - ALLOWED_METADATA | segments


def _identity(sample: Sample) -> Iterator[tuple[str, str, str]]:
    if "." in sample.key or not sample.key.startswith(f"{sample.source}-"):
        yield "bad-key", sample.key, f"{sample.source}- and no dot"
    if sample.schema_version != SCHEMA_VERSION:
        yield "schema-version", sample.schema_version, SCHEMA_VERSION
    if sample.split not in SPLITS:
        yield "bad-split", sample.split, f"one of {SPLITS}"
    if sample.group_kind not in GROUP_KINDS:
        yield "bad-group-kind", sample.group_kind, f"one of {GROUP_KINDS}"
    if sample.subject.sex not in SEXES:
        yield "bad-subject", str(sample.subject.sex), f"one of {SEXES}"
    if sample.subject.age_years is not None and not 0 <= sample.subject.age_years <= 90:
        yield "bad-subject", f"{sample.subject.age_years} years", "0 to 90, older pooled"


def _vocabularies(sample: Sample) -> Iterator[tuple[str, str, str]]:
    try:
        default = Triplet(sample.modality, sample.area, sample.task).subset
        wanted = {Triplet(sample.modality, one.area, one.task).subset for one in sample.labels} or {default}
        _full_names(sample.clinical_task, (sample.department,))
        for one in sample.labels:
            _full_names(one.clinical_task, one.departments)
        if sample.modality_detail is not None and not MODALITIES.is_a(sample.modality_detail, sample.modality):
            yield "bad-triplet", sample.modality_detail, f"a kind of {sample.modality}"
        if tuple(sorted(wanted)) != sample.subsets:
            yield "bad-subset", f"{sample.subsets}", f"{sorted(wanted)}"
    except MedLoomError as error:
        yield "bad-triplet", str(error), "codes of the vocabularies"


def _full_names(clinical_task: str, departments: tuple[str, ...]) -> None:
    if not departments or (len(departments) > 1 and "None" in departments) or len(set(departments)) != len(departments):
        raise RegionError(f"departments {departments}", expected="each once, or `None` alone", code="bad-name")
    for vocabulary, word in ((CLINICAL_TASKS, clinical_task), *((DEPARTMENTS, one) for one in departments)):
        if vocabulary.find(word).name != word:
            raise RegionError(f"{word!r}", expected=f"the full name {vocabulary.find(word).name!r}", code="bad-name")


def _labels(sample: Sample) -> Iterator[tuple[str, str, str]]:
    states = {(one.label_id, one.laterality): one.state for one in sample.labels}
    if len(states) != len(sample.labels):
        yield "duplicate-label", f"{len(sample.labels)} states for {len(states)} labels", "one state per label and side"
    for one in sample.annotations:
        if states.get((one.label_id, one.laterality)) is not State.PRESENT:
            yield "label-state", f"{one.label} is annotated but not present", "a state `present` for every annotation"
    if [one.id for one in sample.annotations] != [f"a{number}" for number in range(len(sample.annotations))]:
        yield "annotation-id", "other ids", "a0, a1, … in order"


def _annotation(one: Annotation, sample: Sample, where: str) -> Iterator[Issue]:
    try:
        _region(one, sample.size_hw_px)
    except RegionError as error:
        yield error.issue(where)


def _region(one: Annotation, size_hw_px: tuple[int, int]) -> None:
    given = one.box_xyxy_px is not None, one.rle is not None, bool(one.points)
    wanted = {"box": (True, False, False), "point": (False, False, True)}.get(one.granularity, (True, True, False))
    if given != wanted or one.granularity not in ("box", "mask", "contour", "point"):
        raise RegionError(f"{one.granularity} with box, mask, points {given}", expected=f"{wanted}", code="bad-region")
    for x, y in one.points:
        check_point(x, y, size_hw_px)
    if one.box_xyxy_px is not None:
        check_box(one.box_xyxy_px, size_hw_px, tolerance_px=_TOLERANCE_PX)
    if one.rle is not None:
        check_rle(one.rle, size_hw_px)
        found = rle_box(one.rle, size_hw_px), float(rle_area(one.rle, size_hw_px))
        if found != (one.box_xyxy_px, one.area_px):
            raise RegionError(f"box and area {one.box_xyxy_px}, {one.area_px}", expected=f"{found}", code="bad-region")
