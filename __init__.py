"""MedLoom weaves public medical-imaging datasets into vision-language training and evaluation data.

`medloom.load(release)` opens a release, local or on the Hub, as a `datasets` object; everything else is a verb of the
command line (`medloom --help`). Importing this module imports nothing else.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .schema.load import load as load

__version__ = "0.1.0"
__all__ = ["__version__", "load"]


def __getattr__(name: str) -> Any:
    if name == "load":
        from .schema.load import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
