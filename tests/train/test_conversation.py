"""Questions of real suites as conversations: what is put, what is answered, and that answers say their targets."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from medloom.generation.asking.ask import ask
from medloom.schema.errors import UsageError
from medloom.schema.mask import mask_from_rle, mask_iou
from medloom.schema.polygon import fill_polygons
from medloom.schema.prompt_drawing import drawn
from medloom.schema.question import Kind, Option, Prompt, Question, Span
from medloom.train.asked import Asked, ReleaseAsked
from medloom.train.conversation import PADDING, Style, answer, conversation, frame, squared, turns
from medloom.train.coordinates import DIALECTS, dialect
from medloom.train.coordinates.place import Frame
from medloom.train.coordinates.seen import QWEN2_5_VL
from medloom.train.coordinates.sentence import spoken

NAMES = sorted(DIALECTS)
SUITES = ("mimoseg", "gmai", "medtrinity")
Built = Callable[[str], tuple[Path, dict[str, Any]]]


@pytest.fixture(scope="session")
def asked_about(tmp_path_factory: pytest.TempPathFactory, built: Built) -> Callable[[str], Path]:
    """A source's release with a few questions of each suite."""
    made: dict[str, Path] = {}

    def one(source: str) -> Path:
        if source not in made:
            folder = tmp_path_factory.mktemp("asked") / "release"
            shutil.copytree(built(source)[0], folder)
            for suite in SUITES:
                ask(folder, suite, limit=12)
            made[source] = folder
        return made[source]

    return one


def some(release: Path, suite: str, *, each: int = 3) -> Iterator[Asked]:
    """A few questions of every kind and granularity."""
    split = next(one for one in ("train", "test", "validation") if list(release.glob(f"data/**/{one}-*.tar")))
    every = ReleaseAsked.open(release, suite=suite, split=split)
    taken: dict[tuple[str, str], int] = {}
    for place, question in enumerate(every.questions()):
        key = (question.kind, question.granularity)
        taken[key] = taken.get(key, 0) + 1
        if taken[key] <= each:
            yield every[place]


def targets(asked: Asked) -> list[dict[str, Any]]:
    """The annotations that an answer places, in its order."""
    known = {one["id"]: one for one in asked.record["annotations"]}
    return [known[name] for stretch in spoken(asked.question) for name in stretch.annotations]


@pytest.mark.parametrize("source", ["phantom", "bccd", "chula_rbc12", "chase_db1"])
def test_an_answer_read_back_gives_the_targets_within_the_grid(source: str, asked_about: Callable[[str], Path]):
    kinds = set()
    for asked in some(asked_about(source), "mimoseg", each=4):
        kinds.add(asked.question.kind)
        where = frame(asked, QWEN2_5_VL)
        expected = [
            tuple(numbers)
            for one in targets(asked)
            for numbers in ([one["box_xyxy_px"]] if one["box_xyxy_px"] else one["points"])
        ]
        assert {one["id"] for one in targets(asked)} == set(asked.question.targets)
        for name in NAMES:
            way = dialect(name)
            said = answer(asked, Style(dialect=name, masks="box"), seen=QWEN2_5_VL)
            found = [one.place for one in way.read(said, where)]
            assert len(found) == len(expected), said
            grid = way.grid(where)  # type: ignore[attr-defined]
            for place, numbers in zip(found, expected, strict=True):
                for at, (one, other) in enumerate(zip(place.box_xyxy_px or place.points_xy_px[0], numbers, strict=True)):
                    assert abs(one - other) <= (grid.x, grid.y)[at % 2].step_px
    assert kinds >= {"phantom": {*_WITH_PLACES}, "chase_db1": {*_WITH_PLACES} - {Kind.DETECTION}}.get(source, {Kind.DETECTION})


_WITH_PLACES = (Kind.DETECTION, Kind.GROUNDING, Kind.REFERRING, Kind.REASONING, Kind.PROMPTED)


def test_polygons_of_masks_cover_what_the_masks_cover(asked_about: Callable[[str], Path]):
    """Median and least IoU of organs' masks, in steps of 1/1000 and of 1/100."""
    ious: dict[str, list[float]] = {"thousandths": [], "minigpt_v2": []}
    for asked in some(asked_about("phantom"), "mimoseg", each=30):
        masks = [one["rle"] for one in targets(asked)]
        if asked.question.kind == Kind.DETECTION or not masks or None in masks:
            continue
        where = frame(asked, None)
        true = np.max([mask_from_rle(one, where.size_hw_px) for one in masks], axis=0)
        for name, found in ious.items():
            said = answer(asked, Style(dialect=name))
            rings = [np.array(one.place.points_xy_px) for one in dialect(name).read(said, where)]
            filled = np.max([fill_polygons([ring], where.size_hw_px) for ring in rings], axis=0)
            found.append(mask_iou(true, filled))
    assert len(ious["thousandths"]) > 40
    assert np.median(ious["thousandths"]) > 0.9
    assert min(ious["thousandths"]) > 0.6
    assert np.median(ious["minigpt_v2"]) > 0.85


