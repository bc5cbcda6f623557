"""Pictures of what `halograft explain` wrote: importances with errors, curves and planes of dependence, parts of
predictions. Values are those of the statistics file; nothing is computed here but orders and offsets."""

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from . import style

CURVES = ("partial_dependence", "accumulated_effect")
PLANES = ("partial_dependence_plane", "interaction_effect_plane")
PARTS = ("shapley_part", "path_part")
STATISTICS = (*CURVES, *PLANES, *PARTS)
WIDTH = 2 * style.COLUMN + 0.3  # both columns of a journal
SHOWN = 24  # features on one picture of bars
COLUMNS = 4  # small panels beside each other


def feature_label(name, attrs, axis="x"):
    """Name of a transformed feature with its unit."""
    transform, unit = str(attrs.get(f"{axis}_transform", "")), str(attrs.get(f"{axis}_column_unit", ""))
    if transform.startswith("log10"):
        return style.axis_label(f"log10 {name}", unit)
    return style.axis_label(name, "" if transform not in ("", "none") else unit)


def importances(metrics):
    """{target: {method: {features: attributes}}}"""
    found = {}
    for values in metrics.values():
        if {"method", "target", "features", "value"} <= set(values):
            found.setdefault(values["target"], {}).setdefault(values["method"], {})[values["features"]] = values
    return found


def bars(axes, names, rows, key, look):
    """Values with errors, one line per name; names without a value stay empty."""
    at = [i for i, name in enumerate(names) if name in rows and np.isfinite(rows[name][key])]
    error = {"value": "error", "share": "share_error"}[key]
    value = [rows[names[i]][key] for i in at]
    spread = [np.nan_to_num(rows[names[i]][error]) for i in at]
    shift = look.pop("shift")
    axes.errorbar(value, np.array(at) + shift, xerr=spread, linestyle="none", elinewidth=1.0, **look)


def draw_importance(methods):
    """Left: fall of R^2 without features; right: what the trees and the predictions of single haloes use."""
    first = next(m for m in ("permutation", "drop_column", "shapley", "impurity") if m in methods)
    names = sorted(methods[first], key=lambda f: -methods[first][f]["value"])[:SHOWN]
    left = [m for m in ("permutation", "drop_column") if m in methods]
    figure = Figure(figsize=(WIDTH, 0.75 + 0.24 * len(names)), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2, sharey=True) if left else [None, figure.subplots(1, 1)]
    looks = {"permutation": ("permuted", style.BLUE, "o"), "drop_column": ("left out of the training", style.ORANGE, "s"),
             "impurity": ("impurity", style.GREEN, "D"), "shapley": ("mean |Shapley value|", style.BLACK, "o")}
    for method, rows in methods.items():
        label, color, marker = looks[method]
        axes, key = (panels[0], "share") if method in left else (panels[1], "value")
        if method == "shapley":  # as shares, so that both methods stand on one axis
            total = sum(v["value"] for v in rows.values()) or 1
            rows = {f: {**v, "value": v["value"] / total, "error": v["error"] / total} for f, v in rows.items()}
        bars(axes, names, rows, key, {"label": label, "color": color, "marker": marker, "markersize": 4,
                                      "shift": 0.12 if method in ("drop_column", "shapley") else -0.12})
    for axes in panels:
        if axes is None:
            continue
        axes.axvline(0, color=style.GREY, linewidth=0.6)
        axes.set_yticks(range(len(names)), [" + ".join(style.pretty_name(p) for p in n.split("+")) for n in names])
        axes.tick_params(axis="y", which="both", length=0)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.legend(loc="lower right")
    if panels[0] is not None:
        panels[0].set_xlabel("fall of $R^2$ on held-out haloes")
    panels[1].set_xlabel("share of all features")
    return figure


