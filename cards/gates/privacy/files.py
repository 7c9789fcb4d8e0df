"""Files of a release that aren't shards: names of all of them, tables, JSON, words, and the pictures of its card."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ....schema.gate_overrides import FILE as OVERRIDES
from .findings import Finding
from .pictures import carried
from .tables import table_told
from .texts import field_of, strings, told
from .words import AUTHORED, Kind

_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp"})
_WORDS = frozenset({".md", ".svg", ".txt", ".bib", ".yaml", ".yml", ".csv", ".html", ".cff"})
_AUTHORED = re.compile(r"facts\.(title|homepage|citation|cite|licence_evidence|rights\b.*)")
"""What authors write of themselves and of their terms."""
_VERSIONS = re.compile(r"(.*\.)?versions\.[\w-]+")
_VERSION = re.compile(r"\d{1,4}(\.\d{1,5}){0,3}[\w.+-]{0,16}")
_KNOWN_FORMS = ((_VERSIONS, _VERSION), (re.compile(r"distribution.*\.contentSize"), re.compile(r"\d+ B")))
"""Fields of JSON, and what may stand there whatever it looks like."""
_DATED_HEADING = re.compile(r"^#.*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Own:
    """What people wrote on purpose: titles, citations and evidence of rights of all sources, and versions of libraries."""

    words: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)


def own_of(recipes: list[dict[str, Any]]) -> Own:
    """The authors' own words in recipes."""
    words = [text for recipe in recipes for path, text in strings(recipe) if _AUTHORED.match(path)]
    versions = {name.lower(): version for recipe in recipes for name, version in recipe.get("versions", {}).items()}
    return Own("\n".join(words), versions)


def name_told(path: str) -> Iterator[Finding]:
    """Findings in a file's path."""
    readable = path.replace("/", " / ")
    yield from told(readable, path, code="identifier-in-name")
    for part in Path(path).parts:
        if "^" in part:
            yield Finding("identifier-in-name", Kind.PERSON, path)


def file_told(root: Path, path: str, *, own: Own) -> Iterator[Finding]:
    """Findings in a file: its words, cells, or what a picture carries."""
    suffix = Path(path).suffix.lower()
    if suffix == ".parquet":
        yield from table_told(root, path, versions=own.versions)
    elif suffix in _PICTURES:
        yield from (Finding("picture-carries-more", what, path) for what in carried((root / path).read_bytes()))
    elif suffix == ".json":
        yield from _json(root, path, own)
    elif suffix in _WORDS or path == ".gitattributes":
        yield from _text(root, path, own)
    else:
        yield Finding("opaque-file", "a file of a kind that no release has", path)


def _json(root: Path, path: str, own: Own) -> Iterator[Finding]:
    try:
        data = json.loads((root / path).read_text(encoding="utf-8"))
    except ValueError:
        yield Finding("opaque-file", "JSON that can't be read", path)
        return
    for place, text in strings(data):
        if any(where.fullmatch(field_of(place)) and form.fullmatch(text) for where, form in _KNOWN_FORMS):
            continue
        written = path == OVERRIDES or _AUTHORED.match(place)
        yield from told(text, f"{path} {place}", but=AUTHORED if written else (), own=own.words)


def _text(root: Path, path: str, own: Own) -> Iterator[Finding]:
    try:
        text = (root / path).read_text(encoding="utf-8")
    except ValueError:
        yield Finding("opaque-file", "words that aren't UTF-8", path)
        return
    if path == "CHANGELOG.md":
        text = _DATED_HEADING.sub("", text)
    for number, line in enumerate(text.splitlines(), 1):
        yield from told(line, f"{path} line {number}", own=own.words)