@pytest.mark.parametrize("suite", SUITES)
def test_every_question_of_a_suite_becomes_a_conversation(suite: str, asked_about: Callable[[str], Path]):
    for asked in some(asked_about("phantom"), suite):
        before = np.asarray(asked.picture).copy()
        for name in ("thousandths", "llava", "qwen2_5_vl", "internvl"):
            for prompts in ("drawn", "text", "both"):
                made = conversation(asked, Style(dialect=name, prompts=prompts), seen=QWEN2_5_VL)
                [user], [assistant] = made["prompt"], made["completion"]
                assert [part["type"] for part in user["content"]] == ["image", "text"]
                assert all("image" not in part for message in (user, assistant) for part in message["content"])
                text = user["content"][1]["text"]
                assert text.startswith(asked.question.question)
                assert asked.question.instruction in text
                assert "<box:" not in assistant["content"][0]["text"]
                assert "<point:" not in assistant["content"][0]["text"]
                assert len(made["images"]) == 1
                told = asked.question.prompts and prompts != "drawn"
                assert bool(told) == any(line.startswith(_TOLD) for line in text.split("\n"))
        assert np.array_equal(np.asarray(asked.picture), before)


_TOLD = tuple(f"{kind}{many}: " for kind in ("Box", "Point", "Mask", "Contour") for many in ("", "s"))


def test_letters_are_answered_as_they_stand_and_options_are_lines(asked_about: Callable[[str], Path]):
    for asked in some(asked_about("phantom"), "gmai"):
        assert answer(asked, Style()) == asked.question.answer == ",".join(asked.question.letters)
        lines = turns(asked, Style()).messages[-1]["content"][1]["text"].split("\n")
        options = [f"{one.letter}. {one.text}" for one in asked.question.options]
        assert lines == [asked.question.question, *options, asked.question.instruction]
        bare = turns(asked, Style(instruction=False)).messages[-1]["content"][1]["text"].split("\n")
        assert bare == lines[:-1]


def test_words_stay_words_where_words_are_asked_for(asked_about: Callable[[str], Path]):
    for asked in some(asked_about("phantom"), "medtrinity"):
        assert asked.question.kind in (Kind.LOCALIZATION, Kind.DESCRIPTION)
        assert {answer(asked, Style(dialect=name), seen=QWEN2_5_VL) for name in NAMES} == {asked.question.answer}


def test_pictures_are_never_flipped_and_prompts_are_drawn_on_copies(asked_about: Callable[[str], Path]):
    """Pixels of the given picture are the stored ones, in place, or those with the prompt drawn on them."""
    pointed = 0
    for asked in some(asked_about("phantom"), "mimoseg"):
        stored = np.asarray(asked.picture)
        [told] = turns(asked, Style(prompts="text")).pictures
        assert np.array_equal(np.asarray(told), stored)
        [shown] = turns(asked, Style()).pictures
        assert np.array_equal(np.asarray(shown), np.asarray(drawn(asked.picture, asked.question.prompts, asked.record)))
        pointed += not np.array_equal(np.asarray(shown), stored)
        [square] = turns(asked, Style(dialect="llava", prompts="text")).pictures
        side, (height, width) = max(stored.shape[:2]), stored.shape[:2]
        upper, left = (side - height) // 2, (side - width) // 2
        assert square.size == (side, side)
        assert np.array_equal(np.asarray(square)[upper : upper + height, left : left + width], stored)
    assert pointed > 3


def test_a_picture_is_padded_as_llava_pads_it():
    """The same numbers as the library's own padding, which its processors apply only with `do_pad`."""
    from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil

    for size in ((30, 21), (21, 30), (8, 8), (5, 4)):
        picture = Image.fromarray(np.random.default_rng(1).integers(0, 255, (size[1], size[0], 3), np.uint8))
        channels_first = np.asarray(picture).transpose(2, 0, 1)
        theirs = LlavaImageProcessorPil().pad_to_square(channels_first, background_color=PADDING)
        assert np.array_equal(np.asarray(squared(picture)).transpose(2, 0, 1), theirs)


