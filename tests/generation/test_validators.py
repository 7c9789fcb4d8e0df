"""Validators: each planted fault is caught under its own code and no other, and what stands is left alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medloom.generation.case import Asking, Case
from medloom.generation.pools import Pools
from medloom.generation.validators import CODES, saying, validate
from medloom.generation.validators.naming import holds, labels, named
from medloom.generation.validators.place import outside
from medloom.schema.labels import Label
from medloom.schema.labels.table import table as label_table
from medloom.schema.mask import rle_from_mask
from medloom.schema.question import Kind, Option, Prompt, Question, Span
from medloom.schema.record import to_json
from medloom.schema.sample import Annotation, LabelState, Origin, Provenance, Sample, State

SIZE = (90, 120)
STATES = {
    "liver": State.PRESENT,
    "left kidney": State.PRESENT,
    "right kidney": State.PRESENT,
    "liver tumor": State.PRESENT,
    "pancreas": State.ABSENT,
    "gallstone": State.ABSENT,
    "gallbladder": State.ABSENT,
    "stomach": State.UNCERTAIN,
    "spleen": State.NOT_ASSESSED,
}
BOXES = {
    "liver": (5, 10, 50, 60),
    "left kidney": (85, 50, 105, 80),
    "right kidney": (20, 62, 40, 85),
    "liver tumor": (10, 15, 25, 30),
}
"""Of discs that fill them; the tumor is the source's own box."""


def state_of(word: str, state: State) -> LabelState:
    label = Label(word)
    return LabelState(
        label.name,
        label.id,
        state,
        "abdomen",
        "organ-segmentation",
        "ct-abdomen-organ-segmentation",
        "Organ Recognition - Abdomen",
        ("Gastroenterology and Hepatology",),
        label.laterality,
    )


def disc(box: tuple[int, int, int, int]) -> np.ndarray:
    y, x = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
    (x0, y0, x1, y1) = box
    return ((2 * x - x0 - x1) / (x1 - x0)) ** 2 + ((2 * y - y0 - y1) / (y1 - y0)) ** 2 <= 1


def annotation_of(place: int, word: str) -> Annotation:
    label, box = Label(word), BOXES[word]
    masked = word != "liver tumor"
    area = float(disc(box).sum()) if masked else float((box[2] - box[0]) * (box[3] - box[1]))
    return Annotation(
        f"a{place}",
        label.name,
        label.id,
        "mask" if masked else "box",
        tuple(map(float, box)),  # type: ignore[arg-type]
        rle_from_mask(disc(box)) if masked else None,
        area_px=area,
        laterality=label.laterality,
        origin=Origin.HUMAN,
    )


def case_of(**changes: Any) -> Case:
    states = tuple(state_of(word, state) for word, state in STATES.items())
    sample = Sample(
        split="train",
        key="made-0001",
        source="made",
        collection="made",
        group="g",
        group_kind="image",
        licence="CC0-1.0",
        citation="",
        modality="CT",
        area="abdomen",
        task="organ-segmentation",
        subsets=("ct-abdomen-organ-segmentation",),
        clinical_task="Organ Recognition - Abdomen",
        department="Gastroenterology and Hepatology",
        image_format="png",
        size_hw_px=SIZE,
        channels=1,
        provenance=Provenance("", "png", "", "", "", False, ""),
        labels=states,
        annotations=tuple(annotation_of(place, word) for place, word in enumerate(BOXES)),
    )
    return Case({**orjson.loads(to_json(sample)), **changes})


CASE = case_of()
ID = {word: Label(word).id for word in (*STATES, "kidney", "tumor", "no finding", "malignant tumor")}
IMAGE = tuple(Option(letter, word, ID[word]) for letter, word in zip("ABC", ("pancreas", "liver", "gallstone"), strict=True))


def asked(kind: Kind, question: str, **more: Any) -> Question:
    more = {"about": None, "granularity": "mask", "place": 0, **more}
    return Asking("suite", "rule").question(CASE, kind=kind, question=question, **more)


