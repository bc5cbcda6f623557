"""Pictures of one statistics file: each function draws one family of curves, or one map.

A picture is a matplotlib figure with its caption and the numbers behind it. Families are chosen by
the attribute `statistic`; an unknown statistic gets the plain form, so nothing measured is left out.
"""

import re
from dataclasses import dataclass, field

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from . import explanation, maps, style
from .canvas import Panel, axes_stack, inner_ticks, ticks, zoom

FEWEST = 10  # true objects in a bin of a mass function worth a comparison

# Tolerance of a closure (relative), and how the ratio panel is limited.
TOLERANCE = {"mass_function": 0.05, "power": 0.03, "xi": 0.05, "wp": 0.05, "shmr_scatter": 0.05}
SECTIONS = {"mass_function": "content", "shmr": "content", "relation": "content",
            "conditional_mass_function": "content", "hod_central": "content", "hod_satellite": "content",
            "quenched_fraction": "content", "power": "clustering",
            "power_quadrupole": "clustering", "power_hexadecapole": "clustering", "power_wedge": "clustering",
            "xi": "clustering",
            "wp": "clustering", "xi_monopole": "clustering", "xi_quadrupole": "clustering",
            "xi_hexadecapole": "clustering",
            "predicted_true": "prediction", "residual": "prediction", "pit": "prediction",
            "reliability": "prediction", "slice": "maps", "design": "proposal", "design_places": "proposal"}
TITLES = {"mass_function": "Mass function", "conditional_mass_function": "Conditional mass function",
          "hod_central": "Centrals per host", "hod_satellite": "Satellites per host",
          "quenched_fraction": "Quenched fraction", "shmr": "Stellar-to-halo mass relation", "relation": "Relation",
          "shmr_scatter": "Scatter", "relation_scatter": "Scatter", "shmr_width": "Width",
          "relation_width": "Width", "power": "Power spectrum", "power_quadrupole": "Quadrupole",
          "power_hexadecapole": "Hexadecapole", "power_wedge": "Power spectrum in a wedge", "xi": "Correlation function",
          "wp": "Projected correlation function", "xi_monopole": "Monopole of the correlation function",
          "xi_quadrupole": "Quadrupole of the correlation function",
          "xi_hexadecapole": "Hexadecapole of the correlation function",
          "reliability": "Probability against frequency", "pit": "Randomised PIT", "residual": "Error against mass",
          "predicted_true": "Predicted against true", "design": "Expected error after each region",
          "error_by_distance": "Expected error by distance from the training haloes",
          "parent_flags": "Haloes of the parent outside the training",
          "parent_interval": "Half width of intervals in the parent",
          "resolution_rmse": "Error with heavier particles", "resolution_bias": "Bias with heavier particles",
          "resolution_rmse_by_mass": "Error by mass with heavier particles",
          "resolution_bias_by_mass": "Bias by mass with heavier particles",
          "design_places": "Proposed regions", "slice": "Slice through the volume"}
# Statistics that are drawn with another one: below it (scatter), or only in its table of numbers (width).
COMPANIONS = {"shmr": ("shmr_scatter", "shmr_width"), "relation": ("relation_scatter", "relation_width")}


@dataclass
class Picture:
    """One figure, where it belongs on the page, and what it shows."""

    name: str
    section: str
    title: str
    caption: str
    figure: Figure
    curves: list = field(default_factory=list)


def file_name(*parts):
    """A file name of plain characters."""
    return re.sub(r"[^A-Za-z0-9.+-]+", "_", "_".join(p for p in parts if p)).strip("_")


def order(catalogues):
    """Catalogues with known roles first, in the order of style.ROLES."""
    known = [name for name in style.ROLES if name in catalogues]
    return known + [name for name in catalogues if name not in style.ROLES]


