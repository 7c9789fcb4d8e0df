"""Review by people: what goes to Label Studio, what comes back, and what is kept of it."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from medloom.cli import main
from medloom.generation.review.agreement import agreement
from medloom.generation.review.brush import brush_from_mask
from medloom.generation.review.picked import asked, counts, every, files_of, pick
from medloom.generation.review.review import Rule, take
from medloom.generation.review.reviewed import Rejected, digest
from medloom.generation.review.task_files import export
from medloom.generation.review.votes import REASONS, VERDICTS
from medloom.schema.check_release import check
from medloom.schema.errors import ReleaseError, UsageError
from medloom.schema.mask import mask_from_rle
from medloom.schema.question import Kind
from medloom.schema.release import Release

WHO = {"id": 7, "email": "ada.lovelace@example.org", "first_name": "Ada", "last_name": "Lovelace"}


def tasks_of(release: Release, out: Path, **options: Any) -> list[dict[str, Any]]:
    export(release, "hand", out, **options)
    return json.loads((out / "tasks.json").read_text())


Said = tuple[Any, str] | tuple[Any, str, tuple[str, ...]] | tuple[Any, str, tuple[str, ...], str]


def came_back(task: dict[str, Any], said: list[Said], *, number: int = 1, day: int = 1) -> dict[str, Any]:
    """A task as Label Studio 1.23.2 exports it: its data as they were, regions copied into each annotation."""
    annotations = []
    for place, one in enumerate(said):
        who, verdict, reasons, text = (*one, *((), "")[len(one) - 2 :])
        result = [chosen("verdict", VERDICTS.get(verdict, verdict))]
        result += [chosen("reason", *(REASONS.get(reason, reason) for reason in reasons))] if reasons else []
        if text:
            value = {"text": [text]}
            result.append({"id": "c", "type": "textarea", "from_name": "correction", "to_name": "question", "value": value})
        result += [region for prediction in task["predictions"] for region in prediction["result"]]
        when = f"2026-11-{day:02d}T08:28:{place:02d}.112710Z"
        facts = {"was_cancelled": False, "ground_truth": False, "created_at": when, "updated_at": when, "lead_time": 1.5}
        annotations.append({"id": 100 * number + place, "completed_by": who, "result": result, "task": number, **facts})
    return {"id": number, "data": task["data"], "annotations": annotations, "predictions": [], "drafts": [], "meta": {}}


def chosen(name: str, *words: str) -> dict[str, Any]:
    return {"id": name, "type": "choices", "from_name": name, "to_name": "question", "value": {"choices": list(words)}}


def saved(path: Path, value: Any) -> Path:
    path.write_text(json.dumps(value))
    return path


def painted(rle: list[int], size_hw_px: tuple[int, int]) -> np.ndarray:
    """The alpha channel that brush run lengths describe, read straight from the form's description."""
    bits = "".join(f"{byte:08b}" for byte in rle)
    at = 0

    def number(width: int) -> int:
        nonlocal at
        at += width
        return int(bits[at - width : at], 2)

    count, word = number(32), number(5) + 1
    widths = [number(4) + 1 for _ in range(4)]
    values: list[int] = []
    while len(values) < count:
        repeated, length = number(1), None
        length = number(widths[number(2)]) + 1
        values += [number(word)] * length if repeated else [number(word) for _ in range(length)]
    assert len(values) == count
    assert set(bits[at:]) <= {"0"}
    assert len(bits) - at < 8
    return np.array(values, np.uint8).reshape(*size_hw_px, 4)[..., 3]


@given(arrays.arrays(np.bool_, st.tuples(st.integers(1, 40), st.integers(1, 40))))
def test_a_brush_paints_the_mask(mask: np.ndarray):
    np.testing.assert_array_equal(painted(brush_from_mask(mask), mask.shape), 255 * mask.astype(np.uint8))  # type: ignore[arg-type]


@pytest.mark.parametrize("height", [1, 128, 129, 300])
def test_a_brush_cuts_runs_that_no_count_can_hold(height: int):
    mask = np.zeros((height, 128), bool)
    np.testing.assert_array_equal(painted(brush_from_mask(mask), mask.shape), 0)
    np.testing.assert_array_equal(painted(brush_from_mask(~mask), mask.shape), 255)


