"""Label files by what is in them: VOC, YOLO and COCO, and DICOM folders with their SEGs and RTSTRUCTs."""

from __future__ import annotations

import glob
import re
from collections import Counter
from pathlib import PurePosixPath
from typing import Any

import orjson

from ..schema.errors import MedLoomError
from .proposal import Evidence, Proposal, labels_from, listed
from .survey import Survey, patterns_for, readers_for, split_word, stem_of

MOST_FILES = 5_000
MOST_JSON_BYTES = 1 << 30
NAME_LISTS = ("classes.txt", "obj.names", "classes.names", "labels.txt", "_darknet.labels")


def voc(survey: Survey) -> Proposal | None:
    """Pascal VOC: XML files whose root is `<annotation>`, named like the images."""
    files = [path for path in survey.with_suffix(".xml")[:MOST_FILES] if b"<annotation" in survey.head(path, 1024)]
    swap = _swap(survey.images, files)
    if not files or swap is None:
        return None
    words: Counter[str] = Counter()
    lowest = 1.0
    for path in files:
        text = survey.head(path, 1 << 20).decode("utf-8", errors="replace")
        words.update(_unescaped(word) for word in re.findall(r"<name>\s*([^<]+?)\s*</name>", text))
        corners = [float(word) for word in re.findall(r"<[xy]min>\s*(-?\d+(?:\.\d+)?)\s*</[xy]min>", text)]
        lowest = min([lowest, *corners])
    if not words:
        return None
    options = {} if lowest >= 1 else {"one_based": False}
    counted = "from 0" if options else "from 1, as the standard says"
    lists = _split_lists(survey)
    evidence = [
        Evidence("layout", "voc", f"{len(files)} XML files with <annotation>, such as {files[0]!r}"),
        Evidence("label file", _swapped(swap, ".xml"), f"named like {len(survey.images)} images"),
        Evidence("label", "<name> of each object", ", ".join(f"{count} × {word!r}" for word, count in words.most_common(8))),
        Evidence("pixels", f"counted {counted}", f"the smallest xmin or ymin is {lowest:g}"),
    ]
    if lists:
        evidence.append(Evidence("split", "the owner's, by lists of names", listed(list(lists))))
    constants = {"SWAP": swap, "OPTIONS": options, "SPLIT_LISTS": lists}
    return _beside(survey, "voc", constants, labels=labels_from(sorted(words)), evidence=evidence)


def yolo(survey: Survey) -> Proposal | None:
    """YOLO: text files of numbers named like the images."""
    stems = {stem_of(path) for path in survey.images}
    texts = [path for path in survey.with_suffix(".txt")[:MOST_FILES] if stem_of(path) in stems]
    numbers: Counter[str] = Counter()
    filled = 0
    for path in texts:
        found = _yolo_classes(survey.head(path, 1 << 20).decode("utf-8", errors="replace"))
        if found is None:
            return None
        filled += bool(found)
        numbers.update(found)
    swap = _swap(survey.images, texts)
    if not filled or swap is None:
        return None
    names, where = _yolo_names(survey)
    named = {number: names.get(number, f"class {number}") for number in sorted({*numbers, *names}, key=int)}
    evidence = [
        Evidence("layout", "yolo", f"{len(texts)} text files of a class and shares of the image, such as {texts[0]!r}"),
        Evidence("label file", _swapped(swap, ".txt"), f"named like {len(survey.images)} images"),
        Evidence("label", f"names of {where!r}" if where else "numbers: name them", listed(list(named.values()))),
    ]
    return _beside(survey, "yolo", {"SWAP": swap, "NAMES": named}, labels=labels_from(list(named.values())), evidence=evidence)


