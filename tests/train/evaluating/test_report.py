"""Reports: the agreed words, every number as in the results, nothing out of its place, and nobody asked for anything."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from browser import chromium, executable
from PIL import Image
from report_pages import Page, markdown_tables
from scored_runs import changed, folder, marked, reply, results, run
from scripted_models import always

from medloom.schema.disk import write_json
from medloom.schema.errors import UsageError
from medloom.train.conversation import Style
from medloom.train.evaluating.evaluate import evaluate, rescore
from medloom.train.evaluating.report.headline import verdict
from medloom.train.evaluating.report.plots import stacked
from medloom.train.evaluating.report.report import report, write_report
from medloom.train.evaluating.truth import answered
from medloom.train.prediction import PLAIN
from medloom.train.scoring.measures import LESS_IS_BETTER, MEASURES, POOLED
from medloom.train.scoring.scored import Scored

GOLDEN = Path(__file__).parent / "golden"
EVIL = "It is **B** | `x` ```\n</blockquote><script>alert(1)</script>\n\n# No heading\n<img src=http://example.org/x.png>\x1b[31m\u202e"
EXAMPLE = {
    "id": "q-0000000000000001", "variant": "", "about": "as it stands", "kind": "single_choice",
    "question": "What is marked | in the <b>image</b>?\nAnswer with the letter.",
    "options": [["A", "liver | spleen"], ["B", "<script>alert(2)</script>"]], "right": "A. liver | spleen", "reply": EVIL,
    "status": "answered", "error": "wrong", "said": "B", "parsed_by": "stated", "measure": "accuracy", "value": 0.0,
}  # fmt: skip
SILENT = EXAMPLE | {"id": "q-0000000000000002", "reply": None, "status": "failed", "error": "failed", "said": ""}


def every_kind() -> list[Scored]:
    plain = run([number % 3 != 1 for number in range(60)], statuses={7: "refused", 10: "unparsed", 13: "empty"})
    choices = [one for one in plain if one.kind == "single_choice"]
    shown = [one for one in plain if one.kind == "detection"]
    order = changed(choices, "order:1", hits=lambda number: number % 4 != 1)
    moved = changed(choices[:8], "moved", hits=lambda number: number % 2 == 0)
    stays = changed(choices[:8], "moved:stays", hits=lambda number: number % 2 == 1)
    absent = [replace(one, variant="absent", measures={"abstention": 1.0, "invention": 0.0}) for one in shown[:5]]
    return [*plain, *order, *absent, *moved, *stays]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = folder(tmp_path_factory.mktemp("report") / "out", every_kind())
    write_json(out / "examples.json", {"withheld": 0, "examples": [EXAMPLE, SILENT]})
    write_report(out)
    return out


def read(out: Path) -> tuple[dict[str, Any], Page, str]:
    html = (out / "report.html").read_text(encoding="utf-8")
    return json.loads((out / "results.json").read_text()), Page(html), (out / "report.md").read_text(encoding="utf-8")


def floats(value: Any) -> Iterator[float]:
    if isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from floats(one)
    elif isinstance(value, float):
        yield value


def test_the_words_are_the_golden_ones(finished: Path):
    """As last agreed on (`MEDLOOM_GOLDEN=1` writes them anew)."""
    text, path = read(finished)[2], GOLDEN / "report.md"
    if os.environ.get("MEDLOOM_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_the_same_results_give_the_same_bytes(finished: Path, tmp_path: Path):
    for name in ("results.json", "examples.json"):
        (tmp_path / name).write_bytes((finished / name).read_bytes())
    (tmp_path / "report-plots").mkdir()
    (tmp_path / "report-plots" / "of-before.png").touch()
    written = write_report(tmp_path)
    assert set(written.values()) == {one for one in tmp_path.rglob("*") if one.is_file() and one.suffix != ".json"}
    for path in written.values():
        assert path.read_bytes() == (finished / path.relative_to(tmp_path)).read_bytes(), path.name


def test_every_number_stands_in_the_results(finished: Path):
    results, page, text = read(finished)
    known = {f"{value:.3f}" for value in floats(results)} | {f"{value:.3f}" for value in (EXAMPLE["value"],)}
    for said in ("\n".join(page.text), text):
        numbers = set(re.findall(r"(?<![\d.])\d\.\d{3}(?![\d.])", said))
        assert len(numbers) > 50
        assert numbers <= known


def test_headline_tree_and_facets_say_what_the_results_say(finished: Path):
    results, page, _ = read(finished)
    scores = results["scores"]
    heads = {(one["kind of question"], one["measure"]): one for one in page.rows("Headline measures by kind of question")}
    assert set(heads) == {
        ("single choice", "accuracy"), ("multiple choice", "exact_mcq"), ("grounding", "mask_iou"), ("detection", "box_f1_50")
    }  # fmt: skip
    for (kind, measure), row in heads.items():
        one = scores["by"]["kind"][kind.replace(" ", "_")]["measures"][measure]
        assert (row["n"], row["value"]) == (str(one["n"]), f"{one['value']:.3f}")
        assert row["interval"] == f"{one['low']:.3f} to {one['high']:.3f}"
        assert row["chance"] == (f"{one['chance']:.3f}" if "chance" in one else "–")
        assert bool(row["against chance"]) == ("chance" in one)
        assert row["note"] == "few"
    every = {one["measure"]: one for one in page.rows("All measures, over all kinds")}
    assert {name: one["value"] for name, one in every.items()} == {
        name: f"{one['value']:.3f}" for name, one in scores["measures"].items()
    }
    (human,) = page.rows("Beside people who outlined the same")
    assert human["other observers"] == "0.800"
    called = {id: f"{name} ({id})" for id, name in results["labels"].items()}
    assert list(called) == ["label-0", "label-1", "label-2"]
    for facet in ("modality", "clinical task", "department", "granularity", "source", "kind", "label", "subset"):
        branches = scores["by"][facet.replace(" ", "_")]
        rows = page.rows(f"By {facet}")
        assert list(dict.fromkeys(one[facet] for one in rows)) == [called.get(word, word) for word in branches]
        for row in rows:
            branch = branches[row[facet].partition(" (")[2].rstrip(")") or row[facet]]
            assert row["questions"] == str(branch["n"])
            assert row["value"] == f"{branch['measures'][row['measure']]['value']:.3f}"
    paths = page.rows("All paths of the tree")
    told = [path["path"][-1] for path in scores["tree"] for name in path["measures"] if name in {m for _, m in heads}]
    assert [next(iter(row.values())) for row in paths] == told


def test_statuses_errors_and_variants_add_up(finished: Path):
    results, page, _ = read(finished)
    statuses = {one["status"]: int(one["replies"]) for one in page.rows("Statuses of replies to questions as they stand")}
    assert statuses == results["scores"]["statuses"] == {"answered": 57, "refused": 1, "unparsed": 1, "empty": 1}
    errors = {one["kind"]: int(one["replies"]) for one in page.rows("Right replies, and what the others are wrong for")}
    assert errors == results["error_kinds"]["all"]
    assert sum(errors.values()) == 60
    (flips,) = page.rows("How often answers flip, beside how often they are right")
    order = results["variants"]["order:1"]
    assert (flips["variant"], flips["n"], flips["flips"]) == ("order:1", "24", f"{order['flips']['value']:.3f}")
    assert (flips["right before"], flips["right after"]) == tuple(
        f"{order[name]['value']:.3f}" for name in ("plain_right", "right")
    )
    shares = [one for table in page.tables if table.caption == "Every share with its interval" for one in table.rows[1:]]
    said = {(one[0], one[1]): one[3] for one in shares}
    assert said["absent", "say that it isn't there"] == "1.000"
    assert said["moved", "follow the prompt"] == f"{results['variants']['moved']['follows']['value']:.3f}"


def test_nothing_gets_out_of_its_place(finished: Path):
    _, page, text = read(finished)
    html = (finished / "report.html").read_text(encoding="utf-8")
    assert not {tag for tag, _ in page.tags} & {"script", "iframe", "object", "link", "b", "base", "form"}
    assert not re.search(r"[\x00-\x08\x0b-\x1f\u202a-\u202e]", html + text)
    assert EXAMPLE["question"] in "".join(page.text)
    assert EVIL.split("\x1b")[0] in "".join(page.text)
    assert all(len(row) == len(table[0]) for table in markdown_tables(text) for row in table)
    outside = re.sub(r"^(`{3,})text\n.*?^\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert "<" not in outside
    assert "# No heading" not in outside
    assert "`x`" not in outside
    assert r"drawn\|by &lt;us&gt;" in text


def test_the_page_is_one_file_that_everybody_can_read(finished: Path):
    _, page, _ = read(finished)
    html = (finished / "report.html").read_text(encoding="utf-8")
    for tag, told in page.tags:
        for name in ("src", "href", "srcset", "action", "poster", "background"):
            assert (told.get(name) or "#").startswith(("#", "data:image/png;base64,")), (tag, told)
        assert not [name for name in told if name.startswith("on")]
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    ids = [told["id"] for _, told in page.tags if "id" in told]
    assert len(ids) == len(set(ids))
    assert {told["href"][1:] for tag, told in page.tags if tag == "a" and told["href"]} <= set(ids)
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(table.caption for table in page.tables)
    assert {told.get("scope") for tag, told in page.tags if tag == "th"} == {"col", "row"}
    alts = [told["alt"] or "" for tag, told in page.tags if tag == "img"]
    assert len(alts) == len(set(alts)) >= 5
    assert min(map(len, alts)) > 40
    assert next(told for tag, told in page.tags if tag == "html")["lang"] == "en"


def test_plots_show_something_and_come_with_their_numbers(finished: Path):
    _, page, text = read(finished)
    files = sorted((finished / "report-plots").glob("*.png"))
    inlined = [base64.b64decode(told["src"].split(",")[1]) for tag, told in page.tags if tag == "img" and told["src"]]
    assert sorted(inlined) == sorted(path.read_bytes() for path in files)
    for path in files:
        with Image.open(path) as picture:
            assert len(picture.convert("RGB").getcolors(1 << 16) or ()) > 20
        assert f"(report-plots/{path.name})" in text
        assert len(list(csv.reader(path.with_suffix(".csv").read_text().splitlines()))) > 1
    rows = list(csv.DictReader(io.StringIO((finished / "report-plots" / "tree-accuracy.csv").read_text())))
    assert len(rows) == 3 + 2 + 2 + 2
    assert {one["chance"] for one in rows} == {"0.250"}


@pytest.mark.skipif(executable() is None, reason="no Chromium: set MEDLOOM_CHROMIUM or install one")
@pytest.mark.filterwarnings("ignore::DeprecationWarning:playwright")
def test_a_real_browser_shows_it_and_asks_nobody(finished: Path):
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 420, "height": 900}, color_scheme="dark")
        asked, said = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.goto((finished / "report.html").as_uri())
        assert {one for one in asked if not one.startswith("data:")} == {(finished / "report.html").as_uri()}
        assert said == []
        assert page.evaluate("[...document.images].every(one => one.complete && one.naturalWidth > 300)")
        assert page.evaluate("document.documentElement.scrollWidth") <= 420
        assert page.locator("script").count() == 0
        ink, paper = (page.evaluate(f"getComputedStyle(document.body).{name}") for name in ("color", "backgroundColor"))
        assert (ink, paper) == ("rgb(230, 237, 243)", "rgb(13, 17, 23)")


@pytest.mark.parametrize(
    "scored",
    [
        [reply(0, hit=True)],
        [reply(4, hit=False, status="refused")],
        run([True, False] * 5, kind="grounding"),
        run([True] * 4, kind="description", measures={}, chance={}),
    ],
    ids=["one question", "one refusal", "no choices", "no measures"],
)
def test_little_is_told_as_little(scored: list[Scored], tmp_path: Path):
    write_report(folder(tmp_path, scored))
    found, page, text = read(tmp_path)
    rows = page.rows("Headline measures by kind of question")
    assert len(rows) == len([one for one in rows if one["value"] != "–"])
    if len(scored) == 1:
        assert {one["interval"] for one in rows} == {"–"}
    if not any(one.chance for one in scored):
        assert {(one["chance"], one["against chance"]) for one in rows} <= {("–", "")}
    assert ("No reply has any of the measures" in text) == (not rows)
    assert "By perspective: no question says." in text
    assert "Nothing was asked otherwise" in text
    assert "No examples are kept" in text
    assert found["questions"] == len(scored)


def test_many_labels_are_cut_to_the_largest(tmp_path: Path):
    scored = [reply(number, hit=True, kind="single_choice", labels=(f"l-{number}", "all")) for number in range(310)]
    write_report(folder(tmp_path, scored, resamples=0))
    page = read(tmp_path)[1]
    rows = page.rows("By label: the 300 largest of 311, all stand in results.json")
    assert len(rows) == 300
    assert rows[0]["label"] == "all"


def test_every_measure_there_is_gets_its_row_in_all_and_by_kind(tmp_path: Path):
    tallies = {name: 2.0 for both in POOLED.values() for name in both}
    scored = run([True] * 4, kind="grounding", measures=dict.fromkeys(MEASURES, 0.625), tallies=tallies)
    other = run([False] * 4, kind="referring", measures=dict.fromkeys(MEASURES, 0.125))
    write_report(folder(tmp_path, [*scored, *(replace(one, id=f"{one.id}-r") for one in other)], resamples=0))
    page = read(tmp_path)[1]
    every = {one["measure"]: one for one in page.rows("All measures, over all kinds")}
    assert set(every) == {*MEASURES, *POOLED}
    assert {every[name]["value"] for name in MEASURES} == {"0.375"}
    assert all(one["what counts"] for one in every.values())
    for name in (*LESS_IS_BETTER, "denial"):
        assert "less is better" in every[name]["what counts"]
    kinds = {(one["kind of question"], one["measure"]): one["value"] for one in page.rows("All measures, kind by kind")}
    assert {(name, kinds["referring", name]) for name in MEASURES} == {(name, "0.125") for name in MEASURES}
    assert {kinds["grounding", name] for name in MEASURES} == {"0.625"}


def test_what_never_varies_gets_an_interval_with_width_and_no_rash_verdict(tmp_path: Path):
    write_report(folder(tmp_path, run([True] * 4, kind="single_choice")))
    results, page, _ = read(tmp_path)
    (head,) = page.rows("Headline measures by kind of question")
    one = results["scores"]["by"]["kind"]["single_choice"]["measures"]["accuracy"]
    assert one["low"] == one["high"] == 1.0
    assert head["interval"] == f"{one['wilson']['low']:.3f} to 1.000"
    assert one["wilson"]["low"] > one["chance"] == 0.25
    assert head["against chance"] == "above"
    assert verdict(one | {"chance": 0.4}) == "can't be told apart"
    assert verdict(one | {"chance": 0.4, "wilson": None, "low": 0.6}) == "above"


def test_a_part_of_a_bar_has_the_same_fill_in_every_plot():
    for part, fill in (("answered", (0x00, 0x72, 0xB2)), ("refused", (0xE6, 0x9F, 0x00))):
        with Image.open(io.BytesIO(stacked({"a": {part: 3}}, known=("answered", "refused"), label="x"))) as picture:
            seen = {colour for _, colour in picture.convert("RGB").getcolors(1 << 16) or ()}
        assert (fill in seen, len({(0x00, 0x72, 0xB2), (0xE6, 0x9F, 0x00)} & seen)) == (True, 1)


def test_predictions_alone_are_told_without_scores():
    found = results([reply(0, hit=True)])
    plain = {name: value for name, value in found.items() if name not in ("scores", "error_kinds", "variants")}
    told = report(plain | {"scored": False}, {})
    assert [one.id for one in told.sections] == ["replies", "settings", "scoring", "limits"]
    assert not list(told.figures())


def test_no_results_or_those_of_another_version_are_refused(tmp_path: Path):
    with pytest.raises(UsageError, match=r"no results\.json"):
        write_report(tmp_path)
    write_json(tmp_path / "results.json", results([reply(0, hit=True)]) | {"version": 9})
    with pytest.raises(UsageError, match="version 9"):
        write_report(tmp_path)


def test_an_evaluation_writes_its_report_with_its_own_replies(some, tmp_path: Path):
    found = evaluate(some, always("I'm sorry, I can't help <with> that."), out=tmp_path, variants=("moved",), resamples=20)
    _, page, text = read(tmp_path)
    assert set(found["labels"].values()) >= {"liver", "spleen", "kidney"}
    kept = json.loads((tmp_path / "examples.json").read_text())["examples"]
    asked = {one.id: one for one in some.questions()}
    assert [one["status"] for one in kept if one["variant"] == PLAIN] == ["refused"] * 3
    assert {one["variant"] for one in kept} == {PLAIN, "moved"}
    for one in kept:
        question = asked[one["id"]]
        assert one["reply"] == "I'm sorry, I can't help <with> that."
        assert one["kind"] == question.kind
        if one["variant"] == PLAIN:
            assert one["question"].startswith(question.question)
            assert one["right"].startswith(question.letters[0])
    assert "I'm sorry, I can't help <with> that." in page.text
    assert text.count("#### Example ") == len(kept)
    before = text
    assert rescore(some, tmp_path, resamples=20) == found
    assert (tmp_path / "report.md").read_text(encoding="utf-8") == before


def test_withheld_answers_stay_out_of_examples(phantoms, tmp_path: Path):
    from medloom.train.asked import ReleaseAsked

    hidden = ReleaseAsked.open(phantoms.hidden, suite="gmai", split="test").taken(range(6))
    evaluate(answered(hidden, phantoms.answers), always("A"), out=tmp_path, style=Style(), resamples=0)
    assert json.loads((tmp_path / "examples.json").read_text()) == {"withheld": 6, "examples": []}
    assert "Answers of 6 questions are withheld" in (tmp_path / "report.md").read_text(encoding="utf-8")


def test_the_drawn_runs_are_marked_as_real_ones_are():
    assert {marked(reply(0, hit=hit)).kind for hit in (True, False)} == {"right", "wrong"}
