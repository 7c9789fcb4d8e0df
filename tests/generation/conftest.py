"""A suite of toy rules: spawned workers don't see what a test registers, so asking with it is a script of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from medloom.schema.question import Kind, Option, Prompt, Question, Span, row, table
from medloom.schema.release import Release
from medloom.schema.shard import pairs

TOYS = """
name: toys
version: "1"
title: Names and boxes of whatever is there
rules:
  - rule: naming
  - rule: boxing
    most: 2
"""
RULES = """
import sys, types
from medloom.generation import rules
from medloom.schema.question import Kind, Option, Prompt, Span

WORDS = ("What does this picture show?", "Which of these is in the picture?", "Say what is to be seen here.")
ORDERS = ("Find what is marked here.", "Show where it lies.", "Outline it.")

def naming(asking, pools):
    def rule(case, chance):
        for place, state in enumerate(case.present):
            wrong = [one for one in case.states if one["label_id"] in case.absent][:3]
            if not wrong:
                continue
            drawn = chance.shuffled([state, *wrong])
            letter = "ABCD"[drawn.index(state)]
            options = tuple(Option("ABCD"[n], one["label"], one["label_id"]) for n, one in enumerate(drawn))
            yield asking.question(
                case, place=place, kind=Kind.SINGLE_CHOICE, about=state, granularity="image", question=chance.one(WORDS),
                options=options, answer=letter, letters=(letter,), labels=(state["label_id"],), wording="naming-1",
            )
    return rule

def boxing(asking, pools, *, most=5):
    def rule(case, chance):
        boxed = [one for one in case.record["annotations"] if one["box_xyxy_px"]]
        for place, one in enumerate(boxed[:most]):
            state = next(s for s in case.present if (s["label_id"], s["laterality"]) == (one["label_id"], one["laterality"]))
            prompt = Prompt("box", one["id"], tuple(one["box_xyxy_px"]))
            text = "a mask" if one["rle"] else "a box"
            flags = ("derived-box",) if one["rle"] else ()
            yield asking.question(
                case, place=place, kind=Kind.REFERRING, about=state, granularity="box", question=chance.one(ORDERS),
                answer=one["label"], labels=(one["label_id"],), targets=(one["id"],), prompts=(prompt,),
                spans=(Span(0, len(one["label"]), (one["id"],)),), perspective=2, wording="boxing-1", flags=flags,
            )
    return rule

toy = types.ModuleType("medloom.generation.toy")
toy.naming, toy.boxing = naming, boxing
sys.modules["medloom.generation.toy"] = toy
rules.RULES |= {"naming": "toy:naming", "boxing": "toy:boxing"}
"""
DRIVER = """
import json, os, signal
from pathlib import Path
from medloom.generation.asking import shard as ask_shard
from medloom.generation.asking.ask import ask

def main(release, suite, out, kill_after, options):
    left = kill_after

    def step(*_):
        nonlocal left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)

    def hook(event, arguments):
        if event in ("os.rename", "os.mkdir", "os.link", "shutil.rmtree") and "asked-here" in str(arguments[0]):
            step()

    if kill_after:
        sys.addaudithook(hook)
        add = ask_shard._Writer.add
        ask_shard._Writer.add = lambda *told: (step(), add(*told))[1]
    Path(out).write_text(json.dumps(ask(release, suite, **options)))

if __name__ == "__main__":
    main(*sys.argv[1:4], int(sys.argv[4]), json.loads(sys.argv[5]))
"""


@dataclass(frozen=True)
class Toys:
    """Asks releases by toy rules."""

    folder: Path

    @property
    def suite(self) -> Path:
        return self.folder / "toys.yaml"

    def ask(self, release: Path, **options: Any) -> dict[str, Any]:
        """The report of an `ask` in a process of its own."""
        code, report = self.driven(release, **options)
        assert code == 0
        return report

    def driven(self, release: Path, *, kill_after: int = 0, **options: Any) -> tuple[int, dict[str, Any]]:
        """Exit code and report of an `ask` that kills itself after so many steps."""
        self.suite.write_text(TOYS)
        (self.folder / "driver.py").write_text(RULES + DRIVER)
        out = self.folder / "report.json"
        arguments = [self.folder / "driver.py", release, self.suite, out, kill_after, json.dumps(options)]
        command = [sys.executable, *map(str, arguments)]
        done = subprocess.run(command, check=False, env={**os.environ, "OMP_NUM_THREADS": "1"})
        return done.returncode, json.loads(out.read_text()) if done.returncode == 0 else {}


@pytest.fixture
def toys(tmp_path: Path) -> Toys:
    return Toys(tmp_path)


@pytest.fixture(scope="session")
def many_shards(tmp_path_factory: pytest.TempPathFactory, built: Callable[[str], tuple[Path, dict[str, Any]]]) -> Path:
    """The phantom's samples in a release of many small shards. Copy it before asking."""
    from medloom.builders.cut import cut

    original, out = built("phantom")[0], tmp_path_factory.mktemp("many-shards") / "release"
    keys = pq.read_table(original / "index/phantom/samples.parquet", columns=["key", "split"])
    chosen = keys.filter(pc.not_equal(keys["split"], "excluded")).select(["key"])
    cut(original, chosen, out, why={"where": "true"}, shard_bytes=200_000)
    return out


