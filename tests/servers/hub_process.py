"""A process of its own that runs code against the Hub server of `hub.py`, since clients read `HF_ENDPOINT` at import."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

LOOP = """
import contextlib, json, sys, traceback
out, sys.stdout = sys.stdout, sys.stderr
for line in sys.stdin:
    names = {"__name__": "__main__"}
    try:
        exec(json.loads(line), names)
        told = {"answer": names.get("answer")}
    except Exception as error:
        told = {"kind": type(error).__name__, "message": str(error), "trace": traceback.format_exc()}
    print(json.dumps(told), file=out, flush=True)
"""


class Failed(Exception):
    """What the code raised: its class by name, and its message."""

    def __init__(self, told: Mapping[str, str]):
        super().__init__(f"{told['kind']}: {told['message']}\n{told['trace']}")
        self.kind, self.message = told["kind"], told["message"]


class Client:
    """A Python process that keeps what it imported between runs, and nothing else; warnings are errors."""

    def __init__(self, environment: Mapping[str, str]):
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", LOOP],
            env=dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.communicate()

    def run(self, code: str, **values: Any) -> Any:
        """What the code leaves in the name `answer`, as JSON keeps it; `values` stand above it as names.

        Raises:
            Failed: it raised.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        given = "".join(f"{name} = {value!r}\n" for name, value in values.items())
        print(json.dumps(given + code), file=self._process.stdin, flush=True)
        told = json.loads(self._process.stdout.readline() or '{"kind": "Ended", "message": "", "trace": ""}')
        if "kind" in told:
            raise Failed(told)
        return told["answer"]
