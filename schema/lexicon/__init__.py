"""The lexical tree of a release, and the selection of any part of it, over the Parquet index.

    chosen = Lexicon.open("release").select(modality="CT", department="Pulmonary Medicine", granularity="mask")
    chosen.count(), chosen.counts("split", "source"), chosen.tree(("modality", "department", "label"))
    keys = list(chosen.keys())

Importing this costs nothing: DuckDB is loaded by the first question.
"""

from .asked import FIELDS
from .selection import PLACE, Lexicon, Selection
from .tree import DEFAULT as DEFAULT_LEVELS
from .tree import LEVELS, Branch

__all__ = ["DEFAULT_LEVELS", "FIELDS", "LEVELS", "PLACE", "Branch", "Lexicon", "Selection"]