def plain_selection(selection):
    """A selection in words where it is a simple one: 'stellar mass > 10^10.5 M☉', 'centrals'."""
    if re.fullmatch(r"central\s*==\s*1", selection):
        return "centrals"
    match = re.fullmatch(r"(\w+)\s*([<>]=?)\s*([0-9.]+(?:e[+-]?[0-9]+)?)", selection)
    if match is None:
        return selection
    unit = " M☉" if match.group(1).endswith("mass") else ""
    return f"{style.spoken_name(match.group(1))} {match.group(2)} {style.spoken_number(float(match.group(3)))}{unit}"


def plain_sample(curve):
    """Text of a curve's sample for captions; the empty sample is everything."""
    sample, selection = str(curve.attrs.get("sample", "")), str(curve.attrs.get("selection", ""))
    if not sample and not selection:
        return "All objects"
    words = plain_selection(selection)
    if not sample:
        return f"{words[0].upper()}{words[1:]} only" if words != selection else f"Objects with {selection}"
    return f"Sample {sample}" + (f": {words}" if selection else "")


def title_of(curve):
    """Title of a picture: what, of which column, and of which sample in words."""
    title = TITLES.get(curve.statistic, curve.statistic.replace("_", " "))
    held_out = re.fullmatch(r"held_out_(\w+)_([a-z]+)", curve.statistic)
    if held_out:
        title = f"Held out: {held_out.group(1)} by {held_out.group(2)}"
    column, sample = str(curve.attrs.get("column", "")), str(curve.attrs.get("sample", ""))
    if curve.statistic.startswith("shmr") and column == "stellar_mass":
        column = ""
    # The program names its own samples after their threshold; what they select says it better.
    selection = plain_selection(str(curve.attrs.get("selection", "")))
    own = re.fullmatch(r"\w+_\d+\.\d\d", sample) and " > " in selection
    shown = [style.spoken_name(column), selection if own else style.spoken_ranges(sample).replace("_", " "),
             style.spoken_ranges(str(curve.attrs.get("variant", "")))]
    return ": ".join([title, ", ".join(text for text in shown if text)]).rstrip(": ")


def y_label(curve):
    """Label of the y axis; a mass function says of what."""
    name, unit = str(curve.attrs.get("y_name", "y")), curve.attrs.get("y_unit", "")
    match = re.fullmatch(r"d([nN])/dlog10( per host)?", name)
    if match:
        of = style.pretty_name(str(curve.attrs.get("column", "")))
        what = f"${{\\rm d}}{match.group(1)}\\,/\\,{{\\rm d}}\\log_{{10}}\\,$"
        return f"{what}{of}{match.group(2) or ''}  [{style.pretty_unit(unit)}]"
    return style.axis_label(name, unit)


def is_log_y(curves):
    """Logarithmic as the file says; correlation functions too where most of the first is positive."""
    first = curves[0]
    return first.log("y") or (first.statistic in ("xi", "xi_monopole") and np.nanmean(first.y > 0) > 0.6)


def reference(family):
    """The curve that ratios are taken to: the truth, or none."""
    return family.get("truth")


def at_reference(curve, truth):
    """y, error and draw error of a curve at the x of the truth, NaN where it has no such bin."""
    columns = [curve.y, curve.best_error, curve.draw_error]
    if len(curve.x) == len(truth.x) and same_bins(curve, truth):
        return columns
    taken = [None if c is None else np.full(len(truth.x), np.nan) for c in columns]
    for i, x in enumerate(curve.x):
        j = np.flatnonzero(np.isclose(truth.x, x, rtol=1e-6))
        if len(j):
            for source, target in zip(columns, taken):
                if source is not None:
                    target[j[0]] = source[i]
    return taken


def same_bins(curve, truth):
    """Whether both have the same bin edges (x may be the mean inside a bin and differ a little)."""
    if curve.x_low is None or truth.x_low is None:
        return np.allclose(curve.x, truth.x, rtol=1e-6, equal_nan=True)
    return np.allclose(curve.x_low, truth.x_low, rtol=1e-6, equal_nan=True)


