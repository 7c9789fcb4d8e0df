"""Choices on images and regions by modality, clinical task and granularity: options, prompts, wordings, chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medloom.generation import suite as suites
from medloom.generation.case import Asking, Case
from medloom.generation.chance import Chance
from medloom.generation.choices.contrast import Contrast, Seen
from medloom.generation.choices.distractors import Ways, clear_of, overlap, overlaps, words
from medloom.generation.choices.modality_words import picture
from medloom.generation.choices.pointed import POINTED, Tally
from medloom.generation.choices.pooled_choice import DERIVED_BOX, SET, image_choice, image_multiple, region_choice
from medloom.generation.pools import Named, Pools, kin
from medloom.generation.wording import gaps, wordings
from medloom.schema.clinical_tasks import CLINICAL_TASKS
from medloom.schema.errors import UsageError
from medloom.schema.labels.table import table
from medloom.schema.question import Kind, Question, row

TASKS = [term for term in CLINICAL_TASKS if term.name != "None"]
LIMIT = {1: 10.83, 2: 13.82, 3: 16.27, 4: 18.47, 5: 20.52}
"""Chi-squared by degrees of freedom, passed by chance once in a thousand."""
SAID = {"image": ("whole", "entire"), "box": ("box",), "mask": ("mask",), "contour": ("contour",)}
"""Words by which a frame says what is meant."""
FINDINGS = ("atelectasis", "cardiomegaly", "hiatal hernia", "pleural effusion", "pneumothorax", "rib fracture")
ORGANS = ("gallbladder", "kidney", "liver", "pancreas", "spleen", "stomach")


def state(label: str, is_: str = "present", *, task: str = "Disease Diagnosis", side: str | None = None) -> dict[str, Any]:
    return {
        "label": label, "label_id": table().id_of(label), "state": is_, "area": "chest", "task": "multi-label-chest",
        "subset": "x-ray-chest-multi-label-chest", "clinical_task": task, "departments": ["Pulmonary Medicine"],
        "laterality": side, "value": None, "unit": None,
    }  # fmt: skip


def region(id_: str, label: str, box: tuple[float, ...], *, given: str = "box", **more: Any) -> dict[str, Any]:
    area = (box[2] - box[0]) * (box[3] - box[1])
    return {
        "id": id_, "label": label, "label_id": table().id_of(label), "granularity": given, "box_xyxy_px": list(box),
        "rle": None, "points": [], "area_px": area, "laterality": None, "observer": None, "origin": "human", "tool": None,
        **more,
    }  # fmt: skip


def case(
    states: Iterable[dict[str, Any]], regions: Iterable[dict[str, Any]] = (), *, key: str = "films-0", **more: Any
) -> Case:
    record = {
        "key": key, "split": "test", "source": "films", "modality": "X-ray", "modality_detail": None, "area": "chest",
        "task": "multi-label-chest", "subsets": ["x-ray-chest-multi-label-chest"], "clinical_task": "Disease Diagnosis",
        "department": "Pulmonary Medicine", "size_hw_px": [100, 200], "labels": list(states), "annotations": list(regions),
        **more,
    }  # fmt: skip
    return Case(record)


def pool(*labels: str) -> tuple[Named, ...]:
    return tuple(sorted(Named(label, table().id_of(label)) for label in labels))


def whole(*labels: str, task: str = "Disease Diagnosis") -> Pools:
    return Pools(sources={("films", task): pool(*labels)})


def placed(*labels: str, given: str = "box", task: str = "Disease Diagnosis") -> Pools:
    return Pools(regions={("X-ray", task, given): pool(*labels)})


def asked(make: Any, cases: Iterable[Case], known: Pools, *, seed: int = 0, **options: Any) -> list[Question]:
    name = make.__name__.replace("_", "-")
    rule, suite = make(Asking("gmai", name), known, **options), suites.read("gmai")
    return [question for one in cases for question in rule(one, suite.chance(name, one.key, seed=seed))]


def even(counts: Iterable[int]) -> bool:
    """Whether counts look as if drawn alike."""
    every = list(counts)
    mean = sum(every) / len(every)
    return sum((count - mean) ** 2 / mean for count in every) < LIMIT[len(every) - 1]


def texts(question: Question) -> list[str]:
    return [one.text for one in question.options]


def wrong(question: Question) -> list[str]:
    return [one.text for one in question.options if one.letter not in question.letters]


def right(question: Question) -> list[str]:
    return [one.text for one in question.options if one.letter in question.letters]


def test_the_number_of_wrong_options_is_uniform_and_the_right_one_anywhere() -> None:
    states = [state(label, "absent") for label in FINDINGS[1:]]
    questions = asked(
        image_choice, [case([state("atelectasis"), *states], key=f"films-{n}") for n in range(4000)], whole(*FINDINGS)
    )
    sizes = Counter(len(question.options) for question in questions)
    assert set(sizes) == {2, 3, 4, 5}
    assert even(sizes.values())
    for size in sizes:
        places = Counter(question.answer for question in questions if len(question.options) == size)
        assert len(places) == size
        assert even(places.values())
    assert even(Counter(label for question in questions for label in wrong(question)).values())


@pytest.mark.parametrize("absent", [1, 2, 3])
def test_small_pools_are_drawn_up_to_their_size(absent: int) -> None:
    states = [state("atelectasis"), *(state(label, "absent") for label in FINDINGS[1 : 1 + absent])]
    questions = asked(image_choice, [case(states, key=f"films-{n}") for n in range(1500)], whole(*FINDINGS))
    sizes = Counter(len(question.options) for question in questions)
    assert set(sizes) == set(range(2, absent + 2))
    assert absent == 1 or even(sizes.values())


@given(st.lists(st.sampled_from(["present", "absent", "uncertain", "not_assessed", None]), min_size=6, max_size=6))
def test_wrong_options_of_images_are_known_to_be_absent(known: list[str | None]) -> None:
    stated = {label: is_ for label, is_ in zip(FINDINGS, known, strict=True) if is_}
    one = case(state(label, is_) for label, is_ in stated.items())
    for question in (*asked(image_choice, [one], whole(*FINDINGS)), *asked(image_multiple, [one], whole(*FINDINGS))):
        assert {stated[label] for label in right(question)} == {"present"}
        assert {stated[label] for label in wrong(question)} == {"absent"}


@given(st.lists(st.sampled_from(["present", "absent"]), min_size=6, max_size=6), st.integers(3, 6))
def test_several_right_options(known: list[str], most: int) -> None:
    one = case(state(label, is_) for label, is_ in zip(FINDINGS, known, strict=True))
    questions = asked(image_multiple, [one], whole(*FINDINGS), most_options=most)
    present = known.count("present")
    assert len(questions) == (1 if 2 <= present < 6 else 0)
    for question in questions:
        assert question.kind is Kind.MULTIPLE_CHOICE
        assert len(right(question)) == min(present, most - 1)
        assert 1 <= len(wrong(question)) <= most - len(right(question))
        assert question.answer == ",".join(question.letters) == ",".join(sorted(question.letters))
        assert question.labels == tuple(one.label_id for one in question.options if one.letter in question.letters)
        assert "all that apply" in question.instruction


def test_several_right_options_are_not_kin() -> None:
    labels = ("lung disease", "atelectasis", "pneumothorax", "cardiomegaly")
    cases = [
        case([*(state(label) for label in labels[:3]), state("cardiomegaly", "absent")], key=f"films-{n}") for n in range(100)
    ]
    for question in asked(image_multiple, cases, whole(*labels)):
        assert not any(kin(one.label_id or "", other.label_id or "") for one, other in combinations(question.options, 2))


def test_tasks_are_asked_apart_and_none_is_not_asked() -> None:
    known = Pools(sources={("films", task): pool("liver", "spleen", "atelectasis") for task in ("Disease Diagnosis", "None")})
    one = case([state("liver", task="None"), state("spleen", "absent", task="None"), state("atelectasis")])
    (question,) = asked(image_choice, [one], known)
    assert question.clinical_task == "Disease Diagnosis"
    assert asked(image_multiple, [one], known) == []


def test_a_region_is_asked_about_with_the_pool_of_its_kind() -> None:
    films = [
        case([state("atelectasis")], [region("a0", "atelectasis", (10, 10, 60, 50))], key=f"films-{n}") for n in range(4000)
    ]
    questions = asked(region_choice, films, placed(*FINDINGS))
    assert len(questions) == 4000
    sizes = Counter(len(question.options) for question in questions)
    assert set(sizes) == {2, 3, 4, 5}
    assert even(sizes.values())
    assert even(Counter(label for question in questions for label in wrong(question)).values())
    prompt = questions[0].prompts[0]
    assert (prompt.kind, prompt.annotation, prompt.box_xyxy_px) == ("box", "a0", (10, 10, 60, 50))
    assert {question.flags for question in questions} == {()}


def test_labels_of_the_image_are_no_wrong_options_but_where_they_lie_elsewhere() -> None:
    states = [state("atelectasis"), state("cardiomegaly"), state("hiatal hernia"), state("pneumothorax", "uncertain")]
    regions = [
        region("a0", "atelectasis", (10, 10, 30, 30)),
        region("a1", "cardiomegaly", (30, 30, 60, 60)),  # touches the first
        region("a2", "hiatal hernia", (100, 10, 120, 30)),
        region("a3", "hiatal hernia", (100, 50, 120, 70)),
    ]
    films = [case(states, regions, key=f"films-{number}") for number in range(200)]
    offered: dict[tuple[bool, str], set[str]] = {}
    for elsewhere in (True, False):
        for question in asked(region_choice, films, placed(*FINDINGS), elsewhere=elsewhere):
            offered.setdefault((elsewhere, right(question)[0]), set()).update(wrong(question))
    stranger = {"pleural effusion", "rib fracture"}
    assert offered[True, "atelectasis"] == {"hiatal hernia", *stranger}
    assert offered[True, "hiatal hernia"] == {"atelectasis", "cardiomegaly", *stranger}
    assert {frozenset(labels) for (elsewhere, _), labels in offered.items() if not elsewhere} == {frozenset(stranger)}
    assert clear_of(films[0], table().id_of("atelectasis")) == {table().id_of("hiatal hernia")}


def test_masks_are_pointed_at_in_three_ways() -> None:
    one = case([state("liver", task="Organ Recognition - Abdomen")], [region("a0", "liver", (10, 10, 60, 50), given="mask")])
    known = placed(*ORGANS, given="mask", task="Organ Recognition - Abdomen")
    shown = {question.granularity: question for question in asked(region_choice, [one], known)}
    assert list(shown) == ["mask", "contour", "box"]
    assert [(one.kind, one.box_xyxy_px) for question in shown.values() for one in question.prompts] == [
        ("mask", None),
        ("contour", None),
        ("box", (10, 10, 60, 50)),
    ]
    assert {kind: question.flags for kind, question in shown.items()} == {"mask": (), "contour": (), "box": (DERIVED_BOX,)}
    given_only = asked(region_choice, [one], known, derived_boxes=False, granularities=["mask", "box"])
    assert [question.granularity for question in given_only] == ["mask"]


def test_given_boxes_come_before_derived_ones() -> None:
    regions = [region("a0", "atelectasis", (10, 10, 60, 50), given="mask"), region("a1", "atelectasis", (0, 0, 80, 80))]
    known = Pools(regions={("X-ray", "Disease Diagnosis", kind): pool(*FINDINGS) for kind in ("mask", "box")})
    questions = asked(region_choice, [case([state("atelectasis")], regions)], known)
    assert {(question.granularity, question.prompts[0].annotation, question.flags) for question in questions} == {
        ("box", "a1", ()),
        ("mask", "a0", ()),
        ("contour", "a0", ()),
    }
    derived = region("a0", "atelectasis", (10, 10, 60, 50), origin="derived")
    (question,) = asked(region_choice, [case([state("atelectasis")], [derived])], known)
    assert question.flags == (DERIVED_BOX,)


def test_points_are_not_asked_about_and_small_regions_neither() -> None:
    point = region("a0", "atelectasis", (0, 0, 0, 0), given="point", box_xyxy_px=None, area_px=None, points=[[3, 4]])
    known = Pools(regions={("X-ray", "Disease Diagnosis", kind): pool(*FINDINGS) for kind in ("point", "box")})
    assert asked(region_choice, [case([state("atelectasis")], [point])], known) == []
    small = [region("a0", "atelectasis", (0, 0, 10, 10), area_px=None), region("a1", "atelectasis", (20, 20, 60, 60))]
    films = [case([state("atelectasis")], small, key=f"films-{number}") for number in range(60)]
    kept = asked(region_choice, films, known, min_area_share=0.006)
    assert {question.prompts[0].annotation for question in kept} == {"a1"}
    assert {question.prompts[0].annotation for question in asked(region_choice, films, known)} == {"a0", "a1"}


def test_what_may_hold_for_one_region_does_not_meet() -> None:
    lungs = ("pneumonia", "lung opacity", "lung consolidation", "pulmonary nodule", "cardiomegaly")
    film = case([state("pneumonia")], [region("a0", "pneumonia", (10, 10, 60, 50))])
    (question,) = asked(region_choice, [film], placed(*lungs))
    assert sorted(texts(question)) == ["cardiomegaly", "pneumonia"]
    assert overlap(table().id_of("lymphocyte"), table().id_of("cell nucleus"))
    assert not overlap(table().id_of("red blood cell"), table().id_of("cell nucleus"))
    assert not overlap(table().id_of("glioma"), table().id_of("meningioma"))
    assert all(some and others for some, others in overlaps())


@pytest.mark.parametrize("task", TASKS, ids=lambda term: term.code)
@pytest.mark.parametrize("part", ["image", "several", "box", "mask", "contour"])
def test_every_task_and_granularity_has_ten_wordings_that_name_no_label(task: Any, part: str) -> None:
    labels = frozenset().union(*(words(entry.name) for entry in table() if entry.clinical_task == task.name))
    frames = [one for one, own in Ways(wordings(SET, part)).every if own.isdisjoint(labels)]
    cues = [one for one, own in Ways(wordings(SET, f"cue-{task.code}")).every if own.isdisjoint(labels)]
    filled = {one.fill(picture="fundus photograph", thing=cue.fill()) for one in frames for cue in cues}
    assert len(frames) >= 10
    assert len(cues) >= 3
    assert len(filled) == len(frames) * len(cues)
    for text in filled:
        assert "fundus photograph" in text
        assert any(word in text.lower() for word in SAID.get(part, SAID["image"])), text
        assert any(cue.fill() in text for cue in cues)
        assert " a a" not in text
        assert not (part in ("image", "several") and "box" in text)


def test_frames_have_both_gaps_and_ids_stand_once() -> None:
    parts = ("image", "several", *POINTED)
    frames = [one for part in parts for one in wordings(SET, part)]
    cues = [one for term in TASKS for one in wordings(SET, f"cue-{term.code}")]
    assert {frozenset(gaps(one.texts["question"])) for one in frames} == {frozenset({"picture", "thing"})}
    ids = [one.id for one in (*frames, *cues)]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("term", TASKS, ids=lambda term: term.code)
@pytest.mark.parametrize("given", ["image", "box", "mask", "contour"])
def test_questions_name_modality_task_and_granularity(term: Any, given: str) -> None:
    films = [
        case([state("liver", task=term.name), state("spleen", "absent", task=term.name)],
             [region("a0", "liver", (10, 10, 60, 50), given=given)] if given != "image" else (), key=f"films-{number}",
             modality_detail="Mammography")
        for number in range(12)
    ]  # fmt: skip
    regions = {("Mammography", term.name, given): pool("liver", "spleen")}
    known = Pools(sources={("films", term.name): pool("liver", "spleen")}, regions={} if given == "image" else regions)
    make = image_choice if given == "image" else region_choice
    questions = [one for one in asked(make, films, known) if one.granularity == given]
    assert len({question.question for question in questions}) > 6
    for question in questions:
        assert picture("Mammography") in question.question
        assert any(word in question.question.lower() for word in SAID[given])
        assert any(cue.fill() in question.question for cue in wordings(SET, f"cue-{term.code}"))
        assert question.clinical_task == term.name
        assert words("liver spleen").isdisjoint(words(question.question))


def test_seeds_decide_and_keys_too() -> None:
    films = [
        case(
            [state("atelectasis")],
            [region(f"a{n}", "atelectasis", (10 * n, 0, 10 * n + 9, 9)) for n in range(5)],
            key=f"films-{key}",
        )
        for key in range(60)
    ]
    known = placed(*FINDINGS)
    first, again, other = (asked(region_choice, films, known, seed=seed) for seed in (1, 1, 2))
    assert list(map(row, first)) == list(map(row, again))
    assert [question.id for question in first] == [question.id for question in other]
    assert sum(one.wording != two.wording for one, two in zip(first, other, strict=True)) > 40
    assert {question.prompts[0].annotation for question in first} == {f"a{number}" for number in range(5)}
    assert list(map(row, asked(region_choice, films[7:8], known, seed=1))) == [row(first[7])]


def test_the_most_are_drawn_among_all_labels() -> None:
    states = [state(label) for label in FINDINGS[:3]]
    regions = [region(f"a{n}", label, (10 * n, 0, 10 * n + 5, 9)) for n, label in enumerate(FINDINGS[:3])]
    films = [case(states, regions, key=f"films-{number}") for number in range(900)]
    questions = asked(region_choice, films, placed(*FINDINGS), most=1)
    assert len(questions) == 900
    assert even(Counter(question.labels for question in questions).values())


def test_of_two_labels_each_is_right_beside_the_other_as_often() -> None:
    often = {"atelectasis": 1200, "pneumothorax": 400}
    films = [
        case([state(label)], [region("a0", label, (10, 10, 60, 50))], key=f"films-{label}-{number}")
        for label, count in often.items()
        for number in range(count)
    ]
    tally = Tally()
    for film in films:
        for row_ in (film.present[0], film.record["annotations"][0]):
            given = row_.get("granularity", "image")
            place = {"key": film.key, "split": "test", "granularity": given, "clinical_task": "Disease Diagnosis"}
            tally.add({**place, "label_id": row_["label_id"]}, "X-ray")
    known = Pools(regions=placed(*often).regions, pointed=tally.pairs())
    ids = {label: table().id_of(label) for label in often}
    place = ("X-ray", "Disease Diagnosis", "box", "test")
    assert known.pointed == {
        place: {(ids["atelectasis"], ids["pneumothorax"]): 1200, (ids["pneumothorax"], ids["atelectasis"]): 400}
    }
    answers = Counter(question.labels for question in asked(region_choice, films, known, even=["test"]))
    assert even(answers.values())
    assert answers[ids["pneumothorax"],] == 400
    assert len(asked(region_choice, films, known, even=["train"])) == 1600


def test_what_is_shown_among_several_is_as_often_right_as_wrong() -> None:
    often = {"atelectasis": 0.8, "cardiomegaly": 0.5, "hiatal hernia": 0.3, "pneumothorax": 0.6, "pleural effusion": 0.5}
    films = []
    for number in range(3000):
        drawn = Chance("films", number)
        states = [state(label, "present" if drawn.unit() < share else "absent") for label, share in often.items()]
        films.append(case(states, key=f"films-{number}"))
    known = [
        sum(one["state"] == "present" for film in films for one in film.states if one["label"] == label) for label in often
    ]
    seen = {table().id_of(label): Seen(count, 3000 - count, 0) for label, count in zip(often, known, strict=True)}
    everyone = frozenset(seen)
    contrasts = {"films": Contrast({one: everyone - {one} for one in everyone}, {"test": seen})}
    questions = asked(image_multiple, films, Pools(sources=whole(*often).sources, contrasts=contrasts), even=["test"])
    shares = {}
    for evened, some in ((True, questions), (False, asked(image_multiple, films, whole(*often)))):
        shown = Counter(label for question in some for label in texts(question))
        held = Counter(label for question in some for label in right(question))
        shares[evened] = [held[label] / shown[label] for label in often]
    assert max(shares[True]) - min(shares[True]) < 0.1
    assert max(shares[False]) - min(shares[False]) > 0.3


@pytest.mark.parametrize(
    ("make", "options"),
    [
        (image_choice, {"most_wrong": 0}),
        (image_choice, {"most": 0}),
        (image_multiple, {"most_options": 2}),
        (region_choice, {"granularities": ["point"]}),
        (region_choice, {"granularities": []}),
        (region_choice, {"min_area_share": 1.0}),
        (region_choice, {"most_wrong": 8}),
        (image_multiple, {"even": "test"}),
        (region_choice, {"even": ["excluded"]}),
    ],
)
def test_values_that_cannot_be_used_are_refused(make: Any, options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="expected"):
        make(Asking("gmai", "rule"), Pools(), **options)
