"""Verbs of experiments: experiment plan, experiment run, experiment report, experiment published."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ..schema.errors import UsageError
from .app import AsJson, ReleasePlace, Words, app, show_as

experiment = typer.Typer(
    name="experiment",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Compositional generalization: what related and unrelated data do for a task that isn't trained on.",
)
app.add_typer(experiment)
PlanFile = Annotated[Path, typer.Argument(metavar="PLAN", help="A file of `medloom experiment plan`.", show_default=False)]


class Kind(StrEnum):
    """What is planned."""

    CG = "cg"


class Unrelated(StrEnum):
    """What Baseline+ is trained on."""

    STRICT = "strict"
    FIXED = "fixed"


@experiment.command()
def plan(
    kind: Annotated[Kind, typer.Argument(help="`cg`: compositional generalization.")],
    release: ReleasePlace,
    target: Annotated[list[str], typer.Option(help="A subset: name or Med-MAT number; may be repeated.", show_default=False)],
    suite: Annotated[str, typer.Option(help="The suite whose questions of choice train and test.")] = "medmat",
    out: Annotated[Path | None, typer.Option(help="Write the plan there, as JSON or YAML.")] = None,
    config: Annotated[
        str | None,
        typer.Option(help="Settings of training, a file or a recipe, as `medloom train sft --config` takes them."),
    ] = None,
    group: Annotated[
        Words,
        typer.Option(help="combinations, data, without, sizes, tasks; may be repeated.", show_default="the first three"),
    ] = None,
    direction: Annotated[
        Words, typer.Option(help="Of combinations, such as fixed-modality; may be repeated.", show_default="all")
    ] = None,
    elements: Annotated[int, typer.Option(min=2, max=3, help="With 3, also three subsets that give one element each.")] = 2,
    budget: Annotated[
        int | None, typer.Option(min=1, help="Training samples of every condition.", show_default="as many as all can have")
    ] = None,
    sizes: Annotated[str | None, typer.Option(help="For --group sizes, such as 100,300,1000.", show_default=False)] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How often each training is done.")] = 5,
    split: Annotated[str, typer.Option(help="Which split tests.")] = "test",
    questions: Annotated[int | None, typer.Option(min=1, help="At most so many questions are put.", show_default="all")] = None,
    unrelated: Annotated[
        Unrelated, typer.Option(help="Whether Baseline+ may share what a combination keeps fixed.")
    ] = Unrelated.STRICT,
    population: Annotated[
        Words, typer.Option(help="NAME=CONDITION in SQL over the index; twice or more, the target's first.", show_default=False)
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="A finer disease: test questions about this label alone.", show_default=False)
    ] = None,
    regions: Annotated[
        str | None,
        typer.Option(
            help="A suite that asks for boxes and masks, whose subsets take part, such as mimoseg.", show_default=False
        ),
    ] = None,
    json: AsJson = False,
) -> None:
    """Plan the experiments of a target: every related combination, Baseline+, and what else is asked for.

    **Examples:**

    - `medloom experiment plan cg releases/all --target ct-lung-covid-19 --config sft.yaml --out plan.json`
    - `medloom experiment plan cg releases/all --target 28 --direction fixed-area --budget 3000 --seeds 3 --json`
    - `medloom experiment plan cg releases/all --target 31 --population "children=subject_age_years < 18" --population
      "adults=subject_age_years >= 18" --out children.yaml`
    """
    from ..cards.terminal import experimented as cards
    from ..train.experiments.conditions import GROUPS
    from ..train.experiments.plan import Options, plan_cg, write

    if out is None and not json:
        raise UsageError("a plan needs a place; expected --out FILE, or --json for stdout")
    options = Options(
        suite=suite,
        targets=tuple(target),
        groups=tuple(group or (*GROUPS[:3], *(["sizes"] if sizes else []))),
        directions=tuple(direction or ()),
        most=elements,
        budget=budget,
        sizes=_sizes(sizes),
        seeds=seeds,
        split=split,
        questions=questions,
        unrelated=unrelated.value,
        added=_added(population, label),
        regions=regions,
        settings=_settings(config),
    )
    made = plan_cg(release, options)
    if out is not None:
        write(made, out)
    show_as(made.told, json, cards.planned)


@experiment.command()
def run(
    plan: PlanFile,
    release: ReleasePlace,
    out: Annotated[Path, typer.Option(help="A folder for all runs of this plan.", show_default=False)],
    only: Annotated[Words, typer.Option(help="Runs by the beginning of their id; may be repeated.", show_default="all")] = None,
    launch: Annotated[
        str | None, typer.Option(help="torchrun:N trains each run on N processes (GPUs).", show_default="this process")
    ] = None,
    slurm: Annotated[
        Path | None, typer.Option(help="Run nothing: write the scripts of a Slurm array there.", show_default=False)
    ] = None,
    keep_models: Annotated[bool, typer.Option("--keep-models", help="Keep weights when a run is finished.")] = False,
    batch_size: Annotated[int, typer.Option(min=1, help="Questions that a model answers at once.")] = 16,
    answer_tokens: Annotated[int, typer.Option(min=1, help="The longest answer, in tokens.")] = 16,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say which runs are left, and do nothing.")] = False,
    json: AsJson = False,
) -> None:
    """Carry out a plan; what is finished isn't repeated, and what was interrupted goes on.

    **Examples:**

    - `medloom experiment run plan.json releases/all --out results/cg`
    - `medloom experiment run plan.json releases/all --out results/cg --launch torchrun:8`
    - `medloom experiment run plan.json releases/all --out results/cg --slurm jobs`
    """
    from ..cards.terminal import experimented as cards
    from ..cards.terminal.progress import shown
    from ..train.experiments.plan import read
    from ..train.experiments.run import How, carry_out, finished, selected, state
    from ..train.experiments.slurm import scripts

    told, processes = read(plan), _processes(launch)
    if slurm is not None or dry_run:
        left = [name for name in selected(told, only or ()) if not finished(out, name)]
        written = [] if slurm is None else scripts(left, slurm, processes=processes)
        show_as({**state(told, out), "left": left, "written": list(map(str, written))}, json, cards.carried_out)
        return
    how = How(keep_models=keep_models, batch_size=batch_size, answer_tokens=answer_tokens, processes=processes)
    with shown(out.name, plain=json) as progress:
        done = carry_out(told, release, out, only=only or (), how=how, progress=progress)
    show_as(done, json, cards.carried_out)


@experiment.command()
def report(
    out: Annotated[Path, typer.Argument(metavar="OUT", help="The folder that runs were written to.", show_default=False)],
    json: AsJson = False,
) -> None:
    """Set the finished runs of a plan against each other: tables, significance, curves.

    Writes `report.json`, `report.md` and, for sizes, `curves-<target>.csv` and `.png` beside the runs.
    """
    from ..cards.terminal import experimented as cards
    from ..train.experiments.plan import read
    from ..train.experiments.report import report as reported

    show_as(reported(read(out / "plan.json"), out), json, cards.reported)


@experiment.command()
def published(json: AsJson = False) -> None:
    """Show which Med-MAT subsets the paper's 43 combinations are, and how they compare with our enumeration.

    With `--json` every combination that the paper doesn't print comes too, with what is known of why.
    """
    from ..cards.terminal import experimented as cards
    from ..train.experiments.published import told

    show_as(told(), json, cards.published)


def _sizes(text: str | None) -> tuple[int, ...]:
    try:
        found = tuple(sorted({int(one) for one in (text or "").split(",") if one.strip()}))
    except ValueError as error:
        raise UsageError(f"sizes {text!r}; expected whole numbers such as 100,300,1000") from error
    if any(one < 1 for one in found):
        raise UsageError(f"sizes {text!r}; expected numbers from 1 on")
    return found


def _processes(launch: str | None) -> int:
    name, _, count = (launch or "torchrun:1").partition(":")
    if name != "torchrun" or not count.isdecimal() or not int(count):
        raise UsageError(f"launch {launch!r}; expected torchrun:N, such as torchrun:8")
    return int(count)


def _added(population: list[str] | None, label: str | None) -> Any:
    from ..train.experiments.holdings import Added

    if population and label:
        raise UsageError("--population and --label; expected one added element at a time")
    if label:
        return Added("label", label)
    pairs = [one.partition("=") for one in population or ()]
    conditions = {name.strip(): condition.strip() for name, _, condition in pairs}
    if population and (len(conditions) < 2 or not all(name and condition for name, condition in conditions.items())):
        raise UsageError(f"population {population}; expected two or more of NAME=CONDITION, the target's first")
    return Added("population", next(iter(conditions)), conditions) if conditions else None


def _settings(config: str | None) -> dict[str, Any]:
    from ..train.fitting.recipes import found, read

    return read(found(config)) if config else {}
