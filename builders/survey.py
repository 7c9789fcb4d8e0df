"""What lies in a folder that nobody described: its files by kind, and what their paths say of splits and groups."""

from __future__ import annotations

import glob
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath

from .proposal import Evidence, listed
from .raw import Raw

READERS = {
    **dict.fromkeys((".png", ".jpg", ".jpeg", ".jpe", ".bmp", ".webp"), "raster"),
    **dict.fromkeys((".tif", ".tiff"), "tiff"),
    **dict.fromkeys((".mp4", ".avi", ".mov", ".mkv", ".mpg", ".mpeg", ".wmv", ".webm", ".gif"), "video"),
    **dict.fromkeys((".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"), "volume"),
    **dict.fromkeys((".dcm", ".dicom", ".ima"), "dicom"),
}
SPLITS = {
    **dict.fromkeys(("train", "training", "trainset", "trainingset", "imagestr"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "valset", "validationset"), "validation"),
    **dict.fromkeys(("test", "testing", "testset", "imagests"), "test"),
}
"""Folder names and table words, in lower case without blanks, hyphens and underscores."""
GROUPS = (
    ("patient", r"(?i)(?<![a-z])(?:patient|subject|person|participant|sub|pat|pid)[-_ ]?\d+"),
    ("study", r"(?i)(?<![a-z])(?:study|exam|case|series|scan)[-_ ]?\d+"),
    ("video", r"(?i)(?<![a-z])(?:video|vid|clip)[-_ ]?\d+"),
)
"""What names a group in paths."""
IMAGE_READERS = ("raster", "tiff", "video")


def suffix_of(path: str) -> str:
    """The suffix in lower case; `.nii.gz` counts as one."""
    lower = path.lower()
    return ".nii.gz" if lower.endswith(".nii.gz") else PurePosixPath(lower).suffix


def stem_of(path: str) -> str:
    """The file's name without its suffix."""
    name = PurePosixPath(path).name
    return name[: len(name) - len(suffix_of(name))]


def split_word(word: str) -> str | None:
    """The split that a folder's name or a table's word stands for."""
    return SPLITS.get(re.sub(r"[\s_-]+", "", word.casefold()))


@dataclass(frozen=True)
class Survey:
    """A raw root's files by kind."""

    raw: Raw

    @cached_property
    def paths(self) -> list[str]:
        """Every file, sorted."""
        return list(self.raw.sizes)

    @cached_property
    def images(self) -> list[str]:
        """Pictures and videos."""
        return [path for path in self.paths if READERS.get(suffix_of(path)) in IMAGE_READERS]

    @cached_property
    def volumes(self) -> list[str]:
        """NIfTI, NRRD and MetaImage."""
        return self.of("volume")

    @cached_property
    def dicoms(self) -> list[str]:
        """DICOM by suffix, or by the four letters behind the preamble where there is no known suffix."""
        known = self.of("dicom")
        return known or [path for path in self.paths if suffix_of(path) not in READERS and self._is_dicom(path)]

    def of(self, reader: str) -> list[str]:
        """Files of one reader."""
        return [path for path in self.paths if READERS.get(suffix_of(path)) == reader]

    def with_suffix(self, *suffixes: str) -> list[str]:
        """Files on disk (not inside archives) with one of these suffixes."""
        return [path for path in self.paths if path.lower().endswith(suffixes) and self.raw.has_on_disk(path)]

    def head(self, path: str, count: int = 4096) -> bytes:
        """The first bytes of a file on disk."""
        with self.raw.path(path).open("rb") as stream:
            return stream.read(count)

    def _is_dicom(self, path: str) -> bool:
        if PurePosixPath(path).suffix.lower() in (".csv", ".txt", ".json", ".xml") or not self.raw.has_on_disk(path):
            return False
        return self.head(path, 132)[128:] == b"DICM"


def patterns_for(paths: Iterable[str]) -> tuple[str, ...]:
    """Globs that list files of the same suffixes, as they are spelled, anywhere in the root."""
    return tuple(f"**/*{suffix}" for suffix in sorted({_spelled(path) for path in paths}))


def readers_for(paths: Iterable[str]) -> dict[str, str]:
    """Suffix as `PurePosixPath.suffix` gives it in lower case → reader."""
    return {PurePosixPath(path.lower()).suffix: READERS.get(suffix_of(path), "dicom") for path in sorted(paths, key=suffix_of)}


def folder_pattern(name: str, pattern: str) -> str:
    """A glob for files under every folder of this name."""
    return f"**/{glob.escape(name)}/{pattern}"


def splits_in_paths(paths: list[str]) -> tuple[dict[str, str], Evidence]:
    """Folder names that are splits, and what was seen; empty where fewer than two splits are there."""
    counts: Counter[str] = Counter()
    for path in paths:
        counts.update({part for part in PurePosixPath(path).parts[:-1] if split_word(part)})
    found = {word: split for word in sorted(counts) if (split := split_word(word)) is not None}
    if len(set(found.values())) < 2:
        seen = f"only {listed(sorted(found))}" if found else "no folder named train, validation or test"
        return {}, Evidence("split", "none: hashed by group, 80 : 10 : 10", seen)
    seen = ", ".join(f"{counts[word]} images under {word!r}" for word in found)
    return found, Evidence("split", "the owner's, by folder", seen)


def groups_in_paths(paths: list[str]) -> tuple[str, str, Evidence]:
    """Regular expression ("" for none), kind of group, and what was seen."""
    for kind, pattern in GROUPS:
        found = [match[0].lower() for path in paths if (match := re.search(pattern, path))]
        distinct = sorted(set(found))
        if len(found) >= 0.95 * len(paths) and 1 < len(distinct) < len(paths):
            seen = f"{len(distinct)} ids such as {listed(distinct, most=3)} in the paths of {len(paths)} images"
            return pattern, kind, Evidence("group", f"{kind}, from the path", seen)
    return "", "image", Evidence("group", "image: each by itself", "no patient, study or video id in paths or table")


def repeated(names: Iterable[str]) -> bool:
    """Whether a name stands twice."""
    seen: set[str] = set()
    return any(name in seen or seen.add(name) for name in names)


def by_folder(paths: Iterable[str]) -> dict[str, list[str]]:
    """Folder → its files."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        found[PurePosixPath(path).parent.as_posix()].append(path)
    return dict(found)


def _spelled(path: str) -> str:
    length = len(suffix_of(path))
    return glob.escape(path[len(path) - length :]) if length else ""
