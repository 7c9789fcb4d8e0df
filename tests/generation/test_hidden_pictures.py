"""Pictures that nobody may pass on stay off previews and out of tasks; processing by others is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from drawn_rights import right, state

from medloom.generation.review.preview import preview
from medloom.generation.review.task_files import export
from medloom.generation.writing.cost import estimate
from medloom.generation.writing.endpoint import KEY, Endpoint
from medloom.generation.writing.plan import Wish
from medloom.schema.errors import UsageError
from medloom.schema.gate_overrides import Override, record_overrides

FAR = Endpoint(base_url="https://models.example.org/v1", model="Small/1")
FEW = Wish(kinds=["reasoning"], limit=1)


def test_previews_leave_them_out_and_say_so(hand):
    state(hand.release, "phantom", licence="unstated", rights={})
    page = preview(hand.release, "hand", count=99, seed=0)
    assert "<img" not in page
    assert "12 pictures were left out" in page
    assert preview(hand.release, "hand", count=99, seed=0, all_pictures=True).count("<article") == 12


def test_single_samples_are_left_out(hand):
    keys = sorted({one.key for one in hand.questions})
    import pyarrow.parquet as pq

    order = pq.read_table(hand.release.index_path("phantom"), columns=["key"])["key"].to_pylist()
    state(hand.release, "phantom", samples=["CC-BY-ND-4.0" if key == keys[0] else "CC0-1.0" for key in order])
    left = sum(one.key == keys[0] for one in hand.questions)
    page = preview(hand.release, "hand", count=99, seed=0)
    assert page.count("<article") == 12 - left
    assert f"(phantom {left})" in page


@pytest.mark.parametrize("images_at", [None, "https://images.example.org"])
@pytest.mark.parametrize("count", [None, 99])
def test_tasks_leave_them_out_and_count_them(hand, tmp_path: Path, images_at: str | None, count: int | None):
    state(hand.release, "phantom", licence="unstated", rights={})
    told = export(hand.release, "hand", tmp_path, images_at=images_at, count=count)
    assert (told["questions"], told["withheld"]) == (0, {"phantom": 12})
    assert json.loads((tmp_path / "tasks.json").read_text()) == []
    assert not list(tmp_path.glob("images/*"))
    told = export(hand.release, "hand", tmp_path, images_at=images_at, count=count, all_pictures=True)
    assert (told["questions"], told["withheld"]) == (12, {})


def test_what_others_may_not_process_stays_on_this_machine(hand, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(KEY, "sk-something")
    assert estimate(hand.release.root, FAR, FEW)["requests"] > 0
    state(hand.release, "phantom", rights={"processing": right("LicenseRef-read-only")})
    with pytest.raises(UsageError, match=r"phantom: nobody grants processing by others \(LicenseRef-read-only\), and models\."):
        estimate(hand.release.root, FAR, FEW)
    near = replace(FAR, base_url="http://127.0.0.1:9/v1")
    assert estimate(hand.release.root, near, FEW)["requests"] > 0
    reason = Override(gate="licence", code="processing-not-granted", source="phantom", reason="a contract")
    record_overrides(hand.release.root, [reason])
    assert estimate(hand.release.root, FAR, FEW)["requests"] > 0
