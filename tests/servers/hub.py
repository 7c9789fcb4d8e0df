"""A server on loopback that speaks the Hub's protocol with the unmodified `huggingface_hub` and `datasets`.

Large files travel by LFS, or by real xet through a store in a local folder. Clients read `HF_ENDPOINT` when they are
imported, so tests run them in processes of their own, with `Hub.environment`.
"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, unquote, urlsplit

from hub_repository import Blob, Refused, Repository
from hub_routes import Answer, route
from hub_xet import Chunks

TOKEN, READER = "hf_writer00", "hf_reader00"
PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Request:
    """One request that was answered, or that was cut."""

    method: str
    path: str
    range: str | None
    status: int
    """0: the connection was cut."""
    bytes: int
    """Of the answer's body."""
    received: int = 0
    """Of the request's body."""


@dataclass
class Call:
    """A request on its way to its answer."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes = b""
    rights: str | None = None
    """`write`, `read`, or None for nobody in particular."""

    @property
    def parts(self) -> list[str]:
        """The path's parts, each with its own slashes."""
        return [unquote(part) for part in self.path.strip("/").split("/")]

    def json(self) -> Any:
        return json.loads(self.body or b"{}")


@dataclass
class _Cut:
    """When to drop a connection, and what to do then."""

    left: int
    unit: Literal["request", "byte"]
    then: Callable[[], object]


@dataclass
class _Refusal:
    status: int
    when: Callable[[Call], bool]
    left: int


class Hub:
    """A running server, its repositories, and everything that it was asked."""

    def __init__(self, folder: Path, *, xet: bool = False, page: int = 1000):
        self.folder, self.page = folder, page
        self.chunks = Chunks(folder / "xet" / "store") if xet else None
        self.tokens = {TOKEN: "write", READER: "read"}
        self.repositories: dict[str, Repository] = {}
        self.objects: dict[str, bytes] = {}
        self.requests: list[Request] = []
        self.lock = threading.RLock()
        self._cut: _Cut | None = None
        self._refusals: list[_Refusal] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Hub:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def storage(self) -> str:
        """Where large files lie: another origin, as with the Hub, so that clients don't send tokens there."""
        return f"http://localhost:{self._server.server_address[1]}"

    def environment(self, home: Path, *, token: str | None = TOKEN) -> dict[str, str]:
        """The variables of a client: this process's own without anybody's Hub settings or proxies, and this server's."""
        own = {name: value for name, value in os.environ.items() if not re.match(r"(?i)HF_|HUGGING|.*_proxy$", name)}
        own |= {"HF_ENDPOINT": self.url, "HF_HOME": str(home), "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "*"}
        own |= {} if self.chunks is not None else {"HF_HUB_DISABLE_XET": "1"}
        return own | ({"HF_TOKEN": token} if token is not None else {})

    def files(self, repo: str, revision: str = "main") -> dict[str, bytes]:
        """Path → bytes of everything in a dataset repository."""
        with self.lock:
            return {path: self.content(blob) for path, blob in self.repository(repo).at(revision).files.items()}

    def repository(self, repo: str, kind: str = "datasets") -> Repository:
        found = self.repositories.get(f"{kind}/{repo}")
        if found is None:
            raise Refused(404, "Repository not found", "RepoNotFound")
        return found

    def content(self, blob: Blob) -> bytes:
        """A file's bytes, wherever they are stored."""
        if blob.sha256 is None:
            return blob.content or b""
        if blob.sha256 in self.objects:
            return self.objects[blob.sha256]
        assert self.chunks is not None
        return self.chunks.read(blob.sha256)

    def stored(self, sha256: str) -> bool:
        return sha256 in self.objects or (self.chunks is not None and self.chunks.known(sha256) is not None)

    def cut_after(
        self, n: int, *, unit: Literal["request", "byte"] = "request", then: Callable[[], object] = lambda: None
    ) -> None:
        """Drop the connection once, at the n-th request from now or at the n-th byte that clients send from now."""
        with self.lock:
            self._cut = _Cut(n, unit, then)

    def refuse(self, status: int, *, when: Callable[[Call], bool] = lambda call: True, times: int = 1 << 30) -> None:
        """Answer requests that fit with a status; 0 times takes nothing back, see `accept`."""
        with self.lock:
            self._refusals.append(_Refusal(status, when, times))

    def accept(self) -> None:
        """Take back every refusal and cut."""
        with self.lock:
            self._refusals.clear()
            self._cut = None

    def counts(self, unit: Literal["request", "byte"], n: int) -> bool:
        """Whether the connection is to be dropped after `n` more requests or bytes."""
        with self.lock:
            cut = self._cut
            if cut is None or cut.unit != unit:
                return False
            cut.left -= n
            if cut.left > 0:
                return False
            self._cut = None
        cut.then()
        return True

    def refused(self, call: Call) -> int | None:
        with self.lock:
            for refusal in self._refusals:
                if refusal.left > 0 and refusal.when(call):
                    refusal.left -= 1
                    return refusal.status
        return None


class _Dropped(Exception):
    """The connection is to be dropped."""


def _handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def handle(self) -> None:
            with suppress(ConnectionError):  # of a client that was killed
                super().handle()

        def _serve(self) -> None:
            url = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            call = Call(self.command, url.path, parse_qs(url.query), headers)
            received = [0]
            try:
                if hub.counts("request", 1):
                    raise _Dropped
                call.body = b"".join(self._pieces(received))
                answer = _answer(hub, call)
                self._give(call, answer)
                self._note(call, answer.status, len(answer.body), received[0])
            except (_Dropped, BrokenPipeError, ConnectionResetError):
                self._note(call, 0, 0, received[0])
                self._drop()

        do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = _serve

        def _note(self, call: Call, status: int, sent: int, received: int) -> None:
            with hub.lock:
                sent = 0 if call.method == "HEAD" else sent
                hub.requests.append(Request(call.method, self.path, call.headers.get("range"), status, sent, received))

        def _pieces(self, received: list[int]) -> Any:
            if self.headers.get("transfer-encoding") == "chunked":
                while size := int(self.rfile.readline(), 16):
                    yield from self._read(size, received)
                    self.rfile.readline()
                self.rfile.readline()
            else:
                yield from self._read(int(self.headers.get("content-length", 0)), received)

        def _read(self, size: int, received: list[int]) -> Any:
            while size > 0:
                piece = self.rfile.read(min(size, PIECE))
                if not piece:
                    raise _Dropped
                size -= len(piece)
                received[0] += len(piece)
                if hub.counts("byte", len(piece)):
                    raise _Dropped
                yield piece

        def _give(self, call: Call, answer: Answer) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            if "content-length" not in {name.lower() for name in answer.headers}:
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if call.method != "HEAD":
                self.wfile.write(answer.body)

        def _drop(self) -> None:
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


def _answer(hub: Hub, call: Call) -> Answer:
    refusal = hub.refused(call)
    if refusal is not None:
        return Answer.refusal(refusal, f"scripted {refusal}")
    token = call.headers.get("authorization", "").removeprefix("Bearer ")
    if token and token not in hub.tokens:
        return Answer.refusal(401, "Invalid credentials in Authorization header")
    call.rights = hub.tokens.get(token)
    try:
        return route(hub, call)
    except Refused as refused:
        return Answer.refusal(refused.status, refused.message, refused.code)
