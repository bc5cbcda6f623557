"""Square pictures: maps of the volume, two-dimensional histograms and correlation matrices.

Each function draws one map of a statistics file and returns a matplotlib figure; figures.py chooses what
is drawn and writes the captions.
"""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm, PowerNorm
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.patheffects import withStroke
from matplotlib.ticker import MaxNLocator, NullLocator

from . import style
from .canvas import ticks


def metrics_of(found, metrics):
    """The metrics that belong to a map: by name, or by the same catalogue, column and sample."""
    for name in (f"{found.catalogue}/{found.name}", f"{found.catalogue}_{found.name}", found.name):
        if name in metrics:
            return metrics[name]
    column = found.attrs.get("column")
    for values in metrics.values():
        same = [values.get(key, "") == found.attrs.get(key, "") for key in ("catalogue", "column", "sample")]
        if column and all(same):
            return values
    return {}


# Metric attributes that stand in a figure: attribute names and how they are written.
METRICS = (
    (("n", "n_row", "count"), "$N$", "{:,.0f}"),
    (("r2", "R2", "r_squared"), "$R^2$", "{:.3f}"),
    (("pearson", "r", "pearson_r"), "$r$", "{:.3f}"),
    (("bias",), "bias", "{:+.3f}"),
    (("rmse", "rms", "scatter"), "rms", "{:.3f}"),
)


def metric_words(values, counts, axis):
    """Entries such as 'R^2 = 0.91' for what is known; errors of logarithms are in dex."""
    found = []
    dex = " dex" if "log10" in axis or values.get("unit") == "dex" else ""
    for names, label, form in METRICS:
        value = next((values[name] for name in names if name in values), None)
        if value is None and label == "$N$":
            value = counts.sum()
        if isinstance(value, (int, float)) and np.isfinite(value):
            text = form.format(value).replace("-", "−")
            text = text.lstrip("+−") if text.strip("+−0.") == "" else text
            found.append(f"{label} = {text}" + (dex if label in ("bias", "rms") else ""))
    return found


def running_percentiles(counts, y_edges, enough=20):
    """16, 50, 84 % of y at each x of a histogram, by linear interpolation inside cells."""
    rows = np.full((len(counts), 3), np.nan)
    for i, column in enumerate(counts):
        total = column.sum()
        if total >= enough:
            cumulative = np.concatenate(([0], np.cumsum(column))) / total
            rows[i] = np.interp((0.16, 0.5, 0.84), cumulative, y_edges)
    return rows.T


def square_axes(above=0.0):
    """Square axes with a colour bar, and room above for a few words (inches)."""
    width, side = style.COLUMN, 2.2
    height = side + 0.54 + above
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.5 / width, 0.42 / height, side / width, side / height))
    bar = figure.add_axes((2.76 / width, 0.42 / height, 0.09 / width, side / height))
    return figure, axes, bar


def finish_square(figure, axes, bar, mesh, found, label, extend="neither"):
    """Labels of a map and its colour bar."""
    axes.set_xlabel(style.axis_label(found.attrs.get("x_name", "x"), found.attrs.get("x_unit", "")))
    axes.set_ylabel(style.axis_label(found.attrs.get("y_name", "y"), found.attrs.get("y_unit", "")))
    ticks(axes)
    figure.colorbar(mesh, cax=bar, extend=extend)
    bar.set_ylabel(label, labelpad=2)
    bar.tick_params(which="both", labelsize=7)


def draw_predicted_true(found, metrics):
    """2-D histogram of predicted against true values with the 1:1 line and running percentiles; the
    metrics stand above, because a cloud of points may fill every corner."""
    figure, axes, bar = square_axes(above=0.32)
    counts = np.ma.masked_less_equal(found.counts.T, 0)
    top = max(float(found.counts.max()), 2.0)
    mesh = axes.pcolormesh(found.x_edges, found.y_edges, counts, norm=LogNorm(1, top), rasterized=True, zorder=1)
    filled = found.counts > 0
    xs, ys = np.flatnonzero(filled.any(axis=1)), np.flatnonzero(filled.any(axis=0))
    low = min(found.x_edges[xs[0]], found.y_edges[ys[0]])
    high = max(found.x_edges[xs[-1] + 1], found.y_edges[ys[-1] + 1])
    margin = 0.04 * (high - low)
    axes.set_xlim(low - margin, high + margin)
    axes.set_ylim(low - margin, high + margin)
    ends = np.array(axes.get_xlim())
    axes.plot(ends, ends, color=style.BLACK, linewidth=0.8, linestyle="--", zorder=3)
    middle = 0.5 * (found.x_edges[1:] + found.x_edges[:-1])
    for line, width in zip(running_percentiles(found.counts, found.y_edges), (0.7, 1.2, 0.7)):
        axes.plot(middle, line, color=style.RED, linewidth=width, zorder=4)
    words = metric_words(metrics, found.counts, f"{found.attrs.get('y_name')} {found.attrs.get('y_unit')}")
    text = "\n".join("    ".join(part) for part in (words[:3], words[3:]) if part)
    axes.text(0, 1.025, text, transform=axes.transAxes, va="bottom", ha="left", fontsize=8, linespacing=1.3)
    finish_square(figure, axes, bar, mesh, found, "objects per cell")
    return figure


