"""A client of the loopback Hub that runs `medloom` in a fresh process each time, with libraries imported only once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub import Hub

DRIVER = """
import json, os, sys, traceback
import duckdb, matplotlib.pyplot, pyarrow.dataset, huggingface_hub
import huggingface_hub.hf_api, huggingface_hub.file_download, huggingface_hub._snapshot_download
import medloom.cards.publishing.release
import medloom.cards.gates.integrity, medloom.cards.gates.licence, medloom.cards.gates.privacy
from medloom.cards.publishing.publish import prepared, upload
from medloom.cards.publishing.target import Target
from medloom.cli import main
from medloom.schema.errors import MedLoomError
from medloom.schema.release import Release

def run(asked):
    if "arguments" in asked:
        main(asked["arguments"])
    target = Target(asked["repo"], asked["branch"], commit_files=asked["commit_files"], private=asked["private"])
    staged = Release.open(asked["staged"])
    try:
        remote, todo, tag = prepared(staged, target, version=asked["version"])
        print(json.dumps(upload(staged, target, remote=remote, todo=todo, tag=tag) | {"plan": todo.as_json()}))
    except MedLoomError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)

for line in sys.stdin:
    asked = json.loads(line)
    pid = os.fork()
    if pid == 0:
        for number, name in ((0, os.devnull), (1, asked["out"]), (2, asked["err"])):
            os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
        os.environ.update(asked["environment"])
        code = 70
        try:
            run(asked)
            code = 0
        except SystemExit as exit:
            code = exit.code or 0
        except BaseException as error:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    print(pid, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@dataclass(frozen=True)
class Done:
    """How a run ended and what it said."""

    code: int
    out: str
    err: str

    def json(self) -> dict[str, Any]:
        assert self.code in (0, 1), self.err
        return json.loads(self.out)


@dataclass
class Client:
    """Forks a fresh process for every run, so that libraries are imported once and a run can be killed."""

    hub: Hub
    folder: Path
    pid: int = 0
    known: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.environment = self.hub.environment(self.folder / "home")
        command = [sys.executable, "-c", DRIVER]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.driver = subprocess.Popen(command, env=self.environment, **pipes)

    def medloom(self, *arguments: str, **environment: str) -> Done:
        """`medloom …` at the command line."""
        return self._run(arguments=list(arguments), environment=environment)

    def publish(self, release: Path, repo: str, *arguments: str, **environment: str) -> Done:
        """`medloom publish … --json`."""
        return self.medloom("publish", str(release), "--repo", repo, "--json", *arguments, **environment)

    def upload(self, staged: Path, repo: str, **how: Any) -> Done:
        """Plan and upload alone, without gates."""
        usual: dict[str, Any] = {"branch": "main", "commit_files": 256, "private": False, "version": None}
        return self._run(staged=str(staged), repo=repo, environment={}, **{**usual, **how})

    def kill(self) -> None:
        """Kill the run that is going on."""
        self.known.wait()
        os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        assert self.driver.stdin is not None
        assert self.driver.stdout is not None
        self.driver.stdin.close()
        self.driver.wait()
        self.driver.stdout.close()

    def _run(self, **asked: Any) -> Done:
        assert self.driver.stdin is not None
        assert self.driver.stdout is not None
        out, err = self.folder / "out", self.folder / "err"
        self.known.clear()
        self.driver.stdin.write(json.dumps({**asked, "out": str(out), "err": str(err)}) + "\n")
        self.driver.stdin.flush()
        self.pid = int(self.driver.stdout.readline())
        self.known.set()
        code = int(self.driver.stdout.readline())
        return Done(code, out.read_text(encoding="utf-8"), err.read_text(encoding="utf-8"))
