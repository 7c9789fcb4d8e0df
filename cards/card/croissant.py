"""croissant.json: the release for machines, in Croissant 1.1 with its vocabulary for responsible AI.

Files stand with address, size and SHA-256. Record sets, all of which `mlcroissant` can iterate:

    samples             one record per sample, excluded ones too: every column of the index
    annotations         one per label state and annotation
    images              key and picture, out of the tars
    records             key, labels and regions (masks as run lengths), out of the same tars
    questions-<suite>   one per question

`mlcroissant` unpacks tars into a cache that it finds again by the tar's address, so whoever reads two releases by relative
addresses needs two caches (`CROISSANT_CACHE`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import file_digest
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from ...schema import question
from ...schema.index import ANNOTATIONS, SAMPLES
from ...schema.licences import licence
from ...schema.published import FOLDER as RECORDS
from ...schema.published import shards_of
from ...schema.question_set import FOLDER as QUESTIONS
from ...schema.vocabulary import slug
from .croissant_context import CONFORMS_TO, CONTEXT
from .facts import CardFacts

Json = dict[str, Any]
PARQUET, TAR = "application/x-parquet", "application/x-tar"
_HUB = "https://huggingface.co/datasets"
_RECORD_PATHS = {
    "label": "labels[*].label",
    "label_state": "labels[*].state",
    "region_label": "annotations[*].label",
    "region_granularity": "annotations[*].granularity",
    "region_box_xyxy_px": "annotations[*].box_xyxy_px",
    "region_rle": "annotations[*].rle",
}


def croissant(facts: CardFacts, *, description: str, limitations: Iterable[str]) -> Json:
    """The JSON-LD.

    Args:
        facts: What is known.
        description: One paragraph.
        limitations: One sentence each, for people who think of training on it.
    """
    tars = [_tar(facts, shard) for source in facts.sources for shard in shards_of(source.recipe)]
    tables = {name: list(_tables(facts, name)) for name in ("samples", "annotations")}
    asked = {suite["suite"]["name"]: list(_question_files(facts, suite)) for suite in facts.suites}
    files = [*tables["samples"], *tables["annotations"], *tars, *(file for some in asked.values() for file in some)]
    sets = [_set(name, some, PARQUET) for name, some in (*tables.items(), *(_questions(name, f) for name, f in asked.items()))]
    whole = [one for one in tars if not one["@id"].startswith(f"{RECORDS}/")]
    sets += [_set("images", whole, "image/png", "*.image"), _set("records", tars, "application/json", "*.json")]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": slug(facts.repo.split("/")[-1] if facts.repo else facts.pretty_name),
        "alternateName": facts.pretty_name,
        "description": description,
        "license": [licence(id).address or id for id in facts.licences],
        "citeAs": "\n\n".join(facts.citations),
        "version": facts.version,
        "inLanguage": ["en"],
        "keywords": sorted(slug(name) for name in facts.distributions["modality"]),
        "isLiveDataset": False,
        **_address(facts.repo),
        **_responsible(facts, limitations),
        "distribution": [*files, *(one for one in sets if one["containedIn"])],
        "recordSet": [*_record_sets({one["@id"] for one in sets if one["containedIn"]})],
    }


def _address(repo: str | None) -> Json:
    if repo is None:
        return {}
    owner = repo.split("/")[0]
    maker = {"@type": "sc:Organization", "name": owner, "url": f"https://huggingface.co/{owner}"}
    return {"url": f"{_HUB}/{repo}", "creator": maker, "publisher": maker}


def _responsible(facts: CardFacts, limitations: Iterable[str]) -> Json:
    """Fields of the RAI vocabulary for which there are facts."""
    numbers = facts.numbers
    origins = ", ".join(f"{count} {origin}" for origin, count in numbers["origins"].items()) or "none"
    collected = "; ".join(f"{one.name}: {one.facts['title']}, {one.facts['homepage']}" for one in facts.sources)
    known = f"sex of {numbers['with_sex']} and age of {numbers['with_age']} of {numbers['samples']} samples"
    return {
        "rai:dataCollection": f"Gathered from published datasets as their owners publish them. {collected}.",
        "rai:dataCollectionType": ["Secondary Data Analysis"],
        "rai:dataCollectionMissingData": f"Known are the {known}; what isn't known is null.",
        "rai:dataPreprocessingProtocol": [
            "Volumes to slices in radiological display with square pixels; intensities to 8 bits; JPEGs keep their coded data.",
            "Only an allow-list of header facts is kept; ids become keyed hashes; splits never cut a group.",
        ],
        "rai:dataAnnotationProtocol": [f"Annotations are their owners'; regions by origin: {origins}."],
        "rai:dataLimitations": list(limitations),
        "rai:personalSensitiveInformation": ["Health data of people under pseudonyms", *_personal(facts)],
        "rai:dataUseCases": ["Training and evaluation of vision-language models in research; no clinical use"],
    }


def _personal(facts: CardFacts) -> Iterator[str]:
    names = {"with_sex": "Gender", "with_age": "Age"}
    yield from (word for name, word in names.items() if facts.numbers[name])


def _file(facts: CardFacts, path: str, *, size: int, sha256: str, encoding: str) -> Json:
    address = f"{_HUB}/{facts.repo}/resolve/main/{path}" if facts.repo else path
    return {
        "@type": "cr:FileObject",
        "@id": path,
        "name": path,
        "contentUrl": address,
        "contentSize": f"{size} B",
        "encodingFormat": encoding,
        "sha256": sha256,
    }


def _tar(facts: CardFacts, shard: Json) -> Json:
    return _file(facts, shard["path"], size=shard["bytes"], sha256=shard["sha256"], encoding=TAR)


def _tables(facts: CardFacts, table: str) -> Iterator[Json]:
    for one in facts.sources:
        path = facts.release.index_path(one.name, table)
        if path.is_file():
            relative = path.relative_to(facts.release.root).as_posix()
            yield _file(facts, relative, size=path.stat().st_size, sha256=_sha256(path), encoding=PARQUET)


def _question_files(facts: CardFacts, suite: Json) -> Iterator[Json]:
    name = suite["suite"]["name"]
    for one in suite["files"]:
        if one["sha256"]:
            path = f"{QUESTIONS}/{name}/{one['path']}"
            yield _file(facts, path, size=one["bytes"], sha256=one["sha256"], encoding=PARQUET)


def _sha256(path: Path) -> str:
    """The digest of the file as it lies: published tables may differ from the recipe's."""
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def _questions(name: str, files: list[Json]) -> tuple[str, list[Json]]:
    return f"questions-{slug(name)}", files


