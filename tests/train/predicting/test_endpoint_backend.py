"""A model behind an endpoint: what is sent, what is tried again, and that no answered request is sent twice."""

from __future__ import annotations

import base64
import io
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scripted_chat import Answer, Body, Scripted

from medloom.generation.writing.endpoint import KEY, Endpoint
from medloom.generation.writing.pace import Clock
from medloom.schema.errors import EndpointError, UsageError
from medloom.train.predicting.backend import Turns
from medloom.train.predicting.endpoint_backend import EndpointBackend
from medloom.train.prediction import Reply

SECRET = "sk-very-secret-0123456789"


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)


def backend(server: Scripted, folder: Path, **options: Any) -> EndpointBackend:
    endpoint = Endpoint(base_url=server.url, model="small", **{"timeout_s": 5.0, "max_tokens": 32, **options})
    skipped = [0.0]
    clock = Clock(now=lambda: time.monotonic() + skipped[0], sleep=lambda s: skipped.__setitem__(0, skipped[0] + s))
    return EndpointBackend(endpoint, folder / "answers.sqlite", clock=clock)


def text_of(body: Body) -> str:
    return body["messages"][-1]["content"][-1]["text"]


def turns(text: str, *, number: int = 0, shots: int = 0) -> Turns:
    random = np.random.default_rng(number)
    pictures = [Image.fromarray(random.integers(0, 255, (20, 24, 3), np.uint8)) for _ in range(shots + 1)]
    system = {"role": "system", "content": [{"type": "text", "text": "Be brief."}]}
    asked = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": text}]}
    said = {"role": "assistant", "content": [{"type": "text", "text": "A"}]}
    return Turns([system, *[asked, said] * shots, asked], pictures)


def test_pictures_go_as_png_in_their_places_and_replies_come_in_order(tmp_path: Path):
    some = [turns(f"question {number}", number=number, shots=number % 2) for number in range(12)]

    def script(body: Body, before: int) -> Answer:
        return Answer(f"reply to {text_of(body)}", pause_s=0.02 if "1" in text_of(body) else 0.0)

    with Scripted(script) as server, backend(server, tmp_path, concurrency=4) as model:
        found = model.replies(some)
        assert found == [Reply(f"reply to question {number}", "stop", prompt_tokens=11, reply_tokens=7) for number in range(12)]
        assert 1 < server.most_at_once <= 4
        [body] = [one for one in server.bodies if text_of(one) == "question 3"]
    assert [one["role"] for one in body["messages"]] == ["system", "user", "assistant", "user"]
    assert [one["content"] for one in body["messages"] if one["role"] != "user"] == ["Be brief.", "A"]
    for message, picture in zip([body["messages"][1], body["messages"][3]], some[3].pictures, strict=True):
        url = message["content"][0]["image_url"]["url"]
        head, _, data = url.partition(",")
        assert head == "data:image/png;base64"
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))), np.asarray(picture))
    assert "response_format" not in body
    assert body["max_tokens"] == 32


def test_what_may_pass_is_tried_again_and_what_does_not_is_told(tmp_path: Path):
    def script(body: Body, before: int) -> Answer:
        return {
            "limited": Answer(status=429) if before == 0 else Answer("yes"),
            "cut": Answer("yes", cut_after=20) if before < 2 else Answer("yes"),
            "malformed": Answer(raw=b"not json"),
            "refused": Answer(status=400, error={"message": "picture too large"}),
            "long": Answer("and so on", finish="length"),
        }[text_of(body)]

    names = ["limited", "cut", "malformed", "refused", "long"]
    with Scripted(script) as server, backend(server, tmp_path, attempts=3) as model:
        limited, cut, malformed, refused, long = model.replies([turns(name) for name in names])
    assert limited.text == cut.text == "yes"
    assert malformed.text is None
    assert (malformed.error or "").startswith("no-completion: ")
    assert refused.error == "refused-request: HTTP 400: picture too large"
    assert (long.text, long.finish) == ("and so on", "length")


def test_answered_requests_are_never_sent_again(tmp_path: Path):
    some = [turns(f"question {number}", number=number) for number in range(6)]
    with Scripted(lambda body, before: Answer("yes") if text_of(body) != "question 4" else Answer(status=500)) as server:
        with backend(server, tmp_path, attempts=1) as model:
            assert [one.text for one in model.replies(some)] == ["yes"] * 4 + [None, "yes"]
        server.script = lambda body, before: Answer("later")
        with backend(server, tmp_path, attempts=1) as model:
            assert [one.text for one in model.replies(some)] == ["yes"] * 4 + ["later", "yes"]
        assert len(server.bodies) == 7
        other = [Turns(some[0].messages, some[1].pictures)]
        with backend(server, tmp_path) as model:
            assert model.replies(other)[0].text == "later"


def test_an_endpoint_that_refuses_us_stops_the_run(tmp_path: Path):
    with Scripted(lambda body, before: Answer(status=401)) as server, backend(server, tmp_path) as model:
        with pytest.raises(EndpointError, match="HTTP 401"):
            model.replies([turns(f"question {number}", number=number) for number in range(20)])
        assert len(server.bodies) <= 8


def test_the_key_is_sent_and_written_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(KEY, SECRET)
    with Scripted(lambda body, before: Answer(f"your key is {SECRET}")) as server:
        with backend(server, tmp_path) as model:
            [reply] = model.replies([turns("question")])
            assert SECRET not in json.dumps(dict(model.settings))
        assert server.headers[0]["authorization"] == f"Bearer {SECRET}"
    assert reply.text == "your key is ***"
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_another_machine_needs_a_key(tmp_path: Path):
    with pytest.raises(UsageError, match=KEY):
        EndpointBackend(Endpoint(base_url="https://example.org/v1", model="small"), tmp_path / "answers.sqlite")


def test_settings_say_where_and_how(tmp_path: Path):
    with Scripted(lambda body, before: Answer("A")) as server, backend(server, tmp_path, temperature=0.5) as model:
        settings = dict(model.settings)
        assert (settings["endpoint"], settings["model"], settings["temperature"]) == ("loopback", "small", 0.5)
        model.replies([replace(turns("question"))])
        assert server.bodies[0]["temperature"] == 0.5
