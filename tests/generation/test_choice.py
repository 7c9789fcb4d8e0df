"""Single choice over a subset's labels: what may be wrong, where the right one stands, and that nothing tells it."""

from __future__ import annotations

import json
import os
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medloom.generation import suite as suites
from medloom.generation.case import Asking, Case
from medloom.generation.choices.choice import MIXED_IN, PARTS, SET, part_of, subset_choice
from medloom.generation.choices.contrast import Contrast, Seen, contrast
from medloom.generation.choices.distractors import Ways, telling, words
from medloom.generation.choices.modality_words import picture
from medloom.generation.pools import Named, Pools, kin, pools_of
from medloom.generation.rules import ready
from medloom.generation.validators import validate
from medloom.generation.wording import gaps, wordings
from medloom.schema.errors import UsageError
from medloom.schema.index import ANNOTATIONS, annotation_rows, annotation_table
from medloom.schema.labels.table import table
from medloom.schema.question import Question, row
from medloom.schema.release import Release
from medloom.schema.triplet import BROAD_TASKS, MODALITIES

GOLDEN = Path(__file__).with_name("golden") / "choices.json"
LIMIT = {1: 10.83, 2: 13.82, 3: 16.27, 4: 18.47}
"""Chi-squared by degrees of freedom, passed by chance once in a thousand."""
DISEASES = ("cataract", "drusen", "glaucoma", "macular hole", "myopia", "papilledema")


def state(label: str, is_: str = "present", *, laterality: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "label": label, "label_id": table().id_of(label), "state": is_, "area": "retina", "task": "eye-diseases",
        "subset": "fp-fundus-eye-diseases", "clinical_task": "Disease Diagnosis", "departments": ["Ophthalmology"],
        "laterality": laterality, "value": None, "unit": None, **more,
    }  # fmt: skip


def case(*states: dict[str, Any], key: str = "eyes-0", split: str = "test", **more: Any) -> Case:
    record = {
        "key": key, "split": split, "source": "eyes", "modality": "FP", "modality_detail": None, "area": "fundus",
        "task": "eye-diseases", "subsets": ["fp-fundus-eye-diseases"], "clinical_task": "Disease Diagnosis",
        "department": "Ophthalmology", "size_hw_px": [40, 60], "labels": list(states), "annotations": [], **more,
    }  # fmt: skip
    return Case(record)


def pools(*labels: str, **more: Any) -> Pools:
    pool = tuple(sorted(Named(label, table().id_of(label)) for label in labels))
    return Pools(subsets={"fp-fundus-eye-diseases": pool}, **more)


def closed(true: str, labels: Iterable[str] = DISEASES, **more: Any) -> Case:
    return case(*(state(label, "present" if label == true else "absent") for label in labels), **more)


def asked(cases: Iterable[Case], known: Pools, *, seed: int = 0, **options: Any) -> list[Question]:
    rule, suite = subset_choice(Asking("medmat", "subset-choice"), known, **options), suites.read("medmat")
    return [question for one in cases for question in rule(one, suite.chance("subset-choice", one.key, seed=seed))]


def even(counts: Iterable[int]) -> bool:
    """Whether counts look as if drawn alike."""
    every = list(counts)
    mean = sum(every) / len(every)
    return sum((count - mean) ** 2 / mean for count in every) < LIMIT[len(every) - 1]