def test_a_task_holds_the_question_its_stored_image_and_its_regions(hand, tmp_path: Path):
    release, questions = hand
    tasks = {one["data"]["question_id"]: one for one in tasks_of(release, tmp_path / "out")}
    assert set(tasks) == {one.id for one in questions}
    for one in asked(release, questions):
        task, data = tasks[one.question.id], tasks[one.question.id]["data"]
        assert data["image"] == f"data:image/{one.record['image_format']};base64,{base64.b64encode(one.coded).decode()}"
        assert (data["question"], data["key"]) == (one.question.question, one.question.key)
        assert data["digest"] == digest(one.question)
        assert (data["options"] == "A. liver & co\nB. <script>") == bool(one.question.options)
        assert data["answer"] == ("B. <script>" if one.question.options else one.question.answer)
        height, width = one.record["size_hw_px"]
        regions = [region for prediction in task["predictions"] for region in prediction["result"]]
        assert len({region["id"] for region in regions}) == len(regions)
        assert all((region["original_height"], region["original_width"]) == (height, width) for region in regions)
        roles = Counter(label for region in regions for label in region["value"][region["type"]])
        points = sum(max(1, len(prompt.points_xy_px)) for prompt in one.question.prompts)
        assert (roles["prompt"], roles["answer"]) == (points, len(one.question.targets))
        for region in regions:
            annotation = next(a for a in one.record["annotations"] if [a["id"]] == region["meta"]["text"])
            value = region["value"]
            if region["type"] == "brushlabels":
                expected = 255 * mask_from_rle(annotation["rle"], (height, width))
                np.testing.assert_array_equal(painted(value["rle"], (height, width)), expected)
            if region["type"] == "rectanglelabels":
                x, y, w, h = (value[name] / 100 for name in ("x", "y", "width", "height"))
                box = (x * width, y * height, (x + w) * width, (y + h) * height)
                assert box == pytest.approx(annotation["box_xyxy_px"])
        keypoints = [region["value"] for region in regions if region["type"] == "keypointlabels"]
        shown = [(value["x"] * width / 100, value["y"] * height / 100) for value in keypoints]
        pointed = [point for prompt in one.question.prompts for point in prompt.points_xy_px]
        np.testing.assert_allclose(np.reshape(shown, (-1, 2)), np.reshape(pointed, (-1, 2)))


def test_the_interface_shows_what_tasks_hold_and_has_every_control_they_use(hand, tmp_path: Path):
    tasks = tasks_of(hand[0], tmp_path / "out")
    view = ElementTree.fromstring((tmp_path / "out/labeling.xml").read_text())
    shown = {tag.get("value", "")[1:] for tag in view.iter() if tag.get("value", "").startswith("$")}
    assert all(shown <= set(one["data"]) for one in tasks)
    named = {tag.get("name"): tag for tag in view.iter() if tag.get("name")}
    assert all(tag.get("toName") in named for tag in view.iter() if tag.get("toName"))
    regions = [region for one in tasks for prediction in one["predictions"] for region in prediction["result"]]
    assert {region["type"] for region in regions} == {"brushlabels", "rectanglelabels", "keypointlabels"}
    for region in regions:
        control = named[region["from_name"]]
        assert (control.tag.lower(), control.get("toName")) == (region["type"], region["to_name"])
        assert {tag.get("value") for tag in control} >= set(region["value"][region["type"]])
    assert [tag.get("value") for tag in named["verdict"]] == list(VERDICTS.values())
    assert [tag.get("value") for tag in named["reason"]] == list(REASONS.values())
    assert named["reason"].get("whenChoiceValue") == VERDICTS["reject"]


def test_images_may_lie_beside_the_tasks(hand, tmp_path: Path):
    release, questions = hand
    tasks = tasks_of(release, tmp_path / "out", images_at="/data/local-files/?d=blood/")
    places = {one["data"]["question_id"]: one["data"]["image"] for one in tasks}
    for one in asked(release, questions):
        name = f"{one.question.key}.{one.record['image_format']}"
        assert places[one.question.id] == f"/data/local-files/?d=blood/{name}"
        assert (tmp_path / "out/images" / name).read_bytes() == one.coded