def spans(answer: str, *words: tuple[str, str], level: str | None = None) -> tuple[Span, ...]:
    """The first stretch of the answer with each word, and its annotation."""
    return tuple(Span(at := answer.index(word), at + len(word), tuple(ids.split()), level) for word, ids in words)


CHOICE = asked(
    Kind.SINGLE_CHOICE,
    "Which organ is to be seen on this CT slice?",
    instruction="Answer with the letter alone.",
    granularity="image",
    options=IMAGE,
    answer="B",
    letters=("B",),
    labels=(ID["liver"],),
)
TWO = replace(
    CHOICE,
    kind=Kind.MULTIPLE_CHOICE,
    answer="B, D",
    letters=("B", "D"),
    labels=(ID["liver"], ID["kidney"]),
    options=(*IMAGE, Option("D", "kidney", ID["kidney"])),
)
BOXED = replace(
    CHOICE,
    granularity="box",
    question="What lies in the box on this CT slice?",
    prompts=(Prompt("box", "a3", (10.0, 15.0, 25.0, 30.0)),),
    options=(Option("A", "spleen", ID["spleen"]), Option("B", "liver tumor", ID["liver tumor"])),
    labels=(ID["liver tumor"],),
)
MASKED = replace(
    BOXED,
    granularity="mask",
    prompts=(Prompt("mask", "a0"),),
    labels=(ID["liver"],),
    options=(Option("A", "spleen", ID["spleen"]), Option("B", "liver", ID["liver"])),
)
DETECTION = asked(
    Kind.DETECTION,
    "Put a box around every kidney.",
    granularity="box",
    answer="There are two of them.",
    labels=(ID["kidney"],),
    targets=("a1", "a2"),
    flags=("derived-box",),
)
SAID = "The liver lies in the middle left of the image and covers about 16% of it."
LOCALIZATION = asked(
    Kind.LOCALIZATION,
    "Where on this slice is the liver, and how large is it?",
    answer=SAID,
    labels=(ID["liver"],),
    targets=("a0",),
    spans=spans(SAID, ("liver", "a0")),
)
BESIDE = replace(
    LOCALIZATION,
    question="How does the left kidney lie to the liver?",
    answer="The left kidney is image right of the liver and below it.",
    labels=(ID["kidney"], ID["liver"]),
    targets=("a1", "a0"),
    spans=(Span(4, 15, ("a1",)), Span(38, 43, ("a0",))),
)
GIVEN = "Here are the left kidney and the liver."
GROUNDING = asked(
    Kind.GROUNDING,
    "Outline the left kidney and the liver.",
    answer=GIVEN,
    labels=(ID["kidney"], ID["liver"]),
    targets=("a1", "a0"),
    spans=spans(GIVEN, ("left kidney", "a1"), ("liver", "a0")),
)
POINTED = "It is the left kidney."
REFERRING = asked(
    Kind.REFERRING,
    "What is marked, and which pixels belong to it?",
    granularity="point",
    answer=POINTED,
    labels=(ID["kidney"],),
    targets=("a1",),
    prompts=(Prompt("point", "a1", points_xy_px=((95.0, 65.0), (93.5, 60.2))),),
    spans=spans(POINTED, ("left kidney", "a1")),
)
REASONING = asked(
    Kind.REASONING,
    "Which organ makes bile? Segment it.",
    perspective=3,
    answer="The liver makes bile.",
    labels=(ID["liver"],),
    targets=("a0",),
    spans=spans("The liver makes bile.", ("liver", "a0")),
)
PROMPTED = asked(
    Kind.PROMPTED,
    "What does the marked part do?",
    perspective=4,
    answer="The liver makes bile.",
    labels=(ID["liver"],),
    prompts=(Prompt("point", "a0", points_xy_px=((27.0, 35.0),)),),
    granularity="point",
    targets=("a0",),
)
WHOLE = "This is a CT slice of the abdomen, without gallstone."
PART = "The left kidney lies in the lower right of the image and fills 4%."
NEXT = "The liver is image left of the left kidney."
TOLD = f"{WHOLE} {PART} {NEXT}"
DESCRIPTION = asked(
    Kind.DESCRIPTION,
    "Describe this picture from the whole to its parts.",
    answer=TOLD,
    labels=(ID["kidney"], ID["liver"]),
    targets=("a0", "a1"),
    spans=(
        Span(0, len(WHOLE), (), "global"),
        *spans(TOLD, (PART, "a1"), level="region"),
        *spans(TOLD, (NEXT, "a0 a1"), level="relation"),
    ),
)
CLEAN = (CHOICE, TWO, BOXED, MASKED, DETECTION, LOCALIZATION, BESIDE, GROUNDING, REFERRING, REASONING, PROMPTED, DESCRIPTION)


