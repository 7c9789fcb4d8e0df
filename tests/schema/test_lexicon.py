"""The lexicon against a plain reading of the same leaves in Python, and what a condition may and may not do."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medloom.schema.errors import ReleaseError, UsageError
from medloom.schema.index import ANNOTATIONS, annotation_table, sample_table
from medloom.schema.lexicon import LEVELS, Branch, Lexicon
from medloom.schema.sample import SPLITS

PM, EYE, N = "Pulmonary Medicine", "Ophthalmology", "Neurosurgery"


@dataclass(frozen=True)
class Leaf:
    """One label state (granularity image) or annotation of a picture."""

    label: str | None
    state: str | None = "present"
    area: str = "lung"
    task: str = "disease-classification"
    clinical_task: str = "Disease Diagnosis"
    departments: tuple[str, ...] = (PM,)
    granularity: str = "image"

    @property
    def subset(self) -> str:
        return f"ct-{self.area}-{self.task}"

    def values(self, field: str) -> tuple[str | None, ...]:
        return self.departments if field == "department" else (getattr(self, field),)


@dataclass(frozen=True)
class Picture:
    """A sample of a drawn release; without leaves it has the one of its own triplet."""

    source: str
    number: int
    split: str = "train"
    modality: str = "CT"
    modality_detail: str | None = None
    leaves: tuple[Leaf, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.source}-{self.number * 2654435761 % 2**32:016x}"

    @property
    def known(self) -> tuple[Leaf, ...]:
        return self.leaves or (Leaf(None, None, area="brain", task="unlabelled", clinical_task="None", departments=("None",)),)

    def sample_row(self) -> dict[str, Any]:
        def every(field: str) -> list[str]:
            return sorted({str(value) for leaf in self.known for value in leaf.values(field)})

        excluded = self.split == "excluded"
        return {
            "key": self.key,
            "source": self.source,
            "split": self.split,
            "shard": None if excluded else f"data/{self.source}/{self.split}-{self.number % 2}.tar",
            "image_offset": None if excluded else 1000 - self.number,
            "modality": self.modality,
            "modality_detail": self.modality_detail,
            "areas": every("area"),
            "tasks": every("task"),
            "subsets": every("subset"),
            "clinical_tasks": every("clinical_task"),
            "departments": every("department"),
            "granularities": sorted({"image", *every("granularity")}),
            "labels_present": sorted({str(leaf.label) for leaf in self.leaves if leaf.state == "present"}),
            "labels": len({leaf.label for leaf in self.leaves}),
            "width_px": self.number,
        }

    def annotation_rows(self) -> Iterator[tuple[Any, ...]]:
        for leaf in self.leaves if self.split != "excluded" else ():
            row = {name: getattr(leaf, name, None) for name in ANNOTATIONS.names} | {"key": self.key, "split": self.split}
            yield tuple(row[name] for name in ANNOTATIONS.names)


def written(root: Path, pictures: list[Picture], *, sources: tuple[str, ...] = ()) -> Path:
    """A release with the index of the pictures, in the order given, and nothing else."""
    (root / "recipes").mkdir(parents=True)
    (root / "README.md").touch()
    for source in {*sources, *(picture.source for picture in pictures)}:
        (root / f"recipes/{source}.json").write_text("{}")
        (root / f"index/{source}").mkdir(parents=True)
        mine = [picture for picture in pictures if picture.source == source]
        annotations = annotation_table([row for picture in mine for row in picture.annotation_rows()])
        pq.write_table(sample_table([picture.sample_row() for picture in mine]), root / f"index/{source}/samples.parquet")
        pq.write_table(annotations, root / f"index/{source}/annotations.parquet")
    return root


LEAVES = st.builds(
    Leaf,
    label=st.sampled_from(("lung cancer", "lung opacity", "kidney", "a word of mine")),
    state=st.sampled_from(("present", "absent", "uncertain")),
    area=st.sampled_from(("lung", "chest", "eye")),
    task=st.sampled_from(("disease-classification", "lung-segmentation")),
    clinical_task=st.sampled_from(("Disease Diagnosis", "Bone")),
    departments=st.sampled_from(((PM,), (PM, N), (EYE,))),
    granularity=st.just("image"),
)


@st.composite
def pictures(draw: st.DrawFn) -> list[Picture]:
    """Pictures whose leaves are as a build makes them: annotations beside the state of the same label."""
    found = []
    for number in range(draw(st.integers(0, 14))):
        states = draw(st.lists(LEAVES, max_size=3, unique_by=lambda leaf: leaf.label))
        marks = [
            replace(leaf, granularity=kind)
            for leaf in states
            for kind in draw(st.lists(st.sampled_from(("box", "mask")), max_size=2))
        ]
        split = draw(st.sampled_from((*SPLITS, "excluded")))
        modality = draw(st.sampled_from((("CT", None), ("CT", "CTA"), ("MRI", "T1"), ("X-ray", None))))
        source = draw(st.sampled_from(("one", "two")))
        found.append(Picture(source, number, split, *modality, (*states, *marks)))
    return draw(st.permutations(found))


MEANT = {
    "modality": {"CT": {"CT", "CTA"}, "CTA": {"CTA"}, "MR": {"MRI", "T1"}, "X-ray": {"X-ray"}},
    "split": {"train": {"train"}, "test": {"test"}},
    "source": {"one": {"one"}, "Two": {"two"}},
    "area": {"chest": {"chest", "lung"}, "lung": {"lung"}, "eye": {"eye"}, "brain": {"brain"}},
    "task": {"unlabelled": {"unlabelled"}, "lung segmentation": {"lung-segmentation"}},
    "subset": {
        "ct-eye-disease-classification": {"ct-eye-disease-classification"},
        "ct-brain-unlabelled": {"ct-brain-unlabelled"},
    },
    "clinical_task": {"DD": {"Disease Diagnosis"}, "Bone": {"Bone"}},
    "department": {"PM": {PM}, "Neurosurgery": {N}, "O": {EYE}, "N/A": {"None"}},
    "granularity": {"image": {"image"}, "bbox": {"box"}, "mask": {"mask"}},
    "label": {"lung cancer": {"lung cancer"}, "Kidneys": {"kidney"}, "pulmonary opacity": {"lung opacity"}},
    "state": {"present": {"present"}, "absent": {"absent"}, "uncertain": {"uncertain"}},
}
"""Word → the values of the drawn pictures that it stands for."""
WORDS = st.fixed_dictionaries(
    {}, optional={field: st.lists(st.sampled_from(sorted(words)), min_size=1, max_size=2) for field, words in MEANT.items()}
).filter(lambda words: len(words) < 5)


def leaves_of(picture: Picture, words: Mapping[str, list[str]]) -> list[Leaf]:
    """The leaves that meet all conditions at once; none where the sample as a whole doesn't."""
    meant = {field: set().union(*(MEANT[field][word] for word in some)) for field, some in words.items()}
    if "label" in meant:
        meant.setdefault("state", {"present"})
    if picture.split not in meant.pop("split", set(SPLITS)) or picture.source not in meant.pop("source", {picture.source}):
        return []
    modality = meant.pop("modality", None)
    if modality is not None and not modality & {picture.modality, picture.modality_detail}:
        return []
    return [leaf for leaf in picture.known if all(values & set(leaf.values(field)) for field, values in meant.items())]


