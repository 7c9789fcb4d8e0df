"""Questions that a model writes, beside the shards as those of rules are: `questions/<name>-<model>/`.

The model is given the sample in words and passages of knowledge, and asked for a structured reply; every reply passes the
validators, and one that doesn't is counted with its reason and asked for anew. Answers of withheld splits go where those of
rules go. Replies lie on disk, in
`RELEASE.work/model-answers.sqlite`: a run that was killed goes on without asking twice, and gives the same bytes.
"""

from __future__ import annotations

import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...schema.disk import read_json, write_json
from ...schema.errors import ReleaseError
from ...schema.question_set import FIELDS, QuestionSet
from ...schema.release import Release
from ..asking.counts import examples
from ..asking.files import alone, move, stand
from ..pools import pools_of
from .answers import Answers
from .endpoint import Client, Endpoint
from .pace import Clock
from .plan import Planned, Wish
from .shard import NO_ANSWER, Run, by_rule, write_shard

Progress = Callable[[str, int, int, int], None]
"""Called with the stage (`write`), samples done, samples in all and questions so far."""


def write(
    release: Path | str,
    endpoint: Endpoint,
    wish: Wish,
    *,
    progress: Progress | None = None,
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
    made = _Written(Planned(Release.open(release), endpoint, wish))
    began = time.monotonic()
    with alone(made.planned.places):
        stands = not fresh and made.stands()
        if not stands:
            made.run(progress or (lambda *_: None), clock)
    return made.report() | {"made": not stands, "seconds": round(time.monotonic() - began, 3)}


@dataclass(frozen=True, slots=True)
class _Written:
    planned: Planned

    def stands(self) -> bool:
        """Whether the same questions are there, and none is without answer."""
        return stand(self.planned.places, self.planned.plan()) and not self.report()["unanswered"]

    def run(self, progress: Progress, clock: Clock | None) -> None:
        """Ask for everything, and move the whole into place."""
        made, plan = self.planned, self.planned.plan()
        work, wish = made.places.work, made.wish
        shutil.rmtree(work, ignore_errors=True)
        with Answers(made.answers) as answers, Client(made.endpoint, answers, clock=clock) as client:
            options = {"seed": wish.seed, "tries": wish.tries, "with_image": wish.with_image, "rejected": made.rejected}
            run = Run(client, made.writing, pools_of(made.release), **options)
            told = list(self._told(run, work, progress))
        if plan["sources"] != made.plan()["sources"]:
            raise ReleaseError(f"{made.release.root} was rebuilt while it was read; expected it to rest; write again")
        self._move(plan, told)

    def report(self) -> dict[str, Any]:
        """What the release holds of these questions, and what became of the other drafts.

        Drafts are questions, given up for a fault, or without answer: the three make the whole.
        """
        info = QuestionSet(self.planned.release.root, self.planned.suite).info
        told = {name: info[name] for name in FIELDS if name != "files"} | {"files": len(info["files"])}
        lost = Counter[bool]()
        for codes in info["left_out"].values():
            for code, count in codes.items():
                lost[code.startswith(NO_ANSWER)] += count
        parts = {"drafts": info["questions"] + lost.total(), "given_up": lost[False], "unanswered": lost[True]}
        more = {"refused_replies": {}, "models": [], "examples": []} | (read_json(self.planned.places.report) or {})
        private = str(self.planned.places.answers) if info["withheld"] else None
        return {"release": str(self.planned.release.root), **told, "answers": private, **parts, **more}

    def _move(self, plan: dict[str, Any], told: Sequence[dict[str, Any]]) -> None:
        places = self.planned.places
        write_json(places.report, _replies(told))
        move(places, plan, told)
        self.planned.release.write_readme(places.work / "README.tmp")
        places.forget_work()

    def _told(self, run: Run, work: Path, progress: Progress) -> Iterator[dict[str, Any]]:
        every = [(shard, shard.samples()) for shard in self.planned.shards()]
        total, done, questions = sum(samples for _, samples in every), 0, 0
        for shard, samples in every:
            first = questions

            def show(asked: int, written: int, done: int = done, first: int = first) -> None:
                progress("write", done + asked, total, first + written)

            told = write_shard(run, shard, work, show=show)
            done, questions = done + samples, questions + told["questions"]
            yield told


def _replies(told: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What became of all replies, also of those whose draft was written at another try."""
    refused = Counter[tuple[str, str]]()
    for one in told:
        refused.update({(rule, code): count for rule, code, count in one["refused"]})
    models = sorted({model for one in told for model in one["models"]})
    return {"refused_replies": by_rule(refused), "models": models, "examples": examples(told)}
