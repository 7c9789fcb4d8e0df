"""Distributions as bar charts: PNG files that are the same bytes for the same numbers.

Bars are stacked by split in three colours of Okabe and Ito (2008), longest first, with their totals in figures, so that a
small bar beside a large one can still be read. Nothing of the user's own matplotlib settings has a say.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ...schema.sample import SPLITS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_BARS = 20
WIDTH_INCHES, BAR_INCHES, EDGE_INCHES, DPI = 8.0, 0.27, 1.0, 120
COLOURS = {"train": "#0072B2", "validation": "#E69F00", "test": "#CC79A7"}
MOST_LETTERS = 38
Counted = Mapping[str, Mapping[str, int]]
"""Name → split → samples."""


def plot(counted: Counted, *, title: str) -> bytes:
    """The chart as PNG bytes."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    bars = _bars(counted)
    with matplotlib.rc_context(dict(matplotlib.rcParamsDefault)):
        figure = Figure(figsize=(WIDTH_INCHES, EDGE_INCHES + BAR_INCHES * max(len(bars), 2)), dpi=DPI, layout="constrained")
        _draw(figure.add_subplot(), bars)
        figure.suptitle(title, fontsize=11, x=0.01, ha="left")
        if figure.axes[0].containers:
            figure.legend(fontsize=8, frameon=False, loc="outside upper right", ncols=len(SPLITS))
        stream = io.BytesIO()
        FigureCanvasAgg(figure).print_png(stream, metadata={"Software": None}, pil_kwargs={"optimize": True})
    return stream.getvalue()


def _bars(counted: Counted) -> dict[str, Mapping[str, int]]:
    """The longest bars, and one for all others together; a bar alone is never hidden behind `others`."""
    names = list(counted)
    shown, hidden = (names, []) if len(names) <= MOST_BARS + 1 else (names[:MOST_BARS], names[MOST_BARS:])
    bars = {_short(name): counted[name] for name in shown}
    if hidden:
        rest = {split: sum(counted[name].get(split, 0) for name in hidden) for split in SPLITS}
        bars[f"{len(hidden)} others together"] = rest
    return bars


def _draw(axes: Axes, bars: Mapping[str, Mapping[str, int]]) -> None:
    splits = [split for split in SPLITS if any(bar.get(split) for bar in bars.values())]
    places, starts = range(len(bars)), [0] * len(bars)
    for split in splits:
        lengths = [bar.get(split, 0) for bar in bars.values()]
        axes.barh(places, lengths, left=starts, color=COLOURS[split], label=split, height=0.72)
        starts = [start + length for start, length in zip(starts, lengths, strict=True)]
    for place, total in zip(places, starts, strict=True):
        axes.annotate(f"{total:,}", (total, place), xytext=(4, 0), textcoords="offset points", va="center", fontsize=8)
    axes.set_yticks(places, list(bars), fontsize=9, parse_math=False)
    axes.invert_yaxis()
    axes.margins(x=0.1, y=0.01)
    axes.set_xlabel("samples", fontsize=9)
    axes.tick_params(axis="x", labelsize=8)
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_locator(_whole())
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _whole():
    from matplotlib.ticker import MaxNLocator

    return MaxNLocator(nbins=6, integer=True)


def _short(name: str) -> str:
    return name if len(name) <= MOST_LETTERS else name[: MOST_LETTERS - 1] + "…"
