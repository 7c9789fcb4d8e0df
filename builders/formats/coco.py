"""COCO: one JSON file per set, with images, categories and annotations that refer to both by id.

    {"id": 17, "image_id": 4, "category_id": 1, "bbox": [42, 72, 245, 504], "segmentation": [], "iscrowd": 0}

A `segmentation` of polygons becomes a contour, one of run lengths a mask, and without one the `bbox` (x, y, width,
height) a box. COCO unites the polygons of an annotation, while ours are filled even-odd: polygons that may overlap are
united first. Keypoints and `area` are ignored. A crowd (`iscrowd`) is kept as one region, and reported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeGuard

from ...schema.errors import Issue, RegionError, Severity, UnreadableError
from ..picture import Report
from ..raw import Raw
from ..unit import Mark
from .coco_region import checked_size, place_of
from .json_records import load

IMAGE_FIELDS = frozenset({"id", "file_name", "width", "height"})


@dataclass(frozen=True, slots=True, kw_only=True)
class CocoImage:
    """One image and its annotations, in the order of the file."""

    file_name: str
    id: int | str
    width: int | None
    """As stated, in px; None where that is no size. The decoded image may differ."""
    height: int | None
    marks: tuple[Mark, ...]
    mark_attributes: tuple[Mapping[str, Any], ...]
    """For each mark, the annotation's own `attributes`, and `iscrowd` where it is a crowd."""
    attributes: Mapping[str, Any]
    """All other fields of the image's entry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coco:
    """A whole set."""

    categories: Mapping[int | str, str]
    """Id → name."""
    images: list[CocoImage]
    """In the order of the file, also those without annotations."""


def read(raw: Raw, path: str) -> Coco:
    """The set, in px of each image; every fault in it is reported to `raw`.

    Raises:
        RawRootError: the file isn't there.
        UnreadableError: no JSON, or no COCO in it.
    """
    document = load(raw, path)
    if not isinstance(document, dict) or not isinstance(document.get("images"), list):
        raise UnreadableError("no list of images", expected="COCO: images, categories, annotations", where=path)
    name = PurePosixPath(path).name
    categories = _categories(document, where=name, report=raw.report)
    images = _images(document, where=name, report=raw.report)
    marked: dict[int | str, list[tuple[Mark, Mapping[str, Any]]]] = {}
    for item, where in _annotations(document, where=name, report=raw.report):
        image_id = item.get("image_id")
        owner = images.get(image_id) if _is_id(image_id) else None
        if owner is None:
            found = f"image_id {str(image_id)[:60]}"
            raw.report(Issue("no-image", where, found, "the id of an image in the list", "it was left out"))
            continue
        mark = _mark(item, categories, where=where, size=_size(owner), report=raw.report)
        if mark is not None:
            marked.setdefault(owner["id"], []).append((mark, _mark_attributes(item)))
    return Coco(categories=categories, images=[_image(item, marked.get(key, [])) for key, item in images.items()])


def _categories(document: Mapping[str, Any], *, where: str, report: Report) -> dict[int | str, str]:
    names: dict[int | str, str] = {}
    for item, place in _entries(document, "categories", where=where, report=report):
        if item["id"] in names:
            report(_duplicate(place, f"id {item['id']!r} again", "the first one was kept"))
        elif not isinstance(item.get("name"), str) or not item["name"].strip():
            report(Issue("bad-row", place, "no name", "a category's name", "its annotations have no category"))
        else:
            names[item["id"]] = item["name"].strip()
    return names


def _images(document: Mapping[str, Any], *, where: str, report: Report) -> dict[int | str, dict[str, Any]]:
    images: dict[int | str, dict[str, Any]] = {}
    files: dict[str, int | str] = {}
    for item, place in _entries(document, "images", where=where, report=report):
        file_name = item.get("file_name")
        if not isinstance(file_name, str) or not file_name:
            report(Issue("bad-row", place, "no file_name", "the image's file", "it was left out"))
            continue
        if item["id"] in images:
            report(_duplicate(place, f"id of {images[item['id']]['file_name'][:60]} again", "the first one was kept"))
            continue
        if file_name in files:
            report(_duplicate(place, f"{file_name[:60]} again, first as image {files[file_name]}", "both were kept"))
        files.setdefault(file_name, item["id"])
        images[item["id"]] = item
        if _size(item) is None:
            found = f"width {str(item.get('width'))[:20]}, height {str(item.get('height'))[:20]}"
            report(Issue("bad-size", place, found, "whole numbers above 0", "its size is unknown", Severity.INFO))
    return images


def _annotations(document: Mapping[str, Any], *, where: str, report: Report) -> Iterator[tuple[dict[str, Any], str]]:
    """Each annotation and its place. Merged files repeat ids, which nothing refers to, and so both are kept."""
    seen: set[int | str] = set()
    for item, place in _entries(document, "annotations", where=where, report=report):
        if item["id"] in seen:
            report(_duplicate(place, f"id {item['id']!r} again", "both were kept"))
        seen.add(item["id"])
        yield item, place


def _entries(document: Mapping[str, Any], kind: str, *, where: str, report: Report) -> Iterator[tuple[dict[str, Any], str]]:
    """The objects with an id in one of the lists, and what to call each: `annotations.json annotation 17`."""
    one = "category" if kind == "categories" else kind[:-1]
    entries = document.get(kind)
    if not isinstance(entries, list):
        report(Issue("bad-row", where, f"no list of {kind}", "one, as COCO has it", "there are none"))
        return
    for index, item in enumerate(entries, start=1):
        if isinstance(item, dict) and _is_id(item.get("id")):
            yield item, f"{where} {one} {str(item['id'])[:40]}"
        else:
            place = f"{where} {one} at place {index}"
            report(Issue("bad-row", place, "no object with an id", "an object with an id", "it was left out"))


def _mark(
    item: Mapping[str, Any],
    categories: Mapping[int | str, str],
    *,
    where: str,
    size: tuple[int, int] | None,
    report: Report,
) -> Mark | None:
    category = item.get("category_id")
    if not _is_id(category) or category not in categories:
        found = "no category_id" if category is None else f"category_id {str(category)[:60]}"
        report(Issue("no-category", where, found, "the id of a category in the list", "it was left out"))
        return None
    try:
        place = place_of(item, size)
    except RegionError as error:
        report(error.issue(where, severity=Severity.WARNING))
        return None
    if item.get("iscrowd"):
        report(Issue("crowd", where, "a crowd", "one object", "it was kept as one region", Severity.INFO))
    return Mark(label=categories[category], where=where, **place)


def _image(item: Mapping[str, Any], marked: Sequence[tuple[Mark, Mapping[str, Any]]]) -> CocoImage:
    height, width = _size(item) or (None, None)
    return CocoImage(
        file_name=item["file_name"],
        id=item["id"],
        width=width,
        height=height,
        marks=tuple(mark for mark, _ in marked),
        mark_attributes=tuple(attributes for _, attributes in marked),
        attributes={key: value for key, value in item.items() if key not in IMAGE_FIELDS},
    )


def _mark_attributes(item: Mapping[str, Any]) -> dict[str, Any]:
    own = item.get("attributes")
    return {**(own if isinstance(own, dict) else {}), **({"iscrowd": True} if item.get("iscrowd") else {})}


def _size(item: Mapping[str, Any]) -> tuple[int, int] | None:
    return checked_size(item.get("height"), item.get("width"))


def _is_id(value: Any) -> TypeGuard[int | str]:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _duplicate(where: str, found: str, step: str) -> Issue:
    return Issue("duplicate-id", where, found, "ids that differ", step)
