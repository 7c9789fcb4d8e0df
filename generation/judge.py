"""A model's judgement of a description against a reference report: 0 to 2 points on each of five attributes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .answers import Reply
from .endpoint import Client, Request, Unanswered
from .form import BadAnswer, Form
from .wording import wordings

ATTRIBUTES: Mapping[str, str] = {
    "modality": "how the image was made",
    "structures": "which organs, structures or findings are seen",
    "region": "where the regions lie and how large they are",
    "texture": "how the regions look: brightness, border, pattern",
    "local_global": "what the regions have to do with each other and with the whole",
}
"""Attribute → what it looks at."""
POINTS = (0, 2)
_FORM = Form("scores", {name: f"0, 1 or 2 points for {text}" for name, text in ATTRIBUTES.items()}, numbers=POINTS)


@dataclass(frozen=True, slots=True)
class Judged:
    """Points by attribute, and the reply that gave them."""

    points: Mapping[str, int]
    reply: Reply


def judge(client: Client, *, description: str, reference: str, seed: int = 0) -> Judged | Unanswered:
    """The points that a model gives a description; why not, where it gives none or no valid ones.

    Raises:
        EndpointError: the endpoint refuses us or is gone.
    """
    system, wording = "You compare texts on medical images, strictly and evenly.", wordings("written", "judge")[0]
    text = wording.fill(description=description.strip(), reference=reference.strip())
    reply = client.ask(Request(system=system, turns=(text,), form=_FORM, seed=seed))
    if isinstance(reply, Unanswered):
        return reply
    try:
        return Judged(_FORM.read(reply.text), reply)
    except BadAnswer as error:
        return Unanswered(error.code, error.found)