def by_hand(**fields: Any) -> Asked:
    """A question about a grey picture of 100 × 200 px with two boxes and a point."""
    record = {
        "key": "drawn-0",
        "size_hw_px": [100, 200],
        "annotations": [
            _annotation("a0", "red blood cell", [20.0, 10.0, 100.0, 60.0]),
            _annotation("a1", "red blood cell", [0.0, 0.0, 20.0, 20.0]),
            {**_annotation("a2", "platelet", None), "granularity": "point", "points": [[100.0, 50.0]]},
        ],
    }
    names = ("key", "split", "suite", "rule", "source", "modality", "area", "task", "subset", "clinical_task", "department")
    facts = dict.fromkeys(names, "x") | {"id": "q-0", "kind": Kind.DETECTION, "question": "Where?", "granularity": "box"}
    return Asked(Question(**(facts | fields)), Image.new("RGB", (200, 100), (90, 90, 90)), record)


def _annotation(name: str, label: str, box: list[float] | None) -> dict[str, Any]:
    return {"id": name, "label": label, "granularity": "box", "box_xyxy_px": box, "rle": None, "points": []}


COUNTED = by_hand(
    answer="The count of red blood cell is 2: <box:a1> and <box:a0>.",
    targets=("a1", "a0"),
    spans=(Span(13, 27, ("a1", "a0")),),
)
NAMED = by_hand(
    kind=Kind.GROUNDING,
    answer="The red blood cell lies left of the platelet.",
    targets=("a0", "a2"),
    spans=(Span(4, 18, ("a0", "a1")), Span(36, 44, ("a2",))),
)
JSON_OF_NAMED = """The red blood cell lies left of the platelet.
```json
[
\t{"bbox_2d": [100, 100, 500, 600], "label": "red blood cell"},
\t{"bbox_2d": [0, 0, 100, 200], "label": "red blood cell"},
\t{"point_2d": [500, 500], "label": "platelet"}
]
```"""


@pytest.mark.parametrize(
    ("asked", "name", "said"),
    [
        (COUNTED, "thousandths", "The count of red blood cell is 2: [0, 0, 100, 200] and [100, 100, 500, 600]."),
        (COUNTED, "minigpt_v2", "The count of red blood cell is 2: {<0><0><10><20>} and {<10><10><50><60>}."),
        (
            COUNTED,
            "paligemma",
            "The count of red blood cell is 2: region 1 and region 2.\n"
            "<loc0000><loc0000><loc0205><loc0102> red blood cell ; <loc0102><loc0102><loc0614><loc0512> red blood cell",
        ),
        (
            NAMED,
            "thousandths",
            "The red blood cell [100, 100, 500, 600], [0, 0, 100, 200] lies left of the platelet [500, 500].",
        ),
        (
            NAMED,
            "internvl",
            "The <ref>red blood cell</ref><box>[[100, 100, 500, 600], [0, 0, 100, 200]]</box> lies left of the "
            "<ref>platelet</ref><point>[[500, 500]]</point>.",
        ),
        (NAMED, "qwen3_vl", JSON_OF_NAMED),
    ],
)
def test_places_stand_after_their_words_or_in_a_list_after_the_sentence(asked: Asked, name: str, said: str):
    assert answer(asked, Style(dialect=name)) == said
    assert dialect(name).bare(said, frame(asked, None)).split(":")[0] in (asked.question.answer or "").split(":")[0]


def test_an_answer_without_regions_stays_a_sentence():
    none = by_hand(kind=Kind.GROUNDING, answer="There is no spleen here.")
    assert {answer(none, Style(dialect=name), seen=QWEN2_5_VL) for name in NAMES} == {"There is no spleen here."}


def test_a_target_that_no_word_speaks_of_is_placed_at_the_end():
    silent = by_hand(kind=Kind.REFERRING, answer="This is it.", targets=("a0",))
    assert answer(silent, Style()) == "This is it. [100, 100, 500, 600]"
    assert '"bbox_2d": [100, 100, 500, 600]' in answer(silent, Style(dialect="qwen3_vl"))


def test_a_region_spoken_of_twice_is_placed_once():
    twice = by_hand(
        kind=Kind.REASONING, answer="A cell; this cell.", targets=("a0",), spans=(Span(2, 6, ("a0",)), Span(13, 17, ("a0",)))
    )
    assert answer(twice, Style()) == "A cell [100, 100, 500, 600]; this cell."


def test_prompts_are_told_in_the_dialects_words():
    prompts = (Prompt("box", "a0", (20.0, 10.0, 100.0, 60.0)), Prompt("point", "a2", None, ((100.0, 50.0), (0.0, 0.0))))
    pointed = by_hand(kind=Kind.PROMPTED, prompts=prompts, answer="A cell.", question="What is it?")
    style = Style(dialect="qwen3_vl", prompts="both", instruction=False)
    given = turns(pointed, style)
    assert given.messages[0]["content"][1]["text"] == (
        'What is it?\nBox: {"bbox_2d": [100, 100, 500, 600]}\nPoints: {"point_2d": [500, 500]}, {"point_2d": [0, 0]}'
    )
    assert not np.array_equal(np.asarray(given.pictures[0]), np.asarray(pointed.picture))