def values_of(picture: Picture, leaf: Leaf, level: str, words: Mapping[str, list[str]]) -> list[str | None]:
    """What a leaf is at a level: of several departments only those that are asked for, of a label only a stated one."""
    if hasattr(picture, level):
        return [getattr(picture, level)]
    if level == "label" and "state" not in words and leaf.state != "present":
        return []
    asked = set().union(*(MEANT[level][word] for word in words[level])) if level == "department" and level in words else None
    return [value for value in leaf.values(level) if asked is None or value in asked]


def tree_of(some: list[Picture], levels: tuple[str, ...], words: Mapping[str, list[str]]) -> dict[tuple[str | None, ...], int]:
    """Path → distinct samples, by walking every leaf."""
    found: Counter[tuple[str | None, ...]] = Counter()
    for picture in some:
        paths: set[tuple[str | None, ...]] = set()
        for leaf in leaves_of(picture, words):
            front: set[tuple[str | None, ...]] = {()}
            paths |= front
            for level in levels:
                front = {(*path, value) for path in front for value in values_of(picture, leaf, level, words)}
                front = {path for path in front if not (level == "label" and path[-1] is None)}
                paths |= front
        found.update(paths)
    return dict(found)


def flat(branch: Branch, path: tuple[str | None, ...] = ()) -> Iterator[tuple[tuple[str | None, ...], int]]:
    yield path, branch.count
    for child in branch.children:
        yield from flat(child, (*path, child.value))


