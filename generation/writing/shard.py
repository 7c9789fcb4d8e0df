"""The model's questions of one shard: drafts go out side by side, come back in order, and are checked before they are kept."""

from __future__ import annotations

import json
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from hashlib import file_digest
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from ...schema import question as columns
from ...schema.question import Question
from ...schema.question_set import file_of
from ...schema.release import Release
from ..asking.shard import TABLE, records
from ..asking.withhold import withheld
from ..case import Case
from ..chance import Chance
from ..pools import Pools
from ..review.reviewed import Rejected
from ..validators import validate
from ..wording import wordings
from .answers import Reply
from .drafts import ASKED, Draft, Writing, drafts
from .endpoint import Client, Unanswered
from .form import BadAnswer

NO_ANSWER = "no-answer-"
"""Before the codes of what got no answer: the next run asks again."""
AHEAD_PER_SLOT = 4
"""Drafts that wait for each request under way."""
_CUT = {"length": "cut-off", "content_filter": "declined", "refusal": "declined"}
MEDIA = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"}


@dataclass(frozen=True, slots=True)
class Shard:
    """One shard and how much of it is asked about."""

    release: Release
    source: str
    path: str
    limit: int | None = None
    withheld: bool = False
    """Whether its answers stay out of the release."""

    def samples(self) -> int:
        """How many samples are asked about."""
        return len(self._index(["key"]))

    def cases(self) -> Iterator[Case]:
        """Its samples in key order."""
        return map(Case, records(self.release, source=self.source, shard=self.path, limit=self.limit))

    def images(self) -> dict[str, tuple[int, int]]:
        """Key → offset and size of the image's bytes."""
        keys, offsets, sizes = (column.to_pylist() for column in self._index(["key", "image_offset", "image_size"]).columns)
        return dict(zip(keys, zip(offsets, sizes, strict=True), strict=True))

    def _index(self, names: list[str]) -> Any:
        rows = pq.read_table(self.release.index_path(self.source), columns=names, filters=[("shard", "=", self.path)])
        return rows.slice(0, self.limit)


@dataclass(frozen=True, slots=True)
class Run:
    """What all shards of a run share."""

    client: Client
    writing: Writing
    pools: Pools
    seed: int = field(kw_only=True)
    tries: int = field(kw_only=True)
    with_image: bool = field(kw_only=True)
    rejected: Rejected = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one draft: a question, or why there is none; and the replies that were refused on the way."""

    draft: Draft
    question: Question | None
    code: str | None
    refused: tuple[tuple[str, str], ...] = ()
    """Code and what was found, in the order of the tries."""
    model: str | None = None
    silence: str = ""
    """What was found instead of an answer, where none came."""


@dataclass(slots=True)
class _Found:
    drafts: int = 0
    table: Counter[tuple[str, ...]] = field(default_factory=Counter)
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[tuple[str, str]] = field(default_factory=Counter)
    examples: list[dict[str, str]] = field(default_factory=list)
    models: set[str] = field(default_factory=set)

    def add(self, outcome: Outcome) -> None:
        rule = outcome.draft.rule
        self.drafts += 1
        self.models.update(filter(None, [outcome.model]))
        self.refused.update((rule, code) for code, _ in outcome.refused)
        silence = [(outcome.code or "", outcome.silence)] if outcome.silence else []
        for code, found in (*outcome.refused, *silence):
            self.examples.append({"code": code, "rule": rule, "key": outcome.draft.case.key, "found": found[:300]})
        if outcome.question is None:
            self.left_out[rule, outcome.code or ""] += 1
        else:
            self.table[tuple(str(getattr(outcome.question, name)) for name in TABLE)] += 1


def planned(shard: Shard, writing: Writing, *, seed: int, with_image: bool) -> Iterator[tuple[int, Draft]]:
    """Every draft of a shard with the number of its sample."""
    images = shard.images() if with_image else {}
    for number, case in enumerate(shard.cases(), start=1):
        for kind in (kind for kind in ASKED if kind in writing.kinds):
            for draft in drafts(writing, kind, case, chance=Chance(writing.suite, seed, f"written-{kind}", case.key)):
                yield number, _seeing(draft, shard, images[case.key]) if with_image else draft


def write_shard(run: Run, shard: Shard, work: Path, *, show: Callable[[int, int], None]) -> dict[str, Any]:
    """Write the question file of one shard in `work/staged`, and a whole one in `work/answers` where it is withheld; what came.

    `show` is called with the samples done and the questions so far.
    """
    found, samples = _Found(), shard.samples()
    questions: list[Question] = []
    for number, outcome in _outcomes(run, shard):
        found.add(outcome)
        if outcome.question is not None:
            questions.append(outcome.question)
        show(number, len(questions))
    show(samples, len(questions))
    return {
        "path": file_of(shard.path),
        "shard": shard.path,
        "samples": samples,
        **_files(work, shard, questions),
        "drafts": found.drafts,
        "table": [[*place, count] for place, count in sorted(found.table.items())],
        "left_out": [[*place, count] for place, count in sorted(found.left_out.items())],
        "refused": [[*place, count] for place, count in sorted(found.refused.items())],
        "examples": found.examples,
        "models": sorted(found.models),
    }


def by_rule(counts: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Rule → code → number."""
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for (rule, code), count in sorted(counts.items()):
        found[rule][code] = count
    return dict(found)


