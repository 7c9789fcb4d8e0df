"""The files of the page: ours, the plotting library's bundle, and the headers that keep everything at home."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from ...schema.errors import UsageError

TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
POLICY = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'"
"""Nothing comes from elsewhere. Plotly places its labels by style elements, hence the one exception."""
HEADERS = {
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",
}


@cache
def page_files() -> dict[str, tuple[bytes, str]]:
    """Name → contents and media type of every file of the page."""
    found = sorted((Path(__file__).parent / "page").iterdir())
    return {path.name: (path.read_bytes(), TYPES[path.suffix]) for path in found if path.suffix in TYPES}


def plotly() -> Path:
    """Where the installed Plotly package keeps its bundle for browsers.

    Raises:
        UsageError: it isn't installed.
    """
    spec = find_spec("plotly")
    path = Path(spec.origin).parent / "package_data" / "plotly.min.js" if spec is not None and spec.origin else None
    if path is None or not path.is_file():
        raise UsageError("the explorer draws with Plotly; expected the package plotly; install 'medloom[explore]'")
    return path
