"""Turns of unequal length with pictures of noise."""

from __future__ import annotations

import numpy as np
from PIL import Image

from medloom.train.predicting.backend import Turns

WORDS = ("What is shown here?", "Which of these is it?", "A. liver", "B. spleen", "Find the kidney, and give its box.")


def turns(text: str, *, number: int = 0, shots: int = 0) -> Turns:
    """A user's turn with a picture of its own, after some answered ones."""
    random = np.random.default_rng(number)
    pictures = [Image.fromarray(random.integers(0, 255, (32, 32, 3), np.uint8)) for _ in range(shots + 1)]
    asked = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}
    said = {"role": "assistant", "content": [{"type": "text", "text": "A"}]}
    return Turns([*[asked, said] * shots, asked], pictures)


def some_turns() -> list[Turns]:
    """Nine, the last with two examples before it."""
    texts = [" ".join(WORDS[: 1 + number % 4]) for number in range(8)]
    return [*(turns(text, number=number) for number, text in enumerate(texts)), turns(WORDS[0], number=9, shots=2)]