def ratio_panel(panel, family, truth, looks, tolerance):
    """Ratios to the truth with the oracle's band: what no method can beat with so many objects."""
    axes, x = panel.axes, truth.x
    positive = truth.usable()
    base = np.where(positive if truth.log("y") else np.isfinite(truth.y) & (truth.y != 0), truth.y, np.nan)
    axes.axhline(1, color=style.BLACK, linewidth=0.7, zorder=3)
    if tolerance:
        for edge in (1 - tolerance, 1 + tolerance):
            axes.axhline(edge, color=style.GREY, linewidth=0.6, linestyle=(0, (1, 2)), zorder=1)
    values, drawn = [], []
    for name in order(family):
        if name == "truth":
            continue
        y, error, draw_error = at_reference(family[name], truth)
        ratio = y / base
        noise = draw_error if draw_error is not None else None
        if name == "oracle" and noise is not None:
            panel.band(x, ratio - noise / np.abs(base), ratio + noise / np.abs(base), style.GREY, 0.35, zorder=0.5)
            axes.plot(x, ratio, color=style.GREY, linewidth=0.8, zorder=2)
        else:
            spread = noise if noise is not None else (error if truth.statistic == "mass_function" else None)
            look = looks[name]
            panel.line(x, ratio, look, None if spread is None or name == "mean" else spread / np.abs(base))
            drawn.append((ratio, look))
        values.append(ratio)
    if "oracle" not in family and truth.statistic == "mass_function" and truth.error is not None:
        panel.band(x, 1 - truth.error / base, 1 + truth.error / base, style.GREY, 0.25, zorder=0.4)
    is_counted = truth.statistic == "mass_function" and truth.count is not None
    enough = truth.count >= FEWEST if is_counted else np.isfinite(truth.x)
    zoom(panel, [v[enough] for v in values], 0.2 if truth.statistic == "mass_function" else max(2.2 * (tolerance or 0.05), 0.1), 0.95)
    for ratio, look in drawn:
        panel.marks_beyond(x, ratio, look)
    axes.set_ylabel("ratio to truth")
    inner_ticks(axes)


def limits(panel, curves, log_y):
    """Limits that hold the usable points of all curves with a small margin. On a logarithmic y axis error
    bars that reach zero do not count."""
    lows, highs, values = [], [], [np.zeros(0)]
    for curve in curves:
        good = curve.usable(log_y)
        if good.any():
            values += [a[good] for a in (curve.y, curve.low, curve.high) if a is not None]
            lows.append(curve.x[good].min())
            highs.append(curve.x[good].max())
    if not lows:
        return
    low, high = min(lows), max(highs)
    values = np.concatenate(values)
    values = values[np.isfinite(values) & (values > 0)]
    if log_y and len(values):
        margin = (values.max() / values.min()) ** 0.06 * 1.15
        panel.axes.set_ylim(values.min() / margin, values.max() * margin)
    if curves[0].log("x"):
        margin = (high / low) ** 0.04 if high > low else 1.1
        panel.axes.set_xlim(low / margin, high * margin)
    elif high > low:
        panel.axes.set_xlim(low - 0.04 * (high - low), high + 0.04 * (high - low))


def draw_family(family):
    """All catalogues of one statistic, with a ratio panel when there is a truth to compare with."""
    names = order(family)
    curves = [family[name] for name in names]
    first, truth, looks = curves[0], reference(family), style.roles(names)
    log_y = is_log_y(curves)
    with_ratio = truth is not None and len(names) > 1 and log_y
    figure, axes = axes_stack([2.25, 0.95] if with_ratio else [2.6])
    FigureCanvasAgg(figure)
    main = Panel(axes[0])
    main.scale(first.log("x"), log_y)
    for name, curve in zip(names, curves):
        good, look = curve.usable(log_y), looks[name]
        bars = curve.best_error[good] if curve.error is not None and name not in ("mean", "oracle") else None
        main.line(curve.x[good], curve.y[good], look, bars, label=look["label"])
    limits(main, curves, log_y)
    if first.statistic == "quenched_fraction":
        main.axes.set_ylim(-0.04, 1.04)
    main.axes.set_ylabel(y_label(first))
    if with_ratio:
        lower = Panel(axes[1])
        ratio_panel(lower, family, truth, looks, TOLERANCE.get(first.statistic))
    axes[-1].set_xlabel(style.axis_label(first.attrs.get("x_name", "x"), first.attrs.get("x_unit", "")))
    for panel in axes:
        ticks(panel)
    if len(names) > 1:
        main.legend()
    return figure


