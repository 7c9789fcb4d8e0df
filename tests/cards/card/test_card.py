"""The card as strangers and machines read it: agreed words, a header that says what shards hold, nothing made up."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml
from datasets import load_dataset
from huggingface_hub import DatasetCard, DatasetCardData
from PIL import Image

from medloom.cards.card.card import card
from medloom.cards.card.facts import gather
from medloom.cards.card.header import size_category
from medloom.cards.card.pages import block, code, escaped, link, page
from medloom.cards.card.pictures import shown
from medloom.cards.card.plots import plot
from medloom.cards.publishing.stage import stage
from medloom.schema.card_digest import KEY, PICTURES, digest_of
from medloom.schema.check_release import check
from medloom.schema.errors import ReleaseError, UsageError
from medloom.schema.gate_overrides import Override, record_overrides
from medloom.schema.published import Mode
from medloom.schema.record import features
from medloom.schema.release import Release

GOLDEN = Path(__file__).parents[1] / "golden"
NAME = "Phantoms | drawn <by> us"


def parts(readme: str) -> tuple[dict[str, Any], str]:
    """YAML and text of a README."""
    _, header, body = readme.split("---\n", 2)
    return yaml.safe_load(header), body


@pytest.mark.parametrize("name", ["README.md", "DATASHEET.md", "LICENSE.md"])
def test_the_words_are_the_golden_ones(carded, name: str) -> None:
    """As last agreed on (`MEDLOOM_GOLDEN=1` writes them anew); digests, which differ with versions, aside."""
    text = carded.text(name)
    if name == "README.md":
        header, body = parts(text)
        for entry in ("configs", "dataset_info", KEY):
            assert header.pop(entry)
        text = f"---\n{yaml.dump(header, sort_keys=False, allow_unicode=True)}---\n{body}"
    text = re.sub(r"<!-- medloom:(\S+) \w{16} -->", r"<!-- medloom:\1 -->", text)
    path = GOLDEN / name
    if os.environ.get("MEDLOOM_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_the_same_release_gives_the_same_bytes_elsewhere_too(carded, tmp_path: Path) -> None:
    shutil.copytree(carded.root, tmp_path / "another name")
    for name in carded.told["files"]:
        (tmp_path / "another name" / name).unlink()
    Release(tmp_path / "another name").write_readme(tmp_path / "README.tmp")
    assert card(Release.open(tmp_path / "another name"), pretty_name=NAME)["files"] == carded.told["files"]


def test_the_header_says_what_the_shards_hold(carded) -> None:
    header, _ = parts(carded.text("README.md"))
    stated = carded.release.header()
    assert [header["configs"], header["dataset_info"]] == [stated["configs"], stated["dataset_info"]]
    assert {str(one["features"]) for one in header["dataset_info"]} == {str(features()._to_yaml_list())}
    assert carded.text("README.md").count("&id001") == 1, "features stand once, behind an anchor"
    for config in ("default", "phantom", "x-ray-chest-disease-classification"):
        rows = load_dataset(str(carded.root), config, split="train")
        assert rows.features == features()
        assert rows[0]["json"]["source"] == "phantom"


def test_the_hubs_own_library_reads_the_header(carded, mixed) -> None:
    data = DatasetCard(carded.text("README.md")).data
    assert isinstance(data, DatasetCardData)
    assert (data.license, data.pretty_name, data.size_categories, data.language) == ("cc0-1.0", NAME, ["n<1K"], ["en"])
    assert data.task_categories == [
        "image-classification",
        "image-segmentation",
        "image-text-to-text",
        "multiple-choice",
        "object-detection",
        "visual-question-answering",
    ]
    several = DatasetCard(mixed.text("README.md")).data
    assert isinstance(several.license, list)
    assert {"mit", "cc-by-4.0", "other"} <= set(several.license)
    assert several["license_link"] == "LICENSE.md"
    assert re.fullmatch(r"[a-z0-9-]+", several["license_name"])


def test_numbers_are_those_of_the_index(carded) -> None:
    table = pq.read_table(carded.release.index_path("phantom"))
    rows = table.filter(pc.not_equal(table["split"], "excluded")).to_pylist()
    facts = gather(carded.release, pretty_name=NAME)
    assert facts.splits == dict(Counter(row["split"] for row in rows))
    assert facts.numbers["samples"] == len(rows)
    assert facts.numbers["groups"] == len({(row["collection"], row["group"]) for row in rows})
    assert facts.numbers["with_sex"] == sum(row["subject_sex"] is not None for row in rows)
    found = {name: sum(splits.values()) for name, splits in facts.distributions["granularity"].items()}
    assert found == Counter(one.capitalize() for row in rows for one in row["granularities"])
    assert dict(facts.labels) == Counter(label for row in rows for label in row["labels_present"])
    regions = pq.read_table(carded.release.index_path("phantom", "annotations"), columns=["annotation", "granularity"])
    kept = [row["granularity"] for row in regions.to_pylist() if row["annotation"] is not None]
    assert facts.numbers["annotations"] == dict(sorted(Counter(kept).items()))


def test_plots_and_picture_are_there_and_show_something(carded) -> None:
    for name in PICTURES:
        with Image.open(carded.root / "card" / f"{name}.png") as picture:
            picture.load()
            assert picture.info.keys() <= {"dpi"}, "no software, no date"
            assert picture.width >= 800
            assert len(picture.convert("RGB").getcolors(1 << 24) or ()) > 20


def test_a_plot_of_many_names_keeps_the_rest_together() -> None:
    many = {
        f"name {number} $x$ and a word that is far too long to stand there": {"train": 100 - number} for number in range(60)
    }
    body = plot(many, title="many")
    assert body == plot(many, title="many")
    assert body != plot(dict(list(many.items())[:59]), title="many")
    assert plot({}, title="nothing").startswith(b"\x89PNG")


def test_names_cannot_break_the_page(carded) -> None:
    _, body = parts(carded.text("README.md"))
    assert "# Phantoms \\| drawn &lt;by> us\n" in body
    assert "<by>" not in body


def test_values_are_escaped_where_they_are_put_in() -> None:
    assert escaped("a|b\n<i>*c*[d](e) `f` & g") == r"a\|b &lt;i>\*c\*\[d\](e) \`f\` &amp; g"
    assert [escaped(12345), escaped(0.5)] == ["12,345", "0.5"]
    assert code("a`b|c") == r"``a`b\|c``"
    assert block("x\n````\ny", "text").startswith("`````text\n")
    assert [link("a]", "https://x.org/(1)"), link("a", "javascript:x")] == [r"[a\]](https://x.org/%281%29)", "a"]
    for value in (None, True, ["a"]):
        with pytest.raises(ReleaseError, match="can't be put"):
            escaped(value)
    with pytest.raises(Exception, match="undefined"):
        page("readme.md.jinja")


@pytest.mark.parametrize(
    ("samples", "words"), [(0, "n<1K"), (1000, "1K<n<10K"), (10**6, "1M<n<10M"), (10**9, "1B<n<10B"), (10**12, "n>1T")]
)
def test_size_categories(samples: int, words: str) -> None:
    assert size_category(samples) == words


def test_the_snippets_run(carded, tmp_path: Path) -> None:
    found = re.findall(r"```python\n(.*?)```", carded.text("README.md"), re.DOTALL)
    assert len(found) == 4
    environment = os.environ | {"HF_HOME": str(tmp_path / "hf"), "PYTHONWARNINGS": "error", "HF_HUB_OFFLINE": "1"}
    for snippet in found:
        script = snippet.replace("PATH_OR_REPO", str(carded.root))
        done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, f"{snippet}\n{done.stderr}"


def test_pictures_show_only_what_may_be_shown(mixed) -> None:
    assert mixed.told["pictures"] == {"sources": ["bccd", "covid_chestxray_boxes"], "withheld": {"kvasir_seg_mini": 5}}
    assert "kvasir_seg_mini 5" in mixed.text("README.md")
    assert "kvasir_seg_mini" in shown(mixed.release, everything=True).sources


def test_an_override_shows_the_pictures_and_stands_in_the_card(mixed, tmp_path: Path) -> None:
    shutil.copytree(mixed.root, tmp_path / "release")
    release = Release.open(tmp_path / "release")
    reason = Override(gate="licence", code="pixels-not-granted", source="kvasir_seg_mini", reason="a letter | of theirs")
    record_overrides(release.root, [reason])
    assert card(release)["pictures"]["withheld"] == {}
    text = (release.root / "README.md").read_text()
    assert r"| licence | `pixels-not-granted` | kvasir_seg_mini | a letter \| of theirs |" in text


def test_regions_are_drawn_only_where_annotations_may_be_passed_on(mixed, tmp_path: Path) -> None:
    shutil.copytree(mixed.root, tmp_path / "release")
    release = Release.open(tmp_path / "release")
    pictures = []
    for fault in ("pixels-not-granted", "annotations-not-granted"):
        record_overrides(release.root, [Override(gate="licence", code=fault, source="kvasir_seg_mini", reason="a letter")])
        pictures.append(shown(release).png)
    assert None not in pictures
    assert pictures[0] != pictures[1]


def test_the_card_of_real_sources_names_what_differs(mixed) -> None:
    _, body = parts(mixed.text("README.md"))
    assert 'load_dataset("some-lab/three-small-sources", split="train")' in body
    assert "https://huggingface.co/datasets/some-lab/three-small-sources/resolve/main/data/bccd/" in body
    assert "**Limited builds**, not the whole source: bccd (the first 10 units)" in body
    assert "split by image: bccd, kvasir_seg_mini" in body
    assert "split by patient: covid_chestxray_boxes" in body
    assert "@inproceedings{jha2020kvasir" in body
    rights = mixed.text("LICENSE.md")
    assert "Samples of it bear licences of their own: CC-BY" in rights
    assert "| unknown |" in rights.split("## kvasir_seg_mini")[1] or "| no |" in rights.split("## kvasir_seg_mini")[1]


def test_a_card_keeps_its_names_when_it_is_made_again(changed) -> None:
    again = card(changed.release)
    assert again["pretty_name"] == NAME
    card(changed.release, repo="some-lab/phantoms")
    assert card(changed.release)["repo"] == "some-lab/phantoms"


def test_withdrawn_samples_are_counted(changed) -> None:
    entries = [{"source": "phantom", "key": key, "group": "g", "reason": "asked"} for key in ("phantom-a", "phantom-b", None)]
    (changed.root / "withdrawn.json").write_text(json.dumps(entries))
    card(changed.release)
    assert "## Withdrawn\n" in changed.text("README.md")
    assert "brings back: phantom 2." in changed.text("README.md")


def test_sources_without_pixels_or_index_are_told(changed) -> None:
    """As a release that is published with a recipe alone."""
    recipe = changed.release.recipe("phantom") or {}
    recipe["published"] = {"mode": "recipe", "shards": [], "keys": "0" * 64}
    changed.release.recipe_path("phantom").write_text(json.dumps(recipe))
    for folder in ("data", "index", "questions"):
        shutil.rmtree(changed.root / folder)
    told = card(changed.release)
    assert told["pictures"]["sources"] == []
    assert [name for name in told["files"] if name.startswith("card/")] == []
    text = changed.text("README.md")
    assert "keys, splits and pixel hashes" in text
    assert "322 medical images" in text
    assert "medloom rebuild" in text
    assert "There is nothing to load before it is rebuilt" in text
    assert "load_dataset(" not in text


def test_records_without_pixels_load_as_the_card_says(carded, tmp_path: Path) -> None:
    staged = stage(carded.release, tmp_path / "staged", modes={"phantom": Mode.ANNOTATIONS})
    text = (staged.root / "README.md").read_text()
    assert "![Samples of" not in text
    assert "everything but pixels" in text
    snippets = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(snippets) == 2
    assert not [one for one in snippets if "image" in one or "medloom" in one]
    rows = load_dataset(str(staged.root), split="train")
    assert rows[0]["image"] is None
    assert rows[0]["json"]["labels"]
    assert codes(staged.root) == []


@pytest.mark.parametrize("repo", ["name", "a/b/c"])
def test_a_repository_has_an_owner_and_a_name(changed, repo: str) -> None:
    with pytest.raises(UsageError, match="expected org/name"):
        card(changed.release, repo=repo)


def codes(root: Path) -> list[str]:
    return [fault["code"] for fault in check(root)["faults"]]


def test_check_passes_with_a_card(carded) -> None:
    assert codes(carded.root) == []


def test_a_plain_readme_beside_a_card_is_stale(changed) -> None:
    changed.release.write_readme(changed.root / "README.tmp")
    assert codes(changed.root) == ["stale-card"]
    card(changed.release)
    assert codes(changed.root) == []


@pytest.mark.parametrize("change", ["overrides.json", "recipes/phantom.json", "questions/medmat/suite.json"])
def test_whatever_a_card_is_made_from_makes_it_stale(changed, change: str) -> None:
    path = changed.root / change
    path.write_text(path.read_text() + "\n" if path.exists() else "[]")
    assert "stale-card" in codes(changed.root)
    assert digest_of(changed.root) != changed.told["card"]


def test_a_release_without_a_card_is_not_stale(built: Callable[[str], tuple[Path, dict[str, Any]]]) -> None:
    assert codes(built("phantom")[0]) == []


def test_memory_and_rows_stay_in_the_database(carded, monkeypatch: pytest.MonkeyPatch) -> None:
    """No column of the index becomes a Python list: `pyarrow` isn't asked for a table."""
    monkeypatch.setattr(pq, "read_table", lambda *_, **__: pytest.fail("read a table"))
    facts = gather(carded.release, pretty_name=NAME)
    assert replace(facts, repo="a/b").samples == 322
    assert shown(carded.release).png is not None
