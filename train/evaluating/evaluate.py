"""Questions put to a model, its replies scored: the thread through predicting, answers and scoring.

    OUT/plan.json             all that the predictions follow from
    OUT/parts/…               predictions so far, while some are missing
    OUT/predictions.parquet   every reply as it came (`train/prediction.py`)
    OUT/seen-sizes.json       in which size the model saw pictures, where its coordinates depend on it
    OUT/scored.parquet        what was read in each, and its measures (`train/scoring/scored.py`)
    OUT/results.json          the numbers
    OUT/examples.json         some replies word for word
    OUT/report.md, .html      all of this for people, with plots (see `report/`)

A run that was killed goes on where it stopped. Several processes share the parts among them, and give what one gives.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ...schema.disk import alone, write_json, write_parquet
from ...schema.errors import UsageError
from ..answers.judge import Judge
from ..asked import AskedSet
from ..conversation import Style
from ..predicting.backend import Backend
from ..predicting.ranks import Ranks
from ..prediction import Prediction
from ..scoring import scored as columns
from . import parts
from .asking import Asker, ahead
from .examples import examples
from .marking import Marker
from .plan import PLAN, Plan
from .report.report import EXAMPLES, RESULTS, write_report
from .results import results_of
from .shots import Shots
from .truth import withheld
from .variants import chosen

SCORED = "scored.parquet"
RESAMPLES = 1000
Progress = Callable[[str, int, int, int], None]
"""Called with the stage (`answer`, `score`), done, total, and replies so far."""


def evaluate(
    asked: AskedSet,
    backend: Backend,
    *,
    out: Path,
    style: Style | None = None,
    variants: Iterable[str] = (),
    shots: Shots | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
    progress: Progress | None = None,
    ranks: Ranks | None = None,
    fresh: bool = False,
    predict_only: bool = False,
    judge: Judge | None = None,
    report: bool = True,
) -> dict[str, Any]:
    """Have a model answer, score it, and write `out`; what `results.json` holds, on all ranks but the first nothing.

    Args:
        asked: The questions.
        backend: The model.
        out: A folder, shared by all ranks.
        style: How questions are put, and in which coordinates; our plain default without.
        variants: Ids of `variants.VARIANTS` that are asked besides.
        shots: Examples before each question.
        seed: Of variants and of resampling.
        resamples: Of the bootstrap.
        progress: Is told how far it is.
        ranks: The processes that share the work; this one alone without.
        fresh: Forget what `out` holds of another run.
        predict_only: Score nothing, as where answers are withheld.
        judge: Reads what no rule reads, see `answers/judge.py`.
        report: Write `report.md` and `report.html` too.

    Raises:
        UsageError: nothing to ask, a variant that isn't there, or answers that are withheld.
        ResumeError: `out` holds another evaluation.
        EndpointError: nothing answers any more.
    """
    here, say, how = ranks or Ranks(), progress or (lambda *_: None), style or Style()
    if not len(asked):
        raise UsageError(f"{asked.name}: no questions; expected one or more")
    if not predict_only:
        _check_answers(asked)
    some = chosen(variants)
    plan = Plan.of(asked, backend, style=how, variants=some, shots=shots, seed=seed)
    asker = Asker(asked, backend, how, shots, seed)
    if here.first:
        with alone(out / ".lock", busy=f"{out}: it is being evaluated already"):
            _begin(plan, out, fresh=fresh)
            here.wait()
            _answer(plan, asker, out, ranks=here, say=say)
            here.wait()
            predictions = _gathered(plan, out)
            result = _scored(
                plan, asked, predictions, out, resamples=resamples, judge=judge, predict_only=predict_only, say=say
            )
            if report:
                write_report(out)
        here.wait()
        return result
    here.wait()
    _answer(plan, asker, out, ranks=here, say=lambda *_: None)
    here.wait()
    here.wait()
    return {}


def rescore(
    asked: AskedSet,
    out: Path,
    *,
    resamples: int = RESAMPLES,
    judge: Judge | None = None,
    progress: Progress | None = None,
    report: bool = True,
) -> dict[str, Any]:
    """Score the predictions that a folder holds once more, without the model; what `results.json` holds now.

    Raises:
        UsageError: there are none, they are of other questions, or answers are withheld.
    """
    plan, predictions = Plan.read(out), parts.merged(out)
    if predictions is None:
        raise UsageError(f"{out}: no {parts.PREDICTIONS}; expected an evaluation that came to its end")
    _check_answers(asked)
    with alone(out / ".lock", busy=f"{out}: it is being evaluated already"):
        say = progress or (lambda *_: None)
        result = _scored(plan, asked, predictions, out, resamples=resamples, judge=judge, predict_only=False, say=say)
        if report:
            write_report(out)
        return result


def _check_answers(asked: AskedSet) -> None:
    if missing := withheld(asked):
        expected = "their answers (--answers FOLDER), or predictions alone (--predict-only)"
        raise UsageError(f"{asked.name}: answers of {missing} questions are withheld; expected {expected}")


def _begin(plan: Plan, out: Path, *, fresh: bool) -> None:
    """See to it that `out` holds nothing of another plan."""
    if fresh:
        for name in (PLAN, RESULTS, SCORED, EXAMPLES, parts.PREDICTIONS, parts.SIZES):
            (out / name).unlink(missing_ok=True)
        shutil.rmtree(out / parts.FOLDER, ignore_errors=True)
    if not plan.check_same(out):
        write_json(out / PLAN, dict(plan.settings))


def _finished(out: Path) -> bool:
    """Whether every reply is there, and none failed."""
    return not (out / parts.FOLDER).exists() and (out / parts.PREDICTIONS).is_file()


def _answer(plan: Plan, asker: Asker, out: Path, *, ranks: Ranks, say: Progress) -> None:
    """Have this rank's parts answered."""
    if _finished(out):
        return
    every = list(plan.parts())
    mine = [part for place, part in enumerate(every) if ranks.mine(place)]
    left = [part for part in mine if not parts.done(out, part)]
    done, replies = len(mine) - len(left), 0
    say("answer", done, len(mine), replies)
    for ready in ahead(left, asker.ready):
        found = asker.predictions(ready)
        parts.write(out, ready.part, found, ready.sizes)
        done, replies = done + 1, replies + len(found)
        say("answer", done, len(mine), replies)


def _gathered(plan: Plan, out: Path) -> list[Prediction]:
    merged = parts.merged(out) if _finished(out) else None
    return parts.merge(out, plan.parts()) if merged is None else merged


def _scored(
    plan: Plan,
    asked: AskedSet,
    predictions: list[Prediction],
    out: Path,
    *,
    resamples: int,
    judge: Judge | None,
    predict_only: bool,
    say: Progress,
) -> dict[str, Any]:
    """Write what came of it."""
    seed = plan.settings["seed"]
    marker = Marker(plan.style, parts.sizes_of(out), seed, judge)
    marked = [] if predict_only else marker.marked(asked, predictions, progress=lambda n, of: say("score", n, of, 0))
    if marked:
        write_parquet(out / SCORED, columns.table([one.scored for one in marked]))
        write_json(out / EXAMPLES, examples(asked, marked, predictions, style=plan.style, seed=seed))
    result = results_of(plan, predictions, marked, seed=seed, resamples=resamples, judge=judge and judge.told)
    write_json(out / RESULTS, result)
    return result
