"""The model card of a run: YAML that the Hub reads, and what people need to know before they use the weights."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from ...schema.hub import named
from ...schema.licences import licence as terms_of
from .data_rights import SourceUse
from .watched import tells_of_the_model

if TYPE_CHECKING:
    from .run_folder import RunFolder

WAYS = {"sft": "supervised fine-tuning", "grpo": "reinforcement with verifiable rewards (GRPO)"}
RESEARCH = "research-only"
_SNIPPET = """from transformers import AutoModelForImageTextToText, AutoProcessor

model = AutoModelForImageTextToText.from_pretrained("{place}")
processor = AutoProcessor.from_pretrained("{place}")"""


def model_card(run: RunFolder, *, repo: str | None = None, reason: str | None = None) -> str:
    """The card's text.

    Args:
        run: Its config, data, environment and metrics tell all.
        repo: Where it will be found; without it the folder's own name stands in.
        reason: Why it is passed on though some of its data may not be.
    """
    data, config, sources = run.data, run.config, run.sources
    licence = data["base_licence"]
    header = yaml.safe_dump(_header(run, sources, licence, repo=repo), sort_keys=False, allow_unicode=True, width=120)
    text = _template().render(
        name=(repo or run.root.resolve().name).split("/")[-1],
        way=WAYS[data["method"]],
        base=data["base"],
        rows=f"{sum(one['rows'] for one in _sets(data['train'])):,}",
        snippet=_SNIPPET.format(place=repo or "model"),
        dialect=config.get("dialect"),
        parts=list(_parts(data["train"])),
        held_out=list(_parts(data["held_out"] or {})),
        general=_general(data["train"]),
        sources=[{**one.as_json(), "passed_on": _passed_on(one)} for one in sources],
        base_licence=licence,
        terms=_terms(sources),
        reasons=list(_reasons(sources, reason)),
        bibtex="\n\n".join(dict.fromkeys(one.citation.strip() for one in sources)) or "% none",
        scores=[(name, f"{value:.4g}") for name, value in _scores(run).items()],
        config=yaml.safe_dump(config, sort_keys=False, allow_unicode=True, width=120).strip(),
        libraries=", ".join(f"{name} {version}" for name, version in run.environment["libraries"].items()) + ".",
        machine=_machine(run.environment),
    )
    return f"---\n{header}---\n\n{re.sub(chr(10) + '{3,}', chr(10) * 2, text).strip()}\n"


def _header(run: RunFolder, sources: Sequence[SourceUse], licence: str | None, *, repo: str | None) -> dict[str, Any]:
    """What the Hub reads; a fault in it would be one of ours."""
    from huggingface_hub import EvalResult, ModelCardData

    data, adapter = run.data, bool(run.config.get("use_peft"))
    releases = [_unpinned(one["release"]) for one in _sets(data["train"])]
    releases = list(dict.fromkeys(releases))
    scores = _scores(run)
    narrow = licence is None or any(one.noncommercial or one.refused for one in sources)
    results = [
        EvalResult(
            task_type="image-text-to-text",
            dataset_type=(releases or ["medloom"])[0],
            dataset_name="held-out questions",
            metric_type=name,
            metric_value=round(float(value), 6),
        )
        for name, value in scores.items()
    ]
    card = ModelCardData(
        license="other" if narrow else str(licence),
        license_name=RESEARCH if narrow else None,
        license_link="README.md#licences" if narrow else None,
        library_name="peft" if adapter else "transformers",
        pipeline_tag="image-text-to-text",
        base_model=data["base"] if named(data["base"]) else None,
        datasets=[name for name in releases if named(name)] or None,
        tags=["medloom", "medical", "medical-imaging", "trl", data["method"], *(["lora"] if adapter else [])],
        eval_results=results or None,
        model_name=(repo or run.root.resolve().name).split("/")[-1] if results else None,
    )
    return card.to_dict()


def _parts(fingerprint: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A row for each set of a release's questions."""
    for one in _sets(fingerprint):
        chosen: dict[str, Any] = dict(one["select"])
        chosen |= {"kinds": ", ".join(one["kinds"])} if one["kinds"] else {}
        chosen |= {name: one[name] for name, usual in (("config", "default"), ("weight", 1.0)) if one[name] != usual}
        said = "; ".join(f"{name}: {value}" for name, value in chosen.items()).replace("|", "/")
        row = {name: one[name] for name in ("release", "suite", "split")}
        yield {**row, "chosen": said or "all", "rows": f"{one['rows']:,}"}


def _sets(fingerprint: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [one for one in fingerprint.get("sets", ()) if "release" in one]


def _general(fingerprint: Mapping[str, Any]) -> str:
    some = [one for one in fingerprint.get("sets", ()) if "release" not in one]
    return ", ".join(f"`{one['path']}` ({one['rows']:,} conversations)" for one in some)


def _unpinned(release: str) -> str:
    """Without the commit behind a repository's name: the Hub links names alone."""
    found = named(release)
    return found[0] if found else release


def _scores(run: RunFolder) -> dict[str, float]:
    """Numbers taken at the end that say how good the model is; speed, tokens and entropy stay in `metrics.json`."""
    return {
        name.removeprefix("eval_"): value
        for name, value in run.metrics["last"].items()
        if name.startswith("eval_") and isinstance(value, int | float) and tells_of_the_model(name)
    }


def _passed_on(one: SourceUse) -> str:
    if not one.refused:
        return "yes"
    return f"{', '.join(one.refused)} not" + (f": {one.overridden}" if one.overridden else ", as far as is known")


def _terms(sources: Sequence[SourceUse]) -> str:
    """What the data's licences ask, in a sentence or two."""
    names = sorted({name for one in sources for name in one.licences})
    said = [f"The data stand under {', '.join(terms_of(name).name for name in names)}."] if names else []
    if any(one.noncommercial for one in sources):
        said.append("Some of it forbids commercial use; keep to that with the model too.")
    if any(one.share_alike for one in sources):
        said.append("Some of it asks that changed copies come under the same licence.")
    return " ".join(said)


def _reasons(sources: Sequence[SourceUse], reason: str | None) -> Iterator[str]:
    if reason and any(one.refused for one in sources):
        yield f"Passed on though the rights above are in doubt, because: {reason}"


def _machine(facts: Mapping[str, Any]) -> str:
    kinds = [f"{one['count']} × {one['name']} ({one['memory_gib']} GiB)" for one in facts["accelerators"]]
    processes = facts["processes"]
    return f"Made by {processes} process{'es' if processes > 1 else ''} on {', '.join(kinds) or 'processors alone'}."


@cache
def _template() -> Any:
    package = __package__ or "medloom.train.fitting"
    environment = Environment(
        loader=PackageLoader(package, "templates"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, not HTML
    )
    environment.globals["code"] = lambda words: f"`{words}`"
    return environment.get_template("model_card.md.jinja")