def ratio_words(family):
    """Caption of the ratio panel, saying only what is in it."""
    if reference(family) is None or len(family) < 2 or not is_log_y([family[name] for name in order(family)]):
        return ""
    words = " Below: ratio to the truth"
    statistic = reference(family).statistic
    if statistic in TOLERANCE:
        words += f", dotted lines at {100 * TOLERANCE[statistic]:.0f} %"
    if "oracle" in family and family["oracle"].draw_error is not None:
        words += "; grey band: oracle, the true law drawn again with new noise (mean and one standard deviation)"
    elif statistic == "mass_function" and reference(family).error is not None:
        words += "; grey band: error of the truth"
    return words + ". Triangles mark points outside the panel."


def error_words(curves):
    """Which errors are shown, where it is not the usual kind."""
    regions = [c for c in curves if c.jackknife_error is not None and np.isfinite(c.jackknife_error).any()]
    return " Error bars: jackknife where pairs were counted." if regions else ""


def draw_relation(relation, scatter):
    """Galaxy-halo relation with its 16-84 % band, and below it the scatter at fixed mass."""
    names = order(relation)
    curves = [relation[name] for name in names]
    first, looks = curves[0], style.roles(names)
    figure, axes = axes_stack([2.25, 1.05] if scatter else [2.6])
    FigureCanvasAgg(figure)
    main = Panel(axes[0])
    main.scale(first.log("x"), first.log("y"))
    for name, curve in zip(names, curves):
        good, look = curve.usable(), looks[name]
        if curve.low is not None and name == "truth":
            for side in (curve.low, curve.high):
                main.axes.plot(curve.x[good], side[good], color=look["color"], linewidth=0.7, zorder=3.5,
                               linestyle=(0, (4, 2)))
                main.remember(curve.x[good], side[good])
        elif curve.low is not None and name in ("draw", "draws"):
            main.band(curve.x[good], curve.low[good], curve.high[good], look["color"], 0.25)
        main.line(curve.x[good], curve.y[good], look, label=look["label"])
    limits(main, curves, first.log("y"))
    main.axes.set_ylabel(y_label(first))
    if scatter:
        lower, some = Panel(axes[1]), next(iter(scatter.values()))
        looks = style.roles(order(scatter))
        for name in order(scatter):
            curve = scatter[name]
            good = curve.usable()
            bars = curve.error[good] if curve.error is not None and name not in ("mean", "oracle") else None
            lower.line(curve.x[good], curve.y[good], looks[name], bars)
        tops = np.concatenate([c.y[c.usable()] for c in scatter.values()] + [np.zeros(0)])
        if len(tops):
            lower.axes.set_ylim(0, 1.25 * np.max(tops))
        inner_ticks(lower.axes)
        lower.axes.set_ylabel(style.axis_label("scatter", some.attrs.get("y_unit", "dex")))
    axes[-1].set_xlabel(style.axis_label(first.attrs.get("x_name", "x"), first.attrs.get("x_unit", "")))
    for panel in axes:
        ticks(panel)
    if len(names) > 1:
        main.legend()
    return figure


