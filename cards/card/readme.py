"""The README's text and LICENSE.md: facts, and the few words that templates can't find by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from ...schema import question_set
from ...schema.licences import licence
from ...schema.published import Mode
from ...schema.release import DEFAULT, shards_of
from ...schema.rights import Right, Subject
from ...schema.sample import SPLITS
from ...schema.selection_note import selection_note
from .facts import DISTRIBUTIONS, CardFacts, SourceFacts, obligations
from .header import header, yaml_text
from .pages import page
from .pictures import Shown

PLACE = "PATH_OR_REPO"
"""Stands in the snippets where no repository is known."""
HOLDS = {
    Mode.FULL: "everything",
    Mode.ANNOTATIONS: "everything but pixels",
    Mode.RECIPE: "keys, splits and pixel hashes",
}
SUBJECTS = {
    Subject.PIXELS: "pixels",
    Subject.ANNOTATIONS: "labels, boxes, masks and other fields of records",
    Subject.DERIVED_TEXT: "questions and other texts derived from it",
    Subject.PROCESSING: "processing by others' services",
}
GRANTED = {True: "yes", False: "no", None: "unknown"}
PLURAL = {"box": "boxes", "mask": "masks", "contour": "contours", "point": "points"}
_TOP = 3


def readme(facts: CardFacts, shown: Shown) -> str:
    """README.md: YAML, then what people read."""
    withheld = [one.name for one in facts.sources if one.mode is not Mode.FULL]
    text = page(
        "readme.md.jinja",
        facts=facts,
        numbers=facts.numbers,
        shown=shown,
        regions=regions(facts),
        total_bytes=sum(one.bytes for one in facts.sources),
        snippets=dict(_snippets(facts)),
        withheld_sources=withheld,
        holds=_holds(),
        terms={id: licence(id) for id in facts.licences},
        obligations={id: obligations(licence(id)) for id in facts.licences},
        unverified=[one.name for one in facts.sources if not one.verified],
        distributions=[(name, f"Samples by {name}") for name in DISTRIBUTIONS if facts.distributions[name]],
        alt={name: _alternative(name, facts.distributions[name]) for name in DISTRIBUTIONS},
        plural=PLURAL,
        selection="\n".join(selection_note([dict(one.recipe) for one in facts.sources])).replace("\n## ", "\n### "),
        certified=_certified(facts),
        makers=_makers,
        any_withheld=any(one["withheld"] for one in facts.suites),
        limited=[f"{one.name} (the first {one.limit:,} units)" for one in facts.sources if one.limit is not None],
        group_kinds=facts.group_kinds(),
        sexes=sexes(facts),
        how_split=_how_split,
        odd=[one for one in facts.sources if one.facts["oddities"] or one.recipe["counts"]["failed"] or one.recipe["issues"]],
        few=[one.name for one in facts.sources if one.samples and not one.splits.get("test")],
        withdrawn={one.name: one.withdrawn for one in facts.sources if one.withdrawn},
    )
    return f"---\n{yaml_text(header(facts))}---\n\n{text}"


def licences(facts: CardFacts) -> str:
    """LICENSE.md: every source's rights, apart."""
    return page("license.md.jinja", facts=facts, holds=_holds(), together=_together, granted=GRANTED, asks=obligations)


def _together(source: SourceFacts) -> list[tuple[Right, str]]:
    """The source's rights, each with what it is about: subjects under the same right stand together."""
    found: list[tuple[Right, list[str]]] = []
    for subject, right in source.rights.items():
        same = next((about for other, about in found if other == right), None)
        if same is None:
            found.append((right, [SUBJECTS[subject]]))
        else:
            same.append(SUBJECTS[subject])
    return [(right, "everything" if len(about) == len(SUBJECTS) else "; ".join(about)) for right, about in found]


def limitations(facts: CardFacts) -> list[str]:
    """One sentence per limitation, for machines and people alike."""
    said = [
        f"{', '.join(sources)}: split by {kind}, patients aren't known"
        for kind, sources in facts.group_kinds().items()
        if kind != "patient"
    ]
    said += [f"{one.name}: a limited build of the first {one.limit} units" for one in facts.sources if one.limit is not None]
    said += [f"{one.name}: {oddity}" for one in facts.sources for oddity in one.facts["oddities"]]
    return [*said, "Images are standardized to 8 bits and, from volumes, to slices: they are no basis for clinical decisions"]


def _holds() -> dict[str, str]:
    return {mode.value: words for mode, words in HOLDS.items()}


