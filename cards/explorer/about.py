"""What stands in `data/release.json`: sources with licences, rights and oddities, suites, and how pictures are to be had."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ... import __version__
from ...schema.licences import licence
from ...schema.picture_rights import words
from ...schema.published import Mode, mode_of
from ...schema.question_set import QuestionSet
from ...schema.rights import rights_of
from .rows import BLOCK
from .sights import COLUMNS, SIDE_PX, Sights
from .told import Told
from .told import words as left_out

FACTS = ("name", "title", "homepage", "access", "group_kind", "citation", "cite", "oddities", "licence_evidence")


def about(sights: Sights, told: Told, *, sheets: bool, images: bool) -> dict[str, Any]:
    """The release in words and figures.

    Args:
        sights: Its pictures, as far as they are shown.
        told: Its records and questions, as far as they are told.
        sheets: Whether thumbnails come on sheets, a file per block, or each alone.
        images: Whether stored images are to be had beside the thumbnails.
    """
    rows, release, withheld, untold = sights.rows, sights.rows.release, sights.withheld(), told.withheld()
    said = [words(withheld), *left_out(untold)] if withheld else left_out(untold)
    return {
        "name": release.root.name if release.source is None else str(release.source),
        "medloom": __version__,
        "samples": len(rows),
        "block": BLOCK,
        "pictures": {"side_px": SIDE_PX, "columns": COLUMNS, "sheets": sheets, "images": images},
        "withheld": withheld,
        "untold": untold,
        "notice": " ".join(f"{one}." for one in said),
        "sources": [_source(recipe, withheld) for recipe in release.recipes()],
        "suites": [_suite(QuestionSet.open(release.root, name).info) for name in release.suites],
    }


def _source(recipe: dict[str, Any], withheld: dict[str, int]) -> dict[str, Any]:
    facts = recipe["facts"]
    terms, mode = licence(facts["licence"]), mode_of(recipe)
    return {
        **{name: facts.get(name) for name in FACTS},
        "licence": {"id": terms.id, "name": terms.name, "address": terms.address},
        "rights": [
            {
                "subject": subject.value,
                "licence": right.licence,
                "granted": right.granted,
                "evidence": asdict(right.evidence),
            }
            for subject, right in rights_of(facts).items()
        ],
        "mode": mode.value,
        "held": mode is not Mode.RECIPE,
        "splits": recipe["splits"],
        "excluded": recipe["counts"]["excluded"],
        "subsets": sorted(recipe["subsets"]),
        "limit": recipe["options"]["limit"],
        "withheld": withheld.get(facts["name"], 0),
    }


def _suite(info: dict[str, Any]) -> dict[str, Any]:
    suite = info["suite"]
    return {"name": suite["name"], "title": suite["title"], "questions": info["questions"], "withheld": info["withheld"]}
