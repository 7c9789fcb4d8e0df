"""The recipe: what anyone with the raw root needs to remake a source's shards, and to check that they are the same.

It lies in the release, so it holds reasons and counts, never raw names; a private salt only by its digest.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import asdict
from typing import Any

from ..schema.sample import SPLITS
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
        "splits": _summed(shards, lambda shard: [shard["split"]]),
        "subsets": _summed(shards, lambda shard: shard["subsets"]),
        "issues": {row["code"]: row["count"] for row in issues},
        "shards": shards,
        "index": index,
        "content_sha256": _content(shards, index),
    }


def _facts(facts: Facts) -> dict[str, Any]:
    return {name: str(value) if name == "access" else value for name, value in asdict(facts).items()}


def _summed(shards: list[dict[str, Any]], of) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for shard in shards:
        for name in of(shard):
            counts[name] += shard["samples"]
    return dict(sorted(counts.items(), key=lambda item: (SPLITS.index(item[0]) if item[0] in SPLITS else 9, item[0])))


def _content(shards: list[dict[str, Any]], index: dict[str, str]) -> str:
    lines = [f"{shard['path']} {shard['sha256']}" for shard in shards] + [f"{name} {index[name]}" for name in sorted(index)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
