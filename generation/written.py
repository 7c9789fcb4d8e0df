"""Questions that a model writes, beside the shards as those of rules are: `questions/<name>-<model>/`.

The model is given the sample in words and passages of knowledge, and asked for a structured reply; every reply passes the
validators, and one that doesn't is counted with its reason and asked for anew. Replies lie on disk, in
`RELEASE.work/model-answers.sqlite`: a run that was killed goes on without asking twice, and gives the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .. import __version__
from ..schema.errors import ReleaseError, UsageError
from ..schema.question_set import FIELDS, INFO, MADE_FROM, REVIEW, QuestionSet
from ..schema.release import Release
from ..schema.sample import SCHEMA_VERSION
from ..schema.vocabulary import slug
from .answers import Answers
from .ask_counts import counted, examples
from .ask_files import Places, alone, holds, read_json, swap, write_json
from .drafts import ASKED, Draft, Writing
from .endpoint import Client, Endpoint
from .pace import Clock
from .pools import pools_of
from .retrieval import Corpus
from .reviewed import Rejected
from .written_shard import NO_ANSWER, Run, Shard, left_out, planned, write_shard

NAME = "written"
_OPEN = frozenset({"open", "registration", "generated"})
"""Kinds of access whose data may be sent to another machine."""


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
    name: str = NAME
    allow_credentialed: Sequence[str] = ()
    """Sources whose words (and images) may leave this machine though their access is credentialed; recorded."""

    def __post_init__(self) -> None:
        if strange := sorted(set(self.kinds) - set(ASKED)):
            raise UsageError(f"kind {', '.join(strange)}; expected some of {', '.join(ASKED)}")
        if not self.kinds or self.tries < 1:
            raise UsageError(f"{len(self.kinds)} kinds and {self.tries} tries; expected at least one of each")


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a million tokens cost, in any currency."""

    tokens_in: float = 0.0
    tokens_out: float = 0.0


def write(
    release: Path | str,
    endpoint: Endpoint,
    wish: Wish,
    *,
    progress: Any = None,
    clock: Clock | None = None,
    fresh: bool = False,
) -> dict[str, Any]:
    """Write the model's questions into the release; what it holds now, what was refused, and what got no answer.

    `progress` is called with the stage (`write`), samples done, samples in all and questions so far. With `fresh` the answers
    on disk are read again; they are never asked for again.

    Raises:
        UsageError: a wish that can't be met, or a source whose data may not leave this machine.
        EndpointError: the endpoint refuses us or is gone; answers so far are kept.
    """
    made = _Written(Release.open(release), endpoint, wish)
    began = time.monotonic()
    with alone(made.places):
        stands = not fresh and made.stands()
        if not stands:
            made.run(progress or (lambda *_: None), clock or Clock())
    return made.report() | {"made": not stands, "seconds": round(time.monotonic() - began, 3)}


def estimate(release: Path | str, endpoint: Endpoint, wish: Wish, *, price: Price | None = None) -> dict[str, Any]:
    """What `write` would ask for, before anything is sent: requests, tokens as a quarter of the characters, and their price.

    `tokens_out_at_most` is what the answers may take; questions that are refused are asked for again, up to `tries` times.
    """
    made, cost = _Written(Release.open(release), endpoint, wish), price or Price()
    path, found = made.answers, Counter[str]()
    with Answers(path) if path.exists() else nullcontext() as answers:
        for draft in made.drafts():
            kept = answers is not None and answers.get(draft.request.digest(endpoint)) is not None
            found["answered"] += kept
            found["requests"] += not kept
            found["tokens_in"] += 0 if kept else draft.request.tokens
            found[draft.rule] += 1
    out = found["requests"] * endpoint.max_tokens
    return {
        "release": str(made.release.root),
        "suite": made.suite,
        "model": endpoint.model,
        "endpoint": endpoint.shown,
        "rules": {f"written-{kind}": found[f"written-{kind}"] for kind in wish.kinds},
        "requests": found["requests"],
        "answered_already": found["answered"],
        "tokens_in": found["tokens_in"],
        "tokens_out_at_most": out,
        "tokens_are": "estimated: characters / 4, pictures not counted",
        "images": found["requests"] if wish.with_image else 0,
        "price_at_most": round((found["tokens_in"] * cost.tokens_in + out * cost.tokens_out) / 1e6, 4),
        "tries": wish.tries,
    }


