"""The explorer over HTTP: the page, data made once, and blocks, thumbnails and images made when they are asked for.

On loopback only names of loopback are answered, so that no other page can read a release by a name that it resolves here.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import orjson

from ...schema.errors import UsageError
from .about import about
from .index import index_pack, keys_pack
from .packing import json_pack
from .page_files import HEADERS, page_files, plotly
from .pairs import pairs
from .sights import Sights
from .told import Told

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

PACK, JSON, JPEG = "application/octet-stream", "application/json", "image/jpeg"
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
KEPT = 4096
"""Thumbnails that are remembered, some 6 kB each."""


def application(sights: Sights, told: Told, *, hosts: tuple[str, ...] = LOOPBACK) -> Starlette:
    """The explorer of a release as an ASGI application that answers to some host names; `*` is any."""
    from starlette.applications import Starlette
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.routing import Route

    rows = sights.rows
    whole = {
        "release.json": (lambda: orjson.dumps(about(sights, told, sheets=False, images=True)), JSON),
        "index.pack": (lambda: index_pack(sights, told), PACK),
        "keys.pack": (lambda: keys_pack(rows), PACK),
        "pairs.pack": (lambda: json_pack(pairs(rows).as_json()), PACK),
    }
    parts: dict[str, tuple[Callable[[int], bytes | None], str, int]] = {
        "/records/{number:int}.pack": (lambda block: json_pack(told.records(block)), PACK, rows.blocks),
        "/questions/{number:int}.pack": (lambda block: json_pack(told.questions(block)), PACK, rows.blocks),
        "/thumbs/{number:int}.jpg": (lru_cache(KEPT)(sights.thumb), JPEG, len(rows)),
    }
    made = [Route(path, _numbered(make, kind, below=count)) for path, (make, kind, count) in parts.items()]
    routes = [*made, Route("/images/{number:int}", _images(sights, len(rows))), Route("/data/{name}", _whole(whole))]
    routes += [Route("/", _page), Route("/{name}", _page)]
    trusted = Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    return Starlette(routes=routes, middleware=[trusted])


def serve(sights: Sights, told: Told, *, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve until interrupted; `ready` is called with the address once the port is ours.

    Raises:
        UsageError: the port can't be had, or the extra `explore` isn't installed.
    """
    try:
        import uvicorn
    except ImportError as error:
        raise UsageError("the explorer serves with uvicorn; expected it; install 'medloom[explore]'") from error
    hosts = LOOPBACK if is_loopback(host) else ("*",)
    config = uvicorn.Config(application(sights, told, hosts=hosts), log_level="warning", access_log=False)
    with _listening(host, port) as listening:
        name = f"[{host}]" if ":" in host else host
        ready(f"http://{name}:{listening.getsockname()[1]}/")
        with suppress(KeyboardInterrupt):
            uvicorn.Server(config).run(sockets=[listening])


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise UsageError(f"{host}:{port}: {error.strerror}; expected a free port of this machine; give --port 0") from error


def _page(request: Request) -> Response:
    """A file of the page, or the plotting library."""
    name = request.path_params.get("name", "index.html")
    if name == "plotly.min.js":
        return _response(plotly().read_bytes(), "text/javascript", {"Cache-Control": "max-age=86400"})
    found = page_files().get(name)
    return _response(*found) if found is not None else _missing()


def _whole(made: Mapping[str, tuple[Callable[[], bytes], str]]) -> Callable[[Request], Response]:
    once = {name: lru_cache(1)(make) for name, (make, _) in made.items()}

    def answer(request: Request) -> Response:
        name = request.path_params["name"]
        return _response(once[name](), made[name][1]) if name in once else _missing()

    return answer


def _numbered(make: Callable[[int], bytes | None], kind: str, *, below: int) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        number = request.path_params["number"]
        body = make(number) if number < below else None
        return _response(body, kind) if body is not None else _missing()

    return answer


def _images(sights: Sights, count: int) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        row = request.path_params["number"]
        found = sights.stored(row) if row < count else None
        return _response(*found) if found is not None else _missing()

    return answer


def _response(body: bytes, kind: str, more: Mapping[str, Any] = HEADERS) -> Response:
    from starlette.responses import Response

    return Response(body, media_type=kind, headers={**HEADERS, **more})


def _missing() -> Response:
    from starlette.responses import PlainTextResponse

    return PlainTextResponse("nothing here", status_code=404, headers=dict(HEADERS))