def records(release: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(release.glob("data/**/*.tar")):
        with tarfile.open(path) as shard:
            for member in shard:
                if member.name.endswith(".json"):
                    file = shard.extractfile(member)
                    assert file is not None
                    yield json.load(file)


def asked_of(release: Path, name: str) -> Iterator[tuple[Question, Case, Pools]]:
    known, suite = pools_of(Release.open(release)), suites.read(name)
    rules = ready(suite, known)
    for record in records(release):
        one = Case(record)
        for rule, make in rules.items():
            for question in make(one, suite.chance(rule, one.key, seed=0)):
                yield question, one, known


def test_four_options_of_the_subset_and_the_right_one_anywhere() -> None:
    cases = [closed(DISEASES[number % 6], key=f"eyes-{number}") for number in range(4000)]
    questions = asked(cases, pools(*DISEASES))
    assert len(questions) == 4000
    assert {len(question.options) for question in questions} == {4}
    assert even(Counter(question.answer for question in questions).values())
    others = Counter(one.text for question in questions[::6] for one in question.options if one.letter != question.answer)
    assert set(others) == set(DISEASES[1:])
    assert even(others.values())
    assert len({question.wording for question in questions}) == 6
    assert len({question.instruction for question in questions}) == 1


def test_the_answer_is_the_letter_of_the_label() -> None:
    (question,) = asked([closed("drusen")], pools(*DISEASES))
    right = next(one for one in question.options if one.letter == question.answer)
    assert (right.text, right.label_id) == ("drusen", table().id_of("drusen"))
    assert question.letters == (right.letter,)
    assert question.labels == (right.label_id,)
    assert [one.letter for one in question.options] == list("ABCD")
    assert question.subset == "fp-fundus-eye-diseases"
    assert question.granularity == "image"


@given(st.lists(st.sampled_from(["present", "absent", "uncertain", "not_assessed", None]), min_size=6, max_size=6))
def test_wrong_options_are_known_to_be_absent(known: list[str | None]) -> None:
    one = case(*(state(label, is_) for label, is_ in zip(DISEASES, known, strict=True) if is_))
    stated = dict(zip(DISEASES, known, strict=True))
    questions = asked([one], pools(*DISEASES))
    assert len(questions) == (known.count("present") if "absent" in known else 0)
    for question in questions:
        for option in question.options:
            assert stated[option.text] == ("present" if option.letter == question.answer else "absent")


def test_kin_and_two_names_of_health_do_not_meet() -> None:
    labels = ("diabetic retinopathy", "glaucoma", "no finding", "no retinopathy", "mild nonproliferative diabetic retinopathy")
    for number in range(300):
        true = labels[number % 5]
        (question,) = asked([closed(true, labels, key=f"eyes-{number}")], pools(*labels))
        for one, other in combinations(question.options, 2):
            assert not kin(one.label_id or "", other.label_id or "")
            assert not (one.text.startswith("no ") and other.text.startswith("no "))


def test_a_side_alone_is_no_absence_and_two_sides_are_one_label() -> None:
    one = case(
        state("glaucoma", laterality="left"), state("glaucoma", laterality="right"),
        state("cataract", "absent", laterality="left"), state("cataract", "present", laterality="right"),
        state("drusen", "absent", laterality="left"), state("drusen", "uncertain", laterality="right"),
        state("myopia", "absent"),
    )  # fmt: skip
    questions = asked([one], pools(*DISEASES))
    assert [{option.text for option in question.options} for question in questions] == [
        {"glaucoma", "myopia"},
        {"cataract", "myopia"},
    ]


def test_labels_that_never_face_each_other_both_ways_are_not_asked() -> None:
    ids = {label: table().id_of(label) for label in DISEASES}
    against = {ids["glaucoma"]: frozenset({ids["cataract"]}), ids["cataract"]: frozenset({ids["glaucoma"]})}
    questions = asked([closed("glaucoma"), closed("drusen")], pools(*DISEASES, contrasts={"eyes": Contrast(against)}))
    assert [sorted(option.text for option in question.options) for question in questions] == [["cataract", "glaucoma"]]


def test_opposed_labels_are_read_from_the_index(tmp_path: Path) -> None:
    cases = [
        case(state("no finding", "absent"), state("cataract"), state("drusen", "absent"), key="eyes-0"),
        case(state("no finding"), state("drusen", "absent"), key="eyes-1"),
        case(state("drusen"), state("cataract", "absent"), state("glaucoma", "absent", laterality="left"), key="eyes-2"),
        case(state("glaucoma", laterality="right"), state("glaucoma", "absent", laterality="left"), key="eyes-3"),
        case(state("glaucoma", laterality="right"), state("drusen", "absent"), key="eyes-4"),
    ]
    path = tmp_path / "index" / "eyes" / "annotations.parquet"
    path.parent.mkdir(parents=True)
    rows = annotation_table([line for one in cases for line in annotation_rows(dict(one.record), "test")])
    pq.write_table(rows.cast(ANNOTATIONS), path, row_group_size=2)
    read = contrast(Release(tmp_path), "eyes")
    found = read.opposed
    names = {entry: table().find(entry) for entry in found}
    pairs = {(names[one].name, names[other].name) for one, others in found.items() for other in others}  # type: ignore[union-attr]
    assert pairs == {("cataract", "drusen"), ("drusen", "cataract"), ("glaucoma", "drusen"), ("drusen", "glaucoma")}
    seen = {names[one].name: counts for one, counts in read.seen["test"].items()}  # type: ignore[union-attr]
    assert seen["glaucoma"] == Seen(present=2, absent=1, faced=1)
    assert seen["cataract"] == Seen(present=1, absent=1, faced=1)
    assert seen["drusen"] == Seen(present=1, absent=3, faced=1)


def test_seeds_decide_and_keys_too() -> None:
    cases = [closed(DISEASES[number % 6], key=f"eyes-{number}") for number in range(50)]
    known = pools(*DISEASES)
    first, again, other = (asked(cases, known, seed=seed) for seed in (1, 1, 2))
    assert list(map(row, first)) == list(map(row, again))
    assert [question.id for question in first] == [question.id for question in other]
    assert sum(one.wording != two.wording for one, two in zip(first, other, strict=True)) > 25
    assert list(map(row, asked(cases[7:8], known, seed=1))) == [row(first[7])]


def test_the_most_are_drawn_among_all() -> None:
    cases = [
        case(
            *(state(label, "present" if place < 3 else "absent") for place, label in enumerate(DISEASES)), key=f"eyes-{number}"
        )
        for number in range(600)
    ]
    questions = asked(cases, pools(*DISEASES), most=1)
    assert len(questions) == 600
    assert even(Counter(question.labels for question in questions).values())
    assert {len(question.options) for question in asked(cases[:20], pools(*DISEASES), most_options=3)} == {3}


def test_general_questions_come_in_training_and_say_so() -> None:
    cases = [closed("myopia", key=f"eyes-{number}", split=("train", "test")[number % 2]) for number in range(2000)]
    questions = asked(cases, pools(*DISEASES), mixed_in=0.25)
    mixed = [question for question in questions if MIXED_IN in question.flags]
    assert 200 < len(mixed) < 300
    assert {question.split for question in mixed} == {"train"}
    assert {(len(question.options), question.labels) for question in mixed} == {(4, ())}
    assert even(Counter(question.answer for question in mixed).values())
    assert len({question.id for question in questions}) == len(questions)
    assert not [question for question in asked(cases, pools(*DISEASES)) if question.flags]


def test_general_questions_have_one_answer_each() -> None:
    for item in wordings("general", "general"):
        offered = [item.texts["right"], *item.texts["wrong"].split(" | ")]
        assert len(offered) == len(set(offered)) == 4, item.id
        assert gaps(item.texts["question"]) == set()


def test_answers_are_evened_out_where_asked_for() -> None:
    often = {"cataract": 1200, "drusen": 600, "glaucoma": 300}
    labels = tuple(often)
    cases = [closed(label, labels, key=f"eyes-{label}-{n}") for label, count in often.items() for n in range(count)]
    ids = {label: table().id_of(label) for label in labels}
    against = Contrast(
        {ids[one]: frozenset(ids[other] for other in labels if other != one) for one in labels},
        {"test": {ids[label]: Seen(count, 2100 - count, count) for label, count in often.items()}},
    )
    known = pools(*labels, contrasts={"eyes": against})
    evened = Counter(question.labels for question in asked(cases, known, even=["test"]))
    assert even(evened.values())
    assert evened[ids["glaucoma"],] == 300
    assert len(asked(cases, known, even=["train"])) == 2100
    with pytest.raises(UsageError, match="even"):
        asked(cases, known, even=["tests"])


@pytest.mark.parametrize("options", [{"most_options": 1}, {"most_options": 9}, {"mixed_in": 1.5}, {"most": 0}])
def test_numbers_that_cannot_be_used_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="subset-choice"):
        subset_choice(Asking("medmat", "subset-choice"), pools(), **options)


