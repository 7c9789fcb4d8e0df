"""The verb by which a model is examined: evaluate."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..schema.errors import UsageError
from .app import FAULTS, AsJson, ReleasePlace, SplitName, app, show_as
from .narrowing import selected

if TYPE_CHECKING:
    from ..train.answers.judge import Judge
    from ..train.asked import AskedSet
    from ..train.conversation import Style
    from ..train.predicting.backend import Backend


class BackendName(StrEnum):
    """Where the model runs."""

    TRANSFORMERS = "transformers"
    VLLM = "vllm"
    OPENAI = "openai"


class PromptStyle(StrEnum):
    """How boxes, masks, contours and points of a question are shown."""

    DRAWN = "drawn"
    TEXT = "text"
    BOTH = "both"


class MaskStyle(StrEnum):
    """How an answer gives a mask."""

    POLYGON = "polygon"
    BOX = "box"


WHAT, HOW, MODEL = "Which questions", "How they are put", "The model"
ENDPOINT, JUDGE = "An endpoint (--backend openai)", "A judge"


def _option(help: str, panel: str, *names: str, **more: Any) -> Any:
    return typer.Option(*names, help=help, rich_help_panel=panel, **more)


@app.command()
def evaluate(
    release: ReleasePlace,
    out: Annotated[Path, typer.Option(help="A folder for predictions and results.", show_default=False)],
    suite: Annotated[str | None, _option("The suite of a release that is asked.", WHAT, show_default=False)] = None,
    split: Annotated[SplitName, _option("Which split.", WHAT)] = SplitName.TEST,
    config: Annotated[str, _option("A config of the release: a subset or a source.", WHAT)] = "default",
    select: Annotated[
        list[str] | None, _option("A part, as FIELD=WORD (`medloom select`'s fields); may be repeated.", WHAT)
    ] = None,
    kind: Annotated[list[str] | None, _option("A kind of question; may be repeated.", WHAT, show_default="all")] = None,
    limit: Annotated[int | None, _option("Only so many, drawn by --seed.", WHAT, min=1, show_default="all")] = None,
    answers: Annotated[
        Path | None, _option("Where withheld answers are kept (`medloom ask --answers`).", WHAT, show_default="none")
    ] = None,
    shots: Annotated[int, _option("Examples before each question, from another split.", HOW, min=0)] = 0,
    shots_split: Annotated[SplitName, _option("Where examples come from.", HOW)] = SplitName.TRAIN,
    robustness: Annotated[
        bool, _option("Ask again under another window, prompt colour and option order.", HOW, "--robustness")
    ] = False,
    counterfactual: Annotated[
        bool, _option("Ask again with the prompt moved, and for what isn't there.", HOW, "--counterfactual")
    ] = False,
    probe: Annotated[bool, _option("Tell perception from knowledge in wrong answers.", HOW, "--probe")] = False,
    dialect: Annotated[
        str | None, _option("How places are written (docs/evaluating.md).", HOW, show_default="the model family's")
    ] = None,
    prompts: Annotated[PromptStyle, _option("How prompts are shown.", HOW)] = PromptStyle.DRAWN,
    masks: Annotated[MaskStyle, _option("How masks are to be given.", HOW)] = MaskStyle.POLYGON,
    instruction: Annotated[bool, _option("Give the questions' instructions on how to answer.", HOW)] = True,
    system: Annotated[str | None, _option("A system turn.", HOW, show_default="none")] = None,
    seed: Annotated[int, _option("Of sample, examples, variants and intervals.", HOW)] = 0,
    model: Annotated[
        str | None, _option("A folder, run or adapter, a name on the Hub, or the endpoint's name.", MODEL, show_default=False)
    ] = None,
    backend: Annotated[BackendName, _option("Where it runs.", MODEL)] = BackendName.TRANSFORMERS,
    base: Annotated[str | None, _option("The base of an adapter.", MODEL, show_default="as it says")] = None,
    revision: Annotated[str | None, _option("Of a model on the Hub.", MODEL, show_default="main")] = None,
    batch_size: Annotated[int, _option("Questions at once.", MODEL, min=1)] = 8,
    max_new_tokens: Annotated[int, _option("The longest answer.", MODEL, min=1)] = 256,
    temperature: Annotated[float, _option("0 takes the likeliest token each time.", MODEL, min=0.0)] = 0.0,
    dtype: Annotated[str, _option("auto, bfloat16, float16 or float32.", MODEL)] = "auto",
    device: Annotated[str | None, _option("cpu, cuda, or auto for all GPUs.", MODEL, show_default="GPU if any")] = None,
    attention: Annotated[str | None, _option("Such as sdpa or flash_attention_2.", MODEL, show_default="its own")] = None,
    tensor_parallel: Annotated[int, _option("GPUs that share one model (vllm).", MODEL, min=1)] = 1,
    base_url: Annotated[str | None, _option("Such as http://127.0.0.1:8000/v1.", ENDPOINT, show_default=False)] = None,
    concurrency: Annotated[int, _option("Requests under way at once.", ENDPOINT, min=1)] = 8,
    rpm: Annotated[int | None, _option("Requests per minute.", ENDPOINT, min=1, show_default="no limit")] = None,
    tpm: Annotated[int | None, _option("Tokens per minute, estimated.", ENDPOINT, min=1, show_default="no limit")] = None,
    timeout: Annotated[float, _option("Seconds for one answer.", ENDPOINT, min=0.1)] = 120.0,
    attempts: Annotated[int, _option("Tries of a request that gets no answer.", ENDPOINT, min=1)] = 6,
    allow_credentialed: Annotated[
        list[str] | None,
        _option("Send this source's pictures to another machine though nobody grants it.", ENDPOINT, metavar="SOURCE"),
    ] = None,
    judge: Annotated[
        str | None, typer.Option(help="A model that reads what no rule reads.", show_default="none", rich_help_panel=JUDGE)
    ] = None,
    judge_url: Annotated[
        str | None, typer.Option(help="Its endpoint.", show_default="--base-url", rich_help_panel=JUDGE)
    ] = None,
    resamples: Annotated[int, typer.Option(min=0, help="Draws of the bootstrap.")] = 1000,
    predict_only: Annotated[bool, typer.Option("--predict-only", help="Score nothing.")] = False,
    rescore: Annotated[bool, typer.Option("--rescore", help="Score what OUT holds once more, without the model.")] = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write numbers, and no report of them.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what OUT holds of another run.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count questions; load no model, write nothing.")] = False,
    json: AsJson = False,
) -> None:
    """Have a model answer a suite's questions, and score it with intervals, by every branch of the lexical tree.

    A run that was killed goes on where it stopped. Under `torchrun` the processes share the work, and the result is that of
    one. The endpoint's key is read from `OPENAI_API_KEY` alone, and written nowhere. OUT gets `predictions.parquet`,
    `scored.parquet`, `results.json`, and a report of them. Exit code 1 where a request, to the model or a judge, got no reply:
    the same command asks again.

    **Examples:**

    - `medloom evaluate releases/all --suite gmai --model runs/sft --out results/sft`
    - `medloom evaluate GMAI_mm_bench_VAL.tsv --model runs/sft --out results/published`, for a benchmark in that form
    - `medloom evaluate releases/all --suite gmai --model Qwen/Qwen2.5-VL-3B-Instruct --select modality=CT --robustness --out r`
    - `medloom evaluate org/name --suite mimoseg --backend openai --base-url http://127.0.0.1:8000/v1 --model qwen --out r`
    """
    from ..cards.terminal import evaluated
    from ..train.evaluating import asked_here

    asked = asked_here.questions(
        release,
        suite=suite,
        split=str(split),
        config=config,
        select=selected(select),
        kinds=kind or (),
        limit=limit,
        seed=seed,
        answers=answers,
    )
    aims = {"robustness": robustness, "counterfactual": counterfactual, "probe": probe}
    ids = _variants([name for name, wanted in aims.items() if wanted])
    if dry_run:
        show_as(asked_here.counted(asked, ids), json, evaluated.planned)
        return
    _place(out)
    if rescore:
        from ..train.evaluating.evaluate import rescore as scored_again

        with _judge(judge, judge_url or base_url, out) as reader, _shown(out, json) as say:
            result = scored_again(asked, out, resamples=resamples, progress=say, judge=reader, report=not no_report)
        show_as(result, json, evaluated.results)
        _leave(result)
        return
    if model is None:
        raise UsageError("no --model; expected a folder, a run, an adapter, a name on the Hub, or the endpoint's name for it")
    how = {"prompts": str(prompts), "masks": str(masks), "instruction": instruction, "system": system}
    examples = asked_here.shots_from(asked, release, split=str(shots_split), count=shots, seed=seed, suite=suite, config=config)
    common = {"base": base, "revision": revision, "max_new_tokens": max_new_tokens, "temperature": temperature, "seed": seed}
    if backend is BackendName.OPENAI:
        limits = {"concurrency": concurrency, "requests_per_minute": rpm, "tokens_per_minute": tpm}
        limits |= {"timeout_s": timeout, "attempts": attempts, "max_tokens": max_new_tokens, "temperature": temperature}
        allowed = allow_credentialed or ()
        opened = _endpoint(asked, release, model, base_url, out, dialect=dialect, allowed=allowed, seed=seed, **limits)
        style = _style(dialect or "thousandths", how)
    else:
        named = dialect or _own_dialect(model, base=base, revision=revision)
        style = _style(named, how)
        here = {"dtype": dtype, "batch_size": batch_size, "device": device, "attention": attention}
        most_pictures = shots + 1
        opened = _here(backend, model, tensor_parallel=tensor_parallel, most_pictures=most_pictures, **common, **here)
    run = {"style": style, "variants": ids, "shots": examples, "seed": seed, "resamples": resamples, "report": not no_report}
    with _judge(judge, judge_url or base_url, out) as reader:
        result = _evaluated(asked, opened, out, json=json, fresh=fresh, predict_only=predict_only, judge=reader, **run)
    if not result:  # another rank writes and tells
        return
    show_as(result, json, evaluated.results)
    _leave(result)


def _leave(result: Mapping[str, Any]) -> None:
    """With exit code 1 where the model, or the judge, gave no reply that can be used."""
    if result["replies"]["failed"] or result.get("judge", {}).get("unanswered"):
        raise typer.Exit(FAULTS)


def _place(out: Path) -> None:
    """Nothing, where OUT is a folder or could be one."""
    above = next(one for one in (out, *out.absolute().parents) if one.exists())
    if not above.is_dir():
        raise UsageError(f"{out}: {above} is no folder; expected a folder for predictions and results")


def _variants(aims: list[str]) -> tuple[str, ...]:
    from ..train.evaluating.variants import Aim, of_aim

    return of_aim(*(Aim(one) for one in aims))


def _style(dialect: str, how: dict[str, Any]) -> Style:
    from ..train.conversation import Style
    from ..train.coordinates.dialects import dialect as known

    return Style(dialect=known(dialect).name, **how)


def _own_dialect(model: str, **how: Any) -> str:
    from ..train.predicting.dialect_of import dialect_of
    from ..train.predicting.model_files import ModelFiles

    return dialect_of(ModelFiles.of(model, **how))


def _endpoint(
    asked: AskedSet,
    release: str,
    model: str,
    base_url: str | None,
    out: Path,
    *,
    dialect: str | None,
    allowed: Any,
    seed: int,
    **limits: Any,
) -> Any:
    from ..generation.writing.endpoint import Endpoint
    from ..train.coordinates.seen import QWEN2_5_VL
    from ..train.evaluating.asked_here import may_leave
    from ..train.predicting.endpoint_backend import EndpointBackend

    if base_url is None:
        raise UsageError("--backend openai without --base-url; expected one like http://127.0.0.1:8000/v1")
    endpoint = Endpoint(base_url=base_url, model=model, **limits)
    if not endpoint.loopback:
        may_leave(asked, release, allowed=allowed)
    seen = QWEN2_5_VL if dialect == "qwen2_5_vl" else None
    return EndpointBackend(endpoint, out / "answers.sqlite", seed=seed, seen_size=seen)


def _here(
    backend: BackendName,
    model: str,
    *,
    tensor_parallel: int,
    most_pictures: int,
    max_new_tokens: int,
    temperature: float,
    seed: int,
    batch_size: int,
    device: str | None,
    attention: str | None,
    **common: Any,
) -> Backend:
    from ..train.predicting.transformers_backend import Decoding, TransformersBackend

    decoding = Decoding(max_new_tokens=max_new_tokens, temperature=temperature, seed=seed)
    if backend is BackendName.VLLM:
        from ..train.predicting.vllm_backend import VllmBackend

        more = {"tensor_parallel": tensor_parallel, "most_pictures": most_pictures}
        return VllmBackend.open(model, decoding=decoding, **more, **common)
    more = {"batch_size": batch_size, "device": device, "attention": attention}
    return TransformersBackend.open(model, decoding=decoding, **more, **common)


@contextmanager
def _judge(model: str | None, base_url: str | None, out: Path) -> Iterator[Judge | None]:
    """The judge, whose answers are kept in `OUT/judged.sqlite`; None where none is asked for."""
    if model is None:
        yield None
        return
    from ..generation.writing.answers import Answers
    from ..generation.writing.endpoint import Client, Endpoint
    from ..train.answers.judge import Judge

    if base_url is None:
        raise UsageError("--judge without --judge-url; expected an endpoint like http://127.0.0.1:8000/v1")
    endpoint = Endpoint(base_url=base_url, model=model)
    with Answers(out / "judged.sqlite") as answers, Client(endpoint, answers) as client:
        yield Judge(client)


def _evaluated(asked: AskedSet, backend: Any, out: Path, *, json: bool, **how: Any) -> dict[str, Any]:
    from ..train.evaluating.evaluate import evaluate as examined
    from ..train.predicting.ranks import Ranks

    ranks = Ranks.here()
    opened: AbstractContextManager[Any] = backend if hasattr(backend, "__exit__") else nullcontext(backend)
    try:
        with opened, _shown(out, json) as say:
            return examined(asked, backend, out=out, progress=say, ranks=ranks, **how)
    finally:
        ranks.close()


def _shown(out: Path, plain: bool) -> AbstractContextManager[Any]:
    from ..cards.terminal.progress import shown

    return shown(out.name, plain=plain)