@pytest.fixture(scope="session")
def many_asked(many_shards: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """That release with questions, the answers of its validation split withheld. Copy it before changing it."""
    folder = tmp_path_factory.mktemp("asked")
    shutil.copytree(many_shards, folder / "release")
    Toys(folder).ask(folder / "release", withhold=["validation"])
    return folder / "release"


@pytest.fixture
def release(many_shards: Path, tmp_path: Path) -> Path:
    shutil.copytree(many_shards, tmp_path / "release")
    return tmp_path / "release"


class Hand(NamedTuple):
    """A release and a set of questions on it, made by hand."""

    release: Release
    questions: list[Question]

    def write(self, questions: list[Question]) -> None:
        """Let the set hold these questions, in two files."""
        folder = self.release.root / "questions/hand"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "source").mkdir(parents=True)
        half = len(questions) // 2
        for name, some in (("a", questions[:half]), ("b", questions[half:])):
            pq.write_table(table(map(row, some)), folder / "source" / f"{name}.parquet")
        (folder / "suite.json").write_text("{}")


@pytest.fixture
def hand(release: Path) -> Hand:
    """A copy of the phantom's release for one test, with questions made by hand."""
    made = Hand(Release.open(release), hand_made(release))
    made.write(made.questions)
    return made


def question(record: Mapping[str, Any], number: int, **fields: Any) -> Question:
    """A question on a sample, made by hand."""
    own = {"kind": Kind.SINGLE_CHOICE, "question": f'Is <b>"this"</b> & that number {number}?\nSay so.', "granularity": "image"}
    names = ("key", "split", "source", "modality", "area", "task", "clinical_task", "department")
    facts = {name: record[name] for name in names} | {"subset": record["subsets"][0]}
    return Question(id=f"q-{number:016x}", suite="hand", rule="by-hand", **{**facts, **own, **fields})


def hand_made(root: Path) -> list[Question]:
    """Twelve questions: choices, boxes, masks, contours' masks and points, on samples that have them."""
    records = [json.loads(text) for shard in sorted((root / "data").rglob("*.tar")) for _, _, text, _ in pairs(shard)]
    masked = [one for one in records if any(a["granularity"] == "mask" for a in one["annotations"])]
    boxed = [one for one in records if any(a["granularity"] == "box" for a in one["annotations"])]
    options = (Option("A", "liver & co"), Option("B", "<script>"))
    found = [question(one, n, options=options, answer="B", letters=("B",)) for n, one in enumerate(records[:6])]
    for number, record in enumerate(masked[:3], start=6):
        mask = next(a for a in record["annotations"] if a["granularity"] == "mask")
        points = Prompt("point", mask["id"], points_xy_px=((3.5, 4.5), (8.0, 2.0)))
        asked = {"prompts": (Prompt("mask", mask["id"]), points), "targets": (mask["id"],), "kind": Kind.REFERRING}
        spans = (Span(0, 3, (mask["id"],)), Span(2, 6, (), "relation"))
        found.append(question(record, number, **asked, answer="one <two>", spans=spans, granularity="mask"))
    for number, record in enumerate(boxed[:3], start=9):
        box = next(a for a in record["annotations"] if a["granularity"] == "box")
        prompt = Prompt("box", box["id"], tuple(box["box_xyxy_px"]))
        asked = {"prompts": (prompt,), "targets": (box["id"],), "kind": Kind.DETECTION, "flags": ("derived-box",)}
        found.append(question(record, number, **asked, answer="1", granularity="box"))
    return found