def test_many_tasks_lie_in_several_files(hand, tmp_path: Path):
    whole = tasks_of(hand.release, tmp_path)
    size = (tmp_path / "tasks.json").stat().st_size
    for part_bytes, files in ((1, 12), (size // 3, 3), (10**9, 1)):
        told = export(hand.release, "hand", tmp_path, part_bytes=part_bytes)
        assert len(told["tasks"]) == files
        assert all(Path(path).stat().st_size >= part_bytes for path in told["tasks"][:-1])
        assert {path.name for path in tmp_path.glob("*tasks*")} == {Path(path).name for path in told["tasks"]}
        assert [task for path in told["tasks"] for task in json.loads(Path(path).read_text())] == whole
    hand.write([])
    assert tasks_of(hand.release, tmp_path) == []


def test_the_round_trip_keeps_every_vote_and_no_name(hand, tmp_path: Path):
    release, questions = hand
    tasks = tasks_of(release, tmp_path / "out", count=9, seed=4)
    ben = {"id": 3, "email": "ben@example.org", "first_name": "Ben"}
    said: list[Said] = [
        (WHO, "reject", ("wrong-region", "unclear"), "Grüße: <b>the left one</b>\nnot the right"),
        (ben, "reject", ("wrong-answer",)),
    ]
    exports = [came_back(task, said if place % 2 else [(WHO, "accept"), (ben, "unsure")]) for place, task in enumerate(tasks)]
    review, issues = take(release, "hand", [saved(tmp_path / "export.json", exports)])
    assert issues == []
    text = (release.root / "questions/hand/review.json").read_text()
    assert json.loads(text) == review
    assert not [word for word in ("Ada", "Lovelace", "lovelace", "Ben", "example.org", '"7"') if word in text]
    assert review["annotators"] == ["a1", "a2"]
    by_id = {one["id"]: one for one in review["questions"]}
    assert set(by_id) == {task["data"]["question_id"] for task in tasks}
    digests = {one.id: digest(one) for one in questions}
    for place, task in enumerate(tasks):
        found = by_id[task["data"]["question_id"]]
        assert found["digest"] == digests[found["id"]]
        if not place % 2:
            assert (found["verdict"], found["left_out"], found["reasons"]) == ("undecided", False, [])
            continue
        assert (found["verdict"], found["left_out"]) == ("reject", True)
        assert found["reasons"] == ["wrong-answer", "wrong-region", "unclear"]
        ballots = sorted(found["votes"].values(), key=lambda vote: vote["correction"])
        assert ballots == [
            {"verdict": "reject", "reasons": ["wrong-answer"], "correction": ""},
            {"verdict": "reject", "reasons": ["wrong-region", "unclear"], "correction": said[0][3]},  # type: ignore[misc]
        ]
    assert review["verdicts"] == {"accept": 0, "reject": len(tasks) // 2, "unsure": 0, "undecided": -(-len(tasks) // 2)}


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        ("accept", "accept"),
        ("reject", "reject"),
        ("accept reject", "undecided"),
        ("accept accept reject", "accept"),
        ("accept reject reject", "reject"),
        ("accept reject unsure", "undecided"),
        ("accept accept reject unsure", "undecided"),
        ("reject reject reject unsure accept", "reject"),
        ("unsure unsure accept", "unsure"),
    ],
)
def test_more_than_half_of_the_votes_decide(said: str, verdict: str):
    votes = said.split()
    assert Rule().verdict(votes) == Rule().verdict(reversed(votes)) == verdict
    assert Rule(least=len(votes) + 1).verdict(votes) == "undecided"
    assert Rule().leaves_out(verdict) == (verdict == "reject")
    assert Rule(strict=True).leaves_out(verdict) == (verdict != "accept")


def ballots(*rows: str) -> list[dict[str, str]]:
    words = {"A": "accept", "R": "reject", "U": "unsure"}
    return [{f"a{n}": words[letter] for n, letter in enumerate(line, start=1) if letter != "."} for line in rows]


def test_kappa_by_hand():
    # Cohen: 6 of 10 agree; margins A 5 R 5, and A 7 R 3: chance 0.35 + 0.15 = 0.5, so (0.6 - 0.5) / 0.5
    two = agreement(ballots(*["AA"] * 4, "AR", *["RR"] * 2, *["RA"] * 3))
    assert (two["measure"], two["questions"], two["votes_each"]) == ("cohen", 10, 2)
    assert two["kappa"] == pytest.approx(0.2)
    assert two["pairs_agree"] == pytest.approx(0.6)
    # Fleiss: questions agree 1, 1/3, 1/3, 1, so 2/3; of 12 votes A 6 R 5 U 1: chance (36 + 25 + 1) / 144
    three = agreement(ballots("AAA", "AAR", "RRA", "RRR")[:3] + ballots("RRU"))
    votes = Counter({"A": 6, "R": 5, "U": 1})
    chance = sum(count**2 for count in votes.values()) / 144
    assert three["measure"] == "fleiss"
    assert three["kappa"] == pytest.approx((0.5 - chance) / (1 - chance))


def test_kappa_needs_votes_that_can_be_compared():
    assert agreement(ballots("A.", ".R"))["note"] == "no question has two votes"
    same = agreement(ballots("AA", "AA"))
    assert (same["kappa"], same["pairs_agree"]) == (None, 1.0)
    assert "same" in same["note"]
    uneven = agreement(ballots("AA.", ".RR", "A.A", "AAR", "..A"))
    assert (uneven["measure"], uneven["questions"], uneven["votes_each"]) == ("fleiss", 3, 2)
    assert agreement(ballots("AA.", "AAR"))["votes_each"] == 3


@given(st.lists(st.text("ARU", min_size=3, max_size=3), min_size=2, max_size=30))
def test_kappa_is_one_for_people_who_agree_and_never_more(rows: list[str]):
    found = agreement(ballots(*rows))
    assert found["kappa"] is None or -1 <= found["kappa"] <= 1 + 1e-12
    alike = agreement(ballots(*[line[0] * 3 for line in rows]))
    assert alike["kappa"] is None or alike["kappa"] == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON"),
        ("id,question\n1,x\n", "no JSON"),
        ("{}", "a dict, not a list"),
        ("[1, 2]", "not a list of tasks"),
        ('[{"annotator": 1, "verdict": "Accept", "image": "x"}]', "JSON_MIN"),
        ('[{"data": {"image": "x"}}]', "without annotations"),
        ("[]", "no vote"),
        ('[{"data": {"image": "x"}, "annotations": []}]', "foreign-task|without our question_id"),
        ('[{"data": 3, "annotations": [{}]}]', "without our question_id"),
    ],
)
def test_what_is_no_export_is_said(hand, tmp_path: Path, text: str, said: str):
    path = tmp_path / "export.json"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        take(hand[0], "hand", [path])
    with pytest.raises(UsageError, match="No such file"):
        take(hand[0], "hand", [tmp_path / "nowhere.json"])
    assert not (hand[0].root / "questions/hand/review.json").exists()


