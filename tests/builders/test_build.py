"""Builds of a small source: the same bytes however they come about, and clear ends."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from medloom.builders.build import Options, build, dry_run
from medloom.schema.check_release import check
from medloom.schema.errors import RawRootError, ResumeError, TooManyBadUnits, UsageError
from medloom.schema.load import load
from medloom.schema.release import Release


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder by its relative path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def codes(report: dict) -> dict[str, int]:
    return {row["code"]: row["count"] for row in report["issues"]}


def test_a_build_is_whole_and_checked(tiny):
    report = build(tiny.spec, tiny.raw, tiny.release, options=Options())
    assert report["counts"]["samples"] == report["counts"]["units"] == 80
    assert set(report["splits"]) == {"train", "validation", "test"}
    assert check(tiny.release)["faults"] == []
    assert json.loads((tiny.folder / "release.work/tiny/build-report.json").read_text()) == report


@pytest.mark.parametrize("workers", [2, 3])
def test_workers_do_not_change_a_byte(tiny, workers: int):
    build(tiny.spec, tiny.raw, tiny.release, options=Options())
    other = tiny.folder / "other"
    build(tiny.spec, tiny.raw, other, options=Options(workers=workers))
    assert contents(other) == contents(tiny.release)


def test_small_shards_hold_the_same_samples(tiny):
    build(tiny.spec, tiny.raw, tiny.release, options=Options(shard_bytes=20_000))
    assert len(list(tiny.release.rglob("*.tar"))) > 6
    assert check(tiny.release)["faults"] == []


def test_a_finished_build_is_not_built_again(tiny):
    first = build(tiny.spec, tiny.raw, tiny.release, options=Options())
    before = {path: path.stat().st_mtime_ns for path in tiny.release.rglob("*")}
    assert build(tiny.spec, tiny.raw, tiny.release, options=Options()) == first
    assert {path: path.stat().st_mtime_ns for path in tiny.release.rglob("*")} == before


def test_a_lost_shard_is_built_again(tiny):
    build(tiny.spec, tiny.raw, tiny.release, options=Options())
    before = contents(tiny.release)
    next(tiny.release.rglob("*.tar")).unlink()
    build(tiny.spec, tiny.raw, tiny.release, options=Options())
    assert contents(tiny.release) == before


def test_other_options_need_fresh_and_replace_the_source_whole(tiny):
    build(tiny.spec, tiny.raw, tiny.release, options=Options())
    with pytest.raises(ResumeError, match=r"options\.limit \(null, now 12\).*--fresh"):
        build(tiny.spec, tiny.raw, tiny.release, options=Options(limit=12))
    report = build(tiny.spec, tiny.raw, tiny.release, options=Options(limit=12, fresh=True))
    assert report["counts"]["samples"] == 12
    assert check(tiny.release)["faults"] == []
    assert "Limited builds, not the whole source: tiny" in (tiny.release / "README.md").read_text()


def test_changed_raw_files_are_named(tiny):
    build(tiny.spec, tiny.raw, tiny.release, options=Options())
    shutil.copy(tiny.raw / "red/cell 01.png", tiny.raw / "red/cell 99.png")
    with pytest.raises(ResumeError, match=r"raw_files\.count \(80, now 81\)"):
        build(tiny.spec, tiny.raw, tiny.release, options=Options())


def test_two_sources_in_any_order_make_one_release(tiny):
    second = tiny.folder / "second.py"
    second.write_text(Path(tiny.spec).read_text().replace('"tiny"', '"second"'))
    for release, order in (("ab", (tiny.spec, str(second))), ("ba", (str(second), tiny.spec))):
        for spec in order:
            build(spec, tiny.raw, tiny.folder / release, options=Options())
    assert contents(tiny.folder / "ab") == contents(tiny.folder / "ba")
    assert Release.open(tiny.folder / "ab").sources == ["second", "tiny"]
    together = load(tiny.folder / "ab", "mic-cell-cell-type", split="test")
    assert len(together) == sum(len(load(tiny.folder / "ab", source, split="test")) for source in ("second", "tiny"))


def test_broken_files_are_counted_and_then_stop_the_build(tiny):
    (tiny.raw / "red/cell 00.jpg").write_bytes(b"")
    (tiny.raw / "red/cell 01.png").write_bytes((tiny.raw / "red/cell 01.png").read_bytes()[:200])
    (tiny.raw / "white/cell 03.png").write_bytes(b"no picture at all")
    report = build(tiny.spec, tiny.raw, tiny.release, options=Options())
    assert codes(report) == {"unreadable": 3}
    assert report["counts"] | {"excluded": {}} == {"units": 80, "failed": 3, "samples": 77, "excluded": {}}
    before = contents(tiny.release)
    for number in range(4, 8):
        (tiny.raw / f"red/cell {number:02d}.{'png' if number % 2 else 'jpg'}").write_bytes(b"no picture")
    with pytest.raises(TooManyBadUnits, match=r"7 of 80 units.*8\.8%.*5\.0%.*--max-bad-share"):
        build(tiny.spec, tiny.raw, tiny.release, options=Options(fresh=True))
    assert contents(tiny.release) == before
    assert codes(json.loads((tiny.folder / "release.work/tiny/build-report.json").read_text())) == {"unreadable": 7}
    build(tiny.spec, tiny.raw, tiny.release, options=Options(max_bad_share=0.1))
    assert check(tiny.release)["faults"] == []


def test_identical_pixels_never_cross_splits(tiny):
    for number in range(40):
        Image.open(tiny.raw / "red/cell 01.png").save(tiny.raw / "red" / f"copy {number}.png", compress_level=1)
    report = build(tiny.spec, tiny.raw, tiny.release, options=Options())
    assert sum(report["counts"]["excluded"].values()) > 0
    assert set(report["counts"]["excluded"]) <= {"pixels-in-test", "pixels-in-validation"}
    assert check(tiny.release)["faults"] == []


def test_a_private_salt_moves_keys_but_no_split(tiny):
    salt = tiny.folder / "salt"
    salt.write_bytes(b"0123456789abcdef-secret")
    build(tiny.spec, tiny.raw, tiny.release, options=Options())
    build(tiny.spec, tiny.raw, tiny.folder / "private", options=Options(salt_file=salt))
    public, private = (
        {row["json"]["provenance"]["pixel_sha256"]: (row["__key__"], split) for split in rows for row in rows[split]}
        for rows in (load(tiny.release), load(tiny.folder / "private"))
    )
    assert {pixels: split for pixels, (_, split) in public.items()} == {p: split for p, (_, split) in private.items()}
    assert not {key for key, _ in public.values()} & {key for key, _ in private.values()}
    assert "secret" not in (tiny.folder / "private/recipes/tiny.json").read_text()


def test_a_dry_run_writes_nothing(tiny):
    report = dry_run(tiny.spec, tiny.raw, options=Options())
    assert (report["units"], report["groups"], report["layout"]) == (80, 80, "folders")
    assert sorted(path.name for path in tiny.folder.iterdir()) == ["raw", "tiny.py"]


def test_a_second_build_at_the_same_time_is_refused(tiny):
    from medloom.builders.workspace import locked

    with locked(tiny.release), pytest.raises(UsageError, match="another build"):
        build(tiny.spec, tiny.raw, tiny.release, options=Options())


def test_a_foreign_raw_root_says_what_is_missing(tiny):
    empty = tiny.folder / "empty"
    empty.mkdir()
    with pytest.raises(RawRootError, match=r"'folders'.*0 files; expected at least 1 \(pictures\).*example\.org"):
        build(tiny.spec, empty, tiny.release, options=Options())


def test_a_unit_that_ends_its_worker_is_left_out(tiny):
    text = Path(tiny.spec).read_text().replace("SOURCE = Source(", "import os, signal\nSOURCE = Source(pictures=crash,", 1)
    crash = """
def crash(unit, raw, reading, report):
    from medloom.builders.formats.raster import read as pictures
    if unit.files[0].endswith("cell 05.png"):
        os.kill(os.getpid(), signal.SIGKILL)
    return pictures([raw.path(file) for file in unit.files], reading=reading, report=report)
"""
    text = text.replace("import os, signal\n", "import os, signal\n" + crash).replace('reader="raster"', 'reader="own"')
    Path(tiny.spec).write_text(text)
    report = build(tiny.spec, tiny.raw, tiny.release, options=Options(workers=2))
    assert codes(report) == {"crash": 2}
    assert report["counts"]["samples"] == 78
