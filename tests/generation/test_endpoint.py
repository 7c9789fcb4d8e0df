"""The client against a real server on loopback that misbehaves in every way we know."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_chat import Answer, Scripted

from medloom.generation.telling.alignment import alignment
from medloom.generation.writing.answers import Answers, Reply
from medloom.generation.writing.endpoint import KEY, MOST_IN_A_ROW, Client, Endpoint, Request, Unanswered
from medloom.generation.writing.form import BadAnswer, Form
from medloom.generation.writing.judge import ATTRIBUTES, Judged, judge, judge_of
from medloom.generation.writing.pace import Clock, Pace
from medloom.generation.writing.trouble import retry_after_s
from medloom.schema.errors import EndpointError, UsageError

FORM = Form("exercise", {"question": "what is asked", "answer": "what is right"})
REQUEST = Request(system="Be brief.", turns=("Ask about the liver.",), form=FORM, seed=7)
GOOD = json.dumps({"question": "What makes bile?", "answer": "The liver."})
SECRET = "sk-very-secret-0123456789"


class Skipping:
    """A clock whose sleeps take no time."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.skipped = 0.0

    @property
    def clock(self) -> Clock:
        return Clock(now=lambda: time.monotonic() + self.skipped, sleep=self.sleep)

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.skipped += seconds


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)


@pytest.fixture
def skipping() -> Skipping:
    return Skipping()


@pytest.fixture
def answers(tmp_path: Path) -> Iterator[Answers]:
    with Answers(tmp_path / "answers.sqlite") as found:
        yield found


def turns(*answers: Answer) -> Callable[..., Answer]:
    """A script of one answer per request, the last one for ever."""
    left = list(answers)
    return lambda body, before: left.pop(0) if len(left) > 1 else left[0]


def asked(server: Scripted, answers: Answers, skipping: Skipping, request: Request = REQUEST, **options) -> Reply | Unanswered:
    with Client(endpoint(server, **options), answers, clock=skipping.clock) as client:
        return client.ask(request)


def endpoint(server: Scripted, **options) -> Endpoint:
    return Endpoint(base_url=server.url, model="small", **{"timeout_s": 5.0, **options})


def test_a_reply_tells_where_it_comes_from_and_is_asked_for_once(answers, skipping):
    with Scripted(turns(Answer(GOOD))) as server:
        first = asked(server, answers, skipping)
        second = asked(server, answers, skipping)
        assert first == second
        assert isinstance(first, Reply)
        assert len(server.bodies) == 1
        assert (first.text, first.model, first.finish, first.attempts) == (GOOD, "scripted-1", "stop", 1)
        assert (first.tokens_in, first.tokens_out) == (11, 7)
        assert first.digest == REQUEST.digest(endpoint(server))
        assert datetime.fromisoformat(first.asked_at).tzinfo is not None
    body = server.bodies[0]
    assert body["model"] == "small"
    assert body["seed"] == 7
    assert body["response_format"]["json_schema"]["schema"]["required"] == ["question", "answer"]
    assert [one["role"] for one in body["messages"]] == ["system", "user"]
    assert "temperature" not in body
    assert skipping.slept == []


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
def test_what_may_pass_is_tried_again(status, answers, skipping):
    with Scripted(turns(Answer(status=status), Answer(status=status), Answer(GOOD))) as server:
        reply = asked(server, answers, skipping)
        assert isinstance(reply, Reply)
        assert (reply.attempts, len(server.bodies)) == (3, 3)
    first, second = skipping.slept
    assert 0.5 <= first <= 1.0 <= second <= 2.0


def test_the_servers_own_pause_is_kept_by_all(answers, skipping):
    with Scripted(turns(Answer(status=429, headers={"retry-after": "37"}), Answer(GOOD))) as server:
        assert isinstance(asked(server, answers, skipping), Reply)
    assert sum(skipping.slept) == pytest.approx(37, abs=1)


