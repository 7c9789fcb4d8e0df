"""`medloom evaluate` as people and scripts meet it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from asked_phantoms import Phantoms, asked_phantoms
from scripted_chat import Answer, Scripted, fields

from medloom.cli import main
from medloom.generation.writing.endpoint import KEY
from medloom.schema.question import Kind
from medloom.train.asked import ReleaseAsked
from medloom.train.exchange.export import export_questions


def called(*arguments: Any) -> int:
    """The exit code of the command line in this very process."""
    with pytest.raises(SystemExit) as left:
        main(["evaluate", *map(str, arguments)])
    assert isinstance(left.value.code, int)
    return left.value.code


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(KEY, raising=False)


@pytest.fixture(scope="session")
def phantoms(shared_folder: Path, built: Callable[[str], tuple[Path, Any]]) -> Phantoms:
    return asked_phantoms(shared_folder / "evaluated", built("phantom")[0])


@pytest.fixture
def document(capsys: pytest.CaptureFixture[str]) -> Callable[..., dict[str, Any]]:
    def one(*arguments: Any, code: int = 0) -> dict[str, Any]:
        capsys.readouterr()
        assert called(*arguments, "--json") == code
        return json.loads(capsys.readouterr().out)

    return one


def over(server: Scripted, *more: Any) -> tuple[Any, ...]:
    return ("--backend", "openai", "--base-url", server.url, "--model", "small", "--resamples", 20, *more)


def test_json_is_what_was_written(phantoms: Phantoms, document: Callable, tmp_path: Path):
    with Scripted(lambda body, before: Answer("The answer is A.")) as server:
        found = document(phantoms.release, "--suite", "gmai", "--limit", 12, "--out", tmp_path, "--robustness", *over(server))
        sent = len(server.bodies)
        assert found == json.loads((tmp_path / "results.json").read_text())
        assert found["questions"] == 12
        assert found["replies"]["n"] == sent == 12 + sum(one["n"] for one in found["variants"].values())
        assert set(found["variants"]) == {
            "window:narrow", "window:wide", "colour:1", "colour:2", "colour:3", "order:1", "order:2",
        }  # fmt: skip
        assert str(tmp_path) not in (tmp_path / "results.json").read_text()
        (tmp_path / "results.json").unlink()
        again = document(phantoms.release, "--suite", "gmai", "--limit", 12, "--out", tmp_path, "--rescore", "--resamples", 20)
        assert again == found
        assert len(server.bodies) == sent


def test_the_table_tells_measures_variants_and_errors(phantoms: Phantoms, capsys: pytest.CaptureFixture[str], tmp_path: Path):
    select = ("--select", "modality=CT", "--select", "granularity=mask", "--kind", "single_choice", "--limit", 10)
    with Scripted(lambda body, before: Answer("A")) as server:
        how = ("--counterfactual", "--probe", "--shots", 1, "--system", "Be brief.")
        assert called(phantoms.release, "--suite", "gmai", *select, "--out", tmp_path, *how, *over(server)) == 0
    out = capsys.readouterr().out
    assert all(word in out for word in ("accuracy", "chance", "moved", "follows", "error kinds: ", "10 questions"))
    assert {one["role"] for one in server.bodies[0]["messages"]} == {"system", "user", "assistant"}
    rows = pq.read_table(tmp_path / "scored.parquet").to_pylist()
    assert {row["modality"] for row in rows} <= {"CT", "CTA"}
    assert {row["kind"] for row in rows} == {"single_choice"}


def test_a_request_without_a_reply_is_exit_code_1_and_asked_again(phantoms: Phantoms, document: Callable, tmp_path: Path):
    arguments = (phantoms.release, "--suite", "gmai", "--limit", 5, "--out", tmp_path)
    with Scripted(lambda body, before: Answer(raw=b"{}") if len(server.bodies) == 2 else Answer("A")) as server:
        with_one_try = over(server, "--attempts", 1, "--concurrency", 1)
        assert document(*arguments, *with_one_try, code=1)["replies"]["failed"] == 1
        assert len(server.bodies) == 5
        assert document(*arguments, *with_one_try)["replies"]["failed"] == 0
        assert len(server.bodies) == 6
        assert document(*arguments, *over(server, "--system", "Be brief."), code=2)["error"]["kind"] == "ResumeError"
        assert document(*arguments, *over(server, "--system", "Be brief."), "--fresh")["questions"] == 5


def test_a_judge_that_gives_no_answer_is_told_with_exit_code_1(phantoms: Phantoms, document: Callable, tmp_path: Path):
    def script(body: dict[str, Any], before: int) -> Answer:
        return Answer("It is hard to put." if "The brighter one" in json.dumps(body) else "The brighter one of them.")

    arguments = (phantoms.release, "--suite", "gmai", "--limit", 2, "--out", tmp_path, "--judge", "wise", "--no-report")
    with Scripted(script) as server:
        found = document(*arguments, *over(server), code=1)
        assert (found["judge"]["asked"], sum(found["judge"]["unanswered"].values())) == (2, 2)
        assert found["settings"]["judged_by"] == found["judge"]["model"]
        server.script = lambda body, before: Answer(json.dumps({one: int(one == "A") for one in fields(body)}))
        (tmp_path / "judged.sqlite").unlink()
        found = document(*arguments, *over(server))
    assert (found["judge"]["asked"], found["judge"]["unanswered"]) == (2, {})
    assert found["scores"]["statuses"] == {"answered": 2}


def test_withheld_answers_are_joined_or_left(phantoms: Phantoms, document: Callable, tmp_path: Path):
    arguments = (phantoms.hidden, "--suite", "gmai", "--limit", 6, "--out", tmp_path)
    with Scripted(lambda body, before: Answer("A")) as server:
        error = document(*arguments, *over(server), code=2)["error"]
        assert error["kind"] == "UsageError"
        assert "--predict-only" in error["message"]
        assert not server.bodies
        assert not document(*arguments, *over(server), "--predict-only")["scored"]
        assert document(*arguments, "--rescore", "--answers", phantoms.answers, "--resamples", 20)["scores"]["n"] == 6
        assert document(*arguments, *over(server), "--answers", phantoms.answers)["scores"]["n"] == 6
        assert len(server.bodies) == 6


def test_a_dry_run_counts_and_writes_nothing(phantoms: Phantoms, document: Callable, capsys, tmp_path: Path):
    out = tmp_path / "out"
    arguments = (phantoms.release, "--suite", "mimoseg", "--out", out, "--dry-run", "--counterfactual")
    found = document(*arguments)
    assert found["questions"] == sum(found["by"]["kind"].values())
    assert found["requests_at_most"] == 3 * found["questions"]
    assert called(*arguments) == 0
    assert "nothing was asked" in capsys.readouterr().out
    assert not out.exists()


def test_pictures_that_nobody_may_pass_on_stay_here(phantoms: Phantoms, document: Callable, monkeypatch, tmp_path: Path):
    monkeypatch.setenv(KEY, "sk-0123456789")
    monkeypatch.setattr(
        "medloom.train.evaluating.asked_here.kept_here", lambda release: {"phantom": "nobody grants processing by others"}
    )
    elsewhere = ("--backend", "openai", "--base-url", "https://models.example.org/v1", "--model", "large")
    arguments = (phantoms.release, "--suite", "gmai", "--limit", 2, "--out", tmp_path, *elsewhere)
    error = document(*arguments, code=2)["error"]
    assert error["kind"] == "UsageError"
    assert "phantom: nobody grants processing" in error["message"]
    assert "expected some of phantom" in document(*arguments, "--allow-credentialed", "other", code=2)["error"]["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--model", "nowhere/", "--device", "cpu"),
        ("--backend", "openai", "--model", "small"),
        ("--model", "small", "--backend", "openai", "--base-url", "ftp://127.0.0.1"),
        ("--model", "small", "--kind", "riddle"),
        ("--model", "small", "--select", "modality"),
        ("--model", "small", "--select", "colour=red"),
        ("--model", "small", "--select", "where=1=1", "--select", "where=2=2"),
        ("--model", "small", "--dialect", "klingon"),
        ("--model", "small", "--shots", 1, "--shots-split", "test"),
        ("--rescore",),
    ],
)
def test_wrong_use(phantoms: Phantoms, document: Callable, arguments: tuple[Any, ...], tmp_path: Path):
    common = (phantoms.release, "--suite", "gmai", "--out", tmp_path / "out")
    assert document(*common, *arguments, code=2)["error"]["kind"] == "UsageError"
    assert not (tmp_path / "out" / "results.json").exists()


def test_a_place_that_can_not_be_a_folder_is_told(phantoms: Phantoms, document: Callable, tmp_path: Path):
    (tmp_path / "file").write_text("x")
    for out in (tmp_path / "file", tmp_path / "file" / "results"):
        error = document(phantoms.release, "--suite", "gmai", "--out", out, "--model", "small", code=2)["error"]
        assert error["kind"] == "UsageError"
        assert "is no folder" in error["message"]


def test_a_benchmark_in_gmai_s_form_is_asked_as_it_is(phantoms: Phantoms, document: Callable, tmp_path: Path):
    asked = ReleaseAsked.open(phantoms.release, suite="gmai", split="test")
    single = [place for place, one in enumerate(asked.questions()) if one.kind is Kind.SINGLE_CHOICE][:8]
    export_questions(asked.taken(single), "vlmevalkit", tmp_path / "kit")
    right = [one.letters[0] for one in asked.taken(single).questions()]
    tsv = tmp_path / "kit" / "medloom_questions.tsv"
    with Scripted(lambda body, before: Answer("A")) as server:
        found = document(tsv, "--out", tmp_path / "out", *over(server))
        assert "data:image/png;base64," in json.dumps(server.bodies[0])
    assert found["questions"] == len(right)
    assert found["scores"]["measures"]["accuracy"]["value"] == pytest.approx(right.count("A") / len(right))
    assert set(found["scores"]["by"]["clinical_task"]) == {one.clinical_task for one in asked.taken(single).questions()}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["--suite", "gmai"], "expected none"), (["--shots", "1"], "--shots"), (["--select", "modality=CT"], "expected none")],
)
def test_a_benchmark_in_gmai_s_form_has_no_suite_or_index(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
):
    (tmp_path / "set.tsv").write_text("index\timage_path\tquestion\tA\tB\tanswer\n1\tx.png\tq\tliver\tspleen\tA\n")
    assert called(tmp_path / "set.tsv", "--model", "m", "--out", tmp_path / "out", *arguments) == 2
    assert told in capsys.readouterr().err
