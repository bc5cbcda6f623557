"""The look of all figures: what journals of the field expect, readable on paper and on a phone."""

import math
import re

import matplotlib

matplotlib.use("Agg")

COLUMN = 3.3  # inches, one column of a journal
DPI = 300

# Okabe & Ito's colours, safe for colour-blind readers; roles keep their colour over all figures.
BLACK, BLUE, ORANGE, GREEN = "#000000", "#0072B2", "#E69F00", "#009E73"
CYCLE = ("#CC79A7", "#56B4E9", "#D55E00", "#7F7F7F", "#8C6D31")
GREY, RED = "#8A8A8A", "#D7301F"

RC = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 9,
    "axes.labelsize": 9.5,
    "axes.titlesize": 9,
    "axes.linewidth": 0.7,
    "axes.prop_cycle": matplotlib.cycler(color=[BLACK, BLUE, ORANGE, GREEN, *CYCLE]),
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
    "xtick.major.size": 4,
    "ytick.major.size": 4,
    "xtick.minor.size": 2,
    "ytick.minor.size": 2,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.45,
    "ytick.minor.width": 0.45,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "legend.borderaxespad": 0.6,
    "legend.labelspacing": 0.3,
    "lines.linewidth": 1.2,
    "lines.markersize": 3,
    "errorbar.capsize": 0,
    "image.cmap": "cividis",
    "figure.dpi": 100,
    "savefig.dpi": DPI,
    "pdf.fonttype": 42,
    "axes.formatter.useoffset": False,
}