def test_votes_that_cannot_be_counted_are_told_and_the_others_stand(hand, tmp_path: Path):
    release, _ = hand
    good, *tasks = tasks_of(release, tmp_path / "out")
    exports = [came_back(good, [(1, "accept"), (2, "accept")])]
    bad = [came_back(task, [(1, "accept")]) for task in tasks[:8]]
    bad[0]["annotations"][0]["was_cancelled"] = True
    bad[1]["annotations"][0]["completed_by"] = None
    bad[2]["annotations"][0]["result"] = bad[2]["annotations"][0]["result"][1:]
    bad[3]["annotations"][0]["result"][0] = chosen("verdict", "Perhaps")
    bad[4]["annotations"][0]["result"] = [chosen("verdict", "Reject"), chosen("reason", "It is dull")]
    bad[5]["data"] = {**bad[5]["data"], "question_id": "q-ffffffffffffffff"}
    bad[6]["data"] = {**bad[6]["data"], "digest": "0" * 16}
    bad[7]["annotations"] = [{"id": 5}]
    review, issues = take(release, "hand", [saved(tmp_path / "export.json", [*exports, *bad, {"data": {}, "annotations": []}])])
    assert [one.code for one in issues] == [
        "skipped", "no-annotator", "no-verdict", "no-verdict", "unknown-reason", "bad-annotation", "foreign-task",
        "unknown-question", "other-question",
    ]  # fmt: skip
    assert all("counted" in one.next for one in issues)
    assert [one["id"] for one in review["questions"]] == [good["data"]["question_id"]]


