"""Training runs in processes of their own, which can be killed; the libraries are loaded once for all of them.

run = Run(("--data", …)); run.wait(); run.course
Run(argv, dies_in_saving_step=8)   kills itself in the middle of writing that checkpoint

What a process says goes to a file beside the run's folder; `wait` prints it where a process ended otherwise than it should.
"""

from __future__ import annotations

import faulthandler
import json
import multiprocessing
import os
import random
import signal
import socket
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from multiprocessing.context import ForkServerContext, SpawnContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

PRELOADED = ["torch", "trl.trainer.sft_trainer", "medloom.train.sft", "medloom.train.fitting.trainer", "runs"]
WAIT_S = 300.0
SHOWN = 8000
"""Characters of what a process said, from its end."""
ALWAYS = {
    "--activation_checkpointing": "false",
    "--disable_tqdm": "true",
    "--logging_steps": "1",
    "--report_to": "none",
    "--use_cpu": "true",
    "--bf16": "false",
}


@cache
def _forked() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


def _processes() -> ForkServerContext | SpawnContext:
    """New processes where a Hub is named: the libraries read its address as they are loaded."""
    return multiprocessing.get_context("spawn") if "HF_ENDPOINT" in os.environ else _forked()


@dataclass
class Run:
    """A run of `medloom train`; one process for each rank."""

    argv: Sequence[str]
    world: int = 1
    dies_in_saving_step: int | None = None
    main: str = "medloom.train.sft"
    ranks: list[BaseProcess] = field(init=False)

    def __post_init__(self) -> None:
        told = [*(word for pair in ALWAYS.items() for word in pair), *self.argv]
        environment = {**_environment(), "WORLD_SIZE": str(self.world), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_port())}
        self.ranks = []
        for rank in range(self.world):
            own = {**environment, "RANK": str(rank), "LOCAL_RANK": str(rank)} if self.world > 1 else _environment()
            own["SAID_IN"] = str(self._said(rank))
            process = _processes().Process(target=train, args=(told, own, self.dies_in_saving_step, self.main))
            process.start()
            self.ranks.append(process)

    @property
    def folder(self) -> Path:
        return Path(self.argv[list(self.argv).index("--output_dir") + 1])

    def wait(self) -> list[int | None]:
        """Exit codes; a rank whose fellow died is killed. What a rank said that ended wrongly is printed."""
        for process in self.ranks:
            process.join(WAIT_S)
            if process.is_alive():
                os.kill(process.pid or 0, signal.SIGUSR1)  # it says where it stands
                process.join(2)
            if process.exitcode != 0:
                self.kill()
        codes = [process.exitcode for process in self.ranks]
        for rank, code in enumerate(codes):
            if code != 0 and self.dies_in_saving_step is None:
                said = self._said(rank).read_text(errors="replace") if self._said(rank).exists() else ""
                sys.stderr.write(f"rank {rank} of {self.folder.name} ended with {code} and said:\n{said[-SHOWN:]}\n")
        return codes

    def _said(self, rank: int) -> Path:
        """The file with what a process said."""
        return self.folder.with_name(f"{self.folder.name}-{rank}.said")

    def kill_at_random(self) -> float:
        """How long after its first whole checkpoint the run was killed, in seconds."""
        end = time.monotonic() + WAIT_S
        while not list(self.folder.glob("checkpoint-*/complete.json")) and time.monotonic() < end:
            time.sleep(0.005)
        after = random.SystemRandom().uniform(0, 0.6)
        time.sleep(after)
        self.kill()
        return after

    def kill(self) -> None:
        for process in self.ranks:
            process.kill()
        for process in self.ranks:
            process.join(WAIT_S)

    @property
    def course(self) -> list[dict[str, Any]]:
        """What was logged from the first step on, also of what was trained before a kill."""
        return json.loads((self.folder / "metrics.json").read_text())["course"]

    @property
    def losses(self) -> list[float]:
        return [one["loss"] for one in self.course if "loss" in one]


def goes_on_as_if_nothing_happened(argv: Sequence[str], folder: Path, *, dies_at: int, world: int = 1) -> Run:
    """The run that was never killed, after another was killed in writing a checkpoint, then at random, and went on.

    Its losses, its gradients' norms and its model's bytes are asserted to be those of the other, bit for bit.
    """
    whole, cut = ([*argv, "--output_dir", str(folder / name)] for name in ("whole", "cut"))
    never = Run(whole, world)
    assert never.wait() == [0] * world
    assert set(Run(cut, world, dies_at).wait()) == {-signal.SIGKILL}
    left = folder / "cut" / f"checkpoint-{dies_at}"
    assert (left / "optimizer.pt").is_file()
    assert not (left / "complete.json").exists()
    after = Run(cut, world).kill_at_random()
    again = Run(cut, world)
    assert again.wait() == [0] * world
    numbers = [[(one["loss"], one["grad_norm"]) for one in run.course if "loss" in one] for run in (never, again)]
    assert numbers[0] == numbers[1], f"killed {after:.3f} s after a checkpoint"
    models = [next((run.folder / "model").glob("*model.safetensors")).read_bytes() for run in (never, again)]
    assert models[0] == models[1]
    return never


def train(argv: Sequence[str], environment: dict[str, str], dies_in_saving_step: int | None, main: str) -> None:
    """What a process does."""
    from importlib import import_module

    import torch
    from transformers import Trainer

    os.environ.update(environment)
    with Path(os.environ.pop("SAID_IN")).open("ab") as said:
        os.dup2(said.fileno(), 1)
        os.dup2(said.fileno(), 2)
    faulthandler.register(signal.SIGUSR1, file=2, all_threads=True)
    torch.set_num_threads(1)
    if dies_in_saving_step is not None:
        save = Trainer._save_scaler

        def saved(self: Any, folder: str) -> None:
            save(self, folder)
            if self.state.global_step == dies_in_saving_step:
                os.kill(os.getpid(), signal.SIGKILL)

        Trainer._save_scaler = saved  # model and optimizer are written, random numbers and the state are not
    import_module(main).main(list(argv))


def _environment() -> dict[str, str]:
    kept = ("HF_HUB_OFFLINE", "HF_ENDPOINT", "HF_TOKEN", "HF_HOME", "HF_DATASETS_CACHE", "HF_HUB_DISABLE_TELEMETRY")
    own = {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "OMP_NUM_THREADS": "1"}
    return {name: os.environ[name] for name in kept if name in os.environ} | own


def _port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]
