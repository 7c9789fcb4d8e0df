"""What a model writes, from a real server on loopback: checked, counted, resumed, and never with more than was allowed."""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from scripted_chat import Answer, Scripted, fields, good, said

from medloom.generation.asking.shard import records
from medloom.generation.asking.withhold import TELLING
from medloom.generation.case import Case
from medloom.generation.review.reviewed import digest
from medloom.generation.wording import gaps, wordings
from medloom.generation.writing.cost import Price, estimate
from medloom.generation.writing.endpoint import KEY, MOST_IN_A_ROW, Endpoint
from medloom.generation.writing.pace import Clock
from medloom.generation.writing.plan import Wish
from medloom.generation.writing.written import write
from medloom.schema.check_release import check
from medloom.schema.errors import EndpointError, UsageError
from medloom.schema.load import load
from medloom.schema.question import Question, question_of
from medloom.schema.release import Release

SUITE = "written-small-1"
FEW = Wish(limit=2)
QUICK = Clock(sleep=lambda seconds: None)
Body = dict[str, Any]


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)


@pytest.fixture
def phantom(built: Callable[[str], tuple[Path, Any]], tmp_path: Path) -> Path:
    shutil.copytree(built("phantom")[0], tmp_path / "release")
    return tmp_path / "release"


def obedient(body: Body, before: int) -> Answer:
    return Answer(good(body))


def ask(release: Path, server: Scripted, wish: Wish = FEW, *, fresh: bool = False, **options: Any) -> dict[str, Any]:
    return write(release, endpoint(server, **options), wish, clock=QUICK, fresh=fresh)


def endpoint(server: Scripted, **options: Any) -> Endpoint:
    return Endpoint(base_url=server.url, model="Small/1", **{"timeout_s": 20.0, "attempts": 3, **options})


def questions(release: Path) -> list[Question]:
    return [question_of(row) for row in rows_of(release / "questions")]


