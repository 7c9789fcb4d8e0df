"""A release: the folder that is exactly what the Hub repository will hold, or that repository.

    README.md                              configs, features, a table of sources
    data/<source>/[<subset+subset>/]<split>-00000-of-00004.tar
    index/<source>/{samples,annotations}.parquet
    recipes/<source>.json
    questions/<suite>/…                    question sets: see `question_set.py`

Every config of the README lists the globs of its shards, only splits that exist, and a version made of the content's
digest: without it a rebuilt folder would be served from a stale cache of `datasets`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import yaml

from . import embedded, hub
from .errors import ReleaseError, UsageError
from .licences import licence
from .published import Mode, mode_of
from .published import shards_of as held
from .question_set import names, question_note
from .record import features
from .sample import SPLITS
from .selection_note import selection_note
from .shard_bytes import HubShards, LocalShards, ShardBytes

DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Release:
    """A release: a folder, or a repository of which the cache holds what was fetched so far."""

    root: Path
    source: hub.Fetched | None = None
    """The commit of a repository, where it isn't a folder of one's own."""

    @classmethod
    def open(cls, place: Path | str) -> Release:
        """The release in a folder; of a text also the one in a repository: `org/name`, `org/name@revision`, `hf://datasets/…`.

        A folder goes before a repository of the same name. Of a repository, README, recipes and what `suite.json` files say
        are fetched at once, index and questions when they are asked for, and of shards only ranges, by `bytes`.

        Raises:
            ReleaseError: there is none, or the Hub can't be reached or refuses.
            UsageError: the repository has no such revision.
        """
        path = Path(place)
        if isinstance(place, str) and not path.exists() and (asked := hub.named(place)):
            return cls._of_hub(*asked)
        if not _is_release(path):
            raise ReleaseError(f"{place}: no README.md and recipes/; expected a release folder; `medloom build` makes one")
        return cls(path.resolve())

    @classmethod
    def _of_hub(cls, repo: str, revision: str | None) -> Release:
        source = hub.fetched(repo, revision=revision)
        if not _is_release(source.root):
            raise ReleaseError(f"{source}: no README.md and recipes/; expected a dataset that `medloom publish` made")
        return cls(source.root, source)

    @property
    def bytes(self) -> ShardBytes:
        """Its shards, by byte ranges."""
        return LocalShards(self.root) if self.source is None else HubShards(self.source)

    def fetch(self, names: Sequence[str]) -> None:
        """See to it that files of it lie under its root, whole; a folder's do already.

        Raises:
            ReleaseError: the Hub can't be reached or refuses, or the disk is full.
        """
        if self.source is not None:
            self.source.fetch(names)

    @property
    def work(self) -> Path:
        """Where everything lies that is made on the way to the release or beside it, and isn't for others.

        Raises:
            UsageError: it is a repository's.
        """
        if self.source is not None:
            raise UsageError(f"{self.source} is on the Hub; expected a release folder to work beside; `hf download` it first")
        return work_folder(self.root)

    @property
    def sources(self) -> list[str]:
        """Names of the sources it holds, sorted."""
        return sorted(path.stem for path in (self.root / "recipes").glob("*.json"))

    @property
    def indexed(self) -> list[str]:
        """Names of the sources whose index it holds, sorted: all but those of which only the recipe is published."""
        return [recipe["facts"]["name"] for recipe in self.recipes() if mode_of(recipe) is not Mode.RECIPE]

    @property
    def embeds(self) -> bool:
        """Whether some of its shards hold questions, which adds a column to all."""
        return any(embedded.EMBEDDED in recipe for recipe in self.recipes())

    @property
    def suites(self) -> list[str]:
        """Names of the question sets it holds, sorted."""
        return names(self.root)

    def recipe_path(self, source: str) -> Path:
        """Where the source's recipe lies."""
        return self.root / "recipes" / f"{source}.json"

    def recipe(self, source: str) -> dict[str, Any] | None:
        """The source's recipe, None where the release doesn't hold it.

        Raises:
            ReleaseError: it is no JSON.
        """
        path = self.recipe_path(source)
        try:
            return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
        except ValueError as error:
            raise ReleaseError(f"{path}: {error}; expected a recipe as `medloom build` writes it; rebuild {source}") from error

    def recipes(self) -> list[dict[str, Any]]:
        """All recipes, by source."""
        return [recipe for source in self.sources if (recipe := self.recipe(source)) is not None]

    def index_path(self, source: str, table: str = "samples") -> Path:
        """Where a table of the source's index lies: `samples` or `annotations`; a repository's is fetched first.

        Raises:
            ReleaseError: the Hub can't be reached or refuses, or the disk is full.
        """
        self.fetch([index_name(source, table)])
        return self.root / index_name(source, table)

    def configs(self) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """Config name → split → shards, as the recipes list them: `default`, then sources, then subsets.

        Sources without pixels stand in a config of their own only, unless no source has any.
        """
        recipes = self.recipes()
        whole = [recipe for recipe in recipes if mode_of(recipe) is Mode.FULL]
        subsets = sorted({subset for recipe in whole for subset in recipe["subsets"]})
        configs = {DEFAULT: _by_split(whole or recipes, None)}
        configs |= {recipe["facts"]["name"]: _by_split([recipe], None) for recipe in recipes}
        configs |= {subset: _by_split(whole, subset) for subset in subsets if subset not in configs}
        return {name: splits for name, splits in configs.items() if splits}

    def write_readme(self, temporary: Path) -> None:
        """Make the README anew from the recipes, by way of a temporary file on the same disk."""
        temporary.write_text(self.readme(), encoding="utf-8")
        temporary.replace(self.root / "README.md")

    def header(self) -> dict[str, Any]:
        """What the README's YAML says: configs with their versions, and the features of each."""
        configs, recipes = self.configs(), self.recipes()
        columns = (embedded.features() if self.embeds else features())._to_yaml_list()
        return {
            "pretty_name": "MedLoom release",
            "license": _licence(recipes),
            "tags": ["medical", "medical-imaging", "webdataset", "medloom"],
            "configs": [_config(name, splits) for name, splits in configs.items()],
            "dataset_info": [{"config_name": name, "features": columns} for name in configs],
        }

    def readme(self) -> str:
        """The README's text: YAML that `datasets` reads, and a table for people."""
        text = yaml.dump(self.header(), sort_keys=False, allow_unicode=True, width=120)
        return f"---\n{text}---\n\n{_table(self.recipes(), self.configs(), question_note(self.root))}"


