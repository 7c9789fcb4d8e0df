"""The command line itself: the one `app`, how faults leave it, and what all verbs share."""

from __future__ import annotations

import json as jsonlib
import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from .. import __version__
from ..schema.errors import MedLoomError, UsageError, refusal_of_disk

FAULTS, WRONG_USE, INTERRUPTED = 1, 2, 130

app = typer.Typer(
    name="medloom",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Weave medical-imaging datasets into vision-language data that `load_dataset` reads.",
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout and nothing else.")]
RawRoot = Annotated[Path, typer.Option("--raw", help="The folder where the download lies, in the owner's layout.")]
ReleaseDir = Annotated[Path, typer.Argument(metavar="RELEASE", help="A release folder.", show_default=False)]
ReleasePlace = Annotated[
    str, typer.Argument(metavar="RELEASE", help="A release folder, or a repository org/name[@revision].", show_default=False)
]
Workers = Annotated[int | None, typer.Option(min=1, help="Worker processes.", show_default="one per core")]
AllPictures = Annotated[
    bool, typer.Option("--all-pictures", help="Show pictures too that nobody may pass on, as far as is known.")
]
Words = list[str] | None


class SplitName(StrEnum):
    """A split whose answers may be withheld."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


Withhold = Annotated[
    list[SplitName] | None,
    typer.Option("--withhold-answers", help="Leave a split's answers out of the release; may be repeated."),
]
Withheld = Annotated[
    Path | None, typer.Option("--answers", help="Where withheld answers go.", show_default="RELEASE.work/answers")
]


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line; every fault leaves as one clear line (or JSON document) and an exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    try:
        code = app(args=given, prog_name="medloom", standalone_mode=False)
    except MedLoomError as error:
        _fail(error.kind, str(error), as_json="--json" in given)
        code = error.exit_code
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:
        refused = refusal_of_disk(error)
        if refused:
            _fail(refused.kind, str(refused), as_json="--json" in given)
            raise SystemExit(refused.exit_code) from None
        if not hasattr(error, "format_message"):
            raise
        if error.format_message():  # type: ignore[attr-defined]
            _fail("UsageError", _call_fault(error), as_json="--json" in given)
        code = WRONG_USE
    if code == INTERRUPTED:
        _fail("Interrupted", "interrupted; run the same command again to go on", as_json="--json" in given)
    raise SystemExit(code if isinstance(code, int) else 0)


def _call_fault(error: Any) -> str:
    """Typer's own words for a call that it can't parse, and where help stands."""
    command = error.ctx.command_path if getattr(error, "ctx", None) else "medloom"
    return f"{error.format_message().rstrip('.')}; `{command} --help` shows how it is called"


def _fail(kind: str, message: str, *, as_json: bool) -> None:
    _end_bars()
    print(f"medloom: {message}", file=sys.stderr)  # noqa: T201
    if as_json:
        print_json({"error": {"kind": kind, "message": message}})


def _end_bars() -> None:
    """Ends the lines of the progress bars that libraries left open, so that what follows has a line to itself."""
    bars = getattr(getattr(sys.modules.get("tqdm"), "tqdm", None), "_instances", ())
    for bar in list(bars):
        bar.close()


def print_json(value: Any) -> None:
    """The one JSON document on stdout."""
    print(jsonlib.dumps(value, indent=2, ensure_ascii=False, default=str))  # noqa: T201


def show_as(value: Any, as_json: bool, table: Callable[[Any, Any], None]) -> None:
    """The value as JSON, or by way of its table."""
    if as_json:
        print_json(value)
        return
    from ..cards.terminal.release import console

    table(value, console())


def _version(wanted: bool) -> None:
    if wanted:
        print(f"medloom {__version__}")  # noqa: T201
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """Weave medical-imaging datasets into vision-language data that `load_dataset` reads.

    Try it: `medloom demo --out out/demo`. Your own folder: `medloom new-source my_set --infer FOLDER`.

    Exit codes: 0 done, 1 a check found faults, 2 wrong use or an incomplete raw root, 3 too many unusable files,
    4 a rebuild's pixels differ, 130 interrupted.
    """


def checked(release: Path, json: bool) -> dict[str, Any]:
    """What a check of the release found, with progress on stderr."""
    from ..cards.terminal.progress import shown
    from ..schema.check_release import check as prove

    with shown(release.name, plain=json) as progress:
        return prove(release, progress=lambda done, total: progress("check", done, total, 0))


def withheld(splits: list[SplitName] | None, answers: Path | None) -> dict[str, Any]:
    """The splits to withhold and the place of their answers, as rooms take them.

    Raises:
        UsageError: a place for answers, and no split.
    """
    if answers is not None and not splits:
        raise UsageError("--answers without --withhold-answers; expected both, or neither")
    return {"withhold": [str(one) for one in splits or ()], "answers": answers}


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