def test_the_system_turn_comes_first_and_shots_are_earlier_turns_with_their_pictures():
    shot = replace(NAMED, picture=Image.new("RGB", (200, 100), (1, 2, 3)))
    made = conversation(COUNTED, Style(system="You read smears."), shots=[shot, COUNTED])
    assert [message["role"] for message in made["prompt"]] == ["system", "user", "assistant", "user", "assistant", "user"]
    assert made["prompt"][0]["content"] == [{"type": "text", "text": "You read smears."}]
    assert made["prompt"][2]["content"][0]["text"] == answer(NAMED, Style())
    assert [picture.getpixel((0, 0)) for picture in made["images"]] == [(1, 2, 3), (90, 90, 90), (90, 90, 90)]
    assert made["completion"][0]["role"] == "assistant"


def test_how_places_are_written_is_said_with_the_instruction():
    asked = by_hand(answer="1", instruction="Give the number and a box for each.")
    text = turns(asked, Style()).messages[0]["content"][1]["text"]
    assert text == (
        "Where?\nGive the number and a box for each.\n"
        "Write boxes like this: [x0, y0, x1, y1], whole numbers from 0 to 1000 of width and height."
    )
    assert turns(asked, Style(instruction=False)).messages[0]["content"][1]["text"] == "Where?"
    masked = by_hand(kind=Kind.GROUNDING, granularity="mask")
    assert "polygons" in turns(masked, Style()).messages[0]["content"][1]["text"]
    assert "as the box around it" in turns(masked, Style(masks="box")).messages[0]["content"][1]["text"]


def test_a_withheld_answer_can_be_asked_for_but_not_told():
    withheld = by_hand(kind=Kind.SINGLE_CHOICE, options=(Option("A", "cell"), Option("B", "platelet")))
    assert turns(withheld, Style()).messages[0]["content"][1]["text"] == "Where?\nA. cell\nB. platelet"
    for call in (
        lambda: answer(withheld, Style()),
        lambda: conversation(withheld, Style()),
        lambda: turns(COUNTED, Style(), shots=[withheld]),
    ):
        with pytest.raises(UsageError, match="q-0: its answer is withheld"):
            call()


@pytest.mark.parametrize(
    ("style", "message"),
    [
        (Style(dialect="klingon"), "dialect 'klingon'"),
        (Style(prompts="sung"), "prompts 'sung'; expected one of drawn, text, both"),
        (Style(masks="rle"), "masks 'rle'"),
        (Style(dialect="qwen2_5_vl"), "qwen2_5_vl counts px after the processor's resize"),
    ],
)
def test_a_style_that_cannot_be_used_is_refused(style: Style, message: str):
    for call in (turns, answer, conversation):
        with pytest.raises(UsageError, match=message):
            call(COUNTED, style)


def test_a_target_that_the_record_lacks_is_refused():
    with pytest.raises(UsageError, match="no annotation a9 in the record"):
        answer(by_hand(answer="<box:a9>", targets=("a9",)), Style())


def test_the_frame_of_a_record_is_the_stored_and_the_seen_size():
    assert frame(COUNTED, None) == frame(COUNTED.record, None) == Frame((100, 200), (100, 200))
    assert frame(COUNTED, QWEN2_5_VL) == Frame((100, 200), (112, 196))


def test_trl_trains_on_conversations_of_every_shape(tmp_path: Path):
    """TRL's collator takes them: image tokens are there, and the loss is on the answer alone."""
    from tiny_models import tiny
    from transformers import AutoProcessor
    from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

    rows = [
        conversation(COUNTED, Style(dialect="llava", system="Be brief.")),
        conversation(NAMED, Style(dialect="llava"), shots=[COUNTED]),
    ]
    corpus = [part["text"] for row in rows for message in row["prompt"] + row["completion"] for part in message["content"][-1:]]
    processor = AutoProcessor.from_pretrained(tiny("llava", tmp_path / "model", corpus))
    collator = DataCollatorForVisionLanguageModeling(processor=processor, max_length=None, completion_only_loss=True)
    batch = collator([dict(row) for row in rows])
    assert batch["pixel_values"].shape[0] == 3
    pictures = (batch["input_ids"] == processor.tokenizer.image_token_id).sum(dim=1).tolist()
    assert pictures[1] == 2 * pictures[0]
    for row, ids, labels in zip(rows, batch["input_ids"], batch["labels"], strict=True):
        learnt = processor.tokenizer.decode(ids[labels != -100])
        assert row["completion"][0]["content"][0]["text"] in learnt
        assert "Where?" not in learnt
