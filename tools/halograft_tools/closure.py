"""Numbers behind the pictures: how far each catalogue is from the truth, and the summary in words.

A bin is 'within tolerance' when its difference from the truth is at most max(stated tolerance, three
standard deviations of the oracle redraw, two of the truth's own counting error for mass functions).
"""

import math
from dataclasses import dataclass

import numpy as np

from . import figures, style, verdict


@dataclass
class Closure:
    """Comparison of one curve with the truth over the bins both have."""

    statistic: str
    title: str
    catalogue: str
    bins: int
    median: float  # median |ratio - 1|
    worst: float  # ratio - 1 where it is largest in size
    worst_x: float
    within: int  # bins within tolerance
    tolerance: float
    x_label: tuple


def compare(family):
    """Closures of every catalogue of a family but the truth itself."""
    truth = figures.reference(family)
    if truth is None:
        return
    tolerance = figures.TOLERANCE.get(truth.statistic)
    if tolerance is None:
        return
    noise = np.zeros(len(truth.x))
    if "oracle" in family:
        _, _, draw_error = figures.at_reference(family["oracle"], truth)
        noise = np.maximum(noise, 3 * np.nan_to_num(draw_error if draw_error is not None else noise))
    if truth.statistic in ("mass_function", "shmr_scatter") and truth.error is not None:
        noise = np.maximum(noise, 2 * np.nan_to_num(truth.error))
    for name in figures.order(family):
        if name == "truth":
            continue
        y, _, _ = figures.at_reference(family[name], truth)
        good = truth.usable() & np.isfinite(y) & (truth.y != 0)
        if truth.statistic == "mass_function" and truth.count is not None:
            good &= truth.count >= figures.FEWEST
        if truth.statistic == "xi" and truth.error is not None:
            good &= truth.y > 2 * np.nan_to_num(truth.error)
        if not good.any():
            continue
        ratio = y[good] / truth.y[good] - 1
        allowed = np.maximum(tolerance * np.abs(truth.y[good]), noise[good])
        worst = int(np.argmax(np.abs(ratio)))
        yield Closure(truth.statistic, figures.title_of(truth), name, int(good.sum()),
                      float(np.median(np.abs(ratio))), float(ratio[worst]), float(truth.x[good][worst]),
                      int((np.abs(y[good] - truth.y[good]) <= allowed).sum()), tolerance,
                      (truth.attrs.get("x_name", "x"), truth.attrs.get("x_unit", "")))


def closures(statistics):
    """All closures of a file, in its order."""
    return [c for family in statistics.families().values() for c in compare(family)]


WORDS = {"mass_function": "mass functions", "power": "power spectra", "xi": "correlation functions",
         "wp": "projected correlation functions", "shmr_scatter": "scatter at fixed halo mass"}


def percent(value, signed=False):
    """A ratio as text, with no more digits than it deserves."""
    value = 100 * value
    digits = 1 if abs(value) < 10 else 0
    return (f"{value:+.{digits}f} %" if signed else f"{value:.{digits}f} %").replace("-", "−")


def place(one):
    """Where the largest difference is, with its unit."""
    unit = one.x_label[1].replace("Msun", "M☉").replace("^-1", "⁻¹")
    x = one.worst_x
    return f"{f'10^{math.log10(x):.1f}' if x >= 1e4 else f'{x:.2g}'} {unit}".rstrip()


def sentences(statistics, found):
    """What the numbers say, in plain words: one sentence per statistic and catalogue."""
    names = sorted({c.catalogue for c in statistics.curves}, key=figures.order(
        list(dict.fromkeys(c.catalogue for c in statistics.curves))).index)
    lines = verdict.sentences(statistics)
    if lines:
        return lines
    if not any(c.catalogue == "truth" for c in statistics.curves):
        lines.append(f"{len(statistics.curves)} curves of {', '.join(names) or 'no catalogue'}; "
                     "there is no catalogue named 'truth', so nothing is compared.")
        return lines
    looks = style.roles(names)
    for statistic, words in WORDS.items():
        for name in names:
            some = [c for c in found if c.statistic == statistic and c.catalogue == name]
            if not some or name == "oracle":
                continue
            bins, within = sum(c.bins for c in some), sum(c.within for c in some)
            median = np.average([c.median for c in some], weights=[c.bins for c in some])
            worst = max(some, key=lambda c: abs(c.worst))
            lines.append(
                f"{words[0].upper()}{words[1:]}, {looks[name]['label']}: typically {percent(median)} from the truth, "
                f"{within} of {bins} bins within tolerance, largest difference {percent(worst.worst, True)} "
                f"at {place(worst)}.")
    return lines
