"""Header facts that a record may hold: each field's allow-list, the same for records, the index and questions.

A field of a closed form (digests, pseudonyms, codes) is checked against that form and not read for names; what is open is
read by `words.py`, and most of it has a form too, so that a raw name or path has nowhere to stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ....schema.sample import SPLITS
from .findings import Finding
from .texts import field_of, strings, told

_HASH, _PSEUDONYM, _KEY = r"[0-9a-f]{64}", r"[0-9a-f]{16}", r"\w+-[0-9a-f]{16}"
_SLUG = r"[A-Za-z0-9][A-Za-z0-9+-]*"
_SPLIT = "|".join((*SPLITS, "excluded"))
_LABEL_ID = r"mesh:[A-Z]\d{3,9}|medloom:[a-z0-9+.'()-]+"
_CLOSED = {
    "split": _SPLIT,
    "key": _KEY,
    "schema_version": r"\d{1,3}\.\d{1,3}",
    "group": _PSEUDONYM,
    "group_kind": "patient|study|volume|video|slide|image",
    "image_format": "png|jpeg|webp",
    "subject.sex": "female|male|other",
    "acquisition.plane": "axial|coronal|sagittal",
    "labels[].label_id": _LABEL_ID,
    "labels[].state": "present|absent|uncertain|not_assessed",
    "annotations[].id": r"a\d+",
    "annotations[].label_id": _LABEL_ID,
    "annotations[].granularity": "box|mask|contour|point",
    "annotations[].rle": r"[\x30-\x7f]*",
    "annotations[].origin": "human|model|derived|unknown",
    "provenance.raw_sha256": _HASH,
    "provenance.pixel_sha256": _HASH,
    "provenance.perceptual_hash": _HASH,
    "provenance.axis": r"slice|frame|tile|volume\.slice",
    "provenance.orientation": "[LRAPSI]{2}",
    "provenance.intensity": "unchanged|window|percentile|suv|voi-lut|range",
    "provenance.burned_in": "no|suspected|yes",
}
"""Field → all that it may be."""
_FORMED = {
    "source": r"\w+",
    "collection": r"[\w.-]+",
    "modality": _SLUG,
    "modality_detail": _SLUG,
    "area": _SLUG,
    "task": _SLUG,
    "subsets[]": _SLUG,
    "acquisition.view": r"[\w/&+ -]{1,40}",
    "acquisition.contrast": r"[\w/&+ -]{1,40}",
    "labels[].laterality": "left|right|both|bilateral|midline",
    "annotations[].laterality": "left|right|both|bilateral|midline",
    "annotations[].observer": r"[a-z0-9][a-z0-9 _-]{0,39}",
    "provenance.raw_format": "[a-z0-9-]{2,16}",
    "provenance.builder_version": r"\d+\.\d+\.\d+[a-z0-9.+-]*",
    "provenance.window_name": "[a-z0-9-]{1,40}",
    "provenance.transformations[]": r"[a-z0-9-]+(:[a-z0-9.x-]+)?",
    "original_split": r"[\w-]{1,40}",
}
"""Field → the form it has; it is read for identifiers too."""
_COLUMNS = {
    f"{room}_{name}": f"{room}.{name}" for room in ("subject", "acquisition") for name in ("sex", "plane", "view", "contrast")
} | {
    f"provenance_{name.removesuffix('[]')}": f"provenance.{name}"
    for name in ("raw_sha256", "pixel_sha256", "perceptual_hash", "axis", "orientation", "intensity", "burned_in")
}
"""Column of the index → field of the record that it repeats."""
_CLOSED |= {column: _CLOSED[name] for column, name in _COLUMNS.items() if name in _CLOSED}
_CLOSED |= {
    "pixel_sha256": _HASH,
    "perceptual_hash": _HASH,
    "annotation": r"a\d+",
    "label_id": _LABEL_ID,
    "group_a": _HASH,
    "group_b": _HASH,
    "shard": r"data/\w+/([\w+.-]+/)?(train|validation|test)-\d{5}-of-\d{5}\.tar|excluded",
}
_FORMED |= {"observer": _FORMED["annotations[].observer"]}
_CLOSED_FORMS = {name: re.compile(form) for name, form in _CLOSED.items()}
_OPEN_FORMS = {name: re.compile(form) for name, form in _FORMED.items()}
OLDEST_YEARS = 90.0
DECODER = "provenance.decoder"


def facts_told(record: Mapping[str, Any], where: str, *, versions: Mapping[str, str]) -> Iterator[Finding]:
    """Findings in one record: fields outside their allow-lists, and identifiers in those that are open.

    Args:
        record: As parsed from JSON.
        where: Shard and key.
        versions: Those of libraries, as the source's recipe says: a decoder is one of them.
    """
    for path, text in strings(record):
        if path.endswith("{}"):
            continue  # names of fields are the schema's, or told as unknown
        field = field_of(path)
        text = without_version(text, versions) if field == DECODER else text
        yield from string_told(field, text, f"{where} {path}")
    subject = record.get("subject")
    age = subject.get("age_years") if isinstance(subject, dict) else None
    if isinstance(age, int | float) and age > OLDEST_YEARS:
        yield Finding("header-fact", "an age above 90 years", f"{where} subject.age_years")


def string_told(field: str, text: str, where: str) -> Iterator[Finding]:
    """Findings in one string of a field of a record, or of a column of the same name."""
    closed = _CLOSED_FORMS.get(field)
    if closed is not None and closed.fullmatch(text):
        return
    form = closed or _OPEN_FORMS.get(field)
    found = list(told(text, where))
    yield from found
    sure = any(one.code == "identifier-in-text" for one in found)
    if form is not None and not form.fullmatch(text) and not sure:
        yield Finding("header-fact", f"{field.replace('[]', '')} outside its allow-list", where)


def without_version(decoder: str, versions: Mapping[str, str]) -> str:
    """A decoder's words without the names and versions that the recipe lists: a calendar version looks like a day."""
    known = {f"{name} {version}" for name, version in versions.items()}
    for one in sorted(known, key=len, reverse=True):
        place = decoder.casefold().find(one)
        if place >= 0:
            decoder = decoder[:place] + decoder[place + len(one) :]
    return decoder
