"""The dialects by name, and the one that each model family was taught.

Numbers of steps, marks and order are the families' own, from the sources named here; where a family has no form for
points or polygons, its marks and numbers are used for them, and that is said.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial

from ...schema.errors import UsageError
from .grid import absolute, padded, relative
from .inline import Inline
from .json_list import JsonList
from .loc_tokens import LocTokens
from .numerals import COMMA, NUMBER, listed, pairs
from .percent_points import PercentPoints
from .place import Dialect

_N = f"(?:{NUMBER})"
_PAIR = rf"\[\s*{_N}{COMMA}{_N}\s*\]"
_NESTED = rf"\[\s*{_PAIR}(?:{COMMA}{_PAIR}){{2,}}\s*\]"
_FLAT = rf"\[\s*{_N}(?:{COMMA}{_N})+\s*\]"
_ROUND = rf"\(\s*{_N}(?:{COMMA}{_N}){{3}}\s*\)"
_BRACKETS = re.compile(f"{_NESTED}|{_FLAT}|{_ROUND}")
_CORNER = rf"\(\s*{_N}{COMMA}{_N}\s*\)"
_TAG = rf"<\s*{_N}\s*>"
THOUSAND = "whole numbers from 0 to 1000 of width and height"


def _bracketed(numbers: list[str]) -> str:
    """`[1, 2, 3, 4]`, and `[[1, 2], [3, 4], [5, 6]]` for polygons."""
    return listed(numbers) if len(numbers) < 5 else listed([listed(pair) if pair[1:] else pair[0] for pair in pairs(numbers)])


def _corners(numbers: list[str]) -> str:
    return ",".join(f"({','.join(pair)})" if pair[1:] else pair[0] for pair in pairs(numbers))


def _qwen2_tags(numbers: list[str]) -> str:
    tag = "box" if len(numbers) < 5 else "quad"
    return f"<|{tag}_start|>{_corners(numbers)}<|{tag}_end|>"


def _angled(numbers: list[str]) -> str:
    return "".join(f"<{number}>" if number != "…" else number for number in numbers)


def _braced(numbers: list[str]) -> str:
    return "{" + _angled(numbers) + "}"


def _triggered(numbers: list[str]) -> str:
    return "<at>" + _angled(numbers)


_INTERNVL = {"box": ("<box>[", "]</box>"), "point": ("<point>[", "]</point>"), "polygon": ("<quad>[", "]</quad>")}

_ALL: tuple[Dialect, ...] = (
    # Ours, for families without a form of their own: x before y, polygons as lists of corners.
    Inline("thousandths", partial(relative, 1000), 0, _bracketed, _BRACKETS, numbers=THOUSAND),
    # LLaVA-1.5's data (haotian-liu/LLaVA issues 606 and 822): two decimals of the picture padded to a square. Hugging Face's
    # processors centre-crop instead unless `do_pad` is set, so the picture is padded before they are given it; on a square
    # both do the same. Points and polygons are ours.
    Inline(
        "llava", partial(padded, 100), 2, _bracketed, _BRACKETS, square=True,
        numbers="shares from 0.00 to 1.00 of the picture padded to a square",
    ),
    # Shikra (shikras/shikra, PlainBoxFormatter and Expand2square): three decimals of the padded square, places of one
    # stretch in one bracket. It has boxes and points; polygons are ours.
    Inline(
        "shikra", partial(padded, 1000), 3, ",".join,
        re.compile(rf"[\[;]\s*{_N}(?:{COMMA}{_N})+\s*(?=[;\]])\]?"), ";", "[", "]", square=True,
        numbers="shares from 0.000 to 1.000 of the picture padded to a square",
    ),
    # MiniGPT-v2 (arXiv 2310.09478): tags of 0 to 100, `<delim>` between boxes. Points and polygons are ours.
    Inline(
        "minigpt_v2", partial(relative, 100), 0, _braced,
        re.compile(rf"\{{\s*{_TAG}(?:\s*{_TAG})+\s*\}}"), "<delim>", words=("<p>", "</p>"),
        numbers="whole numbers from 0 to 100 of width and height",
    ),
    # NExT-Chat (arXiv 2311.04498) says a trigger token and decodes its embedding: no text holds its numbers. The trigger is
    # kept and tags of 0 to 100 follow, for models without that head.
    Inline(
        "next_chat", partial(relative, 100), 0, _triggered,
        re.compile(rf"<at>\s*{_TAG}(?:\s*{_TAG})+"), " ", numbers="whole numbers from 0 to 100 of width and height",
    ),
    # Qwen2-VL's model card and its tokenizer's tokens; a point is one corner, polygons stand in its quadrangle tokens with as
    # many corners as they need. Decoding without special tokens drops the marks: bare corners are read too.
    Inline(
        "qwen2_vl", partial(relative, 1000), 0, _qwen2_tags,
        re.compile(rf"(?:<\|(?:box|quad)_start\|>)?{_CORNER}(?:{COMMA}{_CORNER})*(?:<\|(?:box|quad)_end\|>)?"), "",
        words=("<|object_ref_start|>", "<|object_ref_end|>"), numbers=THOUSAND,
    ),
    # InternVL's documentation of chat data: `<ref>`, `<box>`, 0 to 1000. Its tokenizer has `<quad>` too, used for polygons
    # with as many corners as they need; points are ours.
    Inline(
        "internvl", partial(relative, 1000), 0, listed,
        re.compile(rf"(?:<(?:box|quad|point)>\s*\[\s*)?{_FLAT}(?:\s*\]\s*</(?:box|quad|point)>)?"),
        words=("<ref>", "</ref>"), tags=_INTERNVL.__getitem__, numbers=THOUSAND,
    ),
    # Qwen2.5-VL's cookbook on spatial understanding: px after the processor's resize. Polygons are ours.
    JsonList(
        "qwen2_5_vl", absolute, ("bbox_2d", "point_2d", "polygon_2d"), needs_seen=True,
        numbers="in px of the picture",
    ),
    # Qwen3-VL's cookbook on 2-D grounding: the same keys, 0 to 1000. Polygons are ours.
    JsonList("qwen3_vl", partial(relative, 1000), ("bbox_2d", "point_2d", "polygon_2d"), numbers=THOUSAND),
    # Nothing is published for Gemma 3 (its makers point to Gemini's form): y before x, 0 to 1000. Polygons are ours.
    JsonList("gemma3", partial(relative, 1000), ("box_2d", "point", "polygon"), y_first=True, numbers=THOUSAND),
    # big_vision's evaluators read a token as its number over 1023.
    LocTokens(),
    # Molmo's model card.
    PercentPoints(),
)  # fmt: skip
DIALECTS: Mapping[str, Dialect] = {one.name: one for one in _ALL}
DEFAULT = "thousandths"

_FAMILIES = {
    "llava": "llava",
    "vipllava": "llava",
    "qwen2_vl": "qwen2_vl",
    "qwen2_5_vl": "qwen2_5_vl",
    "qwen3_vl": "qwen3_vl",
    "qwen3_vl_moe": "qwen3_vl",
    "internvl": "internvl",
    "internvl_chat": "internvl",
    "gemma3": "gemma3",
    "gemma3n": "gemma3",
    "paligemma": "paligemma",
    "molmo": "molmo",
}


def dialect(name: str) -> Dialect:
    """The dialect of that name.

    Raises:
        UsageError: there is none.
    """
    if name not in DIALECTS:
        raise UsageError(f"dialect {name!r}; expected one of {', '.join(DIALECTS)}")
    return DIALECTS[name]


def of_family(model_type: str) -> str:
    """Name of the dialect for a model by its configuration's `model_type`; `thousandths` where a family has none."""
    return _FAMILIES.get(model_type, DEFAULT)
