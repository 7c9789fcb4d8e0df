"""The table of docs/vocabularies.md is what the mapping says."""

from __future__ import annotations

from pathlib import Path

import medloom
from medloom.schema.clinical_tasks import CLINICAL_TASKS
from medloom.schema.systems import clinical
from medloom.schema.triplet import BROAD_TASKS, TASKS

PAGE = Path(medloom.__file__).parent / "docs" / "vocabularies.md"


def test_the_page_maps_each_clinical_task_as_the_code_does():
    rows = [line.strip("| ").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    printed = {row[0]: row[1:] for row in rows if row[0] in {term.name for term in CLINICAL_TASKS}}
    assert printed == {
        term.name: [
            "; ".join(TASKS[code].name for code in BROAD_TASKS if term.code in clinical.of_branch(code).codes) or "–",
            " ".join(one.number for one in clinical.subsets_of(term.code)) or "–",
        ]
        for term in CLINICAL_TASKS
        if not term.ours
    }