# How the catalogues of a closure test are drawn: label, colour, line, marker, order from behind.
ROLES = {
    "truth": {"label": "truth", "color": BLACK, "linestyle": "-", "marker": "", "zorder": 4,
              "linewidth": 2.0},
    "oracle": {"label": "oracle redraw", "color": GREY, "linestyle": "-", "marker": "", "zorder": 2},
    "draws": {"label": "draws", "color": BLUE, "linestyle": "-", "marker": "s", "zorder": 6},
    "draw": {"label": "draws", "color": BLUE, "linestyle": "-", "marker": "s", "zorder": 6},
    "forest": {"label": "forest", "color": BLUE, "linestyle": "-", "marker": "s", "zorder": 6},
    "mean": {"label": "mean, no scatter", "color": ORANGE, "linestyle": "--", "marker": "", "zorder": 5},
}
LINES = ("-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)))


def roles(catalogues):
    """Drawing style of each catalogue, the known ones fixed, others from the cycle."""
    styles, others = {}, 0
    for name in catalogues:
        if name in ROLES:
            styles[name] = dict(ROLES[name])
        else:
            styles[name] = {"label": name.replace("_", " "), "color": CYCLE[others % len(CYCLE)],
                            "linestyle": LINES[others % len(LINES)], "marker": "", "zorder": 5}
            others += 1
    return styles


NAMES = {
    "stellar_mass": r"$M_\star$",
    "gas_mass": r"$M_{\rm gas}$",
    "bh_mass": r"$M_{\rm BH}$",
    "sfr": r"${\rm SFR}$",
    "ssfr": r"${\rm sSFR}$",
    "z_star": r"$Z_\star$",
    "sigma_star": r"$\sigma_\star$",
    "r_star": r"$r_\star$",
    "m200c": r"$M_{200{\rm c}}$",
    "m200m": r"$M_{200{\rm m}}$",
    "m500c": r"$M_{500{\rm c}}$",
    "mvir": r"$M_{\rm vir}$",
    "m_bound": r"$M_{\rm bound}$",
    "vmax": r"$V_{\rm max}$",
    "r_half": r"$r_{1/2}$",
    "k": r"$k$",
    "r": r"$r$",
    "p": r"$P(k)$",
    "power": r"$P(k)$",
    "P_0": r"$P(k)$",
    "P_2": r"$P_2(k)$",
    "P_4": r"$P_4(k)$",
    "xi": r"$\xi(r)$",
    "xi_0": r"$\xi_0(s)$",
    "xi_2": r"$\xi_2(s)$",
    "xi_4": r"$\xi_4(s)$",
    "s": r"$s$",
    "rp": r"$r_{\rm p}$",
    "wp": r"$w_{\rm p}(r_{\rm p})$",
    "phi": r"$\phi$",
    "N_central": r"$\langle N_{\rm cen}\rangle$",
    "N_satellite": r"$\langle N_{\rm sat}\rangle$",
    "x": r"$x$",
    "y": r"$y$",
    "z": r"$z$",
}
# The same names in words, for titles and captions.
SPOKEN = {
    "gas_mass": "gas mass", "bh_mass": "black hole mass", "sfr": "star formation rate",
    "ssfr": "specific star formation rate", "z_star": "stellar metallicity",
    "sigma_star": "stellar velocity dispersion", "r_star": "stellar half-mass radius",
    "m200c": "M200c", "m200m": "M200m", "m500c": "M500c", "mvir": "Mvir", "m_bound": "bound mass", "vmax": "Vmax",
    "r_half": "half-mass radius",
}
# The units in which catalogues keep these columns, for axes of a recipe whose unit the file does not tell.
UNITS = {**dict.fromkeys(("stellar_mass", "gas_mass", "bh_mass", "m200c", "m200m", "m500c", "mvir", "m_bound"), "Msun"),
         "vmax": "km/s", "r_half": "Mpc"}
WORDS = {"Msun": r"{\rm M_\odot}", "dex": r"{\rm dex}", "km/s": r"{\rm km\,s^{-1}}"}


def pretty_name(name):
    """Mathematical form of a column's name; unknown names are shown as they are."""
    if name in NAMES:
        return NAMES[name]
    if name.lower() in NAMES:
        return NAMES[name.lower()]
    match = re.fullmatch(r"(.+)_(mean|draw\d*)", name)
    if match and match.group(1) in NAMES:
        return NAMES[match.group(1)]
    first, _, rest = name.partition(" ")
    if rest in NAMES:
        return f"{first} {NAMES[rest]}"
    return name.replace("_", " ")


def spoken_name(name):
    """A column's name in words."""
    return SPOKEN.get(name, name.replace("_", " "))


def spoken_number(value):
    """A threshold in words: a power of ten where it is one to two digits, as in 10^10.5."""
    power = math.log10(value) if value > 0 else 0.0
    return f"10^{round(power, 2):g}" if abs(power) >= 3 and abs(power - round(power, 2)) < 1e-6 else f"{value:g}"


def spoken_ranges(text):
    """A text in which ranges such as 'log10 m200c 12.00 to 13.00' are in words: 'M200c 10^12 to 10^13 M☉'."""
    def in_words(match):
        name, low, high = match.groups()
        unit = UNITS.get(name, "").replace("Msun", "M☉")
        return f"{spoken_name(name)} 10^{float(low):g} to 10^{float(high):g} {unit}".rstrip()
    return re.sub(r"\blog10[ _](\w+?)[ _](-?\d+\.\d+)[ _]to[ _](-?\d+\.\d+)", in_words, text)


def pretty_unit(unit):
    """Mathematical form of a unit such as 'Mpc^-3 dex^-1', '(Mpc)^3' or 'Msun/yr'; '' for none."""
    unit = (unit or "").strip()
    if unit in ("", "-", "1", "none", "dimensionless"):
        return ""
    parts = []
    for sign, token in re.findall(r"(^|[ */])\s*([^ */]+)", unit):
        match = re.fullmatch(r"\(?([A-Za-z%_0-9]+)\)?(?:\^\(?(-?\d+)\)?)?", token)
        if match is None:
            return unit
        word, power = match.group(1), int(match.group(2) or 1)
        power = -power if sign == "/" else power
        text = WORDS.get(word, r"{\rm %s}" % word.replace("%", r"\%"))
        parts.append(text if power == 1 else f"{text}^{{{power}}}")
    return "$" + r"\,".join(parts) + "$"


def axis_label(name, unit):
    """Label with its unit in brackets; a logarithm divides by the unit inside."""
    unit = (unit or "").strip()
    name = re.sub(r"^(.+?) \| log10$", r"log10 \1", name)  # a recipe of the parameters
    of_name = re.fullmatch(r"log10[ (]+(.+?)\)?", name)
    of_unit = re.fullmatch(r"(?:log10|dex)\s*[( ]\s*(.*?)\)?", unit)
    if of_name or of_unit:
        column = of_name.group(1) if of_name else name
        shown = pretty_name(column)
        inner = pretty_unit(of_unit.group(1) if of_unit else "" if unit == "dex" else unit or UNITS.get(column, ""))
        return r"$\log_{10}$ " + (f"({shown} / {inner})" if inner else shown)
    shown, unit = pretty_name(name), pretty_unit(unit)
    return f"{shown}  [{unit}]" if unit else shown
