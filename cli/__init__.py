"""The verbs of the command line. Each imports the room it needs when it runs, so that `medloom --help` is instant."""

from . import asking, building, citing, duplicates, exploring, gating, labels, looking, reviewing, selecting, words, writing
from .app import app, main

__all__ = [
    "app",
    "asking",
    "building",
    "citing",
    "duplicates",
    "exploring",
    "gating",
    "labels",
    "looking",
    "main",
    "reviewing",
    "selecting",
    "words",
    "writing",
]
