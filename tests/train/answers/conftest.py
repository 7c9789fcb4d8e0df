"""Questions for tests of reading."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from medloom.schema.labels.table import table
from medloom.schema.question import Kind, Option, Question

CORPUS = yaml.safe_load(Path(__file__).with_name("corpus.yaml").read_text(encoding="utf-8"))
LETTERS = "ABCDEFGH"


def asked(kind: Kind, text: str, **more: Any) -> Question:
    """A question of that kind."""
    plain = dict.fromkeys(("key", "split", "suite", "rule", "source", "area", "task", "subset"), "x")
    told = {"clinical_task": "DD", "department": "PM", "granularity": "image", "modality": "CT"}
    return Question(id="q-0000000000000000", kind=kind, question=text, **{**plain, **told, **more})


def choice(options: list[str], *, several: bool = False, labels: bool = False) -> Question:
    """A question of choice."""
    every = tuple(
        Option(letter, text, table().id_of(text) if labels else None) for letter, text in zip(LETTERS, options, strict=False)
    )
    kind = Kind.MULTIPLE_CHOICE if several else Kind.SINGLE_CHOICE
    return asked(kind, "What does this radiograph show?", options=every, letters=("B",))


@pytest.fixture(name="asked")
def _asked() -> Callable[..., Question]:
    return asked


@pytest.fixture(name="choice")
def _choice() -> Callable[..., Question]:
    return choice


@pytest.fixture(scope="session")
def questions() -> Mapping[str, Question]:
    """The corpus' questions by name."""
    told = {"several": False, "labels": False}
    return {name: choice(**{**told, **one}) for name, one in CORPUS["questions"].items()}
