"""The YAML of a card's README: what the Hub sorts and warns by, then configs and features exactly as `Release.header` says.

Task categories follow from what is annotated and asked, never from a source's fame; the Hub knows no others than those.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from ...schema.card_digest import KEY, LICENCES, digest_of
from ...schema.licences import licence
from ...schema.published import Mode
from ...schema.vocabulary import slug
from .facts import CardFacts

TAGS = ("medical", "medical-imaging", "webdataset", "croissant", "medloom")
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
_LARGER = ((10**8, "10M<n<100M"), (10**9, "100M<n<1B"))
_BY_GRANULARITY = {
    "box": "object-detection",
    "mask": "image-segmentation",
    "contour": "image-segmentation",
    "point": "keypoint-detection",
}
_BY_KIND = {
    "single_choice": ("visual-question-answering", "multiple-choice"),
    "multiple_choice": ("visual-question-answering", "multiple-choice"),
    "description": ("image-to-text",),
}


def header(facts: CardFacts) -> dict[str, Any]:
    """The YAML as plain data, in the order in which it is written."""
    stated = facts.release.header()
    return {
        "pretty_name": facts.pretty_name,
        **licence_entries(facts),
        "language": ["en"],
        "size_categories": [size_category(facts.samples)],
        "task_categories": task_categories(facts),
        **({"task_ids": ids} if (ids := task_ids(facts)) else {}),
        "tags": [*TAGS, *_modality_tags(facts)],
        KEY: digest_of(facts.release.root),
        "configs": stated["configs"],
        "dataset_info": stated["dataset_info"],
    }


def yaml_text(entries: dict[str, Any]) -> str:
    """The YAML; features that all configs share stand once, behind an anchor."""
    return yaml.dump(entries, sort_keys=False, allow_unicode=True, width=120)


def licence_entries(facts: CardFacts) -> dict[str, Any]:
    """The Hub's `license`: one, or a list where sources differ; `other` with the name it bears and the file that says more."""
    known = sorted({licence(id).hub for id in facts.licences}) or ["other"]
    entries: dict[str, Any] = {"license": known[0] if len(known) == 1 else known}
    others = [id for id in facts.licences if licence(id).hub == "other"]
    if "other" in known:
        entries["license_name"] = slug(others[0]) if len(others) == 1 else "several-see-license-md"
        entries["license_link"] = LICENCES
    return entries


def size_category(samples: int) -> str:
    """The Hub's word for how many samples there are."""
    return next((name for most, name in (*_SIZES, *_LARGER) if samples < most), "n>1T" if samples >= 10**12 else "1B<n<10B")


def task_categories(facts: CardFacts) -> list[str]:
    """The Hub's task categories, sorted."""
    return sorted({*_from_annotations(facts), *_from_questions(facts)}) or ["other"]


def task_ids(facts: CardFacts) -> list[str]:
    """The Hub's finer tasks."""
    found = []
    if "image-classification" in task_categories(facts):
        found.append(
            "multi-label-image-classification" if facts.numbers["several_labels"] else "multi-class-image-classification"
        )
    if "image-segmentation" in task_categories(facts):
        found.append("semantic-segmentation")
    return found


def _from_annotations(facts: CardFacts) -> Iterator[str]:
    if facts.numbers["states"].get("present"):
        yield "image-classification"
    for granularity in facts.numbers["annotations"]:
        yield _BY_GRANULARITY[granularity]
    if facts.numbers["texts"]:
        yield "image-to-text"


def _from_questions(facts: CardFacts) -> Iterator[str]:
    for suite in facts.suites:
        yield "image-text-to-text"
        for kind in suite["counts"].get("kind", {}):
            yield from _BY_KIND.get(kind, ())


def _modality_tags(facts: CardFacts) -> list[str]:
    names = facts.distributions["modality"]
    tags = [slug(name) for name in names if name not in ("Other", "Unspecified")]
    return [*tags, "annotations-only"] if facts.whole(Mode.ANNOTATIONS) else tags
