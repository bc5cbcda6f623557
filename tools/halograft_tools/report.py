"""One self-contained HTML page from statistics files, with the figures as PNG and PDF beside it.

The page holds its images inside, needs no network and no script, and reads on a phone and on paper.
Exit codes are halograft's: 2 = usage, 4 = input missing or unreadable, 5 = cannot write.
"""

import argparse
import base64
import json
import sys
import time
from html import escape
from pathlib import Path

import numpy as np

from . import closure, figures, page, proposal, statistics, style, verdict

SECTIONS = (
    ("content", "Galaxy content"),
    ("clustering", "Clustering"),
    ("prediction", "Quality of the prediction"),
    ("explanation", "What the model uses"),
    ("proposal", "Regions to simulate next"),
    ("maps", "Maps"),
    ("other", "Further statistics"),
)
# What the counts of a statistic are of, by its first word.
COUNTED = {"power": "modes", "xi": "pairs", "wp": "pairs"}


def number(value, digits=4):
    """A number for a table; a dash where there is none."""
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return "–"
    if isinstance(value, float) and value == int(value) and abs(value) < 1e12:
        return str(int(value))
    return f"{value:.{digits}g}" if isinstance(value, float) else str(value)


def curve_table(curves):
    """Numbers of a picture: x, then y ± error of each catalogue."""
    if not curves:
        return ""
    first = curves[0]
    groups = {}
    for curve in curves:
        groups.setdefault(curve.statistic, []).append(curve)
    tables = []
    for some in groups.values():
        base = some[0]
        looks = style.roles([c.catalogue for c in some])
        head = [page.math(style.axis_label(first.attrs.get("x_name", "x"), first.attrs.get("x_unit", "")))]
        head += [escape(looks[c.catalogue]["label"]) for c in some]
        if base.count is not None:
            head.append(COUNTED.get(base.statistic.split("_")[0], "objects"))
        rows = []
        columns = [figures.at_reference(c, base) for c in some]
        for i, x in enumerate(base.x):
            if not any(np.isfinite(y[i]) for y, _, _ in columns):
                continue
            row = [number(float(x))]
            for y, error, draw_error in columns:
                spread = draw_error if draw_error is not None else error
                text = number(float(y[i]))
                if spread is not None and np.isfinite(spread[i]):
                    text += f" ± {number(float(spread[i]), 2)}"
                row.append(text)
            if base.count is not None:
                row.append(number(float(base.count[i])))
            rows.append(row)
        tables.append(page.table(head, rows))
    return page.details("Numbers", "".join(tables))


def figure_html(picture, png, pdf, out):
    """A figure with its caption, numbers, and links to the files."""
    data = base64.b64encode(png.read_bytes()).decode("ascii")
    links = f'<span class="files">{escape(str(png.relative_to(out)))} · {escape(pdf.suffix[1:])}</span>'
    return (f'<figure id="{escape(picture.name)}"><h3>{page.rich(picture.title)}</h3>'
            f'<img alt="{escape(picture.title)}" loading="lazy" src="data:image/png;base64,{data}">'
            f"<figcaption>{page.rich(picture.caption)} {links}</figcaption>{curve_table(picture.curves)}</figure>")


def closure_table(found):
    """How far each catalogue is from the truth."""
    if not found:
        return ""
    looks = style.roles([c.catalogue for c in found])
    rows = [[page.rich(c.title), escape(looks[c.catalogue]["label"]), str(c.bins), closure.percent(c.median),
             f"{closure.percent(c.worst, True)} at {number(c.worst_x, 3)}", f"{c.within} of {c.bins}",
             closure.percent(c.tolerance)] for c in found]
    head = ["statistic", "catalogue", "bins", "median difference", "largest", "within tolerance", "tolerance"]
    note = ("<p class=note>A bin is within tolerance when it differs from the truth by no more than the stated "
            "tolerance, three standard deviations of the oracle redraw, or two of the truth's own counting error "
            "(mass functions, scatter). Left out are bins of mass functions with fewer than 10 true objects, and of "
            "correlation functions that are less than two errors from zero, where a ratio means nothing.</p>")
    return page.table(head, rows) + note