MANY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])


@MANY
@given(pictures(), st.lists(WORDS, min_size=1, max_size=5))
def test_a_selection_is_what_a_plain_reading_finds(some: list[Picture], every: list[dict[str, list[str]]]):
    with tempfile.TemporaryDirectory() as folder:
        lexicon = Lexicon.open(written(Path(folder) / "r", some, sources=("one", "two")), threads=2)
        for words in every:
            chosen = lexicon.of(words)
            wanted = [picture for picture in some if leaves_of(picture, words)]
            order = sorted(wanted, key=lambda one: (one.source, str(one.sample_row()["shard"]), -one.number))
            assert list(chosen.keys()) == [picture.key for picture in order]
            assert chosen.count() == len(wanted) == chosen.rows().num_rows
            assert chosen.counts("split", "source") == Counter((one.split, one.source) for one in wanted)
            assert lexicon.of(words, where="true").count() == len(wanted)
            narrow = lexicon.of(words, where="width_px % 2 = 0 OR key IN (SELECT key FROM samples WHERE width_px = 1)")
            assert set(narrow.keys()) == {one.key for one in wanted if one.number % 2 == 0 or one.number == 1}


@MANY
@given(pictures(), WORDS, st.permutations(LEVELS), st.integers(0, 4))
def test_a_tree_is_what_a_plain_reading_counts(some: list[Picture], words: dict, levels: list[str], depth: int):
    absent = {"collection", "licence", "group_kind"}
    chosen = tuple(level for level in levels if level not in absent)[:depth]
    with tempfile.TemporaryDirectory() as folder:
        root = Lexicon.open(written(Path(folder) / "r", some, sources=("one", "two"))).of(words).tree(chosen)
    wanted = tree_of(some, chosen, words)
    assert dict(flat(root)) == (wanted or {(): 0})


CASES = [
    Picture(
        "one", 1, leaves=(Leaf("lung cancer"), Leaf("kidney", departments=(N,)), Leaf("kidney", "present", granularity="mask"))
    ),
    Picture("one", 2, "test", leaves=(Leaf("lung opacity"), Leaf("lung opacity", granularity="mask"))),
    Picture("one", 3, "excluded", leaves=(Leaf("lung opacity"), Leaf("lung opacity", granularity="mask"))),
    Picture("two", 4, modality="MRI", modality_detail="T1"),
    Picture("two", 5, leaves=(Leaf("a word of mine", "absent", departments=(N,)),)),
]


@pytest.fixture(scope="module")
def lexicon(tmp_path_factory: pytest.TempPathFactory) -> Lexicon:
    return Lexicon.open(written(tmp_path_factory.mktemp("cases") / "r", CASES, sources=("bare",)))


def numbers(lexicon: Lexicon, **words: Any) -> set[int]:
    return set(lexicon.select(**words).rows(("width_px",))["width_px"].to_pylist())


def test_three_lines_of_python(lexicon: Lexicon):
    chosen = lexicon.select(modality="CT", department="Pulmonary Medicine", granularity="mask")
    assert (chosen.count(), chosen.counts("split")) == (2, {("test",): 1, ("train",): 1})
    assert list(chosen.keys()) == [CASES[1].key, CASES[0].key]


def test_conditions_hold_on_one_leaf_not_here_and_there(lexicon: Lexicon):
    assert numbers(lexicon, label="kidney", granularity="mask", department=N) == set()
    assert numbers(lexicon, label="kidney", department=N) == {1}


