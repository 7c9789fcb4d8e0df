"""Accuracy by the number of training samples: points, a CSV file, and a picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Point:
    """One size of one curve."""

    series: str
    size: int
    mean: float
    sd: float | None


def curves(target: Mapping[str, Any]) -> list[Point]:
    """The points of a target's report, by series and size; none where no sizes were planned."""
    found: dict[tuple[str, int], Point] = {}
    for row in target["comparisons"]:
        if row["size"] is None:
            continue
        for series, side in ((row["condition"], row["arm"]), (row["condition_against"], row["against"])):
            found[series, row["size"]] = Point(series, row["size"], side["mean"], side["sd"])
    return [found[key] for key in sorted(found)]


def rows_of(points: Sequence[Point]) -> Iterator[str]:
    """Lines of CSV."""
    yield "series,samples,mean,sd\n"
    for one in points:
        yield f"{one.series},{one.size},{one.mean:.6f},{'' if one.sd is None else f'{one.sd:.6f}'}\n"


def draw(points: Sequence[Point], path: Path, *, title: str, untrained: float | None) -> None:
    """The curves as a PNG file, with bars of one standard deviation over seeds."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), layout="constrained")
    canvas, axes = FigureCanvasAgg(figure), figure.add_subplot()
    for series in dict.fromkeys(one.series for one in points):
        some = [one for one in points if one.series == series]
        bars = [one.sd or 0.0 for one in some]
        axes.errorbar([one.size for one in some], [one.mean for one in some], bars, marker="o", capsize=3, label=series)
    if untrained is not None:
        axes.axhline(untrained, color="grey", linestyle=":", label="untrained")
    axes.set(title=title, xlabel="samples (of the target, where it is trained on)", ylabel="accuracy", ylim=(-0.02, 1.02))
    axes.legend(fontsize="small")
    canvas.print_png(str(path))