@dataclass(frozen=True)
class _Written:
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
        return Writing(self.suite, self.corpus, tuple(self.wish.kinds))

    @property
    def places(self) -> Places:
        return Places(self.release.root, self.suite, None)

    @property
    def answers(self) -> Path:
        """The file of answers, shared by all suites of the release."""
        return self.release.root.with_name(f"{self.release.root.name}.work") / "model-answers.sqlite"

    def stands(self) -> bool:
        """Whether the same questions are there, and none is without answer."""
        if not holds(self.places.out, self.plan()):
            return False
        codes = QuestionSet(self.release.root, self.suite).info["left_out"].values()
        return not any(code.startswith(NO_ANSWER) for some in codes for code in some)

    def plan(self) -> dict[str, Any]:
        """All that the questions follow from, but for the answers."""
        suite = self._plain()
        digest = hashlib.sha256(json.dumps(suite, sort_keys=True).encode()).hexdigest()
        versions = {"medloom": __version__, "schema": SCHEMA_VERSION, "pyarrow": version("pyarrow")}
        sources = {recipe["facts"]["name"]: recipe["content_sha256"] for recipe in self.release.recipes()}
        wish, rejected = self.wish, self.rejected.digest
        values = suite, digest, wish.seed, wish.limit, [], _texts(), versions, sources, rejected
        return json.loads(json.dumps(dict(zip(MADE_FROM, values, strict=True))))

    def shards(self) -> Iterator[Shard]:
        """Every shard, in the order of sources and paths."""
        for recipe in self.release.recipes():
            for shard in recipe["shards"]:
                yield Shard(self.release, recipe["facts"]["name"], shard["path"], limit=self.wish.limit)

    def drafts(self) -> Iterator[Draft]:
        """All that is to be written."""
        for shard in self.shards():
            every = planned(shard, self.writing, seed=self.wish.seed, with_image=self.wish.with_image)
            yield from (draft for _, draft in every)

    def run(self, progress: Any, clock: Clock) -> None:
        """Ask for everything, and move the whole into place."""
        plan, work = self.plan(), self.places.work
        shutil.rmtree(work, ignore_errors=True)
        with Answers(self.answers) as answers, Client(self.endpoint, answers, clock=clock) as client:
            run = Run(
                client,
                self.writing,
                pools_of(self.release),
                self.wish.seed,
                self.wish.tries,
                self.wish.with_image,
                self.rejected,
            )
            told = list(self._told(run, work / "staged", progress))
        if plan["sources"] != self.plan()["sources"]:
            raise ReleaseError(f"{self.release.root} was rebuilt while it was read; expected it to rest; write again")
        names = ("path", "shard", "samples", "questions", "bytes", "sha256")
        info = plan | counted(told) | {"files": [{name: one[name] for name in names} for one in told]}
        write_json(work / "staged" / INFO, info)
        if (review := read_json(self.places.out / REVIEW)) is not None:
            write_json(work / "staged" / REVIEW, review)
        write_json(self.places.report, self._summary(told) | {"examples": examples(told)})
        swap(work / "staged", self.places.out, aside=work.parent)
        self.release.write_readme(work / "README.tmp")
        self.places.forget_work()

    def report(self) -> dict[str, Any]:
        """What the release holds of these questions, and what became of the others."""
        info = QuestionSet(self.release.root, self.suite).info
        told = {name: info[name] for name in FIELDS if name != "files"} | {"files": len(info["files"])}
        return {"release": str(self.release.root), **told, **(read_json(self.places.report) or {})}

    def _told(self, run: Run, staged: Path, progress: Any) -> Iterator[dict[str, Any]]:
        every = [(shard, shard.samples()) for shard in self.shards()]
        total, done, questions = sum(samples for _, samples in every), 0, 0
        for shard, samples in every:
            first = questions

            def show(asked: int, written: int, done: int = done, first: int = first) -> None:
                progress("write", done + asked, total, first + written)

            told = write_shard(run, shard, staged, show=show)
            done, questions = done + samples, questions + told["questions"]
            yield told

    def _summary(self, told: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Drafts are questions, given up for a fault, or without answer: the three make the whole."""
        refused = Counter[tuple[str, str]]()
        for one in told:
            refused.update({(rule, code): count for rule, code, count in one["refused"]})
        codes = [(code, count) for one in told for _, code, count in one["left_out"]]
        unanswered = sum(count for code, count in codes if code.startswith(NO_ANSWER))
        return {
            "drafts": sum(one["drafts"] for one in told),
            "given_up": sum(count for _, count in codes) - unanswered,
            "unanswered": unanswered,
            "refused_replies": left_out(refused),
            "models": sorted({model for one in told for model in one["models"]}),
        }

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
    """Refuse to send what its owner entrusts to named people."""
    held = {recipe["facts"]["name"]: recipe["facts"]["access"] for recipe in release.recipes()}
    if strange := sorted(set(wish.allow_credentialed) - set(held)):
        raise UsageError(f"source {', '.join(strange)} to allow; expected some of {', '.join(sorted(held))}")
    closed = sorted(name for name, access in held.items() if access not in _OPEN and name not in wish.allow_credentialed)
    if closed and not endpoint.loopback:
        raise UsageError(
            f"{', '.join(closed)}: access is credentialed, and {endpoint.shown} is another machine; expected an endpoint on "
            "this one; where the owner's terms allow it, --allow-credentialed SOURCE sends them and is recorded"
        )


def _texts() -> str:
    """SHA-256 over what models are told and what is known."""
    folder, digest = Path(__file__).parent, hashlib.sha256()
    for name in ("knowledge.yaml", "wordings/written.yaml"):
        digest.update(f"{name}\0".encode() + (folder / name).read_bytes())
    return digest.hexdigest()