def test_a_pause_of_hours_is_not_waited_for(answers, skipping):
    with Scripted(turns(Answer(status=429, headers={"retry-after": "7200"}))) as server:
        gone = asked(server, answers, skipping)
        assert isinstance(gone, Unanswered)
        assert (gone.code, len(server.bodies), skipping.slept) == ("rate-limited", 1, [])


NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": "0.25"}, 0.25),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, 90.0),
        ({"retry-after": format_datetime(NOW - timedelta(seconds=90), usegmt=True)}, 0.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "-4"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
def test_retry_after_in_all_its_forms(headers, seconds):
    assert retry_after_s(headers, NOW) == seconds


BAD = {
    "timeout": Answer(GOOD, pause_s=0.6),
    "timeout by drops": Answer(GOOD, drip_s=0.02),
    "connection cut in the body": Answer(GOOD, cut_after=40),
    "connection cut before it": Answer(GOOD, cut_after=0),
    "server-error": Answer(status=500),
    "rate-limited": Answer(status=429),
    "no-completion: words": Answer(raw=b"hello"),
    "no-completion: no choice": Answer(raw=b'{"choices": []}'),
    "no-completion: null": Answer(raw=b"null"),
    "no-completion: not text": Answer(raw=b"\xff\xfe\x00"),
    "no-completion: deep": Answer(raw=b"[" * 100_000),
}


@pytest.mark.parametrize("name", BAD)
def test_what_never_gets_better_stays_unanswered_and_is_asked_again_another_day(name, answers, skipping):
    bad = BAD[name]
    options = {"attempts": 2, "timeout_s": 0.3}
    with Scripted(turns(bad, bad, Answer(GOOD))) as server:
        gone = asked(server, answers, skipping, **options)
        assert isinstance(gone, Unanswered)
        assert gone.code == name.split()[0].rstrip(":")
        assert (len(server.bodies), len(answers)) == (2, 0)
        assert isinstance(asked(server, answers, skipping, **options), Reply)
        assert (len(server.bodies), len(answers)) == (3, 1)


@pytest.mark.parametrize("parameter", ["response_format", "seed", "temperature", "max_tokens"])
def test_a_parameter_that_the_server_does_not_know_is_left_out_from_then_on(parameter, answers, skipping):
    def script(body, before):
        if parameter in body:
            return Answer(status=400, error={"message": f"Unsupported: '{parameter}'", "param": parameter})
        return Answer(GOOD)

    other = replace(REQUEST, turns=("Ask about the spleen.",))
    with Scripted(script) as server:
        with Client(endpoint(server, temperature=0.5), answers, clock=skipping.clock) as client:
            first, second = client.ask(REQUEST), client.ask(other)
        assert isinstance(first, Reply)
        assert isinstance(second, Reply)
        assert first.without == second.without == (parameter,)
        assert (first.attempts, len(server.bodies), skipping.slept) == (1, 3, [])
        assert [parameter in body for body in server.bodies] == [True, False, False]
        assert (server.bodies[1].get("max_completion_tokens") == 800) is (parameter == "max_tokens")


def test_a_server_that_knows_none_of_our_parameters(answers, skipping):
    def script(body, before):
        extra = sorted(set(body) - {"model", "messages", "max_completion_tokens"})
        return Answer(status=422, error={"message": f"unexpected: {extra[0]}"}) if extra else Answer(GOOD)

    with Scripted(script) as server:
        reply = asked(server, answers, skipping, temperature=0.1)
        assert isinstance(reply, Reply)
        assert reply.without == ("max_tokens", "response_format", "seed", "temperature")


@pytest.mark.parametrize(
    "body", [{"detail": "pinned to 'large'; requested 'small'"}, {"error": {"detail": "pinned to 'large'; requested 'small'"}}]
)
def test_the_words_of_servers_that_say_detail_for_message_are_told(body, answers, skipping):
    with Scripted(turns(Answer(status=400, raw=json.dumps(body).encode()))) as server:
        gone = asked(server, answers, skipping)
    assert gone == Unanswered("refused-request", "HTTP 400: pinned to 'large'; requested 'small'")


def test_a_refused_request_is_not_tried_again(answers, skipping):
    with Scripted(turns(Answer(status=400, error={"message": "context too long"}))) as server:
        gone = asked(server, answers, skipping)
        assert gone == Unanswered("refused-request", "HTTP 400: context too long")
        assert len(server.bodies) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(status=401),
        Answer(status=402),
        Answer(status=403),
        Answer(status=404, error={"message": "no model small"}),
        Answer(status=429, error={"message": "pay first", "type": "insufficient_quota", "code": "insufficient_quota"}),
    ],
)
def test_an_endpoint_that_will_not_have_us_ends_the_run(answer, answers, skipping):
    with Scripted(turns(answer)) as server:
        with pytest.raises(EndpointError, match=f"HTTP {answer.status}"):
            asked(server, answers, skipping)
        assert len(server.bodies) == 1


