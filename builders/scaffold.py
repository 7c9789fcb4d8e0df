"""A commented builder file for a source of one's own, from a proposal or from nothing.

Everything that was found in a folder is written by `repr`, in constants and comments: it can't become code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..schema.errors import UsageError
from ..schema.triplet import AREAS, MODALITIES, TASKS, Triplet
from .proposal import LAYOUTS, Evidence, Proposal, labels_from
from .scaffold_reads import NOTES, PARTS, Part

WIDTH = 120
COMMON = ("IMAGES", "READERS", "SPLIT_FOLDERS", "GROUP_IN_PATH")

_HEAD = '''"""{title}: say in one line what it is, and show one real record with its oddity.

Written by `medloom new-source`. Read it, mend what is wrong, and fill in FACTS; then:

    medloom verify {name}.py --raw YOUR_FOLDER
    medloom build {name}.py --raw YOUR_FOLDER --out {name}_release
"""
'''
_FACTS = """
FACTS = Facts(
    name="{name}",
    title="{title}",
    homepage="unstated",
    licence="unstated",  # an SPDX identifier such as CC-BY-4.0; "unstated" where the owner says nothing
    licence_evidence="Unverified: nobody has read the owner's terms yet.",
    # Add rights={{...}} where pixels, annotations, derived text or processing by others have terms of their own,
    # or where you have read the terms and can say on which day: see medloom/schema/rights.py.
    citation="unstated",  # BibTeX
    cite="unstated",  # DOI or address, for every record
    access=Access.CREDENTIALED,  # OPEN once you know that anyone may have it
    triplet=Triplet("{modality}", "{area}", "{task}"),  # modality, anatomical area, task
    clinical_task="None",  # a name of medloom.schema.clinical_tasks
    department="None",  # a name of medloom.schema.departments
    group_kind="{kind}",  # what no split may cut: patient, study, volume, video, slide or image
{closed})
"""
_CLOSED = """    # Every image has exactly one of these, so the others are absent. Delete it where images may show several.
    closed_sets={{"labels": {words}}},
"""
_PATHS = '''

def unit(path: str, **known: Any) -> Unit:
    """One image: its reader, group and split, and what else is known of it."""
    group = known.pop("group", "") or group_of(path)
    kind = FACTS.group_kind if group else "image"
    split = known.pop("split", None) or split_of(path)
    reader = READERS.get(PurePosixPath(path.lower()).suffix, "{reader}")
    return Unit(files=(path,), reader=reader, group=group, group_kind=kind, split=split, **known)


def group_of(path: str) -> str:
    """The group's id in a path; empty where there is none."""
    found = re.search(GROUP_IN_PATH, path) if GROUP_IN_PATH else None
    return found[0].lower() if found else ""
'''
_SPLIT_OF = '''

def split_of(path: str) -> str | None:
    """The owner's split, where a folder of the path names it."""
    return next((SPLIT_FOLDERS[part] for part in PurePosixPath(path).parts[:-1] if part in SPLIT_FOLDERS), None)
