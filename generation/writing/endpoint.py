"""One client for all endpoints that speak OpenAI's chat protocol, such as vLLM, llama.cpp, `transformers serve` and OpenAI.

Base URL and model are options; the key comes from `OPENAI_API_KEY` alone and is written nowhere, also where a server echoes
it. A request is answered from disk where it was answered before. What can be tried again is (timeouts, cut connections, 429,
5xx), with growing waits or the server's own `Retry-After`; parameters that a server doesn't know are left out and said so.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import threading
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from ...schema.errors import EndpointError, UsageError
from ..chance import Chance
from .answers import Answers, Reply
from .form import Form
from .pace import Clock, Pace
from .trouble import OPTIONAL, Trouble, received

if TYPE_CHECKING:
    from openai import OpenAI

KEY = "OPENAI_API_KEY"
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
MOST_IN_A_ROW = 8
"""Requests without answer after which the endpoint counts as gone."""
CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where questions go, and how."""

    base_url: str
    """Such as http://127.0.0.1:8000/v1."""
    model: str
    timeout_s: float = 120.0
    """For a whole answer, however slowly it drips."""
    attempts: int = 6
    """Tries of one request before it is left unanswered."""
    concurrency: int = 4
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    max_tokens: int = 800
    temperature: float | None = None
    """None leaves it to the server."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise UsageError(f"base URL {_bare(self.base_url)!r}; expected one like http://127.0.0.1:8000/v1")
        if parts.username or parts.password:
            raise UsageError(f"base URL {_bare(self.base_url)!r} holds a name or password; expected the key in {KEY} alone")
        if not self.model.strip():
            raise UsageError("model ''; expected the name by which the endpoint knows it")

    @property
    def loopback(self) -> bool:
        """Whether it runs on this machine."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return host == "localhost" or ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    @property
    def shown(self) -> str:
        """For provenance: the host, or `loopback`."""
        return "loopback" if self.loopback else urlsplit(self.base_url).netloc


