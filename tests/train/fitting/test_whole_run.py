"""What users of a run aren't told: one warning that no setting of theirs leads to."""

from __future__ import annotations

import warnings

import pytest
from tiny_models import bare

from medloom.train.fitting.whole_run import without_a_deprecation


def test_the_name_that_peft_asks_for_is_not_warned_of_and_all_else_is():
    model = bare("llava")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(FutureWarning):
            _ = model.is_gradient_checkpointing
        without_a_deprecation()
        assert model.is_gradient_checkpointing is False
        with pytest.raises(FutureWarning, match="is_other"):
            warnings.warn("`is_other` is deprecated", FutureWarning, stacklevel=1)
