"""croissant.json: the release for machines, in Croissant 1.1 with its vocabulary for responsible AI.

Every file stands with address, size and SHA-256. Record sets, all of which `mlcroissant` can iterate:

    samples             one record per sample, excluded ones too: every column of the index
    annotations         one per label state and annotation
    questions-<suite>   one per question, but for fields that are structures
    images              key and picture, out of the tars
    records             key and the whole record as JSON, masks as run lengths, out of the same tars

Tables are sets of files in the folder of croissant.json, or, where a repository is named, in that repository, which
`mlcroissant` clones (its extra `git`) unless its `mapping` leads `repo` to a folder. Tars come by their own addresses, and
are unpacked into a cache that goes by the address: who reads two folders by relative ones needs two (`CROISSANT_CACHE`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.types as pt

from ...schema import question
from ...schema.index import ANNOTATIONS, SAMPLES
from ...schema.licences import licence
from ...schema.published import Mode, shards_of
from ...schema.question_set import FOLDER as QUESTIONS
from ...schema.vocabulary import slug
from .croissant_context import CONFORMS_TO, CONTEXT
from .facts import CardFacts

Json = dict[str, Any]
INDEX = "index"
PARQUET, TAR = "application/x-parquet", "application/x-tar"
_HUB = "https://huggingface.co/datasets"
REPO = "repo"
"""Id of the repository as a whole."""
_FILES = "-files"
_MEMBERS = {
    "images": ("*.image", "image/png", "image", "sc:ImageObject"),
    "records": ("*.json", "application/json", "record", "sc:Text"),
}
"""Record set → members of tars, their format, and the field that holds them."""


def croissant(facts: CardFacts, *, description: str, limitations: Iterable[str]) -> Json:
    """The JSON-LD.

    Args:
        facts: What is known.
        description: One paragraph.
        limitations: One sentence each, for people who think of training on it.
    """
    files = [*_tables(facts), *_question_files(facts), *_tars(facts)]
    sets = list(_sets(facts))
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": list(CONFORMS_TO),
        "name": slug(facts.repo.split("/")[-1] if facts.repo else facts.pretty_name),
        "alternateName": facts.pretty_name,
        "description": description,
        "license": [licence(id).address or id for id in facts.licences],
        "citeAs": facts.bibtex,
        "version": facts.version,
        "inLanguage": ["en"],
        "keywords": sorted(slug(name) for name in facts.distributions["modality"]),
        "isLiveDataset": False,
        **_address(facts.repo),
        **_responsible(facts, limitations),
        "distribution": [*_repository(facts, files), *files, *sets],
        "recordSet": list(_record_sets({one["@id"].removesuffix(_FILES) for one in sets})),
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


def _tars(facts: CardFacts) -> Iterator[Json]:
    for source in facts.sources:
        for shard in shards_of(source.recipe):
            yield _file(facts, shard["path"], size=shard["bytes"], sha256=shard["sha256"], encoding=TAR)


def _tables(facts: CardFacts) -> Iterator[Json]:
    root = facts.release.root
    for path in sorted((root / INDEX).glob("*/*.parquet")):
        relative = path.relative_to(root).as_posix()
        yield _file(facts, relative, size=path.stat().st_size, sha256=_sha256(path), encoding=PARQUET)


def _question_files(facts: CardFacts) -> Iterator[Json]:
    for suite in facts.suites:
        for one in suite["files"]:
            if one["sha256"]:
                path = f"{QUESTIONS}/{suite['suite']['name']}/{one['path']}"
                yield _file(facts, path, size=one["bytes"], sha256=one["sha256"], encoding=PARQUET)


def _repository(facts: CardFacts, files: Iterable[Json]) -> Iterator[Json]:
    """The repository as a whole; its digest is over paths and digests of the files, since a repository has none."""
    if facts.repo:
        lines = "".join(f"{one['@id']} {one['sha256']}\n" for one in files)
        whole = {"@type": "cr:FileObject", "@id": REPO, "name": REPO, "contentUrl": f"{_HUB}/{facts.repo}"}
        yield {**whole, "encodingFormat": "git+https", "sha256": sha256(lines.encode()).hexdigest()}


def _sha256(path: Path) -> str:
    """The digest of the file as it lies: the recipe's is that of the whole source, of which less may be published."""
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def _sets(facts: CardFacts) -> Iterator[Json]:
    """Sets of files that a record set reads, of those that are there."""
    if any(facts.release.index_path(one.name).is_file() for one in facts.sources):
        for name in ("samples", "annotations"):
            yield _set(name, f"{INDEX}/*/{name}.parquet", PARQUET, inside=[REPO] if facts.repo else [])
    for suite in facts.suites:
        name = suite["suite"]["name"]
        if any(one["sha256"] for one in suite["files"]):
            includes = f"{QUESTIONS}/{name}/*.parquet"
            yield _set(_suite(name), includes, PARQUET, inside=[REPO] if facts.repo else [])
    whole = [shard["path"] for one in facts.whole(Mode.FULL) for shard in shards_of(one.recipe)]
    every = [shard["path"] for one in facts.sources for shard in shards_of(one.recipe)]
    for name, (includes, encoding, _, _) in _MEMBERS.items():
        if tars := whole if name == "images" else every:
            yield _set(name, includes, encoding, inside=tars)


def _suite(name: str) -> str:
    return f"{QUESTIONS}-{slug(name)}"


def _set(name: str, includes: str, encoding: str, *, inside: list[str]) -> Json:
    made = {"@type": "cr:FileSet", "@id": f"{name}{_FILES}", "name": f"{name}{_FILES}", "encodingFormat": encoding}
    return made | ({"containedIn": [{"@id": id} for id in inside]} if inside else {}) | {"includes": includes}


def _record_sets(there: set[str]) -> Iterator[Json]:
    schemas = {"samples": (SAMPLES, "key"), "annotations": (ANNOTATIONS, None)}
    schemas |= {name: (question.schema(), "id") for name in sorted(there) if name.startswith(f"{QUESTIONS}-")}
    for name, (schema, key) in schemas.items():
        if name in there:
            yield _record_set(name, [_column(name, field) for field in schema if _plain(field.type)], key=key)
    for name, (_, _, field, kind) in _MEMBERS.items():
        if name in there:
            key = _field(name, "key", "sc:Text", {"fileProperty": "filename"}, transform={"regex": r"^([^.]+)\..*$"})
            yield _record_set(name, [key, _field(name, field, kind, {"fileProperty": "content"})], key="key")


def _record_set(name: str, fields: list[Json], *, key: str | None) -> Json:
    own = {"key": {"@id": f"{name}/{key}"}} if key else {}
    return {"@type": "cr:RecordSet", "@id": name, "name": name, **own, "field": fields}


def _field(table: str, name: str, kind: str, extract: Json, **more: Any) -> Json:
    source = {"fileSet": {"@id": f"{table}{_FILES}"}, "extract": extract, **more}
    return {"@type": "cr:Field", "@id": f"{table}/{name}", "name": f"{table}/{name}", "dataType": kind, "source": source}


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
