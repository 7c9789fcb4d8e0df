"""Tiny models with the processors of their families, and a few turns to answer."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tiny_models import WITH_TORCHVISION, tiny

from medloom.train.predicting.backend import Turns

WORDS = ("What is shown here?", "Which of these is it?", "A. liver", "B. spleen", "Find the kidney, and give its box.")


@pytest.fixture(scope="session")
def model(shared_folder: Path) -> Callable[[str], Path]:
    """The folder of a family's tiny model, made once for all tests of the run."""
    from filelock import FileLock

    def one(family: str) -> Path:
        if family in WITH_TORCHVISION and importlib.util.find_spec("torchvision") is None:
            pytest.skip(f"{family}: torchvision is absent; the second job of `make test` brings it")
        folder = shared_folder / "predicting-models" / family
        folder.parent.mkdir(exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not folder.exists():
                tiny(family, folder, WORDS)
        return folder

    return one


def turns(text: str, *, number: int = 0, shots: int = 0) -> Turns:
    """A user's turn with a picture of its own, after some answered ones."""
    random = np.random.default_rng(number)
    pictures = [Image.fromarray(random.integers(0, 255, (32, 32, 3), np.uint8)) for _ in range(shots + 1)]
    asked = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}
    said = {"role": "assistant", "content": [{"type": "text", "text": "A"}]}
    return Turns([*[asked, said] * shots, asked], pictures)


@pytest.fixture
def some() -> list[Turns]:
    """Nine of unequal length, the last with two examples before it."""
    texts = [" ".join(WORDS[: 1 + number % 4]) for number in range(8)]
    return [*(turns(text, number=number) for number, text in enumerate(texts)), turns(WORDS[0], number=9, shots=2)]
