"""What is new between two versions of a release, by their recipes and suites: an entry of CHANGELOG.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...schema.published import Mode, mode_of
from ...schema.sample import SPLITS

FILE = "CHANGELOG.md"
TITLE = "# Changelog\n\nVersions of this dataset, the newest first; each is a tag of the repository.\n"
NONE = "–"
Recipes = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a version holds: recipes of its sources, and what `suite.json` says of its suites."""

    recipes: Recipes = ()
    suites: Recipes = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One source or suite that isn't as it was."""

    name: str
    what: str
    before: Mapping[str, int] | None
    """Split → samples; None where it wasn't there."""
    after: Mapping[str, int] | None
    """Likewise; None where it is there no more."""


def changes(before: Contents, after: Contents) -> list[Change]:
    """Sources that came, went or changed, by name."""
    old, new = ({recipe["facts"]["name"]: recipe for recipe in one.recipes} for one in (before, after))
    return [
        Change(name, what, _splits(old.get(name)), _splits(new.get(name)))
        for name in sorted(old.keys() | new.keys())
        if (what := _what(old.get(name), new.get(name)))
    ]


def entry(before: Contents, after: Contents, version: str) -> str:
    """The entry of a version as Markdown; empty where nothing is new. It tells no time of day."""
    sources = changes(before, after)
    suites = list(_suites(before, after))
    if not sources and not suites:
        return ""
    lines = [f"## {version}", "", *_sentences(before, after)]
    if sources:
        lines += ["", "| source | change | samples before | samples now | train | validation | test |"]
        lines += ["|---|---|---:|---:|---:|---:|---:|", *map(_row, sources)]
    return "\n".join([*lines, *(["", *suites] if suites else []), ""])


def changelog(earlier: str, added: str) -> str:
    """CHANGELOG.md with an entry more, on top; as it was where there is nothing to add, or the entry stands there already."""
    entries = earlier.removeprefix(TITLE).strip("\n")
    parts = [added.strip("\n")] if added.strip() and not entries.startswith(added.strip("\n")) else []
    return "\n\n".join([TITLE.strip("\n"), *parts, *([entries] if entries else [])]) + "\n"


def _what(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> str:
    """Words for what happened to a source; none where nothing did."""
    if old is None or new is None:
        return "added" if old is None else "removed"
    told = []
    if mode_of(old) is not mode_of(new):
        told.append(f"published as {_mode(new)}, before as {_mode(old)}")
    if old["content_sha256"] != new["content_sha256"]:
        told.append(_contents(old, new))
    return "; ".join(told)


def _contents(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    known = {(shard["path"], shard["sha256"]) for shard in old["shards"]}
    other = sum((shard["path"], shard["sha256"]) not in known for shard in new["shards"])
    return f"{other} of {len(new['shards'])} shards changed" if other else "shards as before, index changed"


def _mode(recipe: Mapping[str, Any]) -> str:
    words = {Mode.FULL: "a whole", Mode.ANNOTATIONS: "annotations alone", Mode.RECIPE: "a recipe alone"}
    return words[mode_of(recipe)]


def _splits(recipe: Mapping[str, Any] | None) -> Mapping[str, int] | None:
    return None if recipe is None else {split: recipe["splits"].get(split, 0) for split in SPLITS}


def _sentences(before: Contents, after: Contents) -> Iterator[str]:
    now, sources = _samples(after), len(after.recipes)
    counted = f"{now:,} samples of {sources} {'source' if sources == 1 else 'sources'}"
    if before.recipes:
        yield f"{counted}; before, {_samples(before):,} of {len(before.recipes)}."
    else:
        yield f"First version: {counted}."


def _samples(contents: Contents) -> int:
    return sum(sum(recipe["splits"].values()) for recipe in contents.recipes)


def _row(change: Change) -> str:
    before, after = (NONE if one is None else f"{sum(one.values()):,}" for one in (change.before, change.after))
    splits = [NONE if change.after is None else f"{change.after[split]:,}" for split in SPLITS]
    return "| " + " | ".join([f"`{change.name}`", change.what, before, after, *splits]) + " |"


def _suites(before: Contents, after: Contents) -> Iterator[str]:
    """A line for every suite of questions that isn't as it was."""
    old, new = ({info["suite"]["name"]: info for info in one.suites} for one in (before, after))
    for name in sorted(old.keys() | new.keys()):
        was, now = old.get(name), new.get(name)
        if was is None and now is not None:
            yield f"- Questions `{name}`: added, {now['questions']:,}."
        elif was is not None and now is None:
            yield f"- Questions `{name}`: removed."
        elif was is not None and now is not None and was["files"] != now["files"]:
            yield f"- Questions `{name}`: {now['questions']:,}, before {was['questions']:,}."
