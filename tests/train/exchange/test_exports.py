"""Exports to other trainers and harnesses, read back as those read them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from datasets import load_dataset
from PIL import Image
from pycocotools.coco import COCO

from medloom.schema.errors import UsageError
from medloom.schema.mask import mask_from_rle
from medloom.schema.question import Kind
from medloom.train.asked import ReleaseAsked
from medloom.train.conversation import Style, answer
from medloom.train.exchange import folder as folders
from medloom.train.exchange.export import How, export_questions, export_samples
from medloom.train.exchange.sa_med2d import stem_of
from medloom.train.exchange.samples import Samples


def test_llava_gets_a_picture_and_two_turns_for_each_question(regions: ReleaseAsked, tmp_path: Path):
    style = Style(dialect="thousandths", prompts="both")
    result = export_questions(regions, "llava", tmp_path / "out", how=How(style=style))
    rows = json.loads((tmp_path / "out/llava.json").read_text())
    assert len(rows) == result["questions"] == len(regions)
    for place, row in enumerate(rows):
        human, model = row["conversations"]
        assert (human["from"], model["from"]) == ("human", "gpt")
        assert human["value"].count("<image>") == 1
        assert (tmp_path / "out" / row["image"]).is_file()
        if place % 9 == 0:
            assert model["value"] == answer(regions[place], style)


def test_llama_factory_finds_its_file_by_its_info(choices: ReleaseAsked, tmp_path: Path):
    export_questions(choices, "llama-factory", tmp_path / "out", how=How(name="mine"))
    info = json.loads((tmp_path / "out/dataset_info.json").read_text())["mine"]
    rows = json.loads((tmp_path / "out" / info["file_name"]).read_text())
    assert info["formatting"] == "sharegpt"
    for row in rows:
        turns = row[info["columns"]["messages"]]
        assert [turn[info["tags"]["role_tag"]] for turn in turns] == ["user", "assistant"]
        assert sum(turn["content"].count("<image>") for turn in turns) == len(row["images"]) == 1
        assert (tmp_path / "out" / row["images"][0]).is_file()


def test_swift_gets_a_box_for_every_mark_in_px_of_its_picture(regions: ReleaseAsked, tmp_path: Path):
    export_questions(regions, "ms-swift", tmp_path / "out")
    rows = {row["id"]: row for row in map(json.loads, (tmp_path / "out/swift.jsonl").read_text().splitlines())}
    boxed = 0
    for place, question in enumerate(regions.questions()):
        row = rows[question.id]
        marks = row["messages"][1]["content"].count("<bbox>")
        boxes = row.get("objects", {}).get("bbox", [])
        assert marks == len(boxes)
        boxed += marks
        if place % 6 == 0:
            record = regions[place].record
            own = {one["id"]: one["box_xyxy_px"] for one in record["annotations"]}
            assert sorted(map(tuple, boxes)) == sorted(tuple(own[one]) for one in question.targets)
    assert boxed > len(rows) / 2


def test_a_dialect_that_needs_the_processor_is_refused_where_none_is_known(regions: ReleaseAsked, tmp_path: Path):
    with pytest.raises(UsageError, match="qwen2_5_vl counts px"):
        export_questions(regions, "llava", tmp_path / "out", how=How(style=Style(dialect="qwen2_5_vl")))
    assert list(tmp_path.iterdir()) == []


class _Task(yaml.SafeLoader):
    """Reads a task as lmms-eval does: `!function utils.name` is a function of the folder."""


_Task.add_constructor("!function", lambda loader, node: f"!{loader.construct_scalar(node)}")


def test_the_task_of_lmms_eval_scores_what_it_is_given(choices: ReleaseAsked, tmp_path: Path):
    export_questions(choices, "lmms-eval", tmp_path / "out", how=How(name="mine"))
    task = yaml.load((tmp_path / "out/mine.yaml").read_text(), _Task)
    spec = util.spec_from_file_location("task_functions", tmp_path / "out/utils.py")
    assert spec is not None
    assert spec.loader is not None
    functions: Any = util.module_from_spec(spec)
    spec.loader.exec_module(functions)
    file = str(tmp_path / "out" / task["dataset_kwargs"]["data_files"][task["test_split"]])
    docs: Any = load_dataset(task["dataset_path"], data_files={"test": file}, split="test", cache_dir=str(tmp_path / "cache"))
    assert len(docs) == len(choices)
    doc = docs[0]
    assert functions.doc_to_visual(doc)[0].mode == "RGB"
    assert all(option in functions.doc_to_text(doc, {"post_prompt": "!"}) for option in doc["options"])
    right = [functions.process_results(one, [one[task["doc_to_target"]]]) for one in docs]
    wrong = [functions.process_results(one, ["I cannot tell."]) for one in docs]
    for measure in task["metric_list"]:
        assert measure["aggregation"] == "!utils.mean"
        assert functions.mean([one[measure["metric"]] for one in right]) == 1.0
        assert functions.mean([one[measure["metric"]] for one in wrong]) == 0.0


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("B", {"B"}),
        ("(B)", {"B"}),
        ("B. liver", {"B"}),
        ("B) liver", {"B"}),
        ("**B**", {"B"}),
        ("A, C", {"A", "C"}),
        ("A,C", {"A", "C"}),
        ("A and C", {"A", "C"}),
        ("The answer is C.", {"C"}),
        ("Answer: A, C", {"A", "C"}),
        ("The correct answer is option D", {"D"}),
        ("E", set()),
        ("", set()),
        ("A liver is seen.", set()),
        ("Both are possible", set()),
        ("I am sure that it is no B", set()),
    ],
)
def test_the_task_reads_plain_letters_and_nothing_else(reply: str, said: set[str]):
    from medloom.train.exchange.lmms_task import letters

    assert letters(reply, 4) == said


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # of pycocotools itself
def test_coco_holds_the_masks_and_boxes_of_the_records(phantom: Path, tmp_path: Path):
    samples = Samples.open(phantom, split="test")
    result = export_samples(samples, "coco", tmp_path / "out")
    coco = COCO(tmp_path / "out/annotations.json")
    records = {record["key"]: record for record, _ in samples}
    assert len(coco.imgs) == result["samples"] == len(records)
    assert result["annotations"] == sum(len(record["annotations"]) for record in records.values())
    for image in list(coco.imgs.values())[::5]:
        record = records[image["key"]]
        size = record["size_hw_px"][0], record["size_hw_px"][1]
        with Image.open(tmp_path / "out" / image["file_name"]) as opened:
            assert (opened.height, opened.width) == (image["height"], image["width"]) == size
        own = {one["id"]: one for one in record["annotations"]}
        for one in coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]])):
            mine = own[one["annotation"]]
            x, y, width, height = one["bbox"]
            assert [x, y, x + width, y + height] == pytest.approx(mine["box_xyxy_px"])
            assert coco.cats[one["category_id"]]["name"] == mine["label"]
            if mine["rle"] is not None:
                assert np.array_equal(coco.annToMask(one), mask_from_rle(mine["rle"], size))


def test_sa_med2d_has_a_picture_for_every_mask(phantom: Path, tmp_path: Path):
    samples = Samples.open(phantom, split="test", select={"modality": "CT"})
    export_samples(samples, "sa-med2d", tmp_path / "out")
    index = json.loads((tmp_path / "out/SAMed2D_v1.json").read_text())
    classes = json.loads((tmp_path / "out/SAMed2D_v1_class_mapping_id.json").read_text())["phantom"]
    assert len(index) == len(samples)
    for record, _ in samples:
        stem = stem_of(record)
        assert re.fullmatch(r"ct_00--phantom--[0-9a-f]{16}--[xyz]_\d{4}", stem)
        masks = [one for one in record["annotations"] if one["rle"] is not None]
        paths = index[f"images/{stem}.png"]
        assert len(paths) == len(masks)
        for path, one in zip(paths, masks, strict=True):
            found = re.fullmatch(rf"masks/{re.escape(stem)}--(\d{{4}})_\d{{3}}\.png", path)
            assert found is not None
            assert found.group(1) == classes[one["label"]]
            mask = np.asarray(Image.open(tmp_path / "out" / path))
            assert np.array_equal(mask, mask_from_rle(one["rle"], tuple(record["size_hw_px"])) * 255)


def test_an_export_that_fails_leaves_nothing(choices: ReleaseAsked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*given: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folders, "save_png", full)
    with pytest.raises(OSError, match="No space"):
        export_questions(choices, "llava", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_holds_something_is_replaced_only_when_asked(choices: ReleaseAsked, tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine.txt").write_text("kept")
    with pytest.raises(UsageError, match="--fresh"):
        export_questions(choices, "llava", tmp_path / "out")
    assert (tmp_path / "out/mine.txt").read_text() == "kept"
    some = choices.taken(range(2))
    export_questions(some, "llava", tmp_path / "out", fresh=True)
    assert not (tmp_path / "out/mine.txt").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("form", ["vlmevalkit", "lmms-eval"])
def test_nothing_to_export_is_told(regions: ReleaseAsked, tmp_path: Path, form: str):
    some = regions.taken([place for place, one in enumerate(regions.questions()) if one.kind is Kind.GROUNDING][:2])
    with pytest.raises(UsageError, match="choice with an answer"):
        export_questions(some, form, tmp_path / "out")


def test_conversations_without_an_answer_are_none(regions: ReleaseAsked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    withheld = [replace(one, answer=None) for one in regions.questions()]
    monkeypatch.setattr(ReleaseAsked, "questions", lambda _: withheld)
    with pytest.raises(UsageError, match="its answer is withheld"):
        export_questions(regions, "llava", tmp_path / "out")
    assert not (tmp_path / "out").exists()