def draw_residual(found):
    """2-D histogram of the error against mass with running percentiles; no error is a dashed line."""
    figure, axes, bar = square_axes()
    counts = np.ma.masked_less_equal(found.counts.T, 0)
    mesh = axes.pcolormesh(found.x_edges, found.y_edges, counts, norm=LogNorm(1, max(float(found.counts.max()), 2.0)),
                           rasterized=True, zorder=1)
    axes.axhline(0, color=style.BLACK, linewidth=0.8, linestyle="--", zorder=3)
    middle = 0.5 * (found.x_edges[1:] + found.x_edges[:-1])
    for line, width in zip(running_percentiles(found.counts, found.y_edges), (0.7, 1.2, 0.7)):
        axes.plot(middle, line, color=style.RED, linewidth=width, zorder=4)
    finish_square(figure, axes, bar, mesh, found, "objects per cell")
    return figure


def smoothed(found):
    """Density over its mean, smoothed by a Gaussian that holds a few objects (periodic)."""
    counts = np.nan_to_num(found.counts)
    sigma = float(np.clip(np.sqrt(1.5 / max(counts.mean(), 1e-12)), 0.6, counts.shape[0] / 60))
    waves = [np.fft.fftfreq(n) for n in counts.shape]
    window = [np.exp(-0.5 * (2 * np.pi * k * sigma) ** 2) for k in waves]
    density = np.fft.ifft2(np.fft.fft2(counts) * np.outer(*window)).real
    return np.clip(density, 0, None) / counts.mean(), sigma * (found.x_edges[1] - found.x_edges[0])


def slice_norm(maps):
    """One colour scale for all slices of a sample, so that they can be compared by eye."""
    values = np.concatenate([smoothed(m)[0].ravel() for m in maps])
    return PowerNorm(0.5, 0, max(float(np.percentile(values, 99.7)), 1.0))


def draw_slice(found, norm):
    """A slice through the volume, in comoving coordinates."""
    figure, axes, bar = square_axes()
    density, _ = smoothed(found)
    mesh = axes.pcolormesh(found.x_edges, found.y_edges, density.T, norm=norm, rasterized=True)
    axes.set_aspect("equal")
    finish_square(figure, axes, bar, mesh, found, "galaxies / mean", extend="max")
    bar.yaxis.set_major_locator(MaxNLocator(5))
    bar.yaxis.set_minor_locator(NullLocator())
    axes.tick_params(which="both", color="white")
    return figure


def draw_places(found, metrics):
    """Regions that have run and proposed ones, by their rank, on the parent in projection."""
    figure, axes, bar = square_axes()
    density, _ = smoothed(found)
    mesh = axes.pcolormesh(found.x_edges, found.y_edges, density.T, norm=slice_norm([found]), cmap="Greys", rasterized=True,
                           alpha=0.5)  # pale below the circles
    box = found.x_edges[-1]
    for name, region in sorted(metrics.items()):
        is_new = name.startswith("proposed_")
        if not is_new and not name.startswith("given_"):
            continue
        for shift in np.ndindex(3, 3):  # a sphere at an edge is seen on both sides
            x, y = (region[axis] + box * (k - 1) for axis, k in zip("xy", shift))
            axes.add_patch(Circle((x, y), region["radius"], fill=False, linewidth=0.9 if is_new else 0.7,
                                  linestyle="-" if is_new else ":", color=style.RED if is_new else style.BLUE))
        if is_new:
            x, y = (np.clip(region[axis], 0.03 * box, 0.97 * box) for axis in "xy")  # whole, also at an edge
            axes.text(x, y, str(int(name.split("_")[-1]) + 1), color=style.RED, fontsize=8, fontweight="bold", ha="center",
                      va="center", path_effects=[withStroke(linewidth=2, foreground="white")])
    axes.set_xlim(0, box)
    axes.set_ylim(0, box)
    axes.set_aspect("equal")
    finish_square(figure, axes, bar, mesh, found, "centrals / mean", extend="max")
    bar.yaxis.set_major_locator(MaxNLocator(5))
    bar.yaxis.set_minor_locator(NullLocator())
    return figure


def draw_correlation(found):
    """Correlation matrix of the bins of one or more curves, with lines between curves."""
    figure, axes, bar = square_axes()
    matrix = np.ma.masked_invalid(found.correlation())
    mesh = axes.pcolormesh(matrix, cmap="RdBu_r", vmin=-1, vmax=1, rasterized=True)
    axes.set_aspect("equal")
    n, blocks = len(found.x_low), len(found.curves)
    for edge in range(1, blocks):
        axes.axhline(edge * n, color=style.BLACK, linewidth=0.6)
        axes.axvline(edge * n, color=style.BLACK, linewidth=0.6)
    middle = np.sqrt(found.x_low * found.x_high)
    shown = np.unique(np.linspace(0, n - 1, 5) if blocks == 1 else np.array([n // 6, 5 * n // 6])).astype(int)
    places = [k * n + i + 0.5 for k in range(blocks) for i in shown]
    labels = [f"{middle[i]:.2g}" for _ in range(blocks) for i in shown]
    label = style.axis_label(found.attrs.get("x_name", "x"), found.attrs.get("x_unit", ""))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_ticks(places, labels)
        axis.set_minor_locator(NullLocator())
    axes.set_xlabel(label)
    axes.set_ylabel(label)
    figure.colorbar(mesh, cax=bar)
    bar.set_ylabel("correlation", labelpad=2)
    return figure
