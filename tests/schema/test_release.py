"""A release folder: its README's header as `datasets` needs it, and versions that follow the content."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from datasets import get_dataset_config_names, get_dataset_split_names, load_dataset_builder

from medloom.schema.errors import ReleaseError
from medloom.schema.record import features
from medloom.schema.release import DEFAULT, Release, content_version, work_folder


def written(root: Path, *recipes: dict[str, Any]) -> Release:
    """A release folder that holds recipes alone."""
    (root / "recipes").mkdir(parents=True)
    for recipe in recipes:
        (root / "recipes" / f"{recipe['facts']['name']}.json").write_text(json.dumps(recipe))
    release = Release(root)
    release.write_readme(root / "x.tmp")
    return release


def recipe(name: str = "one", *, shards: list[dict[str, Any]] | None = None, **facts: Any) -> dict[str, Any]:
    told = {"name": name, "homepage": "https://example.org", "licence": "CC-BY-4.0", "access": "open", "group_kind": "image"}
    stated = [shard(f"data/{name}/train-00000-of-00001.tar")] if shards is None else shards
    subsets = sorted({subset for one in stated for subset in one["subsets"]})
    return {
        "facts": told | facts,
        "options": {"limit": None},
        "splits": {"train": 3},
        "counts": {"excluded": {"pixels-in-test": 2, "group-in-test": 1}},
        "subsets": dict.fromkeys(subsets, 3),
        "shards": stated,
    }


def shard(path: str, *subsets: str, split: str = "train", sha256: str = "ab") -> dict[str, Any]:
    return {"path": path, "split": split, "subsets": list(subsets or ("ct-lung-x",)), "samples": 3, "sha256": sha256}


def test_datasets_reads_the_header(marked: Path):
    release = Release.open(marked)
    assert set(get_dataset_config_names(str(marked))) == set(release.configs())
    for config, splits in release.configs().items():
        assert get_dataset_split_names(str(marked), config) == list(splits)
        builder = load_dataset_builder(str(marked), config)
        assert builder.info.features == features()
        version = next(one["version"] for one in release.header()["configs"] if one["config_name"] == config)
        assert str(builder.config.version) == version


def test_only_splits_and_subsets_that_exist_are_listed(tmp_path: Path):
    shards = [
        shard("data/one/a+b/train-00000-of-00001.tar", "a", "b"),
        shard("data/one/a/test-00000-of-00001.tar", "a", split="test"),
    ]
    header = written(tmp_path / "r", recipe(shards=shards)).header()
    listed = {one["config_name"]: {f["split"]: f["path"] for f in one["data_files"]} for one in header["configs"]}
    both = {"train": ["data/one/a+b/train-*.tar"], "test": ["data/one/a/test-*.tar"]}
    assert listed == {DEFAULT: both, "one": both, "a": both, "b": {"train": ["data/one/a+b/train-*.tar"]}}
    assert [one.get("default") for one in header["configs"]] == [True, None, None, None]


def test_versions_follow_content_and_nothing_else(tmp_path: Path):
    def versions(name: str, *recipes: dict[str, Any]) -> dict[str, str]:
        return {one["config_name"]: one["version"] for one in written(tmp_path / name, *recipes).header()["configs"]}

    first = versions("a", recipe())
    assert versions("b", recipe(title="another title")) == first
    changed = versions("c", recipe(shards=[shard("data/one/train-00000-of-00001.tar", sha256="cd")]))
    assert all(changed[name] != first[name] for name in first)
    both = versions("d", recipe(), recipe("two", shards=[shard("data/two/train-00000-of-00001.tar", "mic-cell-y")]))
    assert (both["one"], both["ct-lung-x"]) == (first["one"], first["ct-lung-x"])
    assert both[DEFAULT] != first[DEFAULT]


def test_a_version_is_three_numbers():
    parts = content_version([shard("x.tar")]).split(".")
    assert len(parts) == 3
    assert all(part.isdigit() for part in parts)


@pytest.mark.parametrize(
    ("licences", "stated"),
    [
        (("CC-BY-4.0",), "cc-by-4.0"),
        (("CC0-1.0", "CC0-1.0"), "cc0-1.0"),
        (("CC-BY-4.0", "CC0-1.0"), "other"),
        (("LicenseRef-research-only",), "other"),
    ],
)
def test_the_licence_is_one_that_the_hub_knows(tmp_path: Path, licences: tuple[str, ...], stated: str):
    made = [recipe(f"source{number}", licence=licence) for number, licence in enumerate(licences)]
    assert written(tmp_path / "r", *made).header()["license"] == stated


def test_the_table_counts_the_excluded_and_names_limits(tmp_path: Path):
    limited = recipe("two") | {"options": {"limit": 5}}
    text = written(tmp_path / "r", recipe(), limited).readme()
    assert "| [one](https://example.org) | CC-BY-4.0 | open | image | 3 | 0 | 0 | 3 |" in text
    assert "Limited builds, not the whole source: two." in text


def test_yaml_is_what_the_header_says(tmp_path: Path):
    release = written(tmp_path / "r", recipe())
    assert yaml.safe_load(release.readme().split("---\n")[1]) == release.header()


def test_a_release_without_a_sample_has_no_config(tmp_path: Path):
    release = written(tmp_path / "r", recipe(shards=[]))
    assert release.header()["configs"] == []
    assert Release.open(tmp_path / "r").recipe("absent") is None


@pytest.mark.parametrize("there", [(), ("README.md",), ("recipes",)])
def test_what_is_no_release(tmp_path: Path, there: tuple[str, ...]):
    for name in there:
        (tmp_path / name).mkdir() if name == "recipes" else (tmp_path / name).touch()
    with pytest.raises(ReleaseError, match="medloom build"):
        Release.open(tmp_path)


def test_the_work_folder_lies_beside_the_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    root = tmp_path / "my.release"
    (root / "recipes").mkdir(parents=True)
    (root / "README.md").touch()
    expected = tmp_path / "my.release.work"
    assert Release.open(root).work == work_folder(root) == work_folder(root / "recipes" / "..") == expected
    monkeypatch.chdir(root)
    assert work_folder(Path()) == Release(Path()).work == expected
    assert work_folder(tmp_path / "not-yet") == tmp_path / "not-yet.work"
    (tmp_path / "link").symlink_to(root)
    assert work_folder(tmp_path / "link") == expected