class Asked(Protocol):
    """What an endpoint can be asked."""

    def body(self, endpoint: Endpoint, *, digests: bool = False) -> dict[str, Any]:
        """All that is sent; with `digests` a picture's SHA-256 stands for its bytes."""
        ...

    def digest(self, endpoint: Endpoint) -> str:
        """SHA-256 of all that is sent, and where to."""
        ...

    @property
    def tokens(self) -> int:
        """The text's tokens, estimated as a quarter of its characters; pictures aren't counted."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to a model: turns of user and assistant, the user's first, and the form of the answer."""

    system: str
    turns: tuple[str, ...]
    form: Form
    seed: int
    images: tuple[tuple[str, bytes], ...] = ()
    """Media type and bytes; they stand before the first turn."""

    def body(self, endpoint: Endpoint, *, digests: bool = False) -> dict[str, Any]:
        """All that is sent; with `digests` a picture's SHA-256 stands for its bytes."""
        first = [{"type": "image_url", "image_url": {"url": address(*image, digests=digests)}} for image in self.images]
        roles = ("user", "assistant")
        messages: list[dict[str, Any]] = [{"role": "system", "content": f"{self.system.strip()}\n\n{self.form.in_words}"}]
        messages += [{"role": roles[place % 2], "content": turn} for place, turn in enumerate(self.turns)]
        if first:
            messages[1]["content"] = [*first, {"type": "text", "text": self.turns[0]}]
        wish = {"name": self.form.name, "strict": True, "schema": self.form.schema}
        body = {"model": endpoint.model, "messages": messages, "max_tokens": endpoint.max_tokens, "seed": self.seed}
        body["response_format"] = {"type": "json_schema", "json_schema": wish}
        return body if endpoint.temperature is None else body | {"temperature": endpoint.temperature}

    def digest(self, endpoint: Endpoint) -> str:
        """SHA-256 of all that is sent, and where to."""
        return digest_of(self.body(endpoint, digests=True), endpoint)

    @property
    def tokens(self) -> int:
        """The text's tokens, estimated as a quarter of its characters; pictures aren't counted."""
        return -(-len("".join((self.system, self.form.in_words, *self.turns))) // CHARACTERS_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A request that got no answer; nothing of it is kept, and the next run asks again."""

    code: str
    found: str


class Client:
    """Asks an endpoint; made for threads."""

    def __init__(self, endpoint: Endpoint, answers: Answers, *, clock: Clock | None = None):
        self._stop, self._lock = threading.Event(), threading.Lock()
        self.endpoint, self._answers, self._clock = endpoint, answers, clock or Clock(sleep=self._wait)
        self._key = os.environ.get(KEY, "").strip()
        self._open = _opened(endpoint, self._key)
        self._pace = Pace(endpoint.requests_per_minute, endpoint.tokens_per_minute, clock=self._clock)
        self._slots = threading.BoundedSemaphore(endpoint.concurrency)
        self._without: tuple[str, ...] = ()
        self._in_a_row = 0

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()
        self._open.close()

    def stop(self) -> None:
        """Let nothing more out; requests under way end by themselves."""
        self._stop.set()

    def ask(self, request: Asked) -> Reply | Unanswered:
        """The answer, from disk where it is there.

        Raises:
            EndpointError: the endpoint refuses us, has no such model, or doesn't answer at all any more.
        """
        digest = request.digest(self.endpoint)
        known = self._answers.get(digest)
        if known is not None:
            return known
        with self._slots:
            return self._asked(request, digest)

    def _asked(self, request: Asked, digest: str) -> Reply | Unanswered:
        trouble = Trouble("stopped", "the run was stopped")
        for attempt in range(1, self.endpoint.attempts + 1):
            self._pace.take(request.tokens + self.endpoint.max_tokens, stopped=self._stop.is_set)
            if self._stop.is_set():
                return Unanswered("stopped", "the run was stopped")
            came = self._sent(request, digest, attempt)
            if isinstance(came, Reply):
                self._answers.put(came, request.body(self.endpoint, digests=True))
                self._in_a_row = 0
                return came
            trouble = came
            if not came.again or attempt == self.endpoint.attempts:
                break
            self._rest(came, Chance(digest, attempt), attempt)
        return self._given_up(trouble)

    def _sent(self, request: Asked, digest: str, attempt: int) -> Reply | Trouble:
        """One try; parameters that the server doesn't know are left out from here on, at no try's cost."""
        asked_at = self._clock.utc().strftime("%Y-%m-%dT%H:%M:%SZ")
        came: dict[str, Any] | Trouble = Trouble("refused-request", "the server knows none of our parameters")
        for _ in range(len(OPTIONAL) + 1):
            without = self._without
            body = _less(request.body(self.endpoint), without)
            came = received(self._open, body, timeout_s=self.endpoint.timeout_s, clock=self._clock)
            if not isinstance(came, Trouble):
                more = {"digest": digest, "asked_at": asked_at, "attempts": attempt, "without": without}
                return Reply(**{**came, "text": self._scrubbed(came["text"]), "model": self._scrubbed(came["model"])}, **more)
            if came.parameter is None or came.parameter in without:
                return came
            with self._lock:
                self._without = tuple(sorted({*self._without, came.parameter}))
        return came

    def _rest(self, trouble: Trouble, chance: Chance, attempt: int) -> None:
        """Wait before the next try: as long as the server asks for, else twice as long as before with some chance in it."""
        if trouble.wait_s is not None:
            self._pace.hold(trouble.wait_s)
            return
        self._clock.sleep(min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (attempt - 1)) * chance.between(0.5, 1.0))

    def _wait(self, seconds: float) -> None:
        """A sleep that ends when the run is stopped."""
        self._stop.wait(seconds)

    def _given_up(self, trouble: Trouble) -> Unanswered:
        found = self._scrubbed(trouble.found)
        with self._lock:
            self._in_a_row += 1
            gone = self._in_a_row >= MOST_IN_A_ROW
        if trouble.fatal or gone:
            self.stop()
            how = "it was stopped" if trouble.fatal else f"{MOST_IN_A_ROW} requests in a row got no answer"
            raise EndpointError(
                f"{self.endpoint.shown}, model {self.endpoint.model}: {found}; expected an answer; {how}; "
                "answers so far are kept, and the same command goes on from there"
            )
        return Unanswered(trouble.code, found)

    def _scrubbed(self, text: str) -> str:
        return text.replace(self._key, "***") if len(self._key) > 3 else text


def _opened(endpoint: Endpoint, key: str) -> OpenAI:
    """A client that follows no redirect, and goes through no proxy to this machine."""
    try:
        from openai import DefaultHttpxClient, OpenAI
    except ImportError as error:
        raise UsageError(f"{error}; expected the extra `models`; `pip install 'medloom[models]'`") from error
    if not key and not endpoint.loopback:
        raise UsageError(f"{KEY} is empty; expected the endpoint's key in it for {endpoint.shown}")
    http = DefaultHttpxClient(follow_redirects=False, trust_env=not endpoint.loopback)
    return OpenAI(
        api_key=key or "none", base_url=endpoint.base_url, max_retries=0, timeout=endpoint.timeout_s, http_client=http
    )


def digest_of(body: dict[str, Any], endpoint: Endpoint) -> str:
    """SHA-256 of a request's body, in which digests stand for pictures, and where it goes."""
    sent = {"base_url": endpoint.base_url.rstrip("/"), **body}
    return hashlib.sha256(json.dumps(sent, sort_keys=True).encode(errors="surrogatepass")).hexdigest()


def address(media_type: str, image: bytes, *, digests: bool) -> str:
    """A picture as a data URL, or its SHA-256 in its place."""
    if digests:
        return f"sha256:{hashlib.sha256(image).hexdigest()}"
    return f"data:{media_type};base64,{b64encode(image).decode()}"


def _less(body: dict[str, Any], without: tuple[str, ...]) -> dict[str, Any]:
    """The body without some parameters; newer servers call `max_tokens` otherwise."""
    less = {name: value for name, value in body.items() if name not in without}
    return less | {"max_completion_tokens": body["max_tokens"]} if "max_tokens" in without else less


def _bare(url: str) -> str:
    """The URL without what may be secret in it."""
    return url.rpartition("@")[2].partition("?")[0]