def pictures_of_covariances(statistics):
    """Correlation matrices of the jackknife, each of the first catalogue that has it. Gaussian ones have
    independent bins, and those over few draws have too small a rank to be looked at."""
    names = order(list(dict.fromkeys(c.catalogue for c in statistics.covariances)))
    done = set()
    for found in sorted(statistics.covariances, key=lambda c: names.index(c.catalogue)):
        few = found.kind == "draws" and found.attrs.get("draws", 0) <= len(found.x_low)
        if found.values.ndim != 2 or few or found.name in done or len(found.x_low) < 2:
            continue
        done.add(found.name)
        look = style.roles([found.catalogue])[found.catalogue]["label"]
        curve = next((c for c in statistics.curves if c.catalogue == found.catalogue and c.name == found.curves[0]), None)
        what = title_of(curve) if curve is not None else found.curves[0].replace("_", " ")
        poles = " From below and left: monopole, quadrupole, hexadecapole." if len(found.curves) == 3 else ""
        regions = f" from {found.attrs['regions']:.0f} regions of the box" if "regions" in found.attrs else ""
        yield Picture(file_name(found.name, found.catalogue), "clustering", f"Correlation of bins: {what} ({look})",
                      f"Correlation matrix, {found.kind}{regions}.{poles}", maps.draw_correlation(found))


def draw_reliability(family):
    """True share against predicted probability with the 1:1 line; below, how often which is predicted."""
    names = order(family)
    looks = style.roles(names)
    figure, axes = axes_stack([2.25, 0.95])
    FigureCanvasAgg(figure)
    upper, lower = Panel(axes[0]), Panel(axes[1])
    lower.scale(False, True)
    upper.axes.plot((0, 1), (0, 1), color=style.BLACK, linewidth=0.8, linestyle="--", zorder=3)
    for name in names:
        curve, look = family[name], looks[name]
        good = np.isfinite(curve.y) & (curve.count > 0)
        upper.line(curve.x[good], curve.y[good], look, curve.error[good], label=look["label"])
        edges = np.append(curve.x_low, curve.x_high[-1])
        lower.axes.stairs(curve.count / curve.count.sum(), edges, color=look["color"], linewidth=1.0)
    for panel in axes:
        panel.set_xlim(-0.02, 1.02)
    upper.axes.set_ylim(-0.04, 1.04)
    first = family[names[0]]
    upper.axes.set_ylabel("true share")
    lower.axes.set_ylabel("share of rows")
    axes[-1].set_xlabel(f"probability of {style.pretty_name(str(first.attrs.get('column', '')))}")
    for panel in axes:
        ticks(panel)
    if len(names) > 1:
        upper.legend()
    return figure


def section_of(statistic):
    """Where a statistic stands on the page; metrics of held-out rows belong to the prediction."""
    of_prediction = ("held_out_", "resolution_", "parent_", "error_by_distance")
    return SECTIONS.get(statistic, "prediction" if statistic.startswith(of_prediction) else "other")


def depth_words(attrs):
    """Thickness of a slice, when the file tells it."""
    for name in ("depth", "thickness"):
        if name in attrs:
            return f" {attrs[name]:g} {attrs.get(name + '_unit', 'Mpc')} thick."
    return ""


def pictures_of_curves(statistics):
    """One picture for each family of curves; the scatter joins its relation."""
    families = statistics.families()
    joined = {(name, *key[1:]) for key in families for name in COMPANIONS.get(key[0], ())}
    for key, family in families.items():
        if key in joined or key[0] in explanation.STATISTICS or re.fullmatch(r"held_out_\w+_(fold|region)", key[0]) or not any(curve.usable().any() for curve in family.values()):
            continue
        family = {name: curve for name, curve in family.items() if curve.usable().any()}
        curve = next(iter(family.values()))
        curves = [family[name] for name in order(family)]
        caption = str(curve.attrs.get("description", "")) or plain_sample(curve)
        caption = caption.rstrip(".") + "."
        if key[0] in COMPANIONS:
            scatter, width = ({name: c for name, c in families.get((kind, *key[1:]), {}).items() if c.usable().any()}
                              for kind in COMPANIONS[key[0]])
            figure = draw_relation(family, scatter)
            caption += " Band (draws) and dashed lines (truth): 16th to 84th percentile."
            caption += " Below: standard deviation at fixed mass." if scatter else ""
            curves += [some[name] for some in (scatter, width) for name in order(some)]
        elif key[0] == "reliability":
            figure = draw_reliability(family)
            rows = curve.attrs.get("rows", "all")
            caption = ("How often a label, or a value above the hurdle, is true where it has a probability; dashed: as often "
                       f"as predicted. Below: how many rows have it. Rows {rows}.")
        else:
            figure = draw_family(family)
            caption += ratio_words(family) + error_words(curves)
            if key[0] == "design":
                caption = (f"Expected relative error of {'P(k)' if key[2] == 'power' else 'the mass function'} after each region, "
                           "against the cost of all regions so far, in the unit of Design.cost.")
        yield Picture(file_name(*key), section_of(key[0]), title_of(curve), caption, figure, curves)