'''
_SOURCE = """
SOURCE = Source(
    facts=FACTS,
    labels=LABELS,
    read=read,
    layouts=(
        Layout(
            name="as it lies here",
            expects=(
                *(Expect(pattern=pattern, what="images") for pattern in IMAGES),
{expects}            ),
        ),
    ),
)
"""


def blank(layout: str) -> Proposal:
    """A proposal for a layout without looking at a folder: constants to be edited."""
    if layout not in LAYOUTS:
        raise UsageError(f"layout {layout!r}; expected one of {', '.join(LAYOUTS)}")
    part = PARTS[layout]
    words = _blank_words(part.blanks)
    seen = Evidence("layout", layout, "as you said; no folder was looked at")
    return Proposal(
        layout=layout,
        constants={
            **part.blanks,
            "SPLIT_FOLDERS": {"train": "train", "val": "validation", "test": "test"},
            "GROUP_IN_PATH": "",
        },
        labels=labels_from(words),
        expects=part.expects,
        evidence=(seen,),
        group_kind=part.blanks.get("GROUP_KIND", "image"),
    )


def triplet_of(*, modality: str, area: str, task: str | None, labelled: bool) -> Triplet:
    """The triplet that the words stand for; without a task `other`, or `unlabelled` where nothing is labelled.

    Raises:
        UsageError: a word that the vocabularies don't have.
    """
    default = "other" if labelled else "unlabelled"
    return Triplet(MODALITIES.find(modality).code, AREAS.find(area).code, TASKS.find(task or default).code)


def text(name: str, proposal: Proposal, *, triplet: Triplet) -> str:
    """The builder file.

    Raises:
        UsageError: a name that isn't snake_case.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{1,47}", name):
        raise UsageError(f"source name {name!r}; expected snake_case such as my_set: small letters, digits and _, at most 48")
    kind = _part_name(proposal)
    part, title = PARTS[kind], name.replace("_", " ")
    words = literal(tuple(word for word, label in proposal.labels.items() if label is not None))
    facts = _FACTS.format(
        name=name,
        title=title,
        modality=triplet.modality,
        area=triplet.area,
        task=triplet.task,
        kind=proposal.group_kind,
        closed=_CLOSED.format(words=words) if proposal.exclusive else "",
    )
    reads = part.reads.replace("@@FIELDS@@", _fields(proposal.constants, boxes=kind == "csv-boxes"))
    word = "row[LABEL]" if proposal.constants.get("LABEL") else repr("box")
    reads = reads.replace("@@WORD@@", word)
    pieces = [
        _HEAD.format(title=title, name=name),
        "".join(f"# {one.what}: {_one_line(one.choice)}. Seen: {_one_line(one.seen)}.\n" for one in proposal.evidence),
        _imports(part, kind, proposal.constants),
        facts,
        _labels(proposal, boxes=kind == "csv-boxes"),
        "".join(_constants(proposal.constants)),
        "\n" + reads,
        "" if kind == "dicom" else _PATHS.format(reader=next(iter(proposal.constants["READERS"].values()), "raster")),
        _SPLIT_OF,
        "\n" + _SOURCE.format(expects="".join(_expect(*one) for one in proposal.expects)),
    ]
    return "\n".join(piece.rstrip("\n") + "\n" for piece in pieces[:3] if piece) + "".join(pieces[3:])


def write(path: Path, content: str) -> None:
    """Write a builder file where none is yet.

    Raises:
        UsageError: something stands there, or the folder doesn't.
    """
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(content)
    except FileExistsError as error:
        raise UsageError(f"{path}: stands already; expected a new file; remove it or name another with --out") from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}; expected a file in a folder that you may write to") from error


def literal(value: Any) -> str:
    """Plain data as Python source, as `repr` escapes it, in double quotes where that is the same."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{literal(key)}: {literal(one)}" for key, one in value.items()) + "}"
    if isinstance(value, tuple):
        return f"({literal(value[0])},)" if len(value) == 1 else "(" + ", ".join(map(literal, value)) + ")"
    if isinstance(value, str) and '"' not in repr(value):
        return f'"{repr(value)[1:-1]}"'
    return repr(value)


def _part_name(proposal: Proposal) -> str:
    if proposal.layout == "class-folders" and proposal.constants.get("DEPTH", -1) is None:
        return "images"
    return "csv-boxes" if proposal.layout == "csv" and "BOX" in proposal.constants else proposal.layout


def _blank_words(constants: Mapping[str, Any]) -> list[str]:
    for name in ("NAMES", "VALUES"):
        if constants.get(name):
            return list(constants[name].values())
    return ["mask"] if constants.get("LABEL") == "mask" else ["first label", "second label"]


def _imports(part: Part, kind: str, constants: Mapping[str, Any]) -> str:
    lines = [
        *part.imports,
        "from medloom.builders.raw import Raw",
        "from medloom.builders.source import Access, Expect, Facts, Layout, Source",
        "from medloom.schema.labels import Label",
        "from medloom.schema.triplet import Triplet",
    ]
    if "AGE" in constants or "SEX" in constants:
        lines.append("from medloom.schema.sample import Subject")
    standard = ["from collections.abc import Iterator", "from pathlib import PurePosixPath"]
    if kind != "dicom":
        standard += ["from typing import Any", "import re"]
    standard.sort(key=lambda line: (line.startswith("from"), line))
    return "\n".join(["from __future__ import annotations", "", *standard, "", *sorted(lines)])


def _labels(proposal: Proposal, *, boxes: bool) -> str:
    labels = dict(proposal.labels) or ({"box": "object"} if boxes else {})
    sides = {raw: f", laterality={literal(side)}" for raw, side in proposal.sides.items()}
    made = {raw: "None" if name is None else f"Label({literal(name)}{sides.get(raw, '')})" for raw, name in labels.items()}
    lines = [f"    {literal(raw)}: {label},\n" for raw, label in made.items()]
    note = "# Raw word → canonical name, lower case; None instead of Label(...) for a word that is no label.\n"
    return f"\n{note}LABELS = {{\n{''.join(lines)}}}\n"


def _constants(constants: Mapping[str, Any]) -> Iterator[str]:
    """Every constant under its comment; the common ones first."""
    ordered = [*(name for name in COMMON if name in constants), *(name for name in constants if name not in COMMON)]
    for name in ordered:
        if name in _AFTER:
            continue
        note = NOTES.get(name)
        yield (f"\n# {note}\n" if note else "\n") + _assigned(name, constants[name])
        for other in (other for other, owner in _WITH.items() if owner == name and other in constants):
            yield _assigned(other, constants[other])


_WITH = {
    "SPLIT_WORDS": "SPLIT",
    "SEXES": "SEX",
    "ENCODING": "TABLES",
    "DELIMITER": "TABLES",
    "FILE_IS": "FILE",
    "BASE": "FILE",
    "BOX_IS": "BOX",
}
"""Constants that stand under the comment of another."""
_AFTER = frozenset(_WITH)


def _assigned(name: str, value: Any) -> str:
    line = f"{name} = {literal(value)}\n"
    if len(line) <= WIDTH or not isinstance(value, dict | tuple):
        return line
    if isinstance(value, dict):
        return f"{name} = {{\n" + "".join(f"    {literal(key)}: {literal(one)},\n" for key, one in value.items()) + "}\n"
    return f"{name} = (\n" + "".join(f"    {literal(one)},\n" for one in value) + ")\n"


def _expect(pattern: str, what: str, columns: tuple[str, ...]) -> str:
    asked = ", columns=COLUMNS" if columns else ""
    return f"                Expect(pattern={literal(pattern)}, what={literal(what)}{asked}),\n"


def _fields(constants: Mapping[str, Any], *, boxes: bool) -> str:
    """Lines of the dict that a table's row fills."""
    lines = []
    if not boxes and constants.get("FINDINGS"):
        lines.append('"findings": table.findings_from_columns(row, FINDINGS, report=raw.report),')
    elif not boxes and constants.get("SEPARATOR"):
        lines.append('"findings": table.findings_from_list(row[LABEL], SEPARATOR),')
    elif not boxes and constants.get("LABEL"):
        lines.append('"findings": (Finding(row[LABEL]),) if row[LABEL] and LABELS.get(row[LABEL], True) else (),')
    if constants.get("GROUP"):
        lines.append('"group": row[GROUP],')
    lines.append('"split": SPLIT_WORDS.get(row[SPLIT]) or split,' if constants.get("SPLIT") else '"split": split,')
    if constants.get("AGE") or constants.get("SEX"):
        lines.append('"subject": Subject(')
        if constants.get("AGE"):
            lines.append('    age_years=float(row[AGE]) if row[AGE].replace(".", "", 1).isdigit() else None,')
        lines.extend(["    sex=SEXES.get(row[SEX]),"] if constants.get("SEX") else [])
        lines.append("),")
    return "".join(f"        {line}\n" for line in lines)


def _one_line(words: str) -> str:
    """Text that can't leave its comment."""
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in words)
