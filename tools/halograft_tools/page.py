"""HTML pieces of the report: one page without scripts, network or fonts of its own."""

import re
from html import escape

CSS = """
:root { --ink: #1b1f24; --soft: #59636e; --line: #d8dee4; --tint: #f6f8fa; --accent: #0072b2; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1.2rem 1rem 3rem; max-width: 76rem; color: var(--ink); background: #fff;
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.2rem 0 .8rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0 0 .4rem; }
section > h3 { margin-top: 1.4rem; }
p { max-width: 46rem; }
.facts, .note, figcaption, footer { color: var(--soft); font-size: .88rem; }
.facts span:not(:last-child)::after { content: " · "; }
.box { border: 1px solid var(--line); border-left: 4px solid var(--accent); border-radius: 6px;
  padding: .7rem 1rem; margin: 1rem 0; background: var(--tint); }
.box ul { margin: .3rem 0; padding-left: 1.2rem; }
.box.warn { border-left-color: #d55e00; background: #fff7f0; }
.box.good { border-left-color: #009e73; }
.grid { display: grid; gap: 1.2rem; grid-template-columns: repeat(auto-fill, minmax(min(100%, 21rem), 1fr)); }
figure { margin: 0; padding: .9rem; border: 1px solid var(--line); border-radius: 8px; min-width: 0; }
figure img { width: 100%; max-width: 33rem; height: auto; display: block; margin: 0 auto .5rem; }
figcaption .files { display: block; font-family: ui-monospace, "Liberation Mono", monospace; font-size: .75rem;
  overflow-wrap: anywhere; margin-top: .2rem; }
.scroll { overflow-x: auto; margin: .6rem 0; max-width: max-content; background: linear-gradient(to left, #fff, #fff0) right / 2rem 100%
  no-repeat local, linear-gradient(to left, #0003, #0000) right / .7rem 100% no-repeat scroll; }
table { border-collapse: collapse; font-size: .86rem; font-variant-numeric: tabular-nums; }
th, td { padding: .28rem .7rem; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { border-bottom-color: var(--soft); font-weight: 600; white-space: normal; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; white-space: normal; min-width: 6rem; }
table.plain td { text-align: left; white-space: normal; overflow-wrap: anywhere; }
table.plain td:first-child { white-space: nowrap; color: var(--soft); vertical-align: top; }
.bar { display: inline-block; height: .7em; min-width: 1px; background: var(--accent); border-radius: 2px; }
td:last-child:has(.bar) { width: 12rem; text-align: left; }
details { margin: .5rem 0; }
summary { cursor: pointer; color: var(--accent); font-size: .9rem; }
pre { background: var(--tint); padding: .8rem; overflow-x: auto; font-size: .8rem; line-height: 1.4; border-radius: 6px; }
nav a { margin-right: 1rem; color: var(--accent); }
@media (max-width: 34rem) { body { padding: .8rem .7rem 2rem; } figure { padding: .6rem; } h1 { font-size: 1.4rem; } }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } .grid { grid-template-columns: 1fr 1fr; }
  figure, .box, tr { break-inside: avoid; } h2 { break-after: avoid; } summary { display: none; }
  .scroll { overflow: visible; background: none; max-width: none; } table { font-size: 7.5pt; }
  th, td { padding: .15rem .35rem; } nav { display: none; } }
"""

TEXT = {r"\star": "⋆", r"\odot": "☉", r"\xi": "ξ", r"\sigma": "σ", r"\phi": "φ", r"\,": " ", r"\%": "%"}


def math(text):
    """The labels of the figures (a small set of mathtext) as HTML."""

    def one(match):
        inner = match.group(1)
        inner = re.sub(r"\\log_\{?10\}?", "log<sub>10</sub>", inner)
        inner = re.sub(r"\\rm\s*", "", inner)
        for key, value in TEXT.items():
            inner = inner.replace(key, value)
        # Groups from inside out: {..} after ^ or _ becomes sup or sub, others lose their braces.
        while True:
            changed = re.sub(r"\^\{([^{}]*)\}", r"<sup>\1</sup>", inner)
            changed = re.sub(r"_\{([^{}]*)\}", r"<sub>\1</sub>", changed)
            changed = re.sub(r"(?<![\^_])\{([^{}]*)\}", r"\1", changed)
            if changed == inner:
                break
            inner = changed
        inner = re.sub(r"_(.)", r"<sub>\1</sub>", inner)
        return inner

    return re.sub(r"\$([^$]*)\$", one, escape(text, quote=False))


def rich(text):
    """Plain text as HTML, with powers such as 10^10.5 raised."""
    return re.sub(r"10\^(-?\d+(?:\.\d+)?)", r"10<sup>\1</sup>", escape(text))


def power(value):
    """A large number as a power of ten, such as 3.8 × 10^14."""
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits} × 10<sup>{int(exponent)}</sup>"


def table(head, rows, kind=""):
    """A table that scrolls sideways on narrow screens; cells are HTML."""
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return (f'<div class="scroll"><table class="{kind}"><thead><tr>'
            + "".join(f"<th>{cell}</th>" for cell in head) + f"</tr></thead><tbody>{body}</tbody></table></div>")


def details(title, html):
    """A folded part."""
    return f"<details><summary>{escape(title)}</summary>{html}</details>"


def section(title, html):
    """A section of the page."""
    return f"<section><h2>{escape(title)}</h2>{html}</section>"


def summary(sentences, warnings, facts, is_known):
    """Facts, warnings and results in words: the top of a run's part. That there were none is said only
    when the run's own warnings are known."""
    html = '<p class="facts">' + "".join(f"<span>{escape(fact)}</span>" for fact in facts) + "</p>"
    if warnings:
        html += ('<div class="box warn"><strong>Warnings</strong><ul>'
                 + "".join(f"<li>{escape(line)}</li>" for line in warnings) + "</ul></div>")
    elif is_known:
        html += '<div class="box good"><strong>No warnings.</strong></div>'
    if sentences:
        html += ('<div class="box"><strong>In short</strong><ul>'
                 + "".join(f"<li>{rich(line)}</li>" for line in sentences) + "</ul></div>")
    return html


def whole(bodies, when):
    """The page; several runs follow each other with a list on top."""
    title = bodies[0][0] if len(bodies) == 1 else f"{len(bodies)} runs"
    nav = ""
    if len(bodies) > 1:
        nav = "<nav>" + "".join(f'<a href="#run{i}">{escape(name)}</a>' for i, (name, _) in enumerate(bodies)) + "</nav>"
    parts = []
    for i, (name, html) in enumerate(bodies):
        parts.append(f'<article id="run{i}"><h1>{escape(name)}</h1>{html}</article>')
    return ('<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{escape(title)} - halograft</title><style>{CSS}</style></head><body>{nav}"
            + "".join(parts) + f"<footer>Made by halograft-report, {escape(when)}.</footer></body></html>\n")
