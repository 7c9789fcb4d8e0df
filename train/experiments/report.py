"""What came of a plan: the paper's tables with mean and spread over seeds, significance, and curves.

    OUT/report.json    all numbers
    OUT/report.md      tables for people
    OUT/curves-<target>.csv, .png    accuracy by size, where sizes were planned

Accuracies are those of scored replies; what couldn't be read counts as wrong. Where an untrained model does worse than blind
guessing, since it doesn't know the form of an answer, what should not help is held against guessing. p values of one group of
comparisons are adjusted together (Holm), over all targets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from ...generation.baseline.significance import holm
from ...schema.disk import write_json, write_text
from ...schema.errors import UsageError
from ...schema.systems import medmat
from ..prediction import PLAIN
from ..scoring.measures import PRIMARY
from .conditions import UNTRAINED
from .curves import curves, draw, rows_of
from .markdown import markdown
from .published import compared, resolved
from .run import finished, scored
from .significance import MARGIN, difference, verdict

REPORT, MARKDOWN = "report.json", "report.md"


@dataclass(frozen=True, eq=False)
class Tested:
    """How one run answered."""

    ids: tuple[str, ...]
    groups: tuple[str, ...]
    scores: np.ndarray
    """Q float64, 0 to 1."""
    chance: np.ndarray
    """Q float64: what blind guessing is expected to get, 0 where that isn't known."""

    @property
    def mean(self) -> float:
        """Over all questions."""
        return float(self.scores.mean())


def report(told: Mapping[str, Any], out: Path) -> dict[str, Any]:
    """The report of a plan's finished runs, which is also written; comparisons that lack runs are listed as waiting.

    Raises:
        UsageError: no run is finished.
    """
    runs = {one["id"]: tested(scored(out, one["id"])) for one in told["runs"] if finished(out, one["id"])}
    if not runs:
        raise UsageError(f"{out}: no finished run; expected some; `medloom experiment run` makes them")
    targets = [_target(one, runs) for one in told["targets"]]
    _adjust([row for one in targets for row in one["comparisons"]])
    found = {
        "release": told["release"],
        "runs": len(told["runs"]),
        "finished": len(runs),
        "seeds": told["options"]["seeds"],
        "margin": MARGIN,
        "targets": targets,
        "notes": told["notes"],
    }
    write_json(out / REPORT, found)
    write_text(out / MARKDOWN, [markdown(found)])
    for one in targets:
        if points := curves(one):
            write_text(out / f"curves-{one['target']}.csv", rows_of(points))
            draw(points, out / f"curves-{one['target']}.png", title=one["target"], untrained=one["untrained"])
    return found


def tested(path: Path) -> Tested:
    """The scores of a run, in the order of question ids."""
    rows = pq.read_table(path, columns=["id", "variant", "group", "kind", "measures", "chance"]).to_pylist()
    plain = sorted((one for one in rows if one["variant"] == PLAIN), key=lambda one: one["id"])
    values, chances = ([_score(dict(one[name]), one["kind"]) for one in plain] for name in ("measures", "chance"))
    ids, groups = (tuple(one[name] for one in plain) for name in ("id", "group"))
    return Tested(ids, groups, np.array(values, np.float64), np.array(chances, np.float64))


def _score(measures: Mapping[str, float | None], kind: str) -> float:
    """The value of the measure that speaks for a kind; 0 where there is none."""
    return next((value for name in PRIMARY[kind] if (value := measures.get(name)) is not None), 0.0)


def _target(told: Mapping[str, Any], runs: Mapping[str, Tested]) -> dict[str, Any]:
    done, waiting = [], []
    for one in told["comparisons"]:
        missing = [name for name in (*one["runs"], *one["against"]) if name not in runs]
        if missing:
            waiting.append({"group": one["group"], "name": one["name"], "runs": missing})
        else:
            done.append(_compared(one, told, runs))
    untrained = runs.get(told["untrained"])
    return {
        "target": told["target"],
        "triplet": told["triplet"],
        "questions": told["questions"],
        "untrained": None if untrained is None else untrained.mean,
        "chance": None if untrained is None else float(untrained.chance.mean()),
        "comparisons": done,
        "waiting": waiting,
        "left_out": told["left_out"],
    }


def _compared(one: Mapping[str, Any], target: Mapping[str, Any], runs: Mapping[str, Tested]) -> dict[str, Any]:
    arm, against = ([runs[name] for name in one[side]] for side in ("runs", "against"))
    if len({some.ids for some in (*arm, *against)}) != 1:
        raise UsageError(f"{one['name']}: runs were tested with different questions; expected the same; run again")
    guessed = one["condition_against"] == UNTRAINED and against[0].mean < against[0].chance.mean()
    theirs = [against[0].chance] if guessed else [some.scores for some in against]
    found = difference(np.stack([some.scores for some in arm]), np.stack(theirs), arm[0].groups)
    kept = ("group", "name", "direction", "parts", "size", "expects", "condition", "samples")
    return {
        **{name: one[name] for name in kept},
        "arm": spread([some.mean for some in arm]),
        "condition_against": "chance" if guessed else one["condition_against"],
        "against": spread([float(some.mean()) for some in theirs]),
        "difference": found.mean,
        "low": found.low,
        "high": found.high,
        "p": found.p,
        "groups": found.groups,
        "published": _published(one["parts"], target["target"]),
    }


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Mean and standard deviation (of the sample) over seeds; None of one value."""
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return {"mean": float(np.mean(values)), "sd": deviation, "by_seed": list(values)}


def _adjust(rows: Sequence[dict[str, Any]]) -> None:
    """Holm over the comparisons of a group, and what is to be said of each."""
    for group in dict.fromkeys(row["group"] for row in rows):
        some = [row for row in rows if row["group"] == group]
        for row, adjusted in zip(some, holm([row["p"] for row in some]), strict=True):
            row["p_holm"] = adjusted
            row["verdict"] = verdict((row["low"], row["high"]), adjusted, row["expects"])


def _published(parts: Sequence[str], target: str) -> dict[str, Any] | None:
    """The paper's figures for the same Med-MAT subsets, where it prints them."""
    numbers = {one.slug: one.number for one in medmat.SUBSETS}
    wanted = (frozenset(numbers.get(name, "") for name in parts), numbers.get(target))
    rows = {row.printed.row: row.printed for row in resolved()}
    for row, one in compared().found.items():
        if (frozenset(one.parts), one.target) == wanted:
            printed = rows[row]
            return {"row": row, "untrained": printed.untrained, "unrelated": printed.unrelated, "related": printed.related}
    return None
