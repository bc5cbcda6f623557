"""Axes of fixed size, legends that keep clear of the data, and drawing of one catalogue's curve."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import AutoMinorLocator, FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from . import style

LEFT, RIGHT, BOTTOM, TOP = 0.60, 0.08, 0.42, 0.10  # inches
CORNERS = ("upper right", "lower left", "upper left", "lower right", "lower center", "upper center")


def axes_stack(heights, width=style.COLUMN):
    """A figure with panels of the given heights (inches) under each other and one x axis."""
    total = sum(heights) + BOTTOM + TOP
    figure = Figure(figsize=(width, total))
    panels, top = [], total - TOP
    for height in heights:
        top -= height
        box = (LEFT / width, top / total, (width - LEFT - RIGHT) / width, height / total)
        panels.append(figure.add_axes(box, sharex=panels[0] if panels else None))
    for panel in panels[:-1]:
        panel.tick_params(labelbottom=False)
    figure.align_ylabels(panels)
    return figure, panels


def plain_number(value, _=None):
    """A tick label without exponent where that is short."""
    if 1e-3 <= abs(value) < 1e4:
        return f"{value:g}"
    power = int(np.floor(np.log10(value) + 1e-9))
    factor = round(value / 10.0**power)
    return rf"$10^{{{power}}}$" if factor == 1 else rf"${factor}\times10^{{{power}}}$"


def log_ticks(axis, limits):
    """Decades, or 1, 2, 5 times a power of ten where the axis spans too little for decades."""
    decades = abs(np.log10(limits[1] / limits[0]))
    axis.set_minor_locator(LogLocator(subs=np.arange(2, 10), numticks=99))
    axis.set_minor_formatter(NullFormatter())
    if decades < 1.6:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=9))
        axis.set_major_formatter(FuncFormatter(plain_number))
    else:
        axis.set_major_locator(LogLocator(numticks=8))


def ticks(axes):
    """Major and minor ticks that suit the limits, on every scale."""
    for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
        if axis.get_scale() == "log":
            log_ticks(axis, limits)
        else:
            axis.set_minor_locator(AutoMinorLocator())


def inner_ticks(axes, number=5):
    """Round ticks of y that keep away from the rim, where the labels of the panel above stand."""
    low, high = axes.get_ylim()
    places = MaxNLocator(number, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
    margin = 0.07 * (high - low)
    axes.set_yticks([place for place in places if low + margin * (low != 0) <= place <= high - margin])


class Panel:
    """Axes that remember what was drawn, so that the legend can be put where nothing is."""

    def __init__(self, axes):
        self.axes = axes
        self.ink = []

    def scale(self, log_x, log_y):
        self.axes.set_xscale("log" if log_x else "linear")
        self.axes.set_yscale("log" if log_y else "linear")

    def remember(self, x, y):
        good = np.isfinite(x) & np.isfinite(y)
        if self.axes.get_yscale() == "log":
            good &= y > 0
        if good.any():
            self.ink.append((x[good], y[good]))

    def line(self, x, y, look, error=None, label=None, marker=True):
        """A line with markers and thin error bars."""
        self.axes.plot(x, y, color=look["color"], linestyle=look["linestyle"],
                       marker=(look["marker"] or None) if marker else None, markersize=2.6,
                       markeredgewidth=0, zorder=look["zorder"], label=label,
                       linewidth=look.get("linewidth", 1.1))
        self.remember(x, y)
        if error is not None:
            low, high = y - error, y + error
            if self.axes.get_yscale() == "log":
                low = np.where(low > 0, low, y * 1e-3)
            self.axes.vlines(x, low, high, color=look["color"], linewidth=0.7, zorder=look["zorder"] - 0.5)
            self.remember(x, high)
            self.remember(x, low)

    def band(self, x, low, high, color, alpha, label=None, zorder=1):
        """A filled band between two curves; no edge, so that bands may overlap."""
        good = np.isfinite(low) & np.isfinite(high)
        self.axes.fill_between(x[good], low[good], high[good], color=color, alpha=alpha, linewidth=0,
                               label=label, zorder=zorder)
        self.remember(x, low)
        self.remember(x, high)

    def points_on_screen(self):
        """Everything drawn, in axes coordinates, with lines filled in between the points."""
        clouds = [np.empty((0, 2))]
        for x, y in self.ink:
            xy = self.axes.transAxes.inverted().transform(self.axes.transData.transform(np.column_stack((x, y))))
            clouds.append(xy)
            if len(xy) > 1:
                steps = np.linspace(0, 1, 24)[:, None, None]
                clouds.append((xy[:-1] + steps * (xy[1:] - xy[:-1])).reshape(-1, 2))
        return np.concatenate(clouds)

    def legend(self, **options):
        """Put the legend into a corner free of data; when there is none, make room above."""
        handles, _ = self.axes.get_legend_handles_labels()
        if not handles:
            return
        figure = self.axes.figure
        for attempt in range(12):
            cloud = self.points_on_screen()
            for corner in CORNERS:
                legend = self.axes.legend(loc=corner, **options)
                box = legend.get_window_extent(figure.canvas.get_renderer())
                x0, y0, x1, y1 = box.transformed(self.axes.transAxes.inverted()).extents
                inside = ((cloud[:, 0] > x0 - 0.02) & (cloud[:, 0] < x1 + 0.02)
                          & (cloud[:, 1] > y0 - 0.03) & (cloud[:, 1] < y1 + 0.03))
                if not inside.any():
                    return
            low, high = self.axes.get_ylim()
            if self.axes.get_yscale() == "log":
                self.axes.set_ylim(low, high * (high / low) ** 0.08)
            else:
                self.axes.set_ylim(low, high + 0.08 * (high - low))

    def marks_beyond(self, x, y, look):
        """Small triangles at the rim for points outside the panel, so that none is lost unseen."""
        low, high = self.axes.get_ylim()
        for outside, place, marker in ((y > high, high, "^"), (y < low, low, "v")):
            if outside.any():
                self.axes.plot(x[outside], np.full(outside.sum(), place), marker=marker, linestyle="none",
                               color=look["color"], markersize=3.2, markeredgewidth=0, clip_on=False,
                               zorder=8)


def zoom(panel, values, smallest, largest, around=1.0):
    """Set symmetric limits around a value that hold nine tenths of the points."""
    spread = np.abs(np.concatenate(values) - around) if values else np.array([])
    spread = spread[np.isfinite(spread)]
    half = 1.35 * np.percentile(spread, 90) if len(spread) else smallest
    half = min(max(half, smallest), largest)
    panel.axes.set_ylim(around - half, around + half)
