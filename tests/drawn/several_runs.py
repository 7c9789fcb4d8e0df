"""Runs of `medloom train sft` one after another in one process, so that the libraries are loaded once; for `runs.Run`.

argv: what all runs are told, then `--then` and what is told besides, for each. Exit codes: `codes-RANK.json` beside the run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from medloom.train import sft

THEN = "--then"


def main(argv: Sequence[str]) -> None:
    common, *besides = _told(argv)
    codes = [_code([*common, *more]) for more in besides]
    beside = Path(common[common.index("--output_dir") + 1]).parent
    (beside / f"codes-{os.environ.get('RANK', '0')}.json").write_text(json.dumps(codes))


def _told(argv: Sequence[str]) -> Iterator[list[str]]:
    for then, words in groupby(argv, lambda word: word == THEN):
        if not then:
            yield list(words)


def _code(argv: list[str]) -> int | str | None:
    try:
        sft.main(argv)
    except SystemExit as ended:
        return ended.code
    return 0