def coco(survey: Survey) -> Proposal | None:
    """COCO: JSON files with images, annotations and categories."""
    sets: dict[str, tuple[str, str | None]] = {}
    words: dict[str, str] = {}
    seen = []
    for path in survey.with_suffix(".json"):
        document = _coco_document(survey, path)
        if document is None:
            continue
        names = [str(image.get("file_name", "")) for image in document["images"] if isinstance(image, dict)]
        folder = _coco_folder(survey, names)
        if folder is None:
            continue
        sets[path] = (folder, _split_in(path))
        entries = [one for one in document.get("categories", []) if isinstance(one, dict) and isinstance(one.get("name"), str)]
        words |= {one["name"].strip(): one["name"].strip() for one in entries}
        seen.append(f"{path!r}: {len(names)} images, {len(document['annotations'])} annotations, images in {folder or '.'!r}")
    if not sets:
        return None
    evidence = [Evidence("layout", "coco", "; ".join(seen)), Evidence("label", "categories", listed(sorted(words)))]
    splits = {split for _, split in sets.values()}
    if len(splits) > 1 and None not in splits:
        evidence.append(Evidence("split", "the owner's, by file", listed(list(sets))))
    else:
        sets = {path: (folder, None) for path, (folder, _) in sets.items()}
    expects = tuple((glob.escape(path), "COCO annotations", ()) for path in sets)
    constants = {"IMAGES": patterns_for(survey.images), "READERS": readers_for(survey.images), "SETS": sets}
    labels = labels_from(sorted(words))
    return Proposal(layout="coco", constants=constants, labels=labels, evidence=tuple(evidence), expects=expects)


def dicom(survey: Survey) -> Proposal | None:
    """DICOM: series, with the SEGs and RTSTRUCTs that refer to them."""
    if not survey.dicoms:
        return None
    from .formats.dicom_series import referencing, series

    patterns = patterns_for(survey.dicoms) if survey.of("dicom") else ("**/*",)
    found = referencing(series(survey.raw, *patterns))
    images = [image for image, _ in found.pairs]
    if not images:
        return None
    labels = {path: label.kind for _, several in found.pairs for label in several for path in label.files}
    words = sorted({word for path, kind in labels.items() for word in _dicom_words(survey, path, kind)})
    kinds = Counter(image.modality or "no modality" for image in images)
    patients = {image.patient_id for image in images if image.patient_id}
    known = bool(patients) and all(image.patient_id for image in images)
    seen = f"{len(survey.dicoms)} files in {len(images)} series: " + ", ".join(f"{n} × {kind}" for kind, n in kinds.items())
    evidence = [Evidence("layout", "dicom", seen)]
    marked = Counter(labels.values())
    evidence.append(
        Evidence("label", listed(words), " and ".join(f"{n} {kind.upper()}" for kind, n in marked.items()))
        if marked
        else Evidence("label", "none", "no SEG or RTSTRUCT refers to a series")
    )
    group = Evidence("group", "patient, by PatientID", f"{len(patients)} ids") if known else None
    group = group or Evidence("group", "study, by StudyInstanceUID", "PatientID is empty in some series")
    if found.orphans:
        evidence.append(Evidence("also seen", "not read", f"{len(found.orphans)} label files whose images aren't here"))
    constants = {"IMAGES": patterns, "READERS": dict.fromkeys(readers_for(survey.dicoms), "dicom")}
    kind = "patient" if known else "study"
    constants |= {"GROUP_KIND": kind}
    labels_ = labels_from(words)
    return Proposal(layout="dicom", constants=constants, labels=labels_, evidence=(*evidence, group), group_kind=kind)


def _beside(survey: Survey, layout: str, constants: dict[str, Any], *, labels, evidence: list[Evidence]) -> Proposal:
    suffix = {"voc": ".xml", "yolo": ".txt"}[layout]
    constants = {"IMAGES": patterns_for(survey.images), "READERS": readers_for(survey.images), **constants}
    expects = ((f"**/*{suffix}", "a label file per image", ()),)
    return Proposal(layout=layout, constants=constants, labels=labels, evidence=tuple(evidence), expects=expects)


