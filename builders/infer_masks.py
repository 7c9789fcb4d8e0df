"""Which pictures or volumes of a folder are masks, how they pair with images, and what their values are."""

from __future__ import annotations

import glob
import re
from collections import Counter
from pathlib import PurePosixPath
from typing import Any

import numpy as np

from ..schema.errors import Issue, MedLoomError
from .formats import folders
from .formats.folders import Rule
from .proposal import Evidence, Proposal, labels_from, listed
from .source import Reading
from .survey import Survey, folder_pattern, patterns_for, readers_for, stem_of, suffix_of

MASK_WORD = r"masks?|labels?(?:tr|ts)?|seg|segs|segmentations?|gt|ground_?truths?|annotations?|manual|manual\d|roi"
MASK_FOLDER = re.compile(rf"(?i)(?:.*[-_ ])?(?:{MASK_WORD})(?:[-_ ].*)?|(?:.*)(?:masks|segmentation)")
MASK_ENDING = re.compile(rf"(?i)[-_. ](?:{MASK_WORD})\d*$")
NNUNET_CHANNEL = "_0000"
PEEKED, MOST_VALUES, MOST_LABEL_VALUES = 12, 40, 500
LOSSY = (".jpg", ".jpeg", ".jpe")


def pairs(survey: Survey) -> Proposal | None:
    """Images with mask pictures."""
    found = _paired(survey.images)
    if found is None:
        return None
    constants, masks, evidence = found
    values, threshold, seen = _picture_values(survey, masks)
    words = {value: f"value {value}" for value in values}
    constants |= {"VALUES": words, "THRESHOLD": threshold, "LABEL": "" if values else "mask"}
    labels = labels_from(list(words.values())) if values else {"mask": "region of interest"}
    layout = Evidence("layout", "pairs", f"{len(survey.images) - len(masks)} images and {len(masks)} masks")
    return Proposal(layout="pairs", constants=constants, labels=labels, evidence=(layout, *evidence, seen))


def nifti(survey: Survey) -> Proposal | None:
    """Volumes, with label maps where there are some."""
    if not survey.volumes or len(survey.volumes) < len(survey.images):
        return None
    found = _paired(survey.volumes)
    if found is None:
        constants: dict[str, Any] = {"IMAGES": patterns_for(survey.volumes), "READERS": readers_for(survey.volumes)}
        constants |= {"MASKS": (), "RULE": {}, "VALUES": {}}
        seen = f"{len(survey.volumes)} volumes, none of them named like a mask"
        evidence = (Evidence("layout", "nifti", seen), Evidence("label", "none", "no label maps"))
        return Proposal(layout="nifti", constants=constants, evidence=evidence)
    constants, masks, pairing = found
    names, seen = _volume_values(survey, masks)
    constants |= {"VALUES": names}
    layout = Evidence("layout", "nifti", f"{len(survey.volumes) - len(masks)} volumes and {len(masks)} label maps")
    labels = labels_from(list(names.values()))
    return Proposal(layout="nifti", constants=constants, labels=labels, evidence=(layout, *pairing, seen))


def _paired(paths: list[str]) -> tuple[dict[str, Any], list[str], list[Evidence]] | None:
    """Constants, masks and evidence; None where no mask pairs with an image."""
    masks = [path for path in paths if _is_mask(path)]
    images = [path for path in paths if path not in set(masks)]
    best: tuple[int, dict[str, Any]] = (0, {})
    for rule in _rules(images, masks):
        ignored: list[Issue] = []
        found, _, _ = folders.pair(images, masks, rule=Rule(**rule), report=ignored.append)
        if len(found) > best[0]:
            best = (len(found), rule)
    if best[0] < 0.5 * max(1, len(masks)):
        return None
    constants = {"IMAGES": patterns_for(images), "READERS": readers_for(images), "MASKS": _patterns(masks), "RULE": best[1]}
    said = ", ".join(f"{name} {value!r}" for name, value in best[1].items()) or "the same name"
    seen = f"{best[0]} of {len(masks)} masks have one image, such as {masks[0]!r}"
    return constants, masks, [Evidence("mask of an image", said, seen)]


def _is_mask(path: str) -> bool:
    pure = PurePosixPath(path)
    return any(MASK_FOLDER.fullmatch(part) for part in pure.parts[:-1]) or bool(MASK_ENDING.search(stem_of(path)))