def cell(value):
    """A metric as text: three decimals, because metrics are differences in dex and shares."""
    if isinstance(value, list):
        return ", ".join(map(cell, value))
    if isinstance(value, float) and np.isfinite(value) and value != int(value) and abs(value) < 100:
        text = f"{value:.3f}"
        return text.lstrip("-") if float(text) == 0 else text
    return number(value)


def metrics_table(metrics):
    """Scalar metrics, one row per group; columns are what any group has."""
    kinds = {}
    first = ["catalogue", "column", "sample", "n"]
    for place, values in metrics.items():
        names = [n for n in first if n in values] + [n for n in values if n not in (*first, "name")]
        kinds.setdefault(tuple(names), []).append((place, values))
    tables = []
    for names, some in kinds.items():
        # What is the same everywhere says nothing; what names the group says it better than the group.
        shown = [n for n in names if len(some) == 1 or n == "unit" or len({str(v[n]) for _, v in some}) > 1]
        label = [] if {"catalogue", "column"} <= set(shown) or "features" in names else ["metric"]
        rows = [[escape(place)] * len(label) + [escape(cell(values[n])) for n in shown] for place, values in some]
        tables.append(page.table(label + [escape(n.replace("_", " ")) for n in shown], rows))
    return "".join(tables)


def provenance_html(values):
    """Short entries as a table, long texts (parameters) folded."""
    values = {k: v for k, v in values.items() if not k.startswith("warning_")}
    short = {k: v for k, v in values.items() if "\n" not in str(v) and len(str(v)) <= 300}
    long = {k: v for k, v in values.items() if k not in short}
    rows = [[escape(str(k).replace("_", " ")), escape(number(v) if isinstance(v, float) else str(v))]
            for k, v in short.items()]
    html = page.table(["item", "value"], rows, "plain") if rows else ""
    return html + "".join(page.details(str(k).replace("_", " "), f"<pre>{escape(str(v))}</pre>")
                          for k, v in long.items())


def read_run(folder):
    """What the program noted about the run in run.json: phases, memory, warnings; {} when absent."""
    path = folder / "run.json"
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError) as error:
        return {"warnings": [f"run.json cannot be read ({error})"]}


def timings_html(run):
    """Phases of the run: wall time over ranks and share."""
    phases = [p for p in run.get("phases", []) if isinstance(p, dict) and "name" in p]
    if not phases:
        return ""
    total = sum(float(p.get("mean", p.get("seconds", 0))) for p in phases) or 1
    rows = []
    for phase in phases:
        mean = float(phase.get("mean", phase.get("seconds", 0)))
        rows.append([escape(str(phase["name"])), f"{float(phase.get('min', mean)):.2f}", f"{mean:.2f}",
                     f"{float(phase.get('max', mean)):.2f}", f"{100 * mean / total:.0f} %",
                     f'<span class="bar" style="width:{100 * mean / total:.1f}%"></span>'])
    return page.table(["phase", "min [s]", "mean [s]", "max [s]", "share", ""], rows)


def warnings_of(found, run, comparisons):
    """What a reader must know before believing the page."""
    lines = []
    for item in run.get("warnings", []):
        if isinstance(item, dict):
            times = int(item.get("times", 1))
            lines.append(str(item.get("text", "")) + (f" ({times} times)" if times > 1 else ""))
        else:
            lines.append(str(item))
    stored = found.provenance.get("warnings", [])
    lines += [line for line in ([stored] if isinstance(stored, str) else stored) if line and line not in lines]
    lines += [f"{text[0].upper()}{text[1:]}." for key, text in found.provenance.items() if key.startswith("warning_")]
    empty = [f"{c.catalogue}/{c.name}" for c in found.curves if not c.usable().any()]
    if empty:
        lines.append(f"These curves hold no usable value and are not drawn: {', '.join(empty)}.")
    if not found.curves and not found.maps:
        lines.append("The statistics file is empty.")
    for name in {c.catalogue for c in comparisons} & {"draws", "draw"}:
        some = [c for c in comparisons if c.catalogue == name and c.statistic in ("mass_function", "power")]
        bins, within = sum(c.bins for c in some), sum(c.within for c in some)
        if bins and within < 0.8 * bins:
            lines.append(f"The {name} miss the tolerance in {bins - within} of {bins} bins of mass functions and "
                         "power spectra; look at the ratio panels before using this catalogue.")
    return lines


