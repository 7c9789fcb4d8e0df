"""A model behind any endpoint that speaks OpenAI's chat protocol; pictures go as data URLs of PNG.

Requests are concurrent, tried again where that may help, and answered from a file on disk where they were answered before: a
run that was killed asks again only for what was still under way. The key comes from `OPENAI_API_KEY` alone and is written
nowhere.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...generation.writing.answers import Answers
from ...generation.writing.endpoint import CHARACTERS_PER_TOKEN, Client, Endpoint, Unanswered, address, digest_of
from ...generation.writing.pace import Clock
from ..prediction import Reply
from .backend import SeenSize, Turns

if TYPE_CHECKING:
    from PIL.Image import Image

    from ...generation.writing.answers import Reply as Answered

REQUESTS_AT_ONCE = 8
"""For each that may be under way, so that none waits for the slowest."""


@dataclass(frozen=True, slots=True)
class Chat:
    """Turns as an endpoint is asked them."""

    messages: Sequence[Mapping[str, Any]]
    pictures: Sequence[bytes]
    """PNG, in the order of their placeholders."""
    seed: int = 0

    @classmethod
    def of(cls, turns: Turns, *, seed: int) -> Chat:
        """The turns with their pictures encoded."""
        return cls(turns.messages, tuple(map(_png, turns.pictures)), seed)

    def body(self, endpoint: Endpoint, *, digests: bool = False) -> dict[str, Any]:
        """See `Asked`."""
        addresses = iter([address("image/png", one, digests=digests) for one in self.pictures])
        messages = [
            {"role": one["role"], "content": [_part(part, addresses) for part in one["content"]]} for one in self.messages
        ]
        for one in messages:
            if all(part["type"] == "text" for part in one["content"]):  # some servers take nothing else of a system's turn
                one["content"] = "\n".join(part["text"] for part in one["content"])
        body = {"model": endpoint.model, "messages": messages, "max_tokens": endpoint.max_tokens, "seed": self.seed}
        return body if endpoint.temperature is None else body | {"temperature": endpoint.temperature}

    def digest(self, endpoint: Endpoint) -> str:
        """See `Asked`."""
        return digest_of(self.body(endpoint, digests=True), endpoint)

    @property
    def tokens(self) -> int:
        """See `Asked`."""
        texts = [part["text"] for one in self.messages for part in one["content"] if part["type"] == "text"]
        return -(-sum(map(len, texts)) // CHARACTERS_PER_TOKEN)


@dataclass(slots=True)
class EndpointBackend:
    """See `Backend`; a context that closes its connections and its file."""

    endpoint: Endpoint
    answers: Path
    seed: int = 0
    clock: Clock | None = None
    seen_size: SeenSize | None = None
    """Of the model behind it, for dialects of absolute px: `coordinates.seen.QWEN2_5_VL` and the like."""
    settings: Mapping[str, Any] = field(init=False)
    _kept: Answers = field(init=False)
    _client: Client = field(init=False)

    def __post_init__(self) -> None:
        self.settings = {
            "backend": "openai",
            "model": self.endpoint.model,
            "endpoint": self.endpoint.shown,
            "max_new_tokens": self.endpoint.max_tokens,
            "temperature": self.endpoint.temperature,
            "decoding_seed": self.seed,
            "seen": None if self.seen_size is None else repr(self.seen_size),
            "versions": {"openai": version("openai")},
        }
        self._kept = Answers(self.answers)
        try:
            self._client = Client(self.endpoint, self._kept, clock=self.clock)
        except BaseException:
            self._kept.__exit__()
            raise

    def __enter__(self) -> EndpointBackend:
        return self

    def __exit__(self, *error: object) -> None:
        self._client.__exit__()
        self._kept.__exit__()

    @property
    def at_once(self) -> int:
        """See `Backend`."""
        return REQUESTS_AT_ONCE * self.endpoint.concurrency

    def replies(self, turns: Sequence[Turns]) -> list[Reply]:
        """See `Backend`."""
        with ThreadPoolExecutor(self.endpoint.concurrency) as threads:
            under_way = [threads.submit(self._asked, one) for one in turns]
            try:
                return [_reply(one.result()) for one in under_way]
            except BaseException:
                self._client.stop()
                threads.shutdown(wait=False, cancel_futures=True)
                raise

    def _asked(self, turns: Turns) -> Answered | Unanswered:
        return self._client.ask(Chat.of(turns, seed=self.seed))


def _reply(came: Answered | Unanswered) -> Reply:
    if isinstance(came, Unanswered):
        return Reply(None, error=f"{came.code}: {came.found}")
    return Reply(came.text, came.finish, prompt_tokens=came.tokens_in, reply_tokens=came.tokens_out)


def _part(part: Mapping[str, Any], addresses: Any) -> dict[str, Any]:
    if part["type"] == "image":
        return {"type": "image_url", "image_url": {"url": next(addresses)}}
    return {"type": "text", "text": part["text"]}


def _png(picture: Image) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, format="PNG", compress_level=1)
    return stream.getvalue()