def regions(facts: CardFacts) -> str:
    """`boxes, masks and points`, whatever there is."""
    words = [PLURAL[kind] for kind in PLURAL if facts.numbers["annotations"].get(kind)]
    if not words:
        return "no regions"
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _snippets(facts: CardFacts) -> Iterator[tuple[str, str]]:
    """How it is loaded, in three lines or so each; empty where that has nothing to load."""
    place, whole = facts.repo or PLACE, facts.whole(Mode.FULL)
    splits = facts.release.configs().get(DEFAULT, {})
    yield "datasets", "\n".join(_datasets(place, next(iter(splits)), pixels=bool(whole))) if splits else ""
    yield "medloom", "\n".join(_medloom(facts, place, next(iter(splits)))) if whole else ""
    yield "webdataset", "\n".join(_webdataset(facts, whole[0])) if whole else ""
    yield "questions", "\n".join(_questions(facts.suites[0], place, pixels=bool(whole))) if facts.suites else ""


def _datasets(place: str, split: str, *, pixels: bool) -> Iterator[str]:
    yield "from datasets import load_dataset"
    yield f'rows = load_dataset("{place}", split="{split}")'
    size = 'rows[0]["image"].size, ' if pixels else ""
    yield f'print({size}[label["label"] for label in rows[0]["json"]["labels"]])'


def _medloom(facts: CardFacts, place: str, split: str) -> Iterator[str]:
    yield "import medloom"
    everything = len(facts.whole(Mode.FULL)) == len(facts.sources)
    words = f', modality="{next(iter(facts.distributions["modality"]))}"' if everything else ""
    yield f'rows = medloom.load("{place}", split="{split}"{words})'
    yield 'print(len(rows), rows[0]["json"]["key"])'


def _questions(suite: Mapping[str, Any], place: str, *, pixels: bool) -> Iterator[str]:
    name = suite["suite"]["name"]
    asked = {PurePosixPath(one["path"]).name.split("-")[0] for one in suite["files"] if one["questions"]}
    split = next((split for split in SPLITS if split in asked), "train")
    yield "from datasets import load_dataset"
    yield f'questions = load_dataset("{place}", data_dir="{question_set.FOLDER}/{name}", split="{split}")'
    if pixels:
        yield "import medloom  # and with their pictures:"
        yield f'rows = medloom.load("{place}", suite="{name}", split="{split}")'


def _webdataset(facts: CardFacts, source: SourceFacts) -> Iterator[str]:
    shard = shards_of(facts.release.configs()[source.name])[0]["path"]
    root = f"https://huggingface.co/datasets/{facts.repo}/resolve/main" if facts.repo else PLACE
    yield "import io, webdataset"
    yield "from PIL import Image"
    yield 'handler = webdataset.handle_extension("image", lambda data: Image.open(io.BytesIO(data)))'
    yield f'rows = webdataset.WebDataset("{root}/{shard}", shardshuffle=False).decode(handler)'
    yield 'print(next(iter(rows))["image"].size)'


def sexes(facts: CardFacts) -> dict[str, int]:
    """Sex → samples, of those that are known."""
    female, male = facts.numbers["female"], facts.numbers["male"]
    found = {"female": female, "male": male, "other": facts.numbers["with_sex"] - female - male}
    return {name: count for name, count in found.items() if count}


def _how_split(source: SourceFacts) -> str:
    """Who split the source."""
    if source.groups is None:
        return "not told"
    if source.given_splits:
        part = 100 * source.given_splits / source.samples
        return "by its owner" if source.given_splits == source.samples else f"{part:.0f} % of samples by its owner"
    return "all train" if list(source.splits) == ["train"] else "dealt by hash"


def _alternative(what: str, counted: Mapping[str, Mapping[str, int]]) -> str:
    """What the plot shows, for those who don't see it."""
    top = [f"{name} {sum(splits.values()):,}" for name, splits in list(counted.items())[:_TOP]]
    more = f" and {len(counted) - _TOP} more" if len(counted) > _TOP else ""
    return f"Bar chart of samples by {what}: {', '.join(top) or 'none'}{more}"


def _certified(facts: CardFacts) -> bool:
    """Whether the certificate is about the sources as they are."""
    now = {one.name: one.recipe["content_sha256"] for one in facts.sources}
    return facts.certificate is None or facts.certificate.get("content") == now


def _makers(suite: Mapping[str, Any]) -> str:
    """Who made the questions of a suite: rules, or the model that was asked."""
    return suite["suite"].get("model") or "rules"