def run_title(found):
    """Name of a run from its provenance, else its folder."""
    for key in ("run_name", "RunName", "name", "run"):
        if found.provenance.get(key):
            return str(found.provenance[key])
    return found.path.resolve().parent.name


def run_html(found, out, prefix, paths):
    """The part of the page about one statistics file; appends the picture files to `paths`."""
    # run.json is about the run that measured; files of other commands may stand beside it
    run = {} if verdict.sentences(found) else read_run(found.path.parent)
    comparisons = closure.closures(found)
    folder = out / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    sections = {}
    for picture in figures.draw_all(found):
        picture.name = figures.file_name(prefix, picture.name)
        png, pdf = figures.save(picture, folder)
        paths += [png, pdf]
        sections.setdefault(picture.section, []).append(figure_html(picture, png, pdf, out))
    tables = "prediction" if "prediction" in sections else "explanation"
    parts = [page.summary(closure.sentences(found, comparisons), warnings_of(found, run, comparisons),
                          run_facts(found, run), "warnings" in run)]
    for key, title in SECTIONS:
        if key in sections:
            extra = (proposal.tables(found) if key == "proposal" else
                     metrics_table(found.metrics) if key == tables else "")
            parts.append(page.section(title, f'<div class="grid">{"".join(sections[key])}</div>{extra}'))
    if comparisons:
        parts.append(page.section("Differences from the truth", closure_table(comparisons)))
    if tables not in sections and "proposal" not in sections and found.metrics:
        parts.append(page.section("Metrics", metrics_table(found.metrics)))
    if run.get("phases"):
        parts.append(page.section("Timings", timings_html(run)))
    parts.append(page.section("Provenance", provenance_html(found.provenance)
                              or "<p>The statistics file holds no provenance.</p>"))
    return "".join(parts)


def run_facts(found, run):
    """The line of facts under the title."""
    facts = []
    version = run.get("version") or found.provenance.get("version")
    if version:
        facts.append(f"halograft {version}")
    if run.get("ranks"):
        facts.append(f"{run['ranks']} ranks × {run.get('threads', 1)} threads")
    if run.get("wall_seconds"):
        facts.append(f"{float(run['wall_seconds']):.0f} s")
    if run.get("peak_bytes"):
        facts.append(f"{float(run['peak_bytes']) / 2**30:.2f} GiB peak per rank")
    catalogues = figures.order(list(dict.fromkeys(c.catalogue for c in found.curves
                                                  if not c.statistic.startswith(("resolution_", "parent_")))))
    if catalogues and not verdict.sentences(found):
        facts.append("catalogues: " + ", ".join(catalogues))
    return facts


def build(places, out):
    """Write report and figures; returns all paths, the report first."""
    found = [statistics.read(path) for place in places for path in statistics.find(place)]
    out.mkdir(parents=True, exist_ok=True)
    paths, bodies = [], []
    titles = [run_title(f) for f in found]
    for i, one in enumerate(found):
        prefix = "" if len(found) == 1 else f"run{i + 1}"
        bodies.append((titles[i], run_html(one, out, prefix, paths)))
    report = out / "report.html"
    temporary = out / ".report.html.tmp"
    temporary.write_text(page.whole(bodies, time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())), encoding="utf-8")
    temporary.replace(report)
    return [report, *paths]


def main(arguments=None):
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="halograft-report", description="Make an HTML report with figures from halograft's statistics files.")
    parser.add_argument("places", nargs="+", metavar="DIR_OR_FILE", type=Path,
                        help="output folders or statistics files")
    parser.add_argument("--out", metavar="DIR", type=Path, help="where to write; default: the first folder")
    given = parser.parse_args(arguments)
    out = given.out or (given.places[0] if given.places[0].is_dir() else given.places[0].parent)
    try:
        for path in build(given.places, out):
            print(path)
    except statistics.StatisticsError as error:
        print(f"halograft-report: {error}", file=sys.stderr)
        return 4
    except OSError as error:
        print(f"halograft-report: cannot write to '{out}' ({error.strerror or error})", file=sys.stderr)
        return 5
    return 0


if __name__ == "__main__":
    sys.exit(main())
