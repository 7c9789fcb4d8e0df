"""General sets: every form and file gives the same turns, and what can't be used is told when a set is opened."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import Dataset, Features, List, Value
from datasets import Image as Picture
from PIL import Image
from trl.data_utils import prepare_multimodal_messages

from medloom.schema.errors import UsageError
from medloom.train.data.arguments import General
from medloom.train.data.general import GeneralRows

TURNS = [
    {"from": "human", "value": "<image>\nWhat is it?"},
    {"from": "gpt", "value": "A cat."},
    {"from": "human", "value": "Which colour?"},
    {"from": "gpt", "value": "Blue."},
]


def asked(*blocks: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "image"} if one == "<image>" else text(one) for one in blocks]}


def said(words: str) -> dict[str, Any]:
    return {"role": "assistant", "content": [text(words)]}


def text(words: str) -> dict[str, str]:
    return {"type": "text", "text": words}


FIRST = [asked("<image>", "What is it?")], [said("A cat.")]
SECOND = [asked("<image>", "What is it?"), said("A cat."), asked("Which colour?")], [said("Blue.")]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    (tmp_path / "pictures").mkdir()
    for number in range(4):
        Image.fromarray(np.full((5, 7 + number), 50 * number, np.uint8)).save(tmp_path / "pictures" / f"{number}.png")
    return tmp_path / "pictures"


def written(folder: Path, name: str, records: list[dict[str, Any]]) -> str:
    path = folder / name
    lines = [json.dumps(one) for one in records]
    path.write_text("\n".join(lines) if path.suffix == ".jsonl" else f"[{','.join(lines)}]")
    return str(path)


def turns_of(found: dict[str, Any]) -> tuple[Any, Any]:
    return found["prompt"], found["completion"]


@pytest.mark.parametrize("name", ["llava.json", "llava.jsonl"])
def test_llava(pictures: Path, name: str):
    records = [{"id": 1, "image": "2.png", "conversations": TURNS}, {"id": "b", "conversations": [*TURNS[2:]]}]
    rows = GeneralRows.open(General(written(pictures, name, records)), seed=0)
    first, second, third = rows.conversations([0, 1, 2])
    assert (turns_of(first), turns_of(second)) == (FIRST, SECOND)
    assert [one.size for one in first["images"]] == [(9, 5)]
    assert first["images"][0].mode == "RGB"
    assert turns_of(third) == ([asked("Which colour?")], [said("Blue.")])
    assert third["images"] == []


def test_a_folder_of_files_with_pictures_elsewhere(pictures: Path, tmp_path: Path):
    folder = tmp_path / "some"
    folder.mkdir()
    for number in range(2):
        written(folder, f"{number}.json", [{"image": [f"{number}.png"], "conversations": TURNS[:2]}])
    rows = GeneralRows.open(General(str(folder), images=str(pictures)), seed=0)
    assert [one["images"][0].width for one in rows.conversations([0, 1])] == [7, 8]


def test_messages(pictures: Path):
    messages = [{"role": "user", "content": "<image>What is it?"}, {"role": "assistant", "content": "A cat."}]
    more = [{"role": "user", "content": [text("Which colour?")]}, {"role": "assistant", "content": [text("Blue.")]}]
    path = written(pictures, "m.json", [{"messages": messages + more, "images": ["1.png"]}])
    rows = GeneralRows.open(General(path, form="messages"), seed=0)
    assert [turns_of(one) for one in rows.conversations([0, 1])] == [FIRST, SECOND]


def test_prompt_and_completion(pictures: Path):
    strings = {"prompt": "What is it?", "completion": "A cat.", "images": ["1.png"]}
    lists = {
        "prompt": [{"role": "system", "content": "Be brief."}, *FIRST[0], said("A cat."), asked("Which colour?")],
        "completion": [said("Blue.")],
        "images": ["0.png"],
    }
    path = written(pictures, "p.jsonl", [strings, lists])
    rows = GeneralRows.open(General(path, form="prompt_completion"), seed=0)
    assert len(rows) == 2
    first, second = rows.conversations([0, 1])
    assert turns_of(first) == FIRST
    assert second["prompt"][0] == {"role": "system", "content": [text("Be brief.")]}
    assert second["prompt"][1:] == SECOND[0]


def test_parquet_with_pictures_in_it(tmp_path: Path, pictures: Path):
    coded = [(pictures / f"{number}.png").read_bytes() for number in range(2)]
    blocks = [{"type": "image", "text": None}, {"type": "text", "text": "What is it?"}]
    answer = [{"type": "text", "text": "A cat."}]
    messages = [{"role": "user", "content": blocks}, {"role": "assistant", "content": answer}]
    features = Features(
        {
            "messages": List({"role": Value("string"), "content": List({"type": Value("string"), "text": Value("string")})}),
            "images": List(Picture()),
        }
    )
    records = [{"messages": messages, "images": [{"bytes": one, "path": None}]} for one in coded]
    made: Any = Dataset.from_list(records, features=features)
    made.to_parquet(tmp_path / "some.parquet")
    rows = GeneralRows.open(General(str(tmp_path / "some.parquet"), form="messages"), seed=0)
    found = rows.conversations([1, 0])
    assert [turns_of(one) for one in found] == [FIRST, FIRST]
    assert [one["images"][0].size for one in found] == [(8, 5), (7, 5)]


def test_trl_places_every_picture(pictures: Path):
    turns = [{"from": "human", "value": "<image> and <image>: compare"}, {"from": "gpt", "value": "Alike."}, *TURNS[2:]]
    path = written(pictures, "two.json", [{"image": ["0.png", "3.png"], "conversations": turns}])
    for found in GeneralRows.open(General(path), seed=0).conversations([0, 1]):
        made: Any = prepare_multimodal_messages(found["prompt"], images=found["images"])
        blocks = made[0]["content"]
        assert [one["type"] for one in blocks] == ["image", "text", "image", "text"]
        assert [one["image"].width for one in blocks if one["type"] == "image"] == [7, 10]


def test_a_picture_that_comes_later_isn_t_shown_before(pictures: Path):
    turns = [*TURNS[2:], *TURNS[:2]]
    rows = GeneralRows.open(General(written(pictures, "late.json", [{"image": "0.png", "conversations": turns}])), seed=0)
    assert [len(one["images"]) for one in rows.conversations([0, 1])] == [0, 1]


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"image": "absent.png", "conversations": TURNS}, "no picture absent.png"),
        ({"image": ["0.png", "1.png"], "conversations": TURNS}, "1 × <image> for 2 pictures"),
        ({"conversations": TURNS}, "1 × <image> for 0 pictures"),
        ({"conversations": [{"from": "robot", "value": "x"}]}, "role 'robot'"),
        ({"conversations": TURNS[1:2]}, "roles ['assistant']"),
        ({"conversations": TURNS[2:3]}, "roles ['user']"),
        ({"turns": TURNS}, "KeyError('conversations')"),
        ({"image": "0.png", "conversations": [TURNS[2], {"from": "gpt", "value": "see <image>"}]}, "<image> in an answer"),
    ],
)
def test_what_can_t_be_used_is_told(pictures: Path, record: dict[str, Any], found: str):
    path = written(pictures, "odd.json", [{"image": "1.png", "conversations": TURNS}, record])
    with pytest.raises(UsageError) as told:
        GeneralRows.open(General(path), seed=0)
    assert f"1 of 2 records can't be used; record 1: {found}" in str(told.value)


@pytest.mark.parametrize("body", ["{", '{"a": 1}', "[1, 2]", "[]"])
def test_files_that_are_no_lists_of_records(tmp_path: Path, body: str):
    (tmp_path / "wrong.json").write_text(body)
    with pytest.raises(UsageError, match=r"wrong\.json: .*expected"):
        GeneralRows.open(General(str(tmp_path / "wrong.json")), seed=0)


def test_folders_without_records(tmp_path: Path):
    with pytest.raises(UsageError, match="nothing; expected JSON"):
        GeneralRows.open(General(str(tmp_path)), seed=0)
    (tmp_path / "notes.txt").write_text("no")
    with pytest.raises(UsageError, match=r"notes\.txt; expected JSON"):
        GeneralRows.open(General(str(tmp_path / "notes.txt")), seed=0)


def test_neither_a_file_nor_a_repository(tmp_path: Path):
    with pytest.raises(UsageError, match="expected a file, a folder, or a dataset repository"):
        GeneralRows.open(General(str(tmp_path / "absent.json")), seed=0)


def test_a_picture_that_can_t_be_read_is_told(pictures: Path):
    (pictures / "torn.png").write_bytes((pictures / "0.png").read_bytes()[:40])
    rows = GeneralRows.open(General(written(pictures, "torn.json", [{"image": "torn.png", "conversations": TURNS}])), seed=0)
    with pytest.raises(UsageError, match=r"torn\.png: .*expected a picture that Pillow reads"):
        rows.conversations([0])


def test_a_larger_limit_takes_the_same_and_more(pictures: Path):
    records = [{"image": "0.png", "conversations": [TURNS[0], {"from": "gpt", "value": str(number)}]} for number in range(40)]
    path = written(pictures, "many.json", records)

    def taken(limit: int, seed: int = 0) -> list[str]:
        rows = GeneralRows.open(General(path, limit=limit), seed=seed)
        return [one["completion"][0]["content"][0]["text"] for one in rows.conversations(range(len(rows)))]

    assert len(taken(9)) == 9
    assert set(taken(9)) < set(taken(20)) < set(taken(50))
    assert taken(9) != taken(9, seed=1)
    assert len(taken(50)) == 40


def test_the_fingerprint_follows_the_content(pictures: Path):
    record = {"image": "0.png", "conversations": TURNS}
    first = GeneralRows.open(General(written(pictures, "one.json", [record])), seed=0).fingerprint()
    assert first == GeneralRows.open(General(str(pictures / "one.json")), seed=0).fingerprint()
    assert str(pictures) not in json.dumps(first)
    written(pictures, "one.json", [record, record])
    assert first["sha256"] != GeneralRows.open(General(str(pictures / "one.json")), seed=0).fingerprint()["sha256"]


def test_bytes_of_a_jpeg_come_out_in_rgb(tmp_path: Path):
    stream = io.BytesIO()
    Image.fromarray(np.zeros((6, 9), np.uint8)).save(stream, "JPEG")
    made: Any = Dataset.from_list(
        [{"prompt": "<image>?", "completion": "No.", "images": [{"bytes": stream.getvalue(), "path": None}]}]
    )
    made.to_parquet(tmp_path / "plain.parquet")
    [found] = GeneralRows.open(General(str(tmp_path / "plain.parquet"), form="prompt_completion"), seed=0).conversations([0])
    assert (found["images"][0].mode, found["images"][0].size) == ("RGB", (9, 6))
