"""The recipe: what anyone with the raw root needs to remake a source's shards, and to check that they are the same.

It lies in the release, so it holds reasons and counts, never raw names; a private salt only by its digest.

A cut (chosen samples of another release) has facts, options and versions of the build that made its samples, and instead of
`raw` and `builder_sha256` a `cut`: `of` is what the original's recipe says of itself, `why` the command that chose. To remake
it, remake the original (which may be a cut too: then `of` has its own `cut`) and choose again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

from ..schema.release import content_sha256
from ..schema.sample import SPLITS
from ..schema.withdrawn import REASON as WITHDRAWN
from .deidentify import Salt
from .source import Facts, Source


def recipe_of(
    source: Source,
    *,
    fingerprint: dict[str, Any],
    salt: Salt,
    counts: dict[str, Any],
    shards: list[dict[str, Any]],
    index: dict[str, str],
    issues: list[dict[str, Any]],
) -> dict[str, Any]:
    """The recipe as plain data; `shards` are sorted by path, `index` maps table name to SHA-256."""
    stated = {"salt": salt.value.decode()} if salt.public else {"salt_sha256": salt.sha256}
    return {
        "facts": _facts(source.facts),
        "options": fingerprint["options"] | {"salt_sha256": None} | stated,
        "versions": fingerprint["versions"],
        "builder_sha256": fingerprint["source"]["sha256"],
        "raw": {name: fingerprint["raw_files"][name] for name in ("count", "bytes")},
        "counts": counts,
        **_contents(shards, index, issues={row["code"]: row["count"] for row in issues}),
    }


def cut_of(
    original: dict[str, Any], *, why: dict[str, Any], chosen: dict[str, Any], shard_bytes: int, versions: dict[str, str]
) -> dict[str, Any]:
    """What the recipe of a cut says of it: of which contents, why, how many samples and how they differ.

    `original` is the recipe of the source that is cut; `chosen` has samples, moved and sha256 (see chosen.py).
    """
    return {
        "of": {name: value for name, value in original.items() if name not in _NOT_OF_THE_ORIGINAL},
        "why": why,
        "samples": chosen["samples"],
        "of_samples": sum(shard["samples"] for shard in original["shards"]),
        "moved": chosen["moved"],
        "members": "split rewritten" if chosen["moved"] else "byte-identical",
        "chosen_sha256": chosen["sha256"],
        "shard_bytes": shard_bytes,
        "versions": versions,
    }


def recipe_of_cut(
    original: dict[str, Any], cut: dict[str, Any], *, shards: list[dict[str, Any]], index: dict[str, str]
) -> dict[str, Any]:
    """The recipe of a cut as plain data; `shards` are sorted by path, `index` maps table name to SHA-256."""
    return {
        "facts": original["facts"],
        "options": original["options"] | {"shard_bytes": cut["shard_bytes"]},
        "versions": original["versions"],
        "cut": cut,
        "counts": {"samples": cut["samples"], "excluded": {}},
        **_contents(shards, index, issues={}),
    }


def recipe_without(
    recipe: dict[str, Any], *, shards: list[dict[str, Any]], index: dict[str, str], rows: list[dict[str, Any]]
) -> dict[str, Any]:
    """The recipe of a source some of whose samples were withdrawn: `rows` have the `exclusion` that they had before."""
    excluded = Counter[str](recipe["counts"]["excluded"])
    excluded.subtract(row["exclusion"] for row in rows if row["exclusion"])
    excluded[WITHDRAWN] += len(rows)
    counts = recipe["counts"] | {"excluded": {reason: count for reason, count in sorted(excluded.items()) if count > 0}}
    return recipe | {"counts": counts} | _contents(shards, index, issues=recipe["issues"])


_NOT_OF_THE_ORIGINAL = ("facts", "subsets", "shards", "index")
"""What a cut says itself, or what the digest of the original's contents stands for."""


def _contents(shards: list[dict[str, Any]], index: dict[str, str], *, issues: dict[str, int]) -> dict[str, Any]:
    return {
        "splits": _summed(shards, lambda shard: [shard["split"]]),
        "subsets": _summed(shards, lambda shard: shard["subsets"]),
        "issues": issues,
        "shards": shards,
        "index": index,
        "content_sha256": content_sha256(shards, index),
    }


def _facts(facts: Facts) -> dict[str, Any]:
    return {name: str(value) if name == "access" else value for name, value in asdict(facts).items()}


def _summed(shards: list[dict[str, Any]], of) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for shard in shards:
        for name in of(shard):
            counts[name] += shard["samples"]
    return dict(sorted(counts.items(), key=lambda item: (SPLITS.index(item[0]) if item[0] in SPLITS else 9, item[0])))
