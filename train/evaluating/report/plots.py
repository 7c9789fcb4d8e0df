"""Plots of a report: PNG bytes that are the same for the same numbers, in colours of Okabe and Ito (2008).

No meaning hangs on colour alone: marks differ in form, bars in hatching, and every plot comes with its numbers.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH_INCHES, ROW_INCHES, EDGE_INCHES, DPI = 9.0, 0.26, 1.15, 110
BLUE, ORANGE, GREEN, PINK, SKY, RUST, BLACK = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000"
BARS = (
    (BLUE, ""), (ORANGE, "//"), (GREEN, "xx"), (PINK, ".."), (SKY, "\\\\"), (RUST, "++"), ("#F0E442", "oo"),
    ("#999999", ""), ("#CCCCCC", "//"), (SKY, "xx"), ("#444444", ""),
)  # fmt: skip
"""Fills in turn, and their hatching: no two alike."""
MOST_LETTERS = 40


@dataclass(frozen=True, slots=True)
class Estimate:
    """A row of a forest plot."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    few: bool = False
    """Too few to lean on: the mark is hollow."""
    chance: float | None = None
    human: float | None = None
    heading: bool = False
    """The first row of a group of its own."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A share before and after, and how often an answer changed."""

    name: str
    before: float
    after: float
    flips: Estimate


def forest(rows: Sequence[Estimate], *, label: str, zero: bool = False) -> bytes:
    """Values with their intervals, chance levels and human bounds beside them; around a line at 0 where `zero`."""
    return _png(len(rows), lambda figure: _forest(figure.add_subplot(), rows, label=label, zero=zero))


def stacked(bars: Mapping[str, Mapping[str, int]], *, known: Sequence[str], label: str) -> bytes:
    """What each bar consists of, in shares; its count stands behind its name.

    Args:
        bars: The counts of each.
        known: All that a bar may consist of, so that each always has the same fill and place.
        label: Of the axis.
    """
    return _png(len(bars) + 1, lambda figure: _stacked(figure.add_subplot(), bars, known, label=label))


def dumbbells(rows: Sequence[Pair], *, label: str) -> bytes:
    """Left the shares before and after, right how often answers changed."""

    def draw(figure: Figure) -> None:
        left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
        _pairs(left, rows, label=label)
        _flips(right, rows)
        left.invert_yaxis()

    return _png(len(rows) + 1, draw)


def _png(rows: int, draw: Callable[[Figure], None]) -> bytes:
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context({**matplotlib.rcParamsDefault, "hatch.linewidth": 0.6}):
        figure = Figure(figsize=(WIDTH_INCHES, EDGE_INCHES + ROW_INCHES * max(rows, 2)), dpi=DPI, layout="constrained")
        draw(figure)
        if figure.legends or figure.axes[0].get_legend_handles_labels()[0]:
            figure.legend(fontsize=8, frameon=False, loc="outside upper right", ncols=6)
        stream = io.BytesIO()
        FigureCanvasAgg(figure).print_png(stream, metadata={"Software": None})
    return stream.getvalue()


def _forest(axes: Axes, rows: Sequence[Estimate], *, label: str, zero: bool) -> None:
    for few, name in ((False, "value and interval"), (True, "value and interval, few questions or groups")):
        places = [place for place, one in enumerate(rows) if one.few is few]
        if places:
            face = "white" if few else BLUE
            axes.plot([rows[place].value for place in places], places, "o", ms=6, mec=BLUE, mfc=face, label=name, zorder=3)
    for place, one in enumerate(rows):
        if one.low is not None and one.high is not None:
            axes.plot([one.low, one.high], [place, place], color=BLUE, linewidth=1.6, zorder=2)
        if one.heading and place:
            axes.axhline(place - 0.5, color="#bbbbbb", linewidth=0.8)
    _marks(axes, rows, "chance", "|", RUST)
    _marks(axes, rows, "human", "D", GREEN)
    if zero:
        axes.axvline(0, color=BLACK, linewidth=1)
    else:
        axes.set_xlim(min(-0.02, *(one.low or 0.0 for one in rows)), max(1.02, *(one.value for one in rows)))
    _named(axes, [one.name for one in rows], label)
    axes.invert_yaxis()


def _marks(axes: Axes, rows: Sequence[Estimate], what: str, form: str, colour: str) -> None:
    points = [(getattr(one, what), place) for place, one in enumerate(rows) if getattr(one, what) is not None]
    if points:
        name = {"chance": "chance", "human": "other observers"}[what]
        size = {"|": 13, "D": 6}[form]
        axes.plot(*zip(*points, strict=True), form, ms=size, mew=2, mec=colour, mfc="none", label=name, zorder=4)


def _stacked(axes: Axes, bars: Mapping[str, Mapping[str, int]], known: Sequence[str], *, label: str) -> None:
    totals = [sum(bar.values()) for bar in bars.values()]
    starts = [0.0] * len(bars)
    for number, part in enumerate(known):
        if not any(part in bar for bar in bars.values()):
            continue
        lengths = [bar.get(part, 0) / total if total else 0.0 for bar, total in zip(bars.values(), totals, strict=True)]
        fill, hatch = BARS[number % len(BARS)]
        axes.barh(range(len(bars)), lengths, left=starts, color=fill, hatch=hatch, edgecolor="white", label=part, height=0.7)
        starts = [start + length for start, length in zip(starts, lengths, strict=True)]
    _named(axes, [f"{name} ({total:,})" for name, total in zip(bars, totals, strict=True)], label)
    axes.set_xlim(0, 1)
    axes.invert_yaxis()


def _pairs(axes: Axes, rows: Sequence[Pair], *, label: str) -> None:
    for place, one in enumerate(rows):
        axes.plot([one.before, one.after], [place, place], color="#999999", linewidth=1.6, zorder=1)
    places = range(len(rows))
    axes.plot([one.before for one in rows], places, "o", ms=7, mec=BLUE, mfc="white", mew=1.6, label="as it stands", zorder=2)
    axes.plot([one.after for one in rows], places, "D", ms=6, color=ORANGE, label="changed", zorder=3)
    _named(axes, [one.name for one in rows], label)
    axes.set_xlim(-0.02, 1.02)


def _flips(axes: Axes, rows: Sequence[Pair]) -> None:
    axes.plot([one.flips.value for one in rows], range(len(rows)), "s", ms=6, color=RUST, label="answer changed", zorder=2)
    for place, one in enumerate(rows):
        if one.flips.low is not None and one.flips.high is not None:
            axes.plot([one.flips.low, one.flips.high], [place, place], color=RUST, linewidth=1.6)
    _plain(axes, "share of answers that changed")
    axes.set_xlim(-0.02, 1.02)
    axes.tick_params(axis="y", length=0)


def _named(axes: Axes, names: Sequence[str], label: str) -> None:
    axes.set_yticks(range(len(names)), [_short(name) for name in names], fontsize=9, parse_math=False)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.tick_params(axis="y", length=0)
    _plain(axes, label)


def _plain(axes: Axes, label: str) -> None:
    axes.set_xlabel(label, fontsize=9)
    axes.tick_params(axis="x", labelsize=8)
    axes.grid(axis="x", color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _short(name: Any) -> str:
    printable = "".join(letter if letter.isprintable() else " " for letter in str(name))
    return printable if len(printable) <= MOST_LETTERS else printable[: MOST_LETTERS - 1] + "…"