def options(*words: str) -> tuple[Option, ...]:
    return tuple(Option(letter, word, ID.get(word)) for letter, word in zip("ABCDEF", words, strict=False))


def said(question: Question, old: str, new: str) -> Question:
    """The question with other words in its answer, and spans moved along."""
    answer = question.answer or ""
    at, longer = answer.index(old), len(new) - len(old)

    def moved(place: int) -> int:
        return place + longer if place >= at + len(old) else place

    where = tuple(replace(one, start=moved(one.start), end=moved(one.end)) for one in question.spans)
    return replace(question, answer=answer.replace(old, new, 1), spans=where)


def box(*sides: float, annotation: str = "a3") -> tuple[Prompt, ...]:
    return (Prompt("box", annotation, sides),)


def points(*pairs: tuple[float, float]) -> tuple[Prompt, ...]:
    return (Prompt("point", "a1", points_xy_px=pairs),)


PLANTED: dict[str, list[Question]] = {
    "key-mismatch": [replace(CHOICE, key="made-0002"), replace(CHOICE, source="other")],
    "split-mismatch": [replace(CHOICE, split="test")],
    "modality-mismatch": [replace(REASONING, modality="MRI")],
    "area-mismatch": [replace(REASONING, area="brain")],
    "answer-in-question": [
        replace(CHOICE, question="Which organ, such as the liver, is to be seen on this CT slice?"),
        replace(CHOICE, question="Livers are large. Which organ is on this CT slice?"),
        replace(CHOICE, instruction="Answer liver."),
        replace(BOXED, question="Which hepatic tumor lies in the box?"),
        replace(BOXED, question="Which tumor lies in the box?"),
        replace(BOXED, question="Which neoplasm lies in the box?"),
        replace(TWO, question="Which organs are there beside a kidney?"),
        replace(
            CHOICE, options=(Option("A", "two"), Option("B", "three")), question="How many of the three are seen?", labels=()
        ),
        replace(REFERRING, question="Which kidney is marked?"),
    ],
    "place-in-question": [replace(LOCALIZATION, question="How large is the liver at the middle left?")],
    "entity-named": [
        replace(REASONING, question="Which organ makes bile, the liver? Segment it."),
        replace(PROMPTED, question="What does the Liver at this place do?"),
        replace(PROMPTED, labels=(), question="What does the liver do?"),
    ],
    "name-missing": [
        replace(DETECTION, question="Put a box around everything."),
        replace(GROUNDING, question="Outline the left kidney."),
        replace(LOCALIZATION, question="Where is it, and how large?"),
    ],
    "too-few-options": [replace(CHOICE, options=options("liver"), answer="A", letters=("A",))],
    "bad-letters": [
        replace(CHOICE, options=(*IMAGE[:2], replace(IMAGE[2], letter="D"))),
        replace(CHOICE, options=(*IMAGE[:2], replace(IMAGE[2], letter="A"))),
        replace(CHOICE, options=(*IMAGE[:2], replace(IMAGE[2], letter=""))),
    ],
    "answer-not-among-options": [
        replace(CHOICE, answer="D", letters=("D",)),
        replace(CHOICE, answer="spleen"),
        replace(CHOICE, letters=()),
        replace(TWO, kind=Kind.SINGLE_CHOICE),
        replace(TWO, letters=("D", "B"), answer="D, B"),
    ],
    "options-synonymous": [
        replace(CHOICE, options=(*options("gallbladder", "liver"), Option("C", "Gallbladders"))),
        replace(BOXED, options=(*BOXED.options, Option("C", "hepatic tumor"))),
        replace(BOXED, options=(*BOXED.options, Option("C", "tumor", ID["tumor"]))),
        replace(CHOICE, options=(Option("A", "no tumor of the liver"), IMAGE[1], Option("C", "normal"))),
    ],
    "answer-not-true": [
        replace(CHOICE, answer="A", letters=("A",), options=options("pancreas", "gallstone"), labels=(ID["pancreas"],)),
        replace(MASKED, answer="A", letters=("A",), labels=()),
    ],
    "answer-not-unique": [
        replace(CHOICE, options=options("pancreas", "liver", "kidney")),
        replace(CHOICE, options=options("pancreas", "liver", "tumor")),
        replace(TWO, answer="B", letters=("B",)),
    ],
    "distractor-not-absent": [
        replace(CHOICE, options=options("stomach", "liver")),
        replace(CHOICE, options=options("spleen", "liver")),
        replace(CHOICE, options=options("no finding", "liver")),
    ],
    "prompt-empty": [
        replace(MASKED, prompts=(Prompt("mask", "a3"),), labels=(), options=BOXED.options),
        replace(BOXED, prompts=(Prompt("box", "a3"),)),
        replace(REFERRING, prompts=points()),
    ],
    "prompt-outside": [replace(BOXED, prompts=box(10, -9, 25, 30)), replace(REFERRING, prompts=points((120.5, 65)))],
    "prompt-off-region": [replace(BOXED, prompts=box(60, 15, 75, 30))],
    "point-outside-mask": [
        replace(REFERRING, prompts=points((86, 51))),
        replace(REFERRING, prompts=points((95, 65), (60, 65))),
    ],
    "box-without-area": [replace(BOXED, prompts=box(10, 15, 10, 30)), replace(BOXED, prompts=box(10, 30, 25, 15))],
    "derived-box-unflagged": [replace(DETECTION, flags=()), replace(REFERRING, prompts=box(85, 50, 105, 80, annotation="a1"))],
    "unknown-target": [
        replace(REASONING, targets=("a0", "a9")),
        replace(MASKED, prompts=(Prompt("mask", "a9"),)),
        replace(REASONING, spans=(Span(4, 9, ("b",)),)),
    ],
    "target-mismatch": [replace(REASONING, targets=("a0", "a1"))],
    "bad-span": [
        replace(REASONING, spans=(Span(4, 8, ("a0",)),)),
        replace(REASONING, spans=(Span(10, 15, ("a0",)),)),
        replace(REASONING, spans=(Span(4, 15, ("a0",)),)),
        replace(REASONING, spans=(Span(4, 400, ("a0",)),)),
        replace(REASONING, spans=(Span(9, 4, ("a0",)),)),
        replace(REASONING, spans=(Span(4, 9, ("a1",)),)),
    ],
    "wrong-side": [
        replace(GROUNDING, question="Outline the right kidney and the liver."),
        said(GROUNDING, "left", "right"),
        said(DESCRIPTION, "The left", "The right"),
    ],
    "wrong-place": [
        said(LOCALIZATION, "middle left", "lower right"),
        said(LOCALIZATION, "middle left", "upper right"),
        said(LOCALIZATION, "middle left", "lower middle"),
        said(DESCRIPTION, "lower right", "center"),
        said(DESCRIPTION, "image left of", "image right of"),
        said(DESCRIPTION, "image left of", "below"),
        replace(
            BESIDE, answer="The left kidney is image left of the liver.", spans=(Span(4, 15, ("a1",)), Span(37, 42, ("a0",)))
        ),
    ],
    "wrong-share": [
        said(LOCALIZATION, "16%", "25 %"),
        said(LOCALIZATION, "16%", "26.5 percent"),
        said(DESCRIPTION, "4%", "14%"),
    ],
    "wrong-count": [said(DETECTION, "two", "three"), said(DETECTION, "two of them", "3 kidneys")],
    "wrong-modality": [
        said(DESCRIPTION, "CT slice", "magnetic resonance image"),
        replace(GROUNDING, question="Outline the left kidney and the liver on this MRI slice."),
    ],
    "wrong-area": [said(DESCRIPTION, "abdomen", "brain")],
    "absence-unknown": [
        said(DESCRIPTION, "gallstone", "any spleen"),
        replace(DETECTION, question="Box every spleen.", answer="No spleen is seen.", labels=(ID["spleen"],), targets=()),
        said(DESCRIPTION, "without gallstone", "and the stomach is not seen"),
        said(DESCRIPTION, "without gallstone", "looked for and absent: pancreas, gallstone and spleen"),
        said(DESCRIPTION, "gallstone", "pancreas, gallbladder or stomach"),
    ],
}


