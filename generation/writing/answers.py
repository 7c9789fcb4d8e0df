"""Answers of endpoints on disk, so that none is asked for twice: one SQLite file, keyed by SHA-256 of all that was sent.

Each answer is one transaction, so a kill leaves whole answers only. Pictures stand in it by their digest, keys never.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...schema.errors import UsageError

_TABLE = "CREATE TABLE IF NOT EXISTS answers (digest TEXT PRIMARY KEY, sent TEXT NOT NULL, reply TEXT NOT NULL)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What an endpoint answered."""

    digest: str
    """SHA-256 of what was sent."""
    text: str
    finish: str
    """stop, length, content_filter, …, as the server says; `refusal` where the model declined."""
    model: str
    """As the server names it."""
    asked_at: str
    """UTC, to the second."""
    attempts: int
    tokens_in: int | None
    tokens_out: int | None
    """As the server counts them, None where it doesn't."""
    without: tuple[str, ...] = ()
    """Parameters that the server refused, and that were left out."""


class Answers:
    """A file of answers, shared by threads."""

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        try:
            self._base = sqlite3.connect(path, check_same_thread=False, timeout=60.0, isolation_level=None)
            self._base.execute("PRAGMA journal_mode=WAL")
            self._base.execute("PRAGMA synchronous=FULL")
            self._base.execute(_TABLE)
        except sqlite3.DatabaseError as error:
            raise UsageError(f"{path}: {error}; expected a file of answers; move it away to begin anew") from error

    def __enter__(self) -> Answers:
        return self

    def __exit__(self, *error: object) -> None:
        self._base.close()

    def get(self, digest: str) -> Reply | None:
        """The answer to what has this digest, None where it wasn't asked."""
        with self._lock:
            row = self._base.execute("SELECT reply FROM answers WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else _reply(json.loads(row[0]))

    def put(self, reply: Reply, sent: dict[str, Any]) -> None:
        """Keep an answer beside what was sent."""
        row = (reply.digest, json.dumps(sent, ensure_ascii=False), json.dumps(asdict(reply), ensure_ascii=False))
        with self._lock:
            self._base.execute("INSERT OR REPLACE INTO answers VALUES (?, ?, ?)", row)

    def __len__(self) -> int:
        with self._lock:
            return self._base.execute("SELECT count(*) FROM answers").fetchone()[0]


def _reply(data: dict[str, Any]) -> Reply:
    return Reply(**{**data, "without": tuple(data["without"])})
