"""An evaluation that is killed over and over, and one that several processes share: the bytes are those of one whole run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from scripted_chat import Answer, Scripted
from tiny_models import tiny

from medloom.generation.writing.endpoint import KEY, Endpoint
from medloom.train.evaluating.evaluate import evaluate
from medloom.train.predicting.endpoint_backend import EndpointBackend

KILLED = """
import os, signal, sys, threading
from pathlib import Path
from medloom.generation.writing.endpoint import Endpoint
from medloom.generation.writing import answers
from medloom.train.asked import ReleaseAsked
from medloom.train.evaluating.evaluate import evaluate
from medloom.train.predicting.endpoint_backend import EndpointBackend

release, out, url, left = sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
put, lock = answers.Answers.put, threading.Lock()

def dying(self, reply, sent):
    global left
    put(self, reply, sent)
    with lock:
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

answers.Answers.put = dying
asked = ReleaseAsked.open(release, suite="gmai", split="test").taken(range(48))
with EndpointBackend(Endpoint(base_url=url, model="small", concurrency=2), out / "answers.sqlite") as backend:
    evaluate(asked, backend, out=out, resamples=0)
"""


def test_a_killed_evaluation_goes_on_where_it_stopped(phantoms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(KEY, raising=False)
    asked = phantoms.asked().taken(range(48))

    def run(out: Path, url: str) -> dict[str, Any]:
        with EndpointBackend(Endpoint(base_url=url, model="small", concurrency=2), out / "answers.sqlite") as backend:
            return evaluate(asked, backend, out=out, resamples=0)

    with Scripted(lambda body, before: Answer("A")) as server:
        command = [sys.executable, "-c", KILLED, str(phantoms.release), str(tmp_path / "cut"), server.url, "21"]
        done = subprocess.run(command, env=os.environ | {"HF_HOME": str(tmp_path / "hf")}, capture_output=True, text=True)
        assert done.returncode == -signal.SIGKILL, done.stderr
        assert (tmp_path / "cut" / "parts").exists()
        cut = run(tmp_path / "cut", server.url)
        # A request that was under way when the process died has no answer here; no other is sent again.
        assert 48 <= len(server.bodies) <= 48 + 2
        assert len(set(server.keys)) == 48
        assert run(tmp_path / "whole", server.url) == cut
    for name in ("predictions.parquet", "scored.parquet", "results.json"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.slow
def test_two_processes_give_what_one_gives(phantoms, tmp_path: Path):
    model = tiny("llava", tmp_path / "model", ["A. liver", "B. spleen", "Which of these is it?"])
    tail = ["-m", "medloom", "evaluate", str(phantoms.release), "--suite", "gmai", "--model", str(model), "--limit", "20"]
    tail += [
        "--max-new-tokens",
        "4",
        "--batch-size",
        "2",
        "--shots",
        "1",
        "--robustness",
        "--device",
        "cpu",
        "--resamples",
        "20",
    ]
    environment = os.environ | {"HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    for name, before in (("one", []), ("two", torchrun)):
        command = [sys.executable, *before, *tail, "--out", str(tmp_path / name)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert done.stdout.count("error kinds: ") == 1
    for name in ("predictions.parquet", "scored.parquet", "results.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
