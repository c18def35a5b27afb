# Copyright (c) 2026 The apsaravideo.live authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Figures of the benchmark, as Markdown tables and as a plot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Figures:
    """The figures of one way to start recordings; rates are in calls/s, times in seconds, memory in bytes."""

    label: str
    streams: int
    call_rate: float  # at the server, between the first and the last call
    seconds: float  # of the whole command
    first_call: float  # after the command began
    densest_second: int | None
    calls: int
    throttled: int | None
    cpu: float
    peak_memory: int | None
    recording: int
    measured: bool = True
    call_rates: tuple[float, ...] = ()  # of all rounds, of which this is the median

    @property
    def stream_rate(self) -> float:
        """Return the streams per second of the whole command."""
        return self.streams / self.seconds

    def extrapolate(self, streams: int) -> Figures:
        """Return figures for more streams, each of which costs as much as one that was measured."""
        more = streams - self.streams
        return replace(
            self,
            streams=streams,
            calls=streams,
            recording=streams,
            seconds=self.seconds + more / self.call_rate,
            cpu=self.cpu * streams / self.streams,
            densest_second=None,
            throttled=None,
            peak_memory=None,
            measured=False,
        )


@dataclass(frozen=True)
class Target:
    """A figure and the lower or upper bound that the collection should keep."""

    what: str
    figure: float
    at_least: float | None = None
    at_most: float | None = None

    def cells(self) -> list[Any]:
        """Return a row of a table: the subject, the figure, the bound, their ratio, and whether the bound is kept."""
        bound = self.at_least if self.at_most is None else self.at_most
        side = "at least" if self.at_most is None else "at most"
        ratio = f"{self.figure / bound:.2f}" if bound else None
        reached = self.figure >= (self.at_least or 0) and (self.at_most is None or self.figure <= self.at_most)
        return [self.what, self.figure, f"{side} {bound:g}", ratio, "yes" if reached else "no"]


@dataclass(frozen=True)
class Table:
    """A table of texts, numbers, and None for a dash, with the targets of its figures."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Any]]
    note: str = ""
    targets: Sequence[Target] = ()

    def markdown(self) -> str:
        """Return the table as Markdown."""
        lines = [self.head, ["---"] * len(self.head), *([_cell(cell) for cell in row] for row in self.rows)]
        body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return f"\n### {self.title}\n\n{body}\n" + (f"\n{self.note}\n" if self.note else "")


def targets_table(title: str, tables: Iterable[Table]) -> Table:
    """Return a table of the targets of all tables."""
    rows = [target.cells() for table in tables for target in table.targets]
    return Table(title, ["", "figure", "target", "ratio", "reached"], rows)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
    return str(value)


def median(rounds: Sequence[Figures]) -> Figures:
    """Return the round with the median rate."""
    ordered = sorted(rounds, key=lambda figures: figures.call_rate)
    return replace(ordered[len(ordered) // 2], call_rates=tuple(figures.call_rate for figures in ordered))


def compare_table(found: Iterable[Figures], streams: int, quota: int, targets: Sequence[Target] = ()) -> Table:
    """Return a table of all ways for one number of streams."""
    ways = [figures for figures in found if figures.streams == streams]
    ours = ways[0]
    rows = [
        [
            figures.label + ("" if figures.measured else " *"),
            figures.call_rate,
            f"{min(figures.call_rates):.1f} to {max(figures.call_rates):.1f}" if figures.measured else None,
            f"{100 * figures.call_rate / quota:.0f} %",
            figures.stream_rate,
            figures.seconds,
            figures.first_call,
            figures.densest_second,
            figures.throttled,
            figures.cpu,
            figures.peak_memory / 2**20 if figures.peak_memory else None,
            figures.recording if figures.measured else None,
            f"{ours.call_rate / figures.call_rate:.2f}",
        ]
        for figures in ways
    ]
    head = [
        "",
        "streams/s, first to last call",
        "in all rounds",
        "of the quota",
        "streams/s, whole command",
        "seconds",
        "until first call, s",
        "most calls in a second",
        "throttled",
        "CPU seconds",
        "peak memory, MiB",
        "recording",
        "the first row is faster by",
    ]
    note = "" if all(figures.measured for figures in ways) else "\\* extrapolated from 100 streams."
    return Table(f"{streams} streams", head, rows, note, targets)


def seconds_table(title: str, seconds: Iterable[int], counts: Iterable[int]) -> Table:
    """Return a table of the calls in each second."""
    return Table(title, ["second", *map(str, seconds)], [["calls", *counts]])


def plot(found: Sequence[Figures], quota: int, file: Path) -> None:
    """Plot the streams/s of each way, and the seconds until all streams are recorded."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "apsaravideo.live", "font.size": 9})
    labels = list(dict.fromkeys(figures.label for figures in found))
    figure, (bars, lines) = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
    for label in labels:
        ways = [figures for figures in found if figures.label == label]
        name = label.replace("`", "")
        best = max((figures for figures in ways if figures.measured), key=lambda figures: figures.streams)
        column = bars.barh(name, best.call_rate)
        bars.bar_label(column, [f"{best.call_rate:.1f}"], padding=3)
        (line,) = lines.plot([ways[0].streams], [ways[0].seconds], "o-", label=name)
        for earlier, later in zip(ways, ways[1:]):
            style, fill = ("-", line.get_color()) if later.measured else ("--", "white")
            times = [earlier.seconds, later.seconds]
            lines.plot([earlier.streams, later.streams], times, style, color=line.get_color(), zorder=1)
            lines.plot(later.streams, later.seconds, "o", color=line.get_color(), markerfacecolor=fill)
    bars.invert_yaxis()
    bars.axvline(quota, color="black", linestyle=":", zorder=0)
    bars.set(xlabel="streams/s at the server (dotted: quota)", xlim=(0, quota * 1.15))
    lines.set(
        xscale="log", yscale="log", xlabel="streams (dashed: extrapolated)", ylabel="seconds of the whole command"
    )
    lines.legend(fontsize=7)
    figure.savefig(file, metadata={"Date": None})
