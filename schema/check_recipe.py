"""A recipe against itself: the digest that stands for a source's contents, and what a cut says of its choice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .errors import Issue
from .release import content_sha256
from .withdrawn import REASON as WITHDRAWN


def faults_of(recipe: dict[str, Any]) -> Iterator[Issue]:
    """Where the recipe's own numbers don't agree."""
    where = f"recipes/{recipe['facts']['name']}.json"
    found, wanted = str(recipe.get("content_sha256")), content_sha256(recipe["shards"], recipe["index"])
    if found != wanted:
        yield Issue(
            "digest-differs", where, f"content_sha256 {found[:16]}…", f"{wanted[:16]}… as its lists say", remedy(recipe)
        )
    cut, samples = recipe.get("cut"), sum(shard["samples"] for shard in recipe["shards"])
    samples += recipe["counts"]["excluded"].get(WITHDRAWN, 0)  # a cut has no other excluded samples
    if cut and not samples == cut["samples"] <= cut["of_samples"]:
        found = f"{cut['samples']} samples chosen of {cut['of_samples']}"
        yield Issue("count-differs", where, found, f"the {samples} of its shards", remedy(recipe))


def remedy(recipe: dict[str, Any]) -> str:
    """What helps where the source is broken."""
    return "cut it again, as the README says" if "cut" in recipe else "rebuild the source"


def about(recipe: dict[str, Any]) -> dict[str, Any]:
    """What a check tells of a source beside its counts: of a cut, how many samples were chosen of how many."""
    cut = recipe.get("cut")
    return {"cut": {name: cut[name] for name in ("samples", "of_samples", "moved", "members")}} if cut else {}
