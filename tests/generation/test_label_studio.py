"""Our tasks in Label Studio itself, where it is installed: `MEDLOOM_LABEL_STUDIO` names a Python that has `label-studio`."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from medloom.generation.review.picked import asked
from medloom.generation.review.review import take
from medloom.generation.review.task_files import export
from medloom.generation.review.votes import REASONS, VERDICTS

PEOPLE = ("ada.lovelace@example.org", "ben@example.org", "cleo@example.org")


@pytest.fixture
def python() -> str:
    found = os.environ.get("MEDLOOM_LABEL_STUDIO")
    if not found:
        pytest.skip("Label Studio absent: set MEDLOOM_LABEL_STUDIO to a Python that has it")
    return found


VALIDATE = """
import json, sys
from label_studio_sdk.converter.brush import decode_rle
from label_studio_sdk.label_interface import LabelInterface

tasks, view = json.load(open(sys.argv[1])), LabelInterface(open(sys.argv[2]).read())
view.validate()
areas = []
for task in tasks:
    assert view.validate_task({"data": task["data"]})
    for prediction in task["predictions"]:
        assert not view.validate_prediction(prediction, return_errors=True)
        masks = [one["value"]["rle"] for one in prediction["result"] if one["type"] == "brushlabels"]
        areas += [int((decode_rle(rle)[3::4] > 0).sum()) for rle in masks]
print(json.dumps(areas))
"""


def test_its_parser_finds_nothing_wrong(hand, python: str, tmp_path: Path):
    export(hand.release, "hand", tmp_path)
    command = [python, "-c", VALIDATE, tmp_path / "tasks.json", tmp_path / "labeling.xml"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    masks = [one for pair in asked(hand.release, hand.questions) for one in pair.record["annotations"] if one["rle"]]
    areas = json.loads(done.stdout)
    assert len(areas) == 6
    assert set(areas) <= {int(one["area_px"]) for one in masks}


REVIEW = """
import json, re, sys, requests

at, folder, votes, out = sys.argv[1:5]
people, ballots = json.loads(votes)
tasks = json.load(open(folder + "/tasks.json"))

def entered(mail, path):
    one = requests.Session()
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', one.get(at + path).text).group(1)
    form = {"csrfmiddlewaretoken": token, "email": mail, "password": "a long one 123", "allow_newsletters": "false"}
    one.post(at + path, data=form, headers={"Referer": at + path})
    one.headers.update({"X-CSRFToken": one.cookies["csrftoken"], "Referer": at})
    assert one.get(at + "/api/current-user/whoami").json()["email"] == mail
    return one

sessions = [entered(mail, "/user/signup" if number else "/user/login") for number, mail in enumerate(people)]
first = sessions[0]

def asked(method, path, status, session=first, **more):
    answer = session.request(method, at + path, timeout=120, **more)
    assert answer.status_code == status, (path, answer.status_code, answer.text[:500])
    return answer

view = open(folder + "/labeling.xml").read()
options = {"title": "a review", "label_config": view, "maximum_annotations": len(people)}
project = asked("POST", "/api/projects/", 201, json=options).json()["id"]
files = {"file": ("tasks.json", open(folder + "/tasks.json", "rb"), "application/json")}
told = asked("POST", f"/api/projects/{project}/import", 201, files=files).json()
assert told["task_count"] == len(tasks), told
assert told["prediction_count"] == sum(len(task["predictions"]) for task in tasks), told
stored = asked("GET", f"/api/tasks?project={project}&page_size=1000&fields=all", 200).json()["tasks"]
ids = {task["data"]["question_id"]: task["id"] for task in stored}
for task in tasks:
    whole = asked("GET", f"/api/tasks/{ids[task['data']['question_id']]}", 200).json()
    assert whole["data"] == task["data"]
    assert [one["result"] for one in whole["predictions"]] == [one["result"] for one in task["predictions"]]
    regions = [region for one in task["predictions"] for region in one["result"]]
    for session, said in zip(sessions, ballots[task["data"]["question_id"]]):
        asked("POST", f"/api/tasks/{whole['id']}/annotations/", 201, session, json={"result": said + regions})
