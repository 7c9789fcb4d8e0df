"""The verb by which a model writes questions: write."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ..schema.errors import UsageError
from .app import FAULTS, AsJson, ReleaseDir, Withheld, Withhold, app, show_as, withheld


class WrittenKind(StrEnum):
    """What a model can be asked to write."""

    REASONING = "reasoning"
    PROMPTED = "prompted"
    DESCRIPTION = "description"


@app.command()
def write(
    release: ReleaseDir,
    base_url: Annotated[str, typer.Option(help="The endpoint, such as http://127.0.0.1:8000/v1.", show_default=False)],
    model: Annotated[str, typer.Option(help="The name by which it knows the model.", show_default=False)],
    kind: Annotated[
        list[WrittenKind] | None, typer.Option(help="What is written; may be repeated.", show_default="all three")
    ] = None,
    corpus: Annotated[
        Path | None,
        typer.Option(help="Your knowledge: a folder of .txt and .md, or JSONL with id and text.", show_default="built in"),
    ] = None,
    name: Annotated[str, typer.Option(help="The questions lie in `questions/NAME-MODEL/`.")] = "written",
    seed: Annotated[int, typer.Option(help="Other seeds draw other labels, regions and angles.")] = 0,
    limit: Annotated[int | None, typer.Option(min=1, help="Only so many samples of every shard.", show_default="all")] = None,
    tries: Annotated[int, typer.Option(min=1, help="Replies per question until one stands.")] = 2,
    without: Annotated[
        Path | None, typer.Option(help="A review: what people rejected is written anew.", show_default="none")
    ] = None,
    withhold: Withhold = None,
    answers: Withheld = None,
    with_image: Annotated[bool, typer.Option("--with-image", help="Send the pictures too; else only words leave.")] = False,
    allow_credentialed: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE", help="Send this source to another machine though nobody grants it; recorded.", show_default="none"
        ),
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Requests under way at once.")] = 4,
    rpm: Annotated[int | None, typer.Option(min=1, help="Requests per minute.", show_default="no limit")] = None,
    tpm: Annotated[int | None, typer.Option(min=1, help="Tokens per minute, estimated.", show_default="no limit")] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds for one answer.")] = 120.0,
    attempts: Annotated[int, typer.Option(min=1, help="Tries of a request that gets no answer.")] = 6,
    max_tokens: Annotated[int, typer.Option(min=16, help="The longest answer.")] = 800,
    temperature: Annotated[float | None, typer.Option(min=0.0, help="Of sampling.", show_default="the server's")] = None,
    price_in: Annotated[float, typer.Option(min=0.0, help="Price of a million tokens sent, for --dry-run.")] = 0.0,
    price_out: Annotated[float, typer.Option(min=0.0, help="Price of a million tokens answered, for --dry-run.")] = 0.0,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make the files anew from the answers on disk.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count requests, tokens and price; send nothing.")] = False,
    json: AsJson = False,
) -> None:
    """Have a model write questions: any endpoint that speaks OpenAI's chat protocol, on this machine or another.

    The model is given the sample in words (modality, names, places, shares) and passages of knowledge, never its key, text,
    age or sex. Replies that a validator finds fault with are counted with their reason and asked for anew. Answers lie in
    `RELEASE.work/`, so that a run which was killed goes on without asking twice. The endpoint's key is read from
    `OPENAI_API_KEY` alone, and written nowhere. Exit code 1 where a request got no answer: the same command asks again.

    **Examples:**

    - `medloom write releases/blood --base-url http://127.0.0.1:8000/v1 --model qwen3 --dry-run`
    - `medloom write releases/blood --base-url http://127.0.0.1:8000/v1 --model qwen3 --kind reasoning --corpus notes`
    - `medloom write releases/blood --base-url http://127.0.0.1:8000/v1 --model qwen3 --withhold-answers test --answers private`
    """
    from ..cards.terminal.written import estimated, written
    from ..generation.writing.cost import Price, estimate
    from ..generation.writing.endpoint import Endpoint
    from ..generation.writing.plan import Wish

    private = withheld(withhold, answers)
    if dry_run and (fresh or withhold):
        raise UsageError("--dry-run writes nothing; expected no --withhold-answers or --fresh with it")
    endpoint = Endpoint(
        base_url=base_url,
        model=model,
        timeout_s=timeout,
        attempts=attempts,
        concurrency=concurrency,
        requests_per_minute=rpm,
        tokens_per_minute=tpm,
        max_tokens=max_tokens,
        temperature=temperature,
    )
    wish = Wish(
        kinds=[str(one) for one in kind or WrittenKind],
        corpus=corpus,
        seed=seed,
        limit=limit,
        with_image=with_image,
        tries=tries,
        without=without,
        name=name,
        allow_credentialed=allow_credentialed or (),
        **private,
    )
    if dry_run:
        price = Price(tokens_in=price_in, tokens_out=price_out)
        show_as(estimate(release, endpoint, wish, price=price), json, estimated)
        return
    result = _written(release, endpoint, wish, json=json, fresh=fresh)
    show_as(result, json, written)
    if result["unanswered"]:
        raise typer.Exit(FAULTS)


def _written(release: Path, endpoint: Any, wish: Any, *, json: bool, fresh: bool) -> dict[str, Any]:
    from ..cards.terminal.progress import shown
    from ..generation.writing.written import write as have_written

    with shown(release.name, plain=json) as progress:
        return have_written(release, endpoint, wish, progress=progress, fresh=fresh)
