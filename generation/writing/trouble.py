"""What comes back from an endpoint: an answer's parts, or what went wrong and whether trying again helps."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from .pace import Clock

if TYPE_CHECKING:
    from collections.abc import Mapping

    from openai import APIStatusError, OpenAI

MOST_BYTES = 8 << 20
"""A longer answer is none."""
LONGEST_PAUSE_S = 600.0
OPTIONAL = ("response_format", "seed", "temperature", "max_tokens")
"""Parameters that a server may not know."""
_AGAIN = frozenset({408, 409, 425, 429})
_FATAL = frozenset({401, 402, 403, 404, 405, 410})
_SPENT = ("insufficient_quota", "billing_hard_limit_reached")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why there is no answer."""

    code: str
    """timeout, connection, rate-limited, server-error, no-completion, refused-request or refused-us."""
    found: str
    again: bool = False
    wait_s: float | None = None
    """What the server asks for."""
    fatal: bool = False
    """No other request will do better."""
    parameter: str | None = None
    """The parameter that the server doesn't know."""


def received(client: OpenAI, body: dict[str, Any], *, timeout_s: float, clock: Clock) -> dict[str, Any] | Trouble:
    """The parts of an answer (text, finish, model, tokens), or what went wrong.

    It is read piece by piece, so that one which drips for ever is cut off too.
    """
    import httpx2
    import openai

    until = time.monotonic() + timeout_s
    try:
        with client.chat.completions.with_streaming_response.create(**body) as response:
            read = bytearray()
            for piece in response.iter_bytes():
                read += piece
                if time.monotonic() > until:
                    return Trouble("timeout", f"no whole answer within {timeout_s:g} s", again=True)
                if len(read) > MOST_BYTES:
                    return Trouble("no-completion", f"more than {MOST_BYTES} bytes", again=True)
        return _parts(bytes(read))
    except openai.APIStatusError as error:
        return trouble_of(error, clock)
    except (openai.APITimeoutError, httpx2.TimeoutException):
        return Trouble("timeout", f"no answer within {timeout_s:g} s", again=True)
    except (openai.APIConnectionError, httpx2.HTTPError) as error:
        return Trouble("connection", f"{type(error.__cause__ or error).__name__}: the connection failed or was cut", again=True)


def trouble_of(error: APIStatusError, clock: Clock) -> Trouble:
    """What an HTTP status that is no success means."""
    status, message = error.status_code, _message(error)
    found = f"HTTP {status}: {message}"
    if status in _FATAL or 300 <= status < 400 or error.code in _SPENT or error.type in _SPENT:
        return Trouble("refused-us", found, fatal=True)
    if status in _AGAIN or status >= 500:
        wait_s = retry_after_s(error.response.headers, clock.utc())
        code = "rate-limited" if status == 429 else "server-error"
        return Trouble(code, found, again=wait_s is None or wait_s <= LONGEST_PAUSE_S, wait_s=wait_s)
    return Trouble("refused-request", found, parameter=_parameter(error, message))


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """The pause that a server asks for: `Retry-After` in seconds or as a date, or `retry-after-ms`; None where it doesn't."""
    try:
        if "retry-after-ms" in headers:
            seconds = float(headers["retry-after-ms"]) / 1000
        else:
            seconds = _seconds(headers["retry-after"], now)
    except (KeyError, ValueError):
        return None
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _seconds(value: str, now: datetime) -> float:
    try:
        return float(value)
    except ValueError:
        until = parsedate_to_datetime(value)
        return (until if until.tzinfo else until.replace(tzinfo=UTC)).timestamp() - now.timestamp()


def _parts(body: bytes) -> dict[str, Any] | Trouble:
    try:
        data = json.loads(body)
        choice, usage = data["choices"][0], data.get("usage") or {}
        message = choice["message"]
        refusal = message.get("refusal")
        text, finish = refusal or message.get("content") or "", "refusal" if refusal else choice.get("finish_reason") or "stop"
        tokens = {"tokens_in": usage.get("prompt_tokens"), "tokens_out": usage.get("completion_tokens")}
        return {"text": str(text), "finish": str(finish), "model": str(data.get("model") or ""), **tokens}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return Trouble("no-completion", f"{len(body)} bytes that are no chat completion", again=True)


def _message(error: APIStatusError) -> str:
    body = error.body
    stated = body.get("message") or body.get("detail") if isinstance(body, dict) else body
    return " ".join(str(stated or error.response.reason_phrase).split())[:200]


def _parameter(error: APIStatusError, message: str) -> str | None:
    if error.status_code not in (400, 422):
        return None
    told = f"{error.param or ''} {message} {json.dumps(error.body, default=str)}"
    words = {"json_schema": "response_format"} | {name: name for name in OPTIONAL}
    return next((name for word, name in words.items() if word in told), None)