exported = asked("GET", f"/api/projects/{project}/export?exportType=JSON", 200)
open(out, "wb").write(exported.content)
"""


@pytest.fixture
def server(python: str, tmp_path: Path) -> Iterator[str]:
    """The address of a Label Studio of its own on this machine."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    quiet = {"LATEST_VERSION_CHECK": "0", "COLLECT_ANALYTICS": "0", "SENTRY_DSN": "", "FRONTEND_SENTRY_DSN": ""}
    place = {"LABEL_STUDIO_BASE_DATA_DIR": str(tmp_path / "label-studio")}
    (tmp_path / "label-studio").mkdir()
    who = ["--username", PEOPLE[0], "--password", "a long one 123"]
    command = [python, "-m", "label_studio.server", "start", "--no-browser", "--port", str(port), *who]
    with (tmp_path / "server.log").open("wb") as log:
        running = subprocess.Popen(command, cwd=tmp_path, env={**os.environ, **quiet, **place}, stdout=log, stderr=log)
    try:
        _wait(python, f"http://127.0.0.1:{port}", tmp_path / "server.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(timeout=30)


def _wait(python: str, address: str, log: Path) -> None:
    code = f"""
import time, requests
for _ in range(240):
    try:
        raise SystemExit(not requests.get("{address}/health", timeout=5).ok)
    except requests.ConnectionError:
        time.sleep(0.5)
raise SystemExit(1)
"""
    assert subprocess.run([python, "-c", code], check=False).returncode == 0, log.read_text()[-2000:]


@pytest.mark.slow
def test_a_review_goes_through_its_server_and_back(hand, server: str, python: str, tmp_path: Path):
    told = export(hand.release, "hand", tmp_path / "out")
    verdicts = ("accept accept accept", "reject reject accept", "accept reject unsure", "reject reject reject")
    said = {one.id: verdicts[place % 4].split() for place, one in enumerate(hand.questions)}
    ballots = {id: [_result(verdict, id) for verdict in votes] for id, votes in said.items()}
    arguments = [server, tmp_path / "out", json.dumps([PEOPLE, ballots]), tmp_path / "export.json"]
    done = subprocess.run([python, "-c", REVIEW, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    review, issues = take(hand.release, "hand", [tmp_path / "export.json"])
    assert issues == []
    assert (told["questions"], review["votes"], review["annotators"]) == (12, 36, ["a1", "a2", "a3"])
    outcome = {id: ("accept", "reject", "undecided", "reject")[verdicts.index(" ".join(votes))] for id, votes in said.items()}
    assert {one["id"]: one["verdict"] for one in review["questions"]} == outcome
    for one in review["questions"]:
        assert [vote["verdict"] for vote in one["votes"].values()] == said[one["id"]]
        rejecting = [vote for vote in one["votes"].values() if vote["verdict"] == "reject"]
        assert all(vote["reasons"] == ["wrong-answer", "unclear"] for vote in rejecting)
        assert all(vote["correction"] == f"Grüße: <b>{one['id']}</b>\nand more" for vote in rejecting)
    text = (hand.release.root / "questions/hand/review.json").read_text()
    assert not [word for word in ("ada", "lovelace", "ben@", "cleo", "example.org") if word in text.lower()]


def _result(verdict: str, id: str) -> list[dict[str, object]]:
    """What an annotator's browser sends."""

    def one(name: str, kind: str, **value: object) -> dict[str, object]:
        return {"id": name, "type": kind, "from_name": name, "to_name": "question", "value": value}

    result = [one("verdict", "choices", choices=[VERDICTS[verdict]])]
    if verdict == "reject":
        result.append(one("reason", "choices", choices=[REASONS["unclear"], REASONS["wrong-answer"]]))
        result.append(one("correction", "textarea", text=[f"Grüße: <b>{id}</b>\nand more"]))
    return result