def _set(name: str, files: list[Json], encoding: str, includes: str = "*") -> Json:
    """A file set over whole files, or over members of tars."""
    return {
        "@type": "cr:FileSet",
        "@id": f"{name}-files",
        "name": f"{name}-files",
        "containedIn": [{"@id": one["@id"]} for one in files],
        "encodingFormat": encoding,
        "includes": includes,
    }


def _record_sets(there: set[str]) -> Iterator[Json]:
    tables = {"samples": (SAMPLES, "key"), "annotations": (ANNOTATIONS, None)}
    tables |= {name[: -len("-files")]: (question.schema(), "id") for name in sorted(there) if name.startswith(QUESTIONS)}
    for name, (schema, key) in tables.items():
        if f"{name}-files" in there:
            yield _record_set(name, [_column(name, field) for field in schema if _plain(field.type)], key=key)
    if "images-files" in there:
        picture = _field("images", "image", "sc:ImageObject", {"fileProperty": "content"})
        yield _record_set("images", [_key("images"), picture], key="key")
    if "records-files" in there:
        paths = [_field("records", name, "sc:Text", {"jsonPath": path}) for name, path in _RECORD_PATHS.items()]
        yield _record_set("records", [_key("records"), *paths], key=None)


def _record_set(name: str, fields: list[Json], *, key: str | None) -> Json:
    own = {"key": {"@id": f"{name}/{key}"}} if key else {}
    return {"@type": "cr:RecordSet", "@id": name, "name": name, **own, "field": fields}


def _field(table: str, name: str, kind: str, extract: Json, **more: Any) -> Json:
    source = {"fileSet": {"@id": f"{table}-files"}, "extract": extract, **more}
    return {"@type": "cr:Field", "@id": f"{table}/{name}", "name": f"{table}/{name}", "dataType": kind, "source": source}


def _key(table: str) -> Json:
    """The sample's key, which is its member's name up to the dot."""
    field = _field(table, "key", "sc:Text", {"fileProperty": "filename"}, transform={"regex": r"^([^.]+)\..*$"})
    return field | {"references": {"field": {"@id": "samples/key"}}}


def _column(table: str, field: pa.Field) -> Json:
    many = pt.is_list(field.type)
    made = _field(table, field.name, _kind(field.type.value_type if many else field.type), {"column": field.name})
    return made | ({"repeated": True} if many else {})


def _plain(kind: pa.DataType) -> bool:
    """Whether it is a scalar or a list of scalars: structs of questions have no plain form in a record set."""
    inner = kind.value_type if pt.is_list(kind) else kind
    return not (pt.is_struct(inner) or pt.is_list(inner))


def _kind(kind: pa.DataType) -> str:
    if pt.is_boolean(kind):
        return "sc:Boolean"
    if pt.is_integer(kind):
        return "sc:Integer"
    return "sc:Float" if pt.is_floating(kind) else "sc:Text"


def repo_of(stated: Any) -> str | None:
    """The repository that an earlier croissant.json names."""
    address = stated.get("url") if isinstance(stated, dict) else None
    found = re.fullmatch(rf"{re.escape(_HUB)}/([^/\s]+/[^/\s]+)", address) if isinstance(address, str) else None
    return found.group(1) if found else None
