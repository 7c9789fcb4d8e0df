"""What a run of `medloom write` is made from: the wish, the plan that `suite.json` states, and the guard of closed data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ... import __version__
from ...schema.errors import UsageError
from ...schema.processing_rights import CODE, kept_here
from ...schema.question_set import MADE_FROM
from ...schema.release import Release
from ...schema.sample import SCHEMA_VERSION
from ...schema.vocabulary import slug
from ..asking.files import Places
from ..asking.withhold import splits
from ..review.reviewed import Rejected
from ..wording import sha256_of_texts
from .drafts import ASKED, Draft, Writing
from .endpoint import Endpoint
from .retrieval import Corpus
from .shard import Shard, planned

NAME = "written"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to be written, and from what."""

    kinds: Sequence[str] = ("reasoning", "prompted", "description")
    corpus: Path | None = None
    """None: the built-in knowledge file."""
    seed: int = 0
    limit: int | None = None
    """Only so many samples of every shard, the first by key."""
    with_image: bool = False
    tries: int = 2
    """Replies per question until one stands."""
    without: Path | None = None
    """A review whose rejected questions are written anew."""
    withhold: Sequence[str] = ()
    """Splits whose answers are left out of the release."""
    answers: Path | None = None
    """Where their whole questions go; None: `RELEASE.work/answers`."""
    name: str = NAME
    allow_credentialed: Sequence[str] = ()
    """Sources whose words (and images) may leave this machine though nobody grants it; recorded."""

    def __post_init__(self) -> None:
        if strange := sorted(set(self.kinds) - set(ASKED)):
            raise UsageError(f"kind {', '.join(strange)}; expected some of {', '.join(ASKED)}")
        splits(self.withhold)
        if not self.kinds or self.tries < 1:
            raise UsageError(f"{len(self.kinds)} kinds and {self.tries} tries; expected at least one of each")


@dataclass(frozen=True)
class Planned:
    """One run over one release: what it is made from, and where everything of it lies."""

    release: Release
    endpoint: Endpoint
    wish: Wish
    corpus: Corpus | None = field(init=False)
    rejected: Rejected = field(init=False)

    def __post_init__(self) -> None:
        _guard(self.release, self.endpoint, self.wish)
        corpus = None if self.wish.corpus is None else Corpus.open(self.wish.corpus)
        object.__setattr__(self, "corpus", corpus)
        object.__setattr__(self, "rejected", Rejected() if self.wish.without is None else Rejected.read(self.wish.without))

    @property
    def suite(self) -> str:
        """Name of the question set."""
        return f"{slug(self.wish.name)}-{slug(self.endpoint.model)}"

    @property
    def writing(self) -> Writing:
        """What all drafts share."""
        return Writing(self.suite, self.corpus, tuple(self.wish.kinds))

    @property
    def places(self) -> Places:
        """Where the questions go."""
        return Places(self.release.root, self.suite, None if self.wish.answers is None else self.wish.answers.resolve())

    @property
    def answers(self) -> Path:
        """The file of answers, shared by all suites of the release."""
        return self.release.work / "model-answers.sqlite"

    def plan(self) -> dict[str, Any]:
        """All that the questions follow from, but for the answers."""
        suite = self._plain()
        digest = hashlib.sha256(json.dumps(suite, sort_keys=True).encode()).hexdigest()
        versions = {"medloom": __version__, "schema": SCHEMA_VERSION, "pyarrow": version("pyarrow")}
        sources = {recipe["facts"]["name"]: recipe["content_sha256"] for recipe in self.release.recipes()}
        wish, rejected = self.wish, self.rejected.digest
        values = (
            suite,
            digest,
            wish.seed,
            wish.limit,
            splits(wish.withhold),
            sha256_of_texts("knowledge.yaml", "written.yaml"),
            versions,
            sources,
            rejected,
        )
        return json.loads(json.dumps(dict(zip(MADE_FROM, values, strict=True))))

    def shards(self) -> Iterator[Shard]:
        """Every shard, in the order of sources and paths."""
        for recipe in self.release.recipes():
            for shard in recipe["shards"]:
                options = {"limit": self.wish.limit, "withheld": shard["split"] in self.wish.withhold}
                yield Shard(self.release, recipe["facts"]["name"], shard["path"], **options)

    def drafts(self) -> Iterator[Draft]:
        """All that is to be written."""
        for shard in self.shards():
            every = planned(shard, self.writing, seed=self.wish.seed, with_image=self.wish.with_image)
            yield from (draft for _, draft in every)

    def _plain(self) -> dict[str, Any]:
        wish, passages = self.wish, "built-in" if self.corpus is None else self.corpus.digest
        return {
            "name": self.suite,
            "version": "1",
            "title": f"Questions written by {self.endpoint.model}",
            "rules": [{"rule": f"written-{kind}"} for kind in ASKED if kind in wish.kinds],
            "model": self.endpoint.model,
            "endpoint": self.endpoint.shown,
            "max_tokens": self.endpoint.max_tokens,
            "temperature": self.endpoint.temperature,
            "with_image": wish.with_image,
            "tries": wish.tries,
            "passages": passages,
            "allowed_credentialed": sorted(wish.allow_credentialed),
        }


def _guard(release: Release, endpoint: Endpoint, wish: Wish) -> None:
    """Refuse to send what nobody lets another machine read."""
    if strange := sorted(set(wish.allow_credentialed) - set(release.sources)):
        raise UsageError(f"source {', '.join(strange)} to allow; expected some of {', '.join(release.sources)}")
    if endpoint.loopback:
        return
    closed = {source: why for source, why in kept_here(release).items() if source not in wish.allow_credentialed}
    if closed:
        said = "; ".join(f"{source}: {why}" for source, why in closed.items())
        raise UsageError(
            f"{said}, and {endpoint.shown} is another machine; expected an endpoint on this one; where the owner's terms allow "
            f"it, `medloom gate RELEASE --override {CODE}:SOURCE=REASON` or --allow-credentialed SOURCE says so on the record"
        )
