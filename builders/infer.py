"""A proposal for a folder that nobody described: its layout, labels, pairs, splits and groups, each with its evidence.

Nothing found in the folder is run or trusted: names become literals in the builder file, and a person reads it.
Layouts are tried from the most telling to the least: DICOM, volumes, COCO, VOC, YOLO, tables, masks, class folders.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from ..schema.errors import UsageError
from .infer_labels import coco, dicom, voc, yolo
from .infer_masks import nifti, pairs
from .infer_names import canonical_names
from .infer_table import table
from .proposal import Evidence, Proposal, labels_from, listed
from .raw import Raw
from .survey import Survey, groups_in_paths, patterns_for, readers_for, split_word, splits_in_paths

MOST_CLASSES = 200
MOST_UNPACKED = 4 << 30
PLAIN_FOLDERS = frozenset(
    {"images", "image", "imgs", "img", "data", "dataset", "jpg", "jpeg", "png", "raw", "pictures", "photos"}
)


def infer(root: Path, *, layout: str | None = None) -> Proposal:
    """The best proposal for the folder, or the one for a layout that the user names.

    Raises:
        RawRootError: no such folder.
        UsageError: nothing there fits.
    """
    with tempfile.TemporaryDirectory(prefix="medloom-look-") as unpacked:
        survey = Survey(_opened(root, Path(unpacked)))
        for name, propose in _PROPOSERS.items():
            proposal = propose(survey) if layout in (None, name) else None
            if proposal is not None:
                return canonical_names(_with_paths(proposal, survey))
    kinds = Counter(PurePosixPath(path).suffix.lower() or "no suffix" for path in survey.paths)
    found = ", ".join(f"{count} × {kind}" for kind, count in kinds.most_common(6)) or "no file"
    wanted = f"the layout {layout!r}" if layout else "images with class folders, a table, masks, VOC, COCO or YOLO, or volumes"
    raise UsageError(f"{root}: {found}; expected {wanted}; name a folder that holds them, or another --layout")


def _opened(root: Path, unpack_to: Path) -> Raw:
    """The root, its archives unpacked for the look where they are small enough."""
    raw = Raw(root, unpack_to=unpack_to)
    packed = sum(size for path, size in raw.sizes.items() if not raw.has_on_disk(path))
    if packed > MOST_UNPACKED:
        raise UsageError(
            f"{root}: archives of {packed >> 30} GiB; expected at most {MOST_UNPACKED >> 30} to look into; unpack them"
        )
    raw.unpack()
    return raw


def class_folders(survey: Survey) -> Proposal | None:
    """Images whose folder names their class; without such folders, images alone."""
    if not survey.images:
        return None
    depth = _class_level(survey.images)
    constants = {"IMAGES": patterns_for(survey.images), "READERS": readers_for(survey.images), "DEPTH": depth}
    if depth is None:
        seen = f"{len(survey.images)} images, no table, and no folders that look like classes"
        return Proposal(layout="class-folders", constants=constants, evidence=(Evidence("layout", "images alone", seen),))
    counts = Counter(PurePosixPath(path).parts[:-1][depth] for path in survey.images)
    seen = ", ".join(f"{count} in {word!r}" for word, count in counts.most_common(8))
    level = {-1: "the folder that holds it"}.get(depth, f"folder level {depth} of its path")
    return Proposal(
        layout="class-folders",
        constants=constants,
        labels=labels_from(sorted(counts)),
        exclusive=True,
        evidence=(
            Evidence("layout", "class-folders", f"{len(survey.images)} images in {len(counts)} folders, no table beside them"),
            Evidence("label", level, seen + (f" and {len(counts) - 8} more" if len(counts) > 8 else "")),
        ),
    )


def _class_level(paths: list[str]) -> int | None:
    """The deepest folder level, counted from the file, whose names look like classes."""
    shallowest = min(len(PurePosixPath(path).parts) - 1 for path in paths)
    for level in range(1, shallowest + 1):
        names = Counter(PurePosixPath(path).parts[:-1][-level] for path in paths)
        if _are_classes(names, len(paths)):
            return -level
    return None


def _are_classes(names: Counter[str], images: int) -> bool:
    if not 2 <= len(names) <= MOST_CLASSES or any(split_word(name) or name.lower() in PLAIN_FOLDERS for name in names):
        return False
    looks_like_ids = sum(bool(re.search(r"\d{3}", name)) for name in names) > len(names) / 2
    _, _, groups = groups_in_paths([f"{name}/x" for name in names for _ in range(2)])
    return not looks_like_ids and groups.choice.startswith("image") and (len(names) * 2 <= images or len(names) <= 10)


def _with_paths(proposal: Proposal, survey: Survey) -> Proposal:
    """The proposal, with splits and groups from paths where the layout itself named none."""
    constants = {"SPLIT_FOLDERS": {}, "GROUP_IN_PATH": "", **proposal.constants}
    evidence, kind = list(proposal.evidence), proposal.group_kind
    readers = constants.get("READERS", {})
    paths = [path for path in survey.paths if PurePosixPath(path.lower()).suffix in readers]
    known = {one.what for one in evidence}
    if "split" not in known:
        constants["SPLIT_FOLDERS"], seen = splits_in_paths(paths)
        evidence.append(seen)
    if "group" not in known:
        constants["GROUP_IN_PATH"], kind, seen = groups_in_paths(paths)
        evidence.append(seen)
    others = _also_seen(survey, proposal.layout)
    return replace(proposal, constants=constants, evidence=(*evidence, *others), group_kind=kind)


def _also_seen(survey: Survey, layout: str) -> list[Evidence]:
    """Label files that the chosen layout doesn't read."""
    mine = {"csv": (".csv", ".tsv", ".xlsx"), "voc": (".xml",), "yolo": (".txt", ".yaml", ".yml"), "coco": (".json",)}
    kinds = {".csv": "table", ".tsv": "table", ".xlsx": "table", ".xml": "XML", ".json": "JSON"}
    found = []
    for suffix, kind in kinds.items():
        paths = [path for path in survey.paths if path.lower().endswith(suffix)]
        if paths and suffix not in mine.get(layout, ()):
            found.append(Evidence("also seen", "not read", f"{len(paths)} {kind} files ({listed(paths, most=2)})"))
    return found


_PROPOSERS: dict[str, Callable[[Survey], Proposal | None]] = {
    "dicom": dicom,
    "nifti": nifti,
    "coco": coco,
    "voc": voc,
    "yolo": yolo,
    "csv": table,
    "pairs": pairs,
    "class-folders": class_folders,
}