def _swap(images: list[str], labels: list[str]) -> dict[str, str] | None:
    """Folder names to exchange for a label's path; {} where labels lie beside images, None where neither is so."""
    places = {stem_of(path): PurePosixPath(path).parts[:-1] for path in labels}
    moves: Counter[tuple[tuple[str, str], ...]] = Counter()
    for image in images:
        here, there = PurePosixPath(image).parts[:-1], places.get(stem_of(image))
        if there is not None and len(here) == len(there):
            moves[tuple(dict.fromkeys((a, b) for a, b in zip(here, there, strict=True) if a != b))] += 1
    alike = [(count, move) for move, count in moves.items() if len(move) <= 1]
    return dict(max(alike)[1]) if alike else None


def _swapped(swap: dict[str, str], suffix: str) -> str:
    if not swap:
        return f"beside the image, {suffix}"
    return ", ".join(f"{there!r} instead of {here!r}" for here, there in swap.items()) + f", {suffix}"


def _split_lists(survey: Survey) -> dict[str, str]:
    paths = [path for path in survey.with_suffix(".txt") if "/ImageSets/" in f"/{path}"]
    return {path: split for path in paths if (split := split_word(stem_of(path))) is not None}


def _yolo_classes(text: str) -> list[str] | None:
    """The class of each line; None where a line is none of YOLO's."""
    found = []
    for line in text.splitlines():
        words = line.split()
        if not words:
            continue
        try:
            shares = [float(word) for word in words[1:]]
        except ValueError:
            return None
        if not words[0].isdigit() or len(shares) < 4 or not all(-0.1 <= share <= 1.1 for share in shares):
            return None
        found.append(str(int(words[0])))
    return found


def _yolo_names(survey: Survey) -> tuple[dict[str, str], str]:
    import yaml

    for path in survey.with_suffix(".yaml", ".yml"):
        try:
            document = yaml.safe_load(survey.head(path, 1 << 20))
        except (yaml.YAMLError, ValueError, RecursionError):
            continue
        names = document.get("names") if isinstance(document, dict) else None
        if isinstance(names, list):
            return {str(place): str(name) for place, name in enumerate(names)}, path
        if isinstance(names, dict) and all(str(number).isdigit() for number in names):
            return {str(number): str(name) for number, name in names.items()}, path
    for path in survey.with_suffix(*NAME_LISTS):
        lines = survey.head(path, 1 << 16).decode("utf-8", errors="replace").splitlines()
        return {str(place): line.strip() for place, line in enumerate(lines) if line.strip()}, path
    return {}, ""


def _coco_document(survey: Survey, path: str) -> dict[str, Any] | None:
    if survey.raw.size(path) > MOST_JSON_BYTES:
        return None
    try:
        document = orjson.loads(survey.raw.path(path).read_bytes())
    except orjson.JSONDecodeError:
        return None
    whole = isinstance(document, dict) and all(isinstance(document.get(name), list) for name in ("images", "annotations"))
    return document if whole else None


def _coco_folder(survey: Survey, names: list[str]) -> str | None:
    """The folder, with its slash, below which the set's file names lie; "" for the root."""
    wanted = set(names) - {""}
    bases: Counter[str] = Counter()
    for path in survey.images:
        parts = path.split("/")
        bases.update("/".join(parts[:cut]) for cut in range(len(parts)) if "/".join(parts[cut:]) in wanted)
    if not bases:
        return None
    base = max(bases, key=lambda base: (bases[base], -len(base)))
    return f"{base}/" if base else ""


def _split_in(path: str) -> str | None:
    words = re.split(r"[^a-z]+", path.lower().removesuffix(".json"))
    return next((split for word in reversed(words) if (split := split_word(re.sub(r"\d+$", "", word)))), None)


def _dicom_words(survey: Survey, path: str, kind: str) -> list[str]:
    """Labels of a SEG's segments or names of an RTSTRUCT's regions."""
    from .formats.dicom_header import opened, text

    try:
        header = opened(survey.raw.path(path), pixels=False)
    except MedLoomError:
        return []
    sequence, name = ("SegmentSequence", "SegmentLabel") if kind == "seg" else ("StructureSetROISequence", "ROIName")
    return [word for item in header.get(sequence) or () if (word := text(item, name))]


def _unescaped(word: str) -> str:
    from xml.sax.saxutils import unescape

    return unescape(word, {"&quot;": '"', "&apos;": "'"})
