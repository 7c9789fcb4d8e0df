"""What every model that answers has in common, wherever it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ..prediction import Reply

if TYPE_CHECKING:
    from PIL.Image import Image

Message = dict[str, Any]
"""`{"role": …, "content": [{"type": "image"}, {"type": "text", "text": …}]}`; images stand in a list of their own, in order."""


@dataclass(frozen=True, slots=True, eq=False)
class Turns:
    """What a model is given: messages that end with a user's, and the pictures of their placeholders."""

    messages: Sequence[Message]
    pictures: Sequence[Image]


SeenSize = Callable[[tuple[int, int]], tuple[int, int]]
"""Height and width of a stored picture → of what the model's processor makes of it, in px; it can be pickled."""


class Backend(Protocol):
    """A model that answers."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """What `results.json` says of it: backend, model, revision, dtype, decoding, versions; no key, no path of a machine."""
        ...

    @property
    def seen_size(self) -> SeenSize | None:
        """Where the processor is known here; None behind an endpoint."""
        ...

    @property
    def at_once(self) -> int:
        """How many requests are worth giving in one call."""
        ...

    def replies(self, turns: Sequence[Turns]) -> list[Reply]:
        """One reply each, in order. A request that fails gives a reply with its error; a backend that is gone raises.

        Raises:
            EndpointError: nothing answers any more.
        """
        ...