@pytest.mark.parametrize("question", CLEAN, ids=lambda one: f"{one.kind}-{one.granularity}")
def test_nothing_fires_on_what_stands(question: Question):
    assert [str(fault) for fault in validate(question, CASE, Pools())] == []


@pytest.mark.parametrize(
    ("code", "question"),
    [pytest.param(code, one, id=f"{code}-{place}") for code, some in PLANTED.items() for place, one in enumerate(some)],
)
def test_a_planted_fault_is_caught_and_nothing_else(code: str, question: Question):
    found = validate(question, CASE, Pools())
    assert {fault.code for fault in found} == {code}, [str(fault) for fault in found]
    assert all(fault.found and fault.expected for fault in found)


def test_every_code_is_planted_and_every_kind_is_among_the_clean():
    assert PLANTED.keys() == CODES.keys()
    assert {one.kind for one in CLEAN} == set(Kind)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Both Kidneys and the spleen", {"kidney", "spleen"}),
        ("COVID-19, covid 19 or Covid19?", {"covid-19"}),
        ("a tumour of the liver: hepatic tumor", {"tumor", "liver", "liver tumor"}),
        ("Answer all, and dr. Who", set()),
        ("signs of DR and of AML", {"diabetic retinopathy", "acute myeloid leukemia"}),
        ("lung cancer", {"lung cancer"}),
        ("lung and lung cancer", {"lung", "lung cancer"}),
        ("Erythrocytes", {"red blood cell"}),
        ("", set()),
    ],
)
def test_labels_are_found_by_all_their_names(text: str, words: set[str]):
    assert named(text) == {Label(word).id for word in words}


