"""The engine: every task once, whatever the number of workers, and no worker outlives its driver."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import medloom
from medloom.builders.engine import Crashed, Engine, run

TASKS = """
import os, signal, time
from pathlib import Path

def square(number):
    return number * number

def kills_odd(number):
    if number % 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return number

def kills_once(task):
    number, folder = task
    mark = Path(folder) / str(number)
    if number == 3 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number

def raises_at_five(number):
    if number == 5:
        raise ValueError("five")
    return number

def process(_):
    time.sleep(0.05)
    return os.getpid()

def sleeps(path):
    Path(path, str(os.getpid())).touch()
    time.sleep(600)
"""


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator:
    """A module that workers, which are spawned, can import too."""
    (tmp_path / "engine_tasks.py").write_text(TASKS)
    monkeypatch.syspath_prepend(tmp_path)
    import engine_tasks  # type: ignore[import-not-found]

    yield engine_tasks
    del sys.modules["engine_tasks"]


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_once(tasks, workers: int):
    assert sorted(run(tasks.square, range(30), workers=workers)) == [number * number for number in range(30)]


def test_one_worker_is_this_process(tasks):
    assert set(run(tasks.process, range(3), workers=1)) == {os.getpid()}
    assert list(run(lambda number: number, range(3), workers=1)) == [0, 1, 2]


def test_two_workers_are_two_others_and_serve_several_maps(tasks):
    with Engine(2) as engine:
        first, second = (set(engine.run(tasks.process, range(8))) for _ in range(2))
    assert first == second
    assert os.getpid() not in first
    assert len(first) == 2
    assert not any(alive(process) for process in first)


def test_no_tasks(tasks):
    assert list(run(tasks.square, [], workers=2)) == []


def test_tasks_are_taken_as_they_are_needed(tasks):
    taken = []

    def many() -> Iterator[int]:
        for number in range(50):
            taken.append(number)
            yield number

    results = run(tasks.square, many(), workers=2)
    next(results)
    assert len(taken) < 10
    assert len(list(results)) == 49


def test_tasks_that_kill_their_worker_come_back_and_the_others_survive(tasks):
    found = list(run(tasks.kills_odd, range(8), workers=2))
    assert sorted(one for one in found if not isinstance(one, Crashed)) == [0, 2, 4, 6]
    assert sorted(one.task for one in found if isinstance(one, Crashed)) == [1, 3, 5, 7]


def test_a_task_that_kills_once_gets_a_second_chance(tasks, tmp_path: Path):
    found = list(run(tasks.kills_once, [(number, str(tmp_path)) for number in range(12)], workers=2))
    assert sorted(found) == list(range(12))


@pytest.mark.parametrize("workers", [1, 2])
def test_exceptions_end_the_map(tasks, workers: int):
    with pytest.raises(ValueError, match="five"):
        list(run(tasks.raises_at_five, range(20), workers=workers))


def test_whoever_stops_early_leaves_no_worker(tasks):
    before = children()
    results = run(tasks.process, range(40), workers=2)
    process = next(results)
    results.close()
    assert not alive(process)
    assert children() <= before | resource_tracker()


DRIVER = """
import sys
from medloom.builders.engine import run
import engine_tasks
if __name__ == "__main__":
    list(run(engine_tasks.sleeps, [sys.argv[1]] * 4, workers=2))
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_workers_die_with_their_driver(tasks, tmp_path: Path, end: signal.Signals):
    marks = tmp_path / "marks"
    marks.mkdir()
    (tmp_path / "driver.py").write_text(DRIVER)
    path = os.pathsep.join([str(tmp_path), str(Path(medloom.__file__).parents[1])])
    environment = {**os.environ, "PYTHONPATH": path, "MEDLOOM_TEST_MARK": str(tmp_path)}
    driver = subprocess.Popen([sys.executable, str(tmp_path / "driver.py"), str(marks)], env=environment)
    wait_until(lambda: len(list(marks.iterdir())) == 2, seconds=30)
    assert len(marked(str(tmp_path))) >= 3
    driver.send_signal(end)
    driver.wait(timeout=10)
    wait_until(lambda: not marked(str(tmp_path)), seconds=5)


def wait_until(test: Callable[[], bool], *, seconds: float) -> None:
    """Until it holds; how long it takes is no matter, but for the limit."""
    end = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < end, "it never came to be"
        time.sleep(0.05)


def marked(mark: str) -> list[int]:
    """Living processes whose environment holds the mark."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"MEDLOOM_TEST_MARK={mark}\0".encode() in (folder / "environ").read_bytes() and alive(int(folder.name)):
                found.append(int(folder.name))
    return found


def alive(process: int) -> bool:
    """Whether it runs; a zombie doesn't."""
    try:
        return (Path("/proc") / str(process) / "stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def children() -> set[int]:
    """Living children of this process."""
    listed = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return {int(process) for process in listed if alive(int(process))}


def resource_tracker() -> set[int]:
    """Multiprocessing's own helper, which stays."""
    from multiprocessing import resource_tracker as tracker

    process = tracker._resource_tracker._pid  # type: ignore[attr-defined]
    return {process} if process else set()


def test_a_script_that_workers_would_run_again_is_told_to_guard_itself(tmp_path: Path):
    script = tmp_path / "unguarded.py"
    script.write_text("from medloom.builders.engine import run\nprint(list(run(abs, range(9), workers=2)))\n")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "worker processes can't start; expected a script whose code stands under `if __name__" in done.stderr
