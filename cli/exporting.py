"""The verb that writes other harnesses' files: export."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ..schema.errors import UsageError
from .app import AsJson, ReleasePlace, SplitName, app, show_as
from .narrowing import selected

NAME, DIALECT = "medloom_questions", "thousandths"


class Form(StrEnum):
    """What to write."""

    VLMEVALKIT = "vlmevalkit"
    LMMS_EVAL = "lmms-eval"
    LLAVA = "llava"
    MS_SWIFT = "ms-swift"
    LLAMA_FACTORY = "llama-factory"
    COCO = "coco"
    SA_MED2D = "sa-med2d"


@app.command()
def export(
    form: Annotated[Form, typer.Argument(help="What to write.", show_default=False)],
    release: ReleasePlace,
    out: Annotated[Path, typer.Option(help="A new folder.", show_default=False)],
    suite: Annotated[str | None, typer.Option(help="The suite, for forms that hold questions.", show_default="none")] = None,
    split: Annotated[SplitName | None, typer.Option(help="Which split.", show_default="test; all for coco, sa-med2d")] = None,
    config: Annotated[str, typer.Option(help="A config of the release: a subset or a source.")] = "default",
    select: Annotated[list[str] | None, typer.Option(help="A part, as FIELD=WORD; may be repeated.")] = None,
    kind: Annotated[list[str] | None, typer.Option(help="A kind of question; may be repeated.", show_default="all")] = None,
    name: Annotated[str, typer.Option(help="What the harness calls the set.")] = NAME,
    dialect: Annotated[str, typer.Option(help="How conversations write places (docs/evaluating.md).")] = DIALECT,
    files: Annotated[bool, typer.Option("--picture-files", help="vlmevalkit: pictures as files; start it in OUT.")] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Replace the folder.")] = False,
    json: AsJson = False,
) -> None:
    """Write a release's questions or annotations in another harness's form.

    Questions: `vlmevalkit` (a TSV with GMAI-MMBench's columns), `lmms-eval` (a task folder), `llava`, `ms-swift` and
    `llama-factory` (conversations). Annotations: `coco` (JSON), `sa-med2d` (a picture per mask). What a form can't hold is
    left out and counted.

    `medloom export vlmevalkit out/demo --suite gmai --out out/kit`, then `LMUData=out/kit python run.py --data
    medloom_questions --judge exact_matching …` in VLMEvalKit.
    """
    from ..cards.terminal.exported import exported
    from ..cards.terminal.progress import shown
    from ..train.conversation import Style
    from ..train.exchange.export import SAMPLES, How

    given = {"kind": kind, "name": name != NAME, "dialect": dialect != DIALECT, "picture-files": files}
    _used(form, [option for option, value in given.items() if value])
    narrowed: dict[str, Any] = {"config": config, "select": selected(select)}
    with shown(form.value, plain=json) as bar:
        how: dict[str, Any] = {"fresh": fresh, "progress": lambda done, total: bar("export", done, total, 0)}
        if form in SAMPLES:
            result = _samples(form, release, out, suite=suite, narrowed=narrowed | {"split": split and split.value}, how=how)
        else:
            said = How(name=name, style=Style(dialect=dialect), files=files)
            narrowed |= {"split": (split or SplitName.TEST).value, "kinds": kind or ()}
            result = _questions(form, release, out, suite=suite, narrowed=narrowed, how=how | {"how": said})
    show_as(result, json, exported)


USED_BY = {
    "kind": {Form.VLMEVALKIT, Form.LMMS_EVAL, Form.LLAVA, Form.MS_SWIFT, Form.LLAMA_FACTORY},
    "name": {Form.VLMEVALKIT, Form.LMMS_EVAL, Form.LLAMA_FACTORY},
    "dialect": {Form.LLAVA, Form.LLAMA_FACTORY},
    "picture-files": {Form.VLMEVALKIT},
}
"""Options that not all forms have a use for → those that have."""


def _used(form: Form, given: list[str]) -> None:
    for option in given:
        if form not in USED_BY[option]:
            forms = ", ".join(sorted(USED_BY[option]))
            raise UsageError(f"--{option} for {form}, which has no use for it; expected it with {forms} alone")


def _samples(
    form: Form, release: str, out: Path, *, suite: str | None, narrowed: dict[str, Any], how: dict[str, Any]
) -> Mapping[str, Any]:
    from ..train.exchange.export import export_samples
    from ..train.exchange.samples import Samples

    if suite is not None:
        raise UsageError(f"--suite {suite} for {form}, which holds no questions; expected no suite")
    return export_samples(Samples.open(release, **narrowed), form.value, out, **how)


def _questions(
    form: Form, release: str, out: Path, *, suite: str | None, narrowed: dict[str, Any], how: dict[str, Any]
) -> Mapping[str, Any]:
    from ..train.asked import ReleaseAsked
    from ..train.exchange.export import export_questions

    if suite is None:
        raise UsageError(f"no --suite for {form}; expected one that the release holds; `medloom ask` makes them")
    return export_questions(ReleaseAsked.open(release, suite=suite, **narrowed), form.value, out, **how)