def _patterns(masks: list[str]) -> tuple[str, ...]:
    """Globs for masks: by folder where one says so, else by the end of the name."""
    found = set()
    for path in masks:
        suffix = glob.escape(path[len(path) - len(suffix_of(path)) :])
        folder = next((part for part in PurePosixPath(path).parts[:-1] if MASK_FOLDER.fullmatch(part)), None)
        ending = MASK_ENDING.search(stem_of(path))
        if folder is not None:
            found.add(folder_pattern(folder, f"**/*{suffix}"))
        elif ending is not None:
            found.add(f"**/*{glob.escape(ending[0])}{suffix}")
    return tuple(sorted(found))


def _rules(images: list[str], masks: list[str]) -> list[dict[str, Any]]:
    """Ways to pair, the plainest first."""
    endings = Counter(match[0] for path in masks if (match := MASK_ENDING.search(stem_of(path))))
    names: list[dict[str, Any]] = [{}]
    names += [{"mask_suffix": ending} for ending, _ in endings.most_common(3)]
    names += [{"image_suffix": NNUNET_CHANNEL}]
    names += [{"image_suffix": ending} for ending in _image_endings(images)]
    names += [rule | {"mask_suffix": ending} for rule in names[2:] for ending, _ in endings.most_common(1)]
    levels = [(0,), (1,), (-2,), (-1,)]
    by_folder = [{**name, "folders": level} for name in names for level in levels]
    alone = [{"folders": level, "stem": False} for level in [(-1,), (-2,), (0,)]]
    return [*names, *by_folder, *alone]


def _image_endings(images: list[str]) -> list[str]:
    """Endings that most images share, such as `_img` or `_t1`."""
    found = Counter(match[0] for path in images if (match := re.search(r"[-_][A-Za-z]\w{0,11}$", stem_of(path))))
    return [ending for ending, count in found.most_common(2) if count >= 0.5 * len(images)]


def _picture_values(survey: Survey, masks: list[str]) -> tuple[list[int], float, Evidence]:
    """Values that are labels, or none and the threshold."""
    from PIL import Image

    values: Counter[int] = Counter()
    for path in [path for path in masks if survey.raw.has_on_disk(path)][:: max(1, len(masks) // PEEKED)][:PEEKED]:
        try:
            with Image.open(survey.raw.path(path)) as picture:
                grey = picture if picture.mode in ("L", "P", "1", "I;16", "I") else picture.convert("L")
                values.update(np.unique(np.array(grey)).astype(int).tolist())
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            continue
    found = sorted(value for value in values if value)
    seen = f"values {found[:12]}{' …' if len(found) > 12 else ''} in a few masks"
    if any(path.lower().endswith(LOSSY) for path in masks) or len(found) > MOST_VALUES:
        return [], 127.0, Evidence("label", "one, above grey value 127", f"{seen}: lossy, or a soft edge")
    if len(found) <= 1:
        return [], (found[0] - 1) / 2 if found else 0.0, Evidence("label", "one: what isn't background", seen)
    return found, 0.0, Evidence("label", f"{len(found)} values: name them in VALUES", seen)


def _volume_values(survey: Survey, masks: list[str]) -> tuple[dict[int, str], Evidence]:
    """Value → word, from `dataset.json` or from a few label maps themselves."""
    import orjson

    for path in survey.with_suffix("dataset.json"):
        try:
            names = _named(orjson.loads(survey.raw.path(path).read_bytes())["labels"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
            continue
        return names, Evidence("label", listed(list(names.values())), f"labels of {path!r}")
    from .formats.volume import read

    values: set[int] = set()
    for path in [path for path in masks if survey.raw.has_on_disk(path)][:3]:
        try:
            for volume in read([survey.raw.path(path)], reading=Reading(), report=lambda _: None):
                values.update(np.unique(volume.array).astype(int).tolist())
        except MedLoomError:
            continue
    found = sorted(value for value in values if value)[:MOST_LABEL_VALUES]
    seen = f"values {found[:12]}{' …' if len(found) > 12 else ''} in up to three label maps"
    return {value: f"value {value}" for value in found}, Evidence("label", "numbers: name them in VALUES", seen)


def _named(labels: Any) -> dict[int, str]:
    """The decathlon writes {"1": "liver"}, nnU-Net {"liver": 1}."""
    pairs = [(key, value) if str(key).isdigit() else (value, key) for key, value in labels.items()]
    return {int(value): str(name) for value, name in pairs if int(value) != 0}