def test_excluded_samples_come_only_when_asked_for(lexicon: Lexicon):
    assert numbers(lexicon) == {1, 2, 4, 5}
    assert numbers(lexicon, split=["excluded", "test"], label="lung opacity", granularity="mask") == {2, 3}
    assert lexicon.select(split="excluded").rows(("shard",))["shard"].to_pylist() == [None]
    with pytest.raises(UsageError, match="split 'excluded' with a state; expected present"):
        lexicon.select(split="excluded", state="absent")
    with pytest.raises(UsageError, match="levels department, label of excluded samples"):
        lexicon.select(split="excluded").tree(("department", "label"))
    assert lexicon.select(split="excluded").tree(("split", "department")).as_json()["children"][0]["count"] == 1


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ({"subset": "Med-MAT 03"}, set()),
        ({"modality": "MR-T1"}, {4}),
        ({"task": "Disease Diagnosis"}, {1, 2, 5}),
        ({"label": "a word of mine"}, set()),
        ({"label": "A-WORD-OF-MINE", "state": "absent"}, {5}),
        ({"label": "lung opacity"}, {2}),
        ({"label": "glaucoma"}, set()),
        ({"state": ["absent", "uncertain"]}, {5}),
        ({"department": []}, set()),
        ({"where": "labels = 0"}, {4}),
        ({"where": "list_contains(departments, 'Neurosurgery') -- a remark"}, {1, 5}),
        ({"where": "EXISTS (SELECT 1 FROM annotations a WHERE a.key = samples.key AND a.granularity = 'mask')"}, {1, 2}),
        ({"where": "width_px = (SELECT max(width_px) FROM samples)"}, {5}),
        (
            {"where": "width_px = (SELECT max(width_px) FROM samples)", "source": "one", "department": N, "label": "kidney"},
            set(),
        ),
        ({"where": "split = 'excluded'"}, set()),
    ],
)
def test_words_and_conditions(lexicon: Lexicon, words: dict, wanted: set[int]):
    assert numbers(lexicon, **words) == wanted


def test_narrower_labels_count(tmp_path: Path):
    pictures = [Picture("one", 1, leaves=(Leaf("ground-glass opacity"),)), Picture("one", 2, leaves=(Leaf("lung opacity"),))]
    lexicon = Lexicon.open(written(tmp_path / "r", pictures))
    assert numbers(lexicon, label="lung opacity") == {1, 2}
    assert numbers(lexicon, label="GGO") == {1}


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("true) OR (true", "Parser Error"),
        ("true; DROP VIEW samples", "more than one statement"),
        ("true /*", "Parser Error"),
        ("true LIMIT 1", "Parser Error"),
        ("", "Parser Error"),
        ("width_px", "its value is BIGINT; expected a condition"),
        ("widht_px > 3", "Candidate bindings: .*width_px.*the columns are key, source"),
        ("count(*) > 1", "cannot contain aggregates"),
        ("key = $1", "parameters"),
        ("key IN (SELECT content FROM read_text('{secret}'))", "Permission Error"),
        ("key IN (SELECT content FROM '{secret}')", "Permission Error"),
        ("key IN (SELECT file FROM glob('{folder}/*'))", "Permission Error"),
        ("key IN (SELECT key FROM CASES)", "CASES does not exist"),
        ("CAST(key AS INTEGER) > 1", "Conversion Error"),
        ("regexp_matches(key, '(')", "missing \\)"),
    ],
)
def test_a_condition_that_is_none_or_reaches_out(lexicon: Lexicon, tmp_path: Path, where: str, said: str):
    (tmp_path / "secret.csv").write_text("key\n1\n")
    asked = where.format(secret=tmp_path / "secret.csv", folder=tmp_path)
    with pytest.raises(UsageError, match=said):
        list(lexicon.select(where=asked).keys())
    with pytest.raises(UsageError, match=said):
        lexicon.select(where=asked).tree(("department", "label"))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda one: one.select(split="dev"), "split 'dev' is unknown; expected one of train, validation, test, excluded"),
        (lambda one: one.select(source="oen"), "source 'oen' is nowhere in this release; expected a word such as 'one'"),
        (lambda one: one.select(label="a wrod of mine"), "expected a word such as 'a word of mine'"),
        (lambda one: one.of({"colour": "red"}), "select by 'colour'; expected one of"),
        (lambda one: one.select().tree(("modality", "colour")), "level 'colour'; expected one of modality"),
        (lambda one: one.select().tree(("label", "label")), "level 'label' stands twice"),
        (lambda one: one.select().rows(("colour",)), "column 'colour'; expected one of key"),
    ],
)
def test_what_is_not_there(lexicon: Lexicon, call: Callable[[Lexicon], Any], said: str):
    with pytest.raises(UsageError, match=said):
        call(lexicon)


