"""Which files are a release's own: those a recipe lists, and by their names those of any release."""

from __future__ import annotations

import re

from . import certificate
from .published import Mode, keys_path, mode_of, shards_of
from .release import Release

AT_ROOT = (
    "README.md",
    "DATASHEET.md",
    "LICENSE.md",
    "CHANGELOG.md",
    "croissant.json",
    "overrides.json",
    "withdrawn.json",
    ".gitattributes",
)
_SHARD = r"(train|validation|test)-\d{5}-of-\d{5}"
_OWN = re.compile(
    rf"(data|records)/[^/]+/([^/]+/)?{_SHARD}\.tar"
    r"|index/[^/]+/(samples|annotations|keys)\.parquet"
    r"|recipes/[^/]+\.json"
    rf"|questions/[^/]+/(suite\.json|review\.json|[^/]+/([^/]+/)?{_SHARD}\.parquet)"
    r"|card/[^/]+\.(png|svg|jpg)"
)


def known_files(release: Release) -> set[str]:
    """Paths that the release may hold, questions and pictures of its card aside."""
    known = {*AT_ROOT, *certificate.paths()}
    for recipe in release.recipes():
        name, recipe_only = recipe["facts"]["name"], mode_of(recipe) is Mode.RECIPE
        known |= {shard["path"] for shard in shards_of(recipe)} | {f"recipes/{name}.json"}
        known |= {keys_path(name)} if recipe_only else {f"index/{name}/{table}.parquet" for table in recipe["index"]}
    return known


def is_own(path: str) -> bool:
    """Whether a path of a repository is one that some release would hold."""
    return path in AT_ROOT or path in certificate.paths() or _OWN.fullmatch(path) is not None
