"""Pascal VOC: one XML file per image, with a `bndbox` per object.

    <annotation><size><width>640</width>…</size>
    <object><name>RBC</name><difficult>0</difficult><bndbox><xmin>216</xmin>…</bndbox></object>…</annotation>

The standard form counts pixels from 1 and includes the last one (`box_from_voc`). Drawing tools write corners instead:
`{"inclusive": False}` says so, and then equal `xmin` and `xmax` are a box without width. `{"one_based": False}` is for
files that count from 0. `difficult`, `truncated`, `occluded`, `pose`, `filename` and `path` are ignored, and so are the
boxes of an object's `part`s, which have no label of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from ...schema.errors import Issue, RegionError, Severity, UnreadableError
from ...schema.region import box_from_voc, check_box
from ..picture import Report
from ..unit import LabelFile, Mark
from .label_text import check_options, number, raw_label, report_empty, whole

OPTIONS = ("one_based", "inclusive")
CORNERS = ("xmin", "ymin", "xmax", "ymax")
MAX_DEPTH = 32


def marks(path: Path, target: LabelFile, *, size_hw_px: tuple[int, int], report: Report) -> list[Mark]:
    """One box per object, in the order of the file.

    Raises:
        UnreadableError: no XML, no `<annotation>`, or XML that declares entities.
    """
    check_options(target, OPTIONS)
    raw = whole(path)
    if not raw.strip(b" \t\r\n\0\xef\xbb\xbf"):
        report_empty(path, found="a file without text", severity=Severity.WARNING, report=report)
        return []
    root = _tree(raw, path.name)
    _compare_size(root, size_hw_px, where=path.name, report=report)
    objects = root.findall("object")
    if not objects:
        report_empty(path, found="no <object>", severity=Severity.INFO, report=report)
    found = (
        _mark(item, target, where=f"{path.name} object {index}", size_hw_px=size_hw_px, report=report)
        for index, item in enumerate(objects, start=1)
    )
    return [mark for mark in found if mark is not None]


def _mark(item: Element, target: LabelFile, *, where: str, size_hw_px: tuple[int, int], report: Report) -> Mark | None:
    word = (item.findtext("name") or "").strip()
    if not word:
        report(Issue("missing-label", where, "no <name>", "a name per object", "it was left out"))
        return None
    try:
        box = check_box(box_from_voc(*_corners(item), **target.options), size_hw_px)
    except RegionError as error:
        report(error.issue(f"{where} {word[:60]}", severity=Severity.WARNING))
        return None
    label = raw_label(word, target, where=where, report=report)
    if label is None:
        return None
    return Mark(label=label, where=where, box_xyxy_px=box, observer=target.observer, origin=target.origin)


def _corners(item: Element) -> Sequence[float]:
    """The four numbers of the object's own box.

    Raises:
        RegionError: `bad-region` where one is absent or no number.
    """
    words = [item.findtext(f"bndbox/{corner}") or "" for corner in CORNERS]
    try:
        return [number(word) for word in words]
    except ValueError as error:
        found = f"bndbox {words}"[:80] if item.find("bndbox") is not None else "no <bndbox>"
        raise RegionError(found, expected="xmin, ymin, xmax and ymax as numbers") from error


def _compare_size(root: Element, size_hw_px: tuple[int, int], *, where: str, report: Report) -> None:
    stated = tuple((root.findtext(f"size/{side}") or "").strip()[:20] for side in ("height", "width"))
    if not any(stated):
        return
    try:
        same = tuple(map(number, stated)) == tuple(map(float, size_hw_px))
    except ValueError:
        same = False
    if not same:
        found, (height, width) = f"<size> of {stated[1]}×{stated[0]} px", size_hw_px
        next_step = "boxes were read in px of the image"
        report(Issue("size-differs", where, found, f"the image's {width}×{height}", next_step, Severity.INFO))


def _tree(raw: bytes, where: str) -> Element:
    try:
        root = _parse(raw)
    except (expat.ExpatError, ValueError, LookupError) as error:
        raise UnreadableError(f"no XML ({error})", expected="a VOC annotation", where=where) from error
    except UnreadableError as error:
        raise UnreadableError(error.found, expected=error.expected, where=where, code="unsafe-xml") from error
    if root.tag != "annotation":
        raise UnreadableError(f"<{root.tag[:40]}>", expected="<annotation> as the root", where=where)
    return root


def _parse(raw: bytes) -> Element:
    """The root element, of plain XML: whoever declares entities means to expand or to fetch something."""
    builder, parser, depth = TreeBuilder(), expat.ParserCreate(), 0

    def start(tag: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > MAX_DEPTH:
            raise UnreadableError(f"elements nested {depth} deep", expected=f"at most {MAX_DEPTH}")
        builder.start(tag, attributes)

    def end(tag: str) -> None:
        nonlocal depth
        depth -= 1
        builder.end(tag)

    def refuse(*_: object) -> NoReturn:
        raise UnreadableError("an entity declaration", expected="XML without entities")

    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = parser.ExternalEntityRefHandler = refuse
    parser.Parse(raw, True)
    return builder.close()
