"""How fast an endpoint is asked: requests and tokens in any minute, and the pauses that it demands."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

MINUTE_S, LEAST_S = 60.0, 0.001


@dataclass(frozen=True, slots=True)
class Clock:
    """Time as the client feels it; tests give one that doesn't wait."""

    now: Callable[[], float] = time.monotonic
    """Seconds that only grow."""
    sleep: Callable[[float], None] = time.sleep
    utc: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))


class Pace:
    """A gate that every request passes: at most so many requests and tokens in any 60 seconds, for all threads together."""

    def __init__(self, requests: int | None, tokens: int | None, *, clock: Clock):
        self._most_requests, self._most_tokens, self._clock = requests, tokens, clock
        self._taken: deque[tuple[float, int]] = deque()
        self._closed_until = float("-inf")
        self._lock = threading.Lock()

    def take(self, tokens: int, *, stopped: Callable[[], bool] = lambda: False) -> None:
        """Come back when a request of so many tokens may go out; at once where the run was stopped.

        A request larger than the limit goes out alone.
        """
        while not stopped() and (wait := self._wait(tokens)) > 0:
            self._clock.sleep(wait)

    def hold(self, seconds: float) -> None:
        """Let nothing out for so long, since the server asks for it."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock.now() + seconds)

    def _wait(self, tokens: int) -> float:
        """Seconds until it is worth asking again; 0 with the place taken."""
        with self._lock:
            now = self._clock.now()
            while self._taken and self._taken[0][0] <= now - MINUTE_S:
                self._taken.popleft()
            if now < self._closed_until:
                return self._closed_until - now
            if self._taken and self._full(tokens):
                return max(self._taken[0][0] + MINUTE_S - now, LEAST_S)  # 0 would say that the place is taken
            self._taken.append((now, tokens))
            return 0.0

    def _full(self, tokens: int) -> bool:
        many = self._most_requests is not None and len(self._taken) >= self._most_requests
        return many or (self._most_tokens is not None and sum(one for _, one in self._taken) + tokens > self._most_tokens)
