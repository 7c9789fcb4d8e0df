"""Progress of long verbs on stderr: a bar for people at a terminal, a plain line now and then for logs."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

Show = Callable[[str, int, int, int], None]
"""Called with what is being done, done, total (0 while unknown) and samples so far."""
EVERY_S = 10.0
"""Between two plain lines."""


@contextmanager
def shown(subject: str, *, plain: bool) -> Iterator[Show]:
    """A function that shows progress on stderr; `plain` gives lines even at a terminal."""
    if plain or not sys.stderr.isatty():
        yield Lines(subject)
        return
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description:<28}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        yield _Bars(subject, bars)


class _Rate(ProgressColumn):
    """Things per second and samples so far."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        parts = [f"{speed:,.1f}/s"] if speed else []
        if task.fields.get("samples"):
            parts.append(f"{task.fields['samples']:,} samples")
        return Text(" · ".join(parts), style="progress.data.speed")


class _Bars:
    def __init__(self, subject: str, bars: Progress):
        self.subject, self.bars = subject, bars
        self.tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: int, total: int, samples: int) -> None:
        if stage not in self.tasks:
            self.tasks[stage] = self.bars.add_task(f"{self.subject}: {stage}", total=None)
        self.bars.update(self.tasks[stage], completed=done, total=total or None, samples=samples)


class Lines:
    """Plain lines: the first of every stage, then one every `EVERY_S` seconds, and the last."""

    def __init__(self, subject: str, *, every_s: float = EVERY_S):
        self.subject, self.every_s = subject, every_s
        self.stage, self.began, self.last = "", 0.0, 0.0

    def __call__(self, stage: str, done: int, total: int, samples: int) -> None:
        """Print a line where it is time for one."""
        now = time.monotonic()
        if stage != self.stage:
            self.stage, self.began, self.last = stage, now, 0.0
        if now - self.last < self.every_s and not (total and done >= total):
            return
        self.last = now
        print(self._line(done, total, samples, seconds=now - self.began), file=sys.stderr, flush=True)  # noqa: T201

    def _line(self, done: int, total: int, samples: int, *, seconds: float) -> str:
        rate = done / seconds if seconds > 0.05 else 0.0
        parts = [f"{self.subject}: {self.stage} {done}" + (f"/{total}" if total else "")]
        if samples:
            parts.append(f"{samples} samples")
        if rate:
            parts.append(f"{rate:.1f}/s")
        if rate and total > done:
            parts.append(f"{(total - done) / rate:.0f} s left")
        return ", ".join(parts)