def test_what_each_condition_finds_alone(lexicon: Lexicon):
    assert lexicon.alone({"department": N, "modality": "MRI"}, where="false") == {"department": 2, "modality": 1, "where": 0}


def test_answers_stream_side_by_side(lexicon: Lexicon):
    whole, part = (list(lexicon.select(source=source).keys()) for source in (None, "two"))
    one, other = lexicon.select().keys(), lexicon.select(source="two").keys()
    assert [next(one), next(other), *one, *other] == [whole[0], part[0], *whole[1:], *part[1:]]


def test_a_release_without_sources(tmp_path: Path):
    empty = Lexicon.open(written(tmp_path / "r", []))
    assert (empty.select().count(), list(empty.select(label="lung opacity", department="PM").keys())) == (0, [])
    assert empty.select(where="labels > 0").tree() == Branch("", None, 0)
    with pytest.raises(UsageError, match="source 'one' is nowhere in this release; the release has none"):
        empty.select(source="one")


def test_an_index_that_is_missing_broken_or_old(tmp_path: Path):
    root = written(tmp_path / "r", CASES)
    samples = root / "index/two/samples.parquet"
    pq.write_table(pq.read_table(samples).drop_columns(["departments"]), samples)
    with pytest.raises(ReleaseError, match="expected an index that can be read"):
        Lexicon.open(root).select(department="PM").count()
    samples.write_bytes(b"no parquet")
    with pytest.raises(ReleaseError, match="expected an index that can be read"):
        Lexicon.open(root).select().count()
    samples.unlink()
    with pytest.raises(ReleaseError, match=r"samples\.parquet: no such file; expected the index of two"):
        Lexicon.open(root).select().count()


def test_what_does_not_fit_into_memory_goes_to_disk_and_is_cleared_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """600,000 rows of long names with 128 MB: sorted by way of the disk."""
    import duckdb

    temp, root = tmp_path / "temp", written(tmp_path / "r", [], sources=("one",))
    temp.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temp))
    names = "'one-' || lpad((i * 7919 % 600000)::VARCHAR, 200, '0') AS key, 'one' AS source, 'train' AS split"
    rows = f"SELECT {names}, 'data/' || key AS shard, i AS image_offset FROM range(600000) t(i)"
    duckdb.sql(f"COPY ({rows}) TO '{root}/index/one/samples.parquet' (FORMAT parquet, ROW_GROUP_SIZE 4096)")
    lexicon = Lexicon.open(root, threads=1, memory="128MB")
    last, spilled = "", 0
    for batch in lexicon.select().batches(("key",)):
        keys = batch["key"].to_pylist()
        assert last < keys[0]
        assert keys == sorted(keys)
        last, spilled = keys[-1], max(spilled, sum(path.stat().st_size for path in temp.rglob("*") if path.is_file()))
    assert spilled > 1 << 20
    del lexicon
    assert list(temp.iterdir()) == []


def test_too_little_memory_is_said(lexicon: Lexicon):
    with pytest.raises(UsageError, match=r"1MB of memory is too little.*memory="):
        list(replace(lexicon, memory="1MB").select(department="PM", granularity="mask").keys())


def test_importing_costs_nothing():
    code = "import sys, medloom.schema.lexicon; print([name for name in ('duckdb', 'pyarrow', 'numpy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
