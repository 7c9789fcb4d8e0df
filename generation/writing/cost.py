"""What a run of `medloom write` would cost, before anything is sent."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...schema.release import Release
from .answers import Answers
from .endpoint import Endpoint
from .plan import Planned, Wish


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a million tokens cost, in any currency."""

    tokens_in: float = 0.0
    tokens_out: float = 0.0


def estimate(release: Path | str, endpoint: Endpoint, wish: Wish, *, price: Price | None = None) -> dict[str, Any]:
    """What `write` would ask for, before anything is sent: requests, tokens as a quarter of the characters, and their price.

    `tokens_out_at_most` is what the answers may take; questions that are refused are asked for again, up to `tries` times.
    """
    made, cost = Planned(Release.open(release), endpoint, wish), price or Price()
    path, found = made.answers, Counter[str]()
    with Answers(path) if path.exists() else nullcontext() as answers:
        for draft in made.drafts():
            kept = answers is not None and answers.get(draft.request.digest(endpoint)) is not None
            found["answered"] += kept
            found["requests"] += not kept
            found["tokens_in"] += 0 if kept else draft.request.tokens
            found[draft.rule] += 1
    out = found["requests"] * endpoint.max_tokens
    return {
        "release": str(made.release.root),
        "suite": made.suite,
        "model": endpoint.model,
        "endpoint": endpoint.shown,
        "rules": {f"written-{kind}": found[f"written-{kind}"] for kind in wish.kinds},
        "requests": found["requests"],
        "answered_already": found["answered"],
        "tokens_in": found["tokens_in"],
        "tokens_out_at_most": out,
        "tokens_are": "estimated: characters / 4, pictures not counted",
        "images": found["requests"] if wish.with_image else 0,
        "price_at_most": round((found["tokens_in"] * cost.tokens_in + out * cost.tokens_out) / 1e6, 4),
        "tries": wish.tries,
    }
