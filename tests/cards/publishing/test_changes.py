"""What CHANGELOG.md tells of two versions."""

from __future__ import annotations

from typing import Any

from medloom.cards.publishing.changes import TITLE, Contents, changelog, changes, entry


def recipe(
    name: str, train: int, *, digest: str = "a", mode: str | None = None, shards: tuple[str, ...] = ("s",)
) -> dict[str, Any]:
    listed = [{"path": f"data/{name}/{shard}", "sha256": shard} for shard in shards]
    plain = {"facts": {"name": name}, "splits": {"train": train, "test": 2}, "content_sha256": digest, "shards": listed}
    return plain | ({"published": {"mode": mode, "shards": []}} if mode else {})


def suite(name: str, questions: int) -> dict[str, Any]:
    return {"suite": {"name": name}, "questions": questions, "files": [{"sha256": str(questions)}]}


OLD = Contents([recipe("a", 10), recipe("b", 20), recipe("c", 5)], [suite("medmat", 7), suite("gmai", 1)])
NEW = Contents(
    [recipe("a", 12, digest="x", shards="st"), recipe("b", 20, mode="annotations"), recipe("d", 1000)],
    [suite("medmat", 9), suite("mimoseg", 3)],
)


def test_every_change_has_its_line():
    assert (
        entry(OLD, NEW, "2.0")
        == """\
## 2.0

1,038 samples of 3 sources; before, 41 of 3.

| source | change | samples before | samples now | train | validation | test |
|---|---|---:|---:|---:|---:|---:|
| `a` | 1 of 2 shards changed | 12 | 14 | 12 | 0 | 2 |
| `b` | published as annotations alone, before as a whole | 22 | 22 | 20 | 0 | 2 |
| `c` | removed | 7 | – | – | – | – |
| `d` | added | – | 1,002 | 1,000 | 0 | 2 |

- Questions `gmai`: removed.
- Questions `medmat`: 9, before 7.
- Questions `mimoseg`: added, 3.
"""
    )


def test_the_first_version_says_that_it_is_the_first():
    assert "First version: 12 samples of 1 source.\n" in entry(Contents(), Contents([recipe("a", 10)]), "1.0")
    index = changes(Contents([recipe("a", 10)]), Contents([recipe("a", 10, digest="b")]))
    assert [one.what for one in index] == ["shards as before, index changed"]


def test_nothing_new_is_no_entry_and_entries_stand_once_newest_first():
    assert entry(OLD, OLD, "2.0") == ""
    first = changelog("", entry(Contents(), OLD, "1.0"))
    assert first.startswith(TITLE)
    second = changelog(first, entry(OLD, NEW, "2.0"))
    assert second.index("## 2.0") < second.index("## 1.0")
    assert changelog(second, entry(OLD, NEW, "2.0")) == second == changelog(second, "")
