"""How question sets lie in a release: one Parquet file per shard, and what they were made from.

    questions/<suite>/suite.json                                  suite as data, seed, versions, counts, digests
    questions/<suite>/review.json                                 what people said of them, where they were asked
    questions/<suite>/<source>/[<subset+subset>/]<split>-00000-of-00004.parquet

A shard that nothing is asked about has no file, since `datasets` can't load a split of empty ones. It takes one loader
per repository, that of the shards, so question sets have no config in the README:
`load_dataset(repo, data_dir="questions/<suite>")` loads them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from .errors import ReleaseError, UsageError

FOLDER = "questions"
INFO = "suite.json"
REVIEW = "review.json"
MADE_FROM = ("suite", "digest", "seed", "limit", "withheld", "texts", "versions", "sources", "without")
"""Entries of `suite.json` that say what the questions follow from; the others say what came of it."""
FIELDS = (*MADE_FROM, "questions", "counts", "table", "left_out", "files")


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """The questions of one suite in a release."""

    release: Path
    name: str

    @classmethod
    def open(cls, release: Path, name: str, *, called: str | None = None) -> QuestionSet:
        """The question set of a name; in words the release is called after its folder, unless it has another name.

        Raises:
            UsageError: the release doesn't hold it.
        """
        known = names(release)
        if name not in known:
            expected = f"one of {', '.join(known)}" if known else "one that `medloom ask` made first"
            raise UsageError(f"suite {name!r} isn't in {called or release}; expected {expected}")
        return cls(release, name)

    @property
    def root(self) -> Path:
        """Its folder."""
        return self.release / FOLDER / self.name

    @property
    def info(self) -> dict[str, Any]:
        """What `suite.json` says.

        Raises:
            ReleaseError: it is no JSON object.
        """
        path = self.root / INFO
        try:
            info = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ReleaseError(f"{path}: {error}; expected JSON as `medloom ask` writes it; ask again") from error
        if not isinstance(info, dict):
            raise ReleaseError(f"{path}: {type(info).__name__}; expected an object; ask again")
        return info

    def path(self, shard: str) -> Path:
        """Where the questions of a shard lie."""
        return self.root / file_of(shard)

    def asked_about(self, shards: Iterable[str]) -> list[str]:
        """Those of some shards that anything is asked about.

        Raises:
            ReleaseError: the suite knows nothing of one.
        """
        stated = {one["shard"]: one["questions"] for one in self.info["files"]}
        return [shard for shard in shards if _stated(self, stated, shard)]


def _stated(asked: QuestionSet, stated: dict[str, int], shard: str) -> int:
    if shard not in stated:
        raise ReleaseError(f"{asked.root}: nothing of {shard}; expected questions about every shard; ask again")
    return stated[shard]


def names(release: Path) -> list[str]:
    """Names of the question sets that a release holds."""
    return sorted(path.parent.name for path in (release / FOLDER).glob(f"*/{INFO}"))


def file_of(shard: str) -> str:
    """The file of a shard's questions, relative to the folder of its suite."""
    return str(PurePosixPath(shard).relative_to("data").with_suffix(".parquet"))


def question_note(release: Path) -> list[str]:
    """Markdown lines for the README that say which question sets lie there and how they load; none without any."""
    sets = [QuestionSet(release, name).info for name in names(release)]
    if not sets:
        return []
    first = sets[0]["suite"]["name"]
    withheld = any(info["withheld"] for info in sets)
    return [
        "\n## Questions\n",
        "Questions lie beside the shards, a Parquet file for each, and name samples by their `key`.\n",
        "| suite | what it asks | questions | answers withheld |",
        "|---|---|---:|---|",
        *map(_row, sets),
        "\n```python",
        "from datasets import load_dataset",
        f'questions = load_dataset("PATH_OR_REPO", data_dir="{FOLDER}/{first}", split="train")',
        "```\n",
        f'With their pictures: `medloom.load("PATH_OR_REPO", suite="{first}", split="train")`.',
        *([_WITHHELD] if withheld else []),
    ]


_WITHHELD = (
    "\nWhere answers are withheld, the question files don't hold them; the records of the same samples still name their labels."
)


def _row(info: dict[str, Any]) -> str:
    cells = info["suite"]["name"], info["suite"]["title"], info["questions"], ", ".join(info["withheld"]) or "no"
    return "| " + " | ".join(map(str, cells)) + " |"