def test_the_latest_vote_of_a_person_counts_unless_servers_differ(hand, tmp_path: Path):
    release, _ = hand
    task = tasks_of(release, tmp_path / "out")[0]
    late = saved(tmp_path / "late.json", [came_back(task, [(1, "reject", ("other",))], day=9)])
    early = saved(tmp_path / "early.json", [came_back(task, [(1, "accept")], day=2)])
    review, _ = take(release, "hand", [late, early])
    assert (review["votes"], review["questions"][0]["verdict"]) == (1, "reject")
    review, _ = take(release, "hand", [late, early], apart=True)
    assert (review["votes"], review["annotators"], review["questions"][0]["verdict"]) == (2, ["a1", "a2"], "undecided")


def test_rejected_questions_are_left_out_until_they_are_made_anew(hand, tmp_path: Path):
    release, questions = hand
    tasks = tasks_of(release, tmp_path / "out")
    verdicts = ["accept", "reject", "unsure", "reject"] * 3
    exports = [came_back(task, [(1, verdict)]) for task, verdict in zip(tasks, verdicts, strict=True)]
    path = saved(tmp_path / "export.json", exports)
    for strict, lost in ((False, {"reject"}), (True, {"reject", "unsure"})):
        take(release, "hand", [path], strict=strict)
        rejected = Rejected.read(release.root / "questions/hand/review.json")
        said = {task["data"]["question_id"]: verdict for task, verdict in zip(tasks, verdicts, strict=True)}
        assert [one.id for one in rejected.without(questions)] == [one.id for one in questions if said[one.id] not in lost]
    anew = [replace(one, question="Another wording?") for one in questions]
    assert list(rejected.without(anew)) == anew
    for name, other in (("split", "test"), ("wording", "w9"), ("flags", ("x",)), ("department", "None")):
        assert digest(replace(questions[0], **{name: other})) == digest(questions[0])


def test_a_review_stays_when_the_rejected_are_gone_and_is_not_lost_by_a_smaller_one(hand, tmp_path: Path):
    release, questions = hand
    tasks = tasks_of(release, tmp_path / "out")
    every_task = [came_back(task, [(1, "reject" if place < 3 else "accept", ())]) for place, task in enumerate(tasks)]
    path = saved(tmp_path / "export.json", every_task)
    first, _ = take(release, "hand", [path])
    review = release.root / "questions/hand/review.json"
    kept, text = list(Rejected.read(review).without(questions)), review.read_text()
    assert len(kept) == len(questions) - 3
    hand.write(kept)
    review.write_text(text)
    again, issues = take(release, "hand", [path])
    assert (again, issues) == (first, [])
    few = saved(tmp_path / "few.json", every_task[:4])
    with pytest.raises(UsageError, match=r"has 8 questions that these exports lack.*--replace"):
        take(release, "hand", [few])
    assert len(take(release, "hand", [few], replace=True)[0]["questions"]) == 4


@pytest.mark.parametrize("text", ["", "[]", '{"questions": [{"id": 1}]}', '{"questions": [{"id": "q"}]}'])
def test_a_review_that_is_none_is_said(tmp_path: Path, text: str):
    (tmp_path / "review.json").write_text(text)
    with pytest.raises(UsageError, match="review"):
        Rejected.read(tmp_path / "review.json")
    with pytest.raises(UsageError, match="No such file"):
        Rejected.read(tmp_path / "other.json")


def test_a_draw_may_go_from_source_to_source(hand):
    release, questions = hand
    many = [replace(questions[0], id=f"q-{n:016x}", source="large" if n < 90 else "small") for n in range(93)]
    hand.write(many)
    files = files_of(release, "hand")
    for seed in range(5):
        assert Counter(one.source for one in pick(files, count=8, seed=seed, evenly=True)) == {"large": 5, "small": 3}
    assert Counter(one.source for one in pick(files, count=80, seed=0))["large"] > 70


