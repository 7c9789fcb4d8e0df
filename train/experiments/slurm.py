"""A plan as a Slurm array: one task for each run, in scripts that know no path of the machine that wrote them.

`runs.txt` has an id on each line; `experiment.sbatch` is submitted with MEDLOOM_PLAN, MEDLOOM_RELEASE, MEDLOOM_OUT and
MEDLOOM_RUNS set.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ...schema.disk import write_text
from ...schema.errors import UsageError

RUNS, SCRIPT = "runs.txt", "experiment.sbatch"
_TEXT = """#!/bin/bash
#SBATCH --job-name=medloom-experiment
#SBATCH --array=1-{count}
#SBATCH --gpus-per-node={processes}
#SBATCH --output=experiment-%A-%a.log

# sbatch --export=ALL,MEDLOOM_PLAN=plan.json,MEDLOOM_RELEASE=release,MEDLOOM_OUT=results,MEDLOOM_RUNS=runs.txt {script}
# Account, partition and time are given to sbatch. A task whose run is finished ends at once: submit the array again.
set -euo pipefail
: "${{MEDLOOM_PLAN:?the file of the plan}}" "${{MEDLOOM_RELEASE:?the release, a folder or a repository}}"
: "${{MEDLOOM_OUT:?a folder that all tasks share}}" "${{MEDLOOM_RUNS:?the file {runs}}}"
run=$(sed -n "${{SLURM_ARRAY_TASK_ID:?started by sbatch}}p" "$MEDLOOM_RUNS")
exec medloom experiment run "$MEDLOOM_PLAN" "$MEDLOOM_RELEASE" --out "$MEDLOOM_OUT" --only "$run"{launch}
"""


def scripts(names: Sequence[str], folder: Path, *, processes: int = 1) -> list[Path]:
    """The files of an array over some runs, written.

    Raises:
        UsageError: there is nothing to run.
    """
    if not names:
        raise UsageError("no run is left; expected some to make an array of")
    launch = "" if processes == 1 else f" --launch torchrun:{processes}"
    text = _TEXT.format(count=len(names), processes=processes, script=SCRIPT, runs=RUNS, launch=launch)
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / RUNS, [f"{name}\n" for name in names])
    write_text(folder / SCRIPT, [text])
    return [folder / RUNS, folder / SCRIPT]
