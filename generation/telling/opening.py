"""What a sentence says of a whole image: plane and modality, part of the body or side of the eye, view, stain, scale."""

from __future__ import annotations

from functools import cache

from ...schema.triplet import AREAS
from ..case import Case
from ..choices.modality_words import picture
from .grammar import an, capital
from .seen import SIDES, one_eye

VIEWS = {
    "PA": "posteroanterior (PA) view",
    "AP": "anteroposterior (AP) view",
    "LATERAL": "lateral view",
    "CC": "craniocaudal (CC) view",
    "MLO": "mediolateral oblique (MLO) view",
}
AREA_WORDS = {
    "blood": "blood",
    "bone-marrow": "bone marrow",
    "cell": "cells",
    "tissue": "tissue",
    "sperm": "sperm",
    "bones": "bones",
    "vessels": "blood vessels",
    "nerves": "peripheral nerves",
    "lymph-nodes": "lymph nodes",
    "fetus": "a fetus",
    "phantom": "a test object",
    "lung": "the lungs",
    "musculoskeletal": "the musculoskeletal system",
}
"""Areas that aren't "the" and their name in small letters."""
_UNSAID = ("other", "unspecified")


def opening(case: Case) -> dict[str, str]:
    """The gaps of an opening sentence: the picture with its article, small and large, its area, and its details."""
    a_picture = _a_picture(case.record["acquisition"]["plane"], case.modality)
    return {"a_picture": a_picture, "A_picture": capital(a_picture), "area": _area(case), "details": _details(case)}


@cache
def _a_picture(plane: str | None, modality: str) -> str:
    return an(f"{plane} {picture(modality)}" if plane else picture(modality))


def _area(case: Case) -> str:
    """Words such as " of the brain"; nothing where the area is unknown."""
    if one_eye(case.modality) and AREAS.is_a(case.record["area"], "eye"):
        sides = {one["laterality"] for one in case.present} & {*SIDES}
        return f" of the {sides.pop()} eye" if len(sides) == 1 else " of the eye"
    return _area_words(case.record["area"])


@cache
def _area_words(code: str) -> str:
    if code in _UNSAID:
        return ""
    return f" of {AREA_WORDS.get(code) or f'the {AREAS[code].name.lower()}'}"


def _details(case: Case) -> str:
    """View, stain, contrast agent and scale, as far as they are known."""
    acquisition = case.record["acquisition"]
    view, stain, scale = acquisition["view"], acquisition["stain"], acquisition["um_per_px"]
    if not (view or stain or scale or acquisition["contrast"] == "yes"):
        return ""
    said = [
        f"in {VIEWS.get(view) or f'{view} view'}" if view else None,
        f"stained with {stain}" if stain else None,
        "taken with contrast agent" if acquisition["contrast"] == "yes" and case.modality != "T1ce" else None,
        f"at {scale:.3g} µm per pixel" if scale else None,
    ]
    return "".join(f", {one}" for one in said if one)