def small_panels(n):
    """A grid of n panels; those left over are taken off."""
    columns = min(COLUMNS, n)
    rows = -(-n // columns)
    figure = Figure(figsize=(max(WIDTH * columns / COLUMNS, style.COLUMN), 0.45 + 1.55 * rows), layout="constrained")
    FigureCanvasAgg(figure)
    grid = np.ravel(figure.subplots(rows, columns, sharey=True, squeeze=False))
    for axes in grid[n:]:
        axes.remove()
    return figure, grid[:n], columns


def draw_curves(partial, effect):
    """A panel per feature: partial dependence about its mean, and accumulated local effect."""
    features = list(dict.fromkeys([*partial, *effect]))
    figure, grid, columns = small_panels(len(features))
    for i, (axes, feature) in enumerate(zip(grid, features)):
        for curves, label, color, line in ((partial, "partial dependence", style.BLUE, "-"),
                                           (effect, "local effects", style.ORANGE, "--")):
            curve = curves.get(feature)
            if curve is None:
                continue
            good = curve.usable()
            weight = np.maximum(curve.count[good], 1e-9) if curve.count is not None else np.ones(good.sum())
            y = curve.y[good] - (np.average(curve.y[good], weights=weight) if curves is partial and good.any() else 0)
            error = np.nan_to_num(curve.error[good])
            axes.plot(curve.x[good], y, color=color, linestyle=line, label=label, marker="." if good.sum() < 3 else "")
            axes.fill_between(curve.x[good], y - error, y + error, color=color, alpha=0.25, linewidth=0)
        shown = partial.get(feature) or effect[feature]
        low, high = axes.get_xlim()
        axes.plot(shown.x, np.zeros(len(shown.x)), "|", color=style.GREY, markersize=5,
                  transform=axes.get_xaxis_transform(), clip_on=False)
        axes.set_xlim(low, high)
        axes.axhline(0, color=style.GREY, linewidth=0.5)
        axes.set_xlabel(feature_label(feature, shown.attrs))
        if i % columns == 0:
            axes.set_ylabel("change of prediction")
    grid[-1].legend(fontsize=7)
    return figure


def draw_parts(parts):
    """A panel per feature: what it adds to the prediction of each halo, against its value."""
    figure, grid, columns = small_panels(len(parts))
    for i, (axes, (feature, curve)) in enumerate(zip(grid, parts.items())):
        axes.plot(curve.x, curve.y, ".", color=style.BLUE, markersize=3, alpha=0.6)
        axes.axhline(0, color=style.GREY, linewidth=0.5)
        axes.set_xlabel(feature_label(feature, curve.attrs))
        if i % columns == 0:
            axes.set_ylabel("Shapley value")
    return figure


def edges_of(x):
    """Cell edges half-way between points; the outer ones are the first and last point."""
    return np.concatenate([x[:1], 0.5 * (x[1:] + x[:-1]), x[-1:]])


def plane_of(curves):
    """Values at the points, NaN at those without a halo in the cells around; shape (second, first feature)."""
    values, count = np.array([c.y for c in curves]), np.array([c.count for c in curves])
    around = np.pad(count, ((0, 1), (0, 1)))  # cells end at their points
    near = around[:-1, :-1] + around[1:, :-1] + around[:-1, 1:] + around[1:, 1:]
    return np.where(near > 0, values, np.nan)


def draw_planes(planes):
    """Left: mean prediction; right: what is left when the effect of each feature alone is taken off."""
    figure = Figure(figsize=(WIDTH, 2.7), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, name in zip(figure.subplots(1, 2), PLANES):
        curves = sorted(planes.get(name, []), key=lambda c: c.attrs["other_number"])
        if len(curves) < 2 or len(curves[0].x) < 2:
            axes.remove()
            continue
        values = plane_of(curves)
        bound = np.nanmax(np.abs(values)) or 1
        colors = {} if name == PLANES[0] else {"cmap": "RdBu_r", "vmin": -bound, "vmax": bound}
        mesh = axes.pcolormesh(edges_of(curves[0].x), edges_of(np.array([c.attrs["other_value"] for c in curves])),
                               values, rasterized=True, **colors)
        figure.colorbar(mesh, ax=axes, label="mean prediction" if name == PLANES[0] else "interaction")
        axes.set_xlabel(feature_label(str(curves[0].attrs["x_name"]), curves[0].attrs))
        axes.set_ylabel(feature_label(str(curves[0].attrs["other"]), curves[0].attrs, "other"))
    return figure


def pictures(statistics):
    """(name, title, caption, figure) of everything; targets in the order of the file."""
    for target, methods in importances(statistics.metrics).items():
        yield (f"importance_{target}", f"Importance of features: {style.spoken_name(target)}",
               "Left: fall of R^2 on held-out haloes when features are permuted or the forest is trained without them; "
               "errors from leaving out one fold. Features that say the same hide each other unless they are permuted "
               "together. Right: decrease of variance at the splits of each feature, and mean size of its part in "
               "single predictions, as shares.", draw_importance(methods))
    found = {}
    for curve in statistics.curves:
        if curve.statistic in STATISTICS:
            found.setdefault(str(curve.attrs.get("column", "")), {}).setdefault(curve.statistic, []).append(curve)
    for target, kinds in found.items():
        spoken = style.spoken_name(target)
        by_feature = {kind: {str(c.attrs["x_name"]): c for c in curves if c.usable().any()}
                      for kind, curves in kinds.items() if kind not in PLANES}
        partial, effect = (by_feature.get(kind, {}) for kind in CURVES)
        if partial or effect:
            yield (f"dependence_{target}", f"Dependence on features: {spoken}",
                   "Partial dependence about its mean: all haloes take the value. Accumulated local effects: only haloes "
                   "near it are moved, which keeps correlated features together. Bands: jackknife over blocks of what "
                   "is held out together. Strokes at the bottom: points, at quantiles of the haloes.",
                   draw_curves(partial, effect))
        pairs = {}
        for kind in PLANES:
            for curve in kinds.get(kind, []):
                pairs.setdefault((str(curve.attrs["x_name"]), str(curve.attrs["other"])), {}).setdefault(kind, []).append(curve)
        for (first, second), planes in pairs.items():
            yield (f"plane_{target}_{first}_{second}",
                   f"Dependence on {style.spoken_name(first)} and {style.spoken_name(second)}: {spoken}",
                   "Left: partial dependence on both. Right: accumulated second-order effects; zero where the effects of "
                   "the two features add up. Blank: no haloes near.", draw_planes(planes))
        if by_feature.get(PARTS[0]):
            yield (f"shapley_{target}", f"Parts of single predictions: {spoken}",
                   "Shapley value of each feature for a sample of training haloes; with the mean of the forest they sum "
                   "to the prediction.", draw_parts(by_feature[PARTS[0]]))
