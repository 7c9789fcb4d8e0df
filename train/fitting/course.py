"""The course of a run, whichever way it trains: whether it begins, goes on or has ended, and what it leaves behind."""

from __future__ import annotations

import atexit
import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from accelerate import PartialState
from accelerate.utils import broadcast_object_list

from ...schema.disk import read_json, write_json
from ...schema.errors import MedLoomError, UsageError
from .checkpoints import DONE, Checkpoint, clear, newest, same
from .run_folder import LOGS, RunFolder
from .watched import check_watched

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Course:
    """A run that is about to train."""

    folder: Path
    fingerprint: Mapping[str, Any]
    checkpoint: Checkpoint | None
    """What it goes on from."""
    ended: bool
    """Whether it has trained to its end before, with the same settings on the same data."""

    @property
    def resumes(self) -> str | None:
        """For `trainer.train`."""
        return str(self.checkpoint.folder) if self.checkpoint else None


def begun(folder: Path, fingerprint: Mapping[str, Any], *, fresh: bool, resumable: bool = True) -> Course:
    """The course that a run in this folder takes, the same on every process. What isn't whole is removed there.

    Args:
        folder: Of the run.
        fingerprint: See `fingerprint.py`.
        fresh: Whether an earlier run is to be forgotten.
        resumable: False where checkpoints hold weights alone; then every run begins anew.

    Raises:
        ResumeError: an earlier run with other settings or data.
    """

    def found() -> Course:
        if fresh or not resumable:
            clear(folder)
        return _looked_up(folder, fingerprint)

    return of_the_first(found)


def of_the_first(find: Callable[[], Result]) -> Result:
    """What the first process finds, on every process.

    Raises:
        MedLoomError: what it raises, on every process.
    """
    found: list[Any] = [None]
    if PartialState().is_main_process:
        try:
            found = [find()]
        except MedLoomError as error:
            found = [error]
    broadcast_object_list(found)
    if isinstance(found[0], MedLoomError):
        raise found[0]
    return found[0]


def _looked_up(folder: Path, fingerprint: Mapping[str, Any]) -> Course:
    done = read_json(folder / DONE)
    if done is not None:
        same(done, fingerprint, where=folder / DONE)
    return Course(folder, fingerprint, newest(folder, fingerprint), done is not None)


def ended(course: Course, run: RunFolder, trainer: Any) -> Path:
    """The run's folder, with the model, its scores and its card in it, and the word that all is done."""
    if trainer.is_fsdp_enabled:
        trainer.accelerator.state.fsdp_plugin.set_state_dict_type("FULL_STATE_DICT")
    if trainer.args.should_save:
        run.save(lambda folder: trainer.save_model(str(folder), _internal_call=True))
        run.finish(metrics=last_scores(trainer.state), history=trainer.state.log_history)
        write_json(course.folder / DONE, json.loads(json.dumps(course.fingerprint)))
    else:  # sharded weights are gathered by all processes together; this one writes nothing
        trainer.save_model(str(run.root), _internal_call=True)
    trainer.accelerator.wait_for_everyone()
    return course.folder


def leave() -> None:
    """End this process, where it is one of several and all is done.

    Taking their group apart, as `trainer.end` does, hangs now and then on a busy machine when all is written already, and a
    launcher waits for whoever hangs; so what was registered to run at the end runs, and the process goes as it is.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def last_scores(state: Any) -> dict[str, float]:
    """What was measured of the weights that are kept: at the best step, else at the last."""
    scores = [one for one in state.log_history if any(name.startswith("eval_") for name in one)]
    best = [one for one in scores if state.best_model_checkpoint and one.get("step") == state.best_global_step]
    return dict((best or scores or [{}])[-1])


def checked(medical: Any, training: Any, *, held_out: Sequence[Any]) -> None:
    """Come back where settings of evaluation fit together.

    Raises:
        UsageError: they don't.
    """
    evaluates = training.eval_strategy != "no"
    if evaluates and not held_out:
        raise UsageError(f"eval_strategy {training.eval_strategy.value} without held_out; expected questions to evaluate on")
    if held_out and not evaluates:
        raise UsageError("held_out without eval_strategy; expected steps or epoch")
    if medical.patience is not None and not (evaluates and training.metric_for_best_model):
        after = "held_out, eval_strategy and metric_for_best_model"
        raise UsageError(f"patience {medical.patience} without a measure to watch; expected {after}")
    check_watched(training.metric_for_best_model, answers=medical.answers)
    _check_loggers(training.report_to)


_PACKAGED = ("tensorboard", "trackio", "wandb")


def _check_loggers(names: Sequence[str]) -> None:
    for name in names:
        if name in _PACKAGED and importlib.util.find_spec(name) is None:
            raise UsageError(f"report_to {name}, which isn't installed; expected it; pip install 'medloom[train,tracking]'")


@contextmanager
def logs_in(folder: Path) -> Iterator[None]:
    """Have TensorBoard's files written there by a trainer that is made meanwhile, unless the environment says where."""
    name = "TENSORBOARD_LOGGING_DIR"
    if name in os.environ:
        yield
        return
    os.environ[name] = str(folder / LOGS)
    try:
        yield
    finally:
        del os.environ[name]
