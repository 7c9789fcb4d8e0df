"""Variants: what they change and what they leave, when they don't apply, and that they follow from question and seed alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn_cases import SIZE, region, state
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from medloom.generation.pools import kin
from medloom.schema.prompt_drawing import PALETTE, drawn
from medloom.schema.question import Kind, Option, Prompt, Question, Span
from medloom.train.asked import Asked
from medloom.train.conversation import Style, turns
from medloom.train.evaluating.orders import relettered, reordered
from medloom.train.evaluating.probes import KNOWLEDGE, PERCEPTION, UNKNOWN, probed, reason
from medloom.train.evaluating.variants import VARIANTS, Aim, of_aim
from medloom.train.evaluating.windows import rewindowed, told
from medloom.train.scoring.scored import Scored

STYLE = Style()
LIVER, KIDNEY = state("liver"), state("kidney")
PLACES = [region(0, LIVER, (10, 10, 60, 50)), region(1, KIDNEY, (100, 20, 140, 60))]


def record(*labels, annotations=PLACES, **more):
    provenance = {"window": [-160.0, 240.0], "intensity": "window"}
    return {
        "key": "drawn-0", "group": "g", "modality": "CT", "size_hw_px": list(SIZE), "labels": list(labels),
        "annotations": list(annotations), "provenance": provenance, **more,
    }  # fmt: skip


def question(kind: Kind, **more) -> Question:
    return Question(**{
        "id": "q-1", "key": "drawn-0", "split": "test", "suite": "s", "kind": kind, "rule": "r", "source": "drawn",
        "modality": "CT", "area": LIVER["area"], "task": LIVER["task"], "subset": LIVER["subset"],
        "clinical_task": LIVER["clinical_task"], "department": "Radiology", "granularity": "mask",
        "question": "What is this?", "labels": (LIVER["label_id"],), **more,
    })  # fmt: skip


def asked(one: Question, *labels, **more) -> Asked:
    grey = np.tile(np.arange(SIZE[1], dtype=np.uint8), (SIZE[0], 1))
    return Asked(one, Image.fromarray(grey).convert("RGB"), record(*labels, **more))


def options(*labels) -> tuple[Option, ...]:
    return tuple(Option(letter, one["label"], one["label_id"]) for letter, one in zip("ABCD", labels, strict=False))


def choice(*labels, prompt: str = "mask", **more) -> Question:
    box = (10.0, 10.0, 60.0, 50.0) if prompt == "box" else None
    right = {"letters": ("A",), "answer": "A", "prompts": (Prompt(prompt, "a0", box),), "targets": ("a0",)}
    return question(Kind.SINGLE_CHOICE, **{"options": options(*labels), **right, **more})


def moved(one: Asked, seed: int = 0):
    return VARIANTS["moved"](one, seed=seed, style=STYLE)


@given(st.integers(2, 8), st.integers(0, 99), st.data())
def test_another_order_keeps_every_option_and_what_is_right(count: int, seed: int, data):
    texts = [f"option {number}" for number in range(count)]
    given_options = tuple(Option("ABCDEFGH"[place], text) for place, text in enumerate(texts))
    right = tuple(sorted(data.draw(st.sets(st.sampled_from("ABCDEFGH"[:count]), min_size=1))))
    one = question(Kind.MULTIPLE_CHOICE, options=given_options, letters=right, answer=",".join(right))
    first = reordered(one, seed=seed, number=1)
    assert first is not None
    assert first == reordered(one, seed=seed, number=1)
    assert [option.letter for option in first.options] == [option.letter for option in one.options]
    assert [option.text for option in first.options] != texts
    assert sorted(option.text for option in first.options) == sorted(texts)
    before, after = ({o.text for o in q.options if o.letter in q.letters} for q in (one, first))
    assert before == after
    assert first.answer == ",".join(first.letters)
    assert list(first.letters) == sorted(first.letters)
    second = reordered(one, seed=seed, number=2)
    if count == 2:
        assert second is None
    else:
        assert second is not None
        assert len({one.options, first.options, second.options}) == 3


def test_letters_move_with_their_options():
    one = question(Kind.SINGLE_CHOICE, options=options(LIVER, KIDNEY), letters=("A",), answer="A")
    swapped = relettered(one, ("B", "A"))
    assert [(option.letter, option.label_id) for option in swapped.options] == [
        ("A", KIDNEY["label_id"]), ("B", LIVER["label_id"]),
    ]  # fmt: skip
    assert (swapped.letters, swapped.answer) == (("B",), "B")


@pytest.mark.parametrize(("factor", "levels_at"), [(0.5, {0: 0, 63: 0, 65: 2, 190: 252, 192: 255}), (2.0, {0: 64, 255: 191})])
def test_windows_spread_or_draw_together_the_grey_levels(factor: float, levels_at: dict[int, int]):
    grey = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(1, 256)).convert("RGB")
    changed = rewindowed(grey, factor)
    assert changed is not None
    levels = np.asarray(changed)[0, :, 0].astype(int)
    assert (np.diff(levels) >= 0).all()
    assert {level: levels[level] for level in levels_at} == levels_at


def test_a_picture_with_colour_has_no_window_and_words_tell_it_in_its_unit():
    colour = Image.fromarray(np.full((2, 2, 3), (10, 20, 30), np.uint8))
    assert rewindowed(colour, 0.5) is None
    assert told(record(), 0.5) == "-160…240 → -60…140 HU"
    assert told(record(), 2.0) == "-160…240 → -360…440 HU"
    assert told(record(modality="MR"), 2.0) == "-160…240 → -360…440"
    assert told(record(provenance={}), 2.0) is None


def test_colours_are_the_next_best_ones_and_only_of_drawn_prompts():
    one = asked(choice(LIVER, KIDNEY, prompt="contour"), LIVER, KIDNEY)
    pictures = [drawn(one.picture, one.question.prompts, one.record, rank=rank).tobytes() for rank in range(len(PALETTE))]
    assert len(set(pictures)) == len(PALETTE)
    for rank in range(1, len(PALETTE)):
        changed = VARIANTS[f"colour:{rank}"](one, seed=0, style=STYLE)
        assert changed is not None
        assert turns(changed.asked, STYLE).pictures[0].tobytes() == pictures[rank]
        assert changed.scored_as == one.question
        assert turns(changed.asked, STYLE).messages == turns(one, STYLE).messages
        assert VARIANTS[f"colour:{rank}"](one, seed=0, style=replace(STYLE, prompts="text")) is None
    whole = asked(replace(one.question, prompts=()), LIVER, KIDNEY)
    assert VARIANTS["colour:1"](whole, seed=0, style=STYLE) is None


@pytest.mark.parametrize("prompt", ["mask", "contour", "box"])
def test_a_moved_prompt_shows_the_other_label_and_a_wrong_option_makes_place(prompt: str):
    spleen = state("spleen", "absent")
    one = asked(choice(LIVER, spleen, prompt=prompt), LIVER, KIDNEY, spleen)
    changed = moved(one)
    assert changed is not None
    assert changed.stays is not None
    new = changed.asked.question
    assert [option.text for option in new.options] == ["liver", "kidney"]
    assert (new.letters, new.labels, new.prompts[0].annotation) == (("B",), (KIDNEY["label_id"],), "a1")
    assert (new.prompts[0].box_xyxy_px is not None) is (prompt == "box")
    assert (changed.stays.letters, changed.stays.options) == (("A",), new.options)
    assert new.question == one.question.question


def test_an_option_that_is_right_now_stays_where_it_stands():
    one = asked(choice(LIVER, state("spleen", "absent"), KIDNEY), LIVER, KIDNEY)
    changed = moved(one)
    assert changed is not None
    assert changed.asked.question.letters == ("C",)
    assert changed.asked.question.options == one.question.options


def test_where_a_prompt_cannot_move():
    other_area = {**KIDNEY, "area": "pelvis"}
    near = [PLACES[0], region(1, KIDNEY, (12, 11, 60, 50), "box")]
    again = [PLACES[0], region(1, LIVER, (100, 20, 140, 60))]
    whole = replace(choice(LIVER, KIDNEY), prompts=())
    worded = replace(choice(LIVER, KIDNEY), options=(Option("A", "yes"), Option("B", "no")))
    assert moved(asked(choice(LIVER, KIDNEY), LIVER, other_area)) is None
    assert moved(asked(choice(LIVER, KIDNEY, prompt="box"), LIVER, KIDNEY, annotations=near)) is None
    assert moved(asked(choice(LIVER, KIDNEY), LIVER, annotations=again)) is None
    assert moved(asked(whole, LIVER, KIDNEY)) is None
    assert moved(asked(worded, LIVER, KIDNEY)) is None
    assert moved(asked(replace(choice(LIVER, KIDNEY), answer=None, letters=(), labels=()), LIVER, KIDNEY)) is None


def test_a_referring_question_follows_to_the_other_mask():
    prompt = Prompt("point", "a0", points_xy_px=((30.5, 30.5),))
    spans = (Span(0, 5, ("a0",)),)
    one = question(Kind.REFERRING, prompts=(prompt,), answer="liver", targets=("a0",), spans=spans)
    changed = moved(asked(one, LIVER, KIDNEY))
    assert changed is not None
    new = changed.asked.question
    assert (new.answer, new.targets, new.labels) == ("kidney", ("a1",), (KIDNEY["label_id"],))
    [(x, y)] = new.prompts[0].points_xy_px
    assert 100 <= x <= 140
    assert 20 <= y <= 60
    assert changed.stays is not None
    assert (changed.stays.targets, changed.stays.prompts) == (("a0",), new.prompts)


def grounding(text: str = "Segment any liver on this image.", **more) -> Question:
    return question(Kind.GROUNDING, question=text, answer="Here it is.", targets=("a0",), wording="single-1+says-1", **more)


def absent(one: Asked):
    return VARIANTS["absent"](one, seed=0, style=STYLE)


def test_what_is_known_to_be_absent_is_asked_for_by_its_name():
    changed = absent(asked(grounding(), LIVER, state("spleen", "absent"), state("pancreas", "uncertain")))
    assert changed is not None
    new = changed.asked.question
    assert new.question == "Segment any spleen on this image."
    assert new.flags == ("absent",)
    assert (new.targets, new.spans, new.labels) == ((), (), (state("spleen")["label_id"],))
    assert "spleen" in str(new.answer)


def test_only_what_is_stated_to_be_absent_is_asked_for():
    spleen = state("spleen", "absent")
    assert absent(asked(grounding(), LIVER, state("spleen", "not_assessed"))) is None
    assert absent(asked(grounding(), LIVER, state("kidney", "absent", side="left"), state("kidney", side="right"))) is None
    assert absent(asked(grounding("Segment the liver. Is the liver large?"), LIVER, spleen)) is None
    assert absent(asked(grounding("Segment what stores glycogen."), LIVER, spleen)) is None
    assert absent(asked(grounding(flags=("absent",)), LIVER, spleen)) is None
    assert absent(asked(replace(grounding(), wording="enclosing-2+x-1"), LIVER, spleen)) is None
    assert absent(asked(replace(grounding(), kind=Kind.LOCALIZATION), LIVER, spleen)) is None


def test_a_probe_tells_what_the_answer_names_and_nothing_else():
    fact = "The liver: it makes bile."
    knowledge = question(Kind.PROMPTED, question="What does this make?", answer=fact, spans=(Span(4, 9, ("a0",)),))
    told_name = probed(knowledge)
    assert told_name is not None
    assert told_name.question == "What is marked on the image is the liver. What does this make?"
    assert "bile" not in told_name.question
    assert told_name.answer == fact
    looked_for = probed(replace(knowledge, kind=Kind.REASONING, question="Segment what makes bile."))
    assert looked_for is not None
    assert looked_for.question == "Segment what makes bile. What is meant is the liver."
    assert probed(replace(knowledge, kind=Kind.GROUNDING)) is None
    assert probed(replace(knowledge, spans=())) is None
    assert probed(replace(knowledge, question="What does the liver make?")) is None


@pytest.mark.parametrize(
    ("kind", "helped", "why"),
    [
        ("prompted", True, PERCEPTION),
        ("prompted", False, KNOWLEDGE),
        ("reasoning", True, KNOWLEDGE),
        ("reasoning", False, PERCEPTION),
        ("prompted", None, UNKNOWN),
    ],
)
def test_what_helps_tells_what_was_missing(kind: str, helped: bool | None, why: str):
    measure = "token_recall" if kind == "prompted" else "mask_iou"

    def scored(value: float) -> Scored:
        words = dict.fromkeys(("id", "variant", "key", "group", "source", "rule", "granularity", "modality", "area"), "x")
        words |= dict.fromkeys(("task", "subset", "clinical_task", "department", "said", "parsed_by"), "x")
        return Scored(**words, kind=kind, perspective=4, labels=(), status="answered", measures={measure: value})

    assert reason(scored(0.0), None if helped is None else scored(float(helped))) == why


@pytest.mark.parametrize("suite", ["gmai", "mimoseg"])
def test_on_real_questions_variants_follow_from_question_and_seed_alone(suite: str, phantoms):
    every = phantoms.asked(suite)
    applied = dict.fromkeys(VARIANTS, 0)
    for place in range(0, len(every), len(every) // 25):
        one = every[place]
        before = one.picture.tobytes()
        for variant in VARIANTS.values():
            first, again = (variant(one, seed=5, style=STYLE) for _ in range(2))
            assert (first is None) == (again is None)
            if first is None or again is None:
                continue
            applied[variant.id] += 1
            assert first.asked.question == again.asked.question
            assert first.asked.picture.tobytes() == again.asked.picture.tobytes()
            assert (first.asked.question, first.asked.picture.tobytes()) != (one.question, before)
            assert first.asked.question.id == one.question.id
            if variant.id == "moved":
                assert not any(kin(label, one.question.labels[0]) for label in first.asked.question.labels)
        assert one.picture.tobytes() == before
    wanted = of_aim(Aim.ROBUSTNESS) if suite == "gmai" else ("moved", "absent", "probe", "window:narrow", "colour:1")
    assert min(applied[id] for id in wanted) > 0
