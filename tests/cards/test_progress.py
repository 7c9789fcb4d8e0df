"""Progress goes to stderr: plain lines now and then, or bars at a terminal."""

from __future__ import annotations

import io
import sys

import pytest

from medloom.cards.terminal.progress import Lines, shown


def test_plain_lines_say_rate_and_remaining_time(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    clock = iter([100.0, 105.0, 112.0, 120.0])
    monkeypatch.setattr("medloom.cards.terminal.progress.time.monotonic", lambda: next(clock))
    lines = Lines("mine")
    for done in (0, 10, 24, 40):
        lines("read", done, 40, done * 3)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines() == [
        "mine: read 0/40",
        "mine: read 24/40, 72 samples, 2.0/s, 8 s left",
        "mine: read 40/40, 120 samples, 2.0/s",
    ]


def test_a_pipe_gets_lines(capsys: pytest.CaptureFixture[str]):
    with shown("mine", plain=False) as progress:
        progress("list", 3, 0, 0)
    assert capsys.readouterr().err == "mine: list 3\n"


def test_a_terminal_gets_bars(monkeypatch: pytest.MonkeyPatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "160")
    with shown("mine", plain=False) as progress:
        progress("read", 0, 40, 0)
        progress("read", 40, 40, 1234)
    assert "mine: read" in terminal.getvalue()
    assert "40/40" in terminal.getvalue()
    assert "1,234 samples" in terminal.getvalue()
