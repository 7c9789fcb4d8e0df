"""Verbs of review by people: review export, review import."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from .app import AllPictures, AsJson, ReleaseDir, app, show_as

review = typer.Typer(
    name="review",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Let people judge questions in Label Studio, and take their votes back.",
)
app.add_typer(review)

SuiteName = Annotated[str, typer.Option("--suite", help="A question set of the release.", show_default=False)]
Answers = Annotated[Path | None, typer.Option(help="The private folder of withheld answers.", show_default=False)]


@review.command()
def export(
    release: ReleaseDir,
    suite: SuiteName,
    out: Annotated[Path | None, typer.Option(help="A folder.", show_default="RELEASE.work/review/SUITE")] = None,
    count: Annotated[int | None, typer.Option(min=1, help="So many questions of each kind.", show_default="all")] = None,
    seed: Annotated[int, typer.Option(help="Draws them.")] = 0,
    images_at: Annotated[
        str | None,
        typer.Option(
            help="Write images/ too and let tasks name them below this address, instead of holding them.", show_default=False
        ),
    ] = None,
    answers: Answers = None,
    all_pictures: AllPictures = False,
    json: AsJson = False,
) -> None:
    """Write `tasks.json` and `labeling.xml`, which Label Studio imports: its tasks and its labeling interface.

    A task shows the image with the question's prompts and its answer's regions, and asks to accept or reject, with
    reasons. In Label Studio make a project, paste `labeling.xml` as the code of its interface, then import `tasks.json`
    (of a large set `tasks-2.json` and so on, too). Let several people judge each task, which is a setting of the project,
    and export as JSON.

    The tasks hold the owners' images: give them only to those who may see them. Questions about pictures that nobody may pass
    on, as far as is known, are left out and counted.

    **Examples:**

    - `medloom review export releases/blood --suite gmai --count 50`
    - `medloom review export releases/blood --suite mimoseg --images-at https://images.example.org/blood --out tasks`
    """
    from ..cards.terminal.reviewed import exported
    from ..generation.review.task_files import export as write
    from ..schema.release import Release

    opened = Release.open(release)
    folder = out or opened.work / "review" / suite
    shared = {"count": count, "seed": seed, "images_at": images_at, "answers": answers, "all_pictures": all_pictures}
    show_as(write(opened, suite, folder, **shared), json, exported)


@review.command("import")
def import_(
    release: ReleaseDir,
    exports: Annotated[list[Path], typer.Argument(metavar="EXPORT.json...", help="Label Studio's exports, as JSON.")],
    suite: SuiteName,
    least: Annotated[int, typer.Option(min=1, help="Fewer votes decide nothing.")] = 1,
    strict: Annotated[bool, typer.Option("--strict", help="Leave out what isn't accepted, not the rejected alone.")] = False,
    apart: Annotated[
        bool, typer.Option("--apart", help="Each export is of a server of its own, where a number is another person.")
    ] = False,
    replace: Annotated[bool, typer.Option("--replace", help="Forget what an earlier review has and these lack.")] = False,
    answers: Answers = None,
    json: AsJson = False,
) -> None:
    """Merge votes by majority into `questions/SUITE/review.json`, with agreement and without names.

    More than half of a question's votes decide, else it is undecided; a person's latest vote on a question counts.
    Agreement is Cohen's kappa for two annotators, Fleiss' for more. Annotators are written as a1, a2, … Votes on questions
    that have been made anew since aren't counted, and are listed. Corrections are kept as they were written: read them
    before you publish.

    **Examples:**

    - `medloom review import releases/blood export.json --suite gmai`
    - `medloom review import releases/blood anna.json ben.json --suite gmai --apart --least 2`
    """
    from ..cards.terminal.reviewed import imported
    from ..generation.review.review import take
    from ..schema.release import Release

    rule = {"least": least, "strict": strict, "apart": apart, "replace": replace, "answers": answers}
    result, issues = take(Release.open(release), suite, exports, **rule)
    told = {name: value for name, value in result.items() if name != "questions"}
    told |= {"reviewed": len(result["questions"]), "issues": [asdict(one) for one in issues]}
    show_as(told, json, imported)