@pytest.mark.parametrize("part", PARTS)
def test_every_kind_of_subset_has_six_wordings_that_name_no_label(part: str) -> None:
    every = wordings(SET, part)
    assert len(every) >= 6
    labels = frozenset().union(*(words(entry.name) for entry in table()))
    for one in every:
        assert (gaps(one.texts["question"]), gaps(one.texts["placed"])) == ({"picture"}, {"picture", "area"}), one.id
    assert all(own.isdisjoint(labels) for _, own in Ways(every).every)


def test_ids_of_wordings_stand_once() -> None:
    ids = [one.id for part in PARTS for one in wordings(SET, part)]
    assert len(ids) == len(set(ids)) == 6 * len(PARTS)


def test_the_area_is_named_only_where_it_tells_nothing() -> None:
    told = [asked([closed("glaucoma", key=f"eyes-{number}")], pools(*DISEASES))[0].question for number in range(20)]
    assert all("retina" in text for text in told)
    (same,) = asked([case(state("glaucoma", area="fundus"), state("myopia", "absent", area="fundus"))], pools(*DISEASES))
    assert same.question.lower().count("fundus") == 1
    brain = {"area": "brain", "task": "brain-tumour-classification"}
    for number in range(20):
        one = case(state("glioma", **brain), state("no brain tumor", "absent", **brain), key=f"eyes-{number}", modality="MRI")
        (question,) = asked([one], pools("glioma", "no brain tumor"))
        assert "brain" not in question.question
        assert "magnetic resonance image" in question.question