@given(
    st.sampled_from(sorted(entry.name for entry in label_table())),
    st.sampled_from(["{}", "the {},", "({})", "x {} y", "{}: 3"]),
)
def test_every_canonical_name_is_found_in_any_sentence(name: str, sentence: str):
    text = sentence.format(name)
    found = labels().within(text)
    assert [one.meant for one in found] == [label_table().id_of(name)]
    assert holds(text, name)
    at = text.index(name)
    assert labels().at(text, at) == found[0]
    assert (found[0].start, text[at : at + len(name)]) == (at, name)
    ends = [one for one in found if one.end == len(text)]
    assert labels().ending(text) == ends
    assert labels().ending(f"{text} is") == []


@given(st.sampled_from(["6.3%", "0.04 %", "17%"]), st.sampled_from(["a3", "a41"]))
def test_what_a_sentence_says_of_place_side_and_number_is_the_same_for_any_share(share: str, box: str):
    text = "The {} covers {} of the image in its upper left, image left of 2 kidneys: <box:{}>."
    what = saying.said(text.format("left lung", share, box))
    assert what == saying.said(text.format("left lung", "5%", "a1"))
    assert [(one.height, one.side) for one in what.places] == [("upper", "left")]
    assert [(one.side, one.words) for one in what.sides] == [("left", "left lung")]
    assert [(one.number, one.label_id) for one in what.counts] == [(2, ID["kidney"])]
    assert what.relations == ("image left of",)
    assert what.shares


