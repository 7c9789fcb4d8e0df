"""A server on loopback that speaks OpenAI's chat protocol and answers as a script says, for tests of the model-made paths."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    """What the server does with a request."""

    text: str | None = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    error: dict[str, Any] | None = None
    raw: bytes | None = None
    cut_after: int | None = None
    """Bytes of the body after which the connection is reset."""
    pause_s: float = 0.0
    """Before the answer begins."""
    drip_s: float = 0.0
    """Between two bytes of the body."""
    finish: str = "stop"
    refusal: str | None = None
    model: str = "scripted-1"


Script = Callable[[Body, int], Answer]
"""From a request and the number of earlier ones that were equal to it."""


class Scripted:
    """A running server, and everything that it was asked."""

    def __init__(self, script: Script):
        self.script, self.bodies, self.keys = script, [], []
        self.headers: list[dict[str, str]] = []
        self.most_at_once = self._at_once = 0
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Scripted:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                with server._lock:
                    known = json.dumps(body, sort_keys=True)
                    before = server.keys.count(known)
                    server.keys.append(known)
                    server.bodies.append(body)
                    server.headers.append({name.lower(): value for name, value in self.headers.items()})
                    server._at_once += 1
                    server.most_at_once = max(server.most_at_once, server._at_once)
                try:
                    self._give(server.script(body, before))
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True
                finally:
                    with server._lock:
                        server._at_once -= 1

            def _give(self, answer: Answer) -> None:
                time.sleep(answer.pause_s)
                sent = answer.raw if answer.raw is not None else json.dumps(_whole(answer)).encode()
                self.send_response(answer.status)
                for name, value in {"content-type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(sent)))
                self.end_headers()
                if answer.cut_after is not None:
                    self.wfile.write(sent[: answer.cut_after])
                    self.wfile.flush()
                    self.close_connection = True
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                elif answer.drip_s:
                    for byte in sent:
                        self.wfile.write(bytes([byte]))
                        self.wfile.flush()
                        time.sleep(answer.drip_s)
                else:
                    self.wfile.write(sent)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler


def _whole(answer: Answer) -> dict[str, Any]:
    if answer.status != 200:
        return {"error": answer.error or {"message": f"scripted {answer.status}"}}
    message = {"role": "assistant", "content": answer.text, "refusal": answer.refusal}
    choice = {"index": 0, "message": message, "finish_reason": answer.finish, "logprobs": None}
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": answer.model}
    return {**head, "choices": [choice], "usage": usage}


def said(body: Body) -> str:
    """The text of the first turn of the user."""
    content = next(one["content"] for one in body["messages"] if one["role"] == "user")
    return content if isinstance(content, str) else content[-1]["text"]


def fields(body: Body) -> list[str]:
    """Names of the fields that are asked for."""
    return re.findall(r"^- (\w+): ", body["messages"][0]["content"].split("Its keys:")[1], re.MULTILINE)


def good(body: Body) -> str:
    """A reply that keeps all rules."""
    text, names = said(body), fields(body)
    if names == ["question", "answer"]:
        wanted = named(body)
        pointer = next((one for one in ("in the box", "at the marked point", "under the mask") if one in text), "on this image")
        question = f"Why would anyone look closely at what is seen {pointer}?"
        return json.dumps({"question": question, "answer": f"It is the {wanted}, as it matters here."})
    regions = dict(re.findall(r"^- Region (\d+): (.+?); number of them", text, re.MULTILINE))
    told = {"global": "A medical picture with some regions that were looked at."}
    told |= {f"region_{number}": f"The {label} can be seen." for number, label in regions.items()}
    told["relation"] = "All of it lies within the same field of view."
    return json.dumps(told)


def named(body: Body) -> str:
    """What a request for a question is about."""
    every = re.findall(r"^- Region \d+: (.+?); number of them", said(body), re.MULTILINE)
    asked = said(body).rpartition("\n\n")[2]
    fit = [re.sub(r"^(left|right) ", "", one) for one in every]
    return max((one for one in fit if one in asked), key=len)