def test_asking_without_the_rejected_leaves_out_just_them(release: Path, toys, tmp_path: Path):
    toys.ask(release)
    opened, review = Release.open(release), release / "questions/toys/review.json"
    before = list(every(files_of(opened, "toys")))
    export(opened, "toys", tmp_path / "out")
    tasks = json.loads((tmp_path / "out/tasks.json").read_text())
    said = [came_back(task, [(1, "accept" if place % 3 else "reject", ())]) for place, task in enumerate(tasks)]
    take(opened, "toys", [saved(tmp_path / "export.json", said)])
    text, lost = review.read_bytes(), {task["data"]["question_id"] for task in tasks[::3]}
    report = toys.ask(release, without=str(review))
    assert list(every(files_of(opened, "toys"))) == [one for one in before if one.id not in lost]
    assert sum(codes.get("rejected", 0) for codes in report["left_out"].values()) == len(lost)
    assert review.read_bytes() == text
    assert not check(release)["faults"]
    assert toys.ask(release, without=str(review))["made"] is False
    assert toys.ask(release)["questions"] == len(before)
    assert review.read_bytes() == text


def test_withheld_answers_come_from_their_private_folder(many_asked: Path, tmp_path: Path):
    release, answers = Release.open(many_asked), many_asked.with_name("release.work") / "answers"
    with pytest.raises(UsageError, match="withheld"):
        export(release, "toys", tmp_path / "out")
    told = export(release, "toys", tmp_path / "out", answers=answers)
    tasks = json.loads((tmp_path / "out/tasks.json").read_text())
    assert told["questions"] == len(tasks) == sum(told["kinds"].values())
    assert all(one["data"]["answer"] for one in tasks)
    whole = {one.id: digest(one) for one in every(files_of(release, "toys", answers=answers))}
    assert {one["data"]["question_id"]: one["data"]["digest"] for one in tasks} == whole


def test_a_draw_follows_from_seed_and_ids_alone(hand):
    release, questions = hand
    files = files_of(release, "hand")
    assert counts(files) == {"single_choice": 6, "detection": 3, "referring": 3}
    drawn = pick(files, count=2, seed=1)
    assert [one.kind for one in drawn] == [Kind.SINGLE_CHOICE] * 2 + [Kind.DETECTION] * 2 + [Kind.REFERRING] * 2
    hand.write(questions[::-1])
    assert pick(files_of(release, "hand"), count=2, seed=1) == drawn
    assert {one.id for seed in range(9) for one in pick(files, count=1, seed=seed)} > {drawn[0].id}
    assert sorted(one.id for one in pick(files, count=99, seed=3)) == sorted(one.id for one in questions)


def test_a_question_without_its_image_is_said(hand, tmp_path: Path):
    release, questions = hand
    hand.write([replace(questions[0], key="phantom-0000000000000000")])
    with pytest.raises(ReleaseError, match="no image of phantom-0000000000000000"):
        export(release, "hand", tmp_path / "out")


def test_the_verbs_go_there_and_back(hand, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    release, _ = hand
    run: Callable[..., tuple[int, str]] = lambda *words: _called(capsys, *words)  # noqa: E731
    code, out = run("export", release.root, "--suite", "hand", "--count", "2", "--json")
    told = json.loads(out)
    assert (code, told["questions"]) == (0, 6)
    assert told["tasks"] == [str(release.root.with_name("release.work") / "review/hand/tasks.json")]
    tasks = json.loads(Path(told["tasks"][0]).read_text())
    path = saved(tmp_path / "e.json", [came_back(task, [(1, "accept"), (2, "reject", ("unclear",))]) for task in tasks])
    code, out = run("import", release.root, path, "--suite", "hand", "--json")
    told = json.loads(out)
    assert (code, told["reviewed"], told["votes"], told["issues"]) == (0, 6, 12, [])
    assert told["agreement"]["kappa"] == 0
    code, out = run("import", release.root, path, "--suite", "hand")
    assert "Cohen's kappa 0.000" in out
    assert run("export", release.root, "--suite", "hand")[0] == 0
    assert run("export", release.root, "--suite", "none")[0] == run("import", release.root, tmp_path, "--suite", "hand")[0] == 2


def _called(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    with pytest.raises(SystemExit) as left:
        main(["review", *map(str, words)])
    assert isinstance(left.value.code, int)
    return left.value.code, capsys.readouterr().out
