"""Labels that stand in paths: class folders, and masks that lie beside their images under a related name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from ...schema.errors import Issue
from ..picture import Report
from ..raw import Raw

DOUBLE_SUFFIXES = (".nii.gz", ".ome.tif", ".ome.tiff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """How the name of an image and of its mask come to the same key: the file's stem, less these ends."""

    image_prefix: str = ""
    image_suffix: str = ""
    mask_prefix: str = ""
    mask_suffix: str = ""
    folders: tuple[int, ...] = ()
    """Folder levels that must agree too, such as 0 for `train/images/1.png` and `train/masks/1.png`."""
    stem: bool = True
    """False where the folders alone tell whose mask it is, as in `<id>/images/<id>.png` and `<id>/masks/<hash>.png`."""


SAME_STEM = Rule()


def classes(raw: Raw, pattern: str, depth: int) -> Iterator[tuple[str, str]]:
    """Path and class name of every file that matches, sorted by path.

    Args:
        raw: Where the files are.
        pattern: As for `Raw.glob`.
        depth: The folder level whose name is the class: 0 is the first one under the root, -1 the one that holds the
            file.
    """
    for path in raw.glob(pattern):
        folders = PurePosixPath(path).parts[:-1]
        if -len(folders) <= depth < len(folders):
            yield path, folders[depth]
        else:
            found, expected = f"{len(folders)} folders above it", f"a class folder at level {depth}"
            raw.report(Issue("missing-label", path, found, expected, "it was left out"))


def pair(
    images: Iterable[str], masks: Iterable[str], *, rule: Rule = SAME_STEM, report: Report
) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    """Pairs (image, mask), images without a mask, masks without an image, each in the order given.

    An image may have several masks. A mask whose key two images share is paired with neither.
    """
    by_key: dict[tuple[str, ...], list[str]] = {}
    images = list(images)
    for image in images:
        key = _key(image, rule.image_prefix, rule.image_suffix, rule=rule)
        if key is not None:
            by_key.setdefault(key, []).append(image)
    pairs, lonely_masks = [], []
    for mask in masks:
        key = _key(mask, rule.mask_prefix, rule.mask_suffix, rule=rule)
        owners = by_key.get(key, []) if key is not None else []
        if len(owners) == 1:
            pairs.append((owners[0], mask))
        else:
            lonely_masks.append(mask)
            report(_lonely_mask(mask, owners))
    paired = {image for image, _ in pairs}
    lonely_images = [image for image in images if image not in paired]
    for image in lonely_images:
        report(Issue("missing-label", image, "no mask of its name", "a mask per image", "it has no mask"))
    return pairs, lonely_images, lonely_masks


def _lonely_mask(mask: str, owners: list[str]) -> Issue:
    if owners:
        found = f"{len(owners)} images of its name: {', '.join(owners[:3])}"
        return Issue("duplicate-id", mask, found, "one", "it was left out; name the folders that tell them apart")
    return Issue("no-image", mask, "no image of its name", "an image per mask", "it was left out")


def _key(path: str, prefix: str, suffix: str, *, rule: Rule) -> tuple[str, ...] | None:
    """What image and mask share; None where the name lacks the prefix or suffix, or the path the folders."""
    parts = PurePosixPath(path).parts[:-1]
    stem = _stem(PurePosixPath(path).name)
    fits = len(stem) > len(prefix) + len(suffix) and stem.startswith(prefix) and stem.endswith(suffix)
    if not fits or any(not -len(parts) <= level < len(parts) for level in rule.folders):
        return None
    shared = tuple(parts[level] for level in rule.folders)
    return (*shared, stem[len(prefix) : len(stem) - len(suffix)]) if rule.stem else shared


def _stem(name: str) -> str:
    for suffix in DOUBLE_SUFFIXES:
        if name.lower().endswith(suffix):
            return name[: -len(suffix)]
    return PurePosixPath(name).stem
