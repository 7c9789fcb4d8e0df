"""The verbs of the command line. Each imports the room it needs when it runs, so that `medloom --help` is instant."""

from . import (
    asking,
    building,
    carding,
    citing,
    duplicates,
    evaluating,
    exploring,
    gating,
    labels,
    living,
    looking,
    publishing,
    rebuilding,
    reviewing,
    selecting,
    words,
    writing,
)
from .app import app, main

__all__ = [
    "app",
    "asking",
    "building",
    "carding",
    "citing",
    "duplicates",
    "evaluating",
    "exploring",
    "gating",
    "labels",
    "living",
    "looking",
    "main",
    "publishing",
    "rebuilding",
    "reviewing",
    "selecting",
    "words",
    "writing",
]