def index_name(source: str, table: str) -> str:
    """The path in a release of a table of a source's index."""
    return f"index/{source}/{table}.parquet"


def work_folder(root: Path) -> Path:
    """`RELEASE.work`, beside a release that may not be there yet."""
    whole = root.resolve()
    return whole.with_name(f"{whole.name}.work")


def content_version(shards: Iterable[dict[str, Any]]) -> str:
    """`1.x.y` with 64 bits of the digest over paths and digests of the shards."""
    lines = "\n".join(f"{shard['path']} {shard['sha256']}" for shard in shards)
    digest = hashlib.sha256(lines.encode()).hexdigest()
    return f"1.{int(digest[:8], 16)}.{int(digest[8:16], 16)}"


def content_sha256(shards: Iterable[dict[str, Any]], index: dict[str, str]) -> str:
    """SHA-256 over paths and digests of a source's shards and index tables: two sources with the same one are the same."""
    lines = [f"{shard['path']} {shard['sha256']}" for shard in shards] + [f"{name} {index[name]}" for name in sorted(index)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def shards_of(splits: dict[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The shards of a config, in the order in which they load."""
    return [shard for split in SPLITS for shard in splits.get(split, ())]


def _is_release(path: Path) -> bool:
    return (path / "README.md").is_file() and (path / "recipes").is_dir()


def _by_split(recipes: list[dict[str, Any]], subset: str | None) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for split in SPLITS:
        some = [
            shard
            for recipe in recipes
            for shard in held(recipe)
            if shard["split"] == split and (subset is None or subset in shard["subsets"])
        ]
        if some:
            found[split] = some
    return found


def _config(name: str, splits: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    data_files = [{"split": split, "path": _globs(shards, split)} for split, shards in splits.items()]
    config: dict[str, Any] = {"config_name": name, "version": content_version(shards_of(splits)), "data_files": data_files}
    return config | {"default": True} if name == DEFAULT else config


def _globs(shards: list[dict[str, Any]], split: str) -> list[str]:
    folders = dict.fromkeys(str(PurePosixPath(shard["path"]).parent) for shard in shards)
    return [f"{folder}/{split}-*.tar" for folder in folders]


def _licence(recipes: list[dict[str, Any]]) -> str:
    """The Hub's name of the one licence of all sources."""
    found = {licence(recipe["facts"]["licence"]).hub for recipe in recipes}
    return found.pop() if len(found) == 1 else "other"


def _table(recipes: list[dict[str, Any]], configs: dict[str, Any], questions: list[str]) -> str:
    rows = [_row(recipe) for recipe in recipes]
    heading = "| source | licence | access | groups are | train | validation | test | excluded |"
    rule = "|---|---|---|---|---:|---:|---:|---:|"
    limited = [recipe["facts"]["name"] for recipe in recipes if recipe["options"]["limit"] is not None]
    note = [f"\nLimited builds, not the whole source: {', '.join(limited)}.\n"] if limited else []
    subsets = [name for name in configs if name != DEFAULT and name not in {r["facts"]["name"] for r in recipes}]
    return "\n".join(
        [
            "# MedLoom release",
            "",
            "Images are in the column `image`, everything known about them in `json`.",
            "",
            "```python",
            "from datasets import load_dataset",
            'rows = load_dataset("PATH_OR_REPO", "CONFIG", split="train")',
            "```",
            "",
            heading,
            rule,
            *rows,
            *note,
            *selection_note(recipes),
            *embedded.embedding_note(recipes),
            *questions,
            "",
            "Subsets, by modality, anatomical area and task: " + ", ".join(f"`{name}`" for name in subsets) + ".",
            "",
        ]
    )


def _row(recipe: dict[str, Any]) -> str:
    facts = recipe["facts"]
    counts = [str(recipe["splits"].get(split, 0)) for split in SPLITS] + [str(sum(recipe["counts"]["excluded"].values()))]
    cells = [f"[{facts['name']}]({facts['homepage']})", facts["licence"], facts["access"], facts["group_kind"], *counts]
    return "| " + " | ".join(cells) + " |"
