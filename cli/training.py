"""The verbs that train: train sft, train grpo, train recipes, train push."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .app import AsJson, app, show_as
from .settings_help import GrpoCommand, SftCommand

if TYPE_CHECKING:
    from rich.console import Console

train = typer.Typer(
    name="train",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Train a vision-language model on a release's questions; `train recipes` lists settings to begin with.",
)
app.add_typer(train)

PASSED_ON = {"ignore_unknown_options": True, "allow_extra_args": True}
Config = Annotated[
    str | None, typer.Option(metavar="FILE", help="YAML with settings: a file, or a recipe's name.", show_default=False)
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Say what the run would do: settings, rows, steps, the first conversation.")
]


@train.command(cls=SftCommand, context_settings=PASSED_ON)
def sft(context: typer.Context, config: Config = None, dry_run: DryRun = False, json: AsJson = False) -> None:
    """Fine-tune on questions and their answers (TRL's `SFTTrainer`); a run that was interrupted goes on.

    A setting stands in the YAML of `--config` as `name: value`, or here as `--name value`, which goes before it. Lists are
    given as `--name one two`.

    OUR SETTINGS

    **TRL's and transformers'**: all of `SFTConfig` and `ModelConfig`, among them

    - `--model_name_or_path`: The model to begin with, a repository or a folder.
    - `--output_dir`: The folder of the run; one that was interrupted goes on there.
    - `--num_train_epochs`, `--max_steps`, `--learning_rate`, `--per_device_train_batch_size`: How long, how fast, how wide.
    - `--use_peft`, `--lora_r`, `--load_in_4bit`: An adapter (LoRA) in place of all weights; on a base held in 4 bits.
    - `--eval_strategy`, `--eval_steps`: When `held_out` is evaluated: steps or epoch.
    - `--metric_for_best_model`, `--load_best_model_at_end`: Keep the best by eval_loss or by a measure: eval_macro_accuracy.
    - `--report_to`: Where the course is logged: tensorboard, trackio, wandb or none.
    - `--push_to_hub`, `--hub_model_id`: Put the finished run on the Hub, as ORG/NAME.

    All of them: https://huggingface.co/docs/trl/sft_trainer and
    https://huggingface.co/docs/transformers/main_classes/trainer. A name that isn't there is told with near ones.

    **Examples:**

    - `medloom train sft --config smolvlm --data releases/blood:gmai --output_dir runs/blood --dry-run`
    - `medloom train sft --config my.yaml --learning_rate 5e-5 --freeze vision_tower`
    - `torchrun --nproc_per_node 8 -m medloom.train.sft --config my.yaml`
    """
    _run("sft", context, config, dry_run=dry_run, json=json)


@train.command(cls=GrpoCommand, context_settings=PASSED_ON)
def grpo(context: typer.Context, config: Config = None, dry_run: DryRun = False, json: AsJson = False) -> None:
    """Reinforce by rewards that the questions themselves verify (TRL's `GRPOTrainer`): letters, places, form.

    A setting stands in the YAML of `--config` as `name: value`, or here as `--name value`, which goes before it. Lists are
    given as `--name one two`. `--streaming` and `--general` are for `train sft` alone.

    OUR SETTINGS

    **TRL's and transformers'**: all of `GRPOConfig` and `ModelConfig`; `medloom train sft --help` has those that both know, and
    here are besides

    - `--reward_weights`: One for each of `--rewards`.
    - `--num_generations`, `--max_completion_length`: How many answers to a question are compared; the longest, in tokens.
    - `--beta`: How much the model is held to what it was.

    All of them: https://huggingface.co/docs/trl/grpo_trainer

    **Examples:**

    - `medloom train grpo --config grpo-qwen2.5-vl --data releases/blood:gmai --output_dir runs/blood-grpo`
    - `medloom train grpo --config my.yaml --rewards right form --reward_weights 1 0.2`
    """
    _run("grpo", context, config, dry_run=dry_run, json=json)


@train.command()
def recipes(
    name: Annotated[str | None, typer.Argument(help="Print this one's file.", show_default=False)] = None,
    json: AsJson = False,
) -> None:
    """List the recipes that come along, or print one to begin your own file with.

    **Examples:**

    - `medloom train recipes`
    - `medloom train recipes qwen2.5-vl > my.yaml`
    """
    from ..train.fitting.recipes import recipe
    from ..train.fitting.recipes import recipes as every

    if name is None:
        show_as({"recipes": every()}, json, _listed)
        return
    text = recipe(name).read_text(encoding="utf-8")
    show_as({"name": name, "text": text}, json, lambda found, _: print(found["text"], end=""))  # noqa: T201


@train.command()
def push(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a finished run.", show_default=False)],
    repo: Annotated[str, typer.Option(metavar="ORG/NAME", help="A model repository; made where it isn't there.")],
    private: Annotated[bool, typer.Option("--private", help="Make a new repository private.")] = False,
    reason: Annotated[
        str | None, typer.Option(help="Why it may be passed on though some of its data may not.", show_default=False)
    ] = None,
    json: AsJson = False,
) -> None:
    """Put a finished run on the Hub: model, card, settings, scores; no checkpoint and no log.

    Where pixels, annotations or texts of its data may not be passed on, or nobody knows, it asks for a reason, which the card
    then repeats.

    **Examples:**

    - `medloom train push runs/blood --repo org/blood-vlm --private`
    """
    from ..train.fitting.push import push as sent
    from ..train.fitting.run_folder import RunFolder

    opened = RunFolder.open(run)
    address = sent(opened, repo, private=private or None, reason=reason)
    show_as({"repo": repo, "commit": address}, json, lambda found, console: console.print(found["commit"]))


def _run(method: str, context: typer.Context, config: str | None, *, dry_run: bool, json: bool) -> None:
    from ..train import grpo, sft
    from ..train.fitting.recipes import found

    module: Any = {"sft": sft, "grpo": grpo}[method]
    words = [*(["--config", str(found(config))] if config else []), *context.args]
    with redirect_stdout(sys.stderr):  # trainers print their logs
        settings = module.parse(words)
        result = _planned(settings, method) if dry_run else _trained(module.fit(settings))
    show_as(result, json, _plan if dry_run else _done)


def _planned(settings: Any, method: str) -> dict[str, Any]:
    from ..train.fitting.plan import planned

    return planned(settings, method=method)


def _trained(folder: Path) -> dict[str, Any]:
    from ..train.fitting.run_folder import RunFolder

    run = RunFolder.open(folder)
    return {"run": str(run.root), "model": str(run.model), "metrics": run.metrics["last"]}


def _listed(found: dict[str, Any], console: Console) -> None:
    from rich.table import Table

    table = Table("recipe", "trains by", "base model", "what it is", box=None)
    for one in found["recipes"]:
        table.add_row(one["name"], one["method"], one["model"], one["title"])
    console.print(table)


def _plan(found: dict[str, Any], console: Console) -> None:
    import yaml
    from rich.table import Table

    console.print("[bold]Settings[/] that differ from the defaults")
    console.print(yaml.safe_dump(found["settings"], sort_keys=False, allow_unicode=True), markup=False, highlight=False)
    table = Table("read from", "rows", "an epoch takes", box=None)
    for one in found["sets"]:
        name = f"{one['release']}:{one['suite']} {one['split']}" if "release" in one else one["path"]
        table.add_row(name, f"{one['rows']:,}", f"{one['draws_per_epoch']:,}")
    for one in found["held_out"]:
        table.add_row(f"{one['release']}:{one['suite']} {one['split']}", f"{one['rows']:,}", "held out")
    console.print(table)
    told = f"{found['rows_per_epoch']:,} rows an epoch, {found['rows_per_step']:,} a step: {found['steps_per_epoch']:,} steps"
    console.print(f"\n{told} an epoch, {found['steps']:,} in all. The first conversation, pictures {_sizes(found)}:\n")
    console.print(found["first"]["text"], markup=False, highlight=False)


def _sizes(found: dict[str, Any]) -> str:
    return ", ".join(f"{width} × {height} px" for height, width in found["first"]["pictures_hw_px"])


def _done(found: dict[str, Any], console: Console) -> None:
    from rich.table import Table

    if found["metrics"]:
        table = Table("measure", "value", box=None)
        for name, value in found["metrics"].items():
            table.add_row(name, f"{value:.4g}" if isinstance(value, float) else str(value))
        console.print(table)
    console.print(f"Run: {found['run']}; model: {found['model']}", markup=False, highlight=False)