def rows_of(folder: Path) -> list[dict[str, Any]]:
    return [row for path in sorted(folder.rglob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def digests(release: Path) -> dict[str, str]:
    files = sorted(path for path in (release / "questions").rglob("*") if path.is_file())
    return {path.relative_to(release).as_posix(): sha256(path.read_bytes()).hexdigest() for path in files}


def kind_of(body: Body) -> str:
    if "global" in fields(body):
        return "description"
    return "prompted" if " the box" in said(body) else "reasoning"


def told(**parts: str) -> str:
    return json.dumps(parts)


def changed(body: Body, **parts: str) -> str:
    """A good reply with some fields said otherwise."""
    return json.dumps(json.loads(good(body)) | parts)


def test_a_model_that_obeys_fills_the_release(phantom):
    with Scripted(obedient) as server:
        report = ask(phantom, server)
        found = questions(phantom)
        assert len(found) == len(server.bodies) == report["questions"] == report["drafts"]
        assert (report["given_up"], report["unanswered"], report["left_out"], report["made"]) == (0, 0, {}, True)
        assert report["models"] == ["scripted-1"]
        assert {str(one.kind) for one in found} == {"reasoning", "prompted", "description"}
        assert {one.perspective for one in found} == {3, 4, None}
        sent = {one.request_digest: one for one in map(Told, found)}
        assert len(sent) == len(found)
    assert check(phantom)["faults"] == []
    rows = load(phantom, suite=SUITE, split="train")
    assert {row["maker"] for row in rows} == {"scripted-1"}
    for one in found:
        assert "model-made" in one.flags
        assert one.wording.startswith("written-")
        assert one.spans
        assert one.answer
    assert f"questions/{SUITE}" in (phantom / "README.md").read_text()


class Told:
    """The provenance of a question."""

    def __init__(self, question: Question):
        self.all = json.loads(question.provenance or "")
        self.request_digest = self.all["prompt_sha256"]


def test_provenance_says_how_a_question_came_to_be(phantom):
    with Scripted(lambda body, before: Answer(good(body), model="small-2026-03")) as server:
        ask(phantom, server, temperature=0.3)
        seeds = {body["seed"] for body in server.bodies}
        one = Told(questions(phantom)[0]).all
        assert len(seeds) == len(server.bodies)
    assert set(one) == {
        "prompt_sha256", "model", "asked_model", "endpoint", "asked_at", "seed", "temperature", "wording", "passages",
        "passages_sha256", "with_image", "structured",
    }  # fmt: skip
    assert (one["model"], one["asked_model"], one["endpoint"]) == ("small-2026-03", "Small/1", "loopback")
    assert (one["seed"] in seeds, one["temperature"], one["structured"], one["with_image"]) == (True, 0.3, True, False)
    base = sqlite3.connect(phantom.with_name("release.work") / "model-answers.sqlite")
    kept = {digest for (digest,) in base.execute("SELECT digest FROM answers")}
    base.close()
    assert {Told(question).request_digest for question in questions(phantom)} == kept


def test_the_same_bytes_however_many_ask_at_once_and_however_often(phantom, tmp_path):
    with Scripted(obedient) as server:
        first = ask(phantom, server, concurrency=1)
        bytes_of_first, asked = digests(phantom), len(server.bodies)
        assert ask(phantom, server)["made"] is False
        again = ask(phantom, server, fresh=True, concurrency=7)
        assert digests(phantom) == bytes_of_first
        assert len(server.bodies) == asked
        assert (again["made"], again["questions"]) == (True, first["questions"])
        shutil.rmtree(phantom / "questions")
        assert ask(phantom, server, concurrency=3)["made"] is True
        assert (digests(phantom), len(server.bodies)) == (bytes_of_first, asked)
        other = ask(phantom, server, replace(FEW, seed=1))
        assert other["questions"] == first["questions"]
        assert digests(phantom) != bytes_of_first


FAULTS: dict[str, tuple[str, Callable[[Body], Answer]]] = {
    "not-json": ("any", lambda body: Answer("I'd rather talk about the weather.")),
    "not-json: half an object": ("any", lambda body: Answer(good(body)[:-3])),
    "wrong-form": ("any", lambda body: Answer(told(text="all in one"))),
    "wrong-form: numbers": ("any", lambda body: Answer(json.dumps(dict.fromkeys(fields(body), 3)))),
    "cut-off": ("any", lambda body: Answer(good(body), finish="length")),
    "declined": ("any", lambda body: Answer("", finish="content_filter")),
    "declined: refusal": ("any", lambda body: Answer(refusal="I can't help with medical images.")),
    "empty": ("any", lambda body: Answer("  \n")),
    "wrong-length": ("pair", lambda body: Answer(changed(body, question="What?"))),
    "speaks-of-sheet": ("pair", lambda body: Answer(changed(body, question="Which organ does the sheet put there, and why?"))),
    "answer-names-nothing": ("pair", lambda body: Answer(changed(body, answer="It is what it is, as anyone can see."))),
    "entity-named": (
        "pair",
        lambda body: Answer(changed(body, question=f"Why look at it? {json.loads(good(body))['answer']}")),
    ),
    "wrong-modality": ("pair", lambda body: Answer(changed(body, question="Why would a sonographer look here on ultrasound?"))),
    "bad-span": ("description", lambda body: Answer(changed(body, region_1="Something can be seen."))),
    "wrong-share": ("description", lambda body: Answer(_more(body, "takes 99% of the image"))),
}
"""Code of the refusal → replies that it concerns, and the reply."""


def _more(body: Body, what: str) -> str:
    region = json.loads(good(body))["region_1"].removesuffix(" can be seen.")
    return changed(body, region_1=f"{region} {what}.")


@pytest.mark.parametrize("name", FAULTS)
def test_every_faulty_reply_is_refused_and_counted_with_its_reason(name, phantom):
    concerns, fault = FAULTS[name]

    def script(body: Body, before: int) -> Answer:
        kind = kind_of(body)
        hit = concerns in ("any", kind) or (concerns == "pair" and kind != "description")
        faulty.append(hit)
        return fault(body) if hit else Answer(good(body))

    faulty: list[bool] = []
    with Scripted(script) as server:
        report = ask(phantom, server, replace(FEW, limit=1, tries=1))
    refused = Counter(code for codes in report["refused_replies"].values() for code in codes)
    assert set(refused) == {name.split(":")[0]}
    count = sum(sum(codes.values()) for codes in report["refused_replies"].values())
    assert count == sum(faulty) == report["given_up"]
    assert report["left_out"] == report["refused_replies"]
    assert report["drafts"] == len(faulty) == report["questions"] + report["given_up"]
    assert len(questions(phantom)) == report["questions"]
    assert {one["code"] for one in report["examples"]} == set(refused)
    assert check(phantom)["faults"] == []


def test_a_refused_reply_is_asked_for_anew_with_its_reason(phantom):
    def script(body: Body, before: int) -> Answer:
        return Answer(good(body) if len(body["messages"]) > 2 else "no object")

    with Scripted(script) as server:
        report = ask(phantom, server)
        later = [body["messages"] for body in server.bodies if len(body["messages"]) > 2]
    assert report["questions"] == report["drafts"] == len(later)
    assert sum(codes["not-json"] for codes in report["refused_replies"].values()) == report["drafts"]
    assert report["left_out"] == {}
    assert [turn["role"] for turn in later[0]] == ["system", "user", "assistant", "user"]
    assert later[0][2]["content"] == "no object"
    assert "not-json" in later[0][3]["content"]


def test_everything_at_once_and_nothing_is_lost(phantom):
    def script(body: Body, before: int) -> Answer:
        bad = body["seed"] % 7
        if before == 0 and bad < 3:
            return (Answer(status=429, headers={"retry-after": "0"}), Answer(status=500), Answer(good(body), cut_after=30))[bad]
        if bad == 3:
            return Answer("{")
        if bad == 4:
            return Answer(status=400, error={"message": "this one I don't like"})
        return Answer(good(body), pause_s=0.01 if bad == 5 else 0.0)

    with Scripted(script) as server:
        report = ask(phantom, server)
        kinds = Counter(seed % 7 for seed in {body["seed"] for body in server.bodies})
        assert kinds.total() == report["drafts"]
        assert report["given_up"] == kinds[3]
        assert report["unanswered"] == kinds[4]
        assert report["questions"] == report["drafts"] - kinds[3] - kinds[4]
        refused = sum(sum(codes.values()) for codes in report["refused_replies"].values())
        assert refused == 2 * kinds[3]
        server.script = obedient
        asked = len(server.bodies)
        mended = ask(phantom, server)
        assert len(server.bodies) - asked == kinds[4]
        assert (mended["made"], mended["unanswered"], mended["given_up"]) == (True, 0, kinds[3])
        assert mended["questions"] == report["questions"] + kinds[4]
        assert ask(phantom, server)["made"] is False


def test_what_got_no_answer_is_shown_with_the_servers_words(phantom):
    with Scripted(lambda body, before: Answer(status=400, raw=b'{"detail": "pinned to another model"}')) as server:
        report = ask(phantom, server, replace(FEW, limit=1, kinds=["prompted"]))
    assert 0 < report["unanswered"] == report["drafts"] < MOST_IN_A_ROW
    assert report["left_out"] == {"written-prompted": {"no-answer-refused-request": report["drafts"]}}
    assert report["refused_replies"] == {}
    shown = {(one["code"], one["found"]) for one in report["examples"]}
    assert shown == {("no-answer-refused-request", "HTTP 400: pinned to another model")}


def test_an_endpoint_that_goes_away_leaves_the_release_as_it_was_and_the_answers(phantom):
    before = (phantom / "README.md").read_bytes()
    with Scripted(lambda body, known: Answer(good(body))) as server:
        server.script = lambda body, known: Answer(good(body)) if len(server.bodies) <= 5 else Answer(status=401)
        with pytest.raises(EndpointError, match="HTTP 401"):
            ask(phantom, server, concurrency=1)
        assert not (phantom / "questions").exists()
        assert (phantom / "README.md").read_bytes() == before
        server.script = obedient
        report = ask(phantom, server)
        assert len(set(server.keys)) == report["questions"]
        assert max(Counter(server.keys[:5] + server.keys[6:]).values()) <= 2
        assert all(server.keys.count(known) == 1 for known in server.keys[:5])


@pytest.mark.parametrize("withheld", [(), ("validation", "test")])
def test_killed_and_resumed_without_asking_twice(phantom, tmp_path, withheld):
    concurrency, private = 3, tmp_path / "private"
    with Scripted(lambda body, before: Answer(good(body), pause_s=0.02)) as server:
        command = [sys.executable, "-m", "medloom", "write", str(phantom), "--base-url", server.url, "--model", "Small/1"]
        command += ["--limit", "2", "--concurrency", str(concurrency), "--json"]
        command += [word for split in withheld for word in ("--withhold-answers", split)]
        command += ["--answers", str(private)] if withheld else []
        driver = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        while len(server.bodies) < 14 and driver.poll() is None:
            time.sleep(0.005)
        os.kill(driver.pid, signal.SIGKILL)
        driver.communicate()
        assert driver.returncode == -signal.SIGKILL
        base = sqlite3.connect(phantom.with_name("release.work") / "model-answers.sqlite")
        kept = [json.loads(sent) for (sent,) in base.execute("SELECT sent FROM answers")]
        base.close()
        known = {json.dumps(body, sort_keys=True) for body in kept}
        asked = list(server.keys)
        assert 14 - concurrency - 1 <= len(known) <= len(asked)
        assert not (phantom / "questions").exists()
        assert not private.exists()
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        report = json.loads(done.stdout)
        assert not known.intersection(server.keys[len(asked) :])
        assert len(server.keys) == report["drafts"] + len(set(asked) - known)
        assert len(set(asked) - known) <= concurrency
    assert report["questions"] == len(questions(phantom)) == report["drafts"]
    hidden = [one.id for one in questions(phantom) if one.answer is None]
    assert hidden == [row["id"] for row in rows_of(private)]
    assert bool(hidden) is bool(withheld)
    assert check(phantom)["faults"] == []


@pytest.mark.parametrize("place", [None, "private"])
def test_withheld_answers_stay_out_of_the_release(phantom, tmp_path, place):
    private = tmp_path / "private" if place else None
    with Scripted(obedient) as server:
        plain = ask(phantom, server)
        whole, asked = {row["id"]: row for row in rows_of(phantom / "questions")}, len(server.bodies)
        assert plain["answers"] is None
        wish = replace(FEW, withhold=["test"], answers=private)
        report = ask(phantom, server, wish)
        assert ask(phantom, server, wish)["made"] is False
        shutil.rmtree(report["answers"])
        assert ask(phantom, server, wish)["made"] is True
        assert len(server.bodies) == asked, "answers on disk serve, whatever is withheld"
    folder = private or phantom.with_name("release.work") / "answers"
    assert (report["withheld"], report["answers"]) == (["test"], str(folder / SUITE))
    assert report["questions"] == plain["questions"]
    released, apart = rows_of(phantom / "questions"), rows_of(folder)
    hidden = [row for row in released if row["split"] == "test"]
    assert [row for row in released if row["split"] != "test"] == [row for row in whole.values() if row["split"] != "test"]
    assert [row["id"] for row in hidden] == [row["id"] for row in apart] != []
    assert all(row == whole[row["id"]] for row in apart)
    assert not any(row[name] for row in hidden for name in TELLING)
    assert {prompt["annotation"] for row in hidden for prompt in row["prompts"]} == {""}
    kept = {name for name in hidden[0] if name not in {*TELLING, "prompts"}}
    assert all(row[name] == whole[row["id"]][name] for row in hidden for name in kept)
    assert json.loads((folder / SUITE / "suite.json").read_text())["questions"] == len(apart)
    assert check(phantom)["faults"] == []
    assert "| test |" in (phantom / "README.md").read_text()


def test_a_place_for_answers_inside_the_release_is_refused_before_anything_is_sent(phantom):
    with Scripted(obedient) as server:
        with pytest.raises(UsageError, match="inside the release"):
            ask(phantom, server, replace(FEW, withhold=["test"], answers=phantom / "private"))
        assert server.bodies == []


def test_what_is_sent_holds_nothing_of_the_owner(phantom):
    with Scripted(obedient) as server:
        ask(phantom, server)
        sent = "\n".join(server.keys)
    opened = Release.open(phantom)
    for shard in opened.recipe("phantom")["shards"]:
        for record in records(opened, source="phantom", shard=shard["path"], limit=2):
            secrets = [record["key"], record["group"], record["provenance"]["raw_sha256"], record["citation"]]
            secrets += [one["text"] for one in record["texts"]]
            assert [one for one in secrets if one in sent] == []
    assert "image_url" not in sent
    assert "phantom-" not in sent


def test_pictures_are_sent_only_when_asked_for(phantom):
    with Scripted(obedient) as server:
        report = ask(phantom, server, replace(FEW, with_image=True, kinds=["description"]))
        urls = [body["messages"][1]["content"][0]["image_url"]["url"] for body in server.bodies]
        assert report["questions"] == len(urls)
    opened, wanted = Release.open(phantom), set()
    for shard in opened.recipe("phantom")["shards"]:
        rows = pq.read_table(opened.index_path("phantom"), filters=[("shard", "=", shard["path"])]).to_pylist()
        for row in rows[:2]:
            with (phantom / shard["path"]).open("rb") as stream:
                stream.seek(row["image_offset"])
                wanted.add(stream.read(row["image_size"]))
    pictures = {base64.b64decode(url.partition(",")[2]) for url in urls}
    assert pictures
    assert pictures <= wanted
    assert {url.partition(";")[0] for url in urls} <= {"data:image/png", "data:image/jpeg"}
    assert all(Told(one).all["with_image"] for one in questions(phantom))


def test_the_answer_rests_on_passages_of_the_users_corpus(phantom, tmp_path):
    notes = tmp_path / "notes"
    notes.mkdir()
    (notes / "spine.md").write_text("The spine carries the weight of the trunk and shields the spinal cord.")
    (notes / "liver.md").write_text("The liver makes bile, and it stores sugar as glycogen.")
    with Scripted(obedient) as server:
        ask(phantom, server, replace(FEW, corpus=notes, kinds=["reasoning"]))
        texts = [said(body) for body in server.bodies]
        found = {label: Told(one).all for one in questions(phantom) for label in one.labels}
    liver = next(value for one, value in found.items() if value["passages"] == ["liver.md#1"])
    assert len(liver["passages_sha256"]) == 64
    assert any("[1] The liver makes bile" in text for text in texts)
    info = json.loads((phantom / "questions" / SUITE / "suite.json").read_text())
    assert info["suite"]["passages"] == liver["passages_sha256"]


def test_what_people_rejected_is_written_anew(phantom, tmp_path):
    with Scripted(lambda body, before: Answer(_numbered(body))) as server:
        ask(phantom, server)
        first = {one.id: one for one in questions(phantom)}
        bad = next(one for one in first.values() if one.perspective == 3)
        review = {"questions": [{"id": bad.id, "digest": digest(bad), "verdict": "rejected", "left_out": True}]}
        (tmp_path / "review.json").write_text(json.dumps(review))
        asked = len(server.bodies)
        report = ask(phantom, server, replace(FEW, without=tmp_path / "review.json"))
        assert len(server.bodies) == asked + 1
    assert report["refused_replies"] == {bad.rule: {"rejected": 1}}
    assert {one.id for one in questions(phantom) if one != first[one.id]} == {bad.id}
    assert check(phantom)["faults"] == []


def _numbered(body: Body) -> str:
    """A good reply that differs from try to try."""
    return (
        changed(body, answer=f"{json.loads(good(body))['answer']} {'Indeed. ' * len(body['messages'])}")
        if pair(body)
        else good(body)
    )


def pair(body: Body) -> bool:
    return fields(body) == ["question", "answer"]


def test_a_report_that_was_cleared_away_is_not_needed(phantom):
    with Scripted(obedient) as server:
        first = ask(phantom, server)
        shutil.rmtree(phantom.with_name("release.work"))
        again = ask(phantom, server)
        assert again["made"] is False
        names = ("drafts", "questions", "given_up", "unanswered", "left_out")
        assert [again[name] for name in names] == [first[name] for name in names]


def close(release: Path) -> None:
    path = release / "recipes" / "phantom.json"
    recipe = json.loads(path.read_text())
    recipe["facts"]["access"] = "credentialed"
    path.write_text(json.dumps(recipe))


FAR = Endpoint(base_url="https://models.example.org/v1", model="Small/1")


def test_credentialed_data_stay_on_this_machine(phantom, monkeypatch):
    monkeypatch.setenv(KEY, "sk-something")
    estimate(phantom, FAR, FEW)
    close(phantom)
    for tried in (lambda: estimate(phantom, FAR, FEW), lambda: write(phantom, FAR, FEW)):
        with pytest.raises(UsageError, match=r"phantom: access is credentialed, and models\.example\.org is another machine"):
            tried()
    with pytest.raises(UsageError, match="expected some of phantom"):
        estimate(phantom, FAR, replace(FEW, allow_credentialed=["phantoms"]))
    assert estimate(phantom, FAR, replace(FEW, allow_credentialed=["phantom"]))["requests"] > 0
    assert not (phantom / "questions").exists()


def test_credentialed_data_may_be_asked_about_here_and_an_override_is_recorded(phantom):
    close(phantom)
    with Scripted(obedient) as server:
        assert ask(phantom, server)["questions"] > 0
        assert ask(phantom, server, replace(FEW, allow_credentialed=["phantom"]))["made"] is True
    info = json.loads((phantom / "questions" / SUITE / "suite.json").read_text())
    assert info["suite"]["allowed_credentialed"] == ["phantom"]


def test_an_access_that_nobody_knows_counts_as_closed(phantom):
    close(phantom)
    path = phantom / "recipes" / "phantom.json"
    path.write_text(path.read_text().replace('"credentialed"', '"by-letter"'))
    with pytest.raises(UsageError, match="phantom: access"):
        estimate(phantom, FAR, FEW)


def test_a_dry_run_sends_nothing_and_counts_what_a_run_sends(phantom):
    with Scripted(obedient) as server:
        price = Price(tokens_in=3.0, tokens_out=15.0)
        told = estimate(phantom, endpoint(server), FEW, price=price)
        assert (server.bodies, (phantom / "questions").exists()) == ([], False)
        assert not (phantom.with_name("release.work") / "model-answers.sqlite").exists()
        ask(phantom, server)
        after = estimate(phantom, endpoint(server), FEW, price=price)
        texts = ["".join(one["content"] for one in body["messages"]) for body in server.bodies]
    assert told["requests"] == len(texts) == sum(told["rules"].values())
    assert told["tokens_in"] == pytest.approx(sum(len(text) / 4 for text in texts), rel=0.01)
    assert told["tokens_out_at_most"] == 800 * len(texts)
    assert told["price_at_most"] == pytest.approx((3 * told["tokens_in"] + 15 * told["tokens_out_at_most"]) / 1e6, abs=1e-4)
    assert (after["requests"], after["answered_already"], after["price_at_most"]) == (0, len(texts), 0)


def test_one_run_at_a_time(phantom):
    inside, go_on = threading.Event(), threading.Event()

    def script(body: Body, before: int) -> Answer:
        inside.set()
        go_on.wait(30)
        return Answer(good(body))

    with Scripted(script) as server:
        first = threading.Thread(target=ask, args=(phantom, server))
        first.start()
        try:
            assert inside.wait(30)
            with pytest.raises(UsageError, match="one at a time"):
                ask(phantom, server)
        finally:
            go_on.set()
            first.join()
    assert questions(phantom)


@pytest.mark.parametrize("wish", [{"kinds": ["poetry"]}, {"kinds": []}, {"tries": 0}, {"withhold": ["tests"]}])
def test_wishes_that_cannot_be_met(wish):
    with pytest.raises(UsageError, match="expected"):
        Wish(**wish)


def medloom(*arguments: str) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name != KEY}
    command = [sys.executable, "-m", "medloom", "write", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


def test_the_verb(phantom):
    def script(body: Body, before: int) -> Answer:
        return Answer(status=400) if kind_of(body) == "description" and body["seed"] % 2 else Answer(good(body))

    with Scripted(script) as server:
        shared = [str(phantom), "--base-url", server.url, "--model", "Small/1", "--limit", "1", "--attempts", "1"]
        dry = medloom(*shared, "--dry-run", "--price-in", "2", "--kind", "prompted")
        assert (dry.returncode, dry.stderr) == (0, "")
        assert "price at most" in dry.stdout
        assert server.bodies == []
        done = medloom(*shared, "--json")
        report = json.loads(done.stdout)
        assert done.returncode == (1 if report["unanswered"] else 0)
        server.script = obedient
        people = medloom(*shared, "--withhold-answers", "test")
        assert people.returncode == 0
        assert f"answers of test: {phantom.with_name('release.work') / 'answers' / SUITE}" in people.stdout
        assert f"{report['drafts']} drafts" in people.stdout
        assert "0 without answer" in people.stdout


@pytest.mark.parametrize(
    "more", [("--answers", "private"), ("--withhold-answers", "tests"), ("--withhold-answers", "test", "--dry-run")]
)
def test_the_verb_used_wrongly(phantom, more):
    done = medloom(str(phantom), "--base-url", "http://127.0.0.1:1/v1", "--model", "m", "--json", *more)
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["kind"] == "UsageError"
    assert not (phantom / "questions").exists()


def test_the_verb_without_key_for_another_machine(phantom):
    done = medloom(str(phantom), "--base-url", "https://models.example.org/v1", "--model", "m", "--json")
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["kind"] == "UsageError"
    assert f"{KEY} is empty" in done.stderr


def test_six_angles_for_each_kind_and_no_gap_without_filling():
    known = {"sheet", "passages", "name", "noun", "picture", "pointer"}
    for kind in ("reasoning", "prompted", "description"):
        every = wordings("written", kind)
        assert len(every) >= 6
        assert {gap for one in every for gap in gaps(one.texts["question"])} <= known
    assert all(gaps(one.texts["ask"]) == {"picture"} for one in wordings("written", "description"))


def test_no_rule_asks_about_a_sample_without_regions(phantom):
    with Scripted(obedient) as server:
        ask(phantom, server)
    opened, bare = Release.open(phantom), set()
    for shard in opened.recipe("phantom")["shards"]:
        every = map(Case, records(opened, source="phantom", shard=shard["path"], limit=2))
        bare |= {case.key for case in every if not any(case.located())}
    assert bare
    assert not bare & {one.key for one in questions(phantom)}
