"""What a dataset repository of the Hub can hold.

The limits are those of the Hub's documentation, page "Storage limits", section "Repository limitations and recommendations"
(https://huggingface.co/docs/hub/storage-limits): no folder may have more than 10 000 entries and no file more than 500 GB;
fewer than 100 000 files per repository and files below 200 GB are recommended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from ...schema.release import Release
from .verdict import MOST_PLACES, Level, Verdict

ENTRIES_PER_FOLDER = 10_000
FILES = 100_000
FILE_BYTES, LARGE_FILE_BYTES = 500 * 10**9, 200 * 10**9
_verdict = partial(Verdict, gate="integrity", source=None)


def limits(release: Release) -> list[Verdict]:
    """What the Hub can't hold, or shouldn't; that it can, where there is nothing of the kind."""
    sizes = {path.relative_to(release.root).as_posix(): path.stat().st_size for path in _files(release.root)}
    entries = Counter(folder for folder in _folders(release.root))
    return [*_too_many(len(sizes), entries), *_too_large(sizes)] or [_fits(sizes, entries)]


def _files(root: Path) -> Iterator[Path]:
    return (path for path in root.rglob("*") if path.is_file())


def _folders(root: Path) -> Iterator[str]:
    """The folder of every file and folder, relative to the root."""
    return (path.parent.relative_to(root).as_posix() for path in root.rglob("*"))


def _too_many(files: int, entries: Counter[str]) -> Iterator[Verdict]:
    crowded = sorted(folder for folder, count in entries.items() if count > ENTRIES_PER_FOLDER)
    if crowded:
        yield _verdict(
            code="folder-too-full",
            level=Level.REFUSE,
            found=f"{entries[crowded[0]]:,} entries in {crowded[0]}",
            expected=f"at most {ENTRIES_PER_FOLDER:,}, which the Hub refuses to exceed",
            next="build with larger shards (--shard-mib)",
            count=len(crowded),
            where=tuple(crowded[:MOST_PLACES]),
        )
    if files > FILES:
        yield _verdict(
            code="many-files",
            level=Level.WARN,
            found=f"{files:,} files",
            expected=f"fewer than {FILES:,}, as the Hub recommends",
            next="build with larger shards (--shard-mib), or publish several repositories",
            count=files,
        )


def _too_large(sizes: dict[str, int]) -> Iterator[Verdict]:
    step = "build with smaller shards (--shard-mib)"
    for code, level, least, most in (
        ("file-too-large", Level.REFUSE, FILE_BYTES, float("inf")),
        ("large-file", Level.WARN, LARGE_FILE_BYTES, FILE_BYTES),
    ):
        large = sorted(path for path, size in sizes.items() if least < size <= most)
        if large:
            found, expected = f"{large[0]} has {sizes[large[0]] / 1e9:.0f} GB", f"at most {least // 10**9} GB, as the Hub says"
            yield _verdict(
                code=code,
                level=level,
                found=found,
                expected=expected,
                next=step,
                count=len(large),
                where=tuple(large[:MOST_PLACES]),
            )


def _fits(sizes: dict[str, int], entries: Counter[str]) -> Verdict:
    fullest = max(entries.values(), default=0)
    found = f"{len(sizes):,} files, {sum(sizes.values()) / 1e9:.2f} GB, at most {fullest:,} entries in a folder"
    return _verdict(
        code="within-the-hubs-limits",
        level=Level.PASS,
        found=found,
        expected="what a repository of the Hub can hold",
        next="nothing to do",
        count=len(sizes),
    )