def test_no_redirect_is_followed(answers, skipping):
    with Scripted(turns(Answer(GOOD))) as elsewhere, Scripted(turns()) as server:
        server.script = turns(Answer(status=307, headers={"location": f"{elsewhere.url}/chat/completions"}))
        with pytest.raises(EndpointError, match="HTTP 307"):
            asked(server, answers, skipping)
        assert elsewhere.bodies == []


def test_no_proxy_stands_before_this_machine(answers, skipping, monkeypatch):
    with Scripted(turns(Answer(GOOD))) as proxy, Scripted(turns(Answer(GOOD))) as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/v1"))
        assert isinstance(asked(server, answers, skipping), Reply)
        assert (len(proxy.bodies), len(server.bodies)) == (0, 1)


def test_an_endpoint_that_is_gone_ends_the_run(answers, skipping):
    with Scripted(turns(Answer(status=503))) as server:
        with Client(endpoint(server, attempts=1), answers, clock=skipping.clock) as client:
            others = [replace(REQUEST, seed=seed) for seed in range(MOST_IN_A_ROW)]
            assert all(isinstance(client.ask(one), Unanswered) for one in others[:-1])
            with pytest.raises(EndpointError, match="in a row"):
                client.ask(others[-1])
            stopped = client.ask(replace(REQUEST, seed=99))
        assert isinstance(stopped, Unanswered)
        assert (stopped.code, len(server.bodies)) == ("stopped", MOST_IN_A_ROW)


@pytest.mark.parametrize("headers", [{}, {"retry-after": "300"}])
def test_a_stop_ends_every_wait(headers, answers):
    asked_once, came = threading.Event(), []

    def script(body, before):
        asked_once.set()
        return Answer(status=503, headers=headers)

    with Scripted(script) as server, Client(endpoint(server, attempts=99), answers) as client:
        waiting = threading.Thread(target=lambda: came.append(client.ask(REQUEST)), daemon=True)
        waiting.start()
        assert asked_once.wait(20)
        client.stop()
        waiting.join(20)
        assert not waiting.is_alive()
    assert came[0].code == "stopped"


def test_nobody_listens(answers, skipping):
    with Scripted(turns()) as server:
        nowhere = endpoint(server, attempts=2)
    with Client(nowhere, answers, clock=skipping.clock) as client:
        gone = client.ask(REQUEST)
    assert isinstance(gone, Unanswered)
    assert gone.code == "connection"


def test_the_key_goes_into_one_header_and_nowhere_else(tmp_path, skipping, monkeypatch, caplog):
    monkeypatch.setenv(KEY, SECRET)
    caplog.set_level(logging.DEBUG)
    echo = json.dumps({"question": f"What is {SECRET}?", "answer": SECRET})
    with Scripted(
        turns(Answer(echo, model=f"m-{SECRET}"), Answer(status=401, error={"message": f"bad key {SECRET}"}))
    ) as server:
        with Answers(tmp_path / "a.sqlite") as answers:
            reply = asked(server, answers, skipping)
            with pytest.raises(EndpointError) as refused:
                asked(server, answers, skipping, replace(REQUEST, seed=8))
        assert [one["authorization"] for one in server.headers] == [f"Bearer {SECRET}"] * 2
        assert not any(SECRET in known for known in server.keys)
    assert isinstance(reply, Reply)
    assert reply.model == "m-***"
    assert "bad key ***" in str(refused.value)
    assert not any(SECRET.encode() in path.read_bytes() for path in tmp_path.iterdir())
    assert SECRET not in f"{refused.value!r}{reply!r}{refused.getrepr(showlocals=False)}{caplog.text}"


