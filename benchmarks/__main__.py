"""`make bench`: every benchmark in one run, as ratios; absolute times of a shared machine mean nothing."""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
from importlib import import_module
from pathlib import Path

PARTS = {
    "build": "building.throughput",
    "scaling": "building.scaling",
    "memory": "memory.flatness",
    "read": "reading.speed",
    "load": "loading.speed",
    "hub": "loading.from_the_hub",
    "select": "selecting.speed",
    "duplicates": "duplicates.recall",
    "neighbours": "duplicates.neighbours",
    "ask": "asking.speed",
    "ask-memory": "asking.flatness",
    "explore": "exploring.first_view",
    "training-data": "training_data.ratio_to_decoding",
    "training-step": "training_step.share_of_a_step",
    "training-rate": "training_rate.against_trl",
    "compositional": "compositional.table",
}


def main() -> None:
    """Spawned workers import this file again, so it imports what it measures only here."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", default=list(PARTS), help=f"some of {', '.join(PARTS)}")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    arguments = parser.parse_args()
    machine = {"python": platform.python_version(), "cores": len(os.sched_getaffinity(0)), "machine": platform.machine()}
    results: dict[str, object] = {"machine": machine}
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.parts:
            module, function = PARTS[name].split(".")
            results[name] = rows = getattr(import_module(f"benchmarks.{module}"), function)(Path(folder))
            if not arguments.json:
                print(f"\n{name}")
                for row in rows:
                    print(f"  {row['what']:<58} {row['ratio']:>7.2f}  {row.get('note', '')}", flush=True)
    print(json.dumps(results, indent=2) if arguments.json else f"\n{machine}")


if __name__ == "__main__":
    main()