@given(st.sampled_from(sorted(BOXES)), st.floats(-5, 125), st.floats(-5, 95))
def test_a_point_is_inside_where_the_mask_is(word: str, x: float, y: float):
    annotation = CASE.record["annotations"][list(BOXES).index(word)]
    lost = outside(annotation, [(x, y)], size_hw_px=SIZE)
    if annotation["rle"]:
        inside = 0 <= x < SIZE[1] and 0 <= y < SIZE[0] and disc(BOXES[word])[int(y), int(x)]
    else:
        x0, y0, x1, y1 = annotation["box_xyxy_px"]
        inside = x0 - 1 <= x <= x1 + 1 and y0 - 1 <= y <= y1 + 1
    assert (lost == []) == bool(inside)


def test_a_broken_mask_holds_no_point():
    annotation = {**CASE.record["annotations"][1], "rle": "broken"}
    assert outside(annotation, [(95, 65)], size_hw_px=SIZE) == [(95, 65)]


def own_label() -> Case:
    """The case with a label that the canonical table doesn't know, in place of the liver."""
    record = orjson.loads(orjson.dumps(CASE.record))
    for one in (*record["labels"], *record["annotations"]):
        if one["label"] == "liver":
            one |= {"label": "zebra knot", "label_id": "medloom:zebra-knot"}
    return Case(record)


@pytest.mark.parametrize(
    ("question", "code"),
    [
        (replace(REASONING, question="What carries stripes? Segment it."), None),
        (replace(REASONING, question="Where is the zebra knot? Segment it."), "entity-named"),
        (replace(LOCALIZATION, question="Where is the zebra knot, and how large?"), None),
        (LOCALIZATION, "name-missing"),
    ],
)
def test_labels_of_ones_own_are_known_by_their_printed_name(question: Question, code: str | None):
    answer = (question.answer or "").replace("liver", "zebra knot")
    at = answer.index("zebra knot")
    mine = replace(question, labels=("medloom:zebra-knot",), answer=answer, spans=(Span(at, at + len("zebra knot"), ("a0",)),))
    assert [fault.code for fault in validate(mine, own_label(), Pools())] == ([] if code is None else [code])
    absent = replace(mine, answer=f"{answer} There is no zebra knot.")
    assert "absence-unknown" in {fault.code for fault in validate(absent, own_label(), Pools())}


def test_a_withheld_answer_is_no_fault():
    for one in CLEAN:
        withheld = replace(one, answer=None, letters=(), labels=(), targets=(), spans=())
        assert validate(withheld, CASE, Pools()) == []


def test_left_and_right_are_two_options():
    sides = (Option("A", "left kidney", ID["kidney"]), Option("B", "right kidney", ID["kidney"]))
    question = replace(
        BOXED, options=sides, answer="A", letters=("A",), prompts=(Prompt("mask", "a1"),), labels=(ID["kidney"],)
    )
    assert validate(replace(question, question="What does the mask show?"), CASE, Pools()) == []


def test_numbers_are_options_as_they_are_printed():
    """Words are compared without what stands between them; numbers aren't."""
    question = replace(
        CHOICE, question="How wide is it?", options=(Option("A", "<5 mm"), Option("B", "5 mm"), Option("C", "0.5 mm"))
    )
    assert validate(question, CASE, Pools()) == []