def maps_to_draw(statistics):
    """Maps worth a picture, those of one kind side by side. The oracle's are no news, and slices of one
    sample, the first, show what slices can show."""
    names = order(list(dict.fromkeys(m.catalogue for m in statistics.maps)))
    kinds = list(dict.fromkeys((m.statistic, m.name) for m in statistics.maps))
    slices = [kind for kind in kinds if kind[0] == "slice"]
    found = [m for m in statistics.maps if m.catalogue != "oracle" and (m.statistic, m.name) not in slices[1:]
            and np.nansum(np.abs(m.counts)) > 0]
    return sorted(found, key=lambda m: (kinds.index((m.statistic, m.name)), names.index(m.catalogue)))


def pictures_of_maps(statistics):
    """One picture for each map that is worth one."""
    chosen, norms = maps_to_draw(statistics), {}
    for found in chosen:
        if found.statistic not in ("predicted_true", "residual", "design_places"):
            norms.setdefault(found.name, []).append(found)
    norms = {name: maps.slice_norm(some) for name, some in norms.items()}
    for found in chosen:
        look = style.roles([found.catalogue])[found.catalogue]["label"]
        title = f"{title_of(found)} ({look})"
        kind = found.name if found.name.startswith(found.statistic) else f"{found.statistic}_{found.name}"
        if found.statistic == "predicted_true":
            figure = maps.draw_predicted_true(found, maps.metrics_of(found, statistics.metrics))
            rows = found.attrs.get("rows", "")
            caption = (f"Predicted ({look}) against true values{f', rows {rows}' if rows else ''}; dashed: 1:1; "
                       "red: median and 16-84 % at fixed true value.")
        elif found.statistic == "residual":
            figure = maps.draw_residual(found)
            caption = ("Predicted less true value of held-out rows against mass; red: median and 16-84 % at fixed mass. "
                       "The median should lie on the dashed line.")
        elif found.statistic == "design_places":
            title, figure = title_of(found), maps.draw_places(found, statistics.metrics)
            caption = ("The parent in projection along z. Red, numbered in the order of choice: proposed regions; blue, "
                       "dotted: regions that have run. Places, costs and gains stand in the tables.")
        else:
            figure = maps.draw_slice(found, norms[found.name])
            caption = (f"{plain_sample(found)}; {look}.{depth_words(found.attrs)} Smoothed over "
                       f"{maps.smoothed(found)[1]:.2g} Mpc; all slices share one colour scale.")
        yield Picture(file_name(kind, found.catalogue), SECTIONS.get(found.statistic, "maps"), title, caption, figure)


def pictures_of_explanation(statistics):
    """What `explain` found; numbers stand in its tables."""
    for name, title, caption, figure in explanation.pictures(statistics):
        yield Picture(file_name(name), "explanation", title, caption, figure)


def draw_all(statistics):
    """All pictures of a statistics file, in the order of the page."""
    with matplotlib.rc_context(style.RC):
        for picture in (*pictures_of_curves(statistics), *pictures_of_covariances(statistics),
                        *pictures_of_maps(statistics), *pictures_of_explanation(statistics)):
            yield picture


def save(picture, folder):
    """Write PNG and PDF; returns their paths. Dates are left out, so equal data give equal bytes."""
    paths = []
    with matplotlib.rc_context(style.RC):
        for suffix, metadata in (("png", {"Software": None}), ("pdf", {"CreationDate": None, "Producer": None})):
            path = folder / f"{picture.name}.{suffix}"
            picture.figure.savefig(path, dpi=style.DPI, metadata=metadata)
            paths.append(path)
    return paths