def test_subsets_are_asked_in_their_own_way() -> None:
    pool = pools(*DISEASES).subsets["fp-fundus-eye-diseases"]
    assert part_of("eye-diseases", pool) == "disease-classification"
    assert (
        part_of("tuberculosis", pools("no finding", "pulmonary tuberculosis").subsets["fp-fundus-eye-diseases"]) == "normality"
    )
    assert part_of("unlabelled", pool) == "other"
    assert {part_of(task, pool) for task in BROAD_TASKS} == set(BROAD_TASKS)


def test_words_that_tell_options_apart() -> None:
    named = [Named("anterior hippocampus", "a"), Named("posterior hippocampus", "b")]
    assert telling(named) == {"anterior", "posterior"}
    assert words("Cells of the retina") == {"cell", "retina"}


def test_every_modality_has_a_noun() -> None:
    nouns = {code: picture(code) for code in MODALITIES.codes}
    assert nouns["FP"] == "fundus photograph"
    assert nouns["MRI"] == "magnetic resonance image"
    assert nouns["ADC"] == "apparent diffusion coefficient map"
    assert nouns["T1"] == "T1-weighted MRI image"
    assert nouns["Panoramic"] == "panoramic dental radiograph"
    assert nouns["CT-MTT"] == "CT perfusion (mean transit time) image"
    assert nouns["other"] == nouns["unspecified"] == "medical image"
    assert not [noun for noun in nouns.values() if "imaging image" in noun or noun.count(" image") > 1]


@pytest.mark.parametrize("name", ["phantom", "brain_tumor_mri", "hip_ultrasound_spj", "bccd", "covid_chestxray_boxes"])
@pytest.mark.parametrize("suite", ["medmat", "gmai"])
def test_questions_of_a_source_stand_before_every_validator(
    built: Callable[[str], tuple[Path, dict[str, Any]]], name: str, suite: str
) -> None:
    release, _ = built(name)
    count = 0
    for question, one, known in asked_of(release, suite):
        count += 1
        assert validate(question, one, known) == []
        assert len({option.label_id for option in question.options}) == len(question.options) > 1
    # of BCCD nothing is known to be absent, and COVID-19 faces "no finding" one way only
    expected = {("medmat", "bccd"), ("medmat", "covid_chestxray_boxes"), ("gmai", "covid_chestxray_boxes")}
    assert (count == 0) == ((suite, name) in expected)


def test_questions_of_the_phantom_are_the_golden_ones(built: Callable[[str], tuple[Path, dict[str, Any]]]) -> None:
    release, _ = built("phantom")
    found = []
    for suite in ("medmat", "gmai"):
        seen: Counter[tuple[str, str, str]] = Counter()
        for question, _, _ in asked_of(release, suite):
            kind = (question.rule, question.granularity, question.clinical_task)
            seen[kind] += 1
            if seen[kind] <= 2:
                shown = " ".join(f"{option.letter}) {option.text}" for option in question.options)
                prompts = [(one.kind, one.annotation, one.box_xyxy_px and list(one.box_xyxy_px)) for one in question.prompts]
                told = [question.id, question.key, question.question, shown, question.answer, question.wording]
                found.append([*told, list(question.flags), [list(one) for one in prompts]])
    if os.environ.get("MEDLOOM_GOLDEN"):
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    assert found == json.loads(GOLDEN.read_text(encoding="utf-8"))
