"""A plan carried out: each run is one training and one evaluation, and a run that is finished isn't repeated.

    OUT/plan.json                     the plan
    OUT/runs/<id>/settings.yaml       what was trained with
    OUT/runs/<id>/training/           the run folder of `medloom train sft`; weights go when the run is finished, unless kept
    OUT/runs/<id>/evaluation/         replies, scores and numbers of `medloom evaluate`
    OUT/runs/<id>/run.json            the word that all is done

Under torchrun training and test are two launches, since processes that trained together leave for good (`fitting/course.py`):

torchrun --nproc_per_node 8 -m medloom.train.experiments.run PLAN RELEASE --out OUT --only ID --phase train
torchrun --nproc_per_node 8 -m medloom.train.experiments.run PLAN RELEASE --out OUT --only ID --phase test
"""

from __future__ import annotations

import argparse
import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ...schema.disk import read_json, write_json, write_text
from ...schema.errors import MedLoomError, UsageError
from ..asked import ReleaseAsked
from ..evaluating.evaluate import SCORED, evaluate
from .drawing import Drawn
from .plan import Plan, Run, again, read, tests_of

MARKER, PLAN = "run.json", "plan.json"
PHASES = ("train", "test")
RESAMPLES = 200
Progress = Callable[[str, int, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How runs are carried out."""

    keep_models: bool = False
    batch_size: int = 16
    """Questions that a model answers at once."""
    answer_tokens: int = 16
    processes: int = 1
    """More than one has torchrun start so many for each run."""


def carry_out(
    told: Mapping[str, Any],
    release: str | Path,
    out: Path,
    *,
    only: Sequence[str] = (),
    how: How | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Carry out the runs of a plan that aren't finished, all or `only` some; how many are done now.

    Raises:
        UsageError: a run that the plan hasn't, another release, or settings that can't be used.
        ReleaseError: no release there.
    """
    wanted, chosen, say = selected(told, only), how or How(), progress or (lambda *_: None)
    _same_plan(told, out)
    left = [name for name in wanted if not finished(out, name)]
    plan = again(told, release) if left else None
    samples = {one["id"]: one["samples"] for one in told["runs"]}
    for number, name in enumerate(left):
        say("run", len(wanted) - len(left) + number, len(wanted), samples[name])
        if plan is not None and chosen.processes == 1:
            carry_out_one(plan, plan.runs[name], release, out, how=chosen)
        else:
            _launched(out, release, name, chosen)
    say("run", len(wanted), len(wanted), 0)
    return state(told, out)


def state(told: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """Which runs of a plan are finished, and which aren't."""
    names = [one["id"] for one in told["runs"]]
    left = [name for name in names if not finished(out, name)]
    return {"runs": len(names), "finished": len(names) - len(left), "left": left}


def finished(out: Path, name: str) -> bool:
    """Whether a run has come to its end."""
    return read_json(out / "runs" / name / MARKER) is not None


def selected(told: Mapping[str, Any], only: Sequence[str]) -> list[str]:
    """Ids of runs: all, or those that begin like one of `only`.

    Raises:
        UsageError: one begins like none.
    """
    names = [one["id"] for one in told["runs"]]
    for some in only:
        if not any(name.startswith(some) for name in names):
            raise UsageError(f"run {some!r} isn't in the plan; expected an id such as {names[0] if names else '(none)'}")
    return [name for name in names if not only or name.startswith(tuple(only))]


def carry_out_one(plan: Plan, run: Run, release: str | Path, out: Path, *, how: How) -> None:
    """Train and test one run in this process."""
    train_one(plan, run, release, out)
    examine_one(plan, run, release, out, how=how)
    gc.collect()


def examine_one(plan: Plan, run: Run, release: str | Path, out: Path, *, how: How) -> None:
    """Test a run that is trained, and say that it is finished; under torchrun on every process of it."""
    from ..predicting.ranks import Ranks

    folder = out / "runs" / run.id
    model = str(folder / "training") if run.parts else _base(plan)
    ranks = Ranks.here()
    result = _tested(plan, run, release, model, folder, how=how, ranks=ranks)
    if ranks.first:
        scores = {name: one.get("micro", one) for name, one in result["scores"]["measures"].items()}
        write_json(folder / MARKER, {"id": run.id, "questions": result["questions"], "scores": scores})
        if not how.keep_models:
            for weights in (*folder.glob("training/**/*.safetensors"), *folder.glob("training/**/*.bin")):
                weights.unlink()
            for checkpoint in folder.glob("training/checkpoint-*"):
                shutil.rmtree(checkpoint)
    ranks.wait()


def settings_of(plan: Plan, run: Run, release: str | Path) -> dict[str, Any]:
    """What a run is trained with, as `medloom train sft --config` takes it, without the place of its folder.

    A run of fewer samples than a batch takes them all at once.
    """
    parts = [{**_part(one), "release": str(release)} for one in run.parts]
    given = {"save_strategy": "no", "report_to": "none", "disable_tqdm": True, **plan.options.settings}
    name, processes = "per_device_train_batch_size", int(os.environ.get("WORLD_SIZE", "1"))
    batch = min(int(given.get(name, 8)), max(1, run.samples // processes))
    return {**given, "model_name_or_path": _base(plan), name: batch, "seed": run.seed, "data_seed": run.seed, "data": parts}


def _part(one: Drawn) -> dict[str, Any]:
    keys = ", ".join(f"'{key}'" for key in one.keys)
    return {"suite": one.suite, "split": "train", "kinds": list(one.kinds), "select": {"where": f"key IN ({keys})"}}


def _base(plan: Plan) -> str:
    base = str(plan.options.settings.get("model_name_or_path") or "")
    if not base:
        raise UsageError("settings without model_name_or_path; expected the model to train; give --config to the plan")
    return base


def train_one(plan: Plan, run: Run, release: str | Path, out: Path) -> None:
    """Train a run, unless it is one of the untrained model; under torchrun on every process of it."""
    from ..fitting.checkpoints import DONE
    from ..sft import fit, parse

    if not run.parts:
        return
    folder, rank = out / "runs" / run.id, os.environ.get("RANK", "0")
    path = folder / ("settings.yaml" if rank == "0" else f".settings-{rank}.yaml")
    folder.mkdir(parents=True, exist_ok=True)
    write_text(path, [yaml.safe_dump(settings_of(plan, run, release), sort_keys=False, width=1 << 20)])
    if not (folder / "training" / DONE).is_file():  # replies of a model that is trained anew aren't its own
        shutil.rmtree(folder / "evaluation", ignore_errors=True)
    try:
        fit(parse(["--config", str(path), "--output_dir", str(folder / "training")]))
    finally:
        if rank != "0":
            path.unlink()


def _tested(plan: Plan, run: Run, release: str | Path, model: str, folder: Path, *, how: How, ranks: Any) -> dict[str, Any]:
    from ..conversation import Style
    from ..predicting.dialect_of import dialect_of
    from ..predicting.model_files import ModelFiles
    from ..predicting.transformers_backend import Decoding, TransformersBackend

    held, ids = plan.held.every[run.target], tests_of(plan, run.target)
    select = {"subset": _subset(run.target)}
    asked = ReleaseAsked.open(release, suite=held.suite, split=plan.options.split, select=select, kinds=held.kinds)
    asked = asked.taken([place for place, one in enumerate(asked.questions()) if one.id in ids])
    given = plan.options.settings
    instruction = {name: given[name] for name in ("instruction", "system") if name in given}
    style = Style(given.get("dialect") or dialect_of(ModelFiles.of(model)), **instruction)
    decoding = Decoding(max_new_tokens=how.answer_tokens)
    trusted = bool(given.get("trust_remote_code", False))
    backend = TransformersBackend.open(model, batch_size=how.batch_size, decoding=decoding, trust_remote_code=trusted)
    return evaluate(asked, backend, out=folder / "evaluation", style=style, resamples=RESAMPLES, ranks=ranks, report=False)


def _subset(target: str) -> str:
    return target.partition("+")[0].partition("@")[0]


def scored(out: Path, name: str) -> Path:
    """Where a run's scored replies lie."""
    return out / "runs" / name / "evaluation" / SCORED


def _same_plan(told: Mapping[str, Any], out: Path) -> None:
    """Keep the plan beside its runs.

    Raises:
        UsageError: the folder holds another plan's.
    """
    there = read_json(out / PLAN)
    if there is not None and there != told:
        raise UsageError(f"{out}: holds the runs of another plan; expected a folder of its own for each")
    if there is None:
        write_json(out / PLAN, dict(told))


def _launched(out: Path, release: str | Path, name: str, how: How) -> None:
    """Have torchrun carry out one run.

    Raises:
        UsageError: it didn't come to its end.
    """
    count = str(how.processes)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", count, "-m", __name__]
    command += [str(out / PLAN), str(release), "--out", str(out), "--only", name]
    command += ["--batch-size", str(how.batch_size), "--answer-tokens", str(how.answer_tokens)]
    command += ["--keep-models"] if how.keep_models else []
    for phase in PHASES:
        code = subprocess.run([*command, "--phase", phase], check=False).returncode
        if code:
            raise UsageError(f"run {name}: torchrun ended its {phase} with {code}; expected 0; what it says stands above")


def main(argv: Sequence[str] | None = None) -> None:
    """Carry out runs of a plan on the processes of this launch, and leave with the exit code of `schema/errors.py`."""
    parser = argparse.ArgumentParser(prog="python -m medloom.train.experiments.run")
    for name in ("plan", "release"):
        parser.add_argument(name)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--batch-size", type=int, default=How().batch_size)
    parser.add_argument("--answer-tokens", type=int, default=How().answer_tokens)
    parser.add_argument("--keep-models", action="store_true")
    parser.add_argument("--phase", choices=PHASES, required=True)
    given = parser.parse_args(argv)
    how = How(keep_models=given.keep_models, batch_size=given.batch_size, answer_tokens=given.answer_tokens)
    try:
        told = read(Path(given.plan))
        plan = again(told, given.release)
        for name in selected(told, given.only):
            if finished(given.out, name):
                continue
            if given.phase == "train":
                train_one(plan, plan.runs[name], given.release, given.out)
            else:
                examine_one(plan, plan.runs[name], given.release, given.out, how=how)
    except MedLoomError as error:
        sys.stderr.write(f"{error.kind}: {error}\n")
        raise SystemExit(error.exit_code) from error
    if given.phase == "train":
        from ..fitting.course import leave

        leave()


if __name__ == "__main__":
    main()