def test_another_machine_needs_a_key(answers):
    far = Endpoint(base_url="https://models.example.org/v1", model="m")
    with pytest.raises(UsageError, match=f"{KEY} is empty"):
        Client(far, answers)


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://127.8.9.1/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://localhost:8000/v1", True),
        ("http://0.0.0.0:8000/v1", False),
        ("http://127.0.0.1.example.org/v1", False),
        ("http://localhost.example.org/v1", False),
        ("http://10.0.0.5/v1", False),
        ("https://api.example.org/v1", False),
    ],
)
def test_what_counts_as_this_machine(url, loopback):
    made = Endpoint(base_url=url, model="m")
    assert made.loopback is loopback
    assert (made.shown == "loopback") is loopback


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://h/v1", "http:///v1", "http://h/v1?key=hush", "https://me:hush@h/v1"])
def test_urls_that_are_none_or_hold_a_secret(url):
    with pytest.raises(UsageError, match="base URL") as refused:
        Endpoint(base_url=url, model="m")
    assert "hush" not in str(refused.value)


def test_a_model_without_name():
    with pytest.raises(UsageError, match="model"):
        Endpoint(base_url="http://127.0.0.1/v1", model=" ")


def test_no_more_requests_at_once_than_allowed(answers, skipping):
    with Scripted(lambda body, before: Answer(GOOD, pause_s=0.03)) as server:
        few = Client(endpoint(server, concurrency=2), answers, clock=skipping.clock)
        with few as client, ThreadPoolExecutor(8) as pool:
            replies = list(pool.map(client.ask, [replace(REQUEST, seed=seed) for seed in range(12)]))
        assert all(isinstance(one, Reply) for one in replies)
        assert server.most_at_once <= 2
        assert len(answers) == 12


@given(
    st.lists(st.tuples(st.integers(0, 300), st.floats(0, 30)), min_size=1, max_size=40),
    st.integers(1, 5),
    st.integers(100, 400),
)
def test_no_minute_holds_more_than_allowed(steps, requests, tokens):
    now, went = 0.0, []

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    pace = Pace(requests, tokens, clock=Clock(now=lambda: now, sleep=sleep))
    for size, pause in steps:
        now += pause
        pace.take(size)
        went.append((now, size))
    for at, _ in went:
        within = [size for other, size in went if at - 60 + 1e-6 < other <= at]
        assert len(within) <= requests
        assert sum(within) <= tokens or len(within) == 1


def test_without_limits_nothing_waits(skipping):
    pace = Pace(None, None, clock=skipping.clock)
    for _ in range(1000):
        pace.take(10**6)
    assert skipping.slept == []


def test_a_picture_is_sent_whole_and_kept_by_its_digest(tmp_path, skipping):
    picture = bytes(range(256)) * 8
    seeing = replace(REQUEST, images=(("image/png", picture),))
    with Scripted(turns(Answer(GOOD))) as server, Answers(tmp_path / "a.sqlite") as answers:
        asked(server, answers, skipping, seeing)
        content = server.bodies[0]["messages"][1]["content"]
    assert content[0]["image_url"]["url"].startswith("data:image/png;base64,AAECAwQ")
    assert content[1] == {"type": "text", "text": "Ask about the liver."}
    with sqlite3.connect(tmp_path / "a.sqlite") as base:
        (sent,) = base.execute("SELECT sent FROM answers").fetchone()
    base.close()
    assert "sha256:" in sent
    assert "AAECAwQ" not in sent