def _outcomes(run: Run, shard: Shard) -> Iterator[tuple[int, Outcome]]:
    """The outcome of every draft in the order of the drafts, however the answers come in."""
    concurrency = run.client.endpoint.concurrency
    waiting: deque[tuple[int, Future[Outcome]]] = deque()
    pool = ThreadPoolExecutor(concurrency)
    try:
        for number, draft in planned(shard, run.writing, seed=run.seed, with_image=run.with_image):
            waiting.append((number, pool.submit(_outcome, run, draft)))
            if len(waiting) > AHEAD_PER_SLOT * concurrency:
                yield _first(waiting)
        while waiting:
            yield _first(waiting)
    except BaseException:
        run.client.stop()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _first(waiting: deque[tuple[int, Future[Outcome]]]) -> tuple[int, Outcome]:
    number, future = waiting.popleft()
    return number, future.result()


def _outcome(run: Run, draft: Draft) -> Outcome:
    """Ask until a reply stands, at most `tries` times; each refusal is told to the model."""
    request = draft.request
    refused: list[tuple[str, str]] = []
    reply: Reply | Unanswered | None = None
    for _ in range(run.tries):
        reply = run.client.ask(request)
        if isinstance(reply, Unanswered):
            return Outcome(draft, None, f"{NO_ANSWER}{reply.code}", tuple(refused), silence=reply.found)
        try:
            return Outcome(draft, _question(run, draft, reply), None, tuple(refused), reply.model)
        except BadAnswer as error:
            refused.append((error.code, error.found))
            again = wordings("written", "again")[0].fill(reasons=f"- {error.code}: {error.found}")
            request = replace(request, turns=(*request.turns, reply.text or "(nothing)", again))
    return Outcome(draft, None, refused[-1][0], tuple(refused), reply.model if reply else None)


def _question(run: Run, draft: Draft, reply: Reply) -> Question:
    """The question of a reply, validated and with its provenance."""
    if reply.finish in _CUT:
        raise BadAnswer(_CUT[reply.finish], f"{reply.text!r:.120}")
    if not reply.text.strip():
        raise BadAnswer("empty", "no text")
    question = draft.finish(draft.request.form.read(reply.text))
    maker = reply.model or run.client.endpoint.model
    question = replace(question, maker=maker, flags=(*question.flags, "model-made"), provenance=_provenance(run, draft, reply))
    for fault in validate(question, draft.case, run.pools):
        raise BadAnswer(fault.code, f"{fault.found}; expected {fault.expected}")
    if run.rejected.holds(question):
        raise BadAnswer("rejected", "people who reviewed it rejected it")
    return question


def _provenance(run: Run, draft: Draft, reply: Reply) -> str:
    corpus = run.writing.corpus
    told = {
        "prompt_sha256": reply.digest,
        "model": reply.model,
        "asked_model": run.client.endpoint.model,
        "endpoint": run.client.endpoint.shown,
        "asked_at": reply.asked_at,
        "seed": None if "seed" in reply.without else draft.request.seed,
        "temperature": None if "temperature" in reply.without else run.client.endpoint.temperature,
        "wording": draft.wording,
        "passages": list(draft.passages),
        "passages_sha256": None if corpus is None else corpus.digest,
        "with_image": run.with_image,
        "structured": "response_format" not in reply.without,
    }
    return json.dumps(told, ensure_ascii=False)


def _seeing(draft: Draft, shard: Shard, place: tuple[int, int]) -> Draft:
    """The draft with its sample's image, as it is stored."""
    offset, size = place
    with (shard.release.root / shard.path).open("rb") as stream:
        stream.seek(offset)
        image = MEDIA[draft.case.record["image_format"]], stream.read(size)
    return replace(draft, request=replace(draft.request, images=(image,)))


def _files(work: Path, shard: Shard, questions: list[Question]) -> dict[str, Any]:
    """Write the released file, and a whole one beside where answers are withheld; `answers` is None where they aren't."""
    name = file_of(shard.path)
    if not shard.withheld:
        return {**_file(work / "staged" / name, questions), "answers": None}
    apart = [sorted(some, key=lambda one: one.id) for _, some in groupby(questions, key=lambda one: one.key)]
    mixed = list(chain.from_iterable(apart))
    released = _file(work / "staged" / name, [withheld(one) for one in mixed])
    return {**released, "answers": _file(work / "answers" / name, mixed)}


def _file(path: Path, questions: list[Question]) -> dict[str, Any]:
    """Write a question file; rows, bytes and SHA-256. Without rows there is no file: `datasets` fails on such a split."""
    if not questions:
        return {"questions": 0, "bytes": 0, "sha256": None}
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(columns.table(map(columns.row, questions)), path, compression="zstd")
    with path.open("rb") as stream:
        digest = file_digest(stream, "sha256").hexdigest()
    return {"questions": len(questions), "bytes": path.stat().st_size, "sha256": digest}
