"""One map over tasks, in this process or in a pool of worker processes that die with it.

Results come in any order; whoever calls must not let the order matter. At most a few tasks per worker are in flight, so a
long iterator of tasks is never held whole. Workers are spawned, not forked: SimpleITK and OpenCV keep threads.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from ..schema.errors import UsageError

T = TypeVar("T")
R = TypeVar("R")

IN_FLIGHT_PER_WORKER = 2


@dataclass(frozen=True, slots=True)
class Crashed:
    """A task that killed its worker twice, the second time alone: a fault in a native decoder, or no memory left."""

    task: Any


class Engine:
    """A map over this process (one worker) or a pool, which lives from its first task to the end of the `with` block.

    A worker is one thread: OpenCV's own threads are put off inside the block, here and in the pool.
    """

    def __init__(self, workers: int):
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Engine:
        import cv2

        self._threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        return self

    def __exit__(self, *error: object) -> None:
        import cv2

        self.close()
        cv2.setNumThreads(self._threads)

    def run(self, function: Callable[[T], R], tasks: Iterable[T]) -> Iterator[R | Crashed]:
        """The function's result for each task, as they come.

        A task that kills its worker comes back as `Crashed`, and the others go on. Exceptions of the function are raised
        here and end the map.

        Raises:
            UsageError: workers can't even start.
        """
        if self._workers <= 1:
            yield from (function(task) for task in tasks)
            return
        queue = iter(tasks)
        while True:
            lost: list[T] = []
            yield from self._pooled(function, queue, lost=lost)
            if not lost:
                return
            self.close()
            _must_start()
            for task in lost:
                yield _alone(function, task)

    def _pooled(self, function: Callable[[T], R], queue: Iterator[T], *, lost: list[T]) -> Iterator[R]:
        """Results until the queue is empty or a worker dies; then `lost` holds the tasks without a result."""
        in_flight: dict[Future[R], T] = {}
        if self._pool is None:
            self._pool = _pool(self._workers)
        while True:
            for task in islice(queue, IN_FLIGHT_PER_WORKER * self._workers - len(in_flight)):
                try:
                    in_flight[self._pool.submit(function, task)] = task
                except BrokenProcessPool:  # a worker died since the last wait
                    lost.extend([task, *in_flight.values()])
                    return
            if not in_flight:
                return
            done, _ = wait(in_flight, return_when=FIRST_COMPLETED)
            for future in done:
                task = in_flight.pop(future)
                try:
                    result = future.result()
                except BrokenProcessPool:
                    lost.extend([task, *in_flight.values()])
                    return
                yield result

    def close(self) -> None:
        """End the workers; a later `run` starts new ones."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


def run(function: Callable[[T], R], tasks: Iterable[T], *, workers: int) -> Iterator[R | Crashed]:
    """One map on an engine of its own."""
    with Engine(workers) as engine:
        yield from engine.run(function, tasks)


def _must_start() -> None:
    """Tell tasks that kill workers from workers that never live: those would take every task for a killer."""
    if isinstance(_alone(_nothing, None), Crashed):
        found = "worker processes can't start"
        expected = 'a script whose code stands under `if __name__ == "__main__":`, since workers import it anew'
        raise UsageError(f"{found}; expected {expected}; mend that, or use one worker")


def _nothing(task: None) -> None:
    """What any worker can do."""


def _alone(function: Callable[[T], R], task: T) -> R | Crashed:
    with _pool(1) as pool:
        try:
            return pool.submit(function, task).result()
        except BrokenProcessPool:
            return Crashed(task)


def _pool(workers: int) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(workers, mp_context=context, initializer=_become_worker, initargs=(os.getpid(),))


def _become_worker(parent: int) -> None:
    """One thread per worker, an end with the driver's end, and Ctrl-C left to the driver."""
    import cv2

    cv2.setNumThreads(1)
    _die_with_parent(parent)


def _die_with_parent(parent: int) -> None:
    """Make this process end when the driver does, also by SIGKILL."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