def test_every_part_of_what_is_sent_has_a_say_in_the_digest():
    here = Endpoint(base_url="http://127.0.0.1:1/v1", model="m")
    endpoints = [here, replace(here, model="n"), replace(here, base_url="http://127.0.0.1:2/v1")]
    endpoints += [replace(here, max_tokens=5), replace(here, temperature=0.0)]
    form = Form("exercise", {"question": "what is asked", "answer": "other words"})
    changes = [{"seed": 8}, {"system": "Be long."}, {"turns": ("Ask.", "No.", "Again.")}, {"form": form}]
    changes += [{"images": (("image/png", b"1"),)}, {"images": (("image/png", b"2"),)}]
    digests = [REQUEST.digest(one) for one in endpoints] + [replace(REQUEST, **one).digest(here) for one in changes]
    assert len(set(digests)) == len(digests)
    same = replace(here, timeout_s=1.0, concurrency=9, attempts=1, base_url="http://127.0.0.1:1/v1/")
    assert REQUEST.digest(same) == digests[0]


def test_a_file_that_holds_no_answers(tmp_path):
    (tmp_path / "a.sqlite").write_bytes(b"something else entirely, and longer than a header of SQLite is" * 40)
    with pytest.raises(UsageError, match="expected a file of answers"):
        Answers(tmp_path / "a.sqlite")


@pytest.mark.parametrize(
    "text", [GOOD, f"```json\n{GOOD}\n```", f"Sure!\n{GOOD}\nAnything else?", f"```\n{GOOD}```", GOOD.replace(" ", "  ")]
)
def test_answers_are_read_where_they_stand(text):
    assert FORM.read(text) == json.loads(GOOD)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "not-json"),
        ("The liver makes bile.", "not-json"),
        (GOOD[:-9], "not-json"),
        ("{" * 5000, "not-json"),
        ('["question"]', "not-json"),
        ('{"question": "What?"}', "wrong-form"),
        ('{"question": "What?", "answer": "That.", "why": "So."}', "wrong-form"),
        ('{"question": "What?", "answer": ""}', "wrong-form"),
        ('{"question": "What?", "answer": 7}', "wrong-form"),
        ('{"question": ["What?"], "answer": "That."}', "wrong-form"),
        ("x" * 30_000, "wrong-form"),
    ],
)
def test_answers_that_cannot_be_read(text, code):
    with pytest.raises(BadAnswer) as bad:
        FORM.read(text)
    assert bad.value.code == code


@given(st.text(max_size=300))
def test_no_text_breaks_the_reading(text):
    with pytest.raises(BadAnswer, match=r"not-json|wrong-form"):
        FORM.read(text)


def points(**more: object) -> str:
    return json.dumps(dict.fromkeys(ATTRIBUTES, 2) | more)


def test_a_judge_gives_points(answers, skipping):
    with Scripted(turns(Answer(points(texture=0)))) as server:
        with Client(endpoint(server), answers, clock=skipping.clock) as client:
            judged = judge(client, description="A CT of the liver.", reference="CT. Cyst in the liver.")
        assert isinstance(judged, Judged)
        assert judged.points == dict.fromkeys(ATTRIBUTES, 2) | {"texture": 0}
        assert "Cyst in the liver." in server.bodies[0]["messages"][1]["content"]


def test_a_judge_serves_the_alignment_with_one_request(answers, skipping):
    with Scripted(turns(Answer(points(texture=1, relation=-1)))) as server:
        with Client(endpoint(server), answers, clock=skipping.clock) as client:
            scored = alignment("Something.", "Nothing that a rule would know.", judge=judge_of(client))
        assert len(server.bodies) == 1
    assert {"texture", "structures"} <= scored.judged
    assert "relation" not in scored.judged
    assert (scored.scores["texture"], scored.scores["structures"], scored.scores["relation"]) == (1, 2, None)
    assert set(scored.scores) == set(ATTRIBUTES)


@pytest.mark.parametrize("reply", [points(texture=3), points(region=True), points(region="2"), points(extra=1), "fine"])
def test_points_that_are_none(reply, answers, skipping):
    with Scripted(turns(Answer(reply))) as server:
        with Client(endpoint(server), answers, clock=skipping.clock) as client:
            judged = judge(client, description="d", reference="r")
        assert isinstance(judged, Unanswered)
        assert judged.code in ("wrong-form", "not-json")
