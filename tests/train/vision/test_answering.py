"""Models that answer here, of the families whose processors need torchvision: a batch gives what one by one gives."""

from __future__ import annotations

from pathlib import Path

import pytest
from drawn_turns import WORDS, some_turns
from tiny_models import WITH_TORCHVISION, tiny

pytest.importorskip("torchvision", reason="torchvision is absent; `make tests` runs this folder with it", exc_type=ImportError)

from medloom.train.predicting.transformers_backend import Decoding, TransformersBackend


@pytest.mark.parametrize("family", WITH_TORCHVISION)
def test_batches_give_what_one_by_one_gives(family: str, tmp_path: Path):
    folder = tiny(family, tmp_path / family, WORDS)
    how = {"device": "cpu", "decoding": Decoding(max_new_tokens=6)}
    batched, single = (TransformersBackend.open(folder, batch_size=size, **how).replies(some_turns()) for size in (4, 1))
    assert [(one.text, one.prompt_tokens) for one in batched] == [(one.text, one.prompt_tokens) for one in single]
    assert all(one.text is not None and one.error is None for one in batched)
