"""Scored replies that no model gave, and the folders that evaluations of them would leave."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from medloom.schema.disk import write_json, write_parquet
from medloom.train.evaluating.marking import Marked
from medloom.train.evaluating.plan import Plan
from medloom.train.evaluating.results import results_of
from medloom.train.prediction import PLAIN, Prediction, table
from medloom.train.scoring.scored import Scored
from medloom.train.scoring.scored import table as scored_table

MODALITIES = ("CT", "MR", "Mic")
KINDS = ("single_choice", "single_choice", "multiple_choice", "grounding", "detection")
ERRORS = {"answered": "wrong", "refused": "refusal", "unparsed": "irrelevant", "empty": "empty"}


def reply(number: int, *, hit: bool, status: str = "answered", **fields: Any) -> Scored:
    """The reply to question `number`: its place in the tree and its kind follow from the number alone."""
    kind = fields.pop("kind", KINDS[number % len(KINDS)])
    value = float(hit and status == "answered")
    plain: dict[str, Any] = {
        "id": f"q-{number:016x}",
        "variant": PLAIN,
        "key": f"k-{number}",
        "group": f"g-{number // 2}",
        "source": ("bccd", "drawn|by <us>")[number % 2],
        "rule": "labels",
        "perspective": None,
        "granularity": ("image", "mask")[number % 2],
        "modality": MODALITIES[number % 3],
        "area": "abdomen",
        "task": "recognition",
        "subset": f"subset-{number % 3}",
        "clinical_task": ("Organ Recognition - Abdomen", "Cell Recognition")[number // 3 % 2],
        "department": ("Urology", "Oncology")[number // 4 % 2],
        "labels": (f"label-{number % 4}",),
        "said": "A" if value else "",
        "parsed_by": "letter" if status == "answered" else "nothing-read",
        **_measured(kind, value, number),
    }
    return Scored(**{**plain, **fields, "kind": kind, "status": status})


def _measured(kind: str, value: float, number: int) -> dict[str, Any]:
    part = value * (0.5 + (number % 5) / 10)
    if kind == "single_choice":
        return {"measures": {"accuracy": value}, "chance": {"accuracy": 0.25}}
    if kind == "multiple_choice":
        measures = {"acc_mcq": part, "recall_mcq": value, "f1_mcq": part, "exact_mcq": value * (number % 2)}
        return {"measures": measures, "chance": {"acc_mcq": 0.5, "recall_mcq": 0.7, "f1_mcq": 0.55, "exact_mcq": 1 / 11}}
    if kind == "grounding":
        tallies = {"mask_shared_px": 100 * part, "mask_joint_px": 100.0}
        human = {"mask_iou": 0.8} if number % 2 else {}
        return {"measures": {"mask_iou": part, "mask_dice": 2 * part / (1 + part)}, "tallies": tallies, "human": human}
    return {"measures": {"box_f1_50": value, "count_error": float(number % 3), "denial": 0.0}}


def run(hits: Sequence[bool], *, statuses: Mapping[int, str] | None = None, **fields: Any) -> list[Scored]:
    """Replies to as many questions as there are hits."""
    special = statuses or {}
    return [reply(number, hit=hit, status=special.get(number, "answered"), **fields) for number, hit in enumerate(hits)]


def changed(scored: Sequence[Scored], variant: str, *, hits: Callable[[int], bool]) -> list[Scored]:
    """The same questions under a variant."""
    numbers = [int(one.id[2:], 16) for one in scored]
    return [
        replace(reply(number, hit=hits(number), kind=one.kind), variant=variant)
        for number, one in zip(numbers, scored, strict=True)
    ]


def results(scored: Sequence[Scored], *, model: str = "small", digest: str = "d" * 64, resamples: int = 50) -> dict[str, Any]:
    """What `results.json` would hold; of versions nothing that differs between machines."""
    variants = list(dict.fromkeys(one.variant for one in scored if one.variant != PLAIN and not one.variant.endswith(":stays")))
    plain = [one for one in scored if one.variant == PLAIN]
    settings = {
        "medloom": "0.1.0",
        "asked": "release:gmai:test",
        "questions": len(plain),
        "digest": digest,
        "backend": {"backend": "scripted", "model": model, "revision": None},
        "at_once": 16,
        "style": {"dialect": "thousandths", "prompts": "drawn", "masks": "polygon", "instruction": True, "system": None},
        "variants": variants,
        "shots": None,
        "seed": 0,
        "pillow": "11.0",
    }
    predictions = [Prediction(one.id, one.variant, "A", "stop", None, 100, 2) for one in scored if ":stays" not in one.variant]
    found = results_of(Plan(settings), predictions, [marked(one) for one in scored], seed=0, resamples=resamples)
    return {**found, "versions": {"numpy": "2.1", "python": "3.12"}}


def marked(one: Scored) -> Marked:
    right = any(one.measures.get(name) == 1.0 for name in ("accuracy", "exact_mcq", "box_f1_50")) or (
        (one.measures.get("mask_iou") or 0.0) >= 0.5
    )
    names = {label: label.replace("-", " no. ") for label in one.labels if label != "label-3"}
    return Marked(one, one.said, "right" if right else ERRORS[one.status], names=names)


def folder(path: Path, scored: Sequence[Scored], **how: Any) -> Path:
    """The folder of a finished evaluation."""
    write_json(path / "results.json", results(scored, **how))
    write_parquet(path / "scored.parquet", scored_table(scored))
    write_parquet(path / "predictions.parquet", table([Prediction(one.id, one.variant, "A") for one in scored]))
    return path
